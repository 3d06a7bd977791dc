"""Models of patterns with their clusters beside them, against the same observations as one row per pattern and cluster."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analysis.errors import AnalysisError
from analysis.stats.clusters import clusters_of, gathered
from analysis.stats.g_computation import g_computation
from analysis.stats.two_risks import Standardised
from analysis.stats.weighting import aipw, overlap_weighting_augmented

PATTERNS = np.array([(a, x, z) for a in (1, 0) for x in (0, 1) for z in (0, 1, 2)])
COVARIATES = np.column_stack([PATTERNS[:, 1], PATTERNS[:, 2] == 1, PATTERNS[:, 2] == 2]).astype(float)


def observed(clusters: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pattern, cluster, events and totals of rows; some patterns nobody of a cluster has."""
    draw = np.random.default_rng(clusters)
    pattern, cluster = (v.ravel() for v in np.meshgrid(np.arange(len(PATTERNS)), np.arange(clusters)))
    n = draw.integers(0, 30, pattern.size)
    risk = (
        0.2
        + 0.1 * PATTERNS[pattern, 0]
        + 0.1 * PATTERNS[pattern, 1]
        + draw.normal(0, 0.03, clusters)[cluster]
    )
    return pattern, cluster, draw.binomial(n, risk), n


@pytest.mark.parametrize("clusters", [3, 12, 60])
@pytest.mark.parametrize("ask", [g_computation, aipw, overlap_weighting_augmented])
def test_patterns_that_clusters_share_are_the_rows_of_each(
    clusters: int, ask: Callable[..., Standardised]
) -> None:
    pattern, cluster, y, n = observed(clusters)
    of_rows = ask(PATTERNS[pattern, 0], COVARIATES[pattern], y, n, cluster=cluster)
    who = gathered(cluster, pattern, y, n, len(PATTERNS))
    sums = [np.bincount(pattern, of, len(PATTERNS)) for of in (y, n)]
    of_patterns = ask(PATTERNS[:, 0], COVARIATES, *sums, cluster=who)
    assert numbers(of_patterns) == pytest.approx(numbers(of_rows), rel=1e-9, nan_ok=True)
    assert of_patterns.difference.clusters == clusters
    assert of_patterns.difference.reasons == of_rows.difference.reasons
    assert (of_patterns.difference.interval is None) == (clusters == 3)


def numbers(found: Standardised) -> list[float]:
    effects = [value for one in (found.difference, found.ratio) for value in (one.estimate, one.se, one.df)]
    return [np.nan if value is None else value for value in (found.risk_1, found.risk_0, *effects)]


def test_some_of_the_patterns_are_the_clusters_of_their_rows() -> None:
    pattern, cluster, y, n = observed(12)
    kept = PATTERNS[:, 2] < 2
    rows = kept[pattern]
    some = gathered(cluster, pattern, y, n, len(PATTERNS)).of(kept)
    place = (np.cumsum(kept) - 1)[pattern[rows]]
    assert some.sums(np.ones((kept.sum(), 1)), place_of(kept)).ravel() == pytest.approx(
        np.bincount(cluster[rows], y[rows] + n[rows] * place)
    )


def place_of(kept: np.ndarray) -> np.ndarray:
    return np.arange(kept.sum(), dtype=float)[:, None]


def test_clusters_of_other_counts_are_refused() -> None:
    who = clusters_of([0, 1], [1, 2], [5, 5])
    with pytest.raises(AnalysisError, match="no more or less"):
        clusters_of(who, [1, 2], [5, 6])
