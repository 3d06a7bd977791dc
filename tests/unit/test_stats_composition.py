"""Shares that make a whole, and their simultaneous limits."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import multinomial_proportions_confint

from analysis.errors import AnalysisError
from analysis.stats.composition import composition, goodman_intervals
from analysis.stats.proportions import wilson


@pytest.mark.parametrize(
    "counts", [[23, 12, 44], [0, 0, 5, 20], [4_500_000, 2_100_000, 950_000, 3], [1, 0, 0]]
)
def test_goodman_agrees_with_statsmodels(counts) -> None:
    theirs = multinomial_proportions_confint(np.array(counts), method="goodman")
    ours = goodman_intervals(counts)
    assert np.stack([ours.low, ours.high], 1) == pytest.approx(theirs, abs=1e-12)


def test_goodman_of_one_category_is_wilson() -> None:
    assert float(goodman_intervals([7]).low[0]) == float(wilson(7, 7).low)


def test_nothing_counted_has_no_shares() -> None:
    assert np.isnan(composition([0, 0]).share).all()
    assert np.isnan(goodman_intervals([0, 0]).high).all()
    assert goodman_intervals([0, 0]).interval(0) is None


@pytest.mark.parametrize("counts", [[], [[1, 2]], [-1, 2], [1.5]])
def test_impossible_counts_are_refused(counts) -> None:
    with pytest.raises(AnalysisError):
        goodman_intervals(counts)
