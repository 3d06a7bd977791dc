"""Statistics from counts are those of one row per validation, as scipy and statsmodels compute them, to 1e-8."""

from __future__ import annotations

import numpy as np
import pandas as pd
import statsmodels.genmod.families as families
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.genmod.generalized_linear_model import GLM

from analysis.stats.clustered_logit import cluster_logit
from analysis.stats.durations import quantile_from_counts
from analysis.stats.logit import logit
from analysis.stats.rank_tests import brunner_munzel, mann_whitney

EXACT = 1e-8


def rows_of(seed: int, size: int, specialists: int) -> pd.DataFrame:
    """One row per validation: arm, two covariates, specialist, event."""
    rng = np.random.default_rng(seed)
    specialist = rng.integers(0, specialists, size)
    habit = rng.normal(0, 0.6, specialists)[specialist]
    risk, foreign = rng.integers(0, 3, size), rng.integers(0, 2, size)
    arm = rng.random(size) < 1 / (1 + np.exp(-0.3 + 0.5 * risk))
    chance = 1 / (1 + np.exp(0.4 - 0.5 * risk + 0.3 * foreign + 0.2 * arm - habit))
    event = rng.random(size) < chance
    return pd.DataFrame(
        {"one": 1.0, "arm": arm.astype(float), "medium": (risk == 1).astype(float), "high": (risk == 2).astype(float),
         "foreign": foreign.astype(float), "specialist": specialist, "event": event.astype(float)}
    )  # fmt: skip


X = ["one", "arm", "medium", "high", "foreign"]


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(150, 900))
def test_a_logistic_model(seed: int, size: int) -> None:
    rows = rows_of(seed, size, 45)
    grouped = rows.groupby(X, as_index=False).agg(events=("event", "sum"), n=("event", "size"))
    found = logit(grouped[X], grouped["events"], grouped["n"])
    assume(not found.reasons)
    row_level = GLM(rows["event"], rows[X], family=families.Binomial()).fit(tol=1e-14, maxiter=100)
    np.testing.assert_allclose(found.coef, row_level.params, rtol=0, atol=EXACT)
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), row_level.bse, rtol=0, atol=EXACT)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(250, 900), st.integers(40, 60))
def test_its_errors_by_specialist(seed: int, size: int, specialists: int) -> None:
    rows = rows_of(seed, size, specialists)
    keys = [*X, "specialist"]
    grouped = rows.groupby(keys, as_index=False).agg(events=("event", "sum"), n=("event", "size"))
    found = cluster_logit(grouped[X], grouped["events"], grouped["n"], grouped["specialist"])
    assume(not np.isnan(found.se).any())
    model = GLM(rows["event"], rows[X], family=families.Binomial())
    # The library's correction counts rows; the one for clusters alone is the same from counts and rows.
    row_level = model.fit(
        tol=1e-14,
        maxiter=100,
        cov_type="cluster",
        cov_kwds={"groups": rows["specialist"], "use_correction": False},
    )
    clusters = rows["specialist"].nunique()
    expected = row_level.bse * np.sqrt(clusters / (clusters - 1))
    np.testing.assert_allclose(found.se, expected, rtol=0, atol=EXACT)


values = st.lists(st.integers(1, 60), min_size=6, max_size=150)


@given(values, values)
def test_ranks(x: list[int], y: list[int]) -> None:
    assume(len({*x, *y}) > 1)
    counted_x, counted_y = (np.unique(v, return_counts=True) for v in (x, y))
    found = mann_whitney(*counted_x, *counted_y)
    expected = stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=False)
    np.testing.assert_allclose(
        [found.statistic, found.p_value], [expected.statistic, expected.pvalue], atol=EXACT
    )


@given(values, values)
def test_the_chance_to_be_larger(x: list[int], y: list[int]) -> None:
    assume(len(set(x)) > 1 and len(set(y)) > 1 and max(min(x), min(y)) <= min(max(x), max(y)))
    counted_x, counted_y = (np.unique(v, return_counts=True) for v in (x, y))
    found = brunner_munzel(*counted_x, *counted_y)
    assume(found.interval is not None)
    a, b = np.array(x), np.array(y)
    larger = (a[:, None] > b).mean() + (a[:, None] == b).mean() / 2
    # scipy asks whether the second sample tends to be larger, which leaves a two-sided p-value alone.
    expected = stats.brunnermunzel(x, y)
    np.testing.assert_allclose([found.estimate, found.p_value], [larger, expected.pvalue], atol=EXACT)


@given(values, st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_quantiles(x: list[int], q: list[float]) -> None:
    counted = np.unique(x, return_counts=True)
    np.testing.assert_allclose(quantile_from_counts(*counted, q), np.quantile(x, q), rtol=0, atol=EXACT)
