"""The kept report of the whole bench (`make truth`) passes by its own figures."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tests.bench.truth import reporting, runs
from tests.bench.truth.__main__ import PROGRAMS, REPORT
from tests.bench.truth.programs import LINES


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return json.loads(REPORT.read_text(encoding="utf-8"))


def test_the_kept_report_is_of_the_whole_bench_and_passes(report: dict[str, Any]) -> None:
    assert (report["programs"], report["validations"]) == (PROGRAMS, runs.VALIDATIONS) == (2_000, 6_000)
    assert report["passes"] and not reporting.failures(report)
    assert [(one["metric"], one["method"]) for one in report["lines"]] == list(LINES)
    assert report["through"]["programs"] == 20 and report["through"]["largest_difference"] <= 1e-8
    assert report["unmeasured"]["programs"] >= 500


def test_the_kept_lines_pass_by_their_own_figures(report: dict[str, Any]) -> None:
    for one in report["lines"]:
        coverage, error = one["coverage"]["value"], one["mean_error"]
        if not one["judged"]:
            assert one["method"] == "crude" and coverage < 0.05
            continue
        assert 0.93 <= coverage <= 0.97, one
        allowed = 0.1 * one["mean_se"]["value"] + 3 * one["sd_error"]["value"] / math.sqrt(one["estimated"])
        assert abs(error["value"]) <= allowed * (1 + 1e-4), one
        assert one["programs"] == (8_000 if "rerun_of" in one else 2_000)
        assert one["estimated"] >= 0.99 * one["programs"]


def test_the_kept_verdicts_and_checks_pass_by_their_own_figures(report: dict[str, Any]) -> None:
    for one in report["on_the_margin"]:
        assert one["share"]["value"] <= 0.025 + 3 * one["share"]["monte_carlo_error"], one
    null = report["without_effects"]
    assert abs(null["as_good"]["value"] - null["promised"]["value"]) <= 0.04
    screen = report["screen"]
    for name in ("false_discovery_share", "false_discovery_share_of_documents_alone"):
        assert screen[name]["value"] <= screen["q"] + 3 * screen[name]["monte_carlo_error"]
    hidden = report["unmeasured"]
    below = {one["method"]: one["coverage"]["value"] for one in hidden["lines"]}
    assert all(
        below[name] < 0.9
        for name in ("standardised", "mantel_haenszel", "overlap_weighted", "doubly_robust", "aipw")
    )
    assert hidden["e_value"]["value"] > 1
    for name, figure in _figures(report):
        assert figure["monte_carlo_error"] is not None, name


def _figures(value: Any, name: str = "") -> list[tuple[str, dict[str, float]]]:
    if isinstance(value, dict) and "monte_carlo_error" in value:
        return [(name, value)]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in inner for found in _figures(each, f"{name}.{key}")]
