"""Colours of the house, in three palettes, and the look every chart shares.

``"screen"`` hands out CSS variables (``var(--ink)``), so that a chart follows a switch between light and dark
without being drawn again; ``"light"`` and ``"dark"`` hand out hex values for notebooks, slides and exports.
"""

from __future__ import annotations

from typing import Literal

import altair as alt
import pandas as pd

PaletteName = Literal["screen", "light", "dark"]
ColourName = Literal[
    "paper", "panel", "ink", "muted", "other", "primary", "virtual", "in_person", "signal", "good", "bad",
    "rule", "grid", "margin", "inner", "tint_virtual", "tint_in_person",
]  # fmt: skip

LIGHT: dict[str, str] = {
    "paper": "#FFFFFF",
    "panel": "#F4F6F8",
    "ink": "#15202B",
    "muted": "#4A5866",
    "other": "#616E7B",
    "primary": "#2B4A66",
    "virtual": "#005A94",
    "in_person": "#B8560F",
    "signal": "#8A2C7A",
    "good": "#0B6657",
    "bad": "#A3182F",
    "rule": "#C3CDD6",
    "grid": "#E8ECF0",
    "margin": "#EDF0F3",
    "inner": "#DCE6EE",
    "tint_virtual": "#C9DDEB",
    "tint_in_person": "#F0D5BF",
}
DARK: dict[str, str] = {
    "paper": "#10171E",
    "panel": "#18212A",
    "ink": "#E9EEF3",
    "muted": "#B0BCC8",
    "other": "#95A3B0",
    "primary": "#A9C4DC",
    "virtual": "#62B6F0",
    "in_person": "#F2A25C",
    "signal": "#E58BD2",
    "good": "#6FD6C0",
    "bad": "#FF7D86",
    "rule": "#43525F",
    "grid": "#232E39",
    "margin": "#1F2A35",
    "inner": "#23384A",
    "tint_virtual": "#1E425C",
    "tint_in_person": "#553A22",
}

FONT = '"Source Sans", "Source Sans 3", sans-serif'
TEXT_SIZE = 13
NOTE_SIZE = 12
MOST_MARKS = 2_000
"""Above this many marks the browser draws a canvas: colours stop following the theme and labels are lost."""


def colour(name: ColourName, palette: PaletteName = "screen") -> str:
    """One colour of a palette.

    >>> colour("in_person"), colour("ink", "light")
    ('var(--in-person)', '#15202B')
    """
    if palette == "screen":
        return f"var(--{name.replace('_', '-')})"
    return (LIGHT if palette == "light" else DARK)[name]


def css_variables() -> str:
    """The stylesheet that defines every colour once, for both schemes.

    A browser without ``light-dark()`` keeps the light values of the first rule.
    """
    plain = "".join(f"--{name.replace('_', '-')}:{value};" for name, value in LIGHT.items())
    both = "".join(
        f"--{name.replace('_', '-')}:light-dark({value},{DARK[name]});" for name, value in LIGHT.items()
    )
    return f":root{{{plain}}}@supports (color:light-dark(#000,#fff)){{:root{{{both}}}}}"


def drawable(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame itself, if it is small enough to be drawn as marks with labels.

    Raises
    ------
    ValueError
        Above `MOST_MARKS` rows: charts take summaries, so this is a mistake in the program.
    """
    if len(frame) > MOST_MARKS:
        raise ValueError(f"a chart of {len(frame):,} rows: summarise to at most {MOST_MARKS:,} first")
    return frame


def finished(
    layers: list[alt.Chart | alt.LayerChart],
    *,
    height: int,
    alt_text: str,
    palette: PaletteName,
    padding: dict[str, float] | None = None,
) -> alt.LayerChart:
    """Lay marks over one another and give them the common look.

    Parameters
    ----------
    layers : list of altair.Chart
        From back to front.
    height : int
        Height of the plot in pixels; the width follows the page.
    alt_text : str
        What the picture shows, for people who do not see it.
    palette : {"screen", "light", "dark"}
        Where the colours come from.
    padding : dict, optional
        Space round the plot. Streamlit adds its own below unless it stands at the top level of the chart.
    """
    look = alt.Config(
        font=FONT,
        view=alt.ViewConfig(stroke=None),
        text=alt.MarkConfig(fontSize=TEXT_SIZE, color=colour("ink", palette)),
        axis=alt.AxisConfig(
            labelFontSize=TEXT_SIZE,
            titleFontSize=TEXT_SIZE,
            titleFontWeight="normal",
            labelColor=colour("muted", palette),
            titleColor=colour("muted", palette),
            gridColor=colour("grid", palette),
            domainColor=colour("rule", palette),
            tickColor=colour("rule", palette),
            domain=False,
            ticks=False,
            titlePadding=8,
            labelPadding=6,
        ),
    )
    # In one call: each further step on a chart copies all its marks.
    chart: alt.LayerChart = alt.LayerChart(
        layer=layers,
        width="container" if palette == "screen" else 640,
        height=height,
        description=alt_text,
        padding=padding or {"left": 2, "right": 2, "top": 4, "bottom": 2},
        # Streamlit would fit the axis into the height, and squeeze short charts.
        autosize=alt.AutoSizeParams(type="fit-x" if palette == "screen" else "pad", contains="padding"),
        background="transparent" if palette == "screen" else colour("paper", palette),
        usermeta={"embedOptions": {"actions": False, "renderer": "svg"}},
        config=look,
    )
    return chart
