"""How a verdict is reached: the rule of each, and an interval that shows it, judged by the rule itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.methods.statistics import statistic
from analysis.questions.window import MIN_POSITIVITY
from analysis.results import Interval, Verdict
from analysis.stats.equivalence import Nuance, judge, nuance

Harmful = Literal["lower", "higher"]

MARGIN = 0.05
"""The margin of the examples."""


@dataclass(frozen=True, slots=True)
class Example:
    """An estimate with its interval on the scale of differences, judged against `MARGIN`."""

    estimate: float
    low: float
    high: float
    harmful: Harmful = "lower"
    role: str = "detection"

    @property
    def verdict(self) -> Verdict:
        """What the rule of the app says of it."""
        return judge(
            self._interval, harmful=self.harmful, margin=MARGIN, margin_scale="difference", role=self.role
        )

    @property
    def nuance(self) -> Nuance | None:
        """What the verdict leaves unsaid."""
        return nuance(self._interval, harmful=self.harmful, margin=MARGIN, margin_scale="difference")

    @property
    def _interval(self) -> Interval:
        return Interval(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Rule:
    """When a verdict is given; rules are tried in their order. `reasons` stand in for an interval where none is read."""

    verdict: Verdict
    when: str
    examples: tuple[Example, ...] = ()
    reasons: tuple[str, ...] = ()


RULES: tuple[Rule, ...] = (
    Rule(
        "too_few",
        "There is not enough to read an interval from.",
        reasons=("empty_selection", "arm_empty", "too_few_in_an_arm", "too_few_events", "thin_overlap", "model_too_large"),
    ),
    Rule(
        "not_comparable",
        f"Like cannot be compared with like: under {MIN_POSITIVITY:.0%} have a counterpart, or the modes stay apart.",
        reasons=("nothing_to_adjust_for", "poor_positivity", "unbalanced"),
    ),
    Rule(
        "described",
        "The metric has no margin, or is never judged.",
        reasons=("described_only", "no_margin", "no_counterpart_arm", "beyond_two_sided"),
    ),
    Rule(
        "as_good",
        "The harmful end of the interval lies inside the margin; without a bad direction, the whole interval. "
        "The sentence adds “or finding more” where the other end lies beyond, and “slightly less often” (or “fewer”, "
        "“longer” …) where the interval leaves out no difference.",
        (Example(-0.012, -0.034, 0.011), Example(0.021, -0.022, 0.064), Example(-0.024, -0.042, -0.007)),
    ),
    Rule(
        "finds_more",
        "The whole interval lies above no difference, on a metric of what is written down. Never called better.",
        (Example(0.052, 0.013, 0.091),),
    ),
    Rule(
        "better",
        "The whole interval lies on the better side of no difference, on any other metric.",
        (Example(-0.052, -0.091, -0.013, "higher", "service"),),
    ),
    Rule(
        "not_as_good",
        "The whole interval lies beyond the margin, on the harmful side.",
        (Example(-0.094, -0.128, -0.061),),
    ),
    Rule(
        "cannot_tell",
        "Anything else, with the number of further validations that would settle it four times in five. Excluding no "
        "difference while crossing the margin is still this.",
        (Example(-0.031, -0.078, 0.016), Example(-0.045, -0.078, -0.012)),
    ),
)  # fmt: skip


def rule_references() -> tuple[str, ...]:
    """Who published reading a verdict off an interval and a margin."""
    return statistic("equivalence.judge").references
