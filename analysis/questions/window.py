"""Whom a like-for-like comparison speaks of: quarters in which both modes were in use; the rest is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from analysis.coding import coded_values, numbered, plain
from analysis.questions.memo import Memo
from analysis.schema import ADJUSTMENT_COLUMNS

MODES = ("virtual", "in_person")
"""The two arms, in the order in which they are always shown."""

MIN_POSITIVITY = 0.80
"""Least share of virtual validations with an in-person counterpart for a comparison to be made."""

MIN_SHARE_OF_A_QUARTER = 0.02
"""Under this share a mode was not in use that quarter: a few stray records must not open the window to years."""


@dataclass(frozen=True, slots=True)
class Window:
    """Counts of the two arms, split by whether both modes were in use that quarter.

    `selection` holds all rows of the two arms, `rows` those of quarters with both; `strata` says which columns
    adjustment can use, `counted` is what it was made of, `left_out` what stands outside the two-way comparison, by reason.
    `whole` is the window that this is a group of; `known` what was worked out of it, because metrics share windows.
    """

    selection: pd.DataFrame
    rows: pd.DataFrame
    strata: tuple[str, ...]
    left_out: Mapping[str, int]
    counted: pd.DataFrame
    arm_column: str = "mode"
    whole: Window | None = field(default=None, repr=False, compare=False)
    known: Memo = field(default_factory=Memo, repr=False, compare=False)

    @property
    def nbytes(self) -> int:
        """How much its rows take in memory; columns that its frames share count once."""
        sizes = {}
        for frame in (self.counted, self.selection, self.rows):
            for column in frame.columns:
                values = plain(frame[column])
                values = values.codes if isinstance(values, pd.Categorical) else values
                sizes[values.__array_interface__["data"][0]] = values.nbytes
        return sum(sizes.values())

    def of(self, column: str, value: str) -> Window:
        """The window of one group by itself: the same as filtering to it."""
        rows = self.counted[(self.counted[column] == value).to_numpy()]
        part = comparison_window(rows, arm_column=self.arm_column)
        return replace(part, whole=self.whole or self)


def comparison_window(counted: pd.DataFrame, *, arm_column: str = "mode") -> Window:
    """Split counted rows into the comparison window and what is left out.

    Parameters
    ----------
    counted : DataFrame
        Rows with the arm column, ``quarter``, the adjustment columns and ``n``.
    arm_column : str
        Column that says which arm a row belongs to.
    """
    left_out: dict[str, int] = {}
    in_arms = counted[arm_column].isin(MODES).to_numpy()
    if not in_arms.all():
        for value, rows in counted[~in_arms].groupby(arm_column, dropna=False):
            unknown = "mode_unknown" if arm_column == "mode" else "no_earlier_validation"
            name = unknown if pd.isna(value) else f"mode_{value}"
            left_out[name] = int(rows["n"].sum())
    virtual = (counted[arm_column] == "virtual").to_numpy(np.int64)
    selection = _where(counted.assign(arm=virtual), in_arms)
    both = _in_quarters_with_both(selection)
    outside = int(selection["n"].to_numpy()[~both].sum())
    if outside:
        left_out["outside_comparison_window"] = outside
    strata = tuple(column for column in ADJUSTMENT_COLUMNS if counted[column].notna().any())
    rows = with_strata(_where(selection, both), strata)
    if without := int(rows["n"].to_numpy()[~_in_shared(rows)].sum()):
        left_out["no_counterpart"] = without
    return Window(selection, rows, strata, left_out, counted, arm_column)


def _where(rows: pd.DataFrame, kept: np.ndarray) -> pd.DataFrame:
    return rows if kept.all() else rows[kept]


def _in_quarters_with_both(rows: pd.DataFrame) -> np.ndarray:
    """Which rows are of quarters in which neither mode is a stray exception."""
    quarter, arm, n = coded_values(rows["quarter"]), rows["arm"].to_numpy(), rows["n"].to_numpy()
    count = int(quarter.max(initial=-1)) + 1
    sizes = [np.bincount(quarter[arm == side], n[arm == side], count) for side in (1, 0)]
    smaller, share = np.minimum(*sizes), np.add(*sizes)
    return np.asarray(((smaller > 0) & (smaller >= MIN_SHARE_OF_A_QUARTER * share))[quarter])


def with_strata(rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows numbered by stratum: the combinations of `columns`, not recorded being a value of its own."""
    if not columns or rows.empty:
        return rows.assign(stratum=np.zeros(len(rows), np.int64))
    return rows.assign(stratum=numbered([coded_values(rows[column]) for column in columns])[0])


def in_shared_strata(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of strata that hold both arms: only they enter a stratified estimate."""
    return _where(rows, _in_shared(rows))


def _in_shared(rows: pd.DataFrame) -> np.ndarray:
    stratum, arm = rows["stratum"].to_numpy(np.int64), rows["arm"].to_numpy()
    count = int(stratum.max(initial=-1)) + 1
    seen = [np.bincount(stratum[arm == side], minlength=count) > 0 for side in (1, 0)]
    return np.asarray((seen[0] & seen[1])[stratum])


def positivity(rows: pd.DataFrame) -> float | None:
    """Share of virtual validations in strata that hold an in-person one; None without virtual ones."""
    stratum, arm, n = (rows[name].to_numpy() for name in ("stratum", "arm", "n"))
    count = int(stratum.max(initial=-1)) + 1
    virtual, in_person = (np.bincount(stratum[arm == side], n[arm == side], count) for side in (1, 0))
    total = float(virtual.sum())
    return float(virtual[in_person > 0].sum()) / total if total else None


def varying(rows: pd.DataFrame, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns with two recorded values or more: only for those can anything be adjusted."""
    return tuple(column for column in columns if column in rows and rows[column].nunique() > 1)
