"""Who observed what: sums by cluster of whatever is linear in the events and the observations of a pattern.

Models look at patterns, the distinct rows of their design; clusters (specialists) come in only through sums. With a
pattern's contribution per event and per observation, the sums of all clusters are two sparse products, so nothing
has to be written down once per pattern and cluster but its two counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats
from analysis.stats.pooled import Codes, coded


@dataclass(frozen=True, slots=True)
class Clusters:
    """Events and observations by cluster and pattern: one entry for each pair with observations.

    `cluster` (codes from 0, ascending), `pattern` (places among the patterns), `events` and `n` have shape
    (entries,); `number` counts clusters, `patterns` the patterns.
    """

    cluster: Codes
    pattern: Codes
    events: Floats
    n: Floats
    number: int
    patterns: int

    def sums(self, per_event: Floats, per_observation: Floats) -> Floats:
        """``Σ events · per_event + n · per_observation`` over the patterns of each cluster.

        Parameters
        ----------
        per_event, per_observation : ndarray, shape (patterns, k)

        Returns
        -------
        ndarray, shape (number, k)

        Examples
        --------
        >>> who = clusters_of([7, 3, 7], [1, 2, 3], [5, 5, 5])
        >>> who.sums(np.array([[1.0], [1], [1]]), np.array([[0.0], [0], [10]])).ravel().tolist()
        [2.0, 54.0]
        """
        return np.asarray(self._matrix(self.events) @ per_event + self._matrix(self.n) @ per_observation)

    def within(self, patterns: NDArray[np.bool_]) -> int:
        """How many clusters have observations in some of the patterns."""
        seen = np.zeros(self.number, bool)
        seen[self.cluster[patterns[self.pattern]]] = True
        return int(seen.sum())

    def of(self, kept: NDArray[np.bool_]) -> Clusters:
        """The same observations of some of the patterns only, patterns and clusters numbered anew."""
        if kept.all():
            return self
        there = kept[self.pattern]
        codes, number = coded(self.cluster[there], int(there.sum()), "cluster")
        place = (np.cumsum(kept) - 1)[self.pattern[there]]
        return Clusters(codes, place, self.events[there], self.n[there], number, int(kept.sum()))

    def entries(self) -> list[slice]:
        """Where each cluster's entries stand."""
        ends = np.searchsorted(self.cluster, np.arange(self.number + 1))
        return [slice(int(a), int(b)) for a, b in pairwise(ends)]

    def _matrix(self, values: Floats) -> Any:
        places = (self.cluster, self.pattern)
        return sparse.csr_array((values, places), shape=(self.number, self.patterns))


def clusters_of(cluster: ArrayLike | Clusters, events: ArrayLike, n: ArrayLike) -> Clusters:
    """Clusters of patterns with `events` of `n` observations: one code per pattern, or what is known already.

    Patterns without observations have no cluster.

    Raises
    ------
    AnalysisError
        When there is not one code per pattern, a code is missing, or given clusters hold other counts.
    """
    y, total = np.asarray(events, float), np.asarray(n, float)
    if isinstance(cluster, Clusters):
        held = [np.bincount(cluster.pattern, v, total.size) for v in (cluster.events, cluster.n)]
        if cluster.patterns != total.size or (held[0] != y).any() or (held[1] != total).any():
            raise AnalysisError(
                "clusters must hold the events and observations of the patterns, no more or less."
            )
        return cluster
    codes = coded(cluster, total.size, "cluster")[0]
    seen = np.flatnonzero(total > 0)
    codes, number = coded(codes[seen], seen.size, "cluster")
    order = np.argsort(codes, kind="stable")
    place = seen[order]
    return Clusters(codes[order], place, y[place], total[place], number, total.size)


def gathered(cluster: Codes, pattern: Codes, events: ArrayLike, n: ArrayLike, patterns: int) -> Clusters:
    """Rows that name their cluster and their pattern, added up; those without observations count for nothing."""
    y, total = np.asarray(events, float), np.asarray(n, float)
    seen = total > 0
    codes, number = coded(cluster[seen], int(seen.sum()), "cluster")
    keys, entry = np.unique(codes * patterns + pattern[seen], return_inverse=True)
    sums = [np.asarray(np.bincount(entry, values[seen], keys.size), float) for values in (y, total)]
    return Clusters(keys // patterns, keys % patterns, sums[0], sums[1], number, patterns)
