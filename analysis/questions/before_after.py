"""The same member before and after: in person, then virtual, against in person twice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.coding import coded_values, numbered
from analysis.counts import counts
from analysis.metrics import Metric, Tally
from analysis.questions.smallness import MIN_PER_ARM, SMALL_ARM
from analysis.questions.window import MODES, Window, varying
from analysis.results import Estimate, Status
from analysis.selection import Selection
from analysis.stats.linearised import cluster_reasons
from analysis.stats.pooled import Basis, Pooled, distinct, pooled

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

METHOD = "difference in differences of pairs"
_NO_ERROR = 1e-12
_STRATA = {"risk": "risk", "location": "location", "kind": "previous_kind"}
"""What pairs are stratified by, and the column of a pair that holds it."""


def paired(dataset: Dataset, metric: Metric, selection: Selection, window: Window) -> Estimate:
    """Change from an in-person to a virtual validation of the same member, less the change without one.

    Pairs are a member's validation in the comparison window and the one before it, which was in person. How much
    more often the second has the event than the first mixes the mode with what time and correction do; pairs of
    two in-person validations have only the latter, so their change is taken off, stratum by stratum (risk,
    location, kind of the first validation), weighted by the virtual pairs. Errors are clustered by the
    specialist of the second validation.

    Parameters
    ----------
    dataset : Dataset
    metric : Metric
        Only ``any_deficiency`` and ``any_must_deficiency`` are recorded for the earlier validation.
    selection : Selection
    window : Window
        Its quarters are those of the second validation.
    """
    tally = metric.counted_by
    known = ("any_deficiency", "any_must_deficiency")
    if not isinstance(tally, Tally) or metric.kind != "proportion" or tally.numerator not in known:
        return _absent(0, ("column_absent",))
    if selection.focus_areas:
        return _absent(0, ("focus_area_ignored",))
    pairs, adjusted_for, specialists = _pairs(dataset, tally, selection, window)
    virtual = int(pairs.loc[pairs["arm"] == 1, "n"].sum())
    control = int(pairs.loc[pairs["arm"] == 0, "n"].sum())
    if not virtual or not control:
        return _absent(virtual + control, ("no_pairs",))
    found = _contrast(pairs)
    small = min(virtual, control)
    reasons: tuple[str, ...] = (
        ("too_few_pairs",) if small < MIN_PER_ARM else ("small_numbers",) if small < SMALL_ARM else ()
    )
    reasons += () if specialists else ("clusters_unknown",)
    status: Status = (
        "not_estimable" if found.interval is None else "too_small" if small < MIN_PER_ARM else "ok"
    )
    return Estimate(
        "paired", "difference", "pairs", found.estimate, found.interval, found.p_value, found.n, status,
        tuple(dict.fromkeys([*reasons, *found.reasons])),
        {
            "adjusted_for": adjusted_for, "clustered_by": "specialist_id" if specialists else "validation_id",
            "clusters": found.clusters if specialists else None, "correction": "CR1", "df": found.df,
            "pairs_virtual": virtual, "pairs_in_person": control, "strata": found.strata_used,
        },
    )  # fmt: skip


def _absent(n: int, reasons: tuple[str, ...]) -> Estimate:
    return Estimate("paired", "difference", "pairs", None, None, None, n, "not_estimable", reasons)


def _pairs(
    dataset: Dataset, tally: Tally, selection: Selection, window: Window
) -> tuple[pd.DataFrame, tuple[str, ...], bool]:
    """Changes of pairs whose first validation was in person, what they are stratified by, whether specialists are known."""
    now, before = tally.numerator, f"previous_{tally.numerator}"
    by = ["mode", "risk", "location", "previous_kind", "specialist", now, before]
    modes = {mode: dataset.code("mode", mode) for mode in MODES if mode in dataset.vocabulary("mode")}
    only = {
        "mode": list(modes.values()),
        "previous_mode": [code for mode, code in modes.items() if mode == "in_person"],
        "quarter": sorted(set(window.rows["quarter"])),
    }
    rows = counts(dataset, "changes", by, selection, via="rows", only=only)
    # A pair without a specialist is a cluster of its own, so it is a row of its own.
    alone = (rows["specialist"] < 0).to_numpy()
    rows = rows.loc[rows.index.repeat(np.where(alone, rows["n"], 1))]
    specialist = rows["specialist"].to_numpy(np.int64)
    n = np.where(specialist < 0, 1, rows["n"].to_numpy(np.int64))
    strata = pd.DataFrame({name: rows[column] for name, column in _STRATA.items()})
    pairs = pd.DataFrame(
        {
            "n": n, "change": n * (rows[now].to_numpy(np.int64) - rows[before].to_numpy(np.int64)),
            "arm": (rows["mode"] == "virtual").to_numpy(np.int64),
            "stratum": numbered([coded_values(strata[name]) for name in strata])[0],
            "cluster": np.where(specialist >= 0, specialist, -1 - np.arange(len(rows))),
        }
    )  # fmt: skip
    return pairs, varying(strata, tuple(strata)), bool((specialist >= 0).any())


def _contrast(pairs: pd.DataFrame) -> Pooled:
    """Difference in differences, weighted by virtual pairs, the weights taken as given."""
    count = int(pairs["stratum"].max()) + 1
    arm, stratum = pairs["arm"].to_numpy(), pairs["stratum"].to_numpy()
    n, change = pairs["n"].to_numpy(float), pairs["change"].to_numpy(float)
    size, total = (
        np.stack([np.bincount(stratum[arm == a], v[arm == a], count) for a in (1, 0)]) for v in (n, change)
    )
    used = (size > 0).all(axis=0)
    if not used.any():
        nothing = Basis(0, round(float(n.sum())), 0, count)
        return pooled(math.nan, math.nan, basis=nothing, level=0.95, method=METHOD, reasons=("no_pairs",))
    weight = np.where(used, size[0], 0.0) / size[0][used].sum()
    mean = np.divide(total, size, out=np.zeros_like(total), where=size > 0)
    estimate = float(weight @ (mean[0] - mean[1]))
    place = 1 - arm
    per_pair = np.divide(weight, size, out=np.zeros_like(size), where=size > 0)
    residual = (change - n * mean[place, stratum]) * per_pair[place, stratum] * np.where(arm == 1, 1.0, -1.0)
    kept = np.asarray(used)[stratum]
    clusters, codes = np.unique(pairs["cluster"].to_numpy()[kept], return_inverse=True)
    sums = np.bincount(codes, residual[kept], clusters.size)
    # The arm with fewer clusters decides: it is known no better than they allow.
    fewest = min(distinct(codes[arm[kept] == a]) for a in (1, 0))
    reasons = cluster_reasons(clusters.size, fewest)
    refused = "too_few_clusters" in reasons
    if refused:
        reasons = ("model_needs_clusters",)
    variance = float(sums @ sums) * clusters.size / max(clusters.size - 1, 1)
    if not refused and math.sqrt(variance) <= _NO_ERROR:
        reasons, refused = (*reasons, "no_variation"), True
    return pooled(
        estimate,
        math.nan if refused else math.sqrt(variance),
        basis=Basis(
            round(float(n[kept].sum())), round(float(n[~kept].sum())), int(used.sum()), int((~used).sum())
        ),
        level=0.95,
        method=METHOD,
        df=None if refused else fewest - 1.0,
        clusters=int(clusters.size),
        reasons=reasons,
        within=(-2.0, 2.0),
    )
