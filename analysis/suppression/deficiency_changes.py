"""Deficiencies over time, found again, and candidates, without small counts."""

from __future__ import annotations

import dataclasses

from analysis.questions.candidates import Candidates
from analysis.questions.deficiency_trends import RepeatRow, Repeats, TrendRow, Trends
from analysis.suppression.incidents import hidden_parts
from analysis.suppression.small import SUPPRESSED, is_small


def suppressed_trends(answer: Trends) -> Trends:
    """Categories by quarter without small counts.

    The rate of all quarters, and those before and after a change, stand beside the quarters: within each of these parts
    what is hidden is neither lone nor small.
    """
    shared: set[int] = set()
    if answer.measure == "share_of_validations" and answer.rows:
        # Every category counts the same validations, whose number is known: a quarter is few for all of them or for none.
        shared = hidden_parts([n or 0 for n in answer.rows[0].totals])
    rows = tuple(_trend(row, shared) for row in answer.rows)
    if rows == answer.rows and not is_small(answer.n):
        return answer
    return dataclasses.replace(
        answer, rows=rows, n=0 if is_small(answer.n) else answer.n, caveats=(*answer.caveats, SUPPRESSED)
    )


def suppressed_repeats(answer: Repeats) -> Repeats:
    """Repeat findings without small counts, in a pair of modes or in all of them together."""
    counts = [(row.count or 0, row.n or 0) for row in answer.rows]
    hide = _fixed([[y for y, _ in counts], [n for _, n in counts], [n - y for y, n in counts]])
    y, n = answer.count or 0, answer.of or 0
    few = any(is_small(number) for number in (y, n, n - y))
    other = None if is_small(answer.other_pairs) else answer.other_pairs
    pairs = None if is_small(answer.n) else answer.n
    if not hide and not few and (other, pairs) == (answer.other_pairs, answer.n):
        return answer
    rows = tuple(
        RepeatRow(row.earlier, row.later, None, None, None, None) if few or i in hide else row
        for i, row in enumerate(answer.rows)
    )
    return dataclasses.replace(
        answer, rows=rows, n=pairs, other_pairs=other, count=None if few else y, of=None if few else n,
        caveats=(*answer.caveats, SUPPRESSED),
    )  # fmt: skip


def suppressed_candidates(answer: Candidates) -> Candidates:
    """Candidates without criteria of small counts; no total stands beside them."""
    rows = tuple(
        row
        for row in answer.rows
        if not any(
            is_small(n)
            for n in (
                row.criterion.count,
                row.criterion.n,
                (row.criterion.n or 0) - (row.criterion.count or 0),
            )
        )
    )
    shown = tuple(
        dataclasses.replace(row, criterion=dataclasses.replace(row.criterion, not_verified=None))
        if is_small(row.criterion.not_verified)
        else row
        for row in rows
    )
    n = None if is_small(answer.n) else answer.n
    if (shown, n) == (answer.rows, answer.n):
        return answer
    return dataclasses.replace(answer, rows=shown, n=n, caveats=(*answer.caveats, SUPPRESSED))


def _trend(row: TrendRow, shared: set[int]) -> TrendRow:
    events, totals = [y or 0 for y in row.events], [n or 0 for n in row.totals]
    split = row.quarters.index(row.changed_in) if row.changed_in in row.quarters else len(events)
    hide: set[int] = set()
    small = False
    for part in (range(split), range(split, len(events))):
        views = [
            [events[i] for i in part], [totals[i] - events[i] for i in part], [totals[i] for i in part]
        ]  # fmt: skip
        small = small or any(is_small(sum(view)) for view in views)
        inside = {i - part.start for i in shared if i in part}
        hide |= {part.start + i for i in _fixed(views, inside)}
    small = small or any(is_small(n) for n in (sum(events), sum(totals), sum(totals) - sum(events)))
    if not hide and not small:
        return row
    no_n = hide if any(is_small(totals[i]) for i in hide) else shared
    gone = dataclasses.replace(
        row,
        events=tuple(None if i in hide else y for i, y in enumerate(events)),
        totals=tuple(None if i in no_n else n for i, n in enumerate(totals)),
    )
    if not small:
        return gone
    return dataclasses.replace(
        gone, overall=None, changed_in=None, before=None, after=None, p_value=None, adjusted_p=None, tau=None,
        reasons=(SUPPRESSED,),
    )  # fmt: skip


def _fixed(views: list[list[int]], forced: set[int] | None = None) -> set[int]:
    """Which parts to hide so that those hidden are safe in every view of them."""
    hide = set(forced or ())
    before = -1
    while len(hide) != before:
        before = len(hide)
        for view in views:
            hide = hidden_parts(view, hide)
    return hide
