"""Every 2×2 table with up to twelve in each arm: limits exist, hold their estimate, and mirror."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats.proportions import clopper_pearson, miettinen_nurminen, newcombe, ratio_mover_r, wilson

ONE = np.array([(x, n) for n in range(1, 13) for x in range(n + 1)], float).T
X1, N1, X0, N0 = np.array([(*a, *b) for a in ONE.T for b in ONE.T]).T
DIFFERENCES = [newcombe, miettinen_nurminen]


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_one_proportion(interval, level) -> None:
    x, n = ONE
    got, mirror = interval(x, n, level=level), interval(n - x, n, level=level)
    assert np.isfinite([got.estimate, got.low, got.high]).all()
    assert (got.low >= 0).all()
    assert (got.high <= 1).all()
    assert (got.low <= got.estimate).all()
    assert (got.estimate <= got.high).all()
    assert (got.low < got.high).all()
    np.testing.assert_allclose(mirror.low, 1 - got.high, atol=1e-9)


@pytest.mark.parametrize("interval", DIFFERENCES)
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_every_difference(interval, level) -> None:
    got = interval(X1, N1, X0, N0, level=level)
    assert got.estimate.size == 8100
    assert np.isfinite([got.estimate, got.low, got.high]).all()
    assert (got.low >= -1).all()
    assert (got.high <= 1).all()
    assert (got.low <= got.estimate).all()
    assert (got.estimate <= got.high).all()
    assert (got.low < got.high).all()
    np.testing.assert_allclose(got.estimate, X1 / N1 - X0 / N0, atol=1e-15)


@pytest.mark.parametrize("interval", DIFFERENCES)
def test_differences_mirror(interval) -> None:
    got = interval(X1, N1, X0, N0)
    arms = interval(X0, N0, X1, N1)
    np.testing.assert_allclose(arms.low, -got.high, atol=1e-9)
    np.testing.assert_allclose(arms.high, -got.low, atol=1e-9)
    events = interval(N1 - X1, N1, N0 - X0, N0)
    np.testing.assert_allclose(events.low, -got.high, atol=1e-9)
    np.testing.assert_allclose(events.high, -got.low, atol=1e-9)


def test_every_ratio() -> None:
    got, turned = ratio_mover_r(X1, N1, X0, N0), ratio_mover_r(X0, N0, X1, N1)
    assert not np.isnan([got.low, got.high]).any()
    assert (got.low >= 0).all()
    assert (got.low < got.high).all()
    assert np.isfinite(got.low).all()
    assert (np.isinf(got.high) == (X0 == 0)).all()
    assert ((got.low == 0) == (X1 == 0)).all()
    exists = ~np.isnan(got.estimate)
    assert (exists == ((X1 > 0) | (X0 > 0))).all()
    assert (got.low[exists] <= got.estimate[exists]).all()
    assert (got.estimate[exists] <= got.high[exists]).all()
    positive = (X1 > 0) & (X0 > 0)
    np.testing.assert_allclose(turned.low[positive], 1 / got.high[positive], rtol=1e-9)


def test_ends_are_reached_only_by_the_extremes() -> None:
    got = miettinen_nurminen(X1, N1, X0, N0)
    assert ((got.high == 1) == ((X1 == N1) & (X0 == 0))).all()
    assert ((got.low == -1) == ((X1 == 0) & (X0 == N0))).all()


@st.composite
def tables(draw, largest: int = 10**8) -> tuple[int, int, int, int]:
    n1, n0 = (draw(st.integers(1, largest)) for _ in range(2))
    return draw(st.integers(0, n1)), n1, draw(st.integers(0, n0)), n0


@pytest.mark.parametrize("interval", DIFFERENCES)
@given(table=tables())
@settings(deadline=None, max_examples=60, derandomize=True)
def test_any_size(interval, table) -> None:
    got = interval(*table)
    assert -1 <= float(got.low) <= float(got.estimate) <= float(got.high) <= 1
    assert float(got.low) < float(got.high)
    x1, n1, x0, n0 = table
    assert float(interval(x0, n0, x1, n1).low) == pytest.approx(-float(got.high), abs=1e-9)


@pytest.mark.parametrize("interval", DIFFERENCES)
@given(table=tables(10**6), times=st.integers(2, 100))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_more_data_is_narrower(interval, table, times) -> None:
    once, more = interval(*table), interval(*(times * count for count in table))
    assert float(more.high - more.low) < float(once.high - once.low)


@pytest.mark.parametrize("interval", DIFFERENCES)
@given(arm=st.integers(1, 10**8).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(deadline=None, max_examples=40, derandomize=True)
def test_equal_arms_differ_by_zero_symmetrically(interval, arm) -> None:
    got = interval(*arm, *arm)
    assert float(got.estimate) == 0
    assert float(got.low) == pytest.approx(-float(got.high), abs=1e-12)
