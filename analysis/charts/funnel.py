"""Funnel: units by size, the zone in which chance and the usual spread put them, and those outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import pandas as pd

from analysis.charts.theme import NOTE_SIZE, TEXT_SIZE, PaletteName, colour, drawable, finished

FunnelUnit = Literal["share", "number"]

_LABELS: dict[FunnelUnit, str] = {
    "share": "format(datum.value * 100, '~r') + '%'",
    "number": "format(datum.value, '~r')",
}
_NAMED_AT_MOST = 10
_NARROW, _LETTER = 300, 7.5
"""Width of the plot on a telephone, and of a letter, in pixels."""


def funnel(
    points: pd.DataFrame,
    limits: pd.DataFrame,
    *,
    centre: float,
    centre_words: str,
    x_title: str,
    alt_text: str,
    unit: FunnelUnit = "share",
    tooltip: Mapping[str, str] | None = None,
    height: int = 300,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """Points over zones; up to ten points are all named, of more only those that stand out.

    Parameters
    ----------
    points : pandas.DataFrame
        Tidy, one row a unit. Columns: ``x`` (its size), ``y``, ``name``, ``flagged``, ``description``; further ones may be
        named in `tooltip`.
    limits : pandas.DataFrame
        Columns ``x``, ``low_95``, ``high_95``, ``low_998``, ``high_998``, in order of x; empty where there are none.
    centre : float
        Where an ink line is drawn, named by `centre_words` at its right end.
    x_title : str
        What the size is.
    alt_text : str
        Text alternative of the chart.
    unit : {"share", "number"}
        How values are written on the axis.
    tooltip : mapping, optional
        Columns of display strings → titles; the name always comes first.
    height : int
        Height of the plot in pixels.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    points = drawable(points.copy())
    points["flagged"] = points["flagged"].astype(bool)
    left, right = _reach(points["x"], limits)
    across = alt.Scale(domain=[left, right], nice=False, zero=False)
    shown = _within(limits, left, right)
    top = max([*points["y"], *shown["high_95"], centre])
    bottom = min([*points["y"], *shown["low_95"], centre])
    room = 0.06 * (top - bottom or abs(centre) or 1.0)
    bottom, top = max(bottom - room, 0.0), top + room
    up = alt.Scale(domain=[bottom, top], nice=False, zero=False)

    def x(field: str) -> alt.X:
        axis = alt.Axis(
            title=x_title, tickCount=5, grid=False, domain=True, ticks=True, tickSize=5, format=",d"
        )
        return alt.X(field, type="quantitative", scale=across, axis=axis)

    def y(field: str) -> alt.Y:
        axis = alt.Axis(title=None, tickCount=5, grid=True, labelExpr=_LABELS[unit])
        return alt.Y(field, type="quantitative", scale=up, axis=axis)

    layers: list[alt.Chart | alt.LayerChart] = []
    if not limits.empty:
        base = alt.Chart(shown)
        for level, tone in (("998", "margin"), ("95", "inner")):
            fill: Any = colour(tone, palette)  # type: ignore[arg-type]  # a tone is the name of a colour
            zone = base.mark_area(fill=fill, fillOpacity=1, clip=True, aria=False, interpolate="monotone")
            layers.append(zone.encode(x=x("x"), y=y(f"low_{level}"), y2=alt.Y2(f"high_{level}:Q")))
            edge = base.mark_line(
                color=colour("other", palette),
                strokeDash=[4, 3],
                strokeWidth=1,
                clip=True,
                aria=False,
                interpolate="monotone",
            )
            layers += [
                edge.encode(x=x("x"), y=y(f"{end}_{level}")) for end in ("low", "high") if level == "95"
            ]
    at = pd.DataFrame({"centre": [centre]})
    line = alt.Chart(at).mark_rule(color=colour("ink", palette), strokeWidth=1.25, aria=False)
    layers.append(line.encode(y=y("centre")))
    named = points if len(points) <= _NAMED_AT_MOST else points[points["flagged"]]
    placed = _placed(named, points, (left, right), (bottom, top), height, len(centre_words), centre)
    words = alt.Chart(at).mark_text(
        align="left" if placed.centre_left else "right", baseline="bottom", dx=6 if placed.centre_left else -6, dy=-4,
        fontSize=NOTE_SIZE, color=colour("ink", palette), aria=False,
    )  # fmt: skip
    end = alt.XValue(0) if placed.centre_left else alt.XValue("width")
    layers.append(words.encode(x=end, y=y("centre"), text=alt.TextValue(centre_words)))
    if not limits.empty:
        layers += _zone_labels(shown, top, x, y, palette)
    shown_in_tooltip = {"name": "Name", **(tooltip or {})}
    for flagged in (False, True):
        part = points[points["flagged"] == flagged]
        if part.empty:
            continue
        hue = colour("signal" if flagged else "muted", palette)
        marks = alt.Chart(part).mark_point(
            shape="triangle-up" if flagged else "circle", size=95 if flagged else 52, opacity=1, stroke=hue, strokeWidth=1.6,
            fill=hue if flagged else colour("paper", palette),
        )  # fmt: skip
        layers.append(
            marks.encode(
                x=x("x"), y=y("y"), description=alt.Description("description:N"),
                tooltip=[alt.Tooltip(column, type="nominal", title=name) for column, name in shown_in_tooltip.items()],
            )
        )  # fmt: skip
    layers += _names(placed.names, x, y, palette)
    return finished(layers, height=height, alt_text=alt_text, palette=palette)


def _reach(sizes: pd.Series, limits: pd.DataFrame) -> tuple[float, float]:
    """From just below the smallest to just above the largest unit, inside what has limits."""
    low, high = float(sizes.min()), float(sizes.max())
    spare = 0.06 * (high - low or high)
    if not limits.empty:
        return max(low - spare, float(limits["x"].min())), min(high + spare, float(limits["x"].max()))
    return max(low - spare, 0.0), high + spare


def _within(limits: pd.DataFrame, left: float, right: float) -> pd.DataFrame:
    """Limits over the whole width: one step beyond either end, which the plot cuts off."""
    if limits.empty:
        return limits
    first = max(int((limits["x"] <= left).sum()) - 1, 0)
    last = len(limits) - max(int((limits["x"] >= right).sum()) - 1, 0)
    return limits.iloc[first:last]


def _zone_labels(limits: pd.DataFrame, top: float, x: Any, y: Any, palette: PaletteName) -> list[alt.Chart]:
    """The zones' names, inside them and a third along, where the plot reaches so far."""
    at = limits.iloc[[len(limits) // 3]]
    layers = []
    for level, words in (("998", "99.8% limits"), ("95", "95% limits")):
        if float(at[f"high_{level}"].iloc[0]) > top:
            continue
        text = alt.Chart(at).mark_text(
            align="left",
            baseline="top",
            dy=3,
            fontSize=NOTE_SIZE,
            color=colour("muted", palette),
            clip=True,
            aria=False,
        )
        layers.append(text.encode(x=x("x"), y=y(f"high_{level}"), text=alt.TextValue(words)))
    return layers


@dataclass(frozen=True, slots=True)
class _Placed:
    """Named points with the side and the height of their names, and whether the centre is named at the left."""

    names: pd.DataFrame
    centre_left: bool


def _placed(
    points: pd.DataFrame,
    everything: pd.DataFrame,
    across: tuple[float, float],
    up: tuple[float, float],
    height: int,
    centre_letters: int,
    centre: float,
) -> _Placed:
    """Names beside their points where they cover neither one another nor, if there is any way, another point.

    Reckoned for a narrow page: on a wide one there is more room, never less.
    """
    if points.empty:
        return _Placed(points, False)
    scale_x, scale_y = _NARROW / (across[1] - across[0]), height / (up[1] - up[0])
    line = (up[1] - centre) * scale_y

    def pixels(frame: pd.DataFrame) -> list[tuple[float, float]]:
        return list(zip((frame["x"] - across[0]) * scale_x, (up[1] - frame["y"]) * scale_y, strict=True))

    taken = [(a - 4, b - 4, a + 4, b + 4) for a, b in pixels(everything)]
    taken.append((0.0, line - 2, float(_NARROW), line + 2))
    sides, drops = [], []
    for (a, b), name in zip(pixels(points), points["name"], strict=True):
        wide = len(str(name)) * _LETTER
        choices = [
            (
                side,
                drop,
                (
                    a + 9 if side > 0 else a - 9 - wide,
                    b + drop - 7,
                    a + 9 + wide if side > 0 else a - 9,
                    b + drop + 7,
                ),
            )
            for drop in (0, -13, 13)
            for side in (1, -1)
        ]
        inside = [c for c in choices if c[2][0] >= 0 and c[2][2] <= _NARROW] or choices
        free = next((c for c in inside if not any(_meet(c[2], other) for other in taken)), inside[0])
        taken.append(free[2])
        sides.append(free[0])
        drops.append(free[1])
    # The centre's name stands above its line, at the end where no other name does.
    at_right = (_NARROW - centre_letters * _LETTER, line - 18, _NARROW, line)
    at_left = (0.0, line - 18, centre_letters * _LETTER, line)
    right_meets, left_meets = (sum(_meet(place, other) for other in taken) for place in (at_right, at_left))
    crowded = right_meets > left_meets
    return _Placed(points.assign(side=sides, drop=drops), crowded)


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _names(points: pd.DataFrame, x: Any, y: Any, palette: PaletteName) -> list[alt.Chart]:
    """Names beside their points; those that stand out in bold."""
    layers: list[alt.Chart] = []
    if points.empty:
        return layers
    for (flagged, side, drop), part in points.groupby(["flagged", "side", "drop"]):
        text = alt.Chart(part).mark_text(
            align="left" if side > 0 else "right", dx=9 * int(side), dy=int(drop), baseline="middle", fontSize=TEXT_SIZE,
            fontWeight=600 if flagged else 400, color=colour("signal" if flagged else "ink", palette), aria=False,
        )  # fmt: skip
        layers.append(text.encode(x=x("x"), y=y("y"), text=alt.Text("name:N")))
    return layers
