"""Beta-binomial shrinkage and the ranking that rests on it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import betabinom

from analysis.errors import AnalysisError
from analysis.stats.proportions import wilson
from analysis.stats.ranking import rank_units
from analysis.stats.shrinkage import beta_binomial

UNEVEN = ([2, 9, 1, 14, 6, 0, 11, 3, 25, 8, 0, 17], [20, 30, 25, 40, 22, 18, 35, 30, 60, 20, 3, 41])


def test_the_fit_is_the_likeliest() -> None:
    y, n = np.array(UNEVEN[0]), np.array(UNEVEN[1])

    def against(point) -> float:
        return -betabinom.logpmf(y, n, *np.exp(point)).sum()

    theirs = np.exp(
        minimize(against, [0.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).x
    )
    fit = beta_binomial(*UNEVEN)
    assert fit.mean == pytest.approx(theirs[0] / theirs.sum(), rel=1e-5)
    assert fit.rho == pytest.approx(1 / (theirs.sum() + 1), rel=1e-5)


def test_units_are_drawn_to_the_mean_the_more_the_smaller_they_are() -> None:
    fit = beta_binomial([*UNEVEN[0], 0], [*UNEVEN[1], 0])
    raw = np.array(UNEVEN[0]) / np.array(UNEVEN[1])
    at = fit.posterior.estimate[:-1]
    assert (np.sign(raw - at) == np.sign(raw - fit.mean)).all()
    kept = (at - fit.mean) / (raw - fit.mean)
    assert (np.diff(kept[np.argsort(UNEVEN[1], kind="stable")]) >= -1e-12).all()
    # A unit nobody looked at has the prior.
    assert float(fit.posterior.estimate[-1]) == pytest.approx(fit.mean)
    assert (fit.posterior.low < fit.posterior.estimate).all()
    assert (fit.posterior.estimate < fit.posterior.high).all()


@pytest.mark.parametrize(
    ("y", "n"), [([5, 5, 5], [10, 10, 10]), ([0, 0], [10, 5]), ([3, 5], [3, 5]), ([1, 0, 1], [1, 1, 1])]
)
def test_no_more_spread_than_chance_pools_fully(y, n) -> None:
    fit = beta_binomial(y, n)
    assert (fit.rho, fit.reasons) == (0.0, ("fully_pooled",))
    assert fit.mean == pytest.approx(sum(y) / sum(n))
    assert fit.posterior.interval(0) is not None
    assert float(fit.posterior.high[0]) == float(wilson(sum(y), sum(n)).high)
    ranks = rank_units(fit, top=1)
    assert (ranks.low == 1).all()
    assert (ranks.high == len(y)).all()
    assert ranks.in_top.sum() == pytest.approx(1.0)


def test_all_or_nothing_units_and_large_counts() -> None:
    assert beta_binomial([0, 10, 10, 0], [10] * 4).rho > 0.99
    big = beta_binomial([300_000, 510_000, 400_000], [10**6] * 3)
    assert big.posterior.estimate == pytest.approx([0.3, 0.51, 0.4], abs=1e-4)
    assert np.isfinite(big.posterior.low).all()


def test_nothing_counted() -> None:
    fit = beta_binomial([0, 0], [0, 0])
    assert (fit.mean, fit.rho, fit.reasons) == (None, None, ("zero_denominator",))
    assert rank_units(fit).rank.tolist() == [1, 2]


def test_ranking_is_seeded_and_does_not_depend_on_blocks(monkeypatch) -> None:
    fit = beta_binomial(*UNEVEN)
    one = rank_units(fit, top=3, seed=1)
    again = rank_units(fit, top=3, seed=1)
    assert (one.in_top == again.in_top).all()
    assert not (one.in_top == rank_units(fit, top=3, seed=2).in_top).all()
    monkeypatch.setattr("analysis.stats.ranking._BLOCK", 24)
    assert (rank_units(fit, top=3, seed=1).in_top == one.in_top).all()


def test_probability_to_be_first_of_two_is_that_of_the_betas() -> None:
    fit = beta_binomial([30, 20, 5, 60], [60, 60, 60, 60])
    draws = np.random.default_rng(5).beta(fit.alpha, fit.beta, (200_000, 4))
    wanted = (draws.argmax(axis=1)[:, None] == np.arange(4)).mean(axis=0)
    got = rank_units(fit, top=1, draws=40_000)
    assert got.in_top == pytest.approx(wanted, abs=0.01)
    assert got.rank.tolist() == [2, 3, 4, 1]
    assert (got.low <= got.rank).all()
    assert (got.rank <= got.high).all()


@pytest.mark.parametrize("options", [{"draws": 10}, {"top": 0}, {"level": 1.0}])
def test_impossible_options_are_refused(options) -> None:
    with pytest.raises(AnalysisError):
        rank_units(beta_binomial(*UNEVEN), **options)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(AnalysisError, match="cannot exceed"):
        beta_binomial([5], [3])
    with pytest.raises(AnalysisError, match="level"):
        beta_binomial([1], [3], level=math.nan)
