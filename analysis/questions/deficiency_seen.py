"""What is written down by mode, by how a criterion is seen: in documents, in interviews, on site.

Like for like: quarters in which both modes were in use, stratified by risk, kind and location.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from analysis.counts import counts
from analysis.criteria_counts import class_counts
from analysis.metrics import Tally, metric
from analysis.questions.comparison import compare_family
from analysis.questions.counted_windows import window_of
from analysis.questions.deficiency_records import no_rate_reason
from analysis.questions.window import Window, comparison_window, in_shared_strata
from analysis.results import Estimate, Family, Interval
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.selection import Selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

MIN_SPECIALISTS = 5
CONTROL = "document"
"""Criteria that a camera shows as well as a visit: shown as a negative control, never used to correct others."""


@dataclass(frozen=True, slots=True)
class WaysOfSeeing:
    """Rates by how a criterion is seen, virtual over in person, and `contrast`: physical over document ratio.

    `sums` are deficient and assessed criteria of both modes (virtual first) in the strata the ratios rest on, `n`
    the validations in them.
    """

    family: Family
    contrast: Estimate | None
    caveats: tuple[str, ...] = ()
    n: int = 0
    sums: Mapping[str, tuple[int, int, int, int]] = field(default_factory=dict)


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
        window = comparison_window(counted)
    else:
        window = window_of(dataset, list(definitions.values()), without, modelled=False)
    family = compare_family(dataset, "seen_by", definitions, window, without)
    rows = in_shared_strata(window.rows)
    sums = {how: _sums(rows, how) for how in definitions}
    return WaysOfSeeing(family, _contrast(window), caveats, int(rows["n"].sum()), sums)


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


def _sums(rows: pd.DataFrame, how: str) -> tuple[int, int, int, int]:
    columns = [f"n_deficient_{how}", f"n_assessed_{how}"]
    (y1, d1), (y0, d0) = (rows.loc[rows["arm"] == arm, columns].sum() for arm in (1, 0))
    return int(y1), int(d1), int(y0), int(d0)


def _contrast(window: Window) -> Estimate | None:
    """Physical over document ratio of the two rate ratios; error by leaving out one specialist at a time."""
    needed = [f"n_{what}_{how}" for how in ("physical", CONTROL) for what in ("deficient", "assessed")]
    if not set(needed) <= set(window.counted.columns):
        return None
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
    reach = float(stdtrit(size - 1, 0.975)) * error
    p = 2 * float(stdtr(size - 1, -abs(whole) / error)) if error > 0 else None
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
