"""Love plot: how far apart two modes' validations are in each thing recorded, before and after weighting."""

from __future__ import annotations

import dataclasses

import altair as alt
import pandas as pd

from analysis.charts.axes import value_axis
from analysis.charts.rows import y_of
from analysis.charts.theme import NOTE_SIZE, TEXT_SIZE, PaletteName, colour, drawable, finished

ROW_HEIGHT = 26
ROOM_FOR_LABELS = 0.46


def love_plot(
    frame: pd.DataFrame,
    *,
    alt_text: str,
    title: str,
    limit: float = 0.1,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """One row a value: open circle before, filled after, joined by a hairline; shaded where balance is taken as given.

    Parameters
    ----------
    frame : pandas.DataFrame
        In reading order. Columns: ``label``, ``before``, ``after`` (sizes of standardised differences; ``after``
        missing where there is no weighting), ``words`` (for the tooltip) and ``description`` (read out).
    alt_text, title : str
        Text alternative; axis title.
    limit : float
        Up to this, balance is taken as given.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    rows = drawable(frame.reset_index(drop=True).copy())
    rows["y"] = rows.index + 0.8
    both = rows.dropna(subset=["after"])
    axis = value_axis([0.0, *rows["before"], *both["after"]], "number", include=(limit,))
    # Labels stand left of zero, where no size can be.
    domain = [-axis.high * ROOM_FOR_LABELS / (1 - ROOM_FOR_LABELS), axis.high]
    axis = dataclasses.replace(axis, scale=alt.Scale(domain=domain, nice=False, zero=False))
    scale = alt.Scale(domain=[len(rows) + 0.3, 0], nice=False, zero=False)
    hue, grey = colour("ink", palette), colour("other", palette)
    zone = alt.Chart(pd.DataFrame({"low": [0.0], "high": [limit]}))
    edge = alt.Chart(pd.DataFrame({"low": [limit]}))
    layers: list[alt.Chart | alt.LayerChart] = [
        zone.mark_rect(color=colour("margin", palette), aria=False).encode(
            x=axis.encode("low", title, palette), x2=alt.X2("high:Q")
        ),
        edge.mark_rule(color=grey, strokeDash=[4, 3], strokeWidth=1.25, aria=False).encode(
            x=axis.encode("low", title, palette)
        ),
    ]
    tooltip = [alt.Tooltip("label:N", title="Recorded"), alt.Tooltip("words:N", title="Difference")]
    if not both.empty:
        line = alt.Chart(both).mark_rule(color=grey, strokeWidth=1, aria=False)
        layers.append(
            line.encode(x=axis.encode("before", title, palette), x2=alt.X2("after:Q"), y=y_of("y", scale))
        )
    for field, part, fill in (("before", rows, colour("paper", palette)), ("after", both, hue)):
        if part.empty:
            continue
        at = {"x": axis.encode(field, title, palette), "y": y_of("y", scale)}
        mark = alt.Chart(part).mark_point(
            shape="circle", size=80, stroke=hue, strokeWidth=1.6, fill=fill, opacity=1
        )
        layers.append(mark.encode(tooltip=tooltip, description=alt.Description("description:N"), **at))
        named = alt.Chart(part.head(1)).mark_text(
            dy=-13, align="right" if field == "before" else "left", color=colour("muted", palette), fontSize=NOTE_SIZE,
            text=field, aria=False,
        )  # fmt: skip
        layers.append(named.encode(**at))
    names = alt.Chart(rows).mark_text(
        align="left", baseline="middle", fontSize=TEXT_SIZE, color=hue, aria=False,
        limit=alt.ExprRef(f"width * {ROOM_FOR_LABELS - 0.03:.2f}"),
    )  # fmt: skip
    layers.append(names.encode(x=alt.XValue(0), y=y_of("y", scale), text=alt.Text("label:N")))
    return finished(layers, height=ROW_HEIGHT * max(len(rows), 1) + 8, alt_text=alt_text, palette=palette)
