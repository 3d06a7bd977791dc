"""Is virtual as good as in person? One metric, several ways of asking, and a verdict against a margin."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.errors import AnalysisError, nearest
from analysis.metrics import Metric, Tally, metric, metrics, missing_reason
from analysis.questions.answering import answer_of, refused
from analysis.questions.counted_windows import window_of
from analysis.questions.families import compare_categories as compare_categories
from analysis.questions.families import compare_family as compare_family
from analysis.questions.tallies import of_item, tally_counts
from analysis.questions.terms import GROUP_COLUMNS as GROUP_COLUMNS
from analysis.questions.terms import PRIMARY as PRIMARY
from analysis.questions.terms import STRATIFIED as STRATIFIED
from analysis.questions.terms import answerable as answerable
from analysis.questions.terms import checked_margin, counted_selection, narrowed_by_area
from analysis.questions.window import MODES, Window, comparison_window
from analysis.results import Comparison
from analysis.selection import Selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset


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
        return refused(definition, dataset, margin, (missing,))
    window = _window_alone(definition, dataset, selection, by)
    return _compare(definition, dataset, selection, margin, by, window, every_way=True)


def compare_all(dataset: Dataset, selection: Selection = Selection()) -> list[Comparison]:
    """Every metric at a glance, in the order of ``data/metrics.toml``; metrics with `by` once per value.

    Validations are counted in one pass for all of them. Only what the verdict needs is estimated: crude, stratified
    and standardised; `compare` asks in every way.
    """
    selection = selection.checked(dataset)
    missing = {m.id: missing_reason(m, dataset) for m in metrics().values()}
    passes: dict[tuple[str | None, bool], list[Metric]] = {}
    for definition in metrics().values():
        if _table(definition) and missing[definition.id] is None:
            passes.setdefault(_pass(definition, selection), []).append(definition)
    shared = {which: _counted(group, dataset, selection) for which, group in passes.items()}
    windows: dict[tuple[object, ...], Window] = {}
    out: list[Comparison] = []
    for definition in metrics().values():
        if reason := missing[definition.id]:
            out.append(refused(definition, dataset, None, (reason,)))
            continue
        if _table(definition) is None:
            window = _window_alone(definition, dataset, selection, None)
        else:
            which = _pass(definition, selection)
            key = (which, definition.arm_column, _item(definition))
            window = windows[key] = windows.get(key) or _window(definition, shared[which])
        answer = _compare(definition, dataset, selection, None, None, window)
        out += answer.groups if definition.by else [answer]
    return out


def _table(definition: Metric) -> str | None:
    counted = definition.counted_by
    return counted.table if isinstance(counted, Tally) else None


def _item(definition: Metric) -> str | None:
    counted = definition.counted_by
    return counted.item if isinstance(counted, Tally) else None


def _pass(definition: Metric, selection: Selection) -> tuple[str | None, bool]:
    """What can be counted together: metrics of one table, with the focus areas or without."""
    return _table(definition), bool(selection.focus_areas) and narrowed_by_area(definition)


def _window_alone(definition: Metric, dataset: Dataset, selection: Selection, by: str | None) -> Window:
    extra = tuple(column for column in (by, definition.by) if column)
    return window_of(dataset, [definition], counted_selection(definition, selection), extra)


def _counted(definitions: Sequence[Metric], dataset: Dataset, selection: Selection) -> pd.DataFrame:
    extra = tuple(m.by for m in definitions if m.by)
    return tally_counts(dataset, definitions, counted_selection(definitions[0], selection), extra)


def _window(definition: Metric, counted: pd.DataFrame) -> Window:
    return comparison_window(of_item(definition, counted), arm_column=definition.arm_column)


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
    answer = answer_of(definition, dataset, selection, margin, window, every_way=every_way)
    if by is None or (
        answer.verdict == "too_few" and {"empty_selection", "nothing_to_count"} & set(answer.reasons)
    ):
        return answer
    groups = tuple(
        answer_of(definition, dataset, selection, margin, window, group=(by, value), fall_back=True)
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
        answer_of(definition, dataset, selection, margin, window, group=(column, value), every_way=every_way)
        for value in values
    )
    head = refused(definition, dataset, margin, ("never_pooled",))
    return dataclasses.replace(head, groups=groups, verdict="described")
