"""Whom a like-for-like comparison speaks of: quarters in which both modes were in use; the rest is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

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
    """

    selection: pd.DataFrame
    rows: pd.DataFrame
    strata: tuple[str, ...]
    left_out: Mapping[str, int]
    counted: pd.DataFrame
    arm_column: str = "mode"

    def of(self, column: str, value: str) -> Window:
        """The window of one group by itself: the same as filtering to it."""
        return comparison_window(self.counted[self.counted[column] == value], arm_column=self.arm_column)


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
    in_arms = counted[arm_column].isin(MODES)
    for value, rows in counted[~in_arms].groupby(arm_column, dropna=False):
        unknown = "mode_unknown" if arm_column == "mode" else "no_earlier_validation"
        name = unknown if pd.isna(value) else f"mode_{value}"
        left_out[name] = int(rows["n"].sum())
    selection = counted[in_arms].assign(arm=lambda f: (f[arm_column] == "virtual").astype("int64"))
    both = selection["quarter"].isin(_quarters_with_both(selection))
    outside = int(selection.loc[~both, "n"].sum())
    if outside:
        left_out["outside_comparison_window"] = outside
    strata = tuple(column for column in ADJUSTMENT_COLUMNS if counted[column].notna().any())
    rows = with_strata(selection[both], strata)
    lonely = rows.groupby("stratum")["arm"].transform("nunique") < 2
    if without := int(rows.loc[lonely, "n"].sum()):
        left_out["no_counterpart"] = without
    return Window(selection, rows, strata, left_out, counted, arm_column)


def _quarters_with_both(rows: pd.DataFrame) -> pd.Index:
    """Quarters in which neither mode is a stray exception."""
    share = rows.groupby("quarter")["n"].sum()
    virtual = rows[rows["arm"] == 1].groupby("quarter")["n"].sum().reindex(share.index, fill_value=0)
    smaller = np.minimum(virtual, share - virtual)
    return share.index[(smaller > 0) & (smaller >= MIN_SHARE_OF_A_QUARTER * share)]


def with_strata(rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows numbered by stratum: the combinations of `columns`, not recorded being a value of its own."""
    if not columns or rows.empty:
        return rows.assign(stratum=np.zeros(len(rows), np.int64))
    keys = rows[list(columns)].astype("object").where(rows[list(columns)].notna(), "")
    return rows.assign(stratum=pd.MultiIndex.from_frame(keys).factorize()[0])


def in_shared_strata(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of strata that hold both arms: only they enter a stratified estimate."""
    return rows[rows.groupby("stratum")["arm"].transform("nunique") == 2]


def positivity(rows: pd.DataFrame) -> float | None:
    """Share of virtual validations in strata that hold an in-person one; None without virtual ones."""
    virtual = rows[rows["arm"] == 1]
    total = float(virtual["n"].sum())
    if not total:
        return None
    shared = virtual["stratum"].isin(rows.loc[(rows["arm"] == 0) & (rows["n"] > 0), "stratum"])
    return float(virtual.loc[shared, "n"].sum()) / total


def varying(rows: pd.DataFrame, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns with two recorded values or more: only for those can anything be adjusted."""
    return tuple(column for column in columns if column in rows and rows[column].nunique() > 1)
