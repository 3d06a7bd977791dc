"""Where the modes differ, without small counts: by group, by class of criteria, by single criterion, and the mix."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

from analysis.questions.deficiency_modes import CriteriaByMode, CriterionByMode
from analysis.questions.deficiency_seen import WaysOfSeeing
from analysis.questions.differences import over_groups
from analysis.questions.differences_criteria import CriteriaEvidence
from analysis.questions.differences_records import Differences, Mix, MixLevel
from analysis.questions.differences_seen import SeenByMode
from analysis.results import Comparison, Family
from analysis.suppression.comparisons import hidden_comparison, suppressed_comparison
from analysis.suppression.small import SUPPRESSED, is_small

_GENERIC = "Some counts are too small to show."


def suppressed_differences(answer: Differences) -> Differences:
    """Groups without small counts; their spread, and what they are shrunken to, made of the groups shown alone."""
    labels = {effect.value: effect.label for effect in answer.effects}
    looks = answer.spread.looks if answer.spread else 1
    return over_groups(suppressed_comparison(answer.comparison), answer.by, labels, looks)


def suppressed_family(
    answer: Family, forced: Collection[int] = (), rests: Sequence[Sequence[int]] = ()
) -> Family:
    """Members of a family without small counts; where they may add up to a whole, never a lone one is hidden.

    Members at the places `forced` are hidden too: another answer beside this one would tell them. `rests` are what such
    an answer leaves beside each member, which must not be small either.
    """
    hide = _hidden_members(answer.comparisons, forced, rests)
    comparisons = tuple(
        hidden_comparison(a) if i in hide else suppressed_comparison(a)
        for i, a in enumerate(answer.comparisons)
    )
    adjusted = tuple(None if i in hide else p for i, p in enumerate(answer.adjusted_p))
    return dataclasses.replace(answer, comparisons=comparisons, adjusted_p=adjusted)


def suppressed_ways_of_seeing(answer: WaysOfSeeing) -> WaysOfSeeing:
    """Classes of criteria without small counts; their contrast only where no class is hidden."""
    family = suppressed_family(answer.family)
    whole = not any(SUPPRESSED in a.reasons for a in family.comparisons)
    return dataclasses.replace(
        answer, family=family, contrast=answer.contrast if whole else None, n=0 if is_small(answer.n) else answer.n,
        sums={},
    )  # fmt: skip


def suppressed_seen_classes(answer: SeenByMode) -> SeenByMode:
    """Classes of criteria without small counts, nor exact ratios: limits of a few events give the events back."""
    hide = _hidden_members([row.answer for row in answer.rows])
    rows = tuple(
        dataclasses.replace(row, answer=hidden_comparison(row.answer), adjusted_p=None, exact=None)
        if i in hide
        else dataclasses.replace(row, answer=suppressed_comparison(row.answer), exact=None)
        for i, row in enumerate(answer.rows)
    )
    return dataclasses.replace(
        answer, rows=rows, contrast=None if hide else answer.contrast, n=0 if is_small(answer.n) else answer.n,
        sentence=_GENERIC if hide else answer.sentence,
    )  # fmt: skip


def suppressed_criteria(answer: CriteriaByMode) -> CriteriaByMode:
    """Single criteria without small counts; hidden ones come last, in order of their number."""
    rows = sorted((_criterion(row) for row in answer.rows), key=_place)
    left_out = {reason: n for reason, n in answer.left_out.items() if not is_small(n)}
    n = 0 if is_small(answer.n) else answer.n
    return dataclasses.replace(answer, rows=tuple(rows), left_out=left_out, n=n)


def suppressed_evidence(answer: CriteriaEvidence) -> CriteriaEvidence:
    """Single criteria by evidence without small counts; hidden ones come last, in order of their number."""
    rows = sorted(
        (
            dataclasses.replace(row, criterion=_criterion(row.criterion), interval=None, max_t_p=None)
            if _small_criterion(row.criterion)
            else row
            for row in answer.rows
        ),
        key=lambda row: _place(row.criterion),
    )
    top = bool(answer.rows) and _small_criterion(answer.rows[0].criterion)
    remainder = is_small(answer.criteria.n - (answer.shuffled or 0)) or is_small(answer.shuffled)
    return dataclasses.replace(
        answer, criteria=suppressed_criteria(answer.criteria), rows=tuple(rows),
        shuffled=None if remainder else answer.shuffled, sentence=_GENERIC if top else answer.sentence,
    )  # fmt: skip


def suppressed_mix(answer: Mix) -> Mix:
    """The mix without small counts: hidden groups in pairs at least, and then no parts of the difference either.

    Other columns than the one shown have no table here, so nobody looked for small counts in them: their parts go.
    """
    comparison = suppressed_comparison(answer.comparison)
    if answer.leading is None:
        return dataclasses.replace(answer, comparison=comparison)
    hide = _hidden_levels(answer.levels)
    if len(hide) == len(answer.levels) or not comparison.arms:
        return Mix(comparison, None, None, None, (), None, (), None, (SUPPRESSED,))
    leading = dataclasses.replace(
        answer.leading, n_dropped=0 if is_small(answer.leading.n_dropped) else answer.leading.n_dropped
    )
    if hide:
        leading = dataclasses.replace(leading, rate_effect=None, mix_effect=None)
    levels = tuple(_hidden_level(level) if i in hide else level for i, level in enumerate(answer.levels))
    changed = (leading, levels) != (answer.leading, answer.levels)
    return dataclasses.replace(
        answer, comparison=comparison, parts=(leading,), leading=leading, levels=levels,
        reasons=(*answer.reasons, SUPPRESSED) if changed else answer.reasons,
        sentence=_GENERIC if hide else answer.sentence,
    )  # fmt: skip


def _criterion(row: CriterionByMode) -> CriterionByMode:
    if not _small_criterion(row):
        return row
    return dataclasses.replace(
        row, counts={}, totals={}, estimate=None, interval=None, p_value=None, q_value=None, status=SUPPRESSED,
        caveats=(SUPPRESSED,),
    )  # fmt: skip


def _small_criterion(row: CriterionByMode) -> bool:
    if row.status == SUPPRESSED:
        return True
    parts = [(row.counts[mode], row.totals[mode]) for mode in row.counts]
    return any(is_small(part) for y, n in parts for part in (y, n, (n or 0) - (y or 0)))


def _place(row: CriterionByMode) -> tuple[bool, str]:
    """Rows that may be shown keep their order; a place among them would tell of a hidden one."""
    return row.status == SUPPRESSED, row.criterion_id if row.status == SUPPRESSED else ""


def _hidden_members(
    answers: Sequence[Comparison], forced: Collection[int] = (), rests: Sequence[Sequence[int]] = ()
) -> set[int]:
    counts: list[dict[Any, int]] = [
        {
            (mode, what): n
            for mode, arm in a.arms.items()
            for what, n in (("n", arm.n), ("events", arm.events))
            if n is not None
        }
        for a in answers
    ]
    small = {i for i, a in enumerate(answers) if SUPPRESSED in suppressed_comparison(a).reasons}
    for i, beside in enumerate(rests):
        counts[i] |= {("rest", j): n for j, n in enumerate(beside)}
        small |= {i} if any(is_small(n) for n in beside) else set()
    return _with_companions(small | set(forced), counts)


def _hidden_levels(levels: Sequence[MixLevel]) -> set[int]:
    counts = [
        {
            "n_virtual": level.n_virtual or 0, "n_in_person": level.n_in_person or 0,
            "events_virtual": level.events_virtual or 0, "events_in_person": level.events_in_person or 0,
            "others_virtual": (level.n_virtual or 0) - (level.events_virtual or 0),
            "others_in_person": (level.n_in_person or 0) - (level.events_in_person or 0),
        }
        for level in levels
    ]  # fmt: skip
    small = {i for i, level in enumerate(counts) if any(is_small(n) for n in level.values())}
    return _with_companions(small, counts)


def _with_companions(small: set[int], counts: Sequence[dict[Any, int]]) -> set[int]:
    """Small ones, and the next smallest until what is hidden together is neither lone nor small."""
    hide = set(small)
    if not hide:
        return hide
    for companion in sorted(set(range(len(counts))) - hide, key=lambda i: sum(counts[i].values())):
        together = {key: sum(counts[i].get(key, 0) for i in hide) for i in hide for key in counts[i]}
        if len(hide) > 1 and not any(is_small(n) for n in together.values()):
            break
        hide.add(companion)
    return hide


def _hidden_level(level: MixLevel) -> MixLevel:
    return dataclasses.replace(
        level, n_virtual=None, n_in_person=None, events_virtual=None, events_in_person=None, share_virtual=None,
        share_in_person=None, rate_virtual=None, rate_in_person=None, by_rate=None, by_mix=None,
    )  # fmt: skip
