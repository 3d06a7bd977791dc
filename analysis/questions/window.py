"""Whom a like-for-like comparison speaks of: quarters in which both modes were in use; the rest is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.schema import ADJUSTMENT_COLUMNS

MODES = ("virtual", "in_person")
"""The two arms, in the order in which they are always shown."""


@dataclass(frozen=True, slots=True)
class Window:
    """Counts of the two arms, split by whether both modes were in use that quarter.

    `selection` holds all rows of the two arms, `rows` those of quarters with both; `strata` says which columns
    adjustment can use, `left_out` what stands outside the two-way comparison, by reason.
    """

    selection: pd.DataFrame
    rows: pd.DataFrame
    strata: tuple[str, ...]
    left_out: Mapping[str, int]


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
        name = "mode_unknown" if pd.isna(value) else f"mode_{value}"
        left_out[name] = int(rows["n"].sum())
    selection = counted[in_arms].assign(arm=lambda f: (f[arm_column] == "virtual").astype("int64"))
    in_use = selection[selection["n"] > 0].groupby("quarter")["arm"].nunique()
    both = selection["quarter"].isin(in_use.index[in_use == 2])
    outside = int(selection.loc[~both, "n"].sum())
    if outside:
        left_out["outside_comparison_window"] = outside
    strata = tuple(column for column in ADJUSTMENT_COLUMNS if counted[column].notna().any())
    rows = with_strata(selection[both], strata)
    lonely = rows.groupby("stratum")["arm"].transform("nunique") < 2
    if without := int(rows.loc[lonely, "n"].sum()):
        left_out["no_counterpart"] = without
    return Window(selection, rows, strata, left_out)


def with_strata(rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows numbered by stratum: the combinations of `columns`, not recorded being a value of its own."""
    if not columns or rows.empty:
        return rows.assign(stratum=np.zeros(len(rows), np.int64))
    keys = rows[list(columns)].astype("object").where(rows[list(columns)].notna(), "")
    return rows.assign(stratum=pd.MultiIndex.from_frame(keys).factorize()[0])


def positivity(rows: pd.DataFrame) -> float | None:
    """Share of virtual validations in strata that hold an in-person one; None without virtual ones."""
    virtual = rows[rows["arm"] == 1]
    total = float(virtual["n"].sum())
    if not total:
        return None
    shared = virtual["stratum"].isin(rows.loc[(rows["arm"] == 0) & (rows["n"] > 0), "stratum"])
    return float(virtual.loc[shared, "n"].sum()) / total
