"""Who was validated how: the mix behind a crude difference that shrinks, or turns, when like is compared with like."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis import wording
from analysis.coding import coded_values, numbered
from analysis.metrics import Tally, metric, missing_reason
from analysis.questions.answering import answer_of, refused
from analysis.questions.counted_windows import window_of
from analysis.questions.differences_records import Mix, MixLevel, MixOf
from analysis.questions.sentences import arm_names
from analysis.questions.tallies import tally_rows
from analysis.questions.terms import counted_selection
from analysis.questions.window import in_shared_strata
from analysis.results import Comparison
from analysis.schema import ADJUSTMENT_COLUMNS, LABELS, NOT_RECORDED
from analysis.selection import Selection
from analysis.stats.standardisation import Kitagawa, kitagawa

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

COLUMNS = (*ADJUSTMENT_COLUMNS, "entity_type", "field_office")
"""Columns whose mix is looked at."""
_PAIR = 1.5
"""Two columns are shown instead of one where their joint mix takes this many times as much of the way."""


def mix(dataset: Dataset, metric_id: str, selection: Selection = Selection()) -> Mix:
    """Split the crude difference of a share or rate into other rates and another mix, column by column.

    Parameters
    ----------
    dataset : Dataset
    metric_id : str
        A metric that is a share or a rate; times have no share in each group.
    selection : Selection

    Raises
    ------
    AnalysisError
        For an unknown metric or filter value.
    """
    definition = metric(metric_id)
    selection = selection.checked(dataset).without("modes")
    why = missing_reason(definition, dataset)
    if definition.by:
        why = why or "never_pooled"
    elif not isinstance(definition.counted_by, Tally) or len(definition.arms) != 2:
        why = why or "mix_needs_shares"
    window = None if why else window_of(dataset, [definition], counted_selection(definition, selection))
    if window is None or window.counted.empty:
        return _nothing(refused(definition, dataset, None, (why or "empty_selection",)))
    answer = answer_of(definition, dataset, selection, None, window, track=False)
    rows = in_shared_strata(window.rows)
    if rows.empty:
        return _nothing(answer, "no_counterpart" if len(window.rows) else "no_comparison_window")
    arms = tally_rows(definition, rows).rows
    columns = [c for c in COLUMNS if c in arms and arms[c].nunique(dropna=False) > 1]
    whole, adjusted = answer.estimate("crude", "difference"), answer.estimate(answer.primary, "difference")
    crude = _part(arms, ()).difference
    goal = adjusted.estimate if adjusted and adjusted.interval else None
    parts = tuple(_part(arms, chosen) for chosen in _sets(columns))
    leading = _leading(parts, crude, goal)
    found = Mix(
        comparison=answer,
        whole=whole.estimate if whole else None,
        crude=crude,
        adjusted=goal,
        parts=parts,
        leading=leading,
        levels=_levels(dataset, arms, leading.columns) if leading else (),
        n=int(arms["d"].sum()),
        reasons=() if leading else ("nothing_to_adjust_for",),
    )
    return dataclasses.replace(found, sentence=_sentence(found))


def _nothing(answer: Comparison, reason: str | None = None) -> Mix:
    reasons = (reason,) if reason else answer.reasons
    return Mix(answer, None, None, None, (), None, (), 0, reasons)


def _sets(columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Every column, every pair, and all adjustment columns together where they are more than two."""
    together = tuple(column for column in ADJUSTMENT_COLUMNS if column in columns)
    pairs = itertools.combinations(columns, 2)
    return [*((c,) for c in columns), *pairs, *([together] if len(together) > 2 else [])]


def _decomposed(arms: pd.DataFrame, columns: Sequence[str]) -> tuple[list[Any], np.ndarray, Kitagawa]:
    """Values of some columns taken together, their sums (events and totals, virtual first), and the two parts."""
    level = np.zeros(len(arms), np.int64)
    names: list[Any] = [()]
    if columns:
        number, first = numbered([coded_values(arms[column]) for column in columns])
        values = arms[list(columns)].take(first).astype("object")
        found = [tuple(row) for row in values.where(values.notna(), "").itertuples(index=False)]
        order = sorted(range(len(found)), key=found.__getitem__)
        level, names = np.argsort(order)[number], [found[i] for i in order]
    sums = np.zeros((len(names), 2, 2), np.int64)
    place: Any = (level, 1 - arms["arm"].to_numpy())
    np.add.at(sums, (*place, 0), arms["y"].to_numpy())
    np.add.at(sums, (*place, 1), arms["d"].to_numpy())
    return names, sums, kitagawa(sums[:, 0, 0], sums[:, 0, 1], sums[:, 1, 0], sums[:, 1, 1])


def _part(arms: pd.DataFrame, columns: tuple[str, ...]) -> MixOf:
    _, _, found = _decomposed(arms, columns)
    return MixOf(
        columns,
        found.difference,
        found.rate_effect,
        found.mix_effect,
        int(found.used.sum()),
        round(found.n_dropped),
    )


def _leading(parts: Sequence[MixOf], crude: float | None, goal: float | None) -> MixOf | None:
    """The column that carries most of the mix; two adjustment columns where together they carry half as much again."""
    singles = [part for part in parts if len(part.columns) == 1]
    pairs = [
        part for part in parts if len(part.columns) == 2 and set(part.columns) <= set(ADJUSTMENT_COLUMNS)
    ]
    one, two = (
        max(some, key=lambda part: _towards(part, crude, goal), default=None) for some in (singles, pairs)
    )
    if (
        one is None
        or two is None
        or _towards(two, crude, goal) < _PAIR * max(_towards(one, crude, goal), 0.0)
    ):
        return one
    return two if _towards(two, crude, goal) > 0 else one


def _levels(dataset: Dataset, arms: pd.DataFrame, columns: tuple[str, ...]) -> tuple[MixLevel, ...]:
    """Values that both modes have, in the order of the vocabularies."""
    names, sums, found = _decomposed(arms, columns)
    known = [{value: i for i, value in enumerate(dataset.vocabulary(column))} for column in columns]
    order = sorted(
        np.flatnonzero(found.used),
        key=lambda i: tuple(
            place.get(value, len(place)) for place, value in zip(known, names[i], strict=True)
        ),
    )
    return tuple(
        MixLevel(
            tuple(names[i]), _level_words(dataset, columns, names[i]),
            int(sums[i, 0, 1]), int(sums[i, 1, 1]), int(sums[i, 0, 0]), int(sums[i, 1, 0]),
            float(found.share_1[i]), float(found.share_0[i]), float(found.rate_1[i]), float(found.rate_0[i]),
            float(found.by_rate[i]), float(found.by_mix[i]),
        )
        for i in order
    )  # fmt: skip


def _level_words(dataset: Dataset, columns: Sequence[str], values: Sequence[str]) -> str:
    """Values as they are called outside a column of their own: "High risk, initial validation"."""
    words = []
    for column, value in zip(columns, values, strict=True):
        label = dataset.label(column, value) if value else f"{LABELS[column]} {NOT_RECORDED.lower()}"
        words.append(f"{label} risk" if column == "risk" and value else label)
    return ", ".join([words[0], *(word[0].lower() + word[1:] for word in words[1:])])


def _towards(part: MixOf, crude: float | None, goal: float | None) -> float:
    """How far a mix takes the crude difference in the direction of like for like (of nothing, where there is none)."""
    if part.mix_effect is None or crude is None:
        return -np.inf
    return part.mix_effect if crude >= (goal or 0.0) else -part.mix_effect


_NOUNS = {
    "closed_on_time": "corrections due", "repeat_rate": "earlier deficiencies",
}  # fmt: skip


def counted_in(answer: Comparison) -> str:
    """What shares are shares of: the unit of the metric's denominator, in the plural."""
    return "validations" if answer.kind == "proportion" else _NOUNS.get(answer.metric, "criteria")


def _sentence(found: Mix) -> str:
    """Crude, like for like, which column's mix lies between them, and by which of its values."""
    if found.crude is None or found.leading is None or found.leading.mix_effect is None:
        return ""
    v, p = arm_names(found.comparison)
    decimals = 2 if found.comparison.kind == "rate" else 1
    noun = counted_in(found.comparison)
    goal = f", {wording.points(found.adjusted, decimals)} like for like" if found.adjusted is not None else ""
    n = f"n = {wording.number(found.n or 0)}{'' if noun == 'validations' else ' ' + noun}"
    said = f"**{wording.points(found.crude, decimals)} points** crude{goal} ({n})"
    if found.change in ("reversal", "sign_turned"):
        said += ": the sign reverses, which is Simpson's paradox"
    top = max(found.levels, key=lambda level: _towards_level(level, found))
    assert top.share_virtual is not None and top.share_in_person is not None
    return (
        f"{said}. The mix of {found.leading.words} makes **{wording.points(found.leading.mix_effect, decimals)}** of it "
        f"({top.label[0].lower() + top.label[1:] if found.leading.columns[0] != 'field_office' else top.label}: "
        f"{wording.percent(top.share_virtual)} of {v}, {wording.percent(top.share_in_person)} of {p} {noun})."
    )


def _towards_level(level: MixLevel, found: Mix) -> float:
    assert level.by_mix is not None and found.crude is not None
    return level.by_mix if found.crude >= (found.adjusted or 0.0) else -level.by_mix
