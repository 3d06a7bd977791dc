"""The backlog by month without small counts."""

from __future__ import annotations

import dataclasses

from analysis.questions.backlog import Backlog, BacklogMonth
from analysis.suppression.small import SUPPRESSED, is_small


def suppressed_backlog(answer: Backlog) -> Backlog:
    """Months without counts of 1 to 4; sums over months only where none of their parts is hidden."""
    rows = tuple(_month(row) for row in answer.rows)
    if rows == answer.rows:
        return answer
    return dataclasses.replace(
        answer, rows=rows, peak=None, sentence="Some counts are too small to show.",
        caveats=(*answer.caveats, SUPPRESSED),
    )  # fmt: skip


def _month(row: BacklogMonth) -> BacklogMonth:
    in_time = (row.due or 0) - (row.overdue or 0)
    overdue = None if is_small(row.overdue) else row.overdue
    # What was due less what is overdue was done in time, or done late.
    due = None if is_small(in_time) or is_small(row.due) else row.due
    return BacklogMonth(
        row.month,
        overdue,
        due,
        *(None if is_small(n) else n for n in (row.virtual, row.in_person, row.others)),
    )
