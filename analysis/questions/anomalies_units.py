"""Offices and specialists outside what chance, case mix and the usual spread explain.

Never a ranking: units stand in order of their name, and a specialist has a pseudonym.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from analysis.metrics import metric
from analysis.questions.anomalies_records import LEVEL, Reason, Records, in_offices, records_of, told
from analysis.results import Interval, finite_or_none
from analysis.selection import Selection
from analysis.stats.bounds import normal_quantile
from analysis.stats.exact_rates import rate_exact
from analysis.stats.funnel import (
    Overdispersion,
    funnel_case_mix,
    funnel_limits_adjusted,
    funnel_limits_rates,
    funnel_rates,
)
from analysis.stats.multiplicity import benjamini_hochberg

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

UnitKind = Literal["office", "specialist"]

METRICS: Mapping[str, tuple[str, str]] = {
    "any_deficiency": ("any_deficiency", "has_assessed"),
    "any_must_deficiency": ("any_must_deficiency", "has_must_assessed"),
    "deficiency_rate": ("n_deficient", "n_assessed"),
}
"""Metrics units can be compared on → their events and their chances, by validation."""

COUNTED = "deficiency_rate"
"""The metric that counts deficiencies, where the others count validations with one."""

SMALLEST_UNIT = 10
"""Offices and specialists with fewer validations are not shown but pooled."""
FEWEST_UNITS = 3
"""The usual spread between units needs as many; with fewer nothing is called unusual."""
_STEPS = 60


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One office or specialist: `observed` events in `n` validations, `expected` by its case mix.

    `adjusted` is the figure of all moved by the unit's distance from its own expectation, `interval` its 95 % interval.
    `z` allows for the usual spread between units, `q_value` for the number of units looked at. ``None`` where there is
    nothing to compare with. An office is `chosen` unless the selection names others.
    """

    name: str
    n: int | None
    observed: int | None
    expected: float | None
    adjusted: float | None
    interval: Interval | None
    z: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    reasons: tuple[Reason, ...] = ()
    chosen: bool = True

    @property
    def flagged(self) -> bool:
        """Whether the unit deserves a second look."""
        return self.chosen and bool(self.reasons)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.name,
            "count": self.observed,
            "n": self.n,
            "expected": self.expected,
            "ratio": self.observed / self.expected if self.expected and self.observed is not None else None,
            "adjusted": self.adjusted,
            "low": self.interval.low if self.interval else None,
            "high": self.interval.high if self.interval else None,
            "z": self.z,
            "p_value": self.p_value,
            "q_value": self.q_value,
            **told(self.reasons),
        }


@dataclass(frozen=True, slots=True)
class Limit:
    """Limits of the funnel at one size: between `low_95` and `high_95` lie 95 in 100 units, 99.8 between the others."""

    size: float
    low_95: float
    high_95: float
    low_998: float
    high_998: float


@dataclass(frozen=True, slots=True)
class Units:
    """All offices, or all specialists, of a selection beside what their case mix leads to expect.

    `average` is the figure of all: a share of validations, or deficiencies per criterion assessed. `tau2` is the
    variance between units on the scale of their scores (arcsine of a share, logarithm of observed over expected)
    and `phi` how much wider than chance they scatter. `limits` are those of the funnel at growing sizes: validations,
    or deficiencies expected where these are counted. `pooled` stands for `pooled_units` units too small to be shown.
    """

    kind: UnitKind
    metric: str
    label: str
    rows: tuple[UnitRow, ...]
    n: int | None
    average: float | None
    phi: float | None
    tau2: float | None
    columns: tuple[str, ...] = ()
    pooled: UnitRow | None = None
    pooled_units: int | None = 0
    limits: tuple[Limit, ...] = ()
    caveats: tuple[str, ...] = ()

    @property
    def flagged(self) -> tuple[UnitRow, ...]:
        """Rows that deserve a second look, in order of name."""
        return tuple(row for row in self.rows if row.flagged)

    def size(self, row: UnitRow) -> float | None:
        """Where a unit stands in the funnel: its validations, or the deficiencies expected of it."""
        return row.expected if self.metric == COUNTED else row.n

    def to_frame(self) -> pd.DataFrame:
        """One row a unit, in order of name."""
        frame = pd.DataFrame([row.to_dict() for row in self.rows])
        return frame.drop(columns="reasons", errors="ignore").rename(columns={"name": self.kind})


def units_compared(
    dataset: Dataset, kind: UnitKind, metric: str = "any_deficiency", selection: Selection = Selection()
) -> Units:
    """Compare offices, or specialists, with what their case mix leads to expect.

    Parameters
    ----------
    dataset : Dataset
    kind : {"office", "specialist"}
    metric : {"any_deficiency", "any_must_deficiency", "deficiency_rate"}
    selection : Selection
        Its offices narrow which specialists are shown and which offices are spoken of; all are compared.
    """
    selection = selection.checked(dataset)
    if missing := why_not(dataset, metric):
        return not_compared(kind, metric, missing)
    labels = {office: dataset.label("field_office", office) for office in dataset.vocabulary("field_office")}
    return compared(records_of(dataset, selection), kind, metric, selection, labels=labels)


def compared(
    records: Records,
    kind: UnitKind,
    metric: str = "any_deficiency",
    selection: Selection = Selection(),
    *,
    labels: Mapping[str, str] | None = None,
) -> Units:
    """As `units_compared`, of records at hand."""
    y, d = METRICS[metric]
    rows = records.validations
    case_mix = records.expectation(y, d)
    rows = rows.assign(_y=np.minimum(rows[y], rows[d]), _e=case_mix.expected, _d=rows[d], _n=1)[rows[d] > 0]
    unit = rows["specialist"] if kind == "specialist" else rows["field_office"]
    known = np.asarray(unit >= 0 if kind == "specialist" else unit.notna())
    if not known.any():
        return not_compared(kind, metric, "empty_selection" if rows.empty else "column_absent")
    everyone = _sums(rows[known], unit)
    # Spread and expectation are the program's; what is shown, and tested, are the offices chosen.
    whole = _score(metric, everyone[everyone["_n"] >= SMALLEST_UNIT])
    enough = whole is not None and whole.units >= FEWEST_UNITS
    # Of a chosen office the place among all is asked; of specialists only those who worked there are shown.
    sums = everyone if kind == "office" else _sums(rows[known & in_offices(rows, selection)], unit)
    shown, rest = sums[sums["_n"] >= SMALLEST_UNIT], sums[sums["_n"] < SMALLEST_UNIT]
    score = _score(metric, shown, whole.tau2) if whole and enough else None
    average = float(rows["_y"].sum() / rows["_d"].sum())
    tau2 = whole.tau2 if whole and enough else None
    names: Mapping[Any, str] = records.pseudonyms if kind == "specialist" else labels or {}
    chosen = {names.get(office, office) for office in selection.offices} if kind == "office" else set()
    caveats = (*case_mix.caveats, *(() if enough else ("too_few_units",)))
    if not known.all():
        caveats = (*caveats, "unknown_rows_left_out")
    if selection.offices:
        caveats = (*caveats, "office_compared_with_all")
    return Units(
        kind, metric, _label(metric), _rows(metric, shown, score, average, names, chosen), int(sums["_n"].sum()), average,
        whole.phi if whole and enough else None, tau2, case_mix.columns,
        _row(metric, "Others", rest.sum(), average) if len(rest) else None, len(rest),
        _limits(metric, shown, average, tau2), caveats,
    )  # fmt: skip


def why_not(dataset: Dataset, name: str) -> str | None:
    """Why a dataset has no such figure, as a reason code."""
    if not dataset.clean_validations:
        return "clean_validations_unknown"
    if name == COUNTED and not dataset.criteria_asked:
        return "criteria_asked_unknown"
    return "level_unknown" if name == "any_must_deficiency" and not dataset.catalogue_has_levels else None


def _sums(rows: pd.DataFrame, unit: pd.Series) -> pd.DataFrame:
    return rows.groupby(unit[rows.index], sort=True)[["_n", "_y", "_e", "_d"]].sum()


def _score(name: str, sums: pd.DataFrame, tau2: float | None = None) -> Overdispersion | None:
    if sums.empty:
        return None
    if name == COUNTED:
        return funnel_rates(sums["_y"], sums["_e"], tau2=tau2)
    return funnel_case_mix(sums["_y"], np.minimum(sums["_e"], sums["_d"]), sums["_d"], tau2=tau2)


def _limits(name: str, sums: pd.DataFrame, average: float, tau2: float | None) -> tuple[Limit, ...]:
    """Limits from the smallest size that is shown to just beyond the largest, at steps that tell no unit's size."""
    column = "_e" if name == COUNTED else "_n"
    if tau2 is None or sums.empty or not 0 < average < 1:
        return ()
    largest = float(sums[column].max())
    step = 10.0 ** math.floor(math.log10(max(largest, SMALLEST_UNIT)))
    sizes = np.geomspace(SMALLEST_UNIT / 2, (math.floor(largest / step) + 1) * step, _STEPS).round()
    bounds = []
    for level in (0.95, 0.998):
        if name == COUNTED:
            ratio = funnel_limits_rates(sizes, tau2, level=level)
            bounds += [ratio.low * average, ratio.high * average]
        else:
            share = funnel_limits_adjusted(sizes, average, tau2, level=level)
            bounds += [share.low, share.high]
    return tuple(Limit(*(float(x) for x in row)) for row in zip(sizes, *bounds, strict=True))


def _rows(
    name: str,
    sums: pd.DataFrame,
    score: Overdispersion | None,
    average: float,
    names: Mapping[Any, str],
    chosen: Collection[str],
) -> tuple[UnitRow, ...]:
    rows = [_row(name, names.get(unit, str(unit)), row, average) for unit, row in sums.iterrows()]
    if score is not None:
        found = zip(
            rows, score.z_adjusted, score.p_adjusted, benjamini_hochberg(score.p_adjusted), strict=True
        )
        rows = [
            dataclasses.replace(
                row,
                z=finite_or_none(float(z)),
                p_value=finite_or_none(float(p)),
                q_value=finite_or_none(float(q)),
            )
            for row, z, p, q in found
        ]
    rows = [
        dataclasses.replace(row, reasons=_reasons(name, row), chosen=not chosen or row.name in chosen)
        for row in rows
    ]
    return tuple(sorted(rows, key=lambda row: row.name))


def _row(name: str, unit: str, sums: pd.Series, average: float) -> UnitRow:
    n, y, expected, d = (float(sums[c]) for c in ("_n", "_y", "_e", "_d"))
    place = _rate if name == COUNTED else _share
    adjusted, interval = place(y, expected, d, average)
    return UnitRow(unit, int(n), int(y), expected, adjusted, interval)


def _share(y: float, expected: float, n: float, average: float) -> tuple[float, Interval | None]:
    """The share of all, moved on the arcsine scale, so that a place in the funnel is a score."""

    def back(angle: float) -> float:
        return math.sin(min(max(angle, 0.0), math.pi / 2)) ** 2

    own, usual, whole = (math.asin(math.sqrt(min(share, 1.0))) for share in (y / n, expected / n, average))
    angle, reach = whole + own - usual, normal_quantile(0.95) / (2 * math.sqrt(n))
    return back(angle), Interval(back(angle - reach), back(angle + reach), 0.95, "arcsine")


def _rate(y: float, expected: float, _: float, average: float) -> tuple[float, Interval | None]:
    """The rate of all times observed over expected, with exact Poisson limits."""
    if expected <= 0:
        return average, None
    found = rate_exact(y, expected)
    return y / expected * average, Interval(
        float(found.low) * average, float(found.high) * average, 0.95, found.method
    )


def _reasons(name: str, row: UnitRow) -> tuple[Reason, ...]:
    if row.q_value is None or row.q_value >= LEVEL or row.z is None:
        return ()
    less = row.z < 0
    expected = f"{row.expected:,.0f} were expected by case mix"
    word = "Fewer" if less else "More"
    if name == COUNTED:
        said = f"{word} deficiencies than chance and case mix explain: {row.observed:,} written down, where {expected}"
        return (Reason("under_recording" if less else "over_recording", said, row.p_value),)
    what = "Must deficiency" if name == "any_must_deficiency" else "deficiency"
    said = f"{word} validations with a {what} than chance and case mix explain: {row.observed:,} of {row.n:,}, where {expected}"
    return (Reason("fewer_than_expected" if less else "more_than_expected", said, row.p_value),)


def _label(name: str) -> str:
    return metric(name).label


def not_compared(kind: UnitKind, name: str, reason: str) -> Units:
    """No comparison, with the code of the reason."""
    return Units(kind, name, _label(name), (), 0, None, None, None, caveats=(reason,))
