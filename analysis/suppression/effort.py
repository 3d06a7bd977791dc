"""Time, effort and burden without small counts."""

from __future__ import annotations

import dataclasses
import re

from analysis.questions.amounts import AmountArm, AmountByMode
from analysis.questions.effort import Effort, EffortRow
from analysis.results import hidden_counts
from analysis.suppression.small import SUPPRESSED, is_small

_FEW_VALUES = 3
"""With so few columns a probability or a shift can be solved for the counts in them."""


def suppressed_amount(answer: AmountByMode) -> AmountByMode:
    """A distribution without columns of 1 to 4, nor what would give them back."""
    left_out = {reason: n for reason, n in answer.left_out.items() if not is_small(n)}
    if any(is_small(arm.n) for arm in answer.arms.values()) or is_small(answer.n):
        arms = {mode: _hidden(arm) for mode, arm in answer.arms.items()}
        return dataclasses.replace(
            answer, arms=arms, contrasts=(), n=None, left_out=left_out, caveats=(*answer.caveats, SUPPRESSED)
        )
    arms = {mode: _without_small_parts(arm) for mode, arm in answer.arms.items()}
    changed = arms != answer.arms or left_out != dict(answer.left_out)
    solvable = arms != answer.arms and any(
        sum(1 for part in arm.bins if part.count) <= _FEW_VALUES for arm in answer.arms.values()
    )
    contrasts = tuple(c for c in answer.contrasts if not solvable or c.measure.startswith("quantile"))
    return dataclasses.replace(
        answer, arms=arms, contrasts=contrasts, left_out=left_out,
        caveats=(*answer.caveats, SUPPRESSED) if changed else answer.caveats,
    )  # fmt: skip


def suppressed_effort(answer: Effort) -> Effort:
    """Every amount without small counts, and ratios only of those of which both arms are shown."""
    rows = tuple(_row(row) for row in answer.rows)
    sentence = answer.sentence
    first = next((row.ratio for row in rows if row.ratio is not None), None)
    if any(row.ratio is None and old.ratio is not None for row, old in zip(rows, answer.rows, strict=True)):
        sentence = "Some counts are too small to show."
    elif first is not None and SUPPRESSED in first.caveats:
        sentence = re.sub(r"; n = [\d,]+", "", sentence)
    caveats = answer.caveats
    if rows != answer.rows or is_small(answer.n):
        caveats = tuple(dict.fromkeys([*caveats, SUPPRESSED]))
    n = None if is_small(answer.n) else answer.n
    return dataclasses.replace(answer, rows=rows, n=n, sentence=sentence, caveats=caveats)


def _row(row: EffortRow) -> EffortRow:
    amount, ratio = suppressed_amount(row.amount), row.ratio
    # Few columns hide their counts only as long as nothing else is made of them.
    if ratio is None or amount.n is None or len(amount.contrasts) < len(row.amount.contrasts):
        return EffortRow(amount, None)
    settings = {name: value for name, value in ratio.settings.items() if name != "n_zero"}
    ratio = dataclasses.replace(ratio, p_value=None, settings=settings)
    if is_small((row.amount.n or 0) - ratio.n) or is_small(ratio.n):
        ratio = dataclasses.replace(ratio, n=0, caveats=(*ratio.caveats, SUPPRESSED))
    return EffortRow(amount, ratio)


def _hidden(arm: AmountArm) -> AmountArm:
    return AmountArm(arm.mode, arm.label, None, None, None, None, (None, None, None), ())


def _without_small_parts(arm: AmountArm) -> AmountArm:
    """One mode without small columns; those still open are one part more of the same whole."""
    if arm.n is None or not arm.bins:
        return arm
    hide = hidden_counts([*(part.count or 0 for part in arm.bins), arm.n_open or 0])
    bins = tuple(
        dataclasses.replace(part, count=None, share=None) if gone else part
        for part, gone in zip(arm.bins, hide[:-1], strict=True)
    )
    zero = arm.n_zero
    beside_zero = (arm.bins[0].count or 0) - (zero or 0)
    if is_small(zero) or (zero and (hide[0] or is_small(beside_zero))):
        zero = None
    missing = None if arm.of is None else arm.of - arm.n
    return dataclasses.replace(
        arm, bins=bins, n_open=None if hide[-1] else arm.n_open, n_zero=zero, of=None if is_small(missing) else arm.of
    )  # fmt: skip
