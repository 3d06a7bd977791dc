"""Small counts hidden in whole answers: what `--suppress` and every export apply.

Counts of 1 to 4 are hidden with everything that would give them back: rates, intervals and differences made of
them, their complements, and one companion where a total is known. Differencing across filters is not prevented:
two exports of overlapping selections can be subtracted from each other.
"""

from __future__ import annotations

from functools import singledispatch
from typing import TypeVar, cast

from analysis.questions.deficiency_records import Deficiencies
from analysis.questions.overview import Overview
from analysis.results import Comparison
from analysis.suppression.comparisons import suppressed_comparison
from analysis.suppression.deficiencies import suppressed_deficiencies
from analysis.suppression.small import SUPPRESSED as SUPPRESSED
from analysis.suppression.statistics import suppressed_overview

Answer = TypeVar("Answer")


def suppressed(answer: Answer) -> Answer:
    """An answer of the same kind without small counts.

    Raises
    ------
    TypeError
        For a kind of answer nobody said how to suppress: refusing is safe, showing is not.
    """
    return cast(Answer, _suppressed(answer))


@singledispatch
def _suppressed(answer: object) -> object:
    raise TypeError(f"nobody said how to hide small counts in {type(answer).__name__}")


_suppressed.register(Comparison, suppressed_comparison)
_suppressed.register(Overview, suppressed_overview)
_suppressed.register(Deficiencies, suppressed_deficiencies)
