"""Key statistics without small counts."""

from __future__ import annotations

import dataclasses

from analysis.questions.overview import Overview, Statistic
from analysis.suppression.small import SUPPRESSED, is_small


def suppressed_overview(answer: Overview) -> Overview:
    """Key statistics without small counts."""
    statistics = tuple(_hidden_statistic(s) if _small_statistic(s, answer.n) else s for s in answer.statistics)
    sentence = answer.sentence
    if statistics != answer.statistics or is_small(answer.n):
        sentence = "Some counts are too small to show."
    return dataclasses.replace(
        answer, statistics=statistics, n=None if is_small(answer.n) else answer.n, sentence=sentence
    )


def _small_statistic(statistic: Statistic, whole: int | None) -> bool:
    count, n = statistic.count, statistic.n
    complement = n - count if count is not None and n is not None else None
    # How many validations stand outside a statistic is a count as well.
    outside = whole - n if whole and n is not None and statistic.unit == "validation" else None
    return (
        is_small(count) or is_small(n) or is_small(outside) or (statistic.scale != "count" and is_small(complement))
    )


def _hidden_statistic(statistic: Statistic) -> Statistic:
    return dataclasses.replace(
        statistic, count=None, n=None, value=None, interval=None, middle_half=None, series=(), reason=SUPPRESSED
    )
