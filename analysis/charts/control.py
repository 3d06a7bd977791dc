"""Control chart by month: limits as blocks, one average a phase, a line that breaks where the phase changes."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt
import pandas as pd

from analysis.charts.months import month_axis
from analysis.charts.theme import NOTE_SIZE, TEXT_SIZE, PaletteName, colour, drawable, finished

ControlUnit = Literal["share", "days"]

_LABELS: dict[ControlUnit, str] = {
    "share": "format(datum.value * 100, '~r') + '%'",
    "days": "format(datum.value, '~r')",
}
_LINE = 15
_APART = 0.1
"""Part of the axis between two names: of points that stand closer only the first is named in the picture."""


def control_chart(
    months: pd.DataFrame,
    *,
    alt_text: str,
    gap_words: str = "",
    unit: ControlUnit = "share",
    height: int = 260,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """Months with their limits.

    Parameters
    ----------
    months : pandas.DataFrame
        Tidy, one row a month in order of time, also those not drawn. Columns: ``month`` (key from year 0), ``value``,
        ``low``, ``high``, ``centre`` (missing where there is none), ``phase``, ``outside``, ``run`` (bool), ``name`` and
        ``description``, ``words`` and ``limits`` (for tooltips).
    alt_text : str
        Text alternative of the chart.
    gap_words : str
        Said in the widest gap, where months are not drawn.
    unit : {"share", "days"}
        How values are written on the axis.
    height : int
        Height of the plot in pixels.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    frame = drawable(months.copy())
    frame["from"], frame["to"], frame["at"] = frame["month"], frame["month"] + 1, frame["month"] + 0.5
    first, last = int(frame["from"].min()), int(frame["to"].max())
    across = alt.Scale(domain=[first, last], nice=False, zero=False)
    drawn = frame.dropna(subset="value").copy()
    reach = pd.concat([drawn["value"], drawn["low"], drawn["high"]]).dropna()
    room = 0.05 * float(reach.max() - reach.min() or 1.0)
    # Words about a gap stand in a strip of their own below everything drawn.
    strip = _LINE * (2 + gap_words.count("\n")) if gap_words else 0
    foot = alt.ExprRef(f"height - {strip}") if strip else alt.ExprRef("height")
    span = [max(float(reach.min()) - room, 0.0), float(reach.max()) + room]
    up = alt.Scale(domain=span, nice=True, zero=False, range=[foot, 0])
    axis = month_axis(first, last, palette)

    def x(field: str) -> alt.X:
        return alt.X(field, type="quantitative", scale=across, axis=axis)

    def y(field: str) -> alt.Y:
        labels = alt.Axis(title=None, tickCount=5, grid=True, labelExpr=_LABELS[unit])
        return alt.Y(field, type="quantitative", scale=up, axis=labels)

    layers: list[alt.Chart | alt.LayerChart] = []
    limited = drawn.dropna(subset=["low", "high"])
    if not limited.empty:
        block = alt.Chart(limited)
        zone = block.mark_rect(fill=colour("margin", palette), clip=True, aria=False)
        layers.append(zone.encode(x=x("from"), x2=alt.X2("to:Q"), y=y("low"), y2=alt.Y2("high:Q")))
        edge = block.mark_rule(
            color=colour("other", palette), strokeDash=[4, 3], strokeWidth=1, clip=True, aria=False
        )
        layers += [edge.encode(x=x("from"), x2=alt.X2("to:Q"), y=y(end)) for end in ("low", "high")]
    centred = drawn.dropna(subset="centre")
    if not centred.empty:
        rule = alt.Chart(centred).mark_rule(color=colour("ink", palette), strokeWidth=1.25, aria=False)
        layers.append(rule.encode(x=x("from"), x2=alt.X2("to:Q"), y=y("centre")))
    # A line joins neighbours of one phase; a month that is not drawn breaks it.
    drawn["piece"] = (drawn["month"].diff().ne(1) | drawn["phase"].diff().ne(0)).cumsum()
    line = alt.Chart(drawn).mark_line(color=colour("muted", palette), strokeWidth=1.25, aria=False)
    layers.append(line.encode(x=x("at"), y=y("value"), detail=alt.Detail("piece:N")))
    layers += _points(drawn, x, y, palette)
    layers += _names(drawn[drawn["outside"]], first, last, x, y, palette)
    if gap_words and len(drawn) < len(frame):
        layers += _gap(frame, first, last, gap_words, x, palette)
    return finished(layers, height=height + strip, alt_text=alt_text, palette=palette)


def _points(drawn: pd.DataFrame, x: Any, y: Any, palette: PaletteName) -> list[alt.Chart]:
    tooltip = [
        alt.Tooltip("name:N", title="Month"),
        alt.Tooltip("words:N", title="Value"),
        alt.Tooltip("limits:N", title="Limits"),
    ]
    looks: tuple[tuple[Any, str, int, bool, bool], ...] = (
        (~drawn["outside"] & ~drawn["run"], "circle", 34, False, False),
        (~drawn["outside"] & drawn["run"], "circle", 40, True, True),
        (drawn["outside"], "triangle-up", 90, True, True),
    )
    layers = []
    for which, shape, size, filled, signal in looks:
        part = drawn[which]
        if part.empty:
            continue
        hue = colour("signal" if signal else "muted", palette)
        mark = alt.Chart(part).mark_point(
            shape=shape,
            size=size,
            opacity=1,
            stroke=hue,
            strokeWidth=1.5,
            fill=hue if filled else colour("paper", palette),
        )
        layers.append(
            mark.encode(
                x=x("at"), y=y("value"), description=alt.Description("description:N"), tooltip=tooltip
            )
        )
    return layers


def _names(
    outside: pd.DataFrame, first: int, last: int, x: Any, y: Any, palette: PaletteName
) -> list[alt.Chart]:
    """Months outside by name, at the side on which there is room; the table names them all."""
    kept: list[int] = []
    for i, at in enumerate(outside["at"]):
        if not kept or at - outside["at"].iloc[kept[-1]] > _APART * (last - first):
            kept.append(i)
    outside = outside.iloc[kept]
    layers = []
    for near_end in (False, True):
        part = outside[(outside["at"] > first + 0.85 * (last - first)) == near_end]
        if not part.empty:
            text = alt.Chart(part).mark_text(
                align="right" if near_end else "left", dx=-10 if near_end else 10, baseline="middle", fontSize=TEXT_SIZE,
                fontWeight=600, color=colour("signal", palette), aria=False,
            )  # fmt: skip
            layers.append(text.encode(x=x("at"), y=y("value"), text=alt.Text("name:N")))
    return layers


def _gap(
    frame: pd.DataFrame, first: int, last: int, words: str, x: Any, palette: PaletteName
) -> list[alt.Chart]:
    """Words at the foot of the longest stretch of months that are not drawn."""
    missing = frame[frame["value"].isna()]
    stretch = (missing["month"].diff().ne(1)).cumsum()
    longest = missing[stretch == stretch.value_counts().idxmax()]
    at = pd.DataFrame({"at": [float(longest["from"].iloc[0] + longest["to"].iloc[-1]) / 2]})
    place = (at["at"].iloc[0] - first) / (last - first)
    align: Literal["left", "center", "right"] = (
        "left" if place < 0.3 else "right" if place > 0.7 else "center"
    )
    text = alt.Chart(at).mark_text(
        align=align, baseline="bottom", dy=-6 - _LINE * words.count("\n"), fontSize=NOTE_SIZE, lineHeight=_LINE, color=colour("muted", palette), aria=False
    )  # fmt: skip
    return [text.encode(x=x("at"), y=alt.YValue("height"), text=alt.TextValue(words.split("\n")))]
