"""Criteria ranked by rate and count, with what chance alone would do to the ranking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from analysis import wording
from analysis.counts import counts
from analysis.criteria_counts import criterion_counts
from analysis.questions.deficiency_records import (
    CriterionRow,
    Deficiencies,
    Rank,
    criterion_facts,
    no_rate_reason,
)
from analysis.results import Interval
from analysis.selection import Selection
from analysis.stats.composition import goodman_intervals
from analysis.stats.proportions import wilson
from analysis.stats.ranking import rank_units
from analysis.stats.shrinkage import beta_binomial

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

TOP = 10
Order = Literal["rate", "count"]


def deficiencies_by_criterion(dataset: Dataset, selection: Selection = Selection()) -> Deficiencies:
    """Every criterion of the catalogue with count, rate and place; highest rate first.

    Rates are shrunken towards their common mean by empirical Bayes; ranks come from draws of that posterior.
    Where no rates are known, criteria are ordered by count.
    """
    selection = selection.checked(dataset)
    n = int(counts(dataset, "validations", [], selection)["n"].iloc[0])
    counted = criterion_counts(dataset, (), selection)
    total = int(counted["deficient"].sum())
    missing = no_rate_reason(dataset)
    rows = _rows(dataset, counted, total, known=missing is None)
    caveats = [missing] if missing else _artefacts(dataset, rows)
    answer = Deficiencies("criterion", tuple(ordered(rows, "rate")), n, total, "", tuple(caveats))
    return Deficiencies(answer.by, answer.rows, n, total, _sentence(answer), answer.caveats)


def ordered(rows: list[CriterionRow], order: Order) -> list[CriterionRow]:
    """Criteria by rate or by count, highest first; those without a rate last."""

    def key(row: CriterionRow) -> tuple[float, float]:
        rate, count = -1.0 if row.rate is None else row.rate, float(row.count or 0)
        return (-rate, -count) if order == "rate" else (-count, -rate)

    return sorted(rows, key=key)


def _rows(dataset: Dataset, counted: pd.DataFrame, total: int, *, known: bool) -> list[CriterionRow]:
    facts = criterion_facts(dataset)
    y = counted["deficient"].to_numpy()
    assessed = counted["assessed"].to_numpy() if known else np.zeros(len(y), np.int64)
    plain = wilson(y if known else np.zeros_like(y), assessed)
    shares = goodman_intervals(y) if y.size else None
    ranked = _ranked(y, assessed)
    rows = []
    for i, criterion in enumerate(counted["criterion_id"]):
        category, level, seen_by = facts.get(criterion, (None, None, None))
        shrunken, limits, rank = ranked.get(i, (None, None, None))
        rows.append(
            CriterionRow(
                criterion_id=criterion,
                label=dataset.label("criterion_id", criterion),
                category=category,
                level=level,
                seen_by=seen_by,
                count=int(y[i]),
                n=int(assessed[i]) if known else None,
                share=int(y[i]) / total if total else None,
                share_interval=shares.interval(i) if shares else None,
                rate=plain.value(i),
                interval=plain.interval(i),
                shrunken=shrunken,
                shrunken_interval=limits,
                rank=rank,
                not_verified=int(counted["not_verified"].iloc[i]),
            )
        )
    return rows


def _ranked(
    y: NDArray[np.int64], assessed: NDArray[np.int64]
) -> dict[int, tuple[float | None, Interval | None, Rank]]:
    """Shrunken rate and place of every criterion that anybody assessed, by its position."""
    at_risk = np.flatnonzero(assessed > 0)
    if not at_risk.size:
        return {}
    fit = beta_binomial(y[at_risk], assessed[at_risk])
    ranking = rank_units(fit, top=TOP)
    return {
        int(i): (
            fit.posterior.value(j),
            fit.posterior.interval(j),
            Rank(
                int(ranking.rank[j]),
                int(ranking.low[j]),
                int(ranking.high[j]),
                float(ranking.in_top[j]),
                int(at_risk.size),
            ),
        )
        for j, i in enumerate(at_risk)
    }


def _artefacts(dataset: Dataset, rows: list[CriterionRow]) -> list[str]:
    """Whether the first place belongs to a criterion that gathers a whole category's deficiencies."""
    first = next((row for row in rows if row.rank and row.rank.rank == 1), None)
    if first is None or not first.count or len(dataset.vocabulary("category")) < 2:
        return []
    siblings = [row for row in rows if row.category == first.category]
    return ["single_criterion_category"] if len(siblings) == 1 else []


def _sentence(answer: Deficiencies) -> str:
    if not answer.n:
        return "No validations match these filters."
    if not answer.total:
        return f"No deficiency was recorded in {wording.counted(answer.n, 'validation')}."
    first = answer.rows[0]
    assert isinstance(first, CriterionRow)
    name = f"**{first.label}**"
    if first.rate is None or first.n is None:
        return f"The criterion recorded most often is {name}: {wording.number(first.count or 0)} of {wording.counted(answer.total, 'deficiency', 'deficiencies')}."
    bounds = wording.interval(first.interval, "share")
    place = ""
    if first.rank:
        low, high, of = first.rank.low, first.rank.high, first.rank.of
        place = (
            f"; its rank is firm, {low} of {of}"
            if low == high
            else f"; its rank lies between {low} and {high} of {of}"
        )
    return (
        f"By rate the first criterion is {name}: deficient in {wording.percent(first.rate, first.n)} of "
        f"{wording.number(first.n)} that assessed it ({bounds}){place}."
    )
