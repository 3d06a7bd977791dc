"""Time columns: validations per month by mode, in person below and virtual above."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from analysis.charts.theme import NOTE_SIZE, PaletteName, colour, drawable, finished

_MONTHS = "['Jan','Feb','Mar','Apr','May','Jun','Jul','Aug','Sep','Oct','Nov','Dec']"
_LINE = 16
ROW = 2 * _LINE + 8


@dataclass(frozen=True, slots=True)
class Annotation:
    """A month worth a word: a dotted line at its start and two short lines of text.

    `side` is where the words stand if there is room: ``before`` or ``after`` the line.
    """

    month: dt.date
    words: tuple[str, str]
    side: str = "after"


def time_columns(
    frame: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    alt_text: str,
    annotations: Sequence[Annotation] = (),
    unit: str = "validations",
    height: int = 250,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """Stacked columns of counts per month.

    Parameters
    ----------
    frame : pandas.DataFrame
        Tidy. Columns: ``month`` (date: any day of the month), ``mode`` (``virtual`` or ``in_person``), ``n``.
    labels : mapping
        Mode → its name, e.g. ``{"virtual": "Virtual", "in_person": "In person"}``.
    alt_text : str
        Text alternative of the chart.
    annotations : sequence of Annotation
        Drawn only where the axis crosses them.
    unit : str
        What is counted, for tooltips and descriptions.
    height : int
        Height of the plot in pixels.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    columns = drawable(_stacked(frame, labels, unit))
    first, last = int(columns["start"].min()), int(columns["end"].max())
    scale = alt.Scale(domain=[first, last], nice=False, zero=False)
    placed = placed_annotations([a for a in annotations if first < month_key(a.month) < last], first, last)
    rows = max((raised + 1 for *_, raised in placed), default=0)
    # Words stand inside the plot, above the columns: were they outside, the plot would shrink to fit them.
    head = rows * ROW
    top = alt.Scale(domainMin=0, nice=True, range=[alt.ExprRef("height"), head])
    x = alt.X("start:Q", scale=scale, axis=month_axis(first, last, palette))
    y = alt.Y(
        "base:Q",
        scale=top,
        axis=alt.Axis(title=None, tickCount=5, grid=True, format=",d", tickMinStep=1),
    )
    layers: list[alt.Chart | alt.LayerChart] = []
    for mode in ("in_person", "virtual"):
        part = columns[columns["mode"] == mode]
        if part.empty:
            continue
        look: dict[str, Any]
        if mode == "virtual":
            look = {
                "fill": colour("virtual", palette),
                "stroke": colour("paper", palette),
                "strokeWidth": 0.5,
            }
        else:
            look = {
                "fill": colour("tint_in_person", palette),
                "stroke": colour("in_person", palette),
                "strokeWidth": 1,
            }
        layers.append(
            alt.Chart(part)
            .mark_rect(**look)
            .encode(
                x=x,
                x2=alt.X2("end:Q"),
                y=y,
                y2=alt.Y2("top:Q"),
                description=alt.Description("description:N"),
                tooltip=[
                    alt.Tooltip("month_words:N", title="Month"),
                    alt.Tooltip("arm:N", title="Mode"),
                    alt.Tooltip("n:Q", title=unit.capitalize(), format=","),
                    alt.Tooltip("share_words:N", title="Share of the month"),
                ],
            )
        )
    for annotation, side, raised in placed:
        layers += annotation_layers(annotation, side, head - (raised + 1) * ROW, scale, palette)
    return finished(layers, height=head + height, alt_text=alt_text, palette=palette)


def month_key(day: dt.date) -> int:
    """Months since year 0: a time axis without time zones."""
    return day.year * 12 + day.month - 1


def _stacked(frame: pd.DataFrame, labels: Mapping[str, str], unit: str) -> pd.DataFrame:
    counts = frame[frame["mode"].isin(("virtual", "in_person")) & (frame["n"] > 0)].copy()
    counts["start"] = [month_key(day) for day in counts["month"]]
    wide = counts.groupby(["start", "mode"])["n"].sum().unstack(fill_value=0)
    below = wide.get("in_person", pd.Series(0, index=wide.index))
    total = wide.sum(axis=1)
    counts = counts.groupby(["start", "mode"], as_index=False)["n"].sum()
    counts["end"] = counts["start"] + 1
    virtual = counts["mode"] == "virtual"
    counts["base"] = counts["start"].map(below).where(virtual, 0)
    counts["top"] = counts["base"] + counts["n"]
    counts["arm"] = counts["mode"].map(lambda mode: labels[mode])
    counts["month_words"] = [f"{dt.date(key // 12, key % 12 + 1, 1):%b %Y}" for key in counts["start"]]
    share = counts["n"] / counts["start"].map(total)
    counts["share_words"] = [f"{part:.0%}" for part in share]
    counts["description"] = [
        f"{month}: {n:,} {unit} {arm.lower()}"
        for month, n, arm in zip(counts["month_words"], counts["n"], counts["arm"], strict=True)
    ]
    return counts


def month_axis(first: int, last: int, palette: PaletteName) -> alt.Axis:
    """A time axis over month keys: years where there are two of them, else months."""
    years = [month for month in range(first, last) if month % 12 == 0]
    if len(years) >= 2:
        values, label = years, "format(floor(datum.value / 12), 'd')"
    else:
        step = 1 if last - first <= 6 else 3 if last - first <= 24 else 6
        values = [month for month in range(first, last) if month % step == 0]
        label = f"{_MONTHS}[datum.value % 12] + ' ' + format(floor(datum.value / 12), 'd')"
    return alt.Axis(
        title=None,
        values=values,
        labelExpr=label,
        labelAlign="left",
        grid=False,
        domain=True,
        ticks=True,
        tickSize=5,
        domainColor=colour("rule", palette),
        labelOverlap=True,
    )


def placed_annotations(
    annotations: Sequence[Annotation], first: int, last: int
) -> list[tuple[Annotation, str, int]]:
    """Side and row of each label: it changes side near an edge, and rises where two would meet."""
    placed: list[tuple[Annotation, str, int]] = []
    for annotation in sorted(annotations, key=lambda a: a.month):
        place = (month_key(annotation.month) - first) / (last - first)
        side = annotation.side
        if side == "before" and place < 0.4:
            side = "after"
        if side == "after" and place > 0.62:
            side = "before"
        raised = sum(1 for _, other, _ in placed if other == side)
        placed.append((annotation, side, raised))
    return placed


def annotation_layers(
    annotation: Annotation, side: str, top: int, scale: alt.Scale, palette: PaletteName
) -> list[alt.Chart]:
    """The dotted line of an annotation and its words, which begin `top` pixels below the top of the plot."""
    at = pd.DataFrame({"start": [month_key(annotation.month)]})
    x = alt.X("start:Q", scale=scale)
    line = alt.Chart(at).mark_rule(
        strokeDash=[2, 2], strokeWidth=1.5, color=colour("ink", palette), aria=False
    )
    words = alt.Chart(at).mark_text(
        align="right" if side == "before" else "left",
        baseline="top",
        dx=-6 if side == "before" else 6,
        fontSize=NOTE_SIZE,
        lineHeight=_LINE,
        color=colour("ink", palette),
        aria=False,
    )
    return [
        line.encode(x=x, y=alt.YValue(top), y2=alt.Y2Value("height")),
        words.encode(x=x, y=alt.YValue(top + 2), text=alt.TextValue(list(annotation.words))),
    ]
