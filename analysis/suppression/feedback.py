"""Feedback without small counts, and without what people wrote."""

from __future__ import annotations

import dataclasses

from analysis.questions.feedback_records import (
    Feedback,
    ItemRow,
    PairAgreement,
    PairRow,
    ResponseRow,
    ThemeRow,
    Themes,
)
from analysis.results import hidden_counts
from analysis.suppression.comparisons import suppressed_comparison
from analysis.suppression.small import SUPPRESSED, is_small


def suppressed_feedback(answer: Feedback) -> Feedback:
    """Response rates and scores without small counts. An item with a small count in a mode loses that mode's scores."""
    responses = tuple(_response(row) for row in answer.responses)
    items = tuple(_item(row) for row in answer.items)
    n = None if is_small(answer.n) else answer.n
    changed = (responses, n) != (answer.responses, answer.n) or any(
        new.scores != old.scores for new, old in zip(items, answer.items, strict=True)
    )
    hidden = any(new.count is None for new in responses) or n is None
    return dataclasses.replace(
        answer,
        responses=responses,
        items=items,
        n=n,
        sentence="Some counts are too small to show." if hidden else answer.sentence,
        caveats=(*answer.caveats, SUPPRESSED) if changed else answer.caveats,
    )


def suppressed_pairs(answer: PairAgreement) -> PairAgreement:
    """Agreement without small counts of equal or unequal scores."""
    rows = tuple(_pair(row) for row in answer.rows)
    if rows == answer.rows:
        return answer
    n = None if is_small(answer.n) else answer.n
    return PairAgreement(rows, n, "Some counts are too small to show.", (*answer.caveats, SUPPRESSED))


def suppressed_themes(answer: Themes) -> Themes:
    """Themes without small counts and without comments: free text can name its writer."""
    hide = hidden_counts([row.n or 0 for row in answer.rows])
    rows = [
        _hidden_theme(row) if hidden else _theme(row) for row, hidden in zip(answer.rows, hide, strict=True)
    ]
    if any(hide):
        # Themes stand in order of their size, which a place would tell.
        rows.sort(key=lambda row: (row.n is None, row.theme if row.n is None else ""))
    return Themes(tuple(rows), None if is_small(answer.n) else answer.n, (*answer.caveats, SUPPRESSED))


def _response(row: ResponseRow) -> ResponseRow:
    if is_small(row.n) or is_small(row.count) or is_small((row.n or 0) - (row.count or 0)):
        return dataclasses.replace(row, count=None, n=None, share=None, interval=None)
    return row


def _item(row: ItemRow) -> ItemRow:
    scores = {
        mode: (None,) * len(counts) if any(is_small(count) for count in counts) else counts
        for mode, counts in row.scores.items()
    }
    contrast = suppressed_comparison(row.contrast) if row.contrast is not None else None
    if scores == dict(row.scores):
        return dataclasses.replace(row, contrast=contrast)
    # What is left of the other mode and the ranks of both would give the hidden ones back.
    return dataclasses.replace(
        row, scores=scores, contrast=contrast, adjusted_p=None, higher=None, higher_interval=None
    )


def _pair(row: PairRow) -> PairRow:
    if is_small(row.n) or is_small(row.same) or is_small((row.n or 0) - (row.same or 0)):
        return dataclasses.replace(
            row,
            n=None,
            same=None,
            share=None,
            interval=None,
            kappa=None,
            kappa_interval=None,
            gwet=None,
            alpha=None,
            shift=None,
        )
    return row


def _theme(row: ThemeRow) -> ThemeRow:
    small = any(is_small(count) for count in row.counts.values())
    counts = {mode: None if small else count for mode, count in row.counts.items()}
    other = (row.n or 0) - (row.favourable or 0)
    favourable = None if is_small(row.favourable) or is_small(other) else row.favourable
    return dataclasses.replace(row, counts=counts, favourable=favourable, quotes=())


def _hidden_theme(row: ThemeRow) -> ThemeRow:
    return ThemeRow(row.theme, dict.fromkeys(row.counts), None, None, ())
