"""How much did each mode take? Hours, sites, minutes lost, days waited: whole distributions, from value counts.

Both arms are those of quarters in which both modes were in use, unadjusted; cases still open count as waiting.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.counts import available, counts
from analysis.datasets.cells import DURATIONS
from analysis.errors import AnalysisError, nearest
from analysis.questions.asking import answer_to
from analysis.questions.contrasts import Contrast, contrast_of
from analysis.questions.smallness import smallness
from analysis.questions.window import MODES, comparison_window
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.selection import Selection
from analysis.stats.durations import quantile_difference, quantile_from_counts
from analysis.stats.rank_tests import brunner_munzel
from analysis.stats.shift import hodges_lehmann
from analysis.stats.survival import SurvivalCurve, kaplan_meier
from analysis.stats.survival_quantiles import survival_quantile, survival_quantile_difference

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

QUARTILES = (0.25, 0.5, 0.75)
MOST_BINS = 25
_STEPS = (1, 2, 5, 10, 15, 20, 30, 50, 100, 200, 500)
_OUTERMOST = 0.01
"""Share of the larger values that may stand together in the last column."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Something counted in whole values per validation.

    `unit` is how it is written (``h``, ``days`` …), `per_unit` how many counted units make one; `recorded` says that
    a validation without it is a gap in the records, so that the share recorded is told; `virtual_only` that in-person
    validations cannot have it.
    """

    id: str
    label: str
    unit: str
    per_unit: int = 1
    recorded: bool = False
    virtual_only: bool = False


AMOUNTS: dict[str, Amount] = {
    amount.id: amount
    for amount in (
        Amount("hours", "Hours a validation took", "h", per_unit=10, recorded=True),
        Amount("days_to_report", "Days from validation to report", "days"),
        Amount("days_to_close", "Days from report to closing", "days"),
        Amount("sites", "Sites visited", "sites", recorded=True),
        Amount("minutes_lost", "Minutes lost to technology", "min", recorded=True, virtual_only=True),
    )
}
"""What a validation takes, in page order."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One column of a histogram: from `low` up to but without `high` (None: and more).

    `count` is how many were seen to end there, `share` of all, those still open shared out as Kaplan and Meier do.
    """

    low: float
    high: float | None
    count: int | None
    share: float | None


@dataclass(frozen=True, slots=True)
class AmountArm:
    """One mode's distribution: `n` with it recorded (of `of`, where that is told), `n_open` of them still open.

    `n_zero` had a value of 0; `quartiles` are None where so many were not seen to end.
    """

    mode: str
    label: str
    n: int | None
    of: int | None
    n_open: int | None
    n_zero: int | None
    quartiles: tuple[float | None, float | None, float | None]
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class AmountByMode:
    """The distribution of one amount in both modes, and ways of setting them against each other.

    `n` counts both arms; `left_out` what stands outside, by reason. Without contrasts `caveats` say why.
    """

    amount: Amount
    arms: Mapping[str, AmountArm]
    contrasts: tuple[Contrast, ...]
    n: int | None
    left_out: Mapping[str, int]
    caveats: tuple[str, ...] = ()

    def contrast(self, measure: str) -> Contrast | None:
        """The contrast of that measure, if there is one."""
        return next((c for c in self.contrasts if c.measure == measure), None)

    @property
    def censored(self) -> bool:
        """Whether some cases are still open."""
        return "censored" in self.caveats

    def to_frame(self) -> pd.DataFrame:
        """One row a mode and column of the histogram."""
        rows = [
            {"amount": self.amount.id, "mode": mode, "low": b.low, "high": b.high, "count": b.count, "share": b.share, "n": arm.n}
            for mode, arm in self.arms.items()
            for b in arm.bins
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["amount", "mode", "low", "high", "count", "share", "n"])

    def to_rows(self) -> list[dict[str, Any]]:
        """One row a contrast, as the command line prints them."""
        return [{"amount": self.amount.id, **contrast.to_dict()} for contrast in self.contrasts]


def amount_by_mode(dataset: Dataset, name: str, selection: Selection = Selection()) -> AmountByMode:
    """The distribution of one amount in both modes.

    Parameters
    ----------
    dataset : Dataset
    name : str
        One of `AMOUNTS`.
    selection : Selection
        A filter on validation mode is not applied, and said so.

    Raises
    ------
    AnalysisError
        For an unknown amount or filter value.
    """
    if name not in AMOUNTS:
        raise AnalysisError(f"amount '{name}' is not known; {nearest(name, AMOUNTS)}")
    return answer_to(amounts_by_mode, dataset, selection)[name]


def amounts_by_mode(dataset: Dataset, selection: Selection = Selection()) -> dict[str, AmountByMode]:
    """The distributions of all amounts, from one count of all values.

    Raises
    ------
    AnalysisError
        For an unknown filter value.
    """
    selection = selection.checked(dataset)
    caveats = filters_ignored(selection)
    selection = selection.without("modes", "focus_areas")
    nothing = {
        name: AmountByMode(AMOUNTS[name], {}, (), 0, {}, ("column_absent", *caveats)) for name in AMOUNTS
    }
    if not available(dataset, "values"):
        return nothing
    by = ["mode", "month", *ADJUSTMENT_COLUMNS, "metric", "value", "event"]
    values = counts(dataset, "values", by, selection, categories=True)
    done = counts(dataset, "validations", ["mode", "month"], selection)
    values, done = (frame.assign(quarter=frame["month"] // 3) for frame in (values, done))
    out = {}
    for name in AMOUNTS:
        amount, code = AMOUNTS[name], DURATIONS.index(name)
        mine = values[values["metric"] == code]
        mine = mine.assign(value=mine["value"] / amount.per_unit)
        out[name] = (
            nothing[name] if not _recorded(dataset, code) else _answer(dataset, amount, mine, done, caveats)
        )
    return out


def _answer(
    dataset: Dataset, amount: Amount, values: pd.DataFrame, done: pd.DataFrame, caveats: tuple[str, ...]
) -> AmountByMode:
    modes = ("virtual",) if amount.virtual_only else MODES
    if values.empty:
        there = done if not amount.virtual_only else done[done["mode"] == "virtual"]
        why = "nothing_recorded" if len(there) else "arm_empty" if len(done) else "empty_selection"
        return AmountByMode(amount, {}, (), 0, {}, (why, *caveats))
    window = comparison_window(values)
    rows, left_out = window.rows, {k: n for k, n in window.left_out.items() if k != "no_counterpart"}
    if amount.virtual_only:
        rows, left_out = window.selection[window.selection["arm"] == 1], {}
    if rows.empty:
        why = "arm_empty" if amount.virtual_only else "no_comparison_window"
        return AmountByMode(amount, {}, (), 0, left_out, (why, *caveats))
    edges = _edges(rows)
    within = done if amount.virtual_only else done[done["quarter"].isin(rows["quarter"].unique())]
    of = within.groupby("mode")["n"].sum()
    arms = {
        mode: _arm(
            dataset.modes[mode],
            mode,
            _of(rows, mode),
            int(of.get(mode, 0)) if amount.recorded else None,
            edges,
        )
        for mode in modes
    }
    if (rows["event"] == 0).any():
        caveats += ("censored",)
    found, codes = _contrasts(rows) if not amount.virtual_only else ((), ())
    return AmountByMode(
        amount, arms, found, int(rows["n"].sum()), left_out, tuple(dict.fromkeys([*codes, *caveats]))
    )


def filters_ignored(selection: Selection) -> tuple[str, ...]:
    """Reason codes of filters that a comparison of validations by mode does not apply."""
    codes = {"mode_filter_ignored": selection.modes, "focus_area_ignored": selection.focus_areas}
    return tuple(code for code, values in codes.items() if values)


def _recorded(dataset: Dataset, code: int) -> bool:
    return dataset.counts_amount(DURATIONS[code])


def _of(rows: pd.DataFrame, mode: str) -> pd.DataFrame:
    return rows[rows["arm"] == int(mode == "virtual")]


def _curve(rows: pd.DataFrame) -> SurvivalCurve:
    return kaplan_meier(rows["value"], rows["event"], rows["n"])


def _edges(rows: pd.DataFrame) -> tuple[float, ...]:
    """Lower edges of the columns: of one round width, the last for all that lies beyond where something does."""
    seen = rows[rows["event"] == 1]
    seen = seen if len(seen) else rows
    top = float(quantile_from_counts(seen["value"], seen["n"], 1 - _OUTERMOST))
    width = next((step for step in _STEPS if top / step < MOST_BINS), math.ceil(top / MOST_BINS))
    first, last = math.floor(float(seen["value"].min()) / width), math.floor(top / width) + 1
    # What is still open lies beyond, wherever it will end.
    beyond = bool(rows["value"].max() >= last * width) or len(seen) < len(rows)
    return tuple(float(i * width) for i in range(first, last + beyond))


def _arm(label: str, mode: str, rows: pd.DataFrame, of: int | None, edges: tuple[float, ...]) -> AmountArm:
    n = int(rows["n"].sum())
    open_ones = int(rows.loc[rows["event"] == 0, "n"].sum())
    zeros = int(rows.loc[(rows["value"] == 0) & (rows["event"] == 1), "n"].sum())
    return AmountArm(mode, label, n, of, open_ones, zeros, _quartiles(rows), _bins(rows, edges))


def _quartiles(rows: pd.DataFrame) -> tuple[float | None, float | None, float | None]:
    if rows.empty:
        return None, None, None
    if (rows["event"] == 1).all():
        low, middle, high = (float(q) for q in quantile_from_counts(rows["value"], rows["n"], QUARTILES))
        return low, middle, high
    curve = _curve(rows)
    low_, middle_, high_ = (survival_quantile(curve, q).estimate for q in QUARTILES)
    return low_, middle_, high_


def _bins(rows: pd.DataFrame, edges: tuple[float, ...]) -> tuple[Bin, ...]:
    if rows.empty:
        return ()
    curve = _curve(rows)
    # Survival just before each edge: what lies between two of them is what ended there.
    before = np.concatenate([[1.0], curve.survival])[np.searchsorted(curve.time, edges, side="left")]
    last = float(curve.survival[-1]) if curve.survival.size else 1.0
    share = before - np.append(before[1:], min(last, before[-1]))
    place = np.maximum(np.searchsorted(edges, rows["value"], side="right") - 1, 0)
    count = np.bincount(place, rows["n"] * rows["event"], len(edges))
    width = edges[1] - edges[0] if len(edges) > 1 else 1.0
    beyond = bool((rows["value"] >= edges[-1] + width).any())
    ends = [*edges[1:], None if beyond else edges[-1] + width]
    return tuple(
        Bin(low, high, int(k), float(s)) for low, high, k, s in zip(edges, ends, count, share, strict=True)
    )


def _contrasts(rows: pd.DataFrame) -> tuple[tuple[Contrast, ...], tuple[str, ...]]:
    """Differences of quartiles, shift and probability; and reason codes, alone where there is too little."""
    one, other = (_of(rows, mode) for mode in MODES)
    sizes = [int(part["n"].sum()) for part in (one, other)]
    codes, small = smallness(sizes[0], sizes[1], None, None)
    if small:
        return (), ("arm_empty",) if not min(sizes) else codes
    own = list(zip(_quartiles(one), _quartiles(other), strict=True))
    named = [f"quantile_{q * 100:.0f}" for q in QUARTILES]
    open_cases = (rows["event"] == 0).any()
    if open_cases:
        curves = _curve(one), _curve(other)
        found = [survival_quantile_difference(*curves, q) for q in QUARTILES]
    else:
        columns = (one["value"], one["n"], other["value"], other["n"])
        found = [quantile_difference(*columns, q) for q in QUARTILES]
    out = [
        contrast_of(name, each, caveats=("independent",), arms=pair)
        for name, each, pair in zip(named, found, own, strict=True)
    ]
    n = sum(sizes)
    if open_cases:
        # A rank needs every value; nobody knows how long an open case will have taken.
        out += [Contrast(m, None, None, None, n, ("open_cases",)) for m in ("shift", "probability")]
    else:
        out.append(contrast_of("shift", hodges_lehmann(*columns), caveats=("independent",)))
        out.append(contrast_of("probability", brunner_munzel(*columns), caveats=("independent",)))
    return tuple(out), (*codes, "independent")
