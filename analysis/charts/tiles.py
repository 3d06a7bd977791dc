"""Key statistics as one ruled grid: label, value with interval, change in words, grey sparkline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.charts.markup import element, text
from analysis.charts.sparkline import sparkline


@dataclass(frozen=True, slots=True)
class Tile:
    """One statistic. No colour says good or bad: more findings is neither.

    Parameters
    ----------
    label : str
    value : str
        The number as a person reads it.
    detail : str
        Interval, denominator or count beside it.
    change : str
        Against the period before, e.g. "−1.1 points on FY21 (−3.9 to +1.7)".
    series : tuple of float or None
        Values of the sparkline in time order.
    """

    label: str
    value: str
    detail: str = ""
    change: str = ""
    series: tuple[float | None, ...] = ()


def tiles(entries: Sequence[Tile]) -> str:
    """A definition list, four columns wide (two on a narrow page)."""
    cells = []
    for tile in entries:
        number = element("span", text(tile.value), class_="value")
        if tile.detail:
            number += " " + element("span", text(tile.detail), class_="detail")
        parts = element("dt", text(tile.label)) + element("dd", number)
        parts += element("dd", text(tile.change), class_="change")
        picture = sparkline(tile.series, width=190, height=32)
        cells.append(element("div", parts + element("dd", picture, class_="picture")))
    return element("div", element("dl", "".join(cells), class_="tiles"), class_="table-box")
