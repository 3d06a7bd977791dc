"""What was found, as one clause: the effect on its scale, its interval, and how many stand behind it."""

from __future__ import annotations

from analysis import wording
from analysis.results import Comparison, Estimate

# {v} and {p} are the arms, {who} those who answer. {often} and {many} are the size of a difference with its direction,
# followed by {than}; {amount} is a ratio.
_CLAIMS: dict[str, str] = {
    "any_must_deficiency": "{v} validations found a Must deficiency {often} {than} {p} ones",
    "any_deficiency": "{v} validations found a deficiency {often} {than} {p} ones",
    "critical_findings": "{v} validations had a critical finding {often} {than} {p} ones",
    "deficiency_rate": "{v} validations recorded {amount} as many deficiencies per criterion assessed as {p} ones",
    "must_deficiency_rate": (
        "{v} validations recorded {amount} as many Must deficiencies per Must criterion assessed as {p} ones"
    ),
    "not_verified_rate": "{v} validations left {many} of the criteria unverified {than} {p} ones",
    "repeat_rate": "deficiencies first found on {v} validations were found again {often} {than} those first found on {p} ones",
    "closed_on_time": "deficiencies from {v} validations were corrected on time {often} {than} from {p} ones",
    "passed": "{v} validations passed without required action {often} {than} {p} ones",
    "feedback_confidence": "{who} were confident in the result {often} after {v} {than} after {p} validations",
    "days_to_report": "reports of {v} validations took {amount} as long as those of {p} ones",
    "days_to_close": "closing took {amount} as long after {v} validations as after {p} ones",
    "hours": "{v} validations took {amount} the hours of {p} ones",
    "incident_within_12_months": (
        "members had a first incident within 12 months {often} after {v} {than} after {p} validations"
    ),
}

_COUNTED = {"rate": "criteria", "score": "answers"}
"""What the n of a kind of metric counts; validations where it is not named."""

_FINDINGS = ("closed_on_time", "repeat_rate")
"""Rates of what was found, not of what was looked at."""

_WHO = {"specialist": "specialists", "member": "members"}

RATE_WITH_TWO = 0.1
"""Rates below this are written with two decimals, shares below one in a hundred."""

_NARROW = 0.001
"""An interval less wide than this, a tenth of a point, would have two equal ends with one decimal."""


def claim(answer: Comparison, row: Estimate) -> str:
    """One way of asking as a clause: ``virtual validations found … (95% interval …; n = … validations)``."""
    value, scale = row.estimate, scale_of(answer)
    assert value is not None
    v, p = arm_names(answer)
    often, many, than, apart = "**as often**", "**as many**", "as", ""
    if scale != "ratio":
        size = wording.amount(abs(value), scale).lstrip("+")
        if size.strip("0."):
            amount = f"**{size} percentage points**"
            often, many, than = (
                f"{amount} {'less' if value < 0 else 'more'} often",
                f"{amount} {'fewer' if value < 0 else 'more'}",
                "than",
            )
        else:
            apart = f"difference {size} points, "
    clause = _CLAIMS[answer.metric].format(
        v=v, p=p, who=respondents(answer), often=often, many=many, than=than,
        amount=f"**{wording.ratio(value)} times**",
    )  # fmt: skip
    interval = wording.interval(row.interval, scale)
    return f"{clause} ({apart}95% interval {interval}; n = {wording.number(row.n)} {_counted(answer)})"


def direction(answer: Comparison, *, more: bool) -> str:
    """The word for a difference in the metric's own terms: ``less often``, ``longer``, ``fewer`` and so on."""
    if answer.kind == "duration":
        return "longer" if more else "shorter"
    if "{often}" in _CLAIMS[answer.metric]:
        return "more often" if more else "less often"
    return "more" if more else "fewer"


def respondents(answer: Comparison) -> str:
    """Who answered, for metrics of feedback."""
    return _WHO.get(answer.group.get("respondent", ""), "respondents")


def scale_of(answer: Comparison) -> str:
    """The scale on which the answer's own measure is written: as many decimals as its arms or its interval need.

    Shares under 1 % and rates under 10 % are written with two, so their difference is a ``small_difference``; so is one
    whose interval is too narrow for one decimal.
    """
    if answer.measure == "ratio":
        return "ratio"
    row = answer.answer
    if row is not None and row.interval is not None and row.interval.high - row.interval.low < _NARROW:
        return "small_difference"
    known = [arm.estimate for arm in answer.arms.values() if arm.estimate is not None]
    small = RATE_WITH_TWO if answer.kind == "rate" else 0.00995
    return "small_difference" if known and max(known) < small else "difference"


def arm_names(answer: Comparison) -> tuple[str, str]:
    """Names of the arms within a sentence: lower case unless they are stand-ins with names of their own."""
    names = tuple(
        answer.arms[mode].label if mode in answer.arms else mode for mode in ("virtual", "in_person")
    )
    plain = {"Virtual": "virtual", "In person": "in-person"}
    return plain.get(names[0], names[0]), plain.get(names[1], names[1])


def _counted(answer: Comparison) -> str:
    return "deficiencies" if answer.metric in _FINDINGS else _COUNTED.get(answer.kind, "validations")
