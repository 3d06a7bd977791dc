"""Compare proportions and rates: ratios of sums, crude and stratified."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.metrics import Metric
from analysis.questions.arms import Arms as Arms
from analysis.questions.arms import gathered
from analysis.questions.arms import of_item as of_item
from analysis.questions.arms import stratified_rows as stratified_rows
from analysis.questions.arms import tally_by_quarter as tally_by_quarter
from analysis.questions.arms import tally_counts as tally_counts
from analysis.questions.arms import tally_rows as tally_rows
from analysis.questions.smallness import MIN_EVENTS as MIN_EVENTS
from analysis.questions.smallness import MIN_PER_ARM as MIN_PER_ARM
from analysis.questions.smallness import SMALL_ARM as SMALL_ARM
from analysis.questions.smallness import adjusted_for as adjusted_for
from analysis.questions.smallness import smallness as smallness
from analysis.questions.window import in_shared_strata, varying
from analysis.results import Arm, Estimate, Interval, Measure, Status, finite_or_none
from analysis.stats.bounds import Floats
from analysis.stats.homogeneity import difference_homogeneity
from analysis.stats.newcombe_test import newcombe_test
from analysis.stats.pooled import Pooled, limits
from analysis.stats.proportions import newcombe, ratio_mover_r, wilson
from analysis.stats.rates import arm_rate, clustered_from_moments, rate_difference, rate_ratio
from analysis.stats.strata import mh_difference, mh_odds_ratio
from analysis.stats.stratified_rates import stratified_rates

_BOTH: tuple[Measure, ...] = ("difference", "ratio")
HETEROGENEITY_LEVEL = 0.05


def arm_of(metric: Metric, arms: Arms, mode: str, label: str) -> Arm:
    """One arm of the whole selection, unadjusted, with its own interval."""
    code = int(mode == "virtual")
    y, d = arms.total(code)
    if d == 0:
        return Arm(mode, label, 0, 0, None, None)
    if metric.kind == "rate":
        rows = gathered(arms.rows[arms.rows["arm"] == code], [])
        interval = (
            arm_rate(rows["y"], rows["d"], cluster=rows["cluster"]).interval if arms.clustered else None
        )
        return Arm(mode, label, d, y, y / d, interval, arms.validations(code))
    return Arm(mode, label, d, y, y / d, wilson(y, d).interval())


def adjusted_arms(arms: Arms, names: Mapping[str, str]) -> dict[str, Arm]:
    """Both arms on the common mix of strata: their difference is the stratified difference."""
    rows = arms.rows
    if not arms.validations(1) or not arms.validations(0) or (rows["y"] > rows["d"]).any():
        return {}
    pair = stratified_rates(
        rows["y"], rows["d"], rows["arm"], yy=rows["yy"], dd=rows["dd"], yd=rows["yd"],
        stratum=rows["stratum"], cluster=rows["cluster"] if arms.clustered else None,
    )  # fmt: skip
    return {
        mode: Arm(mode, names[mode], rate.n, None, rate.estimate, rate.interval)
        for mode, rate in zip(("virtual", "in_person"), pair, strict=True)
    }


def crude(metric: Metric, arms: Arms) -> list[Estimate]:
    """The whole selection, unadjusted: difference and ratio."""
    if not arms.validations(1) or not arms.validations(0):
        return [_absent("crude", "difference", "selection", int(arms.rows["d"].sum()), ("arm_empty",))]
    settings: dict[str, object] = {"adjusted_for": ()}
    reasons, small = smallness_of(metric, arms)
    if metric.kind == "rate":
        together = Arms(gathered(arms.rows, []), arms.clustered)
        rows = [_clustered("crude", measure, together, stratified=False) for measure in _BOTH]
        return [_with(row, reasons, small, settings) for row in rows]
    (y1, d1), (y0, d0) = arms.total(1), arms.total(0)
    # The test that inverts the interval beside it: an interval and a p-value that contradict each other help nobody.
    test = newcombe_test(y1, d1, y0, d0)
    p_value = finite_or_none(float(test.p_value))
    settings |= {"test": test.method, "clustered_by": None}
    rows = [_proportions(arms, measure) for measure in _BOTH]
    tested = [row if row.interval is None else dataclasses.replace(row, p_value=p_value) for row in rows]
    return [_with(row, reasons, small, settings) for row in tested]


def crude_effect(metric: Metric, arms: Arms, measure: Measure) -> Estimate:
    """One effect of `crude` by itself: without the test, and without what says whether it is enough."""
    if not arms.validations(1) or not arms.validations(0):
        return _absent("crude", measure, "selection", int(arms.rows["d"].sum()), ("arm_empty",))
    if metric.kind == "rate":
        return _clustered("crude", measure, Arms(gathered(arms.rows, []), arms.clustered), stratified=False)
    return _proportions(arms, measure)


def _proportions(arms: Arms, measure: Measure) -> Estimate:
    """Newcombe's interval of the difference, or MOVER-R's of the ratio."""
    (y1, d1), (y0, d0) = arms.total(1), arms.total(0)
    found = (newcombe if measure == "difference" else ratio_mover_r)(y1, d1, y0, d0)
    bounds = found.interval()
    if measure == "ratio" and (bounds is None or not np.isfinite([bounds.low, bounds.high]).all()):
        return _absent("crude", "ratio", "selection", d1 + d0, ("ratio_needs_events",))
    return Estimate("crude", measure, "selection", found.value(), bounds, None, d1 + d0)


def mantel_haenszel(metric: Metric, arms: Arms, strata: tuple[str, ...]) -> list[Estimate]:
    """The comparison window, stratified by risk, kind and location.

    Difference and ratio with errors clustered by specialist where there are enough of them; for proportions
    also the difference with Sato's variance (validations independent) and the odds ratio.
    """
    n = int(arms.rows["d"].sum())
    if not arms.validations(1) or not arms.validations(0):
        return [
            _absent("mantel_haenszel", measure, "comparison_window", n, ("no_comparison_window",))
            for measure in (_BOTH if metric.margin_scale == "ratio" else _BOTH[:1])
        ]
    # Only strata with both arms enter the estimate, so only they say whether there is enough of it.
    shared = in_shared_strata(arms.rows)
    arms = Arms(gathered(shared, ["stratum"]), arms.clustered)
    if arms.rows.empty:
        return [_absent("mantel_haenszel", m, "comparison_window", 0, ("no_counterpart",)) for m in _BOTH]
    reasons, small = smallness_of(metric, arms)
    if not small and effective_sizes(arms.rows) < MIN_PER_ARM:
        reasons, small = (*reasons, "thin_overlap"), True
    reasons += adjusted_for(strata)
    rows = [_clustered("mantel_haenszel", measure, arms, stratified=True) for measure in _BOTH]
    if metric.kind != "rate":
        tables = arms.tables()
        sato = mh_difference(tables)
        thick = tables[(tables.sum(axis=2) >= MIN_PER_ARM).all(axis=1)]
        q = float(difference_homogeneity(thick).p_value) if len(thick) > 1 else math.nan
        if q < HETEROGENEITY_LEVEL:
            reasons += ("heterogeneous",)
        independent = _from_pooled("mantel_haenszel", "difference_sato", sato, {"clustered_by": None})
        if rows[0].settings["clustered_by"] != "specialist_id":
            # Without specialists a proportion has one row per validation, which is what Sato's variance is for.
            rows[0] = dataclasses.replace(independent, measure="difference", caveats=rows[0].caveats)
        rows.append(independent)
        rows.append(
            _from_pooled("mantel_haenszel", "odds_ratio", mh_odds_ratio(tables), {"clustered_by": None})
        )
    # Specialists are known to differ: with too few of them no verdict rests on validations taken as independent.
    small = small or (arms.clustered and "too_few_clusters" in rows[0].caveats)
    settings = {"adjusted_for": varying(shared, strata)}
    return [_with(row, reasons, small, settings) for row in rows]


def effective_sizes(rows: pd.DataFrame) -> float:
    """The smaller arm's effective size, ``1 / Σ (share² / n)`` over strata with Mantel–Haenszel's weights.

    A stratum with one validation in an arm and hundreds in the other weighs like one, however large it is.
    """
    n = _by_stratum(rows, "n")
    weight = n[0] * n[1] / (n[0] + n[1])
    share = weight / weight.sum()
    return float(min(1 / (share**2 / of).sum() for of in n))


def _by_stratum(rows: pd.DataFrame, column: str) -> Floats:
    """Sums by arm (in person first) and stratum, of the strata that there are."""
    strata, place = np.unique(rows["stratum"].to_numpy(), return_inverse=True)
    key = rows["arm"].to_numpy() * strata.size + place
    sums = np.bincount(key, rows[column].to_numpy(), 2 * strata.size)
    return np.asarray(sums.reshape(2, -1), float)


def smallness_of(metric: Metric, arms: Arms) -> tuple[tuple[str, ...], bool]:
    """`smallness` of the rows of a comparison."""
    (y1, d1), (y0, d0) = arms.total(1), arms.total(0)
    others = None if metric.kind == "rate" else d1 + d0 - y1 - y0
    return smallness(arms.validations(1), arms.validations(0), y1 + y0, others)


def _clustered(method: str, measure: Measure, arms: Arms, *, stratified: bool) -> Estimate:
    """A ratio-of-sums effect with errors by specialist where there are enough of them, else by validation."""
    rows = arms.rows
    strata = rows["stratum"].to_numpy() if stratified else None
    alone = clustered_from_moments(
        "difference" if measure == "difference" else "ratio",
        arm=rows["arm"], n=rows["n"], y=rows["y"], d=rows["d"],
        yy=rows["yy"], dd=rows["dd"], yd=rows["yd"], stratum=strata,
    )  # fmt: skip
    if not arms.clustered:
        return _from_pooled(method, measure, alone, {"clustered_by": "validation_id"}, ("clusters_unknown",))
    effect = rate_difference if measure == "difference" else rate_ratio
    found = effect(rows["y"], rows["d"], rows["arm"], cluster=rows["cluster"], stratum=strata)
    if "too_few_clusters" in found.reasons:
        return _from_pooled(method, measure, alone, {"clustered_by": "validation_id"}, ("too_few_clusters",))
    settings: dict[str, object] = {
        "clustered_by": "specialist_id", "clusters": found.clusters, "correction": "CR1", "df": found.df,
    }  # fmt: skip
    return _from_pooled(method, measure, wider(found, alone), settings)


def wider(clustered: Pooled, alone: Pooled) -> Pooled:
    """The clustered effect, never with a smaller error than validations by themselves would have.

    In thin strata residuals of few clusters come out too small; clustering is there to widen, not to narrow.
    """
    if clustered.se is None or alone.se is None or alone.se <= clustered.se or clustered.estimate is None:
        return clustered
    on_log = clustered.scale == "log"
    value = math.log(clustered.estimate) if on_log else clustered.estimate
    low, high, p_value = limits(value, alone.se, df=clustered.df, level=0.95)
    method = clustered.interval.method if clustered.interval else ""
    bounds = (
        Interval(math.exp(low), math.exp(high), 0.95, method) if on_log else Interval(low, high, 0.95, method)
    )
    return dataclasses.replace(clustered, se=alone.se, interval=bounds, p_value=p_value)


def _from_pooled(
    method: str, measure: Measure, found: Pooled, settings: dict[str, object], caveats: tuple[str, ...] = ()
) -> Estimate:
    reasons = tuple(dict.fromkeys([*caveats, *found.reasons]))
    population = "selection" if method == "crude" else "comparison_window"
    status: Status = "ok" if found.interval is not None else "not_estimable"
    return Estimate(
        method, measure, population, found.estimate, found.interval, found.p_value, found.n, status, reasons,
        settings | {"strata": found.strata_used, "strata_dropped": found.strata_dropped},
    )  # fmt: skip


def _absent(method: str, measure: Measure, population: str, n: int, reasons: tuple[str, ...]) -> Estimate:
    return Estimate(method, measure, population, None, None, None, n, "not_estimable", reasons)


def _with(row: Estimate, caveats: tuple[str, ...], small: bool, settings: Mapping[str, object]) -> Estimate:
    # An error of zero with events enough is no lack of events.
    own = ["no_spread" if c == "too_few_events" and c not in caveats else c for c in row.caveats]
    return dataclasses.replace(
        row,
        caveats=tuple(dict.fromkeys([*own, *caveats])),
        status="too_small" if small and row.status == "ok" else row.status,
        settings={**settings, **row.settings},
    )
