"""Tests of a 2×2 table against scipy, and where there is nothing to test."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from analysis.errors import AnalysisError
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
