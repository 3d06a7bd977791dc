"""What is written down by mode: single criteria, and reasons.

Like for like throughout: quarters in which both modes were in use, stratified by risk, kind and location.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from analysis.coding import added_up
from analysis.counts import counts
from analysis.criteria_counts import ClassTables, class_tables
from analysis.metrics import Tally, metric
from analysis.questions.comparison import compare_family
from analysis.questions.deficiency_reasons import deficiencies_by_reason
from analysis.questions.deficiency_records import Deficiencies, no_rate_reason
from analysis.questions.tallies import adjusted_for, smallness
from analysis.questions.window import MODES, comparison_window
from analysis.results import Family, Interval, finite_or_none
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.selection import Selection
from analysis.stats.multiplicity import benjamini_hochberg
from analysis.stats.strata import cmh_test, mh_difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

POWER = 0.80
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class CriterionByMode:
    """One criterion, virtual against in person: `counts` and `totals` of both arms, adjusted difference, p and q.

    The interval is Sato's, the p-value Cochran–Mantel–Haenszel's, `q` its false-discovery rate over all criteria
    tested. `differs` after that adjustment only. `status` is ``too_small`` where small numbers forbid a test; a
    hidden one is ``suppressed``, without counts.
    """

    criterion_id: str
    label: str
    counts: Mapping[str, int]
    totals: Mapping[str, int]
    estimate: float | None
    interval: Interval | None
    p_value: float | None
    q_value: float | None
    status: str
    caveats: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the difference survives the false-discovery rate of its family."""
        return self.q_value is not None and self.q_value < LEVEL

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        arms = {f"{m}_{k}": v.get(m) for m in MODES for k, v in (("count", self.counts), ("n", self.totals))}
        return {
            "criterion_id": self.criterion_id, "label": self.label, **arms, "difference": self.estimate,
            "low": self.interval.low if self.interval else None,
            "high": self.interval.high if self.interval else None,
            "p_value": self.p_value, "q_value": self.q_value, "status": self.status,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class CriteriaByMode:
    """All criteria, virtual against in person, as one family.

    `detectable` is the difference that one criterion of the middle rate `typical_rate` would need to be called
    after that many looks, four times in five.
    """

    rows: tuple[CriterionByMode, ...]
    tested: int
    detectable: float | None
    typical_rate: float | None
    n: int
    left_out: Mapping[str, int]
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a criterion."""
        return pd.DataFrame([row.to_dict() for row in self.rows])


def criteria_by_mode(dataset: Dataset, selection: Selection = Selection()) -> CriteriaByMode:
    """Compare the modes on every single criterion, with the false-discovery rate controlled."""
    selection = selection.checked(dataset)
    caveats = ("mode_filter_ignored",) if selection.modes else ()
    if missing := no_rate_reason(dataset):
        return CriteriaByMode((), 0, None, None, 0, {}, (missing, *caveats))
    without = selection.without("modes")
    by = ["mode", "month", *ADJUSTMENT_COLUMNS]
    window = comparison_window(
        counts(dataset, "validations", by, without).assign(quarter=lambda f: f["month"] // 3)
    )
    n = int(window.rows["n"].sum())
    answers = class_tables(dataset, ("criterion_id",), by, without)
    tables = _tables(answers, window.rows[[*by, "arm", "stratum"]])
    rows = [
        _criterion(dataset, criterion, table, window.strata)
        for criterion, table in zip(answers.classes["criterion_id"], tables, strict=True)
        if len(window.rows) and criterion is not None
    ]
    q_values = benjamini_hochberg([np.nan if r.p_value is None else r.p_value for r in rows])
    rows = [
        dataclasses.replace(r, q_value=finite_or_none(float(q))) for r, q in zip(rows, q_values, strict=True)
    ]
    rows.sort(key=lambda r: 2.0 if r.p_value is None else r.p_value)
    tested = [row for row in rows if row.p_value is not None]
    detectable, typical = _detectable(tested)
    return CriteriaByMode(tuple(rows), len(tested), detectable, typical, n, window.left_out, caveats)


def reasons_by_mode(dataset: Dataset, selection: Selection = Selection()) -> Family:
    """Share of each reason among deficiencies with a reason, virtual minus in person, Holm over reasons."""
    return shares_by_mode(dataset, "reason", selection)


@dataclass(frozen=True, slots=True)
class ReasonsBothWays:
    """Reasons of all deficiencies, and the same by mode: shown together, so small counts are hidden in both."""

    pooled: Deficiencies
    by_mode: Family


def reasons_both_ways(dataset: Dataset, selection: Selection = Selection()) -> ReasonsBothWays:
    """Reasons as shares of all deficiencies, and virtual against in person."""
    return ReasonsBothWays(deficiencies_by_reason(dataset, selection), reasons_by_mode(dataset, selection))


def shares_by_mode(dataset: Dataset, column: str, selection: Selection = Selection()) -> Family:
    """Share of each value of a column among deficiencies that record it, virtual minus in person, Holm over values.

    The unit is a deficiency. Those of one validation, and of one specialist, belong together: errors are clustered
    by specialist (where none is recorded, deficiencies are taken as independent, with that caveat).
    """
    selection = selection.checked(dataset).without("modes")
    values = dataset.present(column)
    by = ["mode", "month", *ADJUSTMENT_COLUMNS, "specialist", column]
    only = {"answer": [dataset.code("answer", "deficient")]}
    found = counts(dataset, "findings", by, selection, only=only, categories=True)
    found = found[found[column].notna().to_numpy()]
    if found.empty or not values:
        return Family(column, (), (), "Holm")
    found["quarter"] = found["month"] // 3
    base = metric("any_deficiency")
    definitions = {
        value: dataclasses.replace(
            base, label=dataset.label(column, value), unit="deficiency", judged=False,
            counted_by=Tally("findings", f"value_{i}", "n"),
        )
        for i, value in enumerate(values)
    }  # fmt: skip
    keys = ["mode", "quarter", *ADJUSTMENT_COLUMNS, "specialist"]
    sums = {f"value_{i}": found["n"].where(found[column] == value, 0) for i, value in enumerate(values)}
    counted = added_up(found.assign(**sums), keys, ["n", *sums])
    return compare_family(dataset, column, definitions, comparison_window(counted), selection)


def _tables(answers: ClassTables, within: pd.DataFrame) -> NDArray[np.int64]:
    """2×2 tables by criterion and stratum: rows virtual and in person, columns deficient and met."""
    by = list(answers.groups.columns)
    places = answers.groups.merge(within, on=by, how="left")
    inside = places["stratum"].notna().to_numpy()
    stratum, arm = (places.loc[inside, name].to_numpy(np.int64) for name in ("stratum", "arm"))
    out = np.zeros((int(stratum.max(initial=0)) + 1, 2, 2, len(answers.classes)), np.int64)
    deficient, assessed = (answers.counts[name][inside] for name in ("deficient", "assessed"))
    np.add.at(out, (stratum, 1 - arm, 0), deficient)
    np.add.at(out, (stratum, 1 - arm, 1), assessed - deficient)
    return np.moveaxis(out, -1, 0)


def _criterion(
    dataset: Dataset, criterion: str, tables: NDArray[np.int64], strata: tuple[str, ...]
) -> CriterionByMode:
    events, n = tables[:, :, 0].sum(axis=0), tables.sum(axis=(0, 2))
    codes, small = smallness(int(n[0]), int(n[1]), int(events.sum()), int(n.sum() - events.sum()))
    found = mh_difference(tables)
    status = "not_estimable" if found.interval is None else "too_small" if small else "ok"
    p = finite_or_none(float(cmh_test(tables).p_value)) if status == "ok" else None
    return CriterionByMode(
        criterion, dataset.label("criterion_id", criterion),
        dict(zip(MODES, events.tolist(), strict=True)), dict(zip(MODES, n.tolist(), strict=True)),
        found.estimate, found.interval, p, None, status, (*codes, *adjusted_for(strata)),
    )  # fmt: skip


def _detectable(tested: list[CriterionByMode]) -> tuple[float | None, float | None]:
    """Smallest difference seen four times in five in a criterion of the middle error, were it the only one."""
    if not tested:
        return None, None
    errors = [row.interval.half_width / ndtri(0.975) for row in tested if row.interval]
    rates = [sum(row.counts.values()) / sum(row.totals.values()) for row in tested]
    reach = ndtri(POWER) - ndtri(LEVEL / len(tested) / 2)
    return float(np.median(errors) * reach), float(np.median(rates))
