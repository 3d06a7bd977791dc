"""How many validations have the record a metric needs at all: hours written down, feedback given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.counts import counts
from analysis.metrics import Metric, Tally
from analysis.questions.window import MODES
from analysis.results import Arm, Coverage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

ANSWERING = {"specialist": "has_specialist_feedback", "member": "has_member_feedback"}
"""Who answers, and the column that says of a validation whether they did."""


def coverage_of(
    definition: Metric,
    dataset: Dataset,
    selection: Selection,
    arms: Mapping[str, Arm],
    group: tuple[str, str] | None,
) -> tuple[dict[str, Coverage], dict[str, int]]:
    """Coverage by mode, and how many validations are left out for want of a record, by reason.

    For feedback it is the response rate: validations after which that kind of respondent answered anything. Empty
    for metrics that every validation records.
    """
    counted = definition.counted_by
    if isinstance(counted, Tally) and counted.table == "feedback":
        column = ANSWERING.get(group[1]) if group is not None and group[0] == "respondent" else None
        if column is None:
            return {}, {}
        rows = counts(dataset, "validations", ["mode"], selection.without("modes"), sums=["n", column])
        of = {
            str(mode): (int(k), int(n))
            for mode, k, n in zip(rows["mode"], rows[column], rows["n"], strict=True)
        }
        missing = "no_response"
    elif definition.id == "hours":
        by = ["mode", *([group[0]] if group else [])]
        rows = counts(dataset, "validations", by, selection.without("modes"))
        rows = rows[rows[group[0]] == group[1]] if group else rows
        of = {str(m): (arms[m].n, int(n)) for m, n in zip(rows["mode"], rows["n"], strict=True) if m in arms}
        missing = "hours_not_recorded"
    else:
        return {}, {}
    found = {mode: Coverage(*of[mode]) for mode in MODES if mode in definition.arms and mode in of}
    without = sum(one.of - one.n for one in found.values())
    return found, {missing: without} if without else {}
