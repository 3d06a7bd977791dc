"""Answers about robustness without small counts."""

from __future__ import annotations

import dataclasses

from analysis.questions.robustness import stands
from analysis.questions.robustness_bounds import Bounded
from analysis.questions.robustness_leave_out import LeaveOneOut, LeftOut, leave_out_sentence
from analysis.questions.robustness_margin import Margins
from analysis.questions.robustness_power import Detectable
from analysis.questions.robustness_specifications import Specification, Specifications
from analysis.questions.robustness_unmeasured import Unmeasured
from analysis.results import Comparison, Estimate, hidden_counts
from analysis.suppression.comparisons import hidden_comparison, suppressed_comparison
from analysis.suppression.small import SUPPRESSED, is_small

NOT_SHOWN = "Counts of 1 to 4 are not shown."


def suppressed_margins(answer: Margins) -> Margins:
    """Margins without an answer that small counts stand behind."""
    whole = suppressed_comparison(answer.whole)
    moved = suppressed_comparison(answer.moved) if answer.moved else None
    if _hidden(answer.whole, whole):
        return dataclasses.replace(
            answer,
            whole=whole,
            moved=moved,
            rows=(),
            needless=False,
            caveats=(SUPPRESSED,),
            sentence=NOT_SHOWN,
        )
    return dataclasses.replace(answer, whole=whole, moved=moved)


def suppressed_bounds(answer: Bounded) -> Bounded:
    """Bounds without small counts: of events, of what could be one, or of neither."""
    whole = suppressed_comparison(answer.whole)
    counts = [n for a in answer.arms.values() for n in (a.n, a.events, a.unseen, a.n - a.events - a.unseen)]
    if _hidden(answer.whole, whole) or any(is_small(n) for n in counts):
        return Bounded(
            whole, {}, (), None, None, None, None, whole.verdict, answer.first, (SUPPRESSED,), NOT_SHOWN
        )
    # Of criteria left unverified only a share is told, which may stand for a small count.
    arms = {mode: dataclasses.replace(arm, not_verified=None) for mode, arm in answer.arms.items()}
    orders = tuple(dataclasses.replace(order, estimate=_bare(order.estimate)) for order in answer.orders)
    return dataclasses.replace(answer, whole=whole, arms=arms, orders=orders)


def suppressed_specifications(answer: Specifications) -> Specifications:
    """Specifications without their numbers of validations: two of them tell how many a choice leaves out."""
    whole = suppressed_comparison(answer.whole)
    if _hidden(answer.whole, whole) or any(is_small(n) for n in answer.behind):
        return Specifications(whole, (), (), (SUPPRESSED,), NOT_SHOWN)
    rows = tuple(Specification(row.departures, _bare(row.estimate), row.verdict) for row in answer.rows)
    return dataclasses.replace(answer, whole=whole, rows=rows)


def suppressed_unmeasured(answer: Unmeasured) -> Unmeasured:
    """E-values only where a difference and a ratio together give no small count back."""
    whole = suppressed_comparison(answer.whole)
    if _hidden(answer.whole, whole) or any(is_small(n) for n in answer.behind):
        return Unmeasured(whole, None, (), (), (), (SUPPRESSED,), NOT_SHOWN)
    ratio = _bare(answer.ratio) if answer.ratio else None
    return dataclasses.replace(answer, whole=whole, ratio=ratio)


def suppressed_detectable(answer: Detectable) -> Detectable:
    """Power of a comparison without small arms."""
    whole = suppressed_comparison(answer.whole)
    if _hidden(answer.whole, whole) or any(is_small(n) for n in answer.behind):
        return Detectable(whole, {}, None, None, None, (), None, None, None, (), (SUPPRESSED,), NOT_SHOWN)
    return dataclasses.replace(answer, whole=whole)


def suppressed_leave_one_out(answer: LeaveOneOut) -> LeaveOneOut:
    """Left-out values without those that are few, nor a companion by which they could be had."""
    whole = suppressed_comparison(answer.whole)
    if _hidden(answer.whole, whole):
        return LeaveOneOut(whole, answer.column, (), (SUPPRESSED,), NOT_SHOWN)
    hide = [False] * len(answer.rows)
    for mode in ("virtual", "in_person"):
        small = hidden_counts([row.lost.get(mode, 0) for row in answer.rows])
        hide = [one or other for one, other in zip(hide, small, strict=True)]
    rows = tuple(_without(row, hidden) for row, hidden in zip(answer.rows, hide, strict=True))
    caveats = (*answer.caveats, SUPPRESSED) if any(hide) else answer.caveats
    found = dataclasses.replace(answer, whole=whole, rows=rows, caveats=caveats)
    return dataclasses.replace(found, sentence=leave_out_sentence(found)) if answer.rows else found


def _without(row: LeftOut, hidden: bool) -> LeftOut:
    if not hidden:
        return dataclasses.replace(row, answer=suppressed_comparison(row.answer))
    return dataclasses.replace(row, answer=hidden_comparison(row.answer), lost={})


def _hidden(before: Comparison, after: Comparison) -> bool:
    """Whether an answer that could be shown no longer is."""
    return stands(before) and not stands(after)


def _bare(row: Estimate) -> Estimate:
    """An estimate without anything that counts validations."""
    if row.status != "ok":
        return dataclasses.replace(
            row, estimate=None, interval=None, p_value=None, n=0, status="not_estimable", settings={}
        )
    return dataclasses.replace(row, p_value=None, n=0, settings={})
