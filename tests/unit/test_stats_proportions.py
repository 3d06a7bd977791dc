"""Intervals of one and two proportions against independent implementations, and their refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import ndtri
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analysis.errors import AnalysisError
from analysis.stats.proportions import clopper_pearson, miettinen_nurminen, newcombe, ratio_mover_r, wilson

TWO_ARMS = [newcombe, miettinen_nurminen, ratio_mover_r]


@pytest.mark.parametrize(("ours", "theirs"), [(wilson, "wilson"), (clopper_pearson, "beta")])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_one_proportion_agrees_with_statsmodels(ours, theirs, level) -> None:
    x, n = np.array([0, 1, 3, 40, 99, 100]), np.array([7, 29, 500, 100, 100, 100])
    got = ours(x, n, level=level)
    low, high = proportion_confint(x, n, alpha=1 - level, method=theirs)
    np.testing.assert_allclose(got.low, np.clip(np.nan_to_num(low), 0, 1), atol=1e-12)
    np.testing.assert_allclose(got.high, np.clip(np.nan_to_num(high, nan=1), 0, 1), atol=1e-12)


@pytest.mark.parametrize("table", [(56, 70, 48, 80), (9, 10, 3, 10), (0, 12, 4, 9), (5, 5, 0, 8)])
def test_newcombe_agrees_with_statsmodels(table) -> None:
    got = newcombe(*table)
    low, high = confint_proportions_2indep(*table, method="newcomb", compare="diff")
    assert (float(got.low), float(got.high)) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(
    "table",
    [(56, 70, 48, 80), (9, 10, 3, 10), (5, 56, 0, 29), (0, 10, 0, 20), (3, 4, 1, 9), (40, 1000, 70, 900)],
)
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_miettinen_nurminen_by_maximising_the_likelihood(table, level) -> None:
    """The limits from the definition: maximise the likelihood at each difference, then solve for z."""
    x1, n1, x0, n0 = table
    z, total = -ndtri((1 - level) / 2), n1 + n0

    def score(delta: float) -> float:
        low, high = max(0.0, -delta), min(1.0, 1.0 - delta)

        def loss(p0: float) -> float:
            terms = ((x1, p0 + delta), (n1 - x1, 1 - p0 - delta), (x0, p0), (n0 - x0, 1 - p0))
            return -sum(k * math.log(max(p, 1e-300)) for k, p in terms if k)

        p0 = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x
        p1 = p0 + delta
        variance = (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * total / (total - 1)
        return (x1 / n1 - x0 / n0 - delta) / math.sqrt(max(variance, 1e-300))

    estimate = x1 / n1 - x0 / n0
    got = miettinen_nurminen(*table, level=level)
    low = brentq(lambda delta: score(delta) - z, -1 + 1e-9, estimate)
    high = brentq(lambda delta: score(delta) + z, estimate, 1 - 1e-9)
    assert float(got.low) == pytest.approx(low, abs=2e-6)
    assert float(got.high) == pytest.approx(high, abs=2e-6)


def test_the_score_interval_scales_to_huge_tables() -> None:
    """With counts a million times larger the interval is a thousand times narrower, around the same place."""
    small, large = miettinen_nurminen(40, 100, 45, 100), miettinen_nurminen(40e6, 100e6, 45e6, 100e6)
    assert float(large.high - large.low) * 1000 == pytest.approx(float(small.high - small.low), rel=0.02)
    wald = 1.959963984540054 * math.sqrt(0.4 * 0.6 / 1e8 + 0.45 * 0.55 / 1e8)
    assert float(large.high - large.estimate) == pytest.approx(wald, rel=1e-4)
    assert float(large.estimate - large.low) == pytest.approx(wald, rel=1e-4)


def test_rare_events_in_huge_tables_approach_a_poisson_limit() -> None:
    """One event against none: limits times n hardly depend on n any more, down to the last digits."""
    million, more = miettinen_nurminen(1, 1e6, 0, 1e6), miettinen_nurminen(1, 1e8, 0, 1e8)
    assert float(more.low) * 1e8 == pytest.approx(float(million.low) * 1e6, rel=1e-5)
    assert float(more.high) * 1e8 == pytest.approx(float(million.high) * 1e6, rel=1e-5)


@pytest.mark.parametrize("function", [wilson, clopper_pearson])
def test_no_one_at_all_has_no_proportion(function) -> None:
    got = function([0, 3], [0, 10])
    assert np.isnan([got.estimate[0], got.low[0], got.high[0]]).all()
    assert got.interval((0,)) is None
    assert got.value((0,)) is None
    assert got.interval((1,)).contains(0.3)


@pytest.mark.parametrize("function", TWO_ARMS)
def test_an_empty_arm_has_no_contrast(function) -> None:
    got = function([3, 0], [10, 0], [0, 3], [0, 10])
    assert np.isnan([got.estimate, got.low, got.high]).all()


@pytest.mark.parametrize("function", TWO_ARMS)
def test_arrays_broadcast_and_scalars_give_0d_arrays(function) -> None:
    wide = function(np.array([[1], [2]]), 10, [3, 4, 5], 20)
    assert wide.estimate.shape == wide.low.shape == wide.high.shape == (2, 3)
    one = function(2, 10, 4, 20)
    assert isinstance(one.low, np.ndarray)
    assert one.low.shape == ()
    assert float(one.low) == wide.low[1, 1]


def test_ratio_without_events() -> None:
    none_in_person = ratio_mover_r(5, 56, 0, 29)
    assert math.isinf(float(none_in_person.estimate))
    assert none_in_person.value() is None
    assert none_in_person.interval().high == math.inf
    nowhere = ratio_mover_r(0, 10, 0, 10)
    assert math.isnan(float(nowhere.estimate))
    assert (float(nowhere.low), float(nowhere.high)) == (0, math.inf)


@pytest.mark.parametrize(
    ("events", "n", "says"),
    [
        (5, 3, "exceed"),
        (-1, 3, "at least 0"),
        (1.5, 3, "1.5"),
        (1, math.nan, "whole"),
        (1, math.inf, "whole"),
    ],
)
def test_impossible_counts_are_refused_with_their_value(events, n, says) -> None:
    with pytest.raises(AnalysisError, match=says):
        wilson(events, n)


@pytest.mark.parametrize("level", [0, 1, 95, math.nan])
def test_impossible_levels_are_refused(level) -> None:
    with pytest.raises(AnalysisError, match="level"):
        newcombe(1, 2, 1, 2, level=level)
