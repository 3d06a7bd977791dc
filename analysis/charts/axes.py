"""Value axes that read like the page: few round ticks, true minus signs, units in the labels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import altair as alt

from analysis.charts.theme import PaletteName, colour

Unit = Literal["share", "points", "ratio", "number"]

_LABELS: dict[Unit, str] = {
    "share": "format(datum.value * 100, '~r') + '%'",
    "points": "replace(format(datum.value * 100, '+~r'), '-', '−')",
    "ratio": "format(datum.value, '.2~f')",
    "number": "replace(format(datum.value, ',~r'), '-', '−')",
}
_STEPS = (1, 2, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """A horizontal value axis, shared by every layer of a chart.

    `low` and `high` bound what is drawn; `right` extends the plot to make room for numbers at its edge.
    """

    low: float
    high: float
    right: float
    ticks: tuple[float, ...]
    unit: Unit
    scale: alt.Scale

    @property
    def label_expression(self) -> str:
        """How ticks are written, for an axis of one's own."""
        return _labels(self.unit, self.ticks)

    def encode(self, field: str, title: str, palette: PaletteName) -> alt.X:
        """The x channel of a layer; every layer gets the same scale and the same axis."""
        return alt.X(
            field,
            type="quantitative",
            scale=self.scale,
            axis=alt.Axis(
                title=title,
                values=list(self.ticks),
                labelExpr=self.label_expression,
                grid=True,
                gridColor=colour("grid", palette),
                labelFlush=True,
                labelOverlap=False,
            ),
        )


def value_axis(
    values: Iterable[float],
    unit: Unit,
    *,
    room: float = 0.0,
    most_ticks: int = 6,
    include: Iterable[float] = (),
) -> ValueAxis:
    """An axis that holds all values and ends on round numbers.

    Parameters
    ----------
    values : iterable of float
        Everything that is drawn.
    unit : {"share", "points", "ratio", "number"}
        How ticks are written. Ratios get a logarithmic scale.
    room : float
        Part of the plot kept free at the right for numbers, 0 to 0.5.
    most_ticks : int
        Upper limit on ticks.
    include : iterable of float
        Values the axis must reach besides (zero, one, margins).

    Examples
    --------
    >>> value_axis([0.02, 0.11], "share", include=[0]).ticks
    (0.0, 0.03, 0.06, 0.09, 0.12)
    """
    everything = [value for value in (*values, *include) if math.isfinite(value)]
    low, high = (min(everything), max(everything)) if everything else (0.0, 1.0)
    if unit == "ratio":
        return _ratio_axis(low, high, room)
    if low == high:
        low, high = low - 0.01, high + 0.01
    step = _step((high - low) / (most_ticks - 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(i * step, 10) + 0.0 for i in range(first, last + 1))
    right = ticks[0] + (ticks[-1] - ticks[0]) / (1 - room)
    scale = alt.Scale(domain=[ticks[0], right], nice=False, zero=False)
    return ValueAxis(ticks[0], ticks[-1], right, ticks, unit, scale)


def _ratio_axis(low: float, high: float, room: float) -> ValueAxis:
    candidates = (0.1, 0.2, 0.25, 0.33, 0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 10.0)
    low, high = max(low, 0.05), min(max(high, 1.0), 20.0)
    first = max((tick for tick in candidates if tick <= low), default=low)
    last = min((tick for tick in candidates if tick >= high), default=high)
    if first == last:
        first, last = first / 1.25, last * 1.25
    inside = [tick for tick in candidates if first <= tick <= last]
    # Neighbours closer than a tenth of the axis would print over each other; one always stays.
    reach = math.log(last / first)
    ticks = [1.0] if first <= 1.0 <= last else []
    for tick in inside:
        if all(abs(math.log(tick / other)) > 0.14 * reach for other in ticks):
            ticks.append(tick)
    right = math.exp(math.log(first) + reach / (1 - room))
    scale = alt.Scale(type="log", domain=[first, right], nice=False)
    return ValueAxis(first, last, right, tuple(sorted(ticks)), "ratio", scale)


def _step(rough: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return next(step * magnitude for step in _STEPS if step * magnitude >= rough * 0.999)


def _labels(unit: Unit, ticks: tuple[float, ...]) -> str:
    if unit in ("points", "share") and any(abs(tick * 100 - round(tick * 100)) > 1e-6 for tick in ticks):
        sign = "+" if unit == "points" else ""
        end = "" if unit == "points" else " + '%'"
        return f"datum.value == 0 ? '0'{end} : replace(format(datum.value * 100, '{sign}.1f'), '-', '−'){end}"
    if unit == "points":
        return f"datum.value == 0 ? '0' : {_LABELS['points']}"
    return _LABELS[unit]
