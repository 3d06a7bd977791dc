"""The ruler: an interval against its margin, drawn with spans so that it fits a table cell and a card.

It is ±3 margins wide and *oriented*: right is the direction that is good news for virtual, so that all rulers
of a table read alike while the numbers beside them keep their sign.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from analysis.charts.markup import element

REACH = 3.0
"""Half the width of a ruler, in margins; what lies beyond stands at the edge."""
HALF = 46.0
"""Half the width in per cent: a mark at the edge keeps its shape. The stylesheet's zone is a third."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """An effect with its interval and margin, on the metric's own scale.

    Parameters
    ----------
    estimate, low, high : float
        Primary effect and its interval: fractions for differences, plain ratios for ratios.
    margin : float
        As in the metrics file: 0.05, or 0.90 or 1.10 for ratios.
    scale : {"difference", "ratio"}
    harmful : {"lower", "higher", "two_sided", "none"}
        Direction that is bad news; ``higher`` turns the picture round.
    crude : float, optional
        The unadjusted effect, drawn as an open diamond.
    """

    estimate: float
    low: float
    high: float
    margin: float
    scale: Literal["difference", "ratio"] = "difference"
    harmful: str = "lower"
    crude: float | None = None


def place(value: float, ruler: Ruler) -> float:
    """Where a value stands on the ruler, in per cent of its width from the left.

    >>> place(-0.05, Ruler(0, 0, 0, margin=0.05))
    34.67
    >>> place(2.0, Ruler(1, 1, 1, margin=1.25, scale="ratio", harmful="higher"))
    4.0
    """
    if ruler.scale == "ratio":
        margins = math.log(max(value, 1e-9)) / abs(math.log(ruler.margin))
    else:
        margins = value / abs(ruler.margin)
    if ruler.harmful == "higher":
        margins = -margins
    return round(50 + max(-REACH, min(REACH, margins)) / REACH * HALF, 2)


def ruler_bar(ruler: Ruler) -> str:
    """The ruler as markup; hidden from screen readers, because the numbers stand beside it."""
    ends = sorted((place(ruler.low, ruler), place(ruler.high, ruler)))
    parts = [
        element("span", class_="zone"),
        element("span", class_="zero"),
        element("span", class_="line", style=f"left:{ends[0]}%;width:{max(ends[1] - ends[0], 0.5):.2f}%"),
    ]
    if ruler.crude is not None:
        parts.append(element("span", class_="crude", style=f"left:{place(ruler.crude, ruler)}%"))
    parts.append(element("span", class_="point", style=f"left:{place(ruler.estimate, ruler)}%"))
    return element("span", "".join(parts), class_="ruler", aria_hidden="true")
