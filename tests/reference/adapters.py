"""One adapter per kind of reference case: from a case's input to the numbers it expects.

Adapters call the public functions of `analysis.stats` and translate conventions: ``None`` becomes NaN, ratios
become logarithms where the case has logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from adapters_contrasts import CONTRASTS
from adapters_models import MODELS
from adapters_units import UNITS
from conventions import NAN, Case, ends, number

from analysis.stats import geometric_means, homogeneity, multiplicity, proportions, strata, tables
from analysis.stats.bounds import Bounds, normal_quantile
from analysis.stats.pooled import Pooled

NOT_YET: frozenset[str] = frozenset()
"""Kinds whose statistics are still to be built; printed at the end of every run of these tests."""


def _pair(bounds: Bounds) -> Case:
    return {"estimate": float(bounds.estimate), "ci": [float(bounds.low), float(bounds.high)]}


def _two_arms(function: Callable[..., Bounds]) -> Callable[[Case], Case]:
    return lambda given: _pair(function(given["x1"], given["n1"], given["x2"], given["n2"]))


def _p(function: Callable[..., Any]) -> Callable[[Case], Case]:
    def adapter(given: Case) -> Case:
        test = function(given["table"])
        return {"statistic": float(test.statistic), "p": float(test.p_value)}

    return adapter


def _on_log(effect: Pooled) -> Case:
    if not effect.estimate:
        return {"estimate": NAN, "se": NAN, "low": NAN, "high": NAN}
    at = math.log(effect.estimate)
    # The source has an interval of no width where nothing varies, we have none.
    low, high = (
        (math.log(effect.interval.low), math.log(effect.interval.high)) if effect.interval else (at, at)
    )
    return {"estimate": at, "se": number(effect.se), "low": low, "high": high}


def _difference(given: Case) -> Case:
    effect = strata.mh_difference(given["tables"])
    estimate, se = number(effect.estimate), number(effect.se)
    if effect.interval is not None and effect.interval.low > -1 and effect.interval.high < 1:
        low, high = effect.interval.low, effect.interval.high
    else:
        # The published interval is neither cut to [-1, 1] nor withheld where nothing varies.
        reach = normal_quantile(0.95) * se
        low, high = estimate - reach, estimate + reach
    return {"estimate": estimate, "se": se, "low": low, "high": high}


def _odds_ratio(given: Any) -> float:
    estimate = strata.mh_odds_ratio(given).estimate
    if estimate is not None:
        return estimate
    # An infinite odds ratio is that of swapped columns being zero.
    return math.inf if strata.mh_odds_ratio(np.asarray(given)[..., ::-1]).estimate == 0 else NAN


def _cmh(given: Case) -> Case:
    test, effect = strata.cmh_test(given["tables"]), strata.mh_odds_ratio(given["tables"])
    return {
        "statistic": float(test.statistic),
        "p": float(test.p_value),
        "odds_ratio": _odds_ratio(given["tables"]),
        "low": effect.interval.low if effect.interval else NAN,
        "high": effect.interval.high if effect.interval else NAN,
    }


def _log_odds_ratio(given: Case) -> Case:
    effect, test = _on_log(strata.mh_odds_ratio(given["tables"])), homogeneity.tarone(given["tables"])
    # In this one test the source keeps strata with an empty arm, unless they lack events or non-events, and
    # there they make 0/0; we drop them.
    counts = np.asarray(given["tables"], float)
    undefined = bool(((counts.sum(axis=2) == 0).any(axis=1) & (counts.sum(axis=1) > 0).all(axis=1)).any())
    return effect | {
        "tarone": NAN if undefined else float(test.statistic),
        "tarone_p": NAN if undefined else float(test.p_value),
    }


def _stratified(given: Case) -> Case:
    return {
        "or_mh": _odds_ratio(given["tables"]),
        "rd_mh": number(strata.mh_difference(given["tables"]).estimate),
        "rr_mh": number(strata.mh_ratio(given["tables"]).estimate),
    }


def _simpson(given: Case) -> Case:
    answer = homogeneity.simpson(given["tables"])
    crude = answer.crude_odds_ratio
    return {
        "or_crude": _odds_ratio(np.sum(given["tables"], axis=0, keepdims=True)) if crude is None else crude,
        "rd_crude": number(answer.crude_difference),
        "or_mh": _odds_ratio(given["tables"]),
    }


def _geometric(given: Case) -> Case:
    effect = geometric_means.geometric_mean_ratio(given["x"], given["y"])
    return {
        "estimate": number(effect.estimate),
        "low": effect.interval.low if effect.interval else NAN,
        "high": effect.interval.high if effect.interval else NAN,
        "p": number(effect.p_value),
    }


def _adjusted(given: Case) -> Case:
    p = np.array([number(value) for value in given["p"]])
    # The source lists the adjusted values of those tested only.
    tested = ~np.isnan(p)
    return {
        "bh": multiplicity.benjamini_hochberg(p)[tested].tolist(),
        "holm": multiplicity.holm(p)[tested].tolist(),
    }


ADAPTERS: dict[str, Callable[[Case], Case]] = {
    "proportion_wilson": lambda given: ends(proportions.wilson(given["x"], given["n"])),
    "proportion_clopper_pearson": lambda given: ends(proportions.clopper_pearson(given["x"], given["n"])),
    "difference_newcombe": _two_arms(proportions.newcombe),
    "difference_miettinen_nurminen": _two_arms(proportions.miettinen_nurminen),
    "ratio_mover_r": _two_arms(proportions.ratio_mover_r),
    "chi_square_2x2": _p(tables.chi_square),
    "fisher_exact_2x2": _p(tables.fisher_exact),
    "mid_p_2x2": _p(tables.mid_p),
    "cmh_test": _cmh,
    "mantel_haenszel_rd": _difference,
    "mantel_haenszel_log_rr": lambda given: _on_log(strata.mh_ratio(given["tables"])),
    "mantel_haenszel_log_or": _log_odds_ratio,
    "mantel_haenszel_log_irr": lambda given: _on_log(
        strata.mh_rate_ratio(given["x1"], given["t1"], given["x2"], given["t2"])
    ),
    "stratified_2x2": _stratified,
    "simpson": _simpson,
    "geometric_mean_ratio": _geometric,
    "adjust_p": _adjusted,
}
ADAPTERS |= UNITS | CONTRASTS | MODELS
