"""Compare times: hours spent, days waited, time to a first incident; crude and stratified, from value counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.counts import counts
from analysis.datasets.cells import DURATIONS
from analysis.metrics import Metric, Waiting
from analysis.questions.tallies import MIN_PER_ARM, adjusted_for, smallness
from analysis.questions.window import MODES, in_shared_strata
from analysis.results import Arm, Estimate, Measure, Status
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.stats.durations import geometric_mean, geometric_mean_ratio_from_sums, median_difference
from analysis.stats.pooled import Pooled
from analysis.stats.survival import cumulative_incidence, kaplan_meier, restricted_mean
from analysis.stats.survival_contrasts import restricted_mean_ratio, risk_difference

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection


def time_counts(
    dataset: Dataset, metric: Metric, selection: Selection, extra: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Values of one metric with their counts, by arm, quarter, adjustment columns and `extra`."""
    counted_by = metric.counted_by
    assert isinstance(counted_by, Waiting)
    by = ["mode", "month", *ADJUSTMENT_COLUMNS, "metric", "value", "event"]
    by += [column for column in extra if column not in by]
    counted = counts(dataset, "values", by, selection)
    mine = counted[counted["metric"] == DURATIONS.index(counted_by.values)]
    return mine.assign(quarter=mine["month"] // 3, value=mine["value"] / counted_by.per_unit)


def compare_times(
    metric: Metric,
    selection: pd.DataFrame,
    window: pd.DataFrame,
    strata: tuple[str, ...],
    names: Mapping[str, str],
) -> tuple[dict[str, Arm], list[Estimate]]:
    """Both arms of the whole selection, and the estimates: crude and, within the window, stratified."""
    arms = {mode: time_arm(metric, selection[selection["arm"] == int(mode == "virtual")], mode, names[mode]) for mode in MODES}
    selection = selection.assign(stratum=0)
    estimates = [_estimate(metric, "crude", selection, ())]
    if metric.kind == "duration":
        estimates.append(_medians(selection))
    estimates.append(_estimate(metric, "mantel_haenszel", window, strata))
    return arms, estimates


def times_by_quarter(metric: Metric, rows: pd.DataFrame) -> dict[tuple[int, int], float]:
    """Figure by (quarter, arm), where at least 10 validations stand behind it and the horizon was reached."""
    found = {}
    for (quarter, arm), part in rows.groupby(["quarter", "arm"]):
        value = time_arm(metric, part, "", "").estimate if part["n"].sum() >= MIN_PER_ARM else None
        if value is not None:
            found[(int(quarter), int(arm))] = value
    return found


def time_arm(metric: Metric, rows: pd.DataFrame, mode: str, label: str) -> Arm:
    """The summary that the contrast compares: geometric mean, restricted mean, or risk at the horizon."""
    how = metric.counted_by
    assert isinstance(how, Waiting)
    n = int(rows["n"].sum())
    if not n:
        return Arm(mode, label, 0)
    if how.summary == "geometric":
        middle = geometric_mean(rows["value"], rows["n"])
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
    return _estimate(metric, "crude", rows.assign(stratum=0), ())


def _estimate(metric: Metric, method: str, rows: pd.DataFrame, strata: tuple[str, ...]) -> Estimate:
    how = metric.counted_by
    assert isinstance(how, Waiting)
    found, caveats = _effect(how, rows), adjusted_for(strata) if method != "crude" else ()
    shared = in_shared_strata(rows)
    happened = (shared["event"] == 1) & (shared["value"] <= (how.horizon or 0))
    events = int(shared.loc[happened, "n"].sum()) if how.summary == "risk" else None
    n1, n0 = (int(shared.loc[shared["arm"] == arm, "n"].sum()) for arm in (1, 0))
    reasons, small = smallness(n1, n0, events, None)
    status: Status = "not_estimable" if found.interval is None else "too_small" if small else "ok"
    caveats += ("independent",) if how.summary == "geometric" else ("independent", "censored")
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
            "adjusted_for": strata,
            "clustered_by": None,
            "summary": how.summary,
            "horizon_days": how.horizon,
            "strata": found.strata_used,
            "strata_dropped": found.strata_dropped,
        },
    )


def _effect(how: Waiting, rows: pd.DataFrame) -> Pooled:
    if how.summary == "geometric":
        # A value of zero has no logarithm; the statistic says so, it is not ours to drop it.
        positive = bool((rows["value"] > 0).all())
        logs = np.log(rows["value"].where(rows["value"] > 0, 1.0))
        found = geometric_mean_ratio_from_sums(
            arm=rows["arm"],
            n=rows["n"],
            log_sum=rows["n"] * logs,
            log_sum_squares=rows["n"] * logs**2,
            stratum=rows["stratum"],
        )
        if positive:
            return found
        return Pooled(None, None, "log", None, None, found.n, reasons=("geometric_needs_positive",))
    columns = (rows["value"], rows["event"], rows["n"], rows["arm"])
    assert how.horizon is not None
    if how.summary == "risk":
        return risk_difference(*columns, horizon=how.horizon, stratum=rows["stratum"])
    return restricted_mean_ratio(*columns, tau=how.horizon, stratum=rows["stratum"])


def _medians(rows: pd.DataFrame) -> Estimate:
    """Difference of medians, for durations without open cases (an open one has no value yet)."""
    measure: Measure = "median_difference"
    n = int(rows["n"].sum())
    settings = {"adjusted_for": (), "clustered_by": None}
    if (rows["event"] == 0).any():
        return Estimate(
            "crude", measure, "selection", None, None, None, n, "not_estimable", ("censored",), settings
        )
    one, other = rows[rows["arm"] == 1], rows[rows["arm"] == 0]
    found = median_difference(one["value"], one["n"], other["value"], other["n"])
    status: Status = "ok" if found.interval is not None else "not_estimable"
    return Estimate(
        "crude", measure, "selection", found.estimate, found.interval, found.p_value, n, status, found.reasons, settings
    )
