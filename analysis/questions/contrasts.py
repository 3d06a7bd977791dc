"""One number set against another, where the record of a whole comparison would be too much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analysis.results import SMALLEST_P_VALUE, Interval
from analysis.stats.pooled import Pooled


@dataclass(frozen=True, slots=True)
class Contrast:
    """One way of setting two arms against each other, with its interval and what it rests on.

    `measure` says what is contrasted (``quantile_50``, ``shift``, ``probability``, ``hazard_ratio`` …), `virtual` and
    `in_person` are the arms' own figures where the measure has such. Differences are virtual minus in person, ratios
    virtual over in person.
    """

    measure: str
    estimate: float | None
    interval: Interval | None
    p_value: float | None
    n: int | None
    caveats: tuple[str, ...] = ()
    virtual: float | None = None
    in_person: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.p_value is not None:
            object.__setattr__(self, "p_value", max(self.p_value, SMALLEST_P_VALUE))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "measure": self.measure,
            "virtual": self.virtual,
            "in_person": self.in_person,
            "estimate": self.estimate,
            "low": self.interval.low if self.interval else None,
            "high": self.interval.high if self.interval else None,
            "p_value": self.p_value,
            "n": self.n,
            "caveats": list(self.caveats),
        }


def contrast_of(
    measure: str,
    found: Pooled,
    *,
    caveats: tuple[str, ...] = (),
    arms: tuple[float | None, float | None] = (None, None),
    settings: Mapping[str, Any] | None = None,
) -> Contrast:
    """A statistic as a contrast; limits without width are ties, not certainty, and make no interval."""
    bounds = found.interval
    tied = bounds is not None and bounds.low == bounds.high
    codes = [*found.reasons, *(("tied_values",) if tied else ()), *caveats]
    return Contrast(
        measure=measure,
        estimate=found.estimate,
        interval=None if tied else bounds,
        p_value=found.p_value,
        n=found.n,
        caveats=tuple(dict.fromkeys(codes)),
        virtual=arms[0],
        in_person=arms[1],
        settings=settings or {},
    )
