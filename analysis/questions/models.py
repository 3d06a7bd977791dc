"""Proportions and rates by models: standardised, overlap-weighted, doubly robust, and inverse-probability weighted.

All use the same columns and the same rows (quarters in which both modes were in use), with errors clustered by
specialist. Rates are modelled criterion by criterion: y deficient of d assessed are d observations that share
their specialist, so that the mix is one of criteria and the contrast is of ratios of sums.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

import numpy as np

from analysis.metrics import Metric
from analysis.questions.arms import Arms
from analysis.questions.designs import REFUSED, Design, design_of
from analysis.questions.smallness import MIN_PER_ARM, adjusted_for
from analysis.questions.tallies import effective_sizes, smallness_of
from analysis.questions.window import in_shared_strata
from analysis.results import Arm, Estimate, Measure, Status, finite_or_none
from analysis.stats.bounds import Floats
from analysis.stats.estimating import Way
from analysis.stats.estimating import weighted as several_ways
from analysis.stats.g_computation import g_computation
from analysis.stats.pooled import Pooled
from analysis.stats.two_risks import Standardised

Method = Literal["standardised", "overlap_weighted", "doubly_robust", "aipw"]

POPULATIONS: dict[str, str] = {
    "standardised": "comparison_window",
    "overlap_weighted": "overlap",
    "doubly_robust": "overlap",
    "aipw": "propensity_05_95",
}
"""Whom each method speaks of."""

TRIM = 0.05
"""Estimated propensities below this, or above its complement, are left out of inverse-probability weighting."""
ENOUGH_EFFECTIVE = 0.5
ENOUGH_DEGREES = 4.0
"""Below this Satterthwaite's degrees of freedom are themselves too rough to rely on."""
_WAYS: dict[Method, Way] = {
    "overlap_weighted": Way("overlap", False),
    "doubly_robust": Way("overlap", True),
    "aipw": Way("everyone", True, TRIM),
}
_BOTH: tuple[Measure, ...] = ("difference", "ratio")


def standardised(
    metric: Metric, arms: Arms, names: Mapping[str, str], strata: tuple[str, ...]
) -> tuple[list[Estimate], dict[str, Arm]]:
    """Difference and ratio by g-computation, and both arms on the common mix.

    The mix is that of all validations of both modes in the comparison window (for rates, of their criteria).

    Parameters
    ----------
    metric : Metric
    arms : Arms
        Rows of the comparison window.
    names : mapping
        Mode → its name.
    strata : tuple of str
        Which of risk, kind and location are recorded.
    """
    design, reasons = _prepared(metric, arms)
    if design is None:
        return _refused(metric, arms, "standardised", reasons), {}
    found = g_computation(design.arm, design.covariates, design.events, design.n, cluster=design.cluster)
    rows = _estimates(metric, arms, "standardised", found, design, strata)
    if rows[0].interval is None:
        return rows, {}
    risks = {"virtual": (found.risk_1, found.interval_1, 1), "in_person": (found.risk_0, found.interval_0, 0)}
    return rows, {
        mode: Arm(mode, names[mode], int(design.n[design.arm == arm].sum()), None, risk, interval)
        for mode, (risk, interval, arm) in risks.items()
    }


def weighted(metric: Metric, arms: Arms, strata: tuple[str, ...]) -> list[Estimate]:
    """Overlap weighting alone and augmented, and inverse-probability weighting augmented and trimmed.

    Rows of a value that one of the modes does not have get no weight: they are left out before the propensity
    is modelled, and counted as trimmed.
    """
    design, reasons = _prepared(metric, arms)
    if design is None:
        return [row for method in _WAYS for row in _refused(metric, arms, method, reasons)]
    shared = _shared(design)
    found = several_ways(
        list(_WAYS.values()),
        shared.arm,
        shared.covariates,
        shared.events,
        shared.n,
        outcome_covariates=_seen_in_both(shared),
        cluster=shared.cluster,
        level=0.95,
    )
    answers = zip(_WAYS, found, strict=True)
    return [row for method, one in answers for row in _estimates(metric, arms, method, one, design, strata)]


def _prepared(metric: Metric, arms: Arms) -> tuple[Design | None, tuple[str, ...]]:
    """What to model, or why nothing is: where numbers are too small for a verdict, a model would only look better."""
    if not arms.validations(1) or not arms.validations(0):
        return None, ("no_comparison_window",)
    if (arms.rows["y"] > arms.rows["d"]).any():
        return None, ("more_events_than_chances",)
    if in_shared_strata(arms.rows).empty:
        return None, ("no_counterpart",)
    small, too_small = smallness_of(metric, arms)
    if too_small:
        return None, small
    design = design_of(arms.rows, clustered=arms.clustered)
    return (None, design.reasons) if set(design.reasons) & set(REFUSED) else (design, ())


def _shared(design: Design) -> Design:
    """The design without the patterns of a level that only one of the modes has."""
    kept = ~design.alone
    return dataclasses.replace(
        design,
        arm=design.arm[kept],
        covariates=design.covariates[kept],
        events=design.events[kept],
        n=design.n[kept],
        cluster=None if design.cluster is None else design.cluster.of(kept),
        alone=design.alone[kept],
    )


def _seen_in_both(design: Design) -> Floats:
    """Columns for the outcome models, one of each mode: of values with events, and without, in both.

    Any other would run off to infinity in one of the models; the propensity adjusts for it all the same. One of
    either is not enough, since it may be trimmed.
    """
    seen = [
        design.covariates[design.arm == arm].T @ count[design.arm == arm] > 1
        for arm in (1, 0)
        for count in (design.events, design.n - design.events)
    ]
    return np.asarray(design.covariates[:, np.logical_and.reduce(seen)])


def _refused(metric: Metric, arms: Arms, method: Method, reasons: tuple[str, ...]) -> list[Estimate]:
    n = int(arms.rows["d"].sum())
    small, too_small = smallness_of(metric, arms)
    # What forbids a verdict is said first.
    caveats = tuple(dict.fromkeys([*small, *reasons] if too_small else [*reasons, *small]))
    return [
        Estimate(method, measure, POPULATIONS[method], None, None, None, n, "not_estimable", caveats)
        for measure in _BOTH
    ]


def _estimates(
    metric: Metric, arms: Arms, method: Method, found: Standardised, design: Design, strata: tuple[str, ...]
) -> list[Estimate]:
    small, _ = smallness_of(metric, arms)
    too_small = effective_sizes(in_shared_strata(arms.rows)) < MIN_PER_ARM
    if too_small:
        small = (*small, "thin_overlap")
    whole = int(design.n.sum())
    n_trimmed = whole - found.n
    settings: dict[str, object] = {
        "adjusted_for": design.columns,
        "clustered_by": "specialist_id" if design.cluster is not None else "validation_id",
        "clusters": found.difference.clusters,
        "correction": found.correction,
        "n_trimmed": n_trimmed,
        "effective_virtual": found.effective_1,
        "effective_in_person": found.effective_0,
    }
    reasons = [*design.reasons, *adjusted_for(strata)]
    if n_trimmed:
        reasons.append("trimmed")
    if design.cluster is None:
        reasons.append("clusters_unknown")
    if _thin(design, found):
        reasons.append("few_effective")
    out = []
    for measure, effect in zip(_BOTH, (found.difference, found.ratio), strict=True):
        out.append(_row(method, measure, effect, found, found.n, (*small, *reasons), too_small, settings))
    return out


def _row(
    method: Method,
    measure: Measure,
    effect: Pooled,
    found: Standardised,
    n: int,
    reasons: tuple[str, ...],
    too_small: bool,
    settings: Mapping[str, object],
) -> Estimate:
    own = [
        "model_needs_clusters" if code == "too_few_clusters" else code
        for code in (*effect.reasons, *found.reasons)
    ]
    if effect.df is not None and effect.df < ENOUGH_DEGREES:
        own.append("few_degrees")
    # Where there is no interval, what kept it from existing is said first.
    order = [*own, *reasons] if effect.interval is None and not too_small else [*reasons, *own]
    status: Status = "not_estimable" if effect.interval is None else "too_small" if too_small else "ok"
    return Estimate(
        method, measure, POPULATIONS[method], effect.estimate, effect.interval, effect.p_value, n, status,
        tuple(dict.fromkeys(order)), {**settings, "df": finite_or_none(effect.df)},
    )  # fmt: skip


def _thin(design: Design, found: Standardised) -> bool:
    """Whether weighting leaves less than half of an arm's precision."""
    sizes = [(found.effective_1, 1), (found.effective_0, 0)]
    return any(
        worth is not None and worth < ENOUGH_EFFECTIVE * float(np.sum(design.n[design.arm == arm]))
        for worth, arm in sizes
    )
