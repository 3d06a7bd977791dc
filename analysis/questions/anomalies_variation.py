"""Whose records are too alike: deficiencies that hardly vary, answers that repeat, hours that are too often round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.questions.anomalies_answers import copied_answers
from analysis.questions.anomalies_records import LEVEL, Reason, Records, in_offices, records_of, told
from analysis.questions.anomalies_units import SMALLEST_UNIT
from analysis.results import finite_or_none
from analysis.selection import Selection
from analysis.stats.multiplicity import benjamini_hochberg
from analysis.stats.surprise import evenness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

MOSTLY_ROUND = 0.5
"""Where so many hours of all are whole ones, whole hours are the custom and tell nothing."""


@dataclass(frozen=True, slots=True)
class VariationRow:
    """One specialist: how much the number of deficiencies varies (1 as chance would), and how often hours are whole.

    `index` is the index of dispersion of the deficiencies of `n` validations, `round_hours` of
    `timed` validations have a whole number of hours, `usual_round` is the share of everybody else's. `copied`
    validations hold the same answers as others of theirs.
    """

    name: str
    n: int | None
    deficiencies: int | None
    index: float | None
    p_value: float | None
    q_value: float | None
    timed: int | None
    round_hours: int | None
    usual_round: float | None
    round_q_value: float | None
    copied: int | None
    reasons: tuple[Reason, ...] = ()

    @property
    def flagged(self) -> bool:
        """Whether the specialist's records deserve a second look."""
        return bool(self.reasons)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.name,
            "n": self.n,
            "deficiencies": self.deficiencies,
            "dispersion": self.index,
            "p_value": self.p_value,
            "q_value": self.q_value,
            "timed": self.timed,
            "round_hours": self.round_hours,
            "round_q_value": self.round_q_value,
            "copied": self.copied,
            **told(self.reasons),
        }


@dataclass(frozen=True, slots=True)
class Variation:
    """Specialists with enough validations, in order of name; `n` validations, `pooled_units` specialists left out."""

    rows: tuple[VariationRow, ...]
    n: int | None
    pooled_units: int | None
    caveats: tuple[str, ...] = ()

    @property
    def flagged(self) -> tuple[VariationRow, ...]:
        """Rows that deserve a second look."""
        return tuple(row for row in self.rows if row.flagged)

    def to_frame(self) -> pd.DataFrame:
        """One row a specialist, in order of name."""
        frame = pd.DataFrame([row.to_dict() for row in self.rows])
        return frame.drop(columns="reasons", errors="ignore").rename(columns={"name": "specialist"})


def lack_of_variation(dataset: Dataset, selection: Selection = Selection()) -> Variation:
    """Look for specialists whose records vary less than chance allows.

    Parameters
    ----------
    dataset : Dataset
    selection : Selection
        Its offices narrow what is shown.
    """
    selection = selection.checked(dataset)
    if not dataset.clean_validations:
        return Variation((), 0, 0, ("clean_validations_unknown",))
    records = records_of(dataset, selection)
    return varied(records, selection)


def varied(records: Records, selection: Selection = Selection()) -> Variation:
    """As `lack_of_variation`, of records at hand."""
    rows = records.validations
    rows = rows[(rows["specialist"] >= 0) & (rows["has_assessed"] > 0)]
    if rows.empty:
        return Variation((), 0, 0, ("empty_selection" if records.validations.empty else "column_absent",))
    names, code = np.unique(rows["specialist"].to_numpy(), return_inverse=True)
    size = np.bincount(code)
    # Round each specialist's own mean: another case mix from one to the next adds to the variation, never takes away.
    found = evenness(rows["n_deficient"], np.ones(len(rows)), code)
    office = np.bincount(code, in_offices(rows, selection)) > 0
    shown = (size >= SMALLEST_UNIT) & office
    p = np.where(shown, found.p_value, np.nan)
    q = benjamini_hochberg(p)
    timed, whole, usual, round_p = _round_hours(rows, code)
    round_q = benjamini_hochberg(np.where(shown, round_p, np.nan))
    total = np.bincount(code, rows["n_deficient"].to_numpy(float))
    repeats = np.bincount(code, rows["validation_row"].isin(copied_answers(records))).astype(np.int64)
    made = []
    for i in np.flatnonzero(shown):
        reasons = []
        if repeats[i]:
            reasons.append(
                Reason(
                    "copied_answers", f"{repeats[i]:,} validations repeat the same answers at other members"
                )
            )
        if q[i] < LEVEL:
            said = f"The number of deficiencies varies {found.index[i]:.2f} times as much as chance alone would make it"
            reasons.append(Reason("little_variation", said, float(p[i])))
        if round_q[i] < LEVEL:
            said = f"{whole[i]:,} of {timed[i]:,} validations took a whole number of hours; elsewhere {usual[i]:.0%} do"
            reasons.append(Reason("round_hours", said, float(round_p[i])))
        made.append(
            VariationRow(
                records.pseudonyms[int(names[i])], int(size[i]), int(total[i]), finite_or_none(float(found.index[i])),
                finite_or_none(float(p[i])), finite_or_none(float(q[i])), int(timed[i]), int(whole[i]),
                finite_or_none(float(usual[i])), finite_or_none(float(round_q[i])), int(repeats[i]),
                tuple(reasons),
            )
        )  # fmt: skip
    made.sort(key=lambda row: row.name)
    caveats = () if made else ("too_few_units",)
    return Variation(tuple(made), int(size[shown].sum()), int((office & ~shown).sum()), caveats)


def _round_hours(
    rows: pd.DataFrame, code: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """By specialist: timed validations, those of whole hours, everybody else's share, and p of as many."""
    from scipy.stats import binom

    recorded = rows["hours"].notna().to_numpy()
    hours = rows["hours"].fillna(0.5).to_numpy(float)
    even = recorded & (np.abs(hours - np.round(hours)) < 1e-9)
    timed, whole = (np.bincount(code, flag).astype(np.int64) for flag in (recorded, even))
    others, others_whole = timed.sum() - timed, whole.sum() - whole
    usual = np.divide(others_whole, others, out=np.full(timed.shape, np.nan), where=others > 0)
    tells = (timed >= SMALLEST_UNIT) & (usual < MOSTLY_ROUND)
    p = np.where(tells, binom.sf(whole - 1, timed, np.where(tells, usual, 0.5)), np.nan)
    return timed, whole, usual, p
