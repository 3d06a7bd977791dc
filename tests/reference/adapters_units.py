"""Adapters of the statistics of many units, raters and series: shares, shrinkage, trends, funnels, agreement."""

from __future__ import annotations

from typing import Any

import numpy as np
from conventions import NAN, Case, ends, number

from analysis.stats import (
    agreement,
    change_points,
    composition,
    control_charts,
    funnel,
    shrinkage,
    standardisation,
    trend,
)


def _composition(given: Case) -> Case:
    parts = composition.composition(given["counts"])
    return {"percent": (100 * parts.share).round(2).tolist(), "total": parts.total}


def _goodman(given: Case) -> Case:
    limits = composition.goodman_intervals(given["counts"])
    return {"goodman": {"lower": limits.low.tolist(), "upper": limits.high.tolist()}}


def _beta_binomial(given: Case) -> Case:
    fit = shrinkage.beta_binomial(given["y"], given["n"])
    at = fit.posterior.estimate
    return {
        "mean": number(fit.mean),
        "rho": number(fit.rho),
        "eb_first": float(at[0]),
        "eb_last": float(at[-1]),
    }


def _change_point(given: Case) -> Case:
    # The source looks everywhere and counts positions from 1.
    shift = change_points.mean_shift(given["y"], min_segment=1, draws=0)
    return {
        "last_index_before_break": NAN if shift.last_before is None else shift.last_before + 1,
        "mean_before": number(shift.before),
        "mean_after": number(shift.after),
    }


def _cochran_armitage(given: Case) -> Case:
    test = trend.cochran_armitage(given["x"], given["n"])
    return {"statistic": number(test.statistic), "p": number(test.p_value)}


def _standardised(given: Case) -> Case:
    rate = standardisation.direct_standardisation(given["count"], given["pop"], given["stdpop"])
    limits = ends(rate.interval)
    if rate.estimate == 0:
        # The source divides by the rate; the limit it does not find is 0.
        limits["low"] = NAN
    return {"estimate": number(rate.estimate)} | limits


def _kappa(given: Case) -> Case:
    plain = agreement.cohen_kappa(given["table"])
    squared = agreement.cohen_kappa(given["table"], weights="quadratic")
    return {
        "kappa": number(plain.estimate),
        "se": number(plain.se),
        "agreement": number(plain.agreement),
        "kappa_quadratic": number(squared.estimate),
    }


def _krippendorff(given: Case) -> Case:
    (rows,) = given.values()
    ratings = np.array([[number(value) for value in row] for row in rows])

    def answer(scale: Any) -> float:
        alpha = agreement.krippendorff_alpha(ratings, scale=scale)
        if alpha.estimate is None:
            # The source calls ratings without any variation full agreement.
            return 1.0 if np.unique(ratings[~np.isnan(ratings)]).size < 2 else NAN
        if np.isnan(ratings).any():
            return alpha.estimate
        # With nothing missing the source does not divide a unit's pairs by the other raters, which makes
        # its small-sample factor (n − 1) one of (n − 1/raters − 1).
        n, others = alpha.pairable, ratings.shape[0] - 1
        return 1 - (1 - alpha.estimate) * (n - 1 / others) / (n - 1)

    return {"nominal": answer("nominal"), "ordinal": answer("ordinal"), "interval": answer("interval")}


def _funnel_limits(given: Case) -> Case:
    usual = funnel.funnel_limits_exact(given["n"], given["target"])
    rare = funnel.funnel_limits_exact(given["n"], given["target"], level=0.998)
    return {
        "low_95": usual.low.tolist(),
        "high_95": usual.high.tolist(),
        "low_998": rare.low.tolist(),
        "high_998": rare.high.tolist(),
    }


def _overdispersion(given: Case) -> Case:
    spread = funnel.funnel_overdispersion(given["x"], given["n"], trim=given["trim"])
    return {
        "z": spread.z.tolist(),
        "z_winsorised": spread.z_winsorised.tolist(),
        "phi": number(spread.phi),
        "tau2": number(spread.tau2),
    }


def _laney(given: Case) -> Case:
    chart = control_charts.laney_p_prime(given["x"], given["n"])
    return {"centre": number(chart.centre), "low": chart.low.tolist(), "high": chart.high.tolist()}


UNITS = {
    "composition": _composition,
    "goodman_intervals": _goodman,
    "beta_binomial": _beta_binomial,
    "change_point": _change_point,
    "cochran_armitage": _cochran_armitage,
    "mann_kendall": lambda given: {"tau": number(trend.mann_kendall(given["y"]).tau)},
    "direct_standardisation": _standardised,
    "cohen_kappa": _kappa,
    "krippendorff_alpha": _krippendorff,
    "funnel_limits_exact": _funnel_limits,
    "funnel_observed_expected": lambda given: {
        "z": funnel.funnel_observed_expected(given["observed"], given["expected"]).tolist()
    },
    "funnel_overdispersion": _overdispersion,
    "laney_p_prime": _laney,
}
