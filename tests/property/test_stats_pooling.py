"""What must hold for every stratified estimate: one stratum is crude, order is nothing, swapping turns it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.stats.homogeneity import difference_homogeneity, tarone
from analysis.stats.rates import rate_difference, rate_ratio
from analysis.stats.strata import cmh_test, mh_difference, mh_odds_ratio, mh_ratio

POOLERS = [mh_difference, mh_ratio, mh_odds_ratio]
cell = st.integers(0, 60) | st.integers(0, 10**8)
table = st.tuples(cell, cell, cell, cell).map(lambda c: [[c[0], c[1]], [c[2], c[3]]])
many = st.lists(table, min_size=1, max_size=8)
quick = settings(deadline=None, max_examples=60, derandomize=True)


@pytest.mark.parametrize("pooler", POOLERS)
@given(tables=many)
@quick
def test_results_are_coherent(pooler, tables) -> None:
    got = pooler(tables)
    assert got.strata_used + got.strata_dropped == len(tables)
    assert got.n + got.n_dropped == np.sum(tables)
    if got.interval is not None:
        assert got.interval.low <= got.estimate <= got.interval.high
        assert 0 <= got.p_value <= 1
    else:
        assert got.p_value is None
        assert got.reasons


@pytest.mark.parametrize("pooler", POOLERS)
@given(tables=many)
@quick
def test_swapping_the_arms_turns_the_effect(pooler, tables) -> None:
    got, turned = pooler(tables), pooler(np.array(tables)[:, ::-1])
    assert (got.interval is None) == (turned.interval is None)
    if got.interval is None:
        return
    if got.scale == "log":
        assert turned.estimate == pytest.approx(1 / got.estimate, rel=1e-9)
        assert turned.interval.low == pytest.approx(1 / got.interval.high, rel=1e-9)
    else:
        assert turned.estimate == pytest.approx(-got.estimate, abs=1e-12)
        assert turned.interval.low == pytest.approx(-got.interval.high, abs=1e-9)


@pytest.mark.parametrize("function", [*POOLERS, cmh_test, tarone, difference_homogeneity])
@given(tables=many, seed=st.integers(0, 99))
@quick
def test_the_order_of_strata_is_nothing(function, tables, seed) -> None:
    order = np.random.default_rng(seed).permutation(len(tables))
    one, other = function(tables), function(np.array(tables)[order])
    if hasattr(one, "estimate"):
        assert (one.estimate is None) == (other.estimate is None)
        assert (one.estimate or 0) == pytest.approx(other.estimate or 0, rel=1e-9, abs=1e-12)
        assert (one.se or 0) == pytest.approx(other.se or 0, rel=1e-6, abs=1e-12)
    else:
        assert float(one.statistic) == pytest.approx(float(other.statistic), rel=1e-6, abs=1e-6, nan_ok=True)


@given(one=table)
@quick
def test_one_stratum_is_the_crude_table(one) -> None:
    (a, b), (c, d) = one
    assume(min(a + b, c + d) > 0)
    assert mh_difference([one]).estimate == pytest.approx(a / (a + b) - c / (c + d), abs=1e-12)
    if min(a, c) > 0:
        assert mh_ratio([one]).estimate == pytest.approx(a / (a + b) / (c / (c + d)), rel=1e-12)
        wanted = math.sqrt(max(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d), 0))
        assert mh_ratio([one]).se == pytest.approx(wanted, rel=1e-6, abs=1e-9)
    if min(a, b, c, d) > 0:
        assert mh_odds_ratio([one]).estimate == pytest.approx(a * d / (b * c), rel=1e-12)
        assert mh_odds_ratio([one]).se == pytest.approx(math.sqrt(1 / a + 1 / b + 1 / c + 1 / d), rel=1e-9)


@given(one=table, times=st.integers(2, 50))
@quick
def test_more_data_is_narrower(one, times) -> None:
    for pooler in POOLERS:
        once, more = pooler([one]), pooler(np.array([one]) * times)
        if once.interval is not None:
            assert more.estimate == pytest.approx(once.estimate, rel=1e-9, abs=1e-12)
            assert more.se == pytest.approx(once.se / math.sqrt(times), rel=1e-6, abs=1e-12)


@given(tables=st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=1, max_size=6))
@quick
def test_equal_arms_show_nothing(tables) -> None:
    same = [[list(arm), list(arm)] for arm in tables]
    assert mh_difference(same).estimate == pytest.approx(0, abs=1e-12)
    assert mh_ratio(same).estimate == pytest.approx(1, rel=1e-12)
    assert mh_odds_ratio(same).estimate == pytest.approx(1, rel=1e-12)
    assert float(cmh_test(same).statistic) == pytest.approx(0, abs=1e-9)


groups = st.lists(
    st.tuples(
        st.integers(0, 20), st.integers(20, 90), st.integers(0, 1), st.integers(0, 2), st.integers(0, 12)
    ),
    min_size=8,
    max_size=60,
)


@given(rows=groups, seed=st.integers(0, 99))
@quick
def test_clustered_effects_ignore_order_and_names(rows, seed) -> None:
    y, d, arm, stratum, cluster = np.array(rows).T
    order = np.random.default_rng(seed).permutation(y.size)
    for function in (rate_difference, rate_ratio):
        one = function(y, d, arm, stratum=stratum, cluster=cluster)
        other = function(
            y[order], d[order], arm[order], stratum=7 - stratum[order], cluster=1000 - 3 * cluster[order]
        )
        assert (one.n, one.clusters, one.strata_used, one.reasons) == (
            other.n,
            other.clusters,
            other.strata_used,
            other.reasons,
        )
        assert (one.estimate or 0) == pytest.approx(other.estimate or 0, rel=1e-9, abs=1e-12)
        assert (one.se or 0) == pytest.approx(other.se or 0, rel=1e-6, abs=1e-9)


@given(rows=groups)
@quick
def test_clustered_effects_turn_with_the_arms(rows) -> None:
    y, d, arm, stratum, cluster = np.array(rows).T
    one = rate_difference(y, d, arm, stratum=stratum, cluster=cluster)
    other = rate_difference(y, d, 1 - arm, stratum=stratum, cluster=cluster)
    assert (one.estimate or 0) == pytest.approx(-(other.estimate or 0), abs=1e-12)
    if one.interval is not None:
        assert one.interval.low == pytest.approx(-other.interval.high, abs=1e-9)
        assert -1 <= one.interval.low <= one.estimate <= one.interval.high <= 1
