"""The one error this library raises on purpose."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AnalysisError(Exception):
    """Something the caller asked for, or the data they brought, cannot be used.

    The message is one sentence that says what is wrong, with the value, and how to mend it.
    Too few data is never an error: it is a result with a reason (see `analysis.reasons`).
    """


def nearest(value: str, allowed: Iterable[str]) -> str:
    """Say which allowed name a wrong one probably meant, as the end of a sentence.

    >>> nearest("Maimi", ["Miami", "Houston"])
    "did you mean 'Miami'?"
    >>> nearest("x", ["Miami", "Houston"])
    'allowed are: Houston, Miami.'
    """
    names = sorted(allowed)
    if names:
        closest = max(names, key=lambda name: _likeness(value, name))
        if _likeness(value, closest) >= 0.65:
            return f"did you mean '{closest}'?"
    return f"allowed are: {', '.join(names)}."


def _likeness(one: str, other: str) -> float:
    # ratio() weighs order and undervalues swapped letters ("Maimi" for "Miami"); quick_ratio() ignores order.
    match = difflib.SequenceMatcher(None, one.casefold(), other.casefold())
    return (match.ratio() + match.quick_ratio()) / 2
