"""Adjusted p-values: NaN is no member of the family, shapes are kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import AnalysisError
from analysis.stats.multiplicity import benjamini_hochberg, holm

P = np.array([[0.01, np.nan, 0.02], [0.03, np.nan, 0.5]])


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_missing_p_values_neither_count_nor_vanish(adjust) -> None:
    got = adjust(P)
    assert got.shape == P.shape
    np.testing.assert_array_equal(np.isnan(got), np.isnan(P))
    np.testing.assert_allclose(got[~np.isnan(P)], adjust(P[~np.isnan(P)]), rtol=1e-14)
    assert np.isnan(adjust([np.nan])).all()
    assert adjust([]).size == 0
    assert np.isnan(P).sum() == 2


def test_by_the_definition() -> None:
    p = np.array([0.04, 0.01, 0.5, 0.02])
    np.testing.assert_allclose(holm(p), [0.08, 0.04, 0.5, 0.06])
    np.testing.assert_allclose(benjamini_hochberg(p), [0.16 / 3, 0.04, 0.5, 0.04])


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_what_is_no_p_value_is_refused(adjust) -> None:
    with pytest.raises(AnalysisError, match="between 0 and 1"):
        adjust([0.5, 1.5])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_rejects_what_stepping_down_rejects(p: list[float]) -> None:
    """An adjusted p-value is the smallest level at which the procedure, step by step, would still reject."""
    adjusted = holm(p)
    assert adjusted.max() <= 1
    for level in (0.01, 0.05, 0.5):
        rejected = set()
        for step, one in enumerate(sorted(range(len(p)), key=p.__getitem__)):
            if p[one] * (len(p) - step) > level:
                break
            rejected.add(one)
        assert {one for one in range(len(p)) if adjusted[one] <= level} == rejected
