"""Which counts are too small to be shown."""

from __future__ import annotations

from analysis.results import SMALLEST_SHOWN

SUPPRESSED = "suppressed"
"""Reason code of what is hidden."""


def is_small(count: int | None) -> bool:
    """Whether a count is one of 1 to 4."""
    return count is not None and 0 < count < SMALLEST_SHOWN
