"""Logistic models on counts: against the library, and where no model exists."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.errors import AnalysisError
from analysis.stats.clustered_logit import cluster_logit, cr2_logit
from analysis.stats.logit import firth_logit, logit

RNG = np.random.default_rng(21)
ROWS = 400
CLUSTER = RNG.integers(0, 45, ROWS)
DESIGN = np.column_stack([np.ones(ROWS), RNG.integers(0, 2, ROWS), RNG.integers(0, 3, ROWS)]).astype(float)
OUTCOME = (RNG.random(ROWS) < 1 / (1 + np.exp(1 - DESIGN[:, 1] + RNG.normal(0, 0.5, 45)[CLUSTER]))).astype(
    float
)


def counted() -> tuple:
    keys, place = np.unique(np.column_stack([DESIGN, CLUSTER]), axis=0, return_inverse=True)
    place = place.ravel()
    events, n = np.bincount(place, OUTCOME), np.bincount(place)
    return keys[:, :-1], events, n, keys[:, -1].astype(int)


def test_counts_are_rows() -> None:
    theirs = sm.GLM(OUTCOME, DESIGN, family=sm.families.Binomial()).fit()
    robust = sm.GLM(OUTCOME, DESIGN, family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": CLUSTER, "use_correction": False}
    )
    x, events, n, cluster = counted()
    for got in (logit(DESIGN, OUTCOME, np.ones(ROWS)), logit(x, events, n)):
        assert got.coef == pytest.approx(theirs.params, rel=1e-7)
        assert got.se == pytest.approx(theirs.bse, rel=1e-6)
    number = np.unique(CLUSTER).size
    for got in (cluster_logit(DESIGN, OUTCOME, np.ones(ROWS), CLUSTER), cluster_logit(x, events, n, cluster)):
        assert got.se == pytest.approx(robust.bse * np.sqrt(number / (number - 1)), rel=1e-6)
        assert (got.clusters, got.df[0]) == (number, number - 1)
    rows, cells = cr2_logit(DESIGN, OUTCOME, np.ones(ROWS), CLUSTER), cr2_logit(x, events, n, cluster)
    assert rows.se == pytest.approx(cells.se, rel=1e-9)
    assert rows.df == pytest.approx(cells.df, rel=1e-9)
    # With many clusters the correction is slight, and never below the plain error here.
    assert rows.se == pytest.approx(robust.bse, rel=0.1)
    assert (rows.df < number).all()


def test_rows_without_observations_are_only_predicted() -> None:
    x, events, n, cluster = counted()
    more = np.vstack([x, [[1, 1, 9]]])
    got = logit(more, np.append(events, 0), np.append(n, 0))
    assert got.coef == pytest.approx(logit(x, events, n).coef)
    assert 0 < got.probability[-1] < 1
    with_empty = cluster_logit(more, np.append(events, 0), np.append(n, 0), np.append(cluster, 99))
    assert with_empty.clusters == cluster_logit(x, events, n, cluster).clusters


@pytest.mark.parametrize(
    ("events", "n", "reason"),
    [
        ([0, 10], [10, 10], "separated"),
        ([7, 10], [10, 10], "separated"),
        ([0, 0], [10, 10], "separated"),
        ([0, 10**6], [10**6, 10**6], "separated"),
        ([0, 0], [0, 0], "zero_denominator"),
        ([3, 0], [10, 0], "collinear"),
    ],
)
def test_where_no_model_exists(events, n, reason) -> None:
    fit = logit([[1, 0], [1, 1]], events, n)
    assert fit.reasons == (reason,)
    assert np.isnan(fit.coef).all()
    assert cluster_logit([[1, 0], [1, 1]], events, n, [0, 1]).reasons == (reason,)
    if reason == "separated":
        penalised = firth_logit([[1, 0], [1, 1]], events, n)
        odds = np.log((np.array(events) + 0.5) / (np.array(n) - events + 0.5))
        assert penalised.coef == pytest.approx([odds[0], odds[1] - odds[0]])
        assert np.isfinite(penalised.se).all()
    else:
        assert firth_logit([[1, 0], [1, 1]], events, n).reasons == (reason,)


def test_rare_but_known_is_not_separated() -> None:
    fit = logit([[1, 0], [1, 1]], [30, 10], [10**9, 10**4])
    assert fit.reasons == ()
    assert fit.coef[0] == pytest.approx(np.log(30 / (10**9 - 30)))


def test_firth_solves_its_score_equation() -> None:
    x, events, n, _ = counted()
    fit = firth_logit(x, events, n)
    weight = n * fit.probability * (1 - fit.probability)
    leverage = weight * np.einsum("ij,jk,ik->i", x, fit.covariance, x)
    assert x.T @ (events - n * fit.probability + leverage * (0.5 - fit.probability)) == pytest.approx(
        0, abs=1e-7
    )
    assert np.abs(fit.coef[1:]).sum() < np.abs(logit(x, events, n).coef[1:]).sum()


def test_few_clusters_refuse_or_warn() -> None:
    x, events, n, cluster = counted()
    for fit in (cluster_logit(x, events, n, cluster % 4), cr2_logit(x, events, n, cluster % 4)):
        assert fit.reasons == ("too_few_clusters",)
        assert np.isnan(fit.se).all()
        assert np.isfinite(fit.coef).all()
    told = cr2_logit(x, events, n, cluster % 4, min_clusters=2)
    assert np.isfinite(told.se).all()
    assert told.reasons == ("too_few_clusters",)
    assert cr2_logit(x, events, n, cluster % 10).reasons == ("few_clusters",)


def test_a_cluster_that_alone_knows_an_effect_is_left_out_of_it() -> None:
    x, events, n, cluster = counted()
    alone = np.column_stack([x, cluster == 3])
    fit = cr2_logit(alone, events, n, cluster % 12)
    assert np.isfinite(fit.se).all()


@pytest.mark.parametrize("design", [[[1, np.nan], [1, 1]], [[1, 0]], [1, 1]])
def test_impossible_designs_are_refused(design) -> None:
    with pytest.raises(AnalysisError, match="design"):
        logit(design, [1, 2], [5, 5])
