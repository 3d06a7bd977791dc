"""Do the ways of asking agree? How far apart the adjusted estimates are, and what part of that is whom they speak of."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis import wording
from analysis.questions.sentences import scale_of
from analysis.results import Comparison, Estimate

EVERYONE = ("standardised", "aipw")
OVERLAP = ("mantel_haenszel", "overlap_weighted", "doubly_robust")
"""Methods by whom they speak of. Mantel–Haenszel weighs strata as overlap weighting does: the two are not
independent confirmations."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Adjusted estimates of one metric side by side, in its own measure.

    `low` and `high` are the smallest and the largest; `spread` their distance on the scale of the margin (for ratios
    that of logarithms). Pairs of the same member speak of other validations with a much wider interval, and are
    not counted.
    """

    methods: int
    low: float
    high: float
    spread: float
    opposed: bool
    beyond_margin: bool
    by_population: bool

    @property
    def robust(self) -> bool:
        """Whether no method contradicts another, nor differs from it by more than the margin."""
        return not self.opposed and not self.beyond_margin


def agreement(answer: Comparison) -> Agreement | None:
    """Compare the adjusted estimates of an answer; None with fewer than two.

    Two methods are opposed when one's interval excludes no difference and the other's estimate lies on the other
    side of it. The spread is put down to the population when methods for everyone and methods for the overlap
    agree among themselves better than with each other.
    """
    ratio = answer.measure == "ratio"
    rows = [(m, row) for m in (*EVERYONE, *OVERLAP) if (row := answer.estimate(m)) and row.status == "ok"]
    values = [
        (m, _value(row, ratio), row)
        for m, row in rows
        if row.estimate is not None and row.interval is not None
    ]
    if len(values) < 2:
        return None
    at = [value for _, value, _ in values]
    spread = max(at) - min(at)
    nothing = 1.0 if ratio else 0.0
    opposed = any(
        one.interval is not None
        and not one.interval.contains(nothing)
        and any(value * other < 0 for _, other, _ in values)
        for _, value, one in values
    )
    margin = None if answer.margin is None else abs(math.log(answer.margin)) if ratio else answer.margin
    groups = [[v for m, v, _ in values if m in of] for of in (EVERYONE, OVERLAP)]
    apart = False
    if all(groups):
        within = max(max(g) - min(g) for g in groups)
        between = abs(sum(groups[0]) / len(groups[0]) - sum(groups[1]) / len(groups[1]))
        apart = between > within
    estimates = [row.estimate for _, _, row in values if row.estimate is not None]
    return Agreement(
        len(values),
        min(estimates),
        max(estimates),
        spread,
        opposed,
        margin is not None and spread > margin,
        apart,
    )


def agreement_words(answer: Comparison) -> str:
    """A sentence or two under the picture of all methods; empty where there is nothing to compare."""
    found = agreement(answer)
    if found is None:
        return ""
    scale = scale_of(answer)
    unit = "times" if scale == "ratio" else "points"
    ends = f"{wording.amount(found.low, scale)} and {wording.amount(found.high, scale)} {unit}"
    count = ("no", "one", "two", "three", "four", "five", "six")[found.methods]
    said = f"{count.capitalize()} adjusted methods put it between {ends}"
    if found.opposed:
        said += ": not robust, they point in different directions"
    elif found.beyond_margin:
        said += ": not robust, they differ by more than the margin"
    if found.by_population:
        said += (
            ". The spread between whole-population and overlap methods is partly a change of population: "
            "everyone, or those for whom both modes were plausible"
        )
    return f"{said}."


def _value(row: Estimate, ratio: bool) -> float:
    assert row.estimate is not None
    return math.log(row.estimate) if ratio else row.estimate
