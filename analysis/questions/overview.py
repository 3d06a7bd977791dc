"""Where do we stand? Key statistics of a selection, validations per month by mode, published figures."""

from __future__ import annotations

import csv
import dataclasses
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis import wording
from analysis.counts import available, counts
from analysis.datasets.cells import DURATIONS
from analysis.questions.overview_changes import comparable_periods, with_changes
from analysis.questions.overview_records import Monthly, Overview, Statistic
from analysis.schema import DATA_FOLDER
from analysis.selection import Selection, month_number
from analysis.stats.durations import quantile_from_counts
from analysis.stats.proportions import wilson
from analysis.stats.rates import arm_rate
from analysis.stats.survival import kaplan_meier

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset


def overview(dataset: Dataset, selection: Selection = Selection()) -> Overview:
    """Key statistics of a selection.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    selection = selection.checked(dataset)
    quarters = _quarters(dataset, selection)
    n, statistics = _statistics(dataset, selection, quarters)
    periods = comparable_periods(dataset, selection)
    if periods is not None:
        latest, before = (_statistics(dataset, each, ())[1] for each in (periods.latest, periods.before))
        statistics = list(with_changes(statistics, latest, before))
    caveats: tuple[str, ...] = () if dataset.criteria_asked else ("criteria_asked_unknown",)
    if periods is None and n:
        caveats += ("no_earlier_period",)
    answer = Overview(
        tuple(statistics), quarters, n, "", caveats,
        periods.words(dataset) if periods else "", periods.before_name if periods else "", periods.latest_name if periods else "",
    )  # fmt: skip
    return dataclasses.replace(answer, sentence=_sentence(answer, dataset, selection))


def _statistics(
    dataset: Dataset, selection: Selection, quarters: tuple[int, ...]
) -> tuple[int, list[Statistic]]:
    """How many validations there are, and all statistics of them."""
    statistics: list[Statistic] = []
    n = 0
    if available(dataset, "validations"):
        by_mode = counts(dataset, "validations", ["mode"], selection)
        n = int(by_mode["n"].sum())
        statistics += _volume(dataset, selection, by_mode, quarters)
        statistics += _found(dataset, selection, quarters)
        statistics += _overdue(dataset, selection)
        statistics += _waiting(dataset, selection, quarters)
    if available(dataset, "incidents"):
        statistics.append(_incidents(dataset, selection, quarters))
    return n, statistics


def validations_by_month(dataset: Dataset, selection: Selection = Selection()) -> Monthly:
    """Validations per month and mode.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    counted = counts(dataset, "validations", ["month", "mode"], selection.checked(dataset))
    rows = tuple(
        (int(month), mode, int(n))
        for month, mode, n in counted[["month", "mode", "n"]].itertuples(index=False)
    )
    return Monthly(rows, int(counted["n"].sum()))


def first_virtual_month(dataset: Dataset) -> int | None:
    """Month key of the first virtual validation of the dataset."""
    by_month = counts(dataset, "validations", ["month", "mode"])
    months = by_month.loc[by_month["mode"] == "virtual", "month"]
    return int(months.min()) if len(months) else None


def published_figures() -> pd.DataFrame:
    """Figures the program has published, each with its period and source."""
    with open(DATA_FOLDER / "published" / "figures.csv", encoding="utf-8", newline="") as file:
        return pd.DataFrame(list(csv.DictReader(file)))


def _quarters(dataset: Dataset, selection: Selection) -> tuple[int, ...]:
    start, end = selection.period(dataset)
    return tuple(range(month_number(start) // 3, month_number(end) // 3 + 1)) if start <= end else ()


def _by_quarter(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(quarter=frame["month"] // 3)


def _volume(
    dataset: Dataset, selection: Selection, by_mode: pd.DataFrame, quarters: tuple[int, ...]
) -> list[Statistic]:
    n = int(by_mode["n"].sum())
    monthly = _by_quarter(counts(dataset, "validations", ["month", "mode"], selection))
    total = monthly.groupby("quarter")["n"].sum()
    virtual = monthly[monthly["mode"] == "virtual"].groupby("quarter")["n"].sum()
    done = int(by_mode.loc[by_mode["mode"] == "virtual", "n"].sum())
    shares = {q: virtual.get(q, 0) / total[q] for q in total.index if total[q]}
    name = dataset.modes["virtual"]
    # Distinct members cannot be added up over cells: this is read from prepared rows.
    members = counts(dataset, "validations", ["member"], selection, via="rows")
    known = dataset.row_counts.get("members")
    return [
        Statistic("validations", "Validations completed", "count", "validation", n, None, float(n), series=_series(total, quarters)),
        Statistic(
            "virtual", f"of which {'virtual' if name == 'Virtual' else name}",
            "share", "validation", done, n, done / n if n else None,
            wilson(done, n).interval() if n else None, series=_series(shares, quarters), reason=None if n else "empty_selection",
        ),
        Statistic("members", "Members validated", "count", "member", len(members), known, float(len(members))),
    ]  # fmt: skip


def _found(dataset: Dataset, selection: Selection, quarters: tuple[int, ...]) -> list[Statistic]:
    out = []
    shares = [("any_deficiency", "Any deficiency", "has_assessed")]
    if dataset.catalogue_has_levels:
        shares.insert(0, ("any_must_deficiency", "Any Must deficiency", "has_must_assessed"))
    names = [name for share in shares for name in (share[0], share[2])]
    monthly = _by_quarter(counts(dataset, "validations", ["month"], selection, sums=["n", *names]))
    for name, label, below in shares:
        y, d = int(monthly[name].sum()), int(monthly[below].sum())
        by_quarter = monthly.groupby("quarter")[[name, below]].sum()
        series = {q: row[name] / row[below] for q, row in by_quarter.iterrows() if row[below] >= 10}
        reason = None if d else "zero_denominator"
        if not dataset.clean_validations:
            y, d, series, reason = y, 0, {}, "clean_validations_unknown"
        out.append(
            Statistic(
                name,
                label,
                "share",
                "validation",
                y,
                d,
                y / d if d else None,
                wilson(y, d).interval() if d else None,
                series=_series(series, quarters),
                reason=reason,
            )
        )
    return out + _rates(dataset, selection, quarters)


def _rates(dataset: Dataset, selection: Selection, quarters: tuple[int, ...]) -> list[Statistic]:
    """Must and Should deficiencies per 100 criteria assessed, clustered by specialist."""
    if not dataset.criteria_asked:
        return [
            Statistic("deficiency_rate", "Deficiencies per 100 criteria assessed", "rate", "criterion",
                      reason="criteria_asked_unknown")
        ]  # fmt: skip
    sums = ["n_deficient", "n_assessed", "n_must_deficient", "n_must_assessed"]
    rows = counts(dataset, "validations", ["quarter", "specialist"], selection, sums=sums, via="rows")
    out = []
    parts = [
        (
            "must_deficiency_rate",
            "Must deficiencies per 100 assessed",
            rows["n_must_deficient"],
            rows["n_must_assessed"],
        )
    ]
    parts.append(
        ("should_deficiency_rate", "Should deficiencies per 100 assessed",
         rows["n_deficient"] - rows["n_must_deficient"], rows["n_assessed"] - rows["n_must_assessed"])
    )  # fmt: skip
    if not dataset.catalogue_has_levels:
        parts = [
            ("deficiency_rate", "Deficiencies per 100 assessed", rows["n_deficient"], rows["n_assessed"])
        ]
    for name, label, y, d in parts:
        found = arm_rate(y, d, cluster=rows["specialist"]) if len(rows) else None
        by_quarter = pd.DataFrame({"q": rows["quarter"], "y": y, "d": d}).groupby("q").sum()
        series = {q: row["y"] / row["d"] for q, row in by_quarter.iterrows() if row["d"] > 0}
        out.append(
            Statistic(
                name,
                label,
                "rate",
                "criterion",
                int(y.sum()),
                int(d.sum()),
                found.estimate if found else None,
                found.interval if found else None,
                series=_series(series, quarters),
                reason=None if found and found.estimate is not None else "zero_denominator",
            )
        )
    return out


def _overdue(dataset: Dataset, selection: Selection) -> list[Statistic]:
    """Validations due before the end of the period, not done by then, of members who had not left."""
    if not available(dataset, "backlog"):
        return []
    at = month_number(selection.period(dataset)[1]) + 1
    plain = selection.without(
        "modes", "start", "end", "risks", "kinds", "locations", "focus_areas", "transport_modes"
    )
    rows = counts(dataset, "backlog", ["due_month", "done_month", "left_month"], plain)
    here = (rows["due_month"] < at) & ~(rows["left_month"] < at)
    open_then = here & ~(rows["done_month"] < at)
    overdue, due = int(rows.loc[open_then, "n"].sum()), int(rows.loc[here, "n"].sum())
    share = overdue / due if due else None
    return [
        Statistic("overdue", "Validations overdue", "count", "validation", overdue, due, share,
                  wilson(overdue, due).interval() if due else None)
    ]  # fmt: skip


def _waiting(dataset: Dataset, selection: Selection, quarters: tuple[int, ...]) -> list[Statistic]:
    """Median days to report and to close, open ones counted as still waiting (Kaplan–Meier median)."""
    out = []
    values = counts(dataset, "values", ["metric", "month", "value", "event"], selection)
    for name, label in (
        ("days_to_report", "Days to report, median"),
        ("days_to_close", "Days to close, median"),
    ):
        mine = values[values["metric"] == DURATIONS.index(name)]
        if not len(mine):
            continue
        quarterly = _by_quarter(mine)
        series = {q: _quantiles(rows)[1] for q, rows in quarterly.groupby("quarter") if rows["n"].sum() >= 10}
        low, median, high = _quantiles(mine)
        half = (low, high) if low is not None and high is not None else None
        out.append(
            Statistic(name, label, "days", "validation", None, int(mine["n"].sum()), median, None, half,
                      _series(series, quarters), None if median is not None else "horizon_not_reached")
        )  # fmt: skip
    return out


def _quantiles(rows: pd.DataFrame) -> list[float | None]:
    if (rows["event"] == 1).all():
        return [float(q) for q in quantile_from_counts(rows["value"], rows["n"], [0.25, 0.5, 0.75])]
    curve = kaplan_meier(rows["value"], rows["event"], rows["n"])
    out: list[float | None] = []
    for q in (0.25, 0.5, 0.75):
        reached = curve.survival <= 1 - q
        out.append(float(curve.time[reached][0]) if reached.any() else None)
    return out


def _incidents(dataset: Dataset, selection: Selection, quarters: tuple[int, ...]) -> Statistic:
    monthly = _by_quarter(counts(dataset, "incidents", ["month"], selection))
    total = monthly.groupby("quarter")["n"].sum()
    n = int(monthly["n"].sum())
    return Statistic(
        "incidents", "Incidents", "count", "incident", n, None, float(n), series=_series(total, quarters)
    )


def _series(values: Any, quarters: tuple[int, ...]) -> tuple[float | None, ...]:
    return tuple(float(values[q]) if q in values and values[q] is not None else None for q in quarters)


def _sentence(answer: Overview, dataset: Dataset, selection: Selection) -> str:
    start, end = selection.period(dataset)
    if not answer.n:
        incidents = answer.statistic("incidents")
        if incidents and incidents.count and not available(dataset, "validations"):
            when = wording.period(start, end)
            return f"The offices recorded **{wording.counted(incidents.count, 'incident')}** in {when}."
        return "No validations match these filters."
    when = wording.period(start, end).removesuffix(" (calendar)")
    parts = [
        f"From {when.replace(' – ', ' to ')} the offices completed **{wording.counted(answer.n, 'validation')}**"
    ]
    virtual = answer.statistic("virtual")
    if virtual and virtual.value is not None:
        name = virtual.label.removeprefix("of which ")
        parts[0] += f", {wording.percent(virtual.value)} of them {name}"
    found = answer.statistic("any_must_deficiency") or answer.statistic("any_deficiency")
    text = f"{parts[0]}."
    if found and found.value is not None:
        what = "a Must deficiency" if found.id == "any_must_deficiency" else "a deficiency"
        interval = wording.interval(found.interval, "share")
        text += f" **{wording.percent(found.value, found.n)}** found {what} ({interval})."
    overdue = answer.statistic("overdue")
    narrowed = (
        selection.modes or selection.risks or selection.kinds or selection.locations or selection.focus_areas
    )
    if overdue and overdue.count is not None and not narrowed:
        one = overdue.count == 1
        text += f" {wording.counted(overdue.count, 'validation')} {'is' if one else 'are'} overdue."
    return text
