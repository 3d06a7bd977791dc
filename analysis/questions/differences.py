"""Where the difference between the modes differs: over offices, entity types, risk, kind and location.

One effect a group, like for like; whether they spread more than chance makes them; and each group's effect drawn
towards the average by as much as chance explains.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from analysis import wording
from analysis.metrics import Metric, Tally, metric
from analysis.questions.comparison import GROUP_COLUMNS, compare
from analysis.questions.counted_windows import window_of
from analysis.questions.differences_records import Differences, GroupEffect, Spread
from analysis.questions.tallies import Arms, tally_rows
from analysis.questions.terms import counted_selection
from analysis.questions.window import in_shared_strata
from analysis.results import Arm, Comparison, Interval, finite_or_none
from analysis.schema import LABELS
from analysis.selection import Selection
from analysis.stats.homogeneity import floored_variance, tarone
from analysis.stats.pooled import quantile
from analysis.stats.random_effects import RandomEffects
from analysis.stats.shrinkage import shrunken_effects

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

FEWEST_TO_SHRINK = 3
"""Two effects do not tell their spread from chance."""

PLURALS = {
    "field_office": "field offices", "entity_type": "entity types", "risk": "levels of risk",
    "kind": "kinds of validation", "location": "locations",
}  # fmt: skip
"""Columns to group by, as several of their values are called."""


def differences(
    dataset: Dataset, metric_id: str, selection: Selection = Selection(), *, by: str = "field_office"
) -> Differences:
    """Compare the modes in each group, and the groups with each other.

    Parameters
    ----------
    dataset : Dataset
    metric_id : str
        A metric of ``data/metrics.toml`` with two arms.
    selection : Selection
    by : str
        A column to group by.

    Raises
    ------
    AnalysisError
        For an unknown metric, column or filter value.
    """
    answer = compare(dataset, metric_id, selection, by=by)
    labels = {g.group[by]: dataset.label(by, g.group[by]) for g in answer.groups if by in g.group}
    looks = sum(dataset.records(column) for column in GROUP_COLUMNS)
    found = over_groups(answer, by, labels, looks)
    if found.spread is None or metric(metric_id).kind != "proportion":
        return found
    return dataclasses.replace(
        found, odds_ratio_p=_odds_ratio_p(dataset, metric(metric_id), selection, by, found)
    )


def over_groups(answer: Comparison, by: str, labels: Mapping[str, str], looks: int) -> Differences:
    """The spread of a comparison's groups, from its own estimates alone.

    Groups whose verdict is ``too_few`` or ``not_comparable`` take no part. A group's variance is that of its interval,
    for shares never less than that of independent validations with half an event added: a group without events is
    not certain.
    """
    groups = [GroupEffect(g.group[by], labels[g.group[by]], g) for g in answer.groups if by in g.group]
    ratio = answer.measure == "ratio"
    taking_part = sorted((g for g in groups if g.row is not None), key=_estimate_of)
    others = [g for g in groups if g.row is None]
    caveats: tuple[str, ...] = tuple(code for code in answer.reasons if code.endswith("_ignored"))
    rows = [row for g in taking_part if (row := g.row)]
    n = None if any("suppressed" in row.caveats for row in rows) else sum(row.n for row in rows)
    if len(taking_part) < 2:
        reasons = ("too_few_groups", *caveats)
        return Differences(answer, by, (*taking_part, *others), None, None, n, reasons, "")
    values = np.array([_linear(_estimate_of(g), ratio) for g in taking_part])
    variances = np.array([_variance(g, ratio) for g in taking_part])
    if not (np.isfinite(values).all() and np.isfinite(variances).all() and (variances > 0).all()):
        reasons = ("no_variation", *caveats)
        return Differences(answer, by, (*taking_part, *others), None, None, n, reasons, "")
    found = shrunken_effects(values, variances)
    shrunken = tuple(
        dataclasses.replace(
            g,
            shrunken=_back(found.posterior.value(i), ratio),
            shrunken_interval=_back_interval(found.posterior.interval(i), ratio),
            own_weight=finite_or_none(float(found.own_weight[i])),
        )
        for i, g in enumerate(taking_part)
    )
    spread = _spread(found.model, ratio, looks)
    out = Differences(answer, by, (*shrunken, *others), spread, None, n, (*found.reasons, *caveats))
    return dataclasses.replace(out, sentence=_sentence(out))


def _spread(model: RandomEffects, ratio: bool, looks: int) -> Spread:
    assert model.q is not None
    adjusted = None if model.q_p is None else min(1.0, model.q_p * max(looks, 1))
    spread = Spread(model.q, model.groups - 1, model.q_p, adjusted, looks)
    if model.groups < FEWEST_TO_SHRINK:
        return spread
    return dataclasses.replace(
        spread,
        i2=model.i2,
        tau=None if model.tau2 is None else math.sqrt(model.tau2),
        mean=_back(model.estimate, ratio),
        mean_interval=_back_interval(model.interval, ratio),
        prediction=_back_interval(model.prediction, ratio),
    )


def _odds_ratio_p(
    dataset: Dataset, definition: Metric, selection: Selection, by: str, found: Differences
) -> float | None:
    """Breslow, Day and Tarone's p over the groups that take part, one 2×2 table each from its own window."""
    assert isinstance(definition.counted_by, Tally)
    counted = counted_selection(definition, selection.checked(dataset))
    window = window_of(dataset, [definition], counted, (by,))
    tables = []
    for effect in found.effects:
        if effect.row is None:
            continue
        arms = tally_rows(definition, window.of(by, effect.value).rows)
        shared = Arms(in_shared_strata(arms.rows), arms.clustered)
        (y1, d1), (y0, d0) = shared.total(1), shared.total(0)
        tables.append([[y1, d1 - y1], [y0, d0 - y0]])
    return tarone(tables).p()


def _estimate_of(group: GroupEffect) -> float:
    row = group.row
    assert row is not None and row.estimate is not None
    return row.estimate


def _variance(group: GroupEffect, ratio: bool) -> float:
    """What the longer arm of the interval says, read with the normal quantile: with few clusters on the safe side."""
    row = group.row
    assert row is not None and row.interval is not None and row.estimate is not None
    value = _linear(row.estimate, ratio)
    ends = [_linear(end, ratio) for end in (row.interval.low, row.interval.high)]
    variance = float((max(value - ends[0], ends[1] - value) / quantile(row.interval.level)) ** 2)
    if group.answer.kind != "proportion" or ratio:
        return variance
    arms = group.answer.adjusted_arms or group.answer.arms
    return max(variance, sum(_independent(arm) for arm in arms.values()))


def _independent(arm: Arm) -> float:
    if arm.estimate is None or not arm.n:
        return 0.0
    return float(floored_variance(arm.estimate * arm.n, arm.n))


def _linear(value: float, ratio: bool) -> float:
    if not ratio:
        return value
    return math.log(value) if value > 0 else -math.inf


def _back(value: float | None, ratio: bool) -> float | None:
    return math.exp(value) if ratio and value is not None else value


def _back_interval(bounds: Interval | None, ratio: bool) -> Interval | None:
    if bounds is None or not ratio:
        return bounds
    return Interval(math.exp(bounds.low), math.exp(bounds.high), bounds.level, bounds.method)


def _sentence(found: Differences) -> str:
    """The span of estimates, shrunken beside raw, and whether it is more than chance makes of equal effects."""
    spread, scale = found.spread, "ratio" if found.ratio else "difference"
    assert spread is not None
    known = [g for g in found.effects if g.row is not None]
    unit = "times" if found.ratio else "points"
    said = f"{found.comparison.label}, over {len(known)} {PLURALS.get(found.by, LABELS[found.by].lower())}: "
    said += f"{_span([_estimate_of(g) for g in known], scale)} {unit}"
    if shrunken := [g.shrunken for g in known if g.shrunken is not None]:
        said += f", shrunken {_span(shrunken, scale)}"
    verdict = (
        "**more spread than chance makes**"
        if spread.beyond_chance
        else "**no more spread than chance makes**"
    )
    looks = f", {wording.p_value(spread.adjusted_p)} over {spread.looks} looks" if spread.looks > 1 else ""
    criteria = " criteria" if found.comparison.kind == "rate" else ""
    test = f"Q = {wording.number(spread.q, 1)} on {spread.df}, {wording.p_value(spread.p_value)}{looks}"
    n = "" if found.n is None else f"; n = {wording.number(found.n)}{criteria}"
    return f"{said}; {verdict} ({test}{n})."


def _span(values: list[float], scale: str) -> str:
    low, high = (wording.amount(end(values), scale) for end in (min, max))
    return f"all {low}" if low == high else f"from {low} to {high}"
