"""Counts per criterion, or per class of criteria: how many it applied to, and how each of them was answered.

Met answers are not stored: a criterion is met where it applies and has no finding. So
``assessed = applicable − not applicable − not assessed − not verified``, and a rate is deficient over assessed.
Which criteria apply follows from a validation's entity type and day (its catalogue period).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.coding import coded_values, numbered
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
    found = class_tables(dataset, columns, by, selection, via=via)
    keys = found.groups.loc[found.groups.index.repeat(len(found.classes))].reset_index(drop=True)
    places = np.tile(np.arange(len(found.classes)), len(found.groups))
    keys[list(columns)] = found.classes.iloc[places].to_numpy()
    return keys.assign(**{name: table.ravel() for name, table in found.counts.items()})


@dataclass(frozen=True, slots=True)
class ClassTables:
    """Counts of `class_counts` as tables: `counts` has an array of shape (groups, classes) for each of them.

    `groups` holds the columns counted by, `classes` those that make a class, both with their values.
    """

    groups: pd.DataFrame
    classes: pd.DataFrame
    counts: Mapping[str, NDArray[np.int64]]


def class_tables(
    dataset: Dataset,
    columns: Sequence[str],
    by: Sequence[str] = (),
    selection: Selection = Selection(),
    *,
    via: Via = "auto",
) -> ClassTables:
    """As `class_counts`, before every group and class becomes a row: for very many of them."""
    by, columns = list(by), list(columns)
    validations = counts(dataset, "validations", [*by, *_WHERE], selection, via=via, categories=True)
    applies = _applying(dataset, selection)
    found = _answers(dataset, columns, by, selection, via)
    everything = pd.concat([applies[columns], found[columns]]).drop_duplicates()
    classes = everything.sort_values(columns, ignore_index=True)
    groups = validations[by].drop_duplicates(ignore_index=True) if by else pd.DataFrame(index=[0])
    shape = (len(groups), len(classes))
    group = _places(groups, found, by)
    as_written = _places(classes, found, columns)
    n, answers = found["n"].to_numpy(), found["answer"]
    out = {}
    for answer in ANSWERS:
        rows = (answers == answer).to_numpy()
        out[answer] = _summed(shape, group[rows], as_written[rows], n[rows])
    if dataset.criteria_asked:
        applicable = _applicable(dataset, validations, applies, groups, classes, by, columns)
        as_listed = _places(classes, found, [f"listed_{column}" for column in columns])
        met = applicable - _summed(shape, group, as_listed, n)
        out = {"applicable": applicable, **out, "assessed": met + out["deficient"]}
    named = {column: _decoded(dataset, column, classes[column]) for column in columns}
    coded = {name: "object" for name in by if isinstance(groups[name].dtype, pd.CategoricalDtype)}
    return ClassTables(groups.astype(coded), pd.DataFrame(named), out)


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
    found = counts(dataset, "findings", list(needed), selection, via=via, categories=True)
    criteria = _codes(found["criterion_id"]) if "criterion_id" in found else None
    for column in columns:
        found[column] = found[f"listed_{column}"] = _codes(found[column])
    if "category" in columns and criteria is not None:
        # One place more, for a criterion that is none of the catalogue.
        listed = np.full(len(dataset.vocabulary("criterion_id")) + 1, -1, np.int64)
        catalogue = dataset.applicability().drop_duplicates("criterion_id")
        listed[catalogue["criterion_id"].to_numpy(np.int64)] = catalogue["category"].to_numpy(np.int64)
        found["listed_category"] = listed[criteria]
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
    coded = validations.assign(entity_type=_codes(validations["entity_type"]))
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
    pairs = zip(keys.columns, columns, strict=True)
    together = (pd.concat([keys[key], rows[column]], ignore_index=True) for key, column in pairs)
    number, _ = numbered([coded_values(values) for values in together])
    places = np.full(int(number.max(initial=-1)) + 1, -1, np.int64)
    places[number[: len(keys)]] = np.arange(len(keys))
    return places[number[len(keys) :]]


def _codes(column: pd.Series) -> NDArray[np.int64]:
    """Whole numbers that tell values apart: those of categories, or the values themselves."""
    values = column.array
    codes = values.codes if isinstance(values, pd.Categorical) else column.to_numpy()
    return np.asarray(codes, np.int64)


def _summed(
    shape: tuple[int, int], row: NDArray[np.int64], column: NDArray[np.int64], n: NDArray[np.int64]
) -> NDArray[np.int64]:
    inside = (row >= 0) & (column >= 0)
    place = row[inside] * shape[1] + column[inside]
    summed: NDArray[np.int64] = np.bincount(place, n[inside], shape[0] * shape[1]).astype(np.int64)
    return summed.reshape(shape)


def _decoded(dataset: Dataset, column: str, codes: pd.Series) -> pd.Series:
    values = dict(enumerate(dataset.vocabulary(column)))
    return pd.Series([values.get(code) for code in codes], codes.index, dtype="object")
