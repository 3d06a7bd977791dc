"""Small counts hidden in whole answers: what `--suppress` and every export apply.

Counts of 1 to 4 are hidden with everything that would give them back: rates, intervals and differences made of
them, their complements, and one companion where a total is known. Differencing across filters is not prevented:
two exports of overlapping selections can be subtracted from each other.
"""

from __future__ import annotations

import dataclasses
import re

from analysis.questions.deficiency_records import (
    CategoryRow,
    CriterionRow,
    Deficiencies,
    LevelRow,
    ReasonRow,
    Row,
)
from analysis.questions.overview import Overview, Statistic
from analysis.results import SMALLEST_SHOWN, Comparison, Estimate

SUPPRESSED = "suppressed"


def suppressed_comparison(answer: Comparison) -> Comparison:
    """A comparison without small counts, nor estimates and differences of counts that would give them back."""
    if _small_arms(answer):
        return _hidden(answer)
    hide = _hidden_groups(answer)
    groups = tuple(_hidden(g) if i in hide else _without_remainders(g) for i, g in enumerate(answer.groups))
    return _without_remainders(dataclasses.replace(answer, groups=groups))


def suppressed_overview(answer: Overview) -> Overview:
    """Key statistics without small counts."""
    statistics = tuple(_hidden_statistic(s) if _small_statistic(s, answer.n) else s for s in answer.statistics)
    sentence = answer.sentence
    if statistics != answer.statistics or _small(answer.n):
        sentence = "Some counts are too small to show."
    return dataclasses.replace(
        answer, statistics=statistics, n=None if _small(answer.n) else answer.n, sentence=sentence
    )


def _small(count: int | None) -> bool:
    return count is not None and 0 < count < SMALLEST_SHOWN


def _counts(answer: Comparison) -> dict[tuple[str, str], int]:
    """What a comparison tells of each arm: how many, how many with the event, how many without."""
    out = {}
    for mode, arm in answer.arms.items():
        out[mode, "n"] = arm.n
        if arm.validations is not None:
            out[mode, "validations"] = arm.validations
        if arm.events is not None:
            out[mode, "events"], out[mode, "others"] = arm.events, arm.n - arm.events
    return out


def _small_arms(answer: Comparison) -> bool:
    return any(_small(count) for count in _counts(answer).values())


def _hidden_groups(answer: Comparison) -> set[int]:
    """Groups to hide: small ones, and companions until the hidden ones together are neither lone nor small.

    With the whole above them, what is hidden together can be had by subtraction.
    """
    counts = [_counts(group) for group in answer.groups]
    hide = {i for i, group in enumerate(answer.groups) if _small_arms(group)}
    if not hide or not answer.arms:
        return hide
    others = sorted(set(range(len(counts))) - hide, key=lambda i: sum(counts[i].values()))
    whole = _counts(answer)
    for companion in others:
        remainder = {key: n - sum(c.get(key, 0) for i, c in enumerate(counts) if i not in hide) for key, n in whole.items()}
        if len(hide) > 1 and not any(_small(n) for n in remainder.values()):
            break
        hide.add(companion)
    return hide


def _hidden(answer: Comparison) -> Comparison:
    rows = tuple(
        Estimate(row.method, row.measure, row.population, None, None, None, 0, "not_estimable", (SUPPRESSED,))
        for row in answer.estimates
    )
    return dataclasses.replace(
        answer, arms={}, estimates=rows, verdict="too_few", reasons=(SUPPRESSED,), further_needed=None, left_out={},
        sentence="Counts of 1 to 4 are not shown.", groups=tuple(_hidden(group) for group in answer.groups),
        quarters=(), series={}, adjusted_arms={},
    )  # fmt: skip


def _without_remainders(answer: Comparison) -> Comparison:
    """Without small counts of what was left out, nor the numbers whose difference they are."""
    whole = sum(arm.n for arm in answer.arms.values())
    left_out = {reason: n for reason, n in answer.left_out.items() if not _small(n)}
    apart = [row.n for row in answer.estimates if _small(row.n) or (row.n and _small(whole - row.n))]
    answer = _without_solvable(answer)
    if len(left_out) == len(answer.left_out) and not apart:
        return answer
    rows = tuple(
        row if row.population == "selection" and not _small(row.n)
        else dataclasses.replace(row, n=0, caveats=(*row.caveats, SUPPRESSED), settings=_without_counts(row))
        for row in answer.estimates
    )
    sentence = re.sub(r"; n = [\d,]+", "", answer.sentence)
    return dataclasses.replace(
        answer, left_out=left_out, estimates=rows, sentence=sentence, further_needed=None
    )


def _without_solvable(answer: Comparison) -> Comparison:
    """Without what could be solved for the counts within the window.

    A difference, a ratio and an n of one stratum give its 2×2 table back; so of each adjusted way only the answer's own
    measure is kept, without its p-value, and neither the arms on the common mix nor their course by quarter.
    """
    rows = tuple(
        row
        if row.population == "selection"
        else dataclasses.replace(row, p_value=None)
        if row.measure == answer.measure
        else dataclasses.replace(
            row, estimate=None, interval=None, p_value=None, n=0, status="not_estimable", caveats=(SUPPRESSED,)
        )
        for row in answer.estimates
    )
    return dataclasses.replace(answer, estimates=rows, adjusted_arms={}, quarters=(), series={})


def _without_counts(row: Estimate) -> dict[str, object]:
    """Settings without what counts validations: sizes of parts can be subtracted like any other."""
    counted = ("n_trimmed", "pairs_virtual", "pairs_in_person", "effective_virtual", "effective_in_person")
    return {name: value for name, value in row.settings.items() if name not in counted}


def _small_statistic(statistic: Statistic, whole: int | None) -> bool:
    count, n = statistic.count, statistic.n
    complement = n - count if count is not None and n is not None else None
    # How many validations stand outside a statistic is a count as well.
    outside = whole - n if whole and n is not None and statistic.unit == "validation" else None
    return (
        _small(count) or _small(n) or _small(outside) or (statistic.scale != "count" and _small(complement))
    )


def _hidden_statistic(statistic: Statistic) -> Statistic:
    return dataclasses.replace(
        statistic, count=None, n=None, value=None, interval=None, middle_half=None, series=(), reason=SUPPRESSED
    )


def suppressed_deficiencies(answer: Deficiencies) -> Deficiencies:
    """Deficiencies by criterion, category or reason without small counts; hidden rows come last, in order of name."""
    hide = _hidden_rows(answer)
    rows = [
        _hidden_row(row) if i in hide else _without_small_parts(row) for i, row in enumerate(answer.rows)
    ]
    if answer.by != "category":
        # Criteria and reasons stand in order of their size, which a place would tell.
        rows.sort(key=lambda row: (row.count is None, _row_name(row) if row.count is None else ""))
    n = None if _small(answer.n) else answer.n
    total = None if _small(answer.total) else answer.total
    told = {_row_name(row) for row in rows if row.count is not None}
    sentence = answer.sentence
    if n is None or total is None or (hide and _row_name(_leading(answer)) not in told):
        sentence = "Some counts are too small to show."
    changed = (tuple(rows), n, total) != (answer.rows, answer.n, answer.total)
    caveats = (*answer.caveats, SUPPRESSED) if changed else answer.caveats
    return dataclasses.replace(
        answer, rows=tuple(rows), n=n, total=total, sentence=sentence, caveats=caveats
    )


def _leading(answer: Deficiencies) -> Row:
    """The row the sentence speaks of."""
    if answer.by == "category":
        return max(answer.rows, key=lambda row: row.count or 0)
    return answer.rows[0]


def _hidden_rows(answer: Deficiencies) -> set[int]:
    """Rows with a small count or remainder, and companions until what is hidden together is neither lone nor small."""
    counts = [row.count or 0 for row in answer.rows]
    hide = {
        i for i, row in enumerate(answer.rows)
        if _small(row.count) or _small(row.n) or (row.n is not None and _small(row.n - (row.count or 0)))
    }  # fmt: skip
    if not hide:
        return hide
    others = sorted(set(range(len(counts))) - hide, key=lambda i: (counts[i] == 0, counts[i]))
    for companion in others:
        together = sum(counts[i] for i in hide)
        if sum(1 for i in hide if counts[i]) > 1 and not _small(together):
            break
        hide.add(companion)
    return hide


def _hidden_row(row: Row) -> Row:
    """A row of which only the name is left."""
    if isinstance(row, ReasonRow):
        return dataclasses.replace(row, count=None, n=None, share=None, interval=None)
    if isinstance(row, CategoryRow):
        levels = tuple(LevelRow(level.level, None, None, None, None) for level in row.levels)
        return dataclasses.replace(
            row, count=None, n=None, share=None, share_interval=None, rate=None, interval=None, load=None, levels=levels
        )
    return dataclasses.replace(
        row, count=None, n=None, share=None, share_interval=None, rate=None, interval=None, shrunken=None,
        shrunken_interval=None, rank=None, not_verified=None,
    )  # fmt: skip


def _without_small_parts(row: Row) -> Row:
    """A row that may be shown, without those of its parts that may not."""
    if isinstance(row, CriterionRow) and _small(row.not_verified):
        return dataclasses.replace(row, not_verified=None)
    if isinstance(row, CategoryRow):
        parts = [n for part in row.levels for n in (part.count, part.n, (part.n or 0) - (part.count or 0))]
        if any(_small(n) for n in parts):
            # One level is the whole without the other: both go.
            return dataclasses.replace(row, levels=tuple(LevelRow(p.level, None, None, None, None) for p in row.levels))
    return row


def _row_name(row: Row) -> str:
    if isinstance(row, CriterionRow):
        return row.criterion_id
    return row.category if isinstance(row, CategoryRow) else row.reason
