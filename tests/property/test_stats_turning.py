"""What must hold for rates, pairs, ranks and strata, whatever the counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats.agreement import cohen_kappa, krippendorff_alpha
from analysis.stats.exact_rates import rate_exact, rate_ratio_exact, rate_ratio_test
from analysis.stats.paired import mcnemar_exact, mcnemar_mid_p, paired_newcombe, tango
from analysis.stats.random_effects import random_effects
from analysis.stats.rank_tests import brunner_munzel, mann_whitney
from analysis.stats.shift import hodges_lehmann
from analysis.stats.stratified_scores import stratified_miettinen_nurminen

quick = settings(deadline=None, max_examples=25, derandomize=True)
count = st.integers(0, 50) | st.integers(0, 10**8)
table = st.tuples(count, count, count, count).map(lambda c: [[c[0], c[1]], [c[2], c[3]]])
small = st.lists(st.integers(0, 12), min_size=2, max_size=25)


@given(x1=count, x0=count, t1=st.floats(0.1, 1e6), t0=st.floats(0.1, 1e6))
@quick
def test_a_ratio_of_rates_turns_with_its_arms(x1, x0, t1, t0) -> None:
    one, other = rate_ratio_exact(x1, t1, x0, t0), rate_ratio_exact(x0, t0, x1, t1)
    assert one.low <= one.high
    if x1 and x0:
        assert float(other.low) == pytest.approx(1 / float(one.high), rel=1e-6)
        assert one.low <= one.estimate <= one.high
    assert rate_ratio_test(x1, t1, x0, t0).p() == pytest.approx(rate_ratio_test(x0, t0, x1, t1).p(), rel=1e-5)
    rate = rate_exact(x1, t1)
    assert rate.low <= rate.estimate <= rate.high


@pytest.mark.parametrize("limits", [tango, paired_newcombe])
@given(table=table)
@quick
def test_paired_limits_turn_with_the_pair(limits, table) -> None:
    got, turned = limits(table), limits(np.transpose(table))
    if not np.sum(table):
        return
    assert -1 <= got.low <= got.estimate + 1e-12
    assert got.estimate - 1e-12 <= got.high <= 1
    assert float(turned.low) == pytest.approx(-float(got.high), abs=1e-9)
    assert 0 <= mcnemar_exact(table).p() <= 1
    if table[0][1] + table[1][0]:
        assert 0 <= mcnemar_mid_p(table).p() <= 1


@given(tables=st.lists(table, min_size=1, max_size=6))
@quick
def test_stratified_scores_are_coherent(tables) -> None:
    got = stratified_miettinen_nurminen(tables)
    if got.estimate is None:
        assert got.reasons == ("arm_empty",)
        return
    assert -1 <= got.interval.low <= got.estimate + 1e-12
    assert got.estimate - 1e-12 <= got.interval.high <= 1
    mirrored = stratified_miettinen_nurminen(np.array(tables)[..., ::-1])
    assert mirrored.interval.low == pytest.approx(-got.interval.high, abs=1e-9)


@given(x=small, y=small, by=st.integers(-20, 20))
@quick
def test_ranks_turn_and_shift(x, y, by) -> None:
    arms = (x, [1] * len(x), y, [1] * len(y))
    turned = (*arms[2:], *arms[:2])
    one, other = brunner_munzel(*arms), brunner_munzel(*turned)
    assert one.estimate == pytest.approx(1 - other.estimate)
    assert (one.p_value is None) == (other.p_value is None)
    assert mann_whitney(*arms).p() == (None if (p := mann_whitney(*turned).p()) is None else pytest.approx(p))
    moved = hodges_lehmann([v + by for v in x], *arms[1:])
    base = hodges_lehmann(*arms)
    assert moved.estimate == pytest.approx(base.estimate + by)
    assert base.interval.low <= base.estimate <= base.interval.high
    assert hodges_lehmann(*turned).estimate == pytest.approx(-base.estimate)


@given(
    y=st.lists(st.floats(-3, 3), min_size=2, max_size=10),
    v=st.lists(st.floats(0.01, 2), min_size=10, max_size=10),
)
@quick
def test_random_effects_lie_among_the_effects(y, v) -> None:
    for method in ("DL", "PM"):
        got = random_effects(y, v[: len(y)], method=method)
        assert min(y) - 1e-9 <= got.estimate <= max(y) + 1e-9
        assert got.tau2 >= 0
        assert 0 <= got.i2 < 1


@given(cells=st.lists(st.integers(0, 40), min_size=9, max_size=9))
@quick
def test_agreement_is_at_most_one_and_has_no_order_of_raters(cells) -> None:
    square = np.array(cells).reshape(3, 3)
    one, other = cohen_kappa(square), cohen_kappa(square.T)
    if one.estimate is not None:
        assert -1 <= one.estimate <= 1
        assert one.estimate == pytest.approx(other.estimate)
        assert one.se == pytest.approx(other.se, abs=1e-9)
    first, second = np.divmod(np.repeat(np.arange(9), square.ravel()), 3)
    alpha = krippendorff_alpha(np.stack([first, second]))
    if alpha.estimate is not None:
        assert alpha.estimate <= 1
        assert krippendorff_alpha(np.stack([second, first])).estimate == pytest.approx(alpha.estimate)
    each_once = np.stack(np.divmod(np.arange(9), 3))
    for scale in ("nominal", "ordinal", "interval"):
        row_by_row = krippendorff_alpha(np.stack([first, second]), scale=scale)
        together = krippendorff_alpha(each_once, scale=scale, alike=square.ravel())
        assert together.estimate == pytest.approx(row_by_row.estimate)
        assert (together.units, together.pairable, together.reasons) == (
            row_by_row.units, row_by_row.pairable, row_by_row.reasons,
        )  # fmt: skip
