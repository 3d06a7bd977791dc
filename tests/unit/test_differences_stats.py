"""Statistics of where the modes differ: shrunken effects, the two parts of a difference, max-T within strata."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import analysis.stats.stratified_max_t as stratified
from analysis.errors import AnalysisError
from analysis.stats.random_effects import random_effects
from analysis.stats.shrinkage import shrunken_effects
from analysis.stats.standardisation import kitagawa
from analysis.stats.strata import cmh_test
from analysis.stats.stratified_max_t import stratified_max_t

EFFECTS, VARIANCES = [-0.9, -1.6, -0.2, 0.4, -1.1], [0.30, 0.19, 0.05, 0.53, 0.11]


# -- shrunken effects -----------------------------------------------------------------------------------------


def test_shrunken_effects_are_means_of_the_normal_model() -> None:
    """The same by conditioning one joint normal distribution of mean, true effects and estimates."""
    found = shrunken_effects(EFFECTS, VARIANCES)
    tau2 = random_effects(EFFECTS, VARIANCES).tau2
    assert tau2 and tau2 > 0
    vague = 1e4
    true = vague + tau2 * np.eye(5)
    seen = true + np.diag(VARIANCES)
    gain = true @ np.linalg.inv(seen)
    mean = gain @ np.array(EFFECTS)
    spread = np.sqrt(np.diag(true - gain @ true))
    assert found.posterior.estimate == pytest.approx(mean, abs=1e-3)
    assert (found.posterior.high - found.posterior.low) / 2 / 1.959964 == pytest.approx(spread, abs=1e-4)


def test_equal_effects_are_one() -> None:
    found = shrunken_effects([0.1, 0.11, 0.09], [0.04, 0.05, 0.06])
    assert found.reasons == ("fully_pooled",)
    assert found.posterior.estimate == pytest.approx(found.model.estimate)
    assert found.own_weight.tolist() == [0, 0, 0]
    assert found.model.interval is not None
    assert found.posterior.low[0] == pytest.approx(found.model.interval.low)


def test_two_groups_are_not_shrunken() -> None:
    found = shrunken_effects([0.5, -0.5], [0.01, 0.01])
    assert found.reasons == ("too_few_groups",)
    assert np.isnan(found.posterior.estimate).all() and found.posterior.interval(0) is None


@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(0.01, 1)), min_size=3, max_size=8))
def test_a_shrunken_effect_lies_between_its_own_and_the_mean(groups: list[tuple[float, float]]) -> None:
    effects, variances = zip(*groups, strict=True)
    found = shrunken_effects(effects, variances)
    assert found.model.estimate is not None
    for own, shrunken in zip(effects, found.posterior.estimate, strict=True):
        low, high = sorted((own, found.model.estimate))
        assert low - 1e-9 <= shrunken <= high + 1e-9


# -- Kitagawa -------------------------------------------------------------------------------------------------

counts = st.lists(
    st.tuples(*[st.integers(0, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))] * 2),
    min_size=1,
    max_size=6,
)


@given(counts)
def test_the_parts_make_the_difference(levels: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    y1, n1, y0, n0 = np.array([(a, b, c, d) for (a, b), (c, d) in levels]).T
    found = kitagawa(y1, n1, y0, n0)
    both = (n1 > 0) & (n0 > 0)
    if not both.any():
        assert found.difference is None and found.reasons == ("arm_empty",)
        return
    crude = y1[both].sum() / n1[both].sum() - y0[both].sum() / n0[both].sum()
    assert found.difference == pytest.approx(crude, abs=1e-12)
    assert found.rate_effect + found.mix_effect == pytest.approx(crude, abs=1e-12)
    assert (found.by_rate.sum(), found.by_mix.sum()) == pytest.approx(
        (found.rate_effect, found.mix_effect), abs=1e-12
    )
    assert found.n_dropped == (n1 + n0)[~both].sum()
    other = kitagawa(y0, n0, y1, n1)
    assert (other.rate_effect, other.mix_effect) == pytest.approx(
        (-found.rate_effect, -found.mix_effect), abs=1e-12
    )


def test_one_rate_leaves_only_mix_and_one_mix_only_rates() -> None:
    same_rates = kitagawa([10, 40], [100, 80], [5, 100], [50, 200])
    assert same_rates.rate_effect == pytest.approx(0, abs=1e-15) and same_rates.mix_effect
    same_mix = kitagawa([10, 40], [100, 200], [5, 30], [50, 100])
    assert same_mix.mix_effect == pytest.approx(0, abs=1e-15) and same_mix.rate_effect


def test_events_need_a_denominator() -> None:
    with pytest.raises(AnalysisError, match="n is 0"):
        kitagawa([1], [0], [1], [2])


# -- max-T within strata --------------------------------------------------------------------------------------

STRATUM = np.array([0] * 6 + [1] * 5 + [2] * 2)
ARM = np.array([1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1])
ANSWERS = np.array(
    [
        [1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0],
        [0, 1, -1, 0, 1, 0, 1, 0, 0, -1, 1, 0, 0],
        [0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1],
        [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1],
    ]
)


def every_arrangement() -> list[np.ndarray]:
    """Arms in all orders within strata that hold both."""
    places = [np.flatnonzero(s == STRATUM) for s in (0, 1)]
    out = []
    for chosen in product(*(combinations(units, int(ARM[units].sum())) for units in places)):
        arm = ARM.copy()
        for units, virtual in zip(places, chosen, strict=True):
            arm[units] = 0
            arm[list(virtual)] = 1
        out.append(arm)
    return out


def surplus(arm: np.ndarray) -> np.ndarray:
    """Events in arm 1 beyond what the strata's own rates give, among units asked."""
    out = np.zeros(len(ANSWERS))
    for q, line in enumerate(ANSWERS):
        for s in (0, 1):
            here = (s == STRATUM) & (line >= 0)
            out[q] += line[here & (arm == 1)].sum() - (here & (arm == 1)).sum() * line[here].mean()
    return out


def test_stratified_max_t_against_every_arrangement() -> None:
    every = np.array([surplus(arm) for arm in every_arrangement()])
    assert len(every) == comb(6, 3) * comb(5, 2)
    spread = every.std(axis=0)
    assert every.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-12)
    expected = surplus(ARM)[:3] / spread[:3]
    found = stratified_max_t(ANSWERS, ARM, STRATUM, draws=20_000)
    assert found.statistic[:3] == pytest.approx(expected, abs=1e-9)
    # The last question has one answer within each stratum: nothing to tell.
    assert np.isnan(found.statistic[3]) and np.isnan(found.p_adjusted[3])
    assert found.units == 11
    order = np.argsort(-np.abs(expected))
    scaled = np.abs(every[:, :3] / spread[:3])
    p, last = np.empty(3), 0.0
    for i, q in enumerate(order):
        last = max(last, float((scaled[:, order[i:]].max(axis=1) >= abs(expected[q]) - 1e-9).mean()))
        p[q] = last
    assert found.p_adjusted[:3] == pytest.approx(p, abs=0.015)


def test_where_everybody_was_asked_it_is_the_root_of_mantel_haenszels() -> None:
    rng = np.random.default_rng(5)
    stratum, arm = rng.integers(0, 4, 200), rng.integers(0, 2, 200)
    answers = rng.integers(0, 2, (3, 200))
    tables = [
        [
            [[((line == y) & (arm == a) & (stratum == s)).sum() for y in (1, 0)] for a in (1, 0)]
            for s in range(4)
        ]
        for line in answers
    ]
    found = stratified_max_t(answers, arm, stratum, draws=10)
    assert found.statistic**2 == pytest.approx([float(cmh_test(t).statistic) for t in tables], rel=1e-9)


def test_swapped_modes_turn_the_sign_and_keep_the_p() -> None:
    one = stratified_max_t(ANSWERS, ARM, STRATUM, draws=2000)
    other = stratified_max_t(ANSWERS, 1 - ARM, STRATUM, draws=2000)
    assert other.statistic[:3] == pytest.approx(-one.statistic[:3])
    assert other.p_adjusted[:3] == pytest.approx(one.p_adjusted[:3], abs=0.04)


def test_seeded_and_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    one, same = (stratified_max_t(ANSWERS, ARM, STRATUM, draws=500, seed=7) for _ in range(2))
    assert (one.p_adjusted[:3] == same.p_adjusted[:3]).all()
    monkeypatch.setattr(stratified, "_BLOCK", 110)
    assert stratified_max_t(ANSWERS, ARM, STRATUM, draws=500).p_adjusted[:3] == pytest.approx(
        one.p_adjusted[:3], abs=0.08
    )


def test_the_normal_limit_is_near_the_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(11)
    shared = rng.random(2000) < 0.3
    answers = np.array([shared, shared ^ (rng.random(2000) < 0.1), rng.random(2000) < 0.2], dtype=int)
    stratum = rng.integers(0, 40, 2000)
    arm = (rng.random(2000) < 0.45 + 0.06 * shared).astype(int)
    drawn = stratified_max_t(answers, arm, stratum, draws=4000)
    monkeypatch.setattr(stratified, "_MOST_SHUFFLED", 1000)
    limit = stratified_max_t(answers, arm, stratum, draws=4000)
    assert limit.normal and not drawn.normal and limit.arrangements == 20_000
    assert limit.statistic == pytest.approx(drawn.statistic)
    assert limit.p_adjusted == pytest.approx(drawn.p_adjusted, abs=0.025)
    # The first two hang together, so their adjustment is milder than one for two separate questions.
    assert drawn.p_adjusted[0] < 3 * (drawn.p_adjusted.min() + 0.02)


def test_one_mode_everywhere_has_nothing_to_shuffle() -> None:
    found = stratified_max_t([[1, 0, 1, 0]], [1, 1, 0, 0], [0, 0, 1, 1])
    assert found.units == 0 and np.isnan(found.p_adjusted).all()
    empty = stratified_max_t(np.zeros((2, 0), int), [], np.zeros(0, int))
    assert np.isnan(empty.statistic).all()


@pytest.mark.parametrize(
    ("answers", "arm"), [([[2, 0]], [1, 0]), ([[0.5, 1.0]], [1, 0]), ([1, 0], [1, 0]), ([[1, 0]], [1, 2])]
)
def test_other_answers_are_refused(answers: object, arm: list[int]) -> None:
    with pytest.raises(AnalysisError):
        stratified_max_t(answers, arm, [0, 0])
