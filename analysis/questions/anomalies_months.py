"""Control charts by month: a share of validations (Laney's p′) and the days to report (XmR), reset when virtual began."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from analysis.counts import counts
from analysis.datasets.cells import DURATIONS
from analysis.metrics import metric
from analysis.questions.anomalies_records import Reason, told
from analysis.questions.anomalies_units import COUNTED, METRICS
from analysis.questions.window import MIN_SHARE_OF_A_QUARTER
from analysis.results import finite_or_none
from analysis.selection import Selection, month_number, month_start
from analysis.stats.control_charts import Signs, individuals_chart, laney_p_prime, nelson_signs
from analysis.stats.durations import quantile_from_counts
from analysis.stats.survival import kaplan_meier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

ChartKind = Literal["share", "days"]

FEWEST_A_MONTH = 30
"""Months with fewer validations are not drawn and set no limits."""
ENOUGH_MONTHS = 20
"""With fewer months in a phase its limits are provisional."""


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One month (key from year 0): `value` of `n` validations within limits `low` to `high`, in phase `phase`.

    `count` events of `total` chances make a share; days have none. A month that is not `drawn` has too few
    validations, or too few reports yet, for its value.
    """

    month: int
    n: int | None
    count: int | None
    total: int | None
    value: float | None
    low: float | None
    high: float | None
    phase: int
    drawn: bool
    reasons: tuple[Reason, ...] = ()

    @property
    def flagged(self) -> bool:
        """Whether the month deserves a second look."""
        return bool(self.reasons)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        own = (
            {"count": self.count, "total": self.total}
            if self.total is not None or self.count is not None
            else {}
        )
        return {
            "month": f"{month_start(self.month):%Y-%m}", "n": self.n, **own, "value": self.value, "low": self.low,
            "high": self.high, "drawn": self.drawn, **told(self.reasons),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of months under one way of working: its `centre`, and whether its limits are `provisional`."""

    first: int
    last: int
    centre: float | None
    points: int
    provisional: bool


@dataclass(frozen=True, slots=True)
class MonthChart:
    """A control chart by month; `n` validations, `undrawn` months with too few."""

    kind: ChartKind
    measure: str
    label: str
    rows: tuple[MonthRow, ...]
    phases: tuple[Phase, ...]
    n: int | None
    undrawn: int
    caveats: tuple[str, ...] = ()

    @property
    def flagged(self) -> tuple[MonthRow, ...]:
        """Months that deserve a second look, in order."""
        return tuple(row for row in self.rows if row.flagged)

    def to_frame(self) -> pd.DataFrame:
        """One row a month."""
        return pd.DataFrame([row.to_dict() for row in self.rows]).drop(columns="reasons", errors="ignore")


def share_by_month(
    dataset: Dataset, metric: str = "any_deficiency", selection: Selection = Selection()
) -> MonthChart:
    """Laney's p′ chart of a share of validations (or of criteria assessed) by month.

    Parameters
    ----------
    dataset : Dataset
    metric : {"any_deficiency", "any_must_deficiency", "deficiency_rate"}
    selection : Selection
    """
    selection = selection.checked(dataset)
    y, d = METRICS[metric]
    label = _label(metric)
    if not dataset.clean_validations or (metric == COUNTED and not dataset.criteria_asked):
        missing = "criteria_asked_unknown" if dataset.clean_validations else "clean_validations_unknown"
        return MonthChart("share", metric, label, (), (), 0, 0, (missing,))
    monthly, started = _monthly(dataset, selection, [y, d])
    if monthly.empty:
        return MonthChart("share", metric, label, (), (), 0, 0, ("empty_selection",))
    events, totals = np.minimum(monthly[y], monthly[d]).to_numpy(float), monthly[d].to_numpy(float)
    drawn = (monthly["n"] >= FEWEST_A_MONTH).to_numpy() & (totals > 0)
    values = np.divide(events, totals, out=np.full(len(monthly), np.nan), where=totals > 0)

    def charted(here: NDArray[np.bool_]) -> tuple[float | None, NDArray[np.float64], NDArray[np.float64]]:
        chart = laney_p_prime(np.where(here, events, 0), np.where(here, totals, 0))
        return chart.centre, chart.low, chart.high

    return _chart("share", metric, label, monthly, started, values, drawn, charted, events, totals)


def days_by_month(dataset: Dataset, selection: Selection = Selection()) -> MonthChart:
    """Chart of individual values (XmR) of the median days from a validation to its report, by month.

    Reports still open count as waiting (Kaplan–Meier): a month in which most are open has no median yet.
    """
    selection = selection.checked(dataset)
    label = "Median days to report"
    monthly, started = _monthly(dataset, selection, [])
    if monthly.empty:
        return MonthChart("days", "days_to_report", label, (), (), 0, 0, ("empty_selection",))
    found = counts(dataset, "values", ["metric", "month", "value", "event"], selection)
    found = found[found["metric"] == DURATIONS.index("days_to_report")]
    if found.empty:
        return MonthChart("days", "days_to_report", label, (), (), 0, 0, ("column_absent",))
    medians = {int(str(month)): _median(rows) for month, rows in found.groupby("month")}
    values = np.array([medians.get(int(month)) for month in monthly["month"]], float)
    drawn = (monthly["n"] >= FEWEST_A_MONTH).to_numpy() & ~np.isnan(values)

    def charted(here: NDArray[np.bool_]) -> tuple[float | None, NDArray[np.float64], NDArray[np.float64]]:
        chart = individuals_chart(np.where(here, values, np.nan))
        low = np.nan if chart.low is None else max(chart.low, 0.0)
        high = np.nan if chart.high is None else chart.high
        return chart.centre, np.full(len(values), low), np.full(len(values), high)

    return _chart("days", "days_to_report", label, monthly, started, values, drawn, charted)


def _monthly(dataset: Dataset, selection: Selection, sums: list[str]) -> tuple[pd.DataFrame, int | None]:
    """Every month of the selection with its counts, and the first month in which virtual validations were in use."""
    found = counts(dataset, "validations", ["month", "mode"], selection, sums=["n", *sums])
    start, end = selection.period(dataset)
    if found.empty or start > end or not found["n"].sum():
        return pd.DataFrame(), None
    months = pd.RangeIndex(month_number(start), month_number(end) + 1, name="month")
    monthly = found.groupby("month")[["n", *sums]].sum().reindex(months, fill_value=0).reset_index()
    virtual = (
        found[found["mode"] == "virtual"].groupby("month")["n"].sum().reindex(months, fill_value=0).to_numpy()
    )
    in_use = (virtual > 0) & (virtual >= MIN_SHARE_OF_A_QUARTER * monthly["n"].to_numpy())
    others = monthly["n"].to_numpy() > virtual
    # A selection of one mode has one phase.
    if not in_use.any() or not others.any():
        return monthly, None
    return monthly, int(months[in_use][0])


def _chart(
    kind: ChartKind,
    measure: str,
    label: str,
    monthly: pd.DataFrame,
    started: int | None,
    values: NDArray[np.float64],
    drawn: NDArray[np.bool_],
    charted: Any,
    events: NDArray[np.float64] | None = None,
    totals: NDArray[np.float64] | None = None,
) -> MonthChart:
    months = monthly["month"].to_numpy()
    number = np.zeros(len(months), int) if started is None else (months >= started).astype(int)
    rows: list[MonthRow] = []
    phases = []
    for phase in np.unique(number):
        here = number == phase
        centre, low, high = charted(here & drawn)
        shown = np.where(here & drawn, values, np.nan)
        told_limits = centre is not None and not np.isnan(low[here & drawn]).all()
        signs = nelson_signs(shown, centre, low, high) if centre is not None and told_limits else None
        points = int((here & drawn).sum())
        phases.append(
            Phase(int(months[here][0]), int(months[here][-1]), centre, points, points < ENOUGH_MONTHS)
        )
        for i in np.flatnonzero(here).tolist():
            limits = [finite_or_none(float(x[i])) if drawn[i] else None for x in (low, high)]
            reasons = _reasons(kind, i, values, centre, limits, signs) if drawn[i] and signs else ()
            rows.append(
                MonthRow(
                    int(months[i]), int(monthly["n"].iloc[i]), None if events is None else int(events[i]),
                    None if totals is None else int(totals[i]), finite_or_none(float(values[i])) if drawn[i] else None,
                    limits[0], limits[1], int(phase), bool(drawn[i]), reasons,
                )
            )  # fmt: skip
    provisional = any(phase.provisional and phase.points for phase in phases)
    caveats = ("few_periods",) if provisional else ()
    return MonthChart(
        kind,
        measure,
        label,
        tuple(rows),
        tuple(phases),
        int(monthly["n"].sum()),
        int((~drawn).sum()),
        caveats,
    )


def _reasons(
    kind: ChartKind,
    i: int,
    values: NDArray[np.float64],
    centre: float | None,
    limits: list[float | None],
    signs: Signs,
) -> tuple[Reason, ...]:
    def said(value: float | None) -> str:
        if value is None:
            return "–"
        return f"{value:.1%}" if kind == "share" else f"{value:.1f} days"

    out = []
    value = float(values[i])
    if signs.outside[i] and centre is not None:
        over = value > centre
        code, word, limit = (
            ("above_limits", "Above", limits[1]) if over else ("below_limits", "Below", limits[0])
        )
        out.append(Reason(code, f"{word} its limit: {said(value)}, limit {said(limit)}"))
    if signs.run[i] and centre is not None:
        side = "above" if value > centre else "below"
        out.append(
            Reason(
                "run_of_months", f"One of nine or more months in a row {side} the average of {said(centre)}"
            )
        )
    if signs.zigzag[i]:
        out.append(Reason("zigzag_of_months", "One of fourteen or more months that go up and down in turn"))
    return tuple(out)


def _median(rows: pd.DataFrame) -> float:
    if (rows["event"] == 1).all():
        return float(quantile_from_counts(rows["value"], rows["n"], [0.5])[0])
    curve = kaplan_meier(rows["value"], rows["event"], rows["n"])
    reached = curve.survival <= 0.5
    return float(curve.time[reached][0]) if reached.any() else float("nan")


def _label(name: str) -> str:
    return metric(name).label
