"""A comparison without small counts."""

from __future__ import annotations

import dataclasses
import re
from itertools import combinations

from analysis.results import Comparison, Estimate
from analysis.suppression.small import SUPPRESSED, is_small


def suppressed_comparison(answer: Comparison) -> Comparison:
    """A comparison without small counts, nor estimates and differences of counts that would give them back."""
    if _small_arms(answer):
        return hidden_comparison(answer)
    hide = _hidden_groups(answer)
    groups = tuple(
        hidden_comparison(g) if i in hide else _without_remainders(g) for i, g in enumerate(answer.groups)
    )
    return _without_remainders(dataclasses.replace(answer, groups=groups))


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
    return any(is_small(count) for count in _counts(answer).values())


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
        remainder = {
            key: n - sum(c.get(key, 0) for i, c in enumerate(counts) if i not in hide)
            for key, n in whole.items()
        }
        if len(hide) > 1 and not any(is_small(n) for n in remainder.values()):
            break
        hide.add(companion)
    return hide


def hidden_comparison(answer: Comparison) -> Comparison:
    """A comparison of which only the name is left."""
    rows = tuple(
        Estimate(row.method, row.measure, row.population, None, None, None, 0, "not_estimable", (SUPPRESSED,))
        for row in answer.estimates
    )
    return dataclasses.replace(
        answer, arms={}, estimates=rows, verdict="too_few", reasons=(SUPPRESSED,), further_needed=None, left_out={},
        sentence="Counts of 1 to 4 are not shown.", groups=tuple(hidden_comparison(group) for group in answer.groups),
        quarters=(), series={}, adjusted_arms={}, coverage={},
    )  # fmt: skip


def _without_remainders(answer: Comparison) -> Comparison:
    """Without small counts of what was left out, nor the numbers whose difference they are."""
    whole = sum(arm.n for arm in answer.arms.values())
    left_out = {reason: n for reason, n in answer.left_out.items() if not is_small(n)}
    if any(is_small(one.n) or is_small(one.of - one.n) for one in answer.coverage.values()):
        # What one mode lacks is what both lack less what the other does.
        answer = dataclasses.replace(answer, coverage={})
        left_out = {
            reason: n for reason, n in left_out.items() if reason not in ("no_response", "hours_not_recorded")
        }
    numbers = {whole, *(row.n for row in answer.estimates if row.n)}
    apart = any(is_small(n) for n in numbers) or any(
        is_small(abs(a - b)) for a, b in combinations(numbers, 2)
    )
    answer = _without_solvable(answer)
    if len(left_out) == len(answer.left_out) and not apart:
        return answer
    rows = tuple(
        row
        if row.population == "selection" and not is_small(row.n)
        else dataclasses.replace(row, n=0, caveats=(*row.caveats, SUPPRESSED), settings=_without_counts(row))
        for row in answer.estimates
    )
    sentence = re.sub(r"; n = [\d,]+( [a-z]+)?", "", answer.sentence)
    return dataclasses.replace(
        answer,
        left_out=left_out,
        estimates=rows,
        sentence=sentence,
        further_needed=None,
        reasons=(*answer.reasons, SUPPRESSED),
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
            row,
            estimate=None,
            interval=None,
            p_value=None,
            n=0,
            status="not_estimable",
            caveats=(SUPPRESSED,),
        )
        for row in answer.estimates
    )
    return dataclasses.replace(answer, estimates=rows, adjusted_arms={}, quarters=(), series={})


def _without_counts(row: Estimate) -> dict[str, object]:
    """Settings without what counts validations: sizes of parts can be subtracted like any other."""
    counted = ("n_trimmed", "pairs_virtual", "pairs_in_person", "effective_virtual", "effective_in_person")
    return {name: value for name, value in row.settings.items() if name not in counted}
