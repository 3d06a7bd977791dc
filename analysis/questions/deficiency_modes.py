"""What is written down by mode: single criteria, classes of criteria by how they are seen, and reasons.

Like for like throughout: quarters in which both modes were in use, stratified by risk, kind and location.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from analysis.counts import counts
from analysis.criteria_counts import class_counts, criterion_counts
from analysis.metrics import Metric, Tally, metric
from analysis.questions.comparison import compare_family
from analysis.questions.deficiency_records import no_rate_reason
from analysis.questions.tallies import adjusted_for, smallness, tally_counts
from analysis.questions.window import MODES, comparison_window
from analysis.results import Estimate, Family, Interval, finite_or_none
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.selection import Selection
from analysis.stats.multiplicity import benjamini_hochberg
from analysis.stats.strata import cmh_test, mh_difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

POWER = 0.80
MIN_SPECIALISTS = 5
LEVEL = 0.05
CONTROL = "document"
"""Criteria that a camera shows as well as a visit: shown as a negative control, never used to correct others."""


@dataclass(frozen=True, slots=True)
class CriterionByMode:
    """One criterion, virtual against in person: `counts` and `totals` of both arms, adjusted difference, p and q.

    The interval is Sato's, the p-value Cochran–Mantel–Haenszel's, `q` its false-discovery rate over all criteria
    tested. `differs` after that adjustment only. `status` is ``too_small`` where small numbers forbid a test.
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
        arms = {f"{m}_{k}": v[m] for m in MODES for k, v in (("count", self.counts), ("n", self.totals))}
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


@dataclass(frozen=True, slots=True)
class WaysOfSeeing:
    """Rates by how a criterion is seen, virtual over in person, and `contrast`: physical over document ratio."""

    family: Family
    contrast: Estimate | None
    caveats: tuple[str, ...] = ()


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
    answers = criterion_counts(dataset, by, without)
    places = window.rows[[*by, "arm", "stratum"]]
    answers = answers[answers["mode"].isin(MODES)].merge(places, on=by, how="inner")
    there = set(answers["criterion_id"].unique())
    ids = [c for c in dataset.vocabulary("criterion_id") if c in there]
    tables = _tables(answers, ids)
    rows = [_criterion(dataset, c, tables[i], window.strata) for i, c in enumerate(ids)]
    q_values = benjamini_hochberg([np.nan if r.p_value is None else r.p_value for r in rows])
    rows = [
        dataclasses.replace(r, q_value=finite_or_none(float(q))) for r, q in zip(rows, q_values, strict=True)
    ]
    rows.sort(key=lambda r: 2.0 if r.p_value is None else r.p_value)
    tested = [row for row in rows if row.p_value is not None]
    detectable, typical = _detectable(tested)
    return CriteriaByMode(tuple(rows), len(tested), detectable, typical, n, window.left_out, caveats)


def seen_by_mode(dataset: Dataset, selection: Selection = Selection()) -> WaysOfSeeing:
    """Deficiency rates by how a criterion is seen, virtual over in person, with errors clustered by specialist."""
    selection = selection.checked(dataset)
    caveats = ("mode_filter_ignored",) if selection.modes else ()
    nothing = Family("seen_by", (), (), "Holm")
    missing = no_rate_reason(dataset) or (None if dataset.records("seen_by") else "column_absent")
    if missing:
        return WaysOfSeeing(nothing, None, (missing, *caveats))
    without = selection.without("modes")
    definitions = {
        how: dataclasses.replace(
            metric("deficiency_rate"), label=dataset.label("seen_by", how), judged=False,
            counted_by=Tally("validations", f"n_deficient_{how}", f"n_assessed_{how}"),
        )
        for how in dataset.present("seen_by")
    }  # fmt: skip
    if without.focus_areas:
        counted = _seen_in_areas(dataset, list(definitions), without)
        if not (counted["specialist"] >= 0).any():
            return WaysOfSeeing(nothing, None, ("clusters_needed", *caveats))
    else:
        counted = tally_counts(dataset, list(definitions.values()), without)
    family = compare_family(dataset, "seen_by", definitions, counted, without)
    return WaysOfSeeing(family, _contrast(counted), caveats)


def reasons_by_mode(dataset: Dataset, selection: Selection = Selection()) -> Family:
    """Share of each reason among deficiencies with a reason, virtual minus in person, Holm over reasons.

    The unit is a deficiency. Those of one validation, and of one specialist, belong together: errors are clustered
    by specialist (where none is recorded, deficiencies are taken as independent, with that caveat).
    """
    selection = selection.checked(dataset).without("modes")
    reasons = dataset.present("reason")
    by = ["mode", "month", *ADJUSTMENT_COLUMNS, "specialist"]
    found = counts(dataset, "findings", [*by, "reason", "answer"], selection)
    found = found[(found["answer"] == "deficient") & found["reason"].notna()]
    if found.empty or not reasons:
        return Family("reason", (), (), "Holm")
    found["quarter"] = found["month"] // 3
    keys = ["mode", "quarter", *ADJUSTMENT_COLUMNS, "specialist"]
    base = metric("any_deficiency")
    definitions: dict[str, Metric] = {}
    for i, reason in enumerate(reasons):
        found[f"reason_{i}"] = found["n"].where(found["reason"] == reason, 0)
        definitions[reason] = dataclasses.replace(
            base, label=dataset.label("reason", reason), unit="deficiency", judged=False,
            counted_by=Tally("findings", f"reason_{i}", "n"),
        )  # fmt: skip
    sums = ["n", *(f"reason_{i}" for i in range(len(reasons)))]
    counted = found.groupby(keys, dropna=False, as_index=False)[sums].sum()
    return compare_family(dataset, "reason", definitions, counted, selection)


def _tables(answers: pd.DataFrame, ids: list[str]) -> NDArray[np.int64]:
    """2×2 tables by criterion and stratum: rows virtual and in person, columns deficient and met."""
    count = int(answers["stratum"].max()) + 1 if len(answers) else 1
    out = np.zeros((len(ids), count, 2, 2), np.int64)
    place = {c: i for i, c in enumerate(ids)}
    where = (
        answers["criterion_id"].map(place).to_numpy(np.int64),
        answers["stratum"].to_numpy(np.int64),
        1 - answers["arm"].to_numpy(np.int64),
    )
    np.add.at(out, (*where, 0), answers["deficient"].to_numpy())
    np.add.at(out, (*where, 1), (answers["assessed"] - answers["deficient"]).to_numpy())
    return out


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
    errors = [row.interval.half_width / norm.ppf(0.975) for row in tested if row.interval]
    rates = [sum(row.counts.values()) / sum(row.totals.values()) for row in tested]
    reach = norm.isf(LEVEL / len(tested) / 2) + norm.ppf(POWER)
    return float(np.median(errors) * reach), float(np.median(rates))


def _seen_in_areas(dataset: Dataset, ways: list[str], selection: Selection) -> pd.DataFrame:
    """Sums by way of seeing within the focus areas chosen, in the columns a tally adds up.

    Second moments are those of single criteria, because no column holds them by area: where errors by validation
    would be wider than those by specialist, these are not.
    """
    by = ["mode", "month", *ADJUSTMENT_COLUMNS, "specialist"]
    counted = class_counts(dataset, ("seen_by",), by, selection, via="rows")
    out = counts(dataset, "validations", by, selection, via="rows")
    for how in ways:
        mine = counted[counted["seen_by"] == how]
        y, d = f"n_deficient_{how}", f"n_assessed_{how}"
        named = mine.rename(columns={"deficient": y, "assessed": d})[[*by, y, d]]
        out = out.merge(named, on=by, how="left").fillna({y: 0, d: 0})
        out = out.assign(**{f"{y}*{y}": out[y], f"{d}*{d}": out[d], f"{y}*{d}": out[y]})
    return out.assign(quarter=out["month"] // 3)


def _contrast(counted: pd.DataFrame) -> Estimate | None:
    """Physical over document ratio of the two rate ratios; error by leaving out one specialist at a time."""
    needed = [f"n_{what}_{how}" for how in ("physical", CONTROL) for what in ("deficient", "assessed")]
    if not set(needed) <= set(counted.columns):
        return None
    window = comparison_window(counted)
    rows = window.rows[window.rows["specialist"] >= 0]
    specialist, names = pd.factorize(rows["specialist"])
    size = len(names)
    if size < MIN_SPECIALISTS:
        return None
    # Axes: specialist, stratum, arm (virtual first), way of seeing and deficient or assessed.
    sums = np.zeros((size, int(rows["stratum"].max()) + 1, 2, len(needed)))
    np.add.at(
        sums,
        (specialist, rows["stratum"].to_numpy(), 1 - rows["arm"].to_numpy()),
        rows[needed].to_numpy(float),
    )
    whole = float(_log_ratio_of_ratios(sums.sum(axis=0)))
    each = _log_ratio_of_ratios(sums.sum(axis=0) - sums)
    if not np.isfinite([whole, *each]).all():
        return None
    error = math.sqrt((size - 1) / size * float(((each - each.mean()) ** 2).sum()))
    reach = float(t.ppf(0.975, size - 1)) * error
    p = 2 * float(t.sf(abs(whole) / error, size - 1)) if error > 0 else None
    bounds = Interval(math.exp(whole - reach), math.exp(whole + reach), 0.95, "jackknife by specialist")
    settings = {"adjusted_for": window.strata, "clustered_by": "specialist_id", "clusters": size}
    return Estimate(
        "mantel_haenszel", "ratio", "comparison_window", math.exp(whole), bounds, p,
        int(window.rows["n"].sum()), "ok", (), settings,
    )  # fmt: skip


def _log_ratio_of_ratios(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Difference of two logarithms of Mantel–Haenszel's rate ratio; the last axes are stratum, arm and counts."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = []
        for y, d in ((0, 1), (2, 3)):
            total = sums[..., 0, d] + sums[..., 1, d]
            virtual = np.nan_to_num(sums[..., 0, y] * sums[..., 1, d] / total).sum(axis=-1)
            in_person = np.nan_to_num(sums[..., 1, y] * sums[..., 0, d] / total).sum(axis=-1)
            ratios.append(np.log(virtual / in_person))
        return np.asarray(ratios[0] - ratios[1])
