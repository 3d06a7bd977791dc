"""Verdicts by inclusion, case by case and limit by limit."""

from __future__ import annotations

import math

import pytest

from analysis.errors import AnalysisError
from analysis.results import Interval
from analysis.stats.equivalence import further_needed, judge, nuance, smallest_margin

D = {"margin": 0.05, "margin_scale": "difference"}
R = {"margin": 1.10, "margin_scale": "ratio"}
ONE = {"margin": 1.00, "margin_scale": "ratio"}


@pytest.mark.parametrize(
    ("low", "high", "harmful", "verdict"),
    [
        (-0.04, 0.04, "lower", "as_good"),
        (-0.04, -0.01, "lower", "as_good"),
        (0.01, 0.04, "lower", "as_good"),
        (0.01, 0.09, "lower", "better"),
        (-0.04, 0.09, "lower", "as_good"),
        (0.00, 0.09, "lower", "as_good"),
        (-0.05, 0.01, "lower", "cannot_tell"),
        (-0.05, 0.09, "lower", "cannot_tell"),
        (-0.09, 0.01, "lower", "cannot_tell"),
        (-0.09, -0.01, "lower", "cannot_tell"),
        (-0.09, -0.05, "lower", "cannot_tell"),
        (-0.09, -0.06, "lower", "not_as_good"),
        (-0.09, 0.09, "lower", "cannot_tell"),
        (-0.04, 0.05, "two_sided", "cannot_tell"),
        (-0.04, 0.04, "two_sided", "as_good"),
        (0.06, 0.09, "two_sided", "described"),
        (-0.09, -0.06, "two_sided", "described"),
        (0.01, 0.09, "two_sided", "cannot_tell"),
        (-0.09, 0.09, "two_sided", "cannot_tell"),
        (0.06, 0.09, "none", "described"),
    ],
)
def test_differences(low, high, harmful, verdict) -> None:
    assert judge(Interval(low, high), harmful=harmful, role="service", **D) == verdict
    turned = {"lower": "higher"}.get(harmful, harmful)
    assert judge(Interval(-high, -low), harmful=turned, role="service", **D) == verdict


@pytest.mark.parametrize(
    ("low", "high", "harmful", "verdict"),
    [
        (0.95, 1.05, "higher", "as_good"),
        (0.95, 1.10, "higher", "cannot_tell"),
        (0.50, 1.05, "higher", "as_good"),
        (0.50, 0.70, "higher", "better"),
        (0.95, 0.99, "higher", "as_good"),
        (1.12, 1.30, "higher", "not_as_good"),
        (1.05, 1.30, "higher", "cannot_tell"),
        (0.92, math.inf, "lower", "as_good"),
        (0.0, 0.85, "lower", "not_as_good"),
        (0.0, 0.95, "lower", "cannot_tell"),
        (0.95, 1.05, "two_sided", "as_good"),
    ],
)
def test_ratios(low, high, harmful, verdict) -> None:
    assert judge(Interval(low, high), harmful=harmful, role="service", **R) == verdict
    # m and 1/m are the same margin.
    inverse = {"margin": 1 / 1.10, "margin_scale": "ratio"}
    if 1.10 not in (low, high):
        assert judge(Interval(low, high), harmful=harmful, role="service", **inverse) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.7, 0.9, "better"),
        (0.7, 1.0, "cannot_tell"),
        (0.9, 1.1, "cannot_tell"),
        (1.0, 1.2, "cannot_tell"),
        (1.01, 1.2, "not_as_good"),
    ],
)
def test_any_worsening_is_worse(low, high, verdict) -> None:
    assert judge(Interval(low, high), harmful="higher", role="service", **ONE) == verdict
    zero = {"margin": 0.0, "margin_scale": "difference"}
    assert judge(Interval(low - 1, high - 1), harmful="higher", role="service", **zero) == verdict


def test_more_is_worded_by_role_and_no_margin_is_described() -> None:
    assert judge(Interval(0.01, 0.09), harmful="lower", role="detection", **D) == "finds_more"
    assert (
        judge(Interval(0.01, 0.09), harmful="lower", role="detection", margin=None, margin_scale=None)
        == "described"
    )


@pytest.mark.parametrize(
    ("low", "high", "harmful", "said"),
    [
        (-0.04, 0.09, "lower", "or_better"),
        (-0.09, 0.04, "higher", "or_better"),
        (-0.04, -0.01, "lower", "slightly_fewer"),
        (-0.04, -0.01, "higher", "slightly_fewer"),
        (0.01, 0.04, "two_sided", "slightly_more"),
        (-0.01, 0.04, "lower", None),
        (-0.09, 0.04, "lower", None),
        (0.01, 0.09, "lower", None),
    ],
)
def test_nuance(low, high, harmful, said) -> None:
    assert nuance(Interval(low, high), harmful=harmful, **D) == said


@pytest.mark.parametrize("harmful", ["lower", "higher", "two_sided"])
@pytest.mark.parametrize("interval", [(-0.04, 0.02), (-0.03, -0.01), (0.01, 0.05)])
def test_the_smallest_margin_just_fails_and_any_wider_passes(harmful, interval) -> None:
    for scale, limits in (("difference", interval), ("ratio", tuple(map(math.exp, interval)))):
        interval_ = Interval(*limits)
        needed = smallest_margin(interval_, harmful=harmful, margin_scale=scale)
        wider = (
            needed + 1e-9 if scale == "difference" or (needed >= 1 and harmful != "lower") else needed - 1e-9
        )
        settings = {"harmful": harmful, "margin_scale": scale, "role": ""}
        assert judge(interval_, margin=wider, **settings) in ("as_good", "better")
        assert judge(interval_, margin=needed, **settings) != "as_good"


def test_no_margin_would_do() -> None:
    assert smallest_margin(Interval(0.5, math.inf), harmful="higher", margin_scale="ratio") is None
    assert smallest_margin(Interval(0.0, 1.2), harmful="lower", margin_scale="ratio") is None
    assert smallest_margin(Interval(0.0, 1.2), harmful="two_sided", margin_scale="ratio") is None
    assert smallest_margin(Interval(-0.1, 0.1), harmful="none", margin_scale="difference") is None
    assert smallest_margin(Interval(0.01, 0.1), harmful="lower", margin_scale="difference") == 0


@pytest.mark.parametrize(
    ("estimate", "half", "harmful", "scale", "margin"),
    [
        (-0.02, 0.051, "lower", "difference", 0.05),
        (-0.07, 0.051, "lower", "difference", 0.05),
        (0.03, 0.061, "higher", "difference", 0.05),
        (0.03, 0.061, "two_sided", "difference", 0.05),
        (0.07, 0.061, "two_sided", "difference", 0.05),
        (-0.07, 0.061, "two_sided", "difference", 0.05),
        (-0.01, 0.0411, "higher", "difference", 0.0),
        (0.01, 0.0411, "higher", "difference", 0.0),
        (math.log(0.93), 0.2, "lower", "ratio", 0.90),
        (math.log(1.04), 0.2, "higher", "ratio", 1.10),
        (math.log(1.20), 0.2, "higher", "ratio", 1.10),
    ],
)
def test_that_many_more_settle_it_and_one_fewer_does_not(estimate, half, harmful, scale, margin) -> None:
    n = 1000
    settings = {"harmful": harmful, "margin": margin, "margin_scale": scale}

    def shrunk(total: float) -> Interval:
        reach = half * math.sqrt(n / total)
        ends = (estimate - reach, estimate + reach)
        return Interval(*(map(math.exp, ends) if scale == "ratio" else ends))

    at = math.exp(estimate) if scale == "ratio" else estimate
    more = further_needed(at, shrunk(n), n, **settings)
    assert more >= 1
    assert judge(shrunk(n + more), role="", **settings) != "cannot_tell"
    assert judge(shrunk(n + more - 1), role="", **settings) == "cannot_tell"


def test_when_no_number_settles_it() -> None:
    on_the_margin = further_needed(-0.05, Interval(-0.1, 0.0), 500, harmful="lower", **D)
    assert on_the_margin is None
    assert further_needed(-0.0499, Interval(-0.15, 0.05), 500, harmful="lower", **D) is None
    assert further_needed(1.0, Interval(0.9, 1.1), 500, harmful="higher", **ONE) is None
    assert (
        further_needed(0.0, Interval(0.0, 3.0), 500, harmful="lower", margin=0.9, margin_scale="ratio")
        is None
    )
    assert further_needed(0.0, Interval(-0.01, 0.01), 500, harmful="lower", **D) == 0
    assert further_needed(0.0, Interval(-0.1, 0.1), 500, harmful="none", **D) is None


@pytest.mark.parametrize(
    ("margin", "scale"), [(-0.1, "difference"), (0.0, "ratio"), (-1.0, "ratio"), (0.1, "odds"), (0.1, None)]
)
def test_impossible_margins_are_refused(margin, scale) -> None:
    with pytest.raises(AnalysisError, match="margin"):
        judge(Interval(-1, 1), harmful="lower", margin=margin, margin_scale=scale, role="")


def test_unknown_direction_is_refused() -> None:
    with pytest.raises(AnalysisError, match="harmful"):
        judge(Interval(-1, 1), harmful="sideways", role="", **D)
