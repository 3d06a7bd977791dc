"""Is virtual as good as in person? One metric, several ways of asking, and a verdict against a margin."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording
from analysis.counts import AREA_COUNTS, AREA_FLAGS
from analysis.errors import AnalysisError, nearest
from analysis.metrics import Metric, Tally, margin_of, metric, metrics, missing_reason
from analysis.questions import sentences
from analysis.questions.agreement import agreement
from analysis.questions.balance import unbalanced
from analysis.questions.before_after import paired
from analysis.questions.models import POPULATIONS, standardised, weighted
from analysis.questions.tallies import (
    adjusted_arms,
    arm_of,
    crude,
    mantel_haenszel,
    tally_by_quarter,
    tally_counts,
    tally_rows,
)
from analysis.questions.times import compare_times, time_counts, times_by_quarter
from analysis.questions.verdicts import crude_difference, further, verdict_of
from analysis.questions.window import (
    MODES,
    Window,
    comparison_window,
    positivity,
)
from analysis.results import Arm, Comparison, Estimate, Family, Measure, finite_or_none
from analysis.schema import FILTER_COLUMNS, LABELS
from analysis.selection import Selection, month_number
from analysis.stats.multiplicity import holm

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

PRIMARY = "standardised"
"""The method the verdict is read from, for everything but times: those have no model and are stratified."""

STRATIFIED = "mantel_haenszel"
"""The method of times, of families of tests, and of groups whose model is refused."""

GROUP_COLUMNS = tuple(column for column in FILTER_COLUMNS if column not in ("mode", "month"))


def compare(
    dataset: Dataset,
    metric_id: str,
    selection: Selection = Selection(),
    *,
    margin: float | None = None,
    by: str | None = None,
) -> Comparison:
    """Compare virtual with in person on one metric.

    Parameters
    ----------
    dataset : Dataset
    metric_id : str
        A metric of ``data/metrics.toml``.
    selection : Selection
        Filters. The comparison needs both modes, so a filter on validation mode is not applied, and said so.
    margin : float, optional
        Another margin than the one set beforehand, on the metric's own scale (fractions or a ratio).
    by : str, optional
        Also answer for each value of this column.

    Returns
    -------
    Comparison
        Its verdict is read from `PRIMARY` and from nothing else: where that cannot be estimated, the answer says why.
        Groups are small, and a picture needs an estimate for each: where a group's model is refused (fewer than 5
        events for each column, separation, fewer than 5 specialists), its verdict is read from
        `STRATIFIED`, with the reason ``model_refused``.

    Raises
    ------
    AnalysisError
        For an unknown metric, column or filter value, or a margin that makes no sense on its scale.
    """
    definition = metric(metric_id)
    checked_margin(definition, margin)
    if by is not None and by not in GROUP_COLUMNS:
        raise AnalysisError(f"--by '{by}' is no column to group by; {nearest(by, GROUP_COLUMNS)}")
    selection = selection.checked(dataset)
    if missing := missing_reason(definition, dataset):
        return _refused(definition, dataset, margin, (missing,))
    window = _window(definition, _counted([definition], dataset, selection, by))
    return _compare(definition, dataset, selection, margin, by, window, every_way=True)


def compare_all(dataset: Dataset, selection: Selection = Selection()) -> list[Comparison]:
    """Every metric at a glance, in the order of ``data/metrics.toml``; metrics with `by` once per value.

    Validations are counted in one pass for all of them. Only what the verdict needs is estimated: crude, stratified
    and standardised; `compare` asks in every way.
    """
    selection = selection.checked(dataset)
    missing = {m.id: missing_reason(m, dataset) for m in metrics().values()}
    shared: dict[str, pd.DataFrame] = {}
    for name in ("validations", "feedback"):
        group = [m for m in metrics().values() if _table(m) == name and missing[m.id] is None]
        if group:
            shared[name] = _counted(group, dataset, selection, None)
    windows: dict[tuple[str, str], Window] = {}
    out: list[Comparison] = []
    for definition in metrics().values():
        if reason := missing[definition.id]:
            out.append(_refused(definition, dataset, None, (reason,)))
            continue
        table = _table(definition)
        if table is None:
            window = _window(definition, _counted([definition], dataset, selection, None))
        else:
            key = (table, definition.arm_column)
            window = windows[key] = windows.get(key) or _window(definition, shared[table])
        answer = _compare(definition, dataset, selection, None, None, window)
        out += answer.groups if definition.by else [answer]
    return out


def primary_of(definition: Metric) -> str:
    """The method the verdict on a metric is read from."""
    return PRIMARY if isinstance(definition.counted_by, Tally) else STRATIFIED


def answerable(dataset: Dataset) -> tuple[str, ...]:
    """Metrics that this dataset can compare as one pooled contrast, in the order of ``data/metrics.toml``."""
    return tuple(
        m.id for m in metrics().values() if not m.by and len(m.arms) == 2 and missing_reason(m, dataset) is None
    )


def checked_margin(definition: Metric, margin: float | None) -> None:
    """Refuse a margin that makes no sense on the metric's scale.

    Raises
    ------
    AnalysisError
        For a metric that takes none, or a value outside its scale.
    """
    if margin is None:
        return
    if definition.margin_scale is None:
        raise AnalysisError(f"metric '{definition.id}' is described, not judged: it takes no margin.")
    if not margin >= 0 or margin == float("inf"):
        raise AnalysisError(f"margin {margin!r} must be a number of at least 0.")
    if definition.margin_scale == "ratio" and margin == 0:
        raise AnalysisError("margin 0 is no ratio: give the smallest or largest acceptable virtual / in person.")
    if definition.margin_scale == "difference" and margin >= 1 and definition.kind != "duration":
        raise AnalysisError(f"margin {margin:g} is a fraction, not points: write 0.05 for five points.")


def narrowed_by_area(definition: Metric) -> bool:
    """Whether a metric counts criteria, so that a focus area changes it."""
    counted = definition.counted_by
    return isinstance(counted, Tally) and counted.numerator in (*AREA_FLAGS, *AREA_COUNTS)


def _table(definition: Metric) -> str | None:
    counted = definition.counted_by
    return counted.table if isinstance(counted, Tally) else None


def _counted(
    definitions: Sequence[Metric], dataset: Dataset, selection: Selection, by: str | None
) -> pd.DataFrame:
    extra = tuple(column for column in (by, *(m.by for m in definitions)) if column)
    without = selection.without("modes")
    if _table(definitions[0]) is None:
        return time_counts(dataset, definitions[0], without, extra)
    return tally_counts(dataset, list(definitions), without, extra)


def _window(definition: Metric, counted: pd.DataFrame) -> Window:
    return comparison_window(counted, arm_column=definition.arm_column)


def _compare(
    definition: Metric,
    dataset: Dataset,
    selection: Selection,
    margin: float | None,
    by: str | None,
    window: Window,
    *,
    every_way: bool = False,
) -> Comparison:
    if definition.by:
        return _apart(definition, dataset, selection, margin, window, every_way)
    answer = _answer(definition, dataset, selection, margin, window, every_way=every_way)
    if by is None or (answer.verdict == "too_few" and "empty_selection" in answer.reasons):
        return answer
    groups = tuple(
        _answer(definition, dataset, selection, margin, window, group=(by, value), fall_back=True)
        for value in dataset.present(by)
        if (window.selection[by] == value).any()
    )
    return dataclasses.replace(answer, groups=groups)


def _apart(
    definition: Metric,
    dataset: Dataset,
    selection: Selection,
    margin: float | None,
    window: Window,
    every_way: bool,
) -> Comparison:
    """A metric answered for each value of its own column and never pooled."""
    column = definition.by
    assert column is not None
    values = [v for v in dataset.present(column) if v in MODES or column != "mode"]
    groups = tuple(
        _answer(definition, dataset, selection, margin, window, group=(column, value), every_way=every_way)
        for value in values
    )
    head = _refused(definition, dataset, margin, ("never_pooled",))
    return dataclasses.replace(head, groups=groups, verdict="described")


def _answer(
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
    if group is not None:
        window = window.of(*group)
    chosen, rows, left_out = window.selection, window.rows, dict(window.left_out)
    adjusted: dict[str, Arm] = {}
    strata = window.strata
    primary = primary_of(definition) if modelled else STRATIFIED
    if isinstance(definition.counted_by, Tally):
        whole, inside = tally_rows(definition, chosen), tally_rows(definition, rows)
        arms = {
            mode: arm_of(definition, whole, mode, dataset.modes[mode])
            for mode in MODES
            if mode in definition.arms
        }
        if len(definition.arms) == 1:
            estimates: list[Estimate] = []
        else:
            estimates = crude(definition, whole) + mantel_haenszel(definition, inside, strata)
            if modelled:
                found, adjusted = standardised(definition, inside, dataset.modes, strata)
                estimates += found
                if fall_back and found[0].status == "not_estimable":
                    primary = STRATIFIED
            if primary == STRATIFIED:
                adjusted = adjusted_arms(inside, dataset.modes)
            if every_way:
                estimates += weighted(definition, inside, strata)
                estimates.append(paired(dataset, definition, selection.without("modes"), window))
        missing = int(chosen["n"].sum()) - sum(arm.n for arm in arms.values())
        if definition.kind == "proportion" and len(definition.arms) == 2 and missing:
            left_out["denominator_missing"] = missing
    else:
        arms, estimates = compare_times(definition, chosen, rows, strata, dataset.modes)
    quarters = _quarters(dataset, selection)
    measure: Measure = "ratio" if definition.kind == "duration" or definition.margin_scale == "ratio" else "difference"
    limit, source = margin_of(definition, dataset) if margin is None else (margin, "moved")
    answer = Comparison(
        metric=definition.id,
        label=definition.label,
        kind=definition.kind,
        role=definition.role,
        unit=definition.unit,
        harmful=definition.harmful,
        margin=limit,
        margin_scale=definition.margin_scale,
        margin_source=source,
        measure=measure,
        arms=arms,
        adjusted_arms=adjusted,
        estimates=tuple(estimates),
        primary=primary,
        verdict="described",
        left_out=left_out,
        group={group[0]: group[1]} if group else {},
        quarters=quarters,
        series=_tracked(definition, chosen, quarters) if track else {},
    )
    within = crude_difference(definition, rows, answer.measure)
    apart = bool(strata) and group is None and primary == PRIMARY and unbalanced(rows)
    verdict, reasons = verdict_of(definition, answer, positivity(rows), bool(strata), apart, within)
    if selection.modes:
        reasons += ("mode_filter_ignored",)
    if selection.focus_areas and not narrowed_by_area(definition):
        reasons += ("focus_area_ignored",)
    if primary != primary_of(definition) and modelled:
        reasons += ("model_refused",)
    if every_way and (ways := agreement(answer)) and not ways.robust:
        reasons += ("not_robust",)
    answer = dataclasses.replace(answer, verdict=verdict, reasons=reasons, further_needed=further(answer, verdict, int(rows["n"].sum())))
    return dataclasses.replace(answer, sentence=sentences.comparison(answer, definition))


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


def _refused(
    definition: Metric, dataset: Dataset, margin: float | None, reasons: tuple[str, ...]
) -> Comparison:
    """A metric that this dataset cannot answer as asked: every row there, none estimated, the reason said."""
    measure: Measure = "ratio" if definition.kind == "duration" or definition.margin_scale == "ratio" else "difference"
    limit, source = margin_of(definition, dataset) if margin is None else (margin, "moved")
    primary = primary_of(definition)
    asked = {"crude": "selection", STRATIFIED: "comparison_window"}
    if primary == PRIMARY:
        asked |= {**POPULATIONS, "paired": "pairs"}
    rows = tuple(
        Estimate(method, name, population, None, None, None, 0, "not_estimable", reasons)
        for method, population in asked.items()
        for name in dict.fromkeys(("difference" if definition.kind != "duration" else "ratio", measure))
    )
    answer = Comparison(
        metric=definition.id, label=definition.label, kind=definition.kind, role=definition.role,
        unit=definition.unit, harmful=definition.harmful, margin=limit, margin_scale=definition.margin_scale,
        margin_source=source, measure=measure, arms={}, estimates=rows, primary=primary,
        verdict="not_comparable", reasons=reasons,
    )  # fmt: skip
    return dataclasses.replace(answer, sentence=sentences.comparison(answer, definition))


def compare_categories(dataset: Dataset, selection: Selection = Selection()) -> Family:
    """Validations with a deficiency in each category, virtual against in person, as one family of tests.

    One row per validation and category, so that a 2×2 table per stratum is valid; Holm's adjustment keeps the
    chance of any false "differs" over the categories at 5 %.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    selection = selection.checked(dataset).without("modes")
    if missing_reason(metric("any_deficiency"), dataset):
        return Family("category", (), (), "Holm")
    definitions = [
        dataclasses.replace(
            metric("any_deficiency"),
            label=dataset.label("category", name),
            counted_by=Tally("validations", f"any_deficiency_c{code}", f"has_assessed_c{code}"),
        )
        for code, name in enumerate(dataset.vocabulary("category"))
    ]
    named = dict(zip(dataset.vocabulary("category"), definitions, strict=True))
    return compare_family(dataset, "category", named, tally_counts(dataset, definitions, selection), selection)


def compare_family(
    dataset: Dataset, column: str, definitions: Mapping[str, Metric], counted: pd.DataFrame, selection: Selection
) -> Family:
    """Several tallies over the same counted rows as one family of comparisons, p-values adjusted by Holm.

    All are stratified (`STRATIFIED`): single categories are too rare for a model, and a family wants one method.

    Parameters
    ----------
    dataset : Dataset
    column : str
        What the members of the family are values of.
    definitions : mapping
        Value → how it is counted.
    counted : DataFrame
        Rows by arm, quarter, adjustment columns and specialist that hold every column the definitions add up.
    selection : Selection
        The selection they were counted from, without its validation modes.
    """
    window = comparison_window(counted)
    answers = []
    for value, definition in definitions.items():
        answer = _answer(definition, dataset, selection, None, window, track=False, modelled=False)
        answers.append(dataclasses.replace(answer, group={column: value}))
    p_values = [a.answer.p_value if a.answer and a.answer.status == "ok" else None for a in answers]
    adjusted = holm([float("nan") if p is None else p for p in p_values])
    return Family(column, tuple(answers), tuple(finite_or_none(float(p)) for p in adjusted), "Holm")


def group_label(dataset: Dataset, answer: Comparison) -> str:
    """The group of an answer in words."""
    parts = [dataset.label(c, v) if c in LABELS else v for c, v in answer.group.items()]
    return wording.listed(parts)


