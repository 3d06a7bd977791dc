"""Words and numbers that the figures of the comparison share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analysis import wording
from analysis.charts.figure import KeyEntry
from analysis.charts.ruler import Ruler
from analysis.questions.sentences import RATE_WITH_TWO, arm_names, scale_of
from analysis.results import Arm, Comparison, Estimate
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

HEADLINE = "any_must_deficiency"
"""The metric a comparison opens with."""


def effect_words(row: Estimate | None, scale: str) -> str:
    """An effect on its scale, an en dash where there is none."""
    return wording.amount(row.estimate if row else None, scale)


def arm_words(arm: Arm, answer: Comparison) -> str:
    """One arm's figure with its unit."""
    if arm.estimate is None:
        return wording.NOT_ESTIMABLE
    if answer.kind == "rate":
        return (
            f"{wording.number(arm.estimate * 100, 2)}%"
            if arm.estimate < RATE_WITH_TWO
            else wording.percent(arm.estimate)
        )
    if answer.kind == "duration":
        scale = arm_scale(answer)
        return f"{wording.amount(arm.estimate, scale)} {'h' if scale == 'hours' else scale}"
    return wording.percent(arm.estimate, arm.n)


def arm_scale(answer: Comparison) -> str:
    """The scale on which an arm's interval is written."""
    if answer.kind == "duration":
        return "hours" if answer.metric == "hours" else "days"
    return "share"


def arm_counts(arm: Arm) -> str:
    """Events and denominator of an arm."""
    if arm.events is None:
        return f"n = {wording.number(arm.n)}"
    return f"{wording.number(arm.events)} of {wording.number(arm.n)}"


def ruler_of(answer: Comparison) -> Ruler | None:
    """Nothing to draw without a margin, or with one of no width (any increase is worse)."""
    row, crude = answer.answer, answer.estimate("crude")
    nothing = 1.0 if answer.margin_scale == "ratio" else 0.0
    if row is None or row.interval is None or row.estimate is None or answer.margin in (None, nothing):
        return None
    assert answer.margin is not None
    return Ruler(
        estimate=row.estimate,
        low=row.interval.low,
        high=row.interval.high,
        margin=answer.margin,
        scale="ratio" if answer.margin_scale == "ratio" else "difference",
        harmful=answer.harmful,
        crude=crude.estimate if crude else None,
    )


def margin_size(answer: Comparison) -> str:
    """The width of the margin, for the ruler and the table."""
    if answer.margin is None:
        return "no margin"
    if answer.margin_scale == "ratio":
        low, high = sorted((answer.margin, 1 / answer.margin))
        return f"{wording.ratio(low)} to {wording.ratio(high)}"
    return f"±{wording.margin_size(answer.margin)} points"


def band(answer: Comparison) -> tuple[float, float] | None:
    """The margin as a zone on the scale of the estimates."""
    if answer.margin is None:
        return None
    if answer.margin_scale == "ratio":
        return min(answer.margin, 1 / answer.margin), max(answer.margin, 1 / answer.margin)
    return -answer.margin, answer.margin


def contrast(answer: Comparison) -> str:
    """What is taken from what; where nothing was counted, the arms have no names to say."""
    if not answer.arms:
        return "difference between the modes"
    v, p = arm_names(answer)
    return f"{v} {'over' if scale_of(answer) == 'ratio' else 'minus'} {p}"


def axis_title(answer: Comparison, scale: str) -> str:
    """The contrast with its unit, for an axis."""
    text = contrast(answer)
    return f"{text[0].upper()}{text[1:]}, {'times' if scale == 'ratio' else 'percentage points'}"


def arm_key(dataset: Dataset) -> tuple[KeyEntry, ...]:
    """The legend of two arms."""
    return (KeyEntry("virtual", dataset.modes["virtual"]), KeyEntry("in_person", dataset.modes["in_person"]))


def at_most(words: str, most: int = 40) -> str:
    """A text alternative short enough for a screen reader: whole sentences, or up to a clause and a sign that more is said.

    >>> at_most("Two rows. Virtual finds as many: the gap (of 2.3, or less) may be chance.", 10)
    'Two rows. Virtual finds as many …'
    >>> at_most("Virtual finds as many in both rows. The gap (of 2.3, or less) may be chance.", 10)
    'Virtual finds as many in both rows.'
    """
    text = " ".join(words.replace("**", "").split())
    parts = text.split()
    if len(parts) <= most:
        return text
    room = " ".join(parts[: most - 1])
    # A full stop inside a number, and whatever stands in brackets, ends nothing.
    ends = [
        found.start()
        for found in re.finditer(r"[.:;,](?= |$)", room)
        if room.count("(", 0, found.end()) == room.count(")", 0, found.end())
    ]
    sentences = [end for end in ends if room[end] == "." and len(room[:end].split()) * 2 >= most]
    if sentences:
        return room[: sentences[-1] + 1]
    return f"{room[: ends[-1]]} …" if ends else f"{room} …"


def adjusted_for(answer: Comparison) -> str:
    """What the primary method really adjusted for: ``risk, kind of validation and location``; empty for nothing."""
    row = answer.answer
    columns = row.settings.get("adjusted_for", ()) if row else ()
    return wording.listed([LABELS[column].lower() for column in columns])


def adjustment(answer: Comparison) -> str:
    """How the two arms are made comparable, in a caption's words."""
    columns = adjusted_for(answer)
    row = answer.answer
    if row is not None and row.interval is None and "nothing_to_adjust_for" not in row.caveats:
        return ""
    window = "in quarters in which both modes were in use"
    if columns:
        return f"Like for like: adjusted for {columns}, {window}"
    if row is None or "nothing_to_adjust_for" in row.caveats:
        return f"Nothing is recorded to adjust for: figures {window}, as they are"
    return f"Like for like: all alike in what is recorded of risk, kind and location, {window}"


def clustering(answer: Comparison) -> str:
    """Whose habits the interval of the answer allows for, how, and on how many degrees of freedom."""
    row = answer.answer
    if row is None or row.interval is None:
        return ""
    clusters, df = row.settings.get("clusters"), row.settings.get("df")
    if not clusters:
        return "Validations treated as independent"
    whose = "member" if row.settings.get("clustered_by") == "member_id" else "specialist"
    said = f"Errors clustered by {whose} ({wording.number(clusters)})"
    if df is None:
        return said
    degrees = f"t with {wording.number(df, 0 if df == round(df) else 1)} degrees of freedom"
    if row.settings.get("correction") == "CR2":
        return f"{said}, corrected for their small number (CR2, {degrees})"
    return f"{said}, {degrees}"


def coverage_words(answer: Comparison) -> str:
    """How many of each mode's validations have the record at all: hours written down, or feedback given."""
    parts = [
        f"{wording.percent(one.share, one.of)} of {name}"
        for mode, name in zip(("virtual", "in_person"), arm_names(answer), strict=True)
        if (one := answer.coverage.get(mode)) and one.share is not None
    ]
    if not parts:
        return ""
    if answer.unit != "response":
        return f"{answer.metric.capitalize()} recorded for {wording.listed(parts)} validations"
    who = answer.group.get("respondent", "respondent")
    return f"Feedback from the {who} after {wording.listed(parts)} validations"
