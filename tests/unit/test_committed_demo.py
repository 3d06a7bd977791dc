"""The committed demo: what the README and the pages promise of it holds, read from its own files."""

from __future__ import annotations

import datetime as dt
import hashlib
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from analysis import Dataset, Selection, compare
from analysis.datasets.demo.making import make_demo
from analysis.datasets.notes import NOTES
from analysis.schema import DATA_FOLDER

DEMO = DATA_FOLDER / "demo"
BOTH = Selection(start=dt.date(2020, 7, 1))


@pytest.fixture(scope="module")
def truth() -> dict[str, dict[str, float]]:
    with open(DEMO / "truth.toml", "rb") as file:
        return tomllib.load(file)["metric"]


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    make_demo(tmp_path / "again")
    assert _hashes(tmp_path / "again") == _hashes(DEMO)


def test_category_shares_lie_near_the_published_ones() -> None:
    findings = pd.read_parquet(DEMO / "source" / "findings.parquet")
    criteria = pd.read_parquet(DEMO / "source" / "criteria.parquet").set_index("criterion_id")["category_no"]
    published = pd.read_csv(DATA_FOLDER / "published" / "deficiencies_by_category.csv", index_col=0)[
        "deficiencies"
    ]
    counted = findings.loc[findings["answer"] == "deficient", "criterion_id"].map(criteria).value_counts()
    gap = counted / counted.sum() - published / published.sum()
    assert published.sum() == 1931
    assert len(gap) == 12
    assert gap.abs().max() < 0.012


def test_crude_misleads_and_adjusted_holds(demo: Dataset, truth: dict[str, dict[str, float]]) -> None:
    answer = compare(demo, "any_must_deficiency", BOTH)
    crude, stratified, model = (answer.estimate(m) for m in ("crude", "mantel_haenszel", "standardised"))
    known = truth["any_must_deficiency"]
    assert crude and crude.interval and stratified and stratified.interval
    assert crude.estimate is not None and stratified.estimate is not None
    assert not crude.interval.contains(known["difference_all"])
    assert stratified.interval.contains(known["difference_mh"])
    error = abs(stratified.estimate - known["difference_mh"])
    assert error < abs(crude.estimate - known["difference_all"]) / 2
    assert model == answer.answer and model and model.interval and model.estimate is not None
    assert model.interval.contains(known["difference_all"])
    assert abs(model.estimate - known["difference_all"]) < abs(crude.estimate - known["difference_all"]) / 2
    assert "attenuation" in answer.reasons


def test_mantel_haenszel_contains_the_truth_of_most_metrics(
    demo: Dataset, truth: dict[str, dict[str, float]]
) -> None:
    """Eleven contrasts with 95 % intervals: two misses would be unusual, three a mistake in the program."""
    names = [
        "any_must_deficiency", "any_deficiency", "deficiency_rate", "must_deficiency_rate", "not_verified_rate",
        "closed_on_time", "passed", "hours", "days_to_report", "days_to_close", "incident_within_12_months",
    ]  # fmt: skip
    held = []
    for name in names:
        answer = compare(demo, name, BOTH)
        measure = "ratio" if answer.kind == "duration" else "difference"
        row = answer.estimate("mantel_haenszel", measure)
        assert row is not None and row.interval is not None
        held.append(row.interval.contains(truth[name]["difference_mh"]))
    assert sum(held) >= len(names) - 2, dict(zip(names, held, strict=True))


def test_says_synthetic_and_where_it_comes_from(demo: Dataset) -> None:
    assert demo.synthetic
    assert demo.tag == "SYNTHETIC"
    assert "nvented" in demo.source_note


def test_is_small_enough_to_commit() -> None:
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) < 6_000_000


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        # Notes that somebody kept on the demo are no part of it.
        if path.is_file() and path.name != NOTES
    }
