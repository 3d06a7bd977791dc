"""Who was validated how, without small counts."""

from __future__ import annotations

import dataclasses
from itertools import groupby
from operator import attrgetter

from analysis.questions.balance import Balance, LevelBalance
from analysis.results import hidden_counts
from analysis.suppression.small import SUPPRESSED, is_small


def suppressed_balance(answer: Balance) -> Balance:
    """Balance without values that 1 to 4 validations of a mode have, nor what would give them back.

    The shares of a column add up to 1, so a value hidden takes a second one with it; of two values only one is
    listed, and the other is known.
    """
    if any(is_small(n) for n in answer.n.values()):
        nothing: dict[str, float | None] = dict.fromkeys(answer.n)
        return Balance((), dict.fromkeys(answer.n, 0), nothing, None, None, {}, False, (), (SUPPRESSED,))
    by_column = sorted(answer.rows, key=attrgetter("column"))
    hidden: set[str] = set()
    for _, rows in groupby(by_column, key=attrgetter("column")):
        hidden |= _hidden(list(rows), answer.n)
    if not hidden:
        return answer
    kept = tuple(row for row in answer.rows if row.label not in hidden)
    return dataclasses.replace(answer, rows=kept, reasons=(*answer.reasons, SUPPRESSED))


def _hidden(rows: list[LevelBalance], n: dict[str, int]) -> set[str]:
    """Labels of one column's rows to hide, for either mode's sake."""
    out: set[str] = set()
    for mode, total in n.items():
        counts = [round(getattr(row, mode) * total) for row in rows]
        rest = total - sum(counts)
        flags = hidden_counts([*counts, rest] if rest else counts)
        out |= {row.label for row, hide in zip(rows, flags, strict=False) if hide}
        if len(rows) == 1 and any(flags):
            out.add(rows[0].label)
    return out
