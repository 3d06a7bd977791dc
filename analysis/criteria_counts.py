"""Counts per criterion, or per class of criteria: how many it applied to, and how each of them was answered.

Met answers are not stored: a criterion is met where it applies and has no finding. So
``assessed = applicable − not applicable − not assessed − not verified``, and a rate is deficient over assessed.
Which criteria apply follows from a validation's entity type and day (its catalogue period).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.counts import Via, counts
from analysis.selection import Selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

ANSWERS = ("deficient", "not_verified", "not_applicable", "not_assessed")
_WHERE = ["entity_type", "catalogue_period"]


def criterion_counts(
    dataset: Dataset, by: Sequence[str] = (), selection: Selection = Selection(), *, via: Via = "auto"
) -> pd.DataFrame:
    """Count the answers to every criterion.

    Parameters
    ----------
    dataset : Dataset
    by : sequence of str
        Columns that validations and findings both have: filters, ``month``, ``specialist`` …
    selection : Selection
        Filters; the focus area narrows which criteria are counted.
    via : {"auto", "cells", "rows"}
        Where to count, as for `analysis.counts.counts`.

    Returns
    -------
    DataFrame
        One row per group and criterion, in catalogue order: `by`, ``criterion_id``, ``applicable``,
        ``deficient``, ``not_verified``, ``not_applicable``, ``not_assessed``, ``assessed``. Where nobody knows
        which criteria were asked, without ``applicable`` and ``assessed``.
    """
    return class_counts(dataset, ("criterion_id",), by, selection, via=via)


def class_counts(
    dataset: Dataset,
    columns: Sequence[str],
    by: Sequence[str] = (),
    selection: Selection = Selection(),
    *,
    via: Via = "auto",
) -> pd.DataFrame:
    """Count the answers to classes of criteria: by ``category``, ``level``, ``seen_by`` …, or several of them.

    Where a source names a finding's category itself, that name counts for the deficiency, and the catalogue's
    for what was met; so ``assessed`` is always met + deficient.

    Parameters
    ----------
    columns : sequence of str
        Columns of the catalogue that make the classes.
    dataset, by, selection, via
        As for `criterion_counts`.

    Returns
    -------
    DataFrame
        One row per group and class that applies to anyone or was written down: `by`, `columns`, and the counts of
        `criterion_counts`.
    """
    by, columns = list(by), list(columns)
    validations = counts(dataset, "validations", [*by, *_WHERE], selection, via=via)
    applies = _applying(dataset, selection)
    found = _answers(dataset, columns, by, selection, via)
    everything = pd.concat([applies[columns], found[columns]]).drop_duplicates()
    classes = everything.sort_values(columns, ignore_index=True)
    groups = validations[by].drop_duplicates(ignore_index=True) if by else pd.DataFrame(index=[0])
    shape = (len(groups), len(classes))
    group = _places(groups, found, by)
    as_written = _places(classes, found, columns)
    out = {}
    for answer in ANSWERS:
        rows = (found["answer"] == answer).to_numpy()
        out[answer] = _summed(shape, group[rows], as_written[rows], found["n"].to_numpy()[rows])
    if dataset.criteria_asked:
        applicable = _applicable(dataset, validations, applies, groups, classes, by, columns)
        as_listed = _places(classes, found, [f"listed_{column}" for column in columns])
        met = applicable - _summed(shape, group, as_listed, found["n"].to_numpy())
        out = {"applicable": applicable, **out, "assessed": met + out["deficient"]}
    keys = groups.loc[groups.index.repeat(len(classes)), by].reset_index(drop=True)
    decoded = pd.DataFrame({column: _decoded(dataset, column, classes[column]) for column in columns})
    keys[columns] = decoded.loc[np.tile(np.arange(len(classes)), len(groups)), columns].to_numpy()
    return keys.assign(**{name: table.ravel() for name, table in out.items()})


def _applying(dataset: Dataset, selection: Selection) -> pd.DataFrame:
    """The coded catalogue, narrowed to the focus areas of the selection."""
    applies = dataset.applicability()
    if selection.focus_areas:
        areas = [dataset.code("focus_area", area) for area in selection.focus_areas]
        applies = applies[applies["focus_area"].isin(areas)]
    return applies


def _answers(
    dataset: Dataset, columns: list[str], by: list[str], selection: Selection, via: Via
) -> pd.DataFrame:
    """Findings by group, answer and class; the class as written down, and as the catalogue lists it."""
    needed = dict.fromkeys([*by, *columns, "answer", *(["criterion_id"] if "category" in columns else [])])
    found = counts(dataset, "findings", list(needed), selection, via=via)
    for column in columns:
        codes = {value: code for code, value in enumerate(dataset.vocabulary(column))}
        found[column] = [codes.get(value, -1) for value in found[column]]
        found[f"listed_{column}"] = found[column]
    if "category" in columns:
        listed = dataset.applicability().drop_duplicates("criterion_id").set_index("criterion_id")["category"]
        criteria = found["criterion_id"]
        if "criterion_id" not in columns:
            codes = {value: code for code, value in enumerate(dataset.vocabulary("criterion_id"))}
            criteria = criteria.map(codes)
        found["listed_category"] = criteria.map(listed).fillna(-1).astype("int64")
    return found


def _applicable(
    dataset: Dataset,
    validations: pd.DataFrame,
    applies: pd.DataFrame,
    groups: pd.DataFrame,
    classes: pd.DataFrame,
    by: list[str],
    columns: list[str],
) -> NDArray[np.int64]:
    """Validations × criteria that apply, per group and class."""
    types = {value: code for code, value in enumerate(dataset.vocabulary("entity_type"))}
    coded = validations.assign(entity_type=[types.get(value, -1) for value in validations["entity_type"]])
    spans = coded[_WHERE].drop_duplicates(ignore_index=True)
    done = _summed(
        (len(groups), len(spans)),
        _places(groups, coded, by),
        _places(spans, coded, _WHERE),
        coded["n"].to_numpy(),
    )
    listed = _summed(
        (len(spans), len(classes)), _places(spans, applies, _WHERE), _places(classes, applies, columns),
        np.ones(len(applies), np.int64),
    )  # fmt: skip
    applicable: NDArray[np.int64] = done @ listed
    return applicable


def _places(keys: pd.DataFrame, rows: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.int64]:
    """For each row its position among `keys` (whose columns stand in the same order), −1 where there is none."""
    if not len(keys.columns):
        return np.zeros(len(rows), np.int64)
    named = rows[list(columns)].set_axis(keys.columns, axis=1)
    placed = named.merge(keys.assign(_place=np.arange(len(keys))), on=list(keys.columns), how="left")
    places: NDArray[np.int64] = placed["_place"].fillna(-1).to_numpy(np.int64)
    return places


def _summed(
    shape: tuple[int, int], row: NDArray[np.int64], column: NDArray[np.int64], n: NDArray[np.int64]
) -> NDArray[np.int64]:
    table = np.zeros(shape, np.int64)
    inside = (row >= 0) & (column >= 0)
    np.add.at(table, (row[inside], column[inside]), n[inside])
    return table


def _decoded(dataset: Dataset, column: str, codes: pd.Series) -> pd.Series:  # type: ignore[type-arg]  # pandas does not say of what
    values = dict(enumerate(dataset.vocabulary(column)))
    return pd.Series([values.get(code) for code in codes], codes.index, dtype="object")
