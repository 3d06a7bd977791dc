"""Incidents after a validation without small counts: those who had one, and those still followed."""

from __future__ import annotations

import dataclasses

from analysis.questions.afterwards import A_YEAR, CHECKPOINTS, Afterwards, RiskArm
from analysis.suppression.small import SUPPRESSED, is_small

_FIRST = (A_YEAR, len(CHECKPOINTS), len(CHECKPOINTS) - 1)
"""Which counts of events are kept before others: within a year, in all, within two years."""


def suppressed_afterwards(answer: Afterwards) -> Afterwards:
    """Curves only where they rest on 0 or at least 5 incidents from one mark to the next, and numbers followed alike.

    Every step of a curve is an incident: so of a curve only its marks are left, half a year or more apart.
    """
    arms = {mode: _arm(arm) for mode, arm in answer.arms.items()}
    left_out = {reason: n for reason, n in answer.left_out.items() if not is_small(n)}
    if not answer.arms:
        return dataclasses.replace(answer, left_out=left_out)
    whole = all(arm.risk is not None for arm in arms.values())
    totals = all(arm.events is not None for arm in arms.values())
    contrasts = tuple(
        dataclasses.replace(
            row, p_value=None, n=None, settings={k: v for k, v in row.settings.items() if k != "clusters"}
        )
        for row in answer.contrasts
        if row.measure != "log_rank"
    )
    return dataclasses.replace(
        answer,
        arms=arms,
        contrasts=contrasts if whole else (),
        detectable=answer.detectable if totals else None,
        n=answer.n if all(arm.n is not None for arm in arms.values()) else None,
        left_out=left_out,
        sentence=answer.sentence if whole else "Some counts are too small to show.",
        caveats=(*answer.caveats, SUPPRESSED),
    )


def _arm(arm: RiskArm) -> RiskArm:
    n, events = arm.n, arm.events
    if n is None or events is None or is_small(n) or is_small(n - events):
        return RiskArm(arm.mode, arm.label, None, None, None, None, (), (), ())
    if not arm.events_by:
        return arm
    counts = [*(k or 0 for k in arm.events_by), events]
    kept = _kept(counts)
    shown = {0.0, *(float(day) for i, day in enumerate(CHECKPOINTS) if i in kept)}
    end = arm.points[-1].day if arm.points else 0.0
    by_day = [
        dataclasses.replace(max((p for p in arm.points if p.day <= day), key=lambda p: p.day), day=day)
        for day in sorted(shown)
        if day <= end
    ]
    in_a_year = A_YEAR in kept
    return dataclasses.replace(
        arm,
        events=events if len(CHECKPOINTS) in kept else None,
        risk=arm.risk if in_a_year else None,
        interval=arm.interval if in_a_year else None,
        at_risk=_followed([k or 0 for k in arm.at_risk]),
        events_by=tuple(k if i in kept else None for i, k in enumerate(arm.events_by)),
        points=tuple(by_day) if len(by_day) > 1 else (),
    )


def _kept(counts: list[int]) -> set[int]:
    """Which cumulative counts can be shown: no two neighbours that are 1 to 4 apart."""
    kept = {0}
    for i in (*_FIRST, *range(len(counts))):
        around = [k for k in kept if k != i]
        below = max((k for k in around if k < i), default=None)
        above = min((k for k in around if k > i), default=None)
        apart = [abs(counts[i] - counts[k]) for k in (below, above) if k is not None]
        if not any(is_small(gap) for gap in apart):
            kept.add(i)
    return kept


def _followed(at_risk: list[int]) -> tuple[int | None, ...]:
    """Numbers still followed: none of 1 to 4, and none so near to the one before that few have gone in between."""
    out: list[int | None] = []
    last: int | None = None
    for k in at_risk:
        small = is_small(k) or (last is not None and is_small(last - k))
        out.append(None if small else k)
        last = last if small else k
    return tuple(out)
