"""Adapters of comparisons other than one table: rates, pairs, amounts, strata, survival, power, many questions."""

from __future__ import annotations

from typing import Any

import numpy as np
from conventions import NAN, Case, ends, number

from analysis.results import Interval
from analysis.stats import (
    exact_rates,
    max_t,
    paired,
    power,
    random_effects,
    rank_tests,
    sensitivity,
    shift,
    stratified_scores,
    survival_tests,
)
from analysis.stats.pooled import Pooled, quantile


def _rate(given: Case) -> Case:
    rate = exact_rates.rate_exact(given["x"], given["t"])
    return {"estimate": float(rate.estimate)} | ends(rate)


def _rate_ratio(given: Case) -> Case:
    arms = given["x1"], given["t1"], given["x2"], given["t2"]
    ratio, test = exact_rates.rate_ratio_exact(*arms), exact_rates.rate_ratio_test(*arms)
    return {"estimate": float(ratio.estimate), "p": float(test.p_value)} | ends(ratio)


def _stratified(given: Case) -> Case:
    columns = (np.asarray(given[key]) for key in ("x1", "n1", "x2", "n2"))
    x1, n1, x0, n0 = columns
    effect = stratified_scores.stratified_miettinen_nurminen(
        np.stack([np.stack([x1, n1 - x1], -1), np.stack([x0, n0 - x0], -1)], -2)
    )
    return {"estimate": number(effect.estimate), "ci": list(ends(effect.interval).values())}


def _random_effects(given: Case) -> Case:
    # The source solves Paule and Mandel's equation no closer than this.
    tolerance = float(np.finfo(float).eps ** 0.25)

    def answer(method: Any) -> Case:
        mean = random_effects.random_effects(given["yi"], given["vi"], method=method, tolerance=tolerance)
        return {"tau2": number(mean.tau2), "est": number(mean.estimate), "se": number(mean.se)}

    return {"DL": answer("DL"), "PM": answer("PM")}


def _power(given: Case) -> Case:
    n, p1, p2 = given["n"], given["p1"], given["p2"]
    reach = power.detectable_difference(p1, n, n, power=0.9)
    return {
        "power": number(power.power_two_proportions(p2, p1, n, n)),
        "p2_detectable_90": NAN if reach is None else p1 + reach,
    }


def _e_value(given: Case) -> Case:
    e = sensitivity.e_value(given["rr"], Interval(given["lower"], given["upper"]))
    return {"estimate": e.estimate, "limit": number(e.limit)}


def _mcnemar(given: Case) -> Case:
    return {
        "p_asymptotic": float(paired.mcnemar(given["table"]).p_value),
        "p_exact": float(paired.mcnemar_exact(given["table"]).p_value),
    }


def _paired(given: Case) -> Case:
    table = given["table"]
    test = float(paired.mcnemar_mid_p(table).p_value)
    # Without discordant pairs the source halves a certain outcome; we have nothing to test.
    untested = table[0][1] + table[1][0] == 0
    return {
        "mid_p": 0.5 if untested else test,
        "newcombe": list(ends(paired.paired_newcombe(table)).values()),
        "tango": list(ends(paired.tango(table)).values()),
    }


def _ones(values: list[float]) -> list[int]:
    return [1] * len(values)


def _mann_whitney(given: Case) -> Case:
    x, y = given["x"], given["y"]
    return {"p": float(rank_tests.mann_whitney(x, _ones(x), y, _ones(y)).p_value)}


def _brunner_munzel(given: Case) -> Case:
    # The source asks how likely y exceeds x, and its limits may leave [0, 1].
    x, y = given["x"], given["y"]
    effect = rank_tests.brunner_munzel(y, _ones(y), x, _ones(x))
    reach = NAN if effect.se is None else quantile(0.95, effect.df) * effect.se
    at = number(effect.estimate)
    return {"estimate": at, "low": at - reach, "high": at + reach, "p": number(effect.p_value)}


def _effect(effect: Pooled) -> Case:
    return {"estimate": number(effect.estimate), "p": number(effect.p_value)} | ends(effect.interval)


def _log_rank(given: Case) -> Case:
    test = survival_tests.log_rank(given["time"], given["status"], given["group"])
    return {"statistic": number(test.statistic), "median": test.median.tolist()}


def _max_t(given: Case) -> Case:
    # The source enumerates every arrangement.
    tests = max_t.max_t(given["X"], given["group"], draws=1_000_000)
    return {"statistic": tests.statistic.tolist(), "p_adjusted": tests.p_adjusted.tolist()}


CONTRASTS = {
    "rate_exact": _rate,
    "rate_ratio_exact": _rate_ratio,
    "stratified_miettinen_nurminen": _stratified,
    "random_effects": _random_effects,
    "power_two_proportions": _power,
    "e_value": _e_value,
    "mcnemar": _mcnemar,
    "paired_difference": _paired,
    "mann_whitney_ties": _mann_whitney,
    "brunner_munzel": _brunner_munzel,
    "hodges_lehmann_exact": lambda given: _effect(shift.hodges_lehmann_exact(given["x"], given["y"])),
    "log_rank": _log_rank,
    "max_t": _max_t,
}
