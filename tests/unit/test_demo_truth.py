"""The truth beside the demo: exact, complete, and nothing where nothing differs."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.datasets.demo.catalogue import REFERENCE
from analysis.datasets.demo.contrasts import POPULATIONS, comparison_window, weighted_median
from analysis.datasets.demo.effects_reading import effects_from, read_effects
from analysis.datasets.demo.source import write_demo_source
from analysis.datasets.demo.truth import truth, truth_toml
from analysis.datasets.demo.world import World, simulate

NO_EFFECT = {
    "detection": {"virtual_ratio": {"document": 1.0, "interview": 1.0, "physical": 1.0}},
    "not_verified": {"virtual": {"document": 0.005, "interview": 0.005, "physical": 0.005}},
    "hours": {"virtual_ratio": 1.0},
    "report_days": {"virtual_ratio": 1.0},
    "close_days": {"virtual_ratio": 1.0},
    "feedback": {"confidence_shift": {"specialist": 0.0, "member": 0.0}},
}
MEAN = re.compile(r"_(all|overlap|virtual|mh)_(virtual|in_person)$")
DURATIONS = ("days_to_report", "days_to_close", "hours")


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(read_effects(), seed=1, validations=4_000)


@pytest.fixture(scope="module")
def metrics(world: World) -> dict[str, Any]:
    return dict(truth(world)["metric"])


def _numbers(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], float]]:
    found = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            found += _numbers(value, (*path, key))
        elif not isinstance(value, str):
            found.append(((*path, key), value))
    return found


def test_every_metric_has_its_truth(metrics: dict[str, Any]) -> None:
    defined = tomllib.loads((REFERENCE.parent / "metrics.toml").read_text(encoding="utf-8"))["metric"]
    assert set(metrics) == set(defined)
    by_respondent = {"feedback_confidence", "would_repeat_virtual", "repeat_rate"}
    for name in set(defined) - by_respondent:
        for population in POPULATIONS:
            key = f"difference_{population}"
            means = metrics[name][f"{key}_virtual"], metrics[name][f"{key}_in_person"]
            contrast = means[0] / means[1] if name in DURATIONS else means[0] - means[1]
            assert metrics[name][key] == pytest.approx(contrast, abs=1e-12)
    for seen in ("document", "interview", "physical"):
        assert f"ratio_{POPULATIONS[0]}" in metrics["deficiency_rate"][seen]
    assert set(metrics["would_repeat_virtual"]["member"]) == {f"difference_{p}_virtual" for p in POPULATIONS}
    assert set(metrics["repeat_rate"]) == {"note"}


def test_the_headline_by_hand(world: World, metrics: dict[str, Any]) -> None:
    schedule = world.schedule
    start = np.datetime64("2020-07-01").astype(int)
    first = max(start, schedule.day[schedule.mode == 1].min())
    rows = (schedule.mode < 2) & (schedule.day >= first)
    effect = (world.answers["virtual"].must_deficient > 0) * 1.0 - (
        world.answers["in_person"].must_deficient > 0
    )
    headline = metrics["any_must_deficiency"]
    e = schedule.propensity[rows]
    assert headline["difference_all"] == pytest.approx(effect[rows].mean())
    assert headline["difference_overlap"] == pytest.approx(np.average(effect[rows], weights=e * (1 - e)))
    assert headline["difference_virtual"] == pytest.approx(effect[rows & (schedule.mode == 1)].mean())
    foreign = world.members.foreign[schedule.member]
    total = weights = 0.0
    for risk in range(3):
        for initial in (False, True):
            for abroad in (False, True):
                here = rows & (schedule.risk == risk) & (schedule.initial == initial) & (foreign == abroad)
                n1, n0 = (here & (schedule.mode == 1)).sum(), (here & (schedule.mode == 0)).sum()
                if n1 and n0:
                    total += n1 * n0 / (n1 + n0) * effect[here].mean()
                    weights += n1 * n0 / (n1 + n0)
    assert headline["difference_mh"] == pytest.approx(total / weights)


def test_the_shipped_effects_show(metrics: dict[str, Any]) -> None:
    rate = metrics["deficiency_rate"]
    assert rate["document"]["ratio_all"] == 1
    assert rate["physical"]["ratio_all"] == pytest.approx(0.70, abs=0.06)
    assert metrics["hours"]["difference_all"] == pytest.approx(0.44, abs=0.005)
    assert metrics["days_to_report"]["geometric_mean_ratio_all"] == pytest.approx(0.85, abs=0.01)
    assert metrics["passed"]["difference_all"] == pytest.approx(
        -metrics["any_must_deficiency"]["difference_all"]
    )
    assert metrics["feedback_confidence"]["specialist"]["difference_all"] < 0
    assert metrics["feedback_confidence"]["member"]["difference_all"] > 0
    assert metrics["not_verified_rate"]["difference_all"] > 0.01


def test_without_effects_nothing_differs_at_all() -> None:
    metrics = truth(simulate(effects_from(NO_EFFECT), seed=7, validations=1_500))["metric"]
    checked = 0
    for path, number in _numbers(metrics):
        if MEAN.search(path[-1]):
            continue
        is_ratio = "ratio" in path[-1] or (path[0] in DURATIONS and path[-1].startswith("difference"))
        assert number == (1 if is_ratio else 0), path
        checked += 1
    assert checked > 80


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    hashes = [_written(tmp_path / name, seed) for name, seed in (("a", 4), ("b", 4), ("c", 5))]
    assert hashes[0] == hashes[1]
    for name in ("source/members.parquet", "source/findings.parquet", "truth.toml"):
        assert hashes[0][name] != hashes[2][name]


def _written(out: Path, seed: int) -> dict[str, str]:
    write_demo_source(out, seed=seed, validations=600, effects=read_effects())
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_file_holds_the_truth_to_twelve_digits(world: World) -> None:
    read = tomllib.loads(truth_toml(truth(world)))
    assert (read["seed"], read["validations"], read["synthetic"]) == (1, 4_000, True)
    assert effects_from(read["effects"]) == read_effects()
    written = dict(_numbers(read["metric"]))
    for path, number in _numbers(truth(world)["metric"]):
        assert written[path] == pytest.approx(number, rel=1e-11, abs=1e-15)


def test_a_tiny_program_leaves_out_what_does_not_exist() -> None:
    text = truth_toml(truth(simulate(read_effects(), seed=1, validations=50)))
    assert "nan" not in text.split("[effects]")[0].replace("nance", "")
    tomllib.loads(text)


def test_weighted_median() -> None:
    values, size = np.array([3.0, 1.0, 2.0, np.inf]), np.ones(4)
    assert weighted_median(values, size, np.ones(4)) == 2
    assert weighted_median(values, size, np.array([0, 0, 0, 1.0])) == np.inf
    assert np.isnan(weighted_median(values, size, np.zeros(4)))


def test_the_window_starts_when_both_modes_are_in_use(world: World) -> None:
    rows = comparison_window(world).rows
    assert set(world.schedule.mode[rows]) == {0, 1}
    assert world.schedule.day[rows].min() >= np.datetime64("2020-07-01").astype(int)
