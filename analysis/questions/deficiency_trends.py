"""What changes over time, and what comes back: categories by quarter, and deficiencies found again."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from analysis.counts import counts
from analysis.criteria_counts import class_counts
from analysis.questions.deficiency_records import no_rate_reason
from analysis.questions.window import MODES
from analysis.results import Interval, finite_or_none
from analysis.selection import Selection, month_number
from analysis.stats.change_points import rate_shift
from analysis.stats.multiplicity import holm
from analysis.stats.rates import arm_rate
from analysis.stats.trend import mann_kendall

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

MIN_SEGMENT = 4
FEWEST_QUARTERS = 2 * MIN_SEGMENT
"""Shorter series are shown, never searched for a change."""
LEVEL = 0.05
TrendMeasure = Literal["rate", "share_of_validations"]


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One category by quarter.

    `events` of `totals` make the `values` of `quarters` (keys counted from year 0), None in a quarter without
    any or where it is hidden; `overall` is the rate of all quarters together. The change point is the first quarter `changed_in` of the new level, `before` and `after` the two levels;
    `p_value` comes from reordering the quarters, `adjusted_p` is Holm's over the categories. `tau` is Kendall's.
    """

    category: str
    label: str
    quarters: tuple[int, ...]
    events: tuple[int | None, ...]
    totals: tuple[int | None, ...]
    overall: float | None = None
    changed_in: int | None = None
    before: float | None = None
    after: float | None = None
    p_value: float | None = None
    adjusted_p: float | None = None
    tau: float | None = None
    reasons: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[float | None, ...]:
        """The rate of each quarter."""
        return tuple(
            y / n if n and y is not None else None for y, n in zip(self.events, self.totals, strict=True)
        )

    @property
    def changed(self) -> bool:
        """Whether the change survives the adjustment for the number of categories."""
        return self.adjusted_p is not None and self.adjusted_p < LEVEL


@dataclass(frozen=True, slots=True)
class Trends:
    """Categories by quarter, in catalogue order; `measure` says of what the values are a fraction."""

    rows: tuple[TrendRow, ...]
    measure: TrendMeasure
    n: int
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a category and quarter."""
        out = [
            {"category": row.category, "quarter": f"{q // 4}-Q{q % 4 + 1}", "count": y, "n": n, "rate": value,
             "changed_in": f"{row.changed_in // 4}-Q{row.changed_in % 4 + 1}" if row.changed_in else None,
             "p_value": row.p_value, "adjusted_p": row.adjusted_p, "tau": row.tau}
            for row in self.rows
            for q, y, n, value in zip(row.quarters, row.events, row.totals, row.values, strict=True)
        ]  # fmt: skip
        return pd.DataFrame(out)


@dataclass(frozen=True, slots=True)
class RepeatRow:
    """Deficiencies of an `earlier` mode assessed again under a `later` one: `count` of `n` deficient again."""

    earlier: str
    later: str
    count: int | None
    n: int | None
    rate: float | None
    interval: Interval | None
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeats:
    """Deficiencies found again, by the mode that found them first within the mode that looked again.

    `n` counts pairs of validations; `other_pairs` those with another mode on either side, not shown; `validations`
    all of the selection, with a predecessor or not. In all rows together `count` of `of` were deficient again.
    """

    rows: tuple[RepeatRow, ...]
    validations: int
    n: int | None
    other_pairs: int | None
    caveats: tuple[str, ...] = ()
    count: int | None = 0
    of: int | None = 0

    def to_frame(self) -> pd.DataFrame:
        """One row a pair of modes."""
        rows: list[dict[str, Any]] = [
            {"earlier_mode": r.earlier, "mode": r.later, "count": r.count, "n": r.n, "rate": r.rate,
             "low": r.interval.low if r.interval else None, "high": r.interval.high if r.interval else None}
            for r in self.rows
        ]  # fmt: skip
        return pd.DataFrame(rows)


def category_trends(dataset: Dataset, selection: Selection = Selection()) -> Trends:
    """Deficiency rate of every category by quarter, with at most one change of level each.

    Where no rate per criterion is known: validations with a deficiency in the category, of all.
    """
    selection = selection.checked(dataset)
    missing = no_rate_reason(dataset)
    if not dataset.clean_validations:
        return Trends((), "rate", 0, ("clean_validations_unknown",))
    start, end = selection.period(dataset)
    quarters = tuple(range(month_number(start) // 3, month_number(end) // 3 + 1)) if start <= end else ()
    n = int(counts(dataset, "validations", [], selection)["n"].iloc[0])
    by_quarter = _rates(dataset, selection) if missing is None else _validations_with(dataset, selection)
    rows = []
    for category in dataset.vocabulary("category"):
        mine = by_quarter[by_quarter["category"] == category]
        if mine.empty:
            continue
        known = [dict(zip(mine["quarter"], mine[c], strict=True)) for c in ("events", "total")]
        events, totals = (tuple(int(of.get(quarter, 0)) for quarter in quarters) for of in known)
        overall = sum(events) / sum(totals) if sum(totals) else None
        row = TrendRow(category, dataset.label("category", category), quarters, events, totals, overall)
        rows.append(_searched(row, events, totals))
    adjusted = holm([np.nan if row.p_value is None else row.p_value for row in rows])
    found = [
        dataclasses.replace(r, adjusted_p=finite_or_none(float(p)))
        for r, p in zip(rows, adjusted, strict=True)
    ]
    caveats = (missing,) if missing else ()
    return Trends(tuple(found), "rate" if missing is None else "share_of_validations", n, caveats)


def repeat_findings(dataset: Dataset, selection: Selection = Selection()) -> Repeats:
    """How often a deficiency is found again when its criterion is assessed again, by earlier and later mode.

    The selection chooses the later validation; its focus areas are not applied, because pairs are counted over all
    criteria. Errors are clustered by the later specialist.
    """
    selection = selection.checked(dataset)
    caveats = ("focus_area_ignored",) if selection.focus_areas else ()
    if missing := no_rate_reason(dataset):
        return Repeats((), 0, 0, 0, (missing, *caveats))
    by = ["previous_mode", "mode", "specialist"]
    sums = ["n", "n_repeat", "n_repeatable"]
    pairs = counts(dataset, "pairs", by, selection.without("focus_areas"), sums=sums, via="rows")
    inside = pairs[pairs["previous_mode"].isin(MODES) & pairs["mode"].isin(MODES)]
    rows = []
    for later in MODES:
        for earlier in MODES:
            mine = inside[(inside["mode"] == later) & (inside["previous_mode"] == earlier)]
            y, d = int(mine["n_repeat"].sum()), int(mine["n_repeatable"].sum())
            if not len(mine):
                continue
            found = (
                arm_rate(mine["n_repeat"], mine["n_repeatable"], cluster=mine["specialist"] + 1)
                if d
                else None
            )
            rows.append(
                RepeatRow(
                    earlier, later, y, d, y / d if d else None, found.interval if found else None,
                    found.reasons if found else ("zero_denominator",),
                )
            )  # fmt: skip
    n = int(inside["n"].sum())
    validations = int(counts(dataset, "validations", [], selection)["n"].iloc[0])
    y, d = (int(inside[name].sum()) for name in ("n_repeat", "n_repeatable"))
    return Repeats(tuple(rows), validations, n, int(pairs["n"].sum()) - n, caveats, y, d)


def _rates(dataset: Dataset, selection: Selection) -> pd.DataFrame:
    monthly = class_counts(dataset, ("category",), ["month"], selection)
    monthly["quarter"] = monthly["month"] // 3
    summed = monthly.groupby(["category", "quarter"], as_index=False)[["deficient", "assessed"]].sum()
    return summed.rename(columns={"deficient": "events", "assessed": "total"})


def _validations_with(dataset: Dataset, selection: Selection) -> pd.DataFrame:
    names = [f"any_deficiency_c{code}" for code in range(len(dataset.vocabulary("category")))]
    monthly = counts(dataset, "validations", ["month"], selection, sums=["n", *names])
    monthly["quarter"] = monthly["month"] // 3
    quarterly = monthly.groupby("quarter", as_index=False)[["n", *names]].sum()
    parts = [
        pd.DataFrame(
            {
                "category": c,
                "quarter": quarterly["quarter"],
                "events": quarterly[name],
                "total": quarterly["n"],
            }
        )
        for c, name in zip(dataset.vocabulary("category"), names, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _searched(row: TrendRow, events: tuple[int, ...], of: tuple[int, ...]) -> TrendRow:
    """The same row with its change point and its direction, or the reason why none was sought."""
    totals = np.array(of)
    if (totals > 0).sum() < FEWEST_QUARTERS:
        return dataclasses.replace(row, reasons=("too_few_periods",))
    shift = rate_shift(events, of, min_segment=MIN_SEGMENT)
    seen = totals > 0
    direction = mann_kendall(np.array(events)[seen] / totals[seen])
    return dataclasses.replace(
        row,
        changed_in=row.quarters[shift.last_before + 1] if shift.last_before is not None else None,
        before=shift.before,
        after=shift.after,
        p_value=shift.p_value,
        tau=direction.tau,
        reasons=shift.reasons,
    )
