"""How much is enough: what is too small to be judged, or to be modelled, and what to say of it."""

from __future__ import annotations

from analysis.schema import ADJUSTMENT_COLUMNS

MIN_PER_ARM = 10
"""Fewer validations than this in an arm: shown, never judged."""
MIN_EVENTS = 5
"""Fewer events (or non-events) than this in both arms together: shown, never judged."""
SMALL_ARM = 30
SMALL_EVENTS = 10


def adjusted_for(strata: tuple[str, ...]) -> tuple[str, ...]:
    """Reason codes of an adjustment that could use only part of its columns, or none."""
    if not strata:
        return ("nothing_to_adjust_for",)
    return () if len(strata) == len(ADJUSTMENT_COLUMNS) else ("adjusted_for_part",)


def smallness(n_1: int, n_0: int, events: int | None, others: int | None) -> tuple[tuple[str, ...], bool]:
    """Reason codes for small numbers, and whether they are too small for a verdict.

    `n_1` and `n_0` are validations (or responses) per arm; `events` and `others` both arms together, None where
    the metric has none.
    """
    reasons: list[str] = []
    if min(n_1, n_0) < MIN_PER_ARM:
        reasons.append("too_few_in_an_arm")
    counted = [amount for amount in (events, others) if amount is not None]
    if counted and min(counted) < MIN_EVENTS:
        reasons.append("too_few_events")
    too_small = bool(reasons)
    if not too_small and (min(n_1, n_0) < SMALL_ARM or (counted and min(counted) < SMALL_EVENTS)):
        reasons.append("small_numbers")
    return tuple(reasons), too_small
