"""Cost against rows: seconds of a filter change for everybody, drawn from the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from analysis.charts.theme import LIGHT

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "cost.svg"
NAMES = {
    "ours": "counts (this project)",
    "pandas": "pandas",
    "pandas through narwhals": "narwhals on pandas",
    "polars": "polars",
    "polars on Parquet": "polars on Parquet",
    "DuckDB on Parquet": "DuckDB SQL on Parquet",
    "floor": "floor: one GROUP BY",
}
COLOURS = [LIGHT[name] for name in ("virtual", "in_person", "bad", "signal", "good", "other", "muted")]


def draw(report: dict[str, Any], to: Path = PICTURE) -> None:
    """Write the picture as SVG."""
    import vl_convert

    rows = pd.DataFrame(
        [
            {"rows": report["sizes"][size]["validations"], "seconds": found["wall_s"], "way": NAMES[way]}
            for size, ways in report["filters"].items()
            for way, found in ways.items()
            if "absent" not in found
        ]
    )
    ends = rows.loc[rows.groupby("way")["rows"].idxmax()].sort_values("seconds", ignore_index=True)
    colour = alt.Color("way:N", scale=alt.Scale(domain=list(NAMES.values()), range=COLOURS), legend=None)
    x = alt.X(
        "rows:Q",
        title="Validations",
        axis=alt.Axis(values=sorted(set(rows["rows"])), format=",d"),
        scale=alt.Scale(type="log"),
    )
    y = alt.Y(
        "seconds:Q",
        title="Seconds per filter change",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~g", tickCount=5),
    )
    shape = alt.StrokeDash(
        "way:N",
        scale=alt.Scale(
            domain=list(NAMES.values()), range=[[1, 0], [6, 3], [6, 3], [2, 2], [2, 2], [8, 2, 2, 2], [1, 4]]
        ),
        legend=None,
    )
    base = alt.Chart(rows).encode(x=x, y=y, color=colour)
    width = alt.condition(alt.datum.way == NAMES["ours"], alt.value(3), alt.value(1.5))
    lines = base.mark_line().encode(strokeDash=shape, strokeWidth=width)
    points = base.mark_point(filled=True, size=50)
    # Lines that end close together are named one below the other.
    placed = ends.assign(place=_spread(ends["seconds"].tolist()))
    names = (
        alt.Chart(placed)
        .mark_text(align="left", dx=8, fontSize=12)
        .encode(x="rows:Q", y="place:Q", text="way:N", color=colour)
    )
    chart = (lines + points + names).properties(
        width=520,
        height=320,
        background=LIGHT["paper"],
        padding={"left": 8, "right": 8, "top": 8, "bottom": 8},
    )
    styled = chart.configure(font="sans-serif").configure_view(stroke=None).configure_axis(
        labelColor=LIGHT["muted"], titleColor=LIGHT["ink"], gridColor=LIGHT["grid"], domainColor=LIGHT["rule"],
        tickColor=LIGHT["rule"], labelFontSize=12, titleFontSize=12, titleFontWeight="normal",
    )  # fmt: skip
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(vl_convert.vegalite_to_svg(styled.to_json()), encoding="utf-8")


def _spread(heights: list[float], apart: float = 1.7) -> list[float]:
    """Heights, from the lowest up, none closer to the last than a factor."""
    out: list[float] = []
    for height in heights:
        out.append(max(height, out[-1] * apart) if out else height)
    return out
