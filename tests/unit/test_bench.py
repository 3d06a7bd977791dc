"""The benchmark: everybody counts the same, and a run says by itself what it reached."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from analysis.cli import main
from analysis.datasets.opening import Dataset
from tests.bench import filtering, running
from tests.bench.peers.__main__ import WAYS
from tests.bench.peers.aggregates import EIGHT, WHICH, Limits, filters

ASKED = ("ours", "pandas", "pandas through narwhals", "DuckDB on Parquet", "floor") + (
    ("polars",) if importlib.util.find_spec("polars") else ()
)


@pytest.fixture(scope="module")
def found(small_demo: Dataset) -> dict[str, Any]:
    """One round of everybody; it fails by itself where frames differ."""
    return filtering.timed(small_demo.path, 1, lambda step: None, ASKED)


def test_everybody_gives_equal_frames_and_is_timed(found: dict[str, Any]) -> None:
    assert set(found) == set(ASKED) <= set(WAYS)
    for way, one in found.items():
        assert one["wall_s"] > 0 and one["cpu_s"] >= 0 and one["peak_mb"] > 20, way
        assert len(one["by_filters"]) == len(WHICH)
    assert len(EIGHT) == 8 and set(filtering.FASTEST_PANDAS) < set(ASKED)


def test_a_way_that_counts_otherwise_is_found() -> None:
    right = [{"digests": ["a"] * len(EIGHT)}]
    wrong = [{"digests": ["a"] * (len(EIGHT) - 1) + ["b"]}]
    with pytest.raises(AssertionError, match="pandas and ours differ on incidents"):
        filtering._agree({"ours": right, "pandas": wrong})


def test_filters_are_never_the_same_twice_and_use_every_filter(small_demo: Dataset) -> None:
    turns = [filters(small_demo, turn) for turn in range(5)]
    every = [each for turn in turns for each in turn if len(each.codes) > 2]
    assert len({repr(each) for each in every}) == len(every)
    assert {column for each in turns[0] for column in each.codes} == {
        "field_office", "mode", "entity_type", "risk", "kind", "location",
    }  # fmt: skip
    assert any(each.first for each in turns[0])
    assert Limits({"risk": [0]}).selection(small_demo).risks == (small_demo.vocabulary("risk")[0],)


def test_ratios_say_whether_they_reach_and_why_not(found: dict[str, Any]) -> None:
    made = {
        way: one | {"wall_s": seconds}
        for (way, one), seconds in zip(found.items(), (0.2, 3, 2, 1, 0.1, 0.3), strict=False)
    }
    made.setdefault("polars", made["ours"] | {"wall_s": 0.3})
    ratios = running.filter_ratios(
        {"S": made | {"ours": made["ours"] | {"wall_s": 0.001}}, "M": made, "L": made}
    )
    assert ratios["filter_M"]["reached"] == pytest.approx(10) and running.reaches(
        "filter_M", ratios["filter_M"]
    )
    assert ratios["filter_L"]["reached"] == pytest.approx(10) and not running.reaches(
        "filter_L", ratios["filter_L"]
    )
    assert ratios["floor_L"]["reached"] == pytest.approx(0.5)
    assert ratios["growth_S_L"]["reached"] == pytest.approx(200)
    report = {
        "ratios": ratios,
        "filters": {"M": made, "L": made},
        "machine": {"load": 0.1},
        "load_after": 0.1,
    }
    assert running.reason("filter_M", report) == ""
    assert "the slowest filters are" in running.reason("filter_L", report)


def test_the_command_names_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--sizes", "XXL"]) == 2
    assert "the benchmark has no 'XXL'" in capsys.readouterr().err


def test_without_a_checkout_there_is_no_benchmark(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name, name="tests.bench")

    monkeypatch.setattr("analysis.cli.import_module", missing)
    assert main(["bench"]) == 2
    assert "part of a checkout" in capsys.readouterr().err


def test_the_kept_report_is_whole_and_says_why_a_ratio_falls_short() -> None:
    report = json.loads(Path(running.REPORT).read_text(encoding="utf-8"))
    assert set(report["ratios"]) == set(running.RATIOS)
    assert {"machine", "versions", "ratios"} <= set(report)
    for name, row in report["ratios"].items():
        reached = row["reached"]
        assert isinstance(reached, int | float) and reached > 0, name
        a, b = row["a_s"], row["b_s"]
        assert reached == pytest.approx(b / a if name in running.HIGHER else a / b, rel=2e-3), name
        assert bool(row["reason"]) != running.reaches(name, row), name
    assert report["ratios"]["comparison_M"]["largest_difference"] <= 1e-8
    assert report["ratios"]["browser"]["most_bytes"] <= 300_000
    assert report["sizes"]["L"]["validations"] == 10_000_000 and report["rounds"] >= 5
