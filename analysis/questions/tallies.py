"""Compare proportions and rates: ratios of sums, crude and stratified."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.counts import counts
from analysis.metrics import Metric, Tally
from analysis.questions.window import in_shared_strata
from analysis.results import Arm, Estimate, Interval, Measure, Status, finite_or_none
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.stats.homogeneity import difference_homogeneity
from analysis.stats.pooled import Pooled, limits
from analysis.stats.proportions import newcombe, ratio_mover_r, wilson
from analysis.stats.rates import arm_rate, clustered_from_moments, rate_difference, rate_ratio
from analysis.stats.strata import mh_difference, mh_odds_ratio
from analysis.stats.stratified_rates import stratified_rates
from analysis.stats.tables import chi_square, mid_p

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

MIN_PER_ARM = 10
"""Fewer validations than this in an arm: shown, never judged."""
MIN_EVENTS = 5
"""Fewer events (or non-events) than this in both arms together: shown, never judged."""
SMALL_ARM = 30
SMALL_EVENTS = 10
SMALL_EXPECTED = 5
_BOTH: tuple[Measure, ...] = ("difference", "ratio")
HETEROGENEITY_LEVEL = 0.05
COVARIATES = (*ADJUSTMENT_COLUMNS, "field_office", "entity_type")
"""What models can adjust for besides the quarter."""


@dataclass(frozen=True, slots=True)
class Arms:
    """The rows of a comparison: numerator `y`, denominator `d`, arm, stratum, cluster and second moments."""

    rows: pd.DataFrame
    clustered: bool

    def total(self, arm: int) -> tuple[int, int]:
        """Events and denominator of an arm."""
        return self._sum("y", arm), self._sum("d", arm)

    def validations(self, arm: int) -> int:
        """Validations (or responses) of an arm that are in the denominator."""
        return self._sum("n", arm)

    def tables(self) -> np.ndarray:
        """One 2×2 table per stratum: rows are virtual and in person, columns events and the others."""
        strata = self.rows["stratum"].to_numpy()
        count = int(strata.max()) + 1 if strata.size else 0
        y, d = np.zeros((count, 2), np.int64), np.zeros((count, 2), np.int64)
        place = (strata, 1 - self.rows["arm"].to_numpy())
        np.add.at(y, place, self.rows["y"].to_numpy())
        np.add.at(d, place, self.rows["d"].to_numpy())
        return np.stack([y, d - y], axis=2)

    def _sum(self, column: str, arm: int) -> int:
        return int(self.rows[column].to_numpy()[self.rows["arm"].to_numpy() == arm].sum())


def tally_counts(
    dataset: Dataset, definitions: list[Metric], selection: Selection, extra: tuple[str, ...] = ()
) -> pd.DataFrame:
    """One grouped pass over prepared rows that serves every tally given (all of one table).

    Grouped by arm, quarter, adjustment columns, the further columns of models, specialist and `extra`.
    """
    tallies = [metric.counted_by for metric in definitions]
    assert all(isinstance(tally, Tally) for tally in tallies)
    (table,) = {tally.table for tally in tallies if isinstance(tally, Tally)}
    sums = ["n"]
    for metric, tally in zip(definitions, tallies, strict=True):
        assert isinstance(tally, Tally)
        y, d = tally.numerator, tally.denominator
        sums += [y, d]
        if metric.kind == "rate":
            sums += [f"{y}*{y}", f"{d}*{d}", f"{y}*{d}"]
    arms = {metric.arm_column for metric in definitions} | {"mode"}
    by = [*sorted(arms), "quarter", *ADJUSTMENT_COLUMNS, "field_office", "entity_type", "specialist"]
    if table == "feedback":
        by += ["respondent", "item"]
    by += [column for column in extra if column not in by]
    return counts(dataset, table, by, selection, sums=list(dict.fromkeys(sums)))


def tally_rows(metric: Metric, rows: pd.DataFrame) -> Arms:
    """Rows of a window as numerators, denominators and clusters of one metric."""
    tally = metric.counted_by
    assert isinstance(tally, Tally)
    if tally.item is not None:
        rows = rows[rows["item"] == tally.item]
    y, d = rows[tally.numerator], rows[tally.denominator]
    if metric.kind == "rate":
        yy, dd, yd = (
            rows[f"{a}*{b}"]
            for a, b in (
                (tally.numerator, tally.numerator),
                (tally.denominator, tally.denominator),
                (tally.numerator, tally.denominator),
            )
        )
    else:
        # A flag counts only where it could have been set.
        y = np.minimum(y, d)
        yy, dd, yd = y, d, y
    # A validation without a specialist is a cluster of its own, as nearly as its row allows.
    specialist = rows["specialist"].to_numpy()
    cluster = np.where(specialist >= 0, specialist, -1 - np.arange(len(rows)))
    out = pd.DataFrame(
        {
            "n": rows["n"], "y": y, "d": d, "yy": yy, "dd": dd, "yd": yd,
            "arm": rows["arm"], "stratum": rows.get("stratum", 0), "quarter": rows["quarter"], "cluster": cluster,
        }
        | {column: rows[column] for column in COVARIATES if column in rows}
    )  # fmt: skip
    return Arms(out[out["d"] > 0], bool((specialist >= 0).any()))


def tally_by_quarter(metric: Metric, rows: pd.DataFrame) -> dict[tuple[int, int], float]:
    """Figure by (quarter, arm), where at least 10 validations stand behind it."""
    sums = tally_rows(metric, rows).rows.groupby(["quarter", "arm"])[["n", "y", "d"]].sum()
    enough = sums[sums["n"] >= MIN_PER_ARM]
    return {(int(q), int(arm)): float(y / d) for (q, arm), y, d in zip(enough.index, enough["y"], enough["d"], strict=True)}


def arm_of(metric: Metric, arms: Arms, mode: str, label: str) -> Arm:
    """One arm of the whole selection, unadjusted, with its own interval."""
    code = int(mode == "virtual")
    y, d = arms.total(code)
    if d == 0:
        return Arm(mode, label, 0, 0, None, None)
    if metric.kind == "rate":
        rows = arms.rows[arms.rows["arm"] == code]
        interval = arm_rate(rows["y"], rows["d"], cluster=rows["cluster"]).interval if arms.clustered else None
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
        rows = [_clustered("crude", measure, arms, stratified=False) for measure in _BOTH]
        return [_with(row, reasons, small, settings) for row in rows]
    (y1, d1), (y0, d0) = arms.total(1), arms.total(0)
    n = d1 + d0
    table = [[y1, d1 - y1], [y0, d0 - y0]]
    expected = min(y1 + y0, n - y1 - y0) * min(d1, d0) / n
    test = mid_p(table) if expected < SMALL_EXPECTED else chi_square(table)
    p_value = finite_or_none(float(test.p_value))
    settings |= {"test": test.method, "clustered_by": None}
    gap, quotient = newcombe(y1, d1, y0, d0), ratio_mover_r(y1, d1, y0, d0)
    rows = [Estimate("crude", "difference", "selection", gap.value(), gap.interval(), p_value, n)]
    bounds = quotient.interval()
    if bounds is not None and np.isfinite([bounds.low, bounds.high]).all():
        rows.append(Estimate("crude", "ratio", "selection", quotient.value(), bounds, p_value, n))
    else:
        rows.append(_absent("crude", "ratio", "selection", n, ("ratio_needs_events",)))
    return [_with(row, reasons, small, settings) for row in rows]


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
    arms = Arms(in_shared_strata(arms.rows), arms.clustered)
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
        rows.append(_from_pooled("mantel_haenszel", "odds_ratio", mh_odds_ratio(tables), {"clustered_by": None}))
    # Specialists are known to differ: with too few of them no verdict rests on validations taken as independent.
    small = small or (arms.clustered and "too_few_clusters" in rows[0].caveats)
    return [_with(row, reasons, small, {"adjusted_for": strata}) for row in rows]


def effective_sizes(rows: pd.DataFrame) -> float:
    """The smaller arm's effective size, ``1 / Σ (share² / n)`` over strata with Mantel–Haenszel's weights.

    A stratum with one validation in an arm and hundreds in the other weighs like one, however large it is.
    """
    n = rows.groupby(["stratum", "arm"])["n"].sum().unstack("arm")
    weight = n[0] * n[1] / (n[0] + n[1])
    share = weight / weight.sum()
    return float(min(1 / (share**2 / n[arm]).sum() for arm in (0, 1)))


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
    settings: dict[str, object] = {"clustered_by": "specialist_id", "clusters": found.clusters}
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
    bounds = Interval(math.exp(low), math.exp(high), 0.95, method) if on_log else Interval(low, high, 0.95, method)
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


def _with(
    row: Estimate, caveats: tuple[str, ...], small: bool, settings: Mapping[str, object]
) -> Estimate:
    return dataclasses.replace(
        row,
        caveats=tuple(dict.fromkeys([*row.caveats, *caveats])),
        status="too_small" if small and row.status == "ok" else row.status,
        settings={**settings, **row.settings},
    )


def adjusted_for(strata: tuple[str, ...]) -> tuple[str, ...]:
    """Reason codes of an adjustment that could use only part of its columns, or none."""
    if not strata:
        return ("nothing_to_adjust_for",)
    return () if len(strata) == len(ADJUSTMENT_COLUMNS) else ("adjusted_for_part",)


def smallness(n_1: int, n_0: int, events: int | None, others: int | None) -> tuple[tuple[str, ...], bool]:
    """Reason codes for small numbers, and whether they are too small for a verdict.

    `n_1` and `n_0` are validations (or responses) per arm; `events` and `others` both arms together, None where
    the metric has none.
    """
    reasons: list[str] = []
    if min(n_1, n_0) < MIN_PER_ARM:
        reasons.append("too_few_in_an_arm")
    counted = [amount for amount in (events, others) if amount is not None]
    if counted and min(counted) < MIN_EVENTS:
        reasons.append("too_few_events")
    too_small = bool(reasons)
    if not too_small and (min(n_1, n_0) < SMALL_ARM or (counted and min(counted) < SMALL_EVENTS)):
        reasons.append("small_numbers")
    return tuple(reasons), too_small
