"""Key statistics without small counts."""

from __future__ import annotations

import dataclasses

from analysis.questions.overview_records import Change, Monthly, Overview, Statistic
from analysis.questions.program_totals import ProgramTotals
from analysis.results import hidden_counts
from analysis.suppression.small import SUPPRESSED, is_small


def suppressed_overview(answer: Overview) -> Overview:
    """Key statistics without small counts."""
    statistics = tuple(
        _hidden_statistic(s) if _small_statistic(s, answer.n) else _without_small_change(s)
        for s in answer.statistics
    )
    sentence = answer.sentence
    if statistics != answer.statistics or is_small(answer.n):
        sentence = "Some counts are too small to show."
    return dataclasses.replace(
        answer, statistics=statistics, n=None if is_small(answer.n) else answer.n, sentence=sentence
    )


def suppressed_program_totals(answer: ProgramTotals) -> ProgramTotals:
    """An office's statistics without small counts; what is told of the whole never has any."""
    n = next((own.count for own, _ in answer.rows if own.id == "validations"), None)
    rows = tuple(
        (_hidden_statistic(own) if _small_statistic(own, n) else own, whole) for own, whole in answer.rows
    )
    sentence = answer.sentence if rows == answer.rows else "Some counts are too small to show."
    return dataclasses.replace(answer, rows=rows, sentence=sentence)


def suppressed_monthly(answer: Monthly) -> Monthly:
    """Validations per month without small counts; with the total known, a lone one takes another with it."""
    hide = hidden_counts([n or 0 for _, _, n in answer.rows])
    if not any(hide):
        return answer
    rows = tuple(
        (month, mode, None if hidden else n)
        for (month, mode, n), hidden in zip(answer.rows, hide, strict=True)
    )
    return Monthly(rows, None if is_small(answer.n) else answer.n, (*answer.caveats, SUPPRESSED))


def _small_statistic(statistic: Statistic, whole: int | None) -> bool:
    count, n = statistic.count, statistic.n
    complement = n - count if count is not None and n is not None else None
    # How many validations stand outside a statistic is a count as well.
    outside = whole - n if whole and n is not None and statistic.unit == "validation" else None
    return (
        is_small(count)
        or is_small(n)
        or is_small(outside)
        or (statistic.scale != "count" and is_small(complement))
    )


def _hidden_statistic(statistic: Statistic) -> Statistic:
    return dataclasses.replace(
        statistic,
        count=None,
        n=None,
        value=None,
        interval=None,
        middle_half=None,
        series=(),
        reason=SUPPRESSED,
        change=None,
    )


def _without_small_change(statistic: Statistic) -> Statistic:
    """A statistic whose change, with the whole, would tell a small count is shown without it."""
    if statistic.change is None or not _tells_small(statistic, statistic.change):
        return statistic
    return dataclasses.replace(statistic, change=None)


def _tells_small(statistic: Statistic, change: Change) -> bool:
    told: list[int] = []
    for place, whole in enumerate((statistic.count, statistic.n)):
        parts = [part[place] for part in (change.latest, change.before)]
        known = [part for part in parts if part is not None]
        told += known
        if whole is not None and known:
            # What lies outside the two periods is the whole without them.
            told.append(whole - sum(known))
    if statistic.scale != "count":
        told += [n - k for k, n in (change.latest, change.before) if k is not None and n is not None]
    return any(is_small(count) for count in told)
