"""Forest: several ways of asking the same question, against the margin set beforehand."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.charts.axes import Unit, value_axis
from analysis.charts.rows import interval_lines, labels, points, row_scale
from analysis.charts.theme import PaletteName, colour, drawable, finished

ROW_HEIGHT = 42
ROOM_FOR_NUMBERS = 0.31


def forest(
    frame: pd.DataFrame,
    *,
    alt_text: str,
    title: str,
    unit: Unit = "points",
    margin: tuple[float, float] | None = None,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """One row a method: the primary one in ink, the others grey, the crude one an open diamond.

    Parameters
    ----------
    frame : pandas.DataFrame
        In reading order. Columns: ``label``, ``role`` (``primary``, ``alternative`` or ``crude``),
        ``estimate``, ``low``, ``high`` (missing where not estimable), ``result`` (words at the right edge:
        the estimate with its interval, or why there is none), ``n_words`` (e.g. ``"4,398 validations"``),
        ``description`` (read out for the point).
    alt_text, title : str
        Text alternative; axis title with the unit.
    unit : {"points", "ratio", "number"}
        Scale; the line of no difference stands at 1 for ratios, else at 0.
    margin : (float, float), optional
        Shaded zone on the scale of the estimates.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    rows = drawable(frame.reset_index(drop=True).copy())
    rows["y"] = rows.index + 0.72
    rows["label_y"] = rows.index + 0.3
    rows["strong"] = rows["role"] == "primary"
    drawn = rows.dropna(subset=["estimate", "low", "high"])
    null = 1.0 if unit == "ratio" else 0.0
    axis = value_axis(
        [*drawn["low"], *drawn["high"]],
        unit,
        room=ROOM_FOR_NUMBERS,
        include=(null, *(margin or ())),
    )
    scale = row_scale(len(rows))
    layers: list[alt.Chart | alt.LayerChart] = []
    if margin is not None:
        zone = pd.DataFrame({"low": [margin[0]], "high": [margin[1]]})
        x = axis.encode("low", title, palette)
        layers.append(
            alt.Chart(zone)
            .mark_rect(color=colour("margin", palette), aria=False)
            .encode(x=x, x2=alt.X2("high:Q"))
        )
        edges = pd.DataFrame({"low": list(margin)})
        dash: dict[str, Any] = {
            "strokeDash": [4, 3],
            "color": colour("other", palette),
            "strokeWidth": 1.25,
            "aria": False,
        }
        layers.append(alt.Chart(edges).mark_rule(**dash).encode(x=x))
    nothing = alt.Chart(pd.DataFrame({"low": [null]})).mark_rule(
        color=colour("ink", palette), strokeWidth=1.25, aria=False
    )
    layers.append(nothing.encode(x=axis.encode("low", title, palette)))
    shown = {"label": "Method", "result": "Estimate", "n_words": "n"}
    for role in ("alternative", "crude", "primary"):
        part = drawn[drawn["role"] == role]
        if part.empty:
            continue
        hue = colour("ink" if role == "primary" else "other", palette)
        shape = {"primary": "circle", "alternative": "square", "crude": "diamond"}[role]
        layers.append(interval_lines(part, axis, title, scale, palette, color=hue))
        layers.append(
            points(
                part,
                axis,
                title,
                scale,
                palette,
                {column: name for column, name in shown.items() if column in part},
                shape=shape,
                size=95 if role == "primary" else 80,
                stroke=hue,
                strokeWidth=1.8,
                fill=colour("paper", palette) if role == "crude" else hue,
            )
        )
    layers += labels(rows, scale, palette)
    return finished(layers, height=ROW_HEIGHT * max(len(rows), 1), alt_text=alt_text, palette=palette)
