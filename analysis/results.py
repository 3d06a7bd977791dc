"""Result records: what a question answers with, and what every reader of an answer sees.

All records are frozen and keep their inputs. Fractions throughout, never points. A number that does
not exist is ``None`` with a reason code beside it (`analysis.reasons`), never 0, 1 or NaN. Differences
are *virtual minus in person*; ratios are *virtual over in person*.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

Status = Literal["ok", "too_small", "not_estimable"]
Measure = Literal["difference", "difference_sato", "ratio", "odds_ratio", "median_difference"]
Verdict = Literal[
    "as_good",
    "not_as_good",
    "finds_more",
    "better",
    "cannot_tell",
    "too_few",
    "not_comparable",
    "described",
]

SMALLEST_P_VALUE = 1e-300
"""A p-value is never reported as zero: below this it is this."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval and how it was made.

    Parameters
    ----------
    low, high : float
        Limits, in the unit of the estimate.
    level : float
        Confidence level, e.g. 0.95.
    method : str
        Name of the method, e.g. ``"Newcombe"``.
    """

    low: float
    high: float
    level: float = 0.95
    method: str = ""

    @property
    def half_width(self) -> float:
        """Half the distance between the limits."""
        return (self.high - self.low) / 2

    def contains(self, value: float) -> bool:
        """Whether `value` lies within the closed interval."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the two groups compared.

    `n` is the denominator in its own unit (validations, criteria assessed, responses); `events` its
    numerator, ``None`` for kinds without events; `estimate` a fraction, or days/hours for durations.
    `validations` is how many stand behind an n that counts something else.
    """

    mode: str
    label: str
    n: int
    events: int | None = None
    estimate: float | None = None
    interval: Interval | None = None
    validations: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a key that does not apply is absent."""
        out: dict[str, Any] = {"n": self.n, "estimate": self.estimate}
        if self.events is not None:
            out["events"] = self.events
        if self.interval is not None:
            out |= {"low": self.interval.low, "high": self.interval.high}
        if self.validations is not None:
            out["validations"] = self.validations
        return out


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of one mode's validations have the record a metric needs: `n` of `of`."""

    n: int
    of: int

    @property
    def share(self) -> float | None:
        """The share, None of nothing."""
        return self.n / self.of if self.of else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"n": self.n, "of": self.of, "share": self.share}


@dataclass(frozen=True, slots=True)
class Estimate:
    """One way of asking: an effect with its interval, population and caveats.

    `method` names the way (``crude``, ``mantel_haenszel``, …), `measure` the scale. `population`
    says in a code whom it speaks of (``selection`` or ``comparison_window``). `settings` are those
    really applied, e.g. ``{"adjusted_for": ("risk", "kind"), "clustered_by": "specialist_id"}``.
    """

    method: str
    measure: Measure
    population: str
    estimate: float | None
    interval: Interval | None
    p_value: float | None
    n: int
    status: Status = "ok"
    caveats: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.p_value is not None:
            object.__setattr__(self, "p_value", max(self.p_value, SMALLEST_P_VALUE))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "method": self.method,
            "measure": self.measure,
            "population": self.population,
            "estimate": self.estimate,
            "low": self.interval.low if self.interval else None,
            "high": self.interval.high if self.interval else None,
            "p_value": self.p_value,
            "n": None if "suppressed" in self.caveats else self.n,
            "status": self.status,
            "caveats": list(self.caveats),
            "settings": {k: list(v) if isinstance(v, tuple) else v for k, v in self.settings.items()},
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer to "is virtual as good as in person?" for one metric.

    `arms` and the crude estimate speak of the whole selection, unadjusted; adjusted estimates of the
    comparison window. `primary` is the method the verdict is read from. `groups` hold the same answer
    per value of a column; `left_out` counts validations outside the two-way comparison by reason. `series`
    tracks each arm's figure over `quarters` (keys counted from year 0), None where a quarter has too few.
    `adjusted_arms` are both arms on the common mix of the primary method, where it has one. `coverage` says, for
    metrics that only some validations record (hours, feedback), how many of each mode do.
    """

    metric: str
    label: str
    kind: str
    role: str
    unit: str
    harmful: str
    margin: float | None
    margin_scale: str | None
    margin_source: str
    measure: Measure
    arms: Mapping[str, Arm]
    estimates: tuple[Estimate, ...]
    primary: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    further_needed: int | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    group: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[Comparison, ...] = ()
    sentence: str = ""
    quarters: tuple[int, ...] = ()
    series: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    adjusted_arms: Mapping[str, Arm] = field(default_factory=dict)
    coverage: Mapping[str, Coverage] = field(default_factory=dict)

    def estimate(self, method: str, measure: Measure | None = None) -> Estimate | None:
        """The row of a method, in the metric's own measure unless another is named."""
        wanted = measure or self.measure
        for row in self.estimates:
            if row.method == method and row.measure == wanted:
                return row
        return None

    @property
    def answer(self) -> Estimate | None:
        """The row the verdict is read from."""
        return self.estimate(self.primary)

    def to_frame(self) -> pd.DataFrame:
        """One row per way of asking, for a notebook or a table."""
        rows = [row.to_dict() | {"caveats": ", ".join(row.caveats)} for row in self.estimates]
        return pd.DataFrame(rows).drop(columns="settings", errors="ignore")

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis compare --json``."""
        out: dict[str, Any] = {
            "metric": self.metric,
            "margin": self.margin,
            "harmful": self.harmful,
            "arms": {mode: arm.to_dict() for mode, arm in self.arms.items()},
            "estimates": [row.to_dict() for row in self.estimates],
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "sentence": self.sentence,
            "left_out": dict(self.left_out),
        }
        if self.coverage:
            out["coverage"] = {mode: of.to_dict() for mode, of in self.coverage.items()}
        if self.further_needed is not None:
            out["further_needed"] = self.further_needed
        if self.groups:
            out["groups"] = [dict(g.group) | g.to_dict() for g in self.groups]
        return out

    def _repr_html_(self) -> str:
        head = f"<p><b>{self.label}</b>: {self.sentence}</p>"
        return head + str(self.to_frame().to_html(index=False, float_format=lambda x: f"{x:.4f}"))


@dataclass(frozen=True, slots=True)
class Family:
    """Comparisons tested together: one per value of `column`, with p-values adjusted for the number of looks."""

    column: str
    comparisons: tuple[Comparison, ...]
    adjusted_p: tuple[float | None, ...]
    adjustment: str

    @property
    def tested(self) -> int:
        """The size of the family: how many were really tested."""
        return sum(p is not None for p in self.adjusted_p)

    def to_frame(self) -> pd.DataFrame:
        """One row per comparison: arms, adjusted difference, interval, p-value before and after adjustment."""
        rows = []
        for answer, adjusted in zip(self.comparisons, self.adjusted_p, strict=True):
            row = answer.answer
            arms = {
                f"{mode}_{key}": value
                for mode, arm in answer.arms.items()
                for key, value in arm.to_dict().items()
            }
            rows.append(dict(answer.group) | arms | (row.to_dict() if row else {}) | {"adjusted_p": adjusted})
        return pd.DataFrame(rows).drop(columns=["settings", "caveats"], errors="ignore")


def finite_or_none(value: float | None) -> float | None:
    """A float that exists, or ``None``: the border between array code and result records."""
    if value is None or not math.isfinite(value):
        return None
    return float(value)


SMALLEST_SHOWN = 5
"""Counts of 1 to 4 are hidden wherever results leave the house."""


def hidden_counts(counts: Sequence[int], *, total_known: bool = True) -> list[bool]:
    """Which counts of one list to hide so that no count of 1 to 4 is shown or recoverable.

    Small counts are hidden. Where their total is known, subtraction would give a lone one back, and several
    whose sum is as small or as large as it can be; so the next smallest count is hidden with them, zeros last.

    Parameters
    ----------
    counts : sequence of int
        Counts that add up to their total.
    total_known : bool
        Whether the total is shown beside them, or can be read off elsewhere.

    Returns
    -------
    list of bool
        True where a count is to be hidden.

    Examples
    --------
    >>> hidden_counts([3, 40, 12])
    [True, False, True]
    >>> hidden_counts([3, 40, 12], total_known=False)
    [True, False, False]
    >>> hidden_counts([40, 0, 12])
    [False, False, False]
    """
    small = [0 < count < SMALLEST_SHOWN for count in counts]
    if not any(small) or not total_known:
        return small
    others = [i for i, count in enumerate(counts) if not small[i]]
    if others:
        companion = min(others, key=lambda i: (counts[i] == 0, counts[i]))
        small[companion] = True
    return small
