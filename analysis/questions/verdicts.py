"""The verdict of a comparison: what must hold before its interval is read against the margin, and why not."""

from __future__ import annotations

import math

import pandas as pd

from analysis.metrics import Metric
from analysis.questions.tallies import Arms, crude_effect
from analysis.questions.times import crude_time
from analysis.questions.window import MIN_POSITIVITY, in_shared_strata
from analysis.results import Comparison, Estimate, Interval, Measure, Verdict
from analysis.stats.equivalence import further_needed, judge
from analysis.stats.homogeneity import adjustment_effect

DECIDING = (
    "arm_empty", "no_comparison_window", "no_counterpart", "too_few_in_an_arm", "too_few_events", "thin_overlap",
    "too_few_clusters", "geometric_needs_positive", "horizon_not_reached", "more_events_than_chances", "separated",
    "collinear", "model_too_large", "model_needs_clusters", "no_spread", "clusters_alike",
)  # fmt: skip
"""Reasons that by themselves forbid a verdict, in the order in which they are named."""

_FOUR_IN_FIVE = ((1.959964 + 0.841621) / 1.959964) ** 2
_READ_OFF = ("as_good", "not_as_good", "finds_more", "better", "cannot_tell")
MOST_FURTHER = 1_000_000
"""More than this many further validations is as good as never."""

_DESCRIBED_BECAUSE = {
    "closed_on_time": "conditions_on_findings",
    "days_to_close": "conditions_on_findings",
    "repeat_rate": "by_earlier_mode",
}


def verdict_of(
    definition: Metric,
    answer: Comparison,
    shared: float | None,
    adjustable: bool,
    apart: bool,
    within: Estimate | None,
    matching: bool,
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict of the primary interval, once there is enough data and the arms can be compared.

    `matching` says whether the filters leave any validation of the two modes, recorded by the metric or not.
    """
    reasons: list[str] = []
    if answer.margin_source == "illustrative" and answer.margin is not None:
        reasons.append("illustrative_margin")
    if answer.margin_source == "moved":
        reasons.append("moved_margin")
    if not any(arm.n for arm in answer.arms.values()):
        return "too_few", ("nothing_to_count" if matching else "empty_selection",)
    if len(definition.arms) == 1:
        return "described", ("no_counterpart_arm",)
    if any(arm.n == 0 for arm in answer.arms.values()):
        return "too_few", ("arm_empty" if definition.arm_column == "mode" else "no_successor",)
    row = answer.answer
    if row is None or row.interval is None or row.estimate is None or row.status == "too_small":
        caveats = row.caveats if row is not None else ()
        deciding = [code for code in caveats if code in DECIDING]
        return "too_few", tuple(dict.fromkeys([*deciding, *caveats, *reasons])) or ("too_few_in_an_arm",)
    if within is not None:
        # Within the same quarters, so that a change of period is not taken for a difference in who was validated.
        change = adjustment_effect(
            _linear(within.estimate, answer.measure), _linear_interval(within.interval, answer.measure),
            _linear(row.estimate, answer.measure), _linear_interval(row.interval, answer.measure),
        )  # fmt: skip
        if change:
            reasons.append(change)
    judged = definition.judged and definition.margin_scale is not None
    if not judged:
        why = _DESCRIBED_BECAUSE.get(
            definition.id, "described_only" if definition.margin_scale else "no_margin"
        )
        reasons.insert(0, why)
    if not adjustable:
        return "not_comparable", ("nothing_to_adjust_for", *reasons)
    if shared is not None and shared < MIN_POSITIVITY:
        return "not_comparable", ("poor_positivity", *reasons)
    if apart:
        return "not_comparable", ("unbalanced", *reasons)
    if not judged:
        return "described", tuple(reasons)
    verdict = judge(
        row.interval,
        harmful=definition.harmful,
        margin=answer.margin,
        margin_scale=definition.margin_scale,
        role=definition.role,
    )
    if verdict == "described":
        reasons.insert(0, "beyond_two_sided")
    return verdict, tuple(reasons)


def _linear(value: float | None, measure: Measure) -> float | None:
    """An effect on the scale on which half of it is half: logarithms for ratios."""
    if value is None or measure != "ratio":
        return value
    return math.log(value) if value > 0 else None


def _linear_interval(value: Interval | None, measure: Measure) -> Interval | None:
    if value is None or measure != "ratio":
        return value
    return Interval(math.log(value.low), math.log(value.high)) if value.low > 0 else None


def lacks_power(answer: Comparison) -> bool:
    """Whether the interval a verdict is read from reaches further to either side than the margin is wide."""
    row, margin = answer.answer, answer.margin
    if row is None or row.interval is None or margin is None or answer.verdict not in _READ_OFF:
        return False
    bounds = _linear_interval(row.interval, answer.measure)
    width = abs(math.log(margin)) if answer.measure == "ratio" else margin
    return bounds is not None and 0 < width < bounds.half_width


def crude_within(definition: Metric, rows: Arms | pd.DataFrame, measure: Measure) -> Estimate | None:
    """The unadjusted effect on exactly the rows that the stratified one speaks of, without a test.

    `rows` are a window's, as `tally_rows` has them for a tally and as they are for a time.
    """
    if len(definition.arms) < 2:
        return None
    if isinstance(rows, Arms):
        shared = Arms(in_shared_strata(rows.rows), rows.clustered)
        found = None if shared.rows.empty else crude_effect(definition, shared, measure)
    else:
        shared_rows = in_shared_strata(rows)
        found = None if shared_rows.empty else crude_time(definition, shared_rows)
    return found if found is not None and found.measure == measure and found.interval is not None else None


def further(answer: Comparison, verdict: Verdict, behind: int) -> int | None:
    """Further validations that would probably settle an open verdict if the estimate stayed where it is.

    `behind` are the validations behind the answer, also where its n counts criteria. The number at which the limit
    would just touch the line settles it only half the time; for four in five it takes the square of 2.80 / 1.96.
    """
    row = answer.answer
    if verdict != "cannot_tell" or row is None or row.interval is None or row.estimate is None:
        return None
    needed = further_needed(
        row.estimate,
        row.interval,
        behind,
        harmful=answer.harmful,  # type: ignore[arg-type]  # a text that is one of the literals
        margin=answer.margin,
        margin_scale=answer.margin_scale,  # type: ignore[arg-type]  # a text that is one of the literals
    )
    if needed is None:
        return None
    total = math.ceil((behind + needed) * _FOUR_IN_FIVE)
    return total - behind if total - behind <= MOST_FURTHER else None
