"""Tests of a 2×2 table against scipy, and where there is nothing to test."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from analysis.errors import AnalysisError
from analysis.stats.newcombe_test import newcombe_test
from analysis.stats.proportions import newcombe, ratio_mover_r
from analysis.stats.tables import chi_square, fisher_exact, mid_p

SMALL = np.array([t for t in itertools.product(range(5), repeat=4) if sum(t)]).reshape(-1, 2, 2)


def test_chi_square_agrees_with_scipy_and_is_nan_on_an_empty_margin() -> None:
    got = chi_square(SMALL)
    for table, statistic, p in zip(SMALL, got.statistic, got.p_value, strict=True):
        if min(table.sum(0).min(), table.sum(1).min()) == 0:
            assert np.isnan(statistic)
            assert np.isnan(p)
        else:
            theirs = stats.chi2_contingency(table, correction=False)
            assert (statistic, p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-12)


def test_fisher_agrees_with_scipy_on_every_small_table() -> None:
    theirs = [stats.fisher_exact(table).pvalue for table in SMALL]
    np.testing.assert_allclose(fisher_exact(SMALL).p_value, theirs, rtol=1e-10)


@pytest.mark.parametrize(
    "table", [[[400, 600], [480, 520]], [[3, 999997], [11, 999989]], [[40_000, 60_000]] * 2]
)
def test_fisher_agrees_with_scipy_on_large_tables(table) -> None:
    assert float(fisher_exact(table).p_value) == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6)


def test_huge_tables_are_answered() -> None:
    table = np.array([[40_000_000, 60_000_000], [40_010_000, 59_990_000]])
    # At this size exact, mid-p and chi-square are one.
    assert float(fisher_exact(table).p_value) == pytest.approx(float(chi_square(table).p_value), abs=2e-4)
    assert float(mid_p(table).p_value) == pytest.approx(float(chi_square(table).p_value), abs=2e-4)
    apart = [[10_000_000, 90_000_000], [90_000_000, 10_000_000]]
    assert float(fisher_exact(apart).p_value) == 0


def test_mid_p_is_the_exact_p_less_half_of_the_ties() -> None:
    for table in SMALL[::7]:
        (a, b), (c, d) = table
        if min(a + b, c + d, a + c, b + d) == 0:
            assert np.isnan(mid_p(table).p_value)
            continue
        support = np.arange(max(0, a - d), min(a + b, a + c) + 1)
        f = stats.hypergeom.pmf(support, table.sum(), a + c, a + b)
        at = f[support == a][0]
        tied = np.isclose(f, at, rtol=1e-7, atol=0)
        wanted = f[(f < at) & ~tied].sum() + f[tied].sum() / 2
        assert float(mid_p(table).p_value) == pytest.approx(wanted, abs=1e-12)


def test_one_possible_table_is_no_evidence() -> None:
    assert float(fisher_exact([[0, 10], [0, 12]]).p_value) == 1
    assert chi_square([[0, 10], [0, 12]]).p() is None


@pytest.mark.parametrize("table", [[[1, 2, 3], [4, 5, 6]], [1, 2], [[1, -2], [3, 4]], [[1, 0.5], [3, 4]]])
def test_what_is_no_table_of_counts_is_refused(table) -> None:
    with pytest.raises(AnalysisError):
        chi_square(table)


def test_the_test_of_newcombe_says_what_its_interval_says() -> None:
    """Every table with up to eleven in an arm: p below 0.05 exactly where the interval leaves no difference out."""
    tables = np.array(
        [(a, n, b, m) for n in range(1, 12) for a in range(n + 1) for m in range(1, 12) for b in range(m + 1)]
    ).T
    test = newcombe_test(*tables)
    p = test.p_value
    untested = (tables[0] + tables[2] == 0) | (tables[0] + tables[2] == tables[1] + tables[3])
    assert (np.isnan(p) == untested).all() and np.nanmin(p) > 0
    difference, quotient = newcombe(*tables), ratio_mover_r(*tables)
    for bounds, nothing in ((difference, 0.0), (quotient, 1.0)):
        known = ~untested & np.isfinite(bounds.low)
        excluded = (bounds.low > nothing) | (bounds.high < nothing)
        assert ((p < 0.05) == excluded)[known].all()
    swapped = newcombe_test(tables[2], tables[3], tables[0], tables[1])
    assert np.allclose(swapped.p_value, p, equal_nan=True) and np.allclose(
        swapped.statistic, -test.statistic, equal_nan=True
    )


def test_the_test_of_newcombe_holds_at_any_size() -> None:
    p = newcombe_test(
        [46, 5 * 10**7, 10**8], [54, 10**8, 10**8], [52, 5 * 10**7 + 10**4, 0], [54, 10**8, 10**8]
    ).p_value
    # Ten thousand in a hundred million are 1.41 standard errors.
    assert p[1] == pytest.approx(2 * stats.norm.sf(1e-4 / np.sqrt(2 * 0.25 / 1e8)), rel=1e-4)
    assert 0.03 < p[0] < 0.1 and p[2] == 0.0
