"""What must hold for shares, shrunken rates, ranks and shifts, whatever the counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats.change_points import rate_shift
from analysis.stats.composition import goodman_intervals
from analysis.stats.ranking import rank_units
from analysis.stats.shrinkage import beta_binomial
from analysis.stats.standardisation import direct_standardisation
from analysis.stats.trend import cochran_armitage

quick = settings(deadline=None, max_examples=25, derandomize=True)
unit = st.integers(0, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
units = st.lists(unit, min_size=2, max_size=12)


@given(counts=st.lists(st.integers(0, 10**8), min_size=1, max_size=12))
@quick
def test_goodman_holds_the_share(counts) -> None:
    limits = goodman_intervals(counts)
    if sum(counts):
        assert (limits.low >= 0).all()
        assert (limits.high <= 1).all()
        assert (limits.low <= limits.estimate).all()
        assert (limits.estimate <= limits.high).all()


@given(units=units)
@quick
def test_shrunken_rates_lie_between_their_own_and_the_mean(units) -> None:
    y, n = np.array(units).T
    fit = beta_binomial(y, n)
    if fit.mean is None:
        return
    assert 0 <= fit.rho <= 1
    at = fit.posterior.estimate
    raw = np.where(n > 0, y / np.maximum(n, 1), fit.mean)
    assert (at >= np.minimum(raw, fit.mean) - 1e-9).all()
    assert (at <= np.maximum(raw, fit.mean) + 1e-9).all()
    turned = beta_binomial(n - y, n)
    assert turned.mean == pytest.approx(1 - fit.mean, abs=1e-4)
    assert turned.rho == pytest.approx(fit.rho, abs=1e-4)


@given(units=units, top=st.integers(1, 12))
@quick
def test_chances_to_be_among_the_first_add_up(units, top) -> None:
    y, n = np.array(units).T
    ranks = rank_units(beta_binomial(y, n), top=top, draws=200)
    assert ranks.in_top.sum() == pytest.approx(min(top, len(units)))
    assert sorted(ranks.rank) == list(range(1, len(units) + 1))
    assert (ranks.low <= ranks.median).all()
    assert (ranks.median <= ranks.high).all()


@given(units=st.lists(unit, min_size=8, max_size=20))
@quick
def test_a_shift_read_backwards_is_the_same_shift(units) -> None:
    x, n = np.array(units).T
    shift, back = (
        rate_shift(x, n, draws=0, min_segment=2),
        rate_shift(x[::-1], n[::-1], draws=0, min_segment=2),
    )
    assert (shift.statistic is None) == (back.statistic is None)
    if shift.statistic is not None:
        assert back.statistic == pytest.approx(shift.statistic, abs=1e-6)
        assert shift.statistic >= -1e-9


@given(units=units)
@quick
def test_a_trend_read_backwards_turns(units) -> None:
    x, n = np.array(units).T
    one, other = cochran_armitage(x, n), cochran_armitage(x[::-1], n[::-1])
    if one.slope is not None:
        assert other.slope == pytest.approx(-one.slope, abs=1e-9)
        assert other.p_value == pytest.approx(one.p_value, abs=1e-9)


@given(units=st.lists(unit, min_size=1, max_size=8), times=st.integers(2, 50))
@quick
def test_more_data_narrow_the_standardised_rate(units, times) -> None:
    x, n = np.array(units).T
    n = n + 1
    few = direct_standardisation(x, n, n[::-1])
    many = direct_standardisation(x * times, n * times, n[::-1])
    assert many.estimate == pytest.approx(few.estimate)
    assert few.interval.low <= few.estimate <= few.interval.high
    assert many.interval.half_width < few.interval.half_width
