"""One metric over one window: every way of asking that is wanted, and the verdict read from the primary one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from analysis.counts import counts
from analysis.metrics import Metric, Tally, margin_of
from analysis.questions import sentences
from analysis.questions.agreement import agreement
from analysis.questions.balance import unbalanced
from analysis.questions.before_after import paired
from analysis.questions.coverage import coverage_of
from analysis.questions.models import POPULATIONS, standardised, weighted
from analysis.questions.tallies import (
    Arms,
    adjusted_arms,
    arm_of,
    crude,
    mantel_haenszel,
    stratified_rows,
    tally_by_quarter,
    tally_rows,
)
from analysis.questions.terms import PRIMARY, STRATIFIED, measure_of, narrowed_by_area, primary_of
from analysis.questions.times import compare_times, times_by_quarter
from analysis.questions.unseen import unseen
from analysis.questions.verdicts import crude_within, further, lacks_power, verdict_of
from analysis.questions.window import MODES, Window, positivity
from analysis.results import Arm, Comparison, Estimate
from analysis.selection import Selection, month_number

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

A_MILLION = 1_000_000
"""With more validations any difference has a tiny p-value, whether it matters or not."""


def answer_of(
    definition: Metric,
    dataset: Dataset,
    selection: Selection,
    margin: float | None,
    window: Window,
    group: tuple[str, str] | None = None,
    *,
    track: bool = True,
    every_way: bool = False,
    fall_back: bool = False,
    modelled: bool = True,
) -> Comparison:
    """Answer one metric from its counted rows.

    Parameters
    ----------
    definition : Metric
    dataset : Dataset
    selection : Selection
        What the window was counted from; its filter on modes was not applied.
    margin : float or None
        Another margin than the one set beforehand.
    window : Window
    group : tuple of str, optional
        A column and its value: only that part of the window.
    track : bool
        Also each arm's figure by quarter.
    every_way : bool
        Also the ways of asking that the verdict does not need.
    fall_back : bool
        Where the model is refused, read the verdict from `STRATIFIED`.
    modelled : bool
        Without it, `STRATIFIED` from the start.
    """
    if group is not None:
        window = window.of(*group)
    adjusted: dict[str, Arm] = {}
    primary = primary_of(definition) if modelled else STRATIFIED
    left_out = dict(window.left_out)
    inside: Arms | None = None
    if isinstance(definition.counted_by, Tally):
        whole, inside = _rows_of(definition, window, finely=modelled or every_way)
        arms, estimates, adjusted = _tallied(definition, dataset, window, whole, inside, modelled)
        model = next((row for row in estimates if row.method == PRIMARY), None)
        if fall_back and model is not None and model.status == "not_estimable":
            primary = STRATIFIED
        if primary == STRATIFIED and len(definition.arms) == 2:
            adjusted = adjusted_arms(inside, dataset.modes)
        if every_way and estimates:
            estimates += weighted(definition, inside, window.strata)
            estimates.append(paired(dataset, definition, selection.without("modes"), window))
        missing = int(window.selection["n"].sum()) - sum(arm.n for arm in arms.values())
        if definition.kind == "proportion" and len(definition.arms) == 2 and missing:
            left_out["denominator_missing"] = missing
    else:
        arms, estimates = compare_times(definition, window, dataset.modes)
    coverage, without = coverage_of(definition, dataset, selection, arms, group)
    quarters = _quarters(dataset, selection)
    answer = dataclasses.replace(
        _nothing_yet(definition, dataset, margin),
        arms=arms,
        adjusted_arms=adjusted,
        estimates=tuple(estimates),
        primary=primary,
        left_out=left_out | without,
        coverage=coverage,
        group={group[0]: group[1]} if group else {},
        quarters=quarters,
        series=_tracked(definition, window.selection, quarters) if track else {},
    )
    matching = _matching(answer, dataset, selection)
    within = crude_within(definition, inside or window.rows, answer.measure)
    answer = _judged(answer, definition, window, within, matching, every_way=every_way)
    more = _remarks(answer, definition, selection, window, modelled=modelled)
    if modelled:
        more += unseen(definition, dataset, selection, window, group)
    answer = dataclasses.replace(answer, reasons=answer.reasons + more)
    return dataclasses.replace(answer, sentence=sentences.comparison(answer, definition))


def refused(
    definition: Metric, dataset: Dataset, margin: float | None, reasons: tuple[str, ...]
) -> Comparison:
    """A metric that this dataset cannot answer as asked: every row there, none estimated, the reason said."""
    primary, measure = primary_of(definition), measure_of(definition)
    asked = {"crude": "selection", STRATIFIED: "comparison_window"}
    if primary == PRIMARY:
        asked |= {**POPULATIONS, "paired": "pairs"}
    rows = tuple(
        Estimate(method, name, population, None, None, None, 0, "not_estimable", reasons)
        for method, population in asked.items()
        for name in dict.fromkeys(("difference" if definition.kind != "duration" else "ratio", measure))
    )
    answer = dataclasses.replace(
        _nothing_yet(definition, dataset, margin), estimates=rows, verdict="not_comparable", reasons=reasons
    )
    return dataclasses.replace(answer, sentence=sentences.comparison(answer, definition))


def _nothing_yet(definition: Metric, dataset: Dataset, margin: float | None) -> Comparison:
    """What is known of an answer before anything is counted."""
    limit, source = margin_of(definition, dataset) if margin is None else (margin, "moved")
    return Comparison(
        metric=definition.id, label=definition.label, kind=definition.kind, role=definition.role,
        unit=definition.unit, harmful=definition.harmful, margin=limit, margin_scale=definition.margin_scale,
        margin_source=source, measure=measure_of(definition), arms={}, estimates=(),
        primary=primary_of(definition), verdict="described",
    )  # fmt: skip


def _rows_of(definition: Metric, window: Window, *, finely: bool) -> tuple[Arms, Arms]:
    """Rows of the whole selection and of the window: as they were counted, or as far as strata and clusters need."""
    if finely:
        return tally_rows(definition, window.selection), tally_rows(definition, window.rows)
    return (
        stratified_rows(definition, window.selection, window.known, "selection"),
        stratified_rows(definition, window.rows, window.known, "rows"),
    )


def _tallied(
    definition: Metric, dataset: Dataset, window: Window, whole: Arms, inside: Arms, modelled: bool
) -> tuple[dict[str, Arm], list[Estimate], dict[str, Arm]]:
    """Arms of the whole selection, what the verdict needs, and both arms on the model's common mix."""
    arms = {m: arm_of(definition, whole, m, dataset.modes[m]) for m in MODES if m in definition.arms}
    if len(definition.arms) == 1:
        return arms, [], {}
    estimates = crude(definition, whole) + mantel_haenszel(definition, inside, window.strata)
    adjusted: dict[str, Arm] = {}
    if modelled:
        found, adjusted = standardised(definition, inside, dataset.modes, window.strata)
        estimates += found
    return arms, estimates, adjusted


def _matching(answer: Comparison, dataset: Dataset, selection: Selection) -> bool:
    """Whether any validation of the two modes matches the filters, recorded by the metric or not."""
    if any(arm.n for arm in answer.arms.values()):
        return True
    found = counts(dataset, "validations", ["mode"], selection.without("modes"))
    return bool(found["mode"].isin(MODES).any())


def _judged(
    answer: Comparison,
    definition: Metric,
    window: Window,
    within: Estimate | None,
    matching: bool,
    *,
    every_way: bool,
) -> Comparison:
    """The answer with its verdict and the reasons for it; `within` is the unadjusted effect in the window."""
    rows, adjustable = window.rows, bool(window.strata)
    apart = (
        adjustable
        and not answer.group
        and answer.primary == PRIMARY
        and window.known.once("unbalanced", lambda: unbalanced(rows))
    )
    shared = window.known.once("positivity", lambda: positivity(rows))
    verdict, reasons = verdict_of(definition, answer, shared, adjustable, apart, within, matching)
    if every_way and (ways := agreement(answer)) and not ways.robust:
        reasons += ("not_robust",)
    needed = further(answer, verdict, int(rows["n"].sum()))
    return dataclasses.replace(answer, verdict=verdict, reasons=reasons, further_needed=needed)


def _remarks(
    answer: Comparison, definition: Metric, selection: Selection, window: Window, *, modelled: bool
) -> tuple[str, ...]:
    """What a reader has to know besides: filters that were not applied, a model refused, little power, huge numbers."""
    reasons: tuple[str, ...] = ()
    if selection.modes:
        reasons += ("mode_filter_ignored",)
    if selection.focus_areas and not narrowed_by_area(definition):
        reasons += ("focus_area_ignored",)
    if answer.primary != primary_of(definition) and modelled:
        reasons += ("model_refused",)
    if lacks_power(answer):
        reasons += ("low_power",)
    if int(window.rows["n"].sum()) > A_MILLION:
        reasons += ("over_a_million",)
    return reasons


def _quarters(dataset: Dataset, selection: Selection) -> tuple[int, ...]:
    start, end = selection.period(dataset)
    return tuple(range(month_number(start) // 3, month_number(end) // 3 + 1)) if start <= end else ()


def _tracked(
    definition: Metric, rows: pd.DataFrame, quarters: tuple[int, ...]
) -> dict[str, tuple[float | None, ...]]:
    """Each arm's figure by quarter, None under 10 validations."""
    if isinstance(definition.counted_by, Tally):
        known = tally_by_quarter(definition, rows)
    else:
        known = times_by_quarter(definition, rows)
    return {mode: tuple(known.get((q, int(mode == "virtual"))) for q in quarters) for mode in definition.arms}
