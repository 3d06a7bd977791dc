"""The same member before and after: in person, then virtual, against in person twice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.counts import counts
from analysis.metrics import Metric, Tally
from analysis.questions.smallness import MIN_PER_ARM, SMALL_ARM
from analysis.questions.window import Window, varying
from analysis.results import Estimate, Status
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.selection import Selection
from analysis.stats.linearised import cluster_reasons
from analysis.stats.pooled import Basis, Pooled, pooled

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

METHOD = "difference in differences of pairs"
_NO_ERROR = 1e-12


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
    by = ["mode", "previous_mode", "quarter", "risk", "location", "specialist", "previous_validation_row"]
    rows = counts(dataset, "validations", by, selection, sums=["n", now, before], via="rows")
    quarters = set(window.rows["quarter"])
    rows = rows[
        (rows["previous_mode"] == "in_person")
        & rows["mode"].isin(["virtual", "in_person"])
        & rows["quarter"].isin(quarters)
    ]
    first = counts(dataset, "validations", ["validation_row", "kind"], sums=["n"], via="rows")
    kinds = dict(zip(first["validation_row"], first["kind"], strict=True))
    strata = pd.DataFrame({c: rows[c] for c in ADJUSTMENT_COLUMNS if c in rows})
    strata["first"] = rows["previous_validation_row"].map(kinds)
    adjusted_for = tuple("kind" if c == "first" else c for c in varying(strata, tuple(strata)))
    strata = strata.astype("object").where(strata.notna(), "")
    specialist = rows["specialist"].to_numpy(np.int64)
    change = rows[now].to_numpy(np.int64) - rows[before].to_numpy(np.int64)
    pairs = pd.DataFrame(
        {
            "n": rows["n"].to_numpy(np.int64), "change": change,
            "arm": (rows["mode"] == "virtual").to_numpy(np.int64),
            "stratum": pd.MultiIndex.from_frame(strata).factorize()[0] if len(rows) else np.zeros(0, np.int64),
            "cluster": np.where(specialist >= 0, specialist, -1 - np.arange(len(rows))),
        }
    )  # fmt: skip
    return pairs, adjusted_for, bool((specialist >= 0).any())


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
    fewest = min(np.unique(codes[arm[kept] == a]).size for a in (1, 0))
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
