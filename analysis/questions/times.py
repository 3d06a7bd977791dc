"""Compare times: hours spent, days waited, time to a first incident; crude and stratified, from value counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.coding import added_up
from analysis.counts import counts
from analysis.metrics import Metric, Waiting
from analysis.questions.smallness import MIN_PER_ARM, adjusted_for, smallness
from analysis.questions.tallies import wider
from analysis.questions.window import MODES, Window, in_shared_strata, varying
from analysis.results import Arm, Estimate, Measure, Status
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.stats.durations import median_difference
from analysis.stats.geometric_means import (
    geometric_mean,
    geometric_mean_ratio_clustered,
    geometric_mean_ratio_from_sums,
)
from analysis.stats.pooled import Pooled
from analysis.stats.survival import cumulative_incidence, kaplan_meier, restricted_mean
from analysis.stats.survival_contrasts import restricted_mean_ratio, risk_difference

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection


CLUSTERS = {"specialist_id": "specialist", "member_id": "member"}
"""Whose validations resemble one another, by the name a metric gives them: the prepared column."""


def time_counts(
    dataset: Dataset, metric: Metric, selection: Selection, extra: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Values of one metric with their counts, by arm, quarter, adjustment columns, cluster, specialist and `extra`.

    One grouped pass over prepared rows: cells do not know specialists or members.
    """
    counted_by = metric.counted_by
    assert isinstance(counted_by, Waiting)
    column = CLUSTERS[metric.cluster]
    by = ["mode", "quarter", *ADJUSTMENT_COLUMNS, column, "value", "event"]
    by += [name for name in ("specialist", *extra) if name not in by]
    counted = counts(dataset, counted_by.values, by, selection, categories=True)
    code = counted[column].to_numpy()
    # A validation without a specialist is a cluster of its own, as nearly as its row allows.
    cluster = np.where(code >= 0, code, -1 - np.arange(len(counted)))
    return counted.assign(value=counted["value"] / counted_by.per_unit, cluster=cluster)


def compare_times(
    metric: Metric, window: Window, names: Mapping[str, str]
) -> tuple[dict[str, Arm], list[Estimate]]:
    """Both arms of the whole selection, and the estimates: crude and, within the window, stratified."""
    selection = window.selection
    everybody = added_up(selection, ["arm", "value", "event"])
    arms = {
        mode: time_arm(metric, everybody[everybody["arm"] == int(mode == "virtual")], mode, names[mode])
        for mode in MODES
    }
    estimates = [crude_time(metric, selection)]
    if metric.kind == "duration":
        estimates.append(_medians(everybody))
    estimates.append(time_effect(metric, window))
    return arms, estimates


def times_by_quarter(metric: Metric, rows: pd.DataFrame) -> dict[tuple[int, int], float]:
    """Figure by (quarter, arm), where at least 10 validations stand behind it and the horizon was reached."""
    found = {}
    rows = added_up(rows, ["quarter", "arm", "value", "event"])
    for (quarter, arm), part in rows.groupby(["quarter", "arm"]):
        value = time_arm(metric, part, "", "").estimate if part["n"].sum() >= MIN_PER_ARM else None
        if value is not None:
            found[(int(quarter), int(arm))] = value
    return found


def time_arm(metric: Metric, rows: pd.DataFrame, mode: str, label: str) -> Arm:
    """The summary that the contrast compares: geometric mean (of values above 0), restricted mean, or risk."""
    how = metric.counted_by
    assert isinstance(how, Waiting)
    n = int(rows["n"].sum())
    if not n:
        return Arm(mode, label, n)
    if how.summary == "geometric":
        positive = _summarised(how, rows)
        middle = geometric_mean(positive["value"], positive["n"])
        return Arm(mode, label, n, None, middle.estimate, middle.interval)
    curve = kaplan_meier(rows["value"], rows["event"], rows["n"])
    assert how.horizon is not None
    if how.summary == "risk":
        found = cumulative_incidence(curve, how.horizon)
        within = rows[(rows["event"] == 1) & (rows["value"] <= how.horizon)]
        return Arm(mode, label, n, int(within["n"].sum()), found.estimate, found.interval)
    found = restricted_mean(curve, how.horizon)
    return Arm(mode, label, n, None, found.estimate, found.interval)


def crude_time(metric: Metric, rows: pd.DataFrame) -> Estimate:
    """The unadjusted effect of some rows."""
    return _estimate(metric, "crude", added_up(rows.assign(stratum=0), [*_LOOKED_AT, "cluster"]), ())


def stratified_time(metric: Metric, rows: pd.DataFrame, strata: tuple[str, ...]) -> Estimate:
    """The effect of some rows of a window, stratified by their ``stratum``, which `strata` tells the columns of."""
    return _estimate(metric, "mantel_haenszel", rows, strata)


def time_effect(metric: Metric, window: Window) -> Estimate:
    """The effect within a window, stratified by what can be adjusted for there."""

    def estimate() -> Estimate:
        return stratified_time(metric, window.rows, window.strata)

    return window.known.once(("time effect", metric.counted_by, metric.cluster), estimate)


_LOOKED_AT = ["arm", "stratum", "value", "event"]
"""What an effect is made of, besides who belongs together."""


def _summarised(how: Waiting, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that the summary can use: a value of 0 has no logarithm."""
    return rows[rows["value"] > 0] if how.summary == "geometric" else rows


def _estimate(metric: Metric, method: str, rows: pd.DataFrame, strata: tuple[str, ...]) -> Estimate:
    how = metric.counted_by
    assert isinstance(how, Waiting)
    kept = _summarised(how, rows)
    n_zero = int(rows["n"].sum() - kept["n"].sum())
    alone = added_up(kept, _LOOKED_AT)
    found, clustering, caveats = _allowing_for_clusters(metric, kept, alone)
    shared = in_shared_strata(alone)
    happened = (shared["event"] == 1) & (shared["value"] <= (how.horizon or 0))
    events = int(shared.loc[happened, "n"].sum()) if how.summary == "risk" else None
    n1, n0 = (int(shared.loc[shared["arm"] == arm, "n"].sum()) for arm in (1, 0))
    reasons, small = smallness(n1, n0, events, None)
    if method != "crude":
        caveats += adjusted_for(strata)
        # Specialists are known to differ: with too few of them no verdict rests on validations taken as independent.
        small |= "too_few_clusters" in caveats
    if how.summary != "geometric":
        caveats += ("censored",)
    if method != "crude" and kept["arm"].nunique() == 2 and shared.empty:
        # There are enough of both modes; what they lack is one another.
        reasons, found = ("no_counterpart",), dataclasses.replace(found, reasons=())
    elif n_zero and not min(n1, n0):
        # There are validations; what is missing is a value that has a logarithm.
        reasons, found = ("geometric_needs_positive",), dataclasses.replace(found, reasons=())
    elif n_zero:
        caveats += ("zeros_left_out",)
    if found.interval is None and found.estimate is not None and not found.reasons:
        caveats = ("no_spread", *caveats)
    status: Status = "not_estimable" if found.interval is None else "too_small" if small else "ok"
    return Estimate(
        method=method,
        measure="difference" if how.summary == "risk" else "ratio",
        population="selection" if method == "crude" else "comparison_window",
        estimate=found.estimate,
        interval=found.interval,
        p_value=found.p_value,
        n=found.n,
        status=status,
        caveats=tuple(dict.fromkeys([*reasons, *found.reasons, *caveats])),
        settings={
            "adjusted_for": varying(rows, strata),
            **clustering,
            "summary": how.summary,
            "horizon_days": how.horizon,
            "strata": found.strata_used,
            "strata_dropped": found.strata_dropped,
            **({"n_zero": n_zero} if n_zero else {}),
        },
    )


def _allowing_for_clusters(
    metric: Metric, rows: pd.DataFrame, together: pd.DataFrame
) -> tuple[Pooled, dict[str, object], tuple[str, ...]]:
    """The effect with errors by cluster where there are enough of them, else by validation; settings and caveats.

    `together` are the same rows without their clusters.
    """
    how = metric.counted_by
    assert isinstance(how, Waiting)
    alone = _effect(how, together, clustered=False)
    independent: dict[str, object] = {"clustered_by": "validation_id"}
    if not (rows["cluster"] >= 0).any():
        return alone, independent, ("clusters_unknown",) if len(rows) else ()
    found = _effect(how, rows, clustered=True)
    if "too_few_clusters" in found.reasons:
        return alone, independent, ("too_few_clusters",)
    settings: dict[str, object] = {
        "clustered_by": metric.cluster,
        "clusters": found.clusters,
        "correction": "CR1",
        "df": found.df,
    }
    if metric.cluster == "member_id":
        # Few members are few validations, which is said of those.
        found = dataclasses.replace(found, reasons=tuple(c for c in found.reasons if c != "few_clusters"))
    if found.interval is None and alone.interval is not None:
        return dataclasses.replace(alone, reasons=found.reasons), independent, ()
    return (_hull if how.summary == "risk" else wider)(found, alone), settings, ()


def _hull(clustered: Pooled, alone: Pooled) -> Pooled:
    """The clustered effect, its limits never nearer than those of validations by themselves.

    Limits of risks lie unevenly round their estimate, so it is the limits that are compared, not the errors.
    """
    one, other = clustered.interval, alone.interval
    if one is None or other is None or clustered.se is None or alone.se is None:
        return clustered
    bounds = dataclasses.replace(one, low=min(one.low, other.low), high=max(one.high, other.high))
    p_values = [p for p in (clustered.p_value, alone.p_value) if p is not None]
    return dataclasses.replace(
        clustered, se=max(clustered.se, alone.se), interval=bounds, p_value=max(p_values, default=None)
    )


def _effect(how: Waiting, rows: pd.DataFrame, *, clustered: bool) -> Pooled:
    cluster = rows["cluster"] if clustered else None
    if how.summary == "geometric":
        logs = np.log(rows["value"])
        sums = {"arm": rows["arm"], "n": rows["n"], "log_sum": rows["n"] * logs, "stratum": rows["stratum"]}
        if cluster is not None:
            return geometric_mean_ratio_clustered(cluster=cluster, **sums)
        return geometric_mean_ratio_from_sums(log_sum_squares=rows["n"] * logs**2, **sums)
    columns = (rows["value"], rows["event"], rows["n"], rows["arm"])
    assert how.horizon is not None
    if how.summary == "risk":
        return risk_difference(*columns, horizon=how.horizon, stratum=rows["stratum"], cluster=cluster)
    return restricted_mean_ratio(*columns, tau=how.horizon, stratum=rows["stratum"], cluster=cluster)


def _medians(rows: pd.DataFrame) -> Estimate:
    """Difference of medians, for durations without open cases (an open one has no value yet)."""
    measure: Measure = "median_difference"
    n = int(rows["n"].sum())
    settings = {"adjusted_for": (), "clustered_by": "validation_id"}
    if (rows["event"] == 0).any():
        return Estimate(
            "crude", measure, "selection", None, None, None, n, "not_estimable", ("censored",), settings
        )
    one, other = rows[rows["arm"] == 1], rows[rows["arm"] == 0]
    found = median_difference(one["value"], one["n"], other["value"], other["n"])
    status: Status = "ok" if found.interval is not None else "not_estimable"
    caveats = (*found.reasons, "independent")
    return Estimate(
        "crude",
        measure,
        "selection",
        found.estimate,
        found.interval,
        found.p_value,
        n,
        status,
        caveats,
        settings,
    )
