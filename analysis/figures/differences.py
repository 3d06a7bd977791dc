"""Where virtual and in person differ: the effect in each group, as estimated and shrunken."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.axes import Unit
from analysis.charts.figure import Figure, KeyEntry, State
from analysis.charts.intervals import interval_rows
from analysis.charts.theme import PaletteName
from analysis.charts.verdict import VERDICTS
from analysis.figures.asking import asked
from analysis.figures.captions import caption, state_of_comparison, when
from analysis.figures.comparison_words import (
    HEADLINE,
    adjustment,
    arm_counts,
    arm_words,
    at_most,
    axis_title,
    contrast,
)
from analysis.questions.differences import PLURALS, differences
from analysis.questions.differences_records import Differences, GroupEffect, Spread
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

FURTHER = ("field_office", "entity_type")
"""Columns that may have a further value one day, of which a prediction can speak."""


def groups(
    dataset: Dataset,
    selection: Selection,
    *,
    metric: str = HEADLINE,
    by: str = "field_office",
    palette: PaletteName = "light",
) -> Figure:
    """The adjusted effect in each group, shrunken beside raw, and whether groups differ beyond chance."""
    answer = asked(differences, dataset, metric, selection, by=by)
    whole, name = answer.comparison, LABELS[by].lower()
    scale = "ratio" if answer.ratio else "difference"
    unit_words = "times" if answer.ratio else "percentage points"
    figure_id = "virtual_vs_in_person.groups"
    measure = f"{whole.label}, by {name}: {contrast(whole)}, {unit_words}, like for like"
    if state := state_of_comparison(whole, dataset, selection):
        return Figure(figure_id, f"By {name}", measure, state=state)
    shown = [
        e
        for e in answer.effects
        if "suppressed" in e.answer.reasons or any(arm.n for arm in e.answer.arms.values())
    ]
    if not any(effect.row for effect in shown):
        fact = f"Too few validations of both modes in every {name} to compare."
        state = State("too_small", fact, "A wider period or fewer filters may help.")
        return Figure(figure_id, f"By {name}", measure, state=state)
    frame = pd.DataFrame(
        [mark for effect in shown for mark in _marks(effect, scale)] + _average(answer, scale)
    )
    title = _title(answer, scale)
    alt = at_most(
        f"{len(shown)} rows of {whole.label.lower()} by {name}, each as estimated and shrunken. {title}."
    )
    unit: Unit = "ratio" if answer.ratio else "points"
    chart = interval_rows(
        frame, alt_text=alt, title=axis_title(whole, scale), unit=unit, arms={"raw": "As estimated", "shrunken": "Shrunken"},
        include=(1.0,) if answer.ratio else (0.0,), tooltip={"result": "Like for like", "counts": "Recorded"}, palette=palette,
    )  # fmt: skip
    shrunken = any(effect.shrunken is not None for effect in shown)
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            _spread_words(answer, scale),
            _shrinking(answer) if shrunken else "",
            *[reasons.words(code) for code in answer.caveats if code != "fully_pooled"],
            f"{_adjusted(answer)}; lines: 95% intervals"
            f"{'; at the right: as estimated with interval → shrunken' if shrunken else ''}. The table has both modes as recorded, unadjusted",
            reasons.words("suppressed") if any("suppressed" in e.answer.reasons for e in shown) else "",
            _fallen_back(shown),
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        key=(
            KeyEntry("alternative", "As estimated"),
            *([KeyEntry("primary", "Shrunken")] if shrunken else []),
        ),
        data=answer.to_frame(),
        table=pd.DataFrame([_texts(effect, dataset, by, scale) for effect in shown]),
    )


def _marks(effect: GroupEffect, scale: str) -> list[dict[str, object]]:
    """One mark for the estimate, and one for what is left of it after shrinking."""
    row, arms = effect.row, effect.answer.arms.values()
    counts = ", ".join(
        f"{arm.label.lower()} {arm_counts(arm)} ({arm_words(arm, effect.answer)})" for arm in arms
    )
    if row is None or row.interval is None:
        result = "not comparable" if effect.answer.verdict == "not_comparable" else "too few"
    else:
        result = (
            f"{wording.amount(row.estimate, scale)} {wording.interval(row.interval, scale, compact=True)}"
        )
    if effect.shrunken is not None:
        result += f" → {wording.amount(effect.shrunken, scale)}"
    drawn = {"label": effect.label, "result": result, "strong": False, "counts": counts or "–"}
    estimate, bounds = (row.estimate, row.interval) if row else (None, None)
    marks: list[dict[str, object]] = [
        drawn
        | _placed("raw", estimate, bounds)
        | {"description": f"{effect.label}: {result}; recorded {counts}"}
    ]
    if effect.shrunken is not None:
        said = f"{effect.label}, shrunken: {wording.amount(effect.shrunken, scale)}"
        marks.append(
            drawn | _placed("shrunken", effect.shrunken, effect.shrunken_interval) | {"description": said}
        )
    return marks


def _average(answer: Differences, scale: str) -> list[dict[str, object]]:
    """The row of the mean that effects are drawn to."""
    spread = answer.spread
    if spread is None or spread.mean is None:
        return []
    label = f"Average of {PLURALS.get(answer.by, 'groups')}"
    result = (
        f"{wording.amount(spread.mean, scale)} {wording.interval(spread.mean_interval, scale, compact=True)}"
    )
    mark = {
        "label": label,
        "result": result,
        "strong": True,
        "counts": f"n = {wording.number(answer.n)}" if answer.n else wording.NOT_ESTIMABLE,
    }
    return [
        mark | _placed("shrunken", spread.mean, spread.mean_interval) | {"description": f"{label}: {result}"}
    ]


def _placed(arm: str, value: float | None, bounds: object) -> dict[str, object]:
    low, high = getattr(bounds, "low", None), getattr(bounds, "high", None)
    return {"arm": arm, "estimate": value, "low": low, "high": high}


def _title(answer: Differences, scale: str) -> str:
    """The span of estimates, and whether it is more than chance makes."""
    known = [effect for effect in answer.effects if effect.row]
    if len(known) < 2:
        return f"By {LABELS[answer.by].lower()}: too few groups can be compared"
    ends = [f"{wording.amount(e.row.estimate, scale)} in {e.label}" for e in (known[0], known[-1]) if e.row]
    if answer.spread is None:
        return f"From {ends[0]} to {ends[1]}"
    said = "more spread" if answer.spread.beyond_chance else "no more spread"
    return f"From {ends[0]} to {ends[1]}: {said} than chance makes"


def _spread_words(answer: Differences, scale: str) -> str:
    """Cochran's Q, what of the spread is not chance, and where a further group is expected."""
    spread = answer.spread
    if spread is None:
        return ""
    looks = (
        f"; {wording.p_value(spread.adjusted_p)} allowing for {spread.looks} columns to look at"
        if spread.looks > 1
        else ""
    )
    said = f"Cochran's Q = {wording.number(spread.q, 1)} on {spread.df}, {wording.p_value(spread.p_value)}{looks}"
    if answer.odds_ratio_p is not None:
        said += f" (on odds ratios, unadjusted: {wording.p_value(answer.odds_ratio_p)}, Breslow–Day–Tarone)"
    if spread.i2 is not None and spread.tau is not None:
        said += f". I² = {wording.number(spread.i2 * 100)}%, τ = {_tau(spread.tau, answer.ratio)}"
    if not spread.beyond_chance:
        said += ". Not to be told from chance is not the same as equal"
    return said + _further(answer, spread, scale)


def _further(answer: Differences, spread: Spread, scale: str) -> str:
    if spread.prediction is None or answer.by not in FURTHER:
        return ""
    unit = "times" if answer.ratio else "points"
    return (
        f". A further {LABELS[answer.by].lower()} is expected between {wording.amount(spread.prediction.low, scale)} and "
        f"{wording.amount(spread.prediction.high, scale)} {unit} (95% prediction interval)"
    )


def _tau(tau: float, ratio: bool) -> str:
    return (
        f"a factor of {wording.ratio(math.exp(tau))}" if ratio else f"{wording.number(tau * 100, 1)} points"
    )


def _shrinking(answer: Differences) -> str:
    if "fully_pooled" in answer.caveats:
        return "Shrunken: estimates differ no more than chance makes them, so each group gets the average"
    return "Shrunken: each estimate drawn towards the average by as much as chance explains (empirical Bayes)"


def _adjusted(answer: Differences) -> str:
    return adjustment(answer.comparison) or "Like for like"


def _fallen_back(shown: list[GroupEffect]) -> str:
    if not any("model_refused" in effect.answer.reasons for effect in shown):
        return ""
    return "Groups too small for a model are stratified by risk, kind of validation and location (Mantel–Haenszel) instead"


def _texts(effect: GroupEffect, dataset: Dataset, by: str, scale: str) -> dict[str, str]:
    row = effect.row
    cells = {LABELS[by]: effect.label}
    for mode, name in dataset.modes.items():
        arm = effect.answer.arms.get(mode)
        cells[name] = f"{arm_words(arm, effect.answer)} ({arm_counts(arm)})" if arm else wording.NOT_ESTIMABLE
    what = "ratio" if scale == "ratio" else "difference"
    cells[f"Adjusted {what}"] = wording.amount(row.estimate if row else None, scale)
    cells["95% interval"] = wording.interval(row.interval, scale) if row else wording.NOT_ESTIMABLE
    cells["Shrunken"] = wording.amount(effect.shrunken, scale)
    cells["Verdict"] = VERDICTS[effect.answer.verdict].short
    return cells
