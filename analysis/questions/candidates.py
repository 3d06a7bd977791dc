"""Which criteria are candidates for revision or outreach? The evidence side by side, and no score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from analysis.criteria_counts import criterion_counts
from analysis.questions.asking import answer_to
from analysis.questions.deficiency_criteria import deficiencies_by_criterion
from analysis.questions.deficiency_records import CriterionRow, no_rate_reason
from analysis.results import finite_or_none
from analysis.selection import Selection
from analysis.stats.multiplicity import benjamini_hochberg
from analysis.stats.trend import cochran_armitage

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

LEVEL = 0.05
LIKELY = 0.5
"""A criterion that is more likely than not among the first ten is a candidate."""
FEWEST = 30
"""Offices and years with fewer validations that assessed the criterion say nothing of it."""
Direction = Literal["rising", "falling", "no_trend"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One criterion with its evidence.

    `direction` of the rate over quarters holds at a false-discovery rate of 5 % over all criteria (`q_value`).
    `offices_above` of `offices` have a rate above `pooled`, the rate over all criteria; likewise fiscal years.
    """

    criterion: CriterionRow
    direction: Direction
    q_value: float | None
    offices_above: int
    offices: int
    years_above: int
    years: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return self.criterion.to_dict() | {
            "direction": self.direction, "q_value": self.q_value,
            "offices_above": self.offices_above, "offices": self.offices,
            "years_above": self.years_above, "years": self.years,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidates:
    """Criteria likely among the first ten or rising, highest rate first; `pooled` is the rate over all criteria."""

    rows: tuple[Candidate, ...]
    tested: int
    pooled: float | None
    n: int | None
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a candidate."""
        return pd.DataFrame([row.to_dict() for row in self.rows])


def candidates(dataset: Dataset, selection: Selection = Selection()) -> Candidates:
    """Criteria for revision or outreach: persistently high, rising, spread over offices; described, not scored."""
    if missing := no_rate_reason(dataset):
        return Candidates((), 0, None, None, (missing,))
    ranked = answer_to(deficiencies_by_criterion, dataset, selection)
    selection = selection.checked(dataset)
    counted = criterion_counts(dataset, ["month", "field_office"], selection)
    counted["quarter"] = counted["month"] // 3
    counted["fiscal_year"] = (counted["month"] + (13 - dataset.fiscal_year_start_month) % 12) // 12
    assessed = int(counted["assessed"].sum())
    pooled = int(counted["deficient"].sum()) / assessed if assessed else None
    directions = _directions(counted)
    offices, years = (_above(counted, column, pooled or 0.0) for column in ("field_office", "fiscal_year"))
    rows = []
    for row in ranked.rows:
        assert isinstance(row, CriterionRow)
        direction, q = directions.get(row.criterion_id, ("no_trend", None))
        if row.rank and (row.rank.in_top_ten >= LIKELY or direction == "rising"):
            here, spans = offices.get(row.criterion_id, (0, 0)), years.get(row.criterion_id, (0, 0))
            rows.append(Candidate(row, direction, q, *here, *spans))
    tested = sum(1 for _, q in directions.values() if q is not None)
    return Candidates(tuple(rows), tested, pooled, ranked.n, ranked.caveats)


def _directions(counted: pd.DataFrame) -> dict[str, tuple[Direction, float | None]]:
    """Cochran–Armitage over quarters for every criterion, as one family."""
    summed = (
        counted.groupby(["criterion_id", "quarter"], sort=False)[["deficient", "assessed"]]
        .sum()
        .reset_index()
    )
    slopes: dict[str, tuple[float, float]] = {}
    for criterion, rows in summed.groupby("criterion_id", sort=False):
        found = cochran_armitage(rows["deficient"], rows["assessed"], scores=rows["quarter"])
        if found.slope is not None and found.p_value is not None:
            slopes[str(criterion)] = (found.slope, found.p_value)
    q_values = benjamini_hochberg([p for _, p in slopes.values()]) if slopes else np.array([])
    out: dict[str, tuple[Direction, float | None]] = {}
    for (criterion, (slope, _)), q in zip(slopes.items(), q_values, strict=True):
        direction: Direction = "no_trend" if q >= LEVEL else "rising" if slope > 0 else "falling"
        out[criterion] = (direction, finite_or_none(float(q)))
    return out


def _above(counted: pd.DataFrame, column: str, pooled: float) -> dict[str, tuple[int, int]]:
    """In how many values of a column a criterion's rate is above the pooled one, of how many with enough data."""
    summed = counted.groupby(["criterion_id", column])[["deficient", "assessed"]].sum()
    enough = summed[summed["assessed"] >= FEWEST]
    above = enough["deficient"] / enough["assessed"] > pooled
    known = above.groupby(level="criterion_id").agg(["sum", "size"])
    return {str(c): (int(row["sum"]), int(row["size"])) for c, row in known.iterrows()}
