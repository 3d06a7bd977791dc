"""What stands under a picture: unit and n, what is left out, the period; and the states of one without data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from analysis import reasons, wording
from analysis.charts.figure import State
from analysis.counts import available
from analysis.questions.deficiency_records import Deficiencies, no_rate_reason
from analysis.questions.sentences import arm_names
from analysis.results import Comparison

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

EMPTY_FACT = "No validations match these filters."

_LEFT_OUT = {
    "mode_hybrid": "hybrid",
    "mode_mutual_recognition": "done by another country's program",
    "mode_other": "of another mode",
    "mode_unknown": "of unknown mode",
    "no_earlier_validation": "without an earlier validation",
    "outside_comparison_window": "in quarters when only one mode was in use",
    "no_counterpart": "without a counterpart of the same risk, kind and location",
    "denominator_missing": "outside the denominator",
    "no_response": "without feedback of this kind",
    "hours_not_recorded": "without hours recorded",
}


def caption(*parts: str) -> str:
    """Sentences of a caption, each ending with a full stop, empty ones dropped."""
    return " ".join(part if part.endswith(".") else f"{part}." for part in parts if part)


def when(dataset: Dataset, selection: Selection) -> str:
    """The period of a selection with its basis."""
    start, end = selection.period(dataset)
    return wording.period(start, end) if start <= end else "No data in this period"


def left_out(counts: Mapping[str, int]) -> str:
    """How many validations a comparison leaves out, and why."""
    parts = [
        f"{wording.number(n)} {_LEFT_OUT[reason]}"
        for reason, n in counts.items()
        if n and reason in _LEFT_OUT
    ]
    return f"Left out: {wording.listed(parts)}" if parts else ""


def empty_state(dataset: Dataset, selection: Selection) -> State:
    """Nothing matches: what was asked for, and the way back."""
    return State("empty", EMPTY_FACT, f"{selection.words(dataset)}. Widen the period or reset the filters.")


def state_suppressed() -> State:
    """Everything a figure would show is too small to be shown."""
    return State("too_small", reasons.words("suppressed"), "A wider period or fewer filters may help.")


def state_of_hidden() -> State:
    """Everything there is to show is too small to be shown."""
    return State("too_small", reasons.words("suppressed"), "Widen the period or take filters off.")


def state_without_table(table: str) -> State:
    """Why a dataset without a table has nothing to draw."""
    name = table.replace("_", " ")
    return State("too_small", f"This dataset has no {name}.", f"Import {name} to see this.")


def state_of_deficiencies(answer: Deficiencies, dataset: Dataset, selection: Selection) -> State | None:
    """Why there are no deficiencies to draw; None where there are."""
    if "suppressed" in answer.caveats and all(row.count is None for row in answer.rows):
        return state_suppressed()
    if not answer.n:
        return empty_state(dataset, selection)
    if not answer.rows:
        return State("too_small", answer.sentence, "Other figures of this page do not need it.")
    if answer.total or any(row.count for row in answer.rows):
        return None
    return State("too_small", answer.sentence, "Widen the period or take filters off.")


def state_of_dataset(dataset: Dataset) -> State | None:
    """Why a dataset without findings has no deficiencies at all; None where it has findings."""
    if available(dataset, "findings"):
        return None
    return State(
        "too_small",
        "This dataset has no findings.",
        "Import validations and their findings to see deficiencies.",
    )


def state_without_rates(dataset: Dataset) -> State | None:
    """Why a dataset has no rate per criterion; None where it has."""
    missing = no_rate_reason(dataset)
    return (
        State("too_small", reasons.words(missing), "Counts and shares do not need it.") if missing else None
    )


def state_of_comparison(answer: Comparison, dataset: Dataset, selection: Selection) -> State | None:
    """Why a comparison has nothing to draw; None where it has."""
    if "empty_selection" in answer.reasons:
        return empty_state(dataset, selection)
    if not answer.arms:
        return State(
            "too_small",
            reasons.words(answer.reasons[0]),
            "Other metrics may be recorded: see the table of all metrics.",
        )
    row = answer.estimate("crude")
    if row is None or row.interval is None:
        names = arm_names(answer)
        counts = [
            f"{wording.number(arm.n)} {name}" for arm, name in zip(answer.arms.values(), names, strict=False)
        ]
        why = reasons.words(answer.reasons[0]) if answer.reasons else ""
        return State("too_small", f"Too few to compare: {wording.listed(counts)}.", why)
    return None
