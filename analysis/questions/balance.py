"""Is the comparison fair? Who was validated virtually, before and after overlap weighting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.coding import coded_values, numbered
from analysis.counts import counts
from analysis.questions.designs import MODEL_COLUMNS, REFUSED, Design, design_of
from analysis.questions.window import MIN_POSITIVITY, comparison_window, positivity
from analysis.schema import ADJUSTMENT_COLUMNS, LABELS
from analysis.selection import Selection
from analysis.stats.bounds import Floats
from analysis.stats.g_computation import without_repeats
from analysis.stats.logit import logit

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

WELL_BALANCED = 0.1
"""A standardised mean difference up to this is taken for balance."""

PLAUSIBLE = (0.05, 0.95)
"""Propensities between which both modes were plausible."""


@dataclass(frozen=True, slots=True)
class LevelBalance:
    """One value of a covariate: its share in each mode, and how far apart they are before and after weighting.

    `before` and `after` are standardised mean differences, virtual minus in person.
    """

    column: str
    value: str | None
    label: str
    virtual: float
    in_person: float
    before: float
    after: float | None


@dataclass(frozen=True, slots=True)
class Balance:
    """How alike the two modes' validations are, in quarters in which both were in use.

    `effective` and `n` are validations per mode, with and without weights; `positivity` the share of virtual
    validations with an in-person one of the same risk, kind and location; `plausible` the share of all whose
    propensity lies between .05 and .95; `propensity` its 5 %, 50 % and 95 % points per mode. `rows` are sorted by
    the size of the difference before weighting. What could not be estimated is None, with `reasons`.
    """

    rows: tuple[LevelBalance, ...]
    n: dict[str, int]
    effective: dict[str, float | None]
    positivity: float | None
    plausible: float | None
    propensity: dict[str, tuple[float, float, float]]
    fair: bool
    columns: tuple[str, ...]
    reasons: tuple[str, ...] = ()

    @property
    def largest(self) -> tuple[float, float | None]:
        """The largest difference before and after weighting."""
        after = [abs(row.after) for row in self.rows if row.after is not None]
        return max((abs(row.before) for row in self.rows), default=0.0), max(after, default=None)

    def to_frame(self) -> pd.DataFrame:
        """One row per value of a covariate."""
        names = ("column", "value", "virtual", "in_person", "before", "after")
        return pd.DataFrame(
            [{name: getattr(row, name) for name in names} for row in self.rows], columns=list(names)
        )


def balance(dataset: Dataset, selection: Selection = Selection()) -> Balance:
    """Compare who was validated virtually with who was validated in person.

    Parameters
    ----------
    dataset : Dataset
    selection : Selection
        Filters; one on validation mode is not applied.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    without = selection.checked(dataset).without("modes")
    by = ["mode", "month", *(c for c in MODEL_COLUMNS if c != "quarter")]
    counted = counts(dataset, "validations", by, without)
    rows = comparison_window(counted.assign(quarter=counted["month"] // 3)).rows
    n = {
        mode: int(rows.loc[rows["arm"] == arm, "n"].sum()) for mode, arm in (("virtual", 1), ("in_person", 0))
    }
    shared = positivity(rows)
    if not all(n.values()):
        nothing: dict[str, float | None] = dict.fromkeys(n)
        return Balance((), n, nothing, shared, None, {}, False, (), ("no_comparison_window",))
    cells = _cells(rows)
    weights, propensity, columns, reasons = _weights(cells)
    levels = _levels(dataset, cells, weights)
    reasons = (*reasons, *_gates(shared, unbalanced(rows)))
    arm, size = cells["arm"].to_numpy(), cells["n"].to_numpy(float)
    effective: dict[str, float | None] = {"virtual": None, "in_person": None}
    spread: dict[str, tuple[float, float, float]] = {}
    plausible = None
    if propensity is not None and weights is not None:
        for mode, code in (("virtual", 1), ("in_person", 0)):
            of = arm == code
            effective[mode] = float((weights[of] @ size[of]) ** 2 / (weights[of] ** 2 @ size[of]))
            spread[mode] = _quantiles(propensity[of], size[of])
        inside = (propensity >= PLAUSIBLE[0]) & (propensity <= PLAUSIBLE[1])
        plausible = float(size[inside].sum() / size.sum())
    fair = weights is not None and "unbalanced" not in reasons and "poor_positivity" not in reasons
    return Balance(levels, n, effective, shared, plausible, spread, fair, columns, reasons)


def unbalanced(rows: pd.DataFrame) -> bool:
    """Whether risk, kind or location are still apart after overlap weighting: those that assignment depends on.

    The weights balance what the model adjusts for; apart can be what it had too few validations for. A rare value of
    another column (one entity type in one office) is apart by chance alone; the picture shows it, and it gates nothing.
    """
    if rows.empty or rows["arm"].nunique() < 2:
        return False
    cells = _cells(rows)
    weights, _, _, _ = _weights(cells)
    if weights is None:
        return False
    return any(
        abs(after) > WELL_BALANCED
        for column in _present(cells)
        if column in ADJUSTMENT_COLUMNS
        for *_, after in _differences(cells, column, weights)
        if after is not None
    )


def _gates(shared: float | None, apart: bool) -> tuple[str, ...]:
    reasons: tuple[str, ...] = ()
    if shared is not None and shared < MIN_POSITIVITY:
        reasons += ("poor_positivity",)
    return (*reasons, "unbalanced") if apart else reasons


def _present(cells: pd.DataFrame) -> list[str]:
    return [c for c in MODEL_COLUMNS if c in cells.columns and cells[c].notna().any()]


def _cells(rows: pd.DataFrame) -> pd.DataFrame:
    """Validations by arm and covariates, the mode being the outcome of the model."""
    keys = ["arm", *(c for c in MODEL_COLUMNS if c in rows.columns)]
    values = {key: rows[key].to_numpy() for key in keys}
    place, first = numbered([coded_values(of) for of in values.values()])
    n = np.bincount(place, rows["n"].to_numpy(), len(first)).astype(np.int64)
    there = n > 0
    cells = {key: of[first][there] for key, of in values.items()}
    return pd.DataFrame(cells | {"n": n[there], "y": n[there] * cells["arm"], "d": n[there]})


def _weights(cells: pd.DataFrame) -> tuple[Floats | None, Floats | None, tuple[str, ...], tuple[str, ...]]:
    """Overlap weights and propensities of cells in their order, what they adjust for, and reasons."""
    design = design_of(cells, clustered=False)
    if set(design.reasons) & set(REFUSED):
        return None, None, (), design.reasons
    fitted = _propensity(design)
    if fitted is None:
        return None, None, design.columns, ("separated",)
    weights = np.where(design.arm == 1, 1 - fitted, fitted)
    return weights[design.place], fitted[design.place], design.columns, design.reasons


def _propensity(design: Design) -> Floats | None:
    kept = ~design.alone
    fitted = design.arm.astype(float)
    if not (kept & (design.arm == 1)).any() or not (kept & (design.arm == 0)).any():
        return None
    x = without_repeats(design.covariates[kept], design.n[kept].astype(float))
    x = np.column_stack([np.ones(len(x)), x])
    fit = logit(x, design.events[kept], design.n[kept])
    if fit.reasons:
        return None
    fitted[kept] = fit.probability
    return fitted


def _differences(
    cells: pd.DataFrame, column: str, weights: Floats | None
) -> list[tuple[object, float, float, float, float | None]]:
    """Per value: shares of both modes, and their standardised difference before and after weighting."""
    arm, n = cells["arm"].to_numpy(), cells["n"].to_numpy(float)
    codes, values = pd.factorize(cells[column], sort=True, use_na_sentinel=False)
    out: list[tuple[object, float, float, float, float | None]] = []
    for code, value in enumerate(values):
        has = (codes == code).astype(float)

        def shares(w: Floats, has: Floats = has) -> tuple[float, float]:
            one, other = (float((w * has)[arm == a].sum() / w[arm == a].sum()) for a in (1, 0))
            return one, other

        p1, p0 = shares(n)
        spread = np.sqrt((p1 * (1 - p1) + p0 * (1 - p0)) / 2)
        if spread == 0:
            continue
        after = None
        if weights is not None:
            q1, q0 = shares(n * weights)
            after = float((q1 - q0) / spread)
        out.append((None if pd.isna(value) else value, p1, p0, float((p1 - p0) / spread), after))
    # Two values say the same thing twice.
    return out[:1] if len(values) == 2 else out


def _levels(dataset: Dataset, cells: pd.DataFrame, weights: Floats | None) -> tuple[LevelBalance, ...]:
    rows = []
    for column in _present(cells):
        for value, p1, p0, before, after in _differences(cells, column, weights):
            if value is None:
                words = "not recorded"
            elif column == "quarter":
                words = f"Q{int(str(value)) % 4 + 1} {int(str(value)) // 4}"
            else:
                words = dataset.label(column, str(value))
            label = f"{LABELS[column]}: {words}"
            rows.append(
                LevelBalance(column, None if value is None else str(value), label, p1, p0, before, after)
            )
    return tuple(sorted(rows, key=lambda row: (-abs(row.before), row.label)))


def _quantiles(values: Floats, n: Floats) -> tuple[float, float, float]:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(n[order]) / n.sum()
    low, middle, high = (float(values[order][int(np.searchsorted(reached, q))]) for q in (0.05, 0.5, 0.95))
    return low, middle, high
