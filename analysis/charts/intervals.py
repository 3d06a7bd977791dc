"""Interval rows: one row a category, reason or office, with one or two arms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from analysis.charts.axes import Unit, ValueAxis, value_axis
from analysis.charts.rows import interval_lines, labels, points, row_scale, y_of
from analysis.charts.theme import PaletteName, colour, drawable, finished

ROW_HEIGHT = {1: 44, 2: 54}
_OFFSETS = {1: (0.62,), 2: (0.52, 0.724)}
_LABEL_OFFSET = {1: 0.25, 2: 0.18}


def interval_rows(
    frame: pd.DataFrame,
    *,
    alt_text: str,
    title: str,
    unit: Unit = "share",
    arms: Mapping[str, str] | None = None,
    include: tuple[float, ...] = (0.0,),
    tooltip: Mapping[str, str] | None = None,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """Rows of estimates with their intervals, in the order given.

    Parameters
    ----------
    frame : pandas.DataFrame
        Tidy, one row for each row and arm. Columns: ``label`` (row label), ``arm`` (``virtual``,
        ``in_person``, ``must``, ``should``, ``raw``, ``shrunken`` or ``other``), ``estimate``, ``low``, ``high`` (fractions; a row
        without an estimate has missing values and keeps its label and result), ``result`` (words at the right
        edge), ``strong`` (bool: bold, e.g. "Differs"), ``description`` (sentence read out for the point).
        Further columns may be named in `tooltip`.
    alt_text : str
        Text alternative of the chart.
    title : str
        Axis title: the measure with its unit.
    unit : {"share", "points", "ratio", "number"}
        Scale of the values.
    arms : mapping, optional
        Arm → label for tooltips, e.g. ``{"virtual": "Complaint", "in_person": "Planned"}``.
    include : tuple of float
        Values the axis must reach.
    tooltip : mapping, optional
        Columns of display strings → titles; the row label always comes first.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    rows = drawable(_placed(frame, arms or {}))
    count = int(rows["row"].max()) + 1 if len(rows) else 0
    two = _marks_a_row(rows)
    drawn = rows.dropna(subset=["estimate", "low", "high"])
    axis = value_axis([*drawn["low"], *drawn["high"]], unit, include=include)
    scale = row_scale(count)
    shown = {"label": "Row", **({"arm_label": "Group"} if two == 2 else {}), **(tooltip or {})}
    layers: list[alt.Chart | alt.LayerChart] = []
    if unit in ("points", "ratio"):
        layers.append(_no_difference(rows, 1.0 if unit == "ratio" else 0.0, axis, title, scale, palette))
    for arm, part in drawn.groupby("arm", sort=False):
        style = _MARKS[str(arm)]
        line = {"color": colour(style["colour"], palette)}
        layers.append(interval_lines(part, axis, title, scale, palette, **line))
    for arm, part in drawn.groupby("arm", sort=False):
        style = _MARKS[str(arm)]
        hue = colour(style["colour"], palette)
        layers.append(
            points(
                part,
                axis,
                title,
                scale,
                palette,
                shown,
                shape=style["shape"],
                size=style["size"],
                stroke=hue,
                strokeWidth=1.9,
                fill=hue if style["filled"] else colour("paper", palette),
            )
        )
    layers += labels(rows.drop_duplicates("row"), scale, palette)
    return finished(layers, height=ROW_HEIGHT[two] * max(count, 1), alt_text=alt_text, palette=palette)


def _no_difference(
    rows: pd.DataFrame, value: float, axis: ValueAxis, title: str, scale: alt.Scale, palette: PaletteName
) -> alt.Chart:
    """The line of no difference, interrupted where the label of a row stands."""
    parts = rows.drop_duplicates("row").assign(
        low=value, top=lambda f: f["label_y"] + 0.2, bottom=lambda f: f["row"] + 1
    )
    line = alt.Chart(parts).mark_rule(color=colour("ink", palette), strokeWidth=1.25, aria=False)
    placed: alt.Chart = line.encode(
        x=axis.encode("low", title, palette), y=y_of("top", scale), y2=alt.Y2("bottom:Q")
    )
    return placed


_MARKS: dict[str, dict[str, Any]] = {
    "virtual": {"colour": "virtual", "shape": "circle", "size": 80, "filled": True},
    "in_person": {"colour": "in_person", "shape": "diamond", "size": 85, "filled": False},
    "must": {"colour": "ink", "shape": "square", "size": 75, "filled": True},
    "should": {"colour": "ink", "shape": "square", "size": 75, "filled": False},
    "other": {"colour": "other", "shape": "square", "size": 75, "filled": True},
    "raw": {"colour": "other", "shape": "square", "size": 75, "filled": True},
    "shrunken": {"colour": "ink", "shape": "circle", "size": 80, "filled": True},
}


def _marks_a_row(rows: pd.DataFrame) -> int:
    return 2 if rows["label"].duplicated().any() else 1


def _placed(frame: pd.DataFrame, arm_labels: Mapping[str, str]) -> pd.DataFrame:
    """Row numbers and vertical places; virtual above in person, Must above Should, raw above shrunken."""
    rows = frame.copy()
    rows["row"] = pd.factorize(rows["label"])[0]
    two = _marks_a_row(rows)
    lower = rows["arm"].isin(("in_person", "should", "shrunken")) & (two == 2)
    first, last = _OFFSETS[two][0], _OFFSETS[two][-1]
    rows["y"] = rows["row"] + lower.map({False: first, True: last})
    rows["label_y"] = rows["row"] + _LABEL_OFFSET[two]
    rows["arm_label"] = [arm_labels.get(arm, str(arm)) for arm in rows["arm"]]
    rows["strong"] = rows["strong"].astype(bool) if "strong" in rows else False
    return rows
