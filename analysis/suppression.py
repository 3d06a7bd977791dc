"""Small counts hidden in whole answers: what `--suppress` and every export apply.

Counts of 1 to 4 are hidden with everything that would give them back: rates, intervals and differences made of
them, their complements, and one companion where a total is known. Differencing across filters is not prevented:
two exports of overlapping selections can be subtracted from each other.
"""

from __future__ import annotations

import dataclasses

from analysis.questions.overview import Overview, Statistic
from analysis.results import SMALLEST_SHOWN, Arm, Comparison, Estimate, hidden_counts

SUPPRESSED = "suppressed"


def suppressed_comparison(answer: Comparison) -> Comparison:
    """A comparison without small counts, nor estimates from which they could be computed."""
    groups = list(answer.groups)
    if groups:
        small = [0 if _small_arms(group) else SMALLEST_SHOWN for group in groups]
        # A group is as small as its smallest count; with the total above them all, one is never hidden alone.
        sizes = [1 if s == 0 else max(sum(a.n for a in g.arms.values()), SMALLEST_SHOWN) for s, g in zip(small, groups, strict=True)]
        hide = hidden_counts(sizes, total_known=bool(answer.arms))
        groups = [_hidden(group) if hidden else group for group, hidden in zip(groups, hide, strict=True)]
    left = dict(answer.left_out)
    hide_left = hidden_counts(list(left.values()), total_known=False)
    kept = {reason: n for (reason, n), hidden in zip(left.items(), hide_left, strict=True) if not hidden}
    answer = dataclasses.replace(answer, groups=tuple(groups), left_out=kept)
    return _hidden(answer) if _small_arms(answer) else answer


def suppressed_overview(answer: Overview) -> Overview:
    """Key statistics without small counts."""
    statistics = tuple(_hidden_statistic(s) if _small_statistic(s) else s for s in answer.statistics)
    sentence = answer.sentence
    if statistics != answer.statistics or 0 < answer.n < SMALLEST_SHOWN:
        sentence = "Some counts are too small to show."
    n = answer.n if not 0 < answer.n < SMALLEST_SHOWN else 0
    return dataclasses.replace(answer, statistics=statistics, n=n, sentence=sentence)


def _small(count: int | None) -> bool:
    return count is not None and 0 < count < SMALLEST_SHOWN


def _small_arms(answer: Comparison) -> bool:
    arms = answer.arms.values()
    return any(_small(a.n) or _small(a.events) or (a.events is not None and _small(a.n - a.events)) for a in arms)


def _hidden(answer: Comparison) -> Comparison:
    arms = {
        mode: Arm(arm.mode, arm.label, arm.n if not _small(arm.n) else 0, None, None, None)
        for mode, arm in answer.arms.items()
    }
    rows = tuple(
        Estimate(row.method, row.measure, row.population, None, None, None, 0, "not_estimable", (SUPPRESSED,))
        for row in answer.estimates
    )
    return dataclasses.replace(
        answer, arms=arms, adjusted_arms={}, series={}, estimates=rows, verdict="too_few", reasons=(SUPPRESSED,), further_needed=None,
        sentence="Counts of 1 to 4 are not shown.", groups=tuple(_hidden(group) for group in answer.groups),
    )  # fmt: skip


def _small_statistic(statistic: Statistic) -> bool:
    count, n = statistic.count, statistic.n
    complement = n - count if count is not None and n is not None else None
    return _small(count) or _small(n) or (statistic.scale != "count" and _small(complement))


def _hidden_statistic(statistic: Statistic) -> Statistic:
    return dataclasses.replace(
        statistic, count=None, n=None, value=None, interval=None, middle_half=None, series=(), reason=SUPPRESSED
    )
