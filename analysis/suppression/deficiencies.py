"""Deficiencies by criterion, category or reason without small counts."""

from __future__ import annotations

import dataclasses
from itertools import combinations

from analysis.questions.deficiency_modes import ReasonsBothWays
from analysis.questions.deficiency_reasons import ReasonMix
from analysis.questions.deficiency_records import (
    CategoryRow,
    CriterionRow,
    Deficiencies,
    LevelRow,
    ReasonRow,
    Row,
)
from analysis.suppression.comparisons import hidden_comparison
from analysis.suppression.differences import suppressed_family
from analysis.suppression.incidents import hidden_parts
from analysis.suppression.small import SUPPRESSED, is_small


def suppressed_deficiencies(answer: Deficiencies) -> Deficiencies:
    """Deficiencies by criterion, category or reason without small counts; hidden rows come last, in order of name."""
    hide = _hidden_rows(answer)
    rows = [_hidden_row(row) if i in hide else _without_small_parts(row) for i, row in enumerate(answer.rows)]
    if answer.by != "category":
        # Criteria and reasons stand in order of their size, which a place would tell.
        rows.sort(key=lambda row: (row.count is None, _row_name(row) if row.count is None else ""))
    n = None if is_small(answer.n) else answer.n
    total = None if is_small(answer.total) or is_small(_without_reason(answer)) else answer.total
    told = {_row_name(row) for row in rows if row.count is not None}
    sentence = answer.sentence
    if n is None or is_small(answer.total) or (hide and _row_name(_leading(answer)) not in told):
        sentence = "Some counts are too small to show."
    changed = (tuple(rows), n, total) != (answer.rows, answer.n, answer.total)
    caveats = (*answer.caveats, SUPPRESSED) if changed else answer.caveats
    return dataclasses.replace(answer, rows=tuple(rows), n=n, total=total, sentence=sentence, caveats=caveats)


def suppressed_reasons(answer: ReasonsBothWays) -> ReasonsBothWays:
    """Reasons without small counts, of all deficiencies and by mode.

    By mode only those are left that neither tell a reason hidden in the other list, nor leave a small rest to its count.
    """
    pooled, family = answer.pooled, answer.by_mode
    hide = _hidden_rows(pooled)
    places = {_row_name(row): i for i, row in enumerate(pooled.rows)}
    of = [places[a.group["reason"]] for a in family.comparisons]
    rests = [
        _beyond(pooled.rows[place].count or 0, [arm.events or 0 for arm in a.arms.values()])
        for place, a in zip(of, family.comparisons, strict=True)
    ]
    shown = suppressed_family(family, [i for i, place in enumerate(of) if place in hide], rests)
    recorded = (pooled.rows[0].n or 0) if pooled.rows else 0
    arms = [arm.n for arm in family.comparisons[0].arms.values()] if family.comparisons else []
    if any(is_small(rest) for rest in _beyond(recorded, arms)):
        gone = tuple(hidden_comparison(a) for a in family.comparisons)
        shown = dataclasses.replace(family, comparisons=gone, adjusted_p=tuple(None for _ in gone))
    return ReasonsBothWays(suppressed_deficiencies(pooled), shown)


def suppressed_reason_mix(answer: ReasonMix) -> ReasonMix:
    """Reasons within categories without small cells; a category has a total, so none hides alone in it."""
    gone = hidden_parts([total or 0 for total in answer.totals])
    lines = []
    for i, line in enumerate(answer.counts):
        counts = [count or 0 for count in line]
        near = [j for j, count in enumerate(counts) if is_small((answer.totals[i] or 0) - count)]
        hide = set(range(len(counts))) if i in gone else hidden_parts(counts, near)
        lines.append(tuple(None if j in hide else count for j, count in enumerate(counts)))
    totals = tuple(None if i in gone else total for i, total in enumerate(answer.totals))
    n = None if is_small(answer.n) else answer.n
    if (tuple(lines), totals, n) == (answer.counts, answer.totals, answer.n):
        return answer
    return dataclasses.replace(
        answer, counts=tuple(lines), totals=totals, n=n, caveats=(*answer.caveats, SUPPRESSED)
    )


def _beyond(whole: int, parts: list[int]) -> list[int]:
    """What is left of a whole without one of its parts, or without two."""
    return [whole - sum(some) for size in (1, 2) for some in combinations(parts, size)]


def _without_reason(answer: Deficiencies) -> int:
    """How many deficiencies have no reason; 0 where the rows are no reasons."""
    first = answer.rows[0] if answer.rows else None
    return (answer.total or 0) - (first.n or 0) if isinstance(first, ReasonRow) else 0


def _leading(answer: Deficiencies) -> Row:
    """The row the sentence speaks of."""
    if answer.by == "category":
        return max(answer.rows, key=lambda row: row.count or 0)
    return answer.rows[0]


def _hidden_rows(answer: Deficiencies) -> set[int]:
    """Rows with a small count or remainder, and companions until what is hidden together is neither lone nor small."""
    counts = [row.count or 0 for row in answer.rows]
    hide = {
        i for i, row in enumerate(answer.rows)
        if is_small(row.count) or is_small(row.n) or (row.n is not None and is_small(row.n - (row.count or 0)))
    }  # fmt: skip
    if not hide:
        return hide
    others = sorted(set(range(len(counts))) - hide, key=lambda i: (counts[i] == 0, counts[i]))
    for companion in others:
        together = sum(counts[i] for i in hide)
        if sum(1 for i in hide if counts[i]) > 1 and not is_small(together):
            break
        hide.add(companion)
    return hide


def _hidden_row(row: Row) -> Row:
    """A row of which only the name is left."""
    if isinstance(row, ReasonRow):
        return dataclasses.replace(row, count=None, n=None, share=None, interval=None)
    if isinstance(row, CategoryRow):
        levels = tuple(LevelRow(level.level, None, None, None, None) for level in row.levels)
        return dataclasses.replace(
            row,
            count=None,
            n=None,
            share=None,
            share_interval=None,
            rate=None,
            interval=None,
            load=None,
            levels=levels,
        )
    return dataclasses.replace(
        row, count=None, n=None, share=None, share_interval=None, rate=None, interval=None, shrunken=None,
        shrunken_interval=None, rank=None, not_verified=None,
    )  # fmt: skip


def _without_small_parts(row: Row) -> Row:
    """A row that may be shown, without those of its parts that may not."""
    if isinstance(row, CriterionRow) and is_small(row.not_verified):
        return dataclasses.replace(row, not_verified=None)
    if isinstance(row, CategoryRow):
        parts = [n for part in row.levels for n in (part.count, part.n, (part.n or 0) - (part.count or 0))]
        if any(is_small(n) for n in parts):
            # One level is the whole without the other: both go.
            return dataclasses.replace(
                row, levels=tuple(LevelRow(p.level, None, None, None, None) for p in row.levels)
            )
    return row


def _row_name(row: Row) -> str:
    if isinstance(row, CriterionRow):
        return row.criterion_id
    return row.category if isinstance(row, CategoryRow) else row.reason
