"""Figures of the Overview page."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, KeyEntry
from analysis.charts.months import Annotation, time_columns
from analysis.charts.tables import plain_table
from analysis.charts.theme import PaletteName
from analysis.charts.tiles import Tile, tiles
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, when
from analysis.figures.comparison_words import at_most
from analysis.questions.overview import (
    first_virtual_month,
    overview,
    published_figures,
    validations_by_month,
)
from analysis.questions.overview_records import Overview, Statistic
from analysis.questions.window import MODES
from analysis.selection import month_start

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

ON_SITE_STOPPED = dt.date(2020, 4, 1)


def statistics(dataset: Dataset, selection: Selection) -> Figure:
    """Key statistics as tiles, with a line by quarter."""
    answer = asked(overview, dataset, selection)
    if answer.n == 0 and not dataset.has("incidents"):
        return Figure("overview.statistics", "Key statistics", state=empty_state(dataset, selection))
    shown = [_tile(statistic, answer) for statistic in answer.statistics]
    table = pd.DataFrame(
        [
            {"Statistic": t.label, "Value": t.value, "Interval or count": t.detail, "Change": t.change}
            for t in shown
        ]
    )
    if not table["Change"].any():
        table = table.drop(columns="Change")
    alt = "Key statistics: " + "; ".join(f"{t.label.lower()} {t.value}" for t in shown[:5])
    quarters = (
        f"Small lines: {len(answer.quarters)} quarters, each on its own scale"
        if len(answer.quarters) > 1
        else ""
    )
    return Figure(
        id="overview.statistics",
        title="",
        caption=caption(
            quarters,
            "Ranges are 95% intervals unless said otherwise",
            f"Changes, unadjusted: {answer.periods}" if answer.periods else "",
            when(dataset, selection),
        ),
        alt=at_most(alt),
        html=tiles(shown),
        data=answer.to_frame(),
        table=table,
        finding="Where we stand: key statistics",
    )


def months(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Validations per month by mode."""
    answer = asked(validations_by_month, dataset, selection)
    counted = answer.to_frame()
    of_modes = counted[counted["mode"].isin(MODES)]
    two = of_modes.dropna(subset=["n"]).astype({"n": "int64"})
    measure = "Validations completed per month, by validation mode"
    if two.empty:
        return Figure(
            "overview.months", "Validations per month", measure, state=empty_state(dataset, selection)
        )
    frame = two.assign(month=[month_start(int(m)) for m in two["month"]])
    others = _others(counted)
    not_drawn = [f"{wording.number(k)} {dataset.label('mode', str(m)).lower()}" for m, k in others.items()]
    labels = {mode: dataset.modes[mode] for mode in MODES}
    if of_modes["n"].isna().any():
        # What is drawn adds up to less than there is: it has no share and no busiest month.
        title = "Validations per month, small counts hidden"
        alt = f"Columns of validations per month, {labels['virtual']} and {labels['in_person']}; counts of 1 to 4 are not shown."
    else:
        title, alt = _months_in_words(frame, answer.n, labels)
    wide = two.pivot_table(index="month", columns="mode", values="n", aggfunc="sum", fill_value=0)
    table = pd.DataFrame({"Month": [wording.month(month_start(int(m))) for m in wide.index]})
    for mode in MODES:
        if mode in wide:
            table[labels[mode]] = [wording.number(v) for v in wide[mode]]
    return Figure(
        id="overview.months",
        title=title,
        measure=measure,
        caption=caption(
            f"n = {wording.counted(answer.n, 'validation')}" if answer.n is not None else "",
            f"Counted but not drawn: {wording.listed(not_drawn)}" if not_drawn else "",
            reasons.words("suppressed") if answer.caveats else "",
            when(dataset, selection),
        ),
        alt=alt,
        chart=time_columns(
            frame, labels=labels, alt_text=alt, annotations=turning_points(dataset), palette=palette
        ),
        key=(KeyEntry("virtual", labels["virtual"]), KeyEntry("in_person", labels["in_person"])),
        data=counted.assign(month=[month_start(int(m)).isoformat() for m in counted["month"]]),
        table=table,
    )


def _others(counted: pd.DataFrame) -> dict[str, int]:
    """Validations of modes outside the comparison; a mode of which a month is hidden has no total."""
    others = counted[~counted["mode"].isin(MODES)]
    return {
        str(mode): int(part["n"].sum()) for mode, part in others.groupby("mode") if part["n"].notna().all()
    }


def published(dataset: Dataset, selection: Selection) -> Figure:
    """What the program has published, for orientation."""
    figures = published_figures()
    table = figures.rename(
        columns={
            "figure": "Figure",
            "value": "Value",
            "period": "Period",
            "source": "Source",
            "source_date": "Published",
        }
    )
    table["Published"] = [_published_on(text) for text in table["Published"]]
    return Figure(
        id="overview.published",
        title="Published program figures",
        measure="As published, for orientation; not computed from the data above",
        caption=caption("Real figures of the program, each with its source; periods differ"),
        alt="Table of figures the program has published, each with period and source.",
        html=plain_table(
            table, caption="Published program figures", numbers=["Value"], strong=["Value"],
            second={"Source": "Published"},
        ),
        data=figures,
        table=table,
        tag="PUBLISHED",
        synthetic=False,
    )  # fmt: skip


def turning_points(dataset: Dataset) -> list[Annotation]:
    """The two turning points of 2020, for data in which virtual really began then."""
    first = first_virtual_month(dataset)
    if dataset.modes["virtual"] != "Virtual" or first is None:
        return []
    start = month_start(first)
    out = [Annotation(start, (wording.month_long(start), "first virtual validation"), "after")]
    if start >= ON_SITE_STOPPED:
        out.insert(0, Annotation(ON_SITE_STOPPED, ("April 2020", "on-site work stops"), "before"))
    return out


def _months_in_words(frame: pd.DataFrame, n: int | None, labels: dict[str, str]) -> tuple[str, str]:
    total = frame.groupby("month")["n"].sum()
    busiest = total.idxmax()
    virtual = frame[frame["mode"] == "virtual"]
    # Of all validations, where their number may be told; else of those drawn.
    share = virtual["n"].sum() / (n or frame["n"].sum())
    name = labels["virtual"]
    if name == "Virtual" and len(virtual):
        first = min(virtual["month"])
        if first > min(total.index):
            title = f"Virtual validations began in {wording.month_long(first)}"
        else:
            title = f"{wording.percent(share)} of validations were virtual"
    else:
        title = f"{wording.percent(share)} of validations were {name}"
    alt = (
        f"Columns of validations per month. Busiest: {wording.month(busiest)} with {wording.number(int(total.max()))}. "
        f"{name} makes up {wording.percent(share)} of the period."
    )
    return title, alt


def _tile(statistic: Statistic, answer: Overview) -> Tile:
    value, detail = value_words(statistic)
    return Tile(statistic.label, value, detail, _change_words(statistic, answer), statistic.series)


def value_words(statistic: Statistic) -> tuple[str, str]:
    """A key statistic as people read it: its value, and its interval, count or reason."""
    value, detail = wording.NOT_ESTIMABLE, ""
    if statistic.reason:
        detail = reasons.words(statistic.reason)
    elif statistic.scale == "count" and statistic.count is not None:
        value = wording.number(statistic.count)
        if statistic.id == "overdue" and statistic.n:
            detail = f"{wording.percent(statistic.value or 0)} of those due"
        elif statistic.n:
            detail = f"of {wording.number(statistic.n)}"
    elif statistic.value is not None and statistic.scale == "days":
        value = wording.amount(statistic.value, "days")
        if statistic.middle_half:
            low, high = (wording.amount(v, "days") for v in statistic.middle_half)
            detail = f"middle half {low}{wording.EN_DASH}{high}"
    elif statistic.value is not None:
        per_hundred = statistic.scale == "rate"
        value = (
            wording.number(statistic.value * 100, 2)
            if per_hundred
            else wording.percent(statistic.value, statistic.n)
        )
        if statistic.id == "virtual":
            detail = wording.number(statistic.count or 0)
        elif statistic.interval:
            detail = _range(statistic, per_hundred=per_hundred)
    return value, detail


def _change_words(statistic: Statistic, answer: Overview) -> str:
    """A change as "−1.1 points on FY21 (−3.9 to +1.7)"."""
    change = statistic.change
    if change is None:
        return ""
    bounds = ""
    if statistic.scale == "share":
        amount = f"{wording.points(change.difference)} points"
        bounds = wording.interval(change.interval, "difference") if change.interval else ""
    elif statistic.scale == "rate":
        amount = f"{wording.signed(change.difference * 100, 2)} per 100"
        if change.interval:
            low, high = (wording.signed(end * 100, 2) for end in (change.interval.low, change.interval.high))
            bounds = f"{low} to {high}"
    elif statistic.scale == "days":
        amount = f"{wording.signed(change.difference, 0)} days"
    else:
        amount = wording.signed(change.difference, 0)
    when = f"{answer.latest}: " if answer.latest else ""
    return f"{when}{amount} on {answer.before}" + (f" ({bounds})" if bounds else "")


def _range(statistic: Statistic, *, per_hundred: bool) -> str:
    assert statistic.interval is not None
    decimals = 2 if per_hundred else 1
    low, high = (wording.number(v * 100, decimals) for v in (statistic.interval.low, statistic.interval.high))
    return f"{low}{wording.EN_DASH}{high}"


def _published_on(text: str) -> str:
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 3:
        return wording.date(dt.date(*parts))
    return wording.month(dt.date(parts[0], parts[1], 1)) if len(parts) == 2 else text
