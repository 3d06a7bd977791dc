"""Several ways of asking: against the demo's truth, against one row per validation, and on hostile data."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import tomllib

import numpy as np
import pandas as pd
import pytest
import statsmodels.genmod.families as families
from scipy import stats
from statsmodels.genmod.generalized_linear_model import GLM

from analysis.datasets.opening import Dataset
from analysis.metrics import metrics
from analysis.questions.agreement import agreement, agreement_words
from analysis.questions.comparison import PRIMARY, STRATIFIED, compare
from analysis.questions.designs import design_of
from analysis.questions.models import standardised, weighted
from analysis.questions.tallies import Arms
from analysis.questions.window import with_strata
from analysis.reasons import REASONS
from analysis.results import Comparison, Estimate, Interval
from analysis.selection import Selection

SINCE = Selection(start=dt.date(2020, 7, 1))
TRUTH = {
    "standardised": "difference_all",
    "aipw": "difference_all",
    "overlap_weighted": "difference_overlap",
    "doubly_robust": "difference_overlap",
    "mantel_haenszel": "difference_mh",
}
MODELS = ("standardised", "overlap_weighted", "doubly_robust", "aipw")


@pytest.fixture(scope="module")
def headline(demo: Dataset) -> Comparison:
    return compare(demo, "any_must_deficiency", SINCE)


# -- against the truth --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "metric",
    [
        "any_must_deficiency",
        "any_deficiency",
        "passed",
        "deficiency_rate",
        "must_deficiency_rate",
        "closed_on_time",
    ],
)
def test_every_method_holds_its_own_truth(demo: Dataset, metric: str) -> None:
    with open(demo.path / "truth.toml", "rb") as file:
        truth = tomllib.load(file)["metric"][metric]
    answer = compare(demo, metric, SINCE)
    for method, key in TRUTH.items():
        row = answer.estimate(method, "difference")
        assert row is not None and row.interval is not None and row.status == "ok"
        assert row.interval.contains(truth[key]), (method, row.estimate, truth[key])


def test_pairs_hold_the_effect_on_those_done_virtually(demo: Dataset, headline: Comparison) -> None:
    with open(demo.path / "truth.toml", "rb") as file:
        truth = tomllib.load(file)["metric"]["any_must_deficiency"]["difference_virtual"]
    row = headline.estimate("paired")
    assert row is not None and row.interval is not None and row.interval.contains(truth)


def test_each_method_has_exactly_one_difference(demo: Dataset, headline: Comparison) -> None:
    for answer in (
        headline,
        compare(demo, "deficiency_rate"),
        compare(demo, "feedback_confidence").groups[0],
    ):
        rows = [row.method for row in answer.estimates if row.measure == "difference"]
        assert sorted(rows) == sorted(["crude", *TRUTH, "paired"])


def test_the_verdict_is_read_from_the_model(headline: Comparison) -> None:
    assert headline.primary == PRIMARY and headline.answer is not None
    assert headline.answer.settings["adjusted_for"] == (
        "risk", "kind", "location", "quarter", "field_office", "entity_type",
    )  # fmt: skip
    virtual, in_person = (headline.adjusted_arms[mode] for mode in ("virtual", "in_person"))
    assert (
        virtual.estimate is not None
        and in_person.estimate is not None
        and headline.answer.estimate is not None
    )
    assert virtual.estimate - in_person.estimate == pytest.approx(headline.answer.estimate, abs=1e-12)
    for arm in (virtual, in_person):
        assert arm.interval is not None and arm.estimate is not None and arm.interval.contains(arm.estimate)


# -- against one row per validation ---------------------------------------------------------------------------


def test_counts_give_what_one_row_per_validation_gives(demo: Dataset) -> None:
    """Statsmodels' GLM on single validations, standardised and its error made by hand."""
    kinds = ("importer", "foreign_manufacturer", "highway_carrier")
    answer = compare(demo, "any_must_deficiency", dataclasses.replace(SINCE, entity_types=kinds)).answer
    frame = pd.read_parquet(demo.path / "prepared" / "validations.parquet")
    codes = [demo.code("entity_type", kind) for kind in kinds]
    modes = {demo.code("mode", "virtual"): 1.0, demo.code("mode", "in_person"): 0.0}
    frame = frame[
        frame["entity_type"].isin(codes) & frame["mode"].isin(list(modes)) & (frame["has_must_assessed"] == 1)
        & (frame["quarter"] >= 2020 * 4 + 2)
    ]  # fmt: skip
    columns = ["risk", "kind", "location", "quarter", "field_office", "entity_type"]
    dummies = pd.get_dummies(frame[columns].astype("category"), drop_first=True).to_numpy(float)
    arm = frame["mode"].map(modes).to_numpy(float)
    x = np.column_stack([np.ones(len(frame)), arm, dummies])
    y = frame["any_must_deficiency"].to_numpy(float)
    fit = GLM(y, x, family=families.Binomial()).fit(tol=1e-14)
    risks, slopes = [], []
    for value in (1.0, 0.0):
        at = x.copy()
        at[:, 1] = value
        p = 1 / (1 + np.exp(-at @ fit.params))
        risks.append(p.mean())
        slopes.append((p * (1 - p)) @ at / len(at))
    p = fit.fittedvalues
    bread = np.linalg.inv((x * (p * (1 - p))[:, None]).T @ x)
    specialist = frame["specialist"].to_numpy()
    scores = np.stack([(x * (y - p)[:, None])[specialist == g].sum(axis=0) for g in np.unique(specialist)])
    size = len(scores)
    covariance = bread @ scores.T @ scores @ bread * size / (size - 1)
    gradient = slopes[0] - slopes[1]
    reach = math.sqrt(gradient @ covariance @ gradient)
    assert answer is not None and answer.interval is not None and answer.n == len(frame)
    assert answer.settings["adjusted_for"] == tuple(columns) and answer.settings["clusters"] == size
    assert answer.estimate == pytest.approx(risks[0] - risks[1], abs=1e-8)
    assert min(len(np.unique(specialist[arm == side])) for side in (0, 1)) >= 40
    assert (answer.settings["correction"], answer.settings["df"]) == ("CR1", size - 1)
    assert answer.interval.half_width == pytest.approx(stats.t.ppf(0.975, size - 1) * reach, abs=1e-8)


def test_pairs_are_those_of_a_loop_over_members(demo: Dataset) -> None:
    row = compare(demo, "any_deficiency").estimate("paired")
    frame = pd.read_parquet(demo.path / "prepared" / "validations.parquet")
    virtual, in_person = (demo.code("mode", mode) for mode in ("virtual", "in_person"))
    kinds = dict(zip(frame["validation_row"], frame["kind"], strict=True))
    pairs: dict[tuple[object, ...], dict[int, list[float]]] = {}
    for r in frame[(frame["previous_mode"] == in_person) & (frame["quarter"] >= 2020 * 4 + 2)].itertuples():
        if r.mode in (virtual, in_person):
            stratum = (r.risk, r.kind, r.location, kinds[r.previous_validation_row])
            change = r.any_deficiency - r.previous_any_deficiency
            pairs.setdefault(stratum, {0: [], 1: []})[int(r.mode == virtual)].append(change)
    both = [s for s in pairs.values() if s[0] and s[1]]
    weights = [len(s[1]) for s in both]
    expected = np.average([np.mean(s[1]) - np.mean(s[0]) for s in both], weights=weights)
    assert row is not None and row.estimate == pytest.approx(expected, abs=1e-12)
    assert row.n == sum(len(s[0]) + len(s[1]) for s in both)


def test_pairs_that_cannot_be_had_say_why(demo: Dataset) -> None:
    without = {
        "column_absent": compare(demo, "deficiency_rate"),
        "no_pairs": compare(demo, "any_deficiency", Selection(kinds=("initial",))),
    }
    for reason, answer in without.items():
        row = answer.estimate("paired", "difference")
        assert row is not None and row.status == "not_estimable" and reason in row.caveats


# -- hostile data -----------------------------------------------------------------------------------------------


def rows_of(n: int, **columns: object) -> pd.DataFrame:
    """Single validations as the rows of a comparison."""
    rng = np.random.default_rng(1)
    base: dict[str, object] = {
        "arm": rng.integers(0, 2, n), "y": rng.integers(0, 2, n), "d": np.ones(n, np.int64), "n": np.ones(n, np.int64),
        "quarter": 8082 + rng.integers(0, 3, n), "risk": rng.choice(["low", "high"], n), "kind": "initial",
        "location": rng.choice(["domestic", "foreign"], n), "field_office": rng.choice(["Miami", "Newark"], n),
        "entity_type": "importer", "cluster": rng.integers(0, 30, n),
    }  # fmt: skip
    frame = pd.DataFrame(base | columns)
    frame = frame.assign(yy=frame["y"], dd=frame["d"], yd=frame["y"])
    return with_strata(frame, ("risk", "kind", "location"))


N = 400
RISK = np.where(np.arange(N) % 2, "low", "high")
HOSTILE = {
    "one specialist": rows_of(N, cluster=7),
    "four specialists": rows_of(N, cluster=np.arange(N) % 4),
    "one specialist in an arm": rows_of(
        N, arm=np.arange(N) % 2, cluster=np.where(np.arange(N) % 2, 1, np.arange(N))
    ),
    "events are the risk": rows_of(N, risk=RISK, y=np.arange(N) % 2),
    "events are the arm": rows_of(N, arm=np.arange(N) % 2, y=np.arange(N) % 2),
    "arms are the risk": rows_of(N, risk=RISK, arm=np.arange(N) % 2),
    "one stratum": rows_of(N, risk="low", location="domestic", field_office="Miami", quarter=8082),
    "nothing recorded": rows_of(
        N, risk=None, kind=None, location=None, field_office=None, entity_type=None, quarter=8082
    ),
    "all events": rows_of(N, y=1),
    "no events": rows_of(N, y=0),
    "one event": rows_of(N, y=(np.arange(N) == 0).astype(int)),
    "no virtual ones": rows_of(N, arm=0),
    "nobody": rows_of(0),
    "one validation": rows_of(1),
    "an office each": rows_of(N, field_office=[f"office {i}" for i in range(N)]),
    "a specialist each": rows_of(N, cluster=np.arange(N)),
    "more events than chances": rows_of(N, y=2),
    "twenty": rows_of(20),
    "thirty-two": rows_of(32),
    "an arm of three": rows_of(N, arm=(np.arange(N) < 3).astype(int)),
}
REFUSED = {
    "one specialist": "model_needs_clusters",
    "four specialists": "model_needs_clusters",
    "one specialist in an arm": "model_needs_clusters",
    "all events": "too_few_events",
    "no events": "too_few_events",
    "one event": "too_few_events",
    "no virtual ones": "no_comparison_window",
    "nobody": "no_comparison_window",
    "arms are the risk": "no_counterpart",
    "more events than chances": "more_events_than_chances",
    "twenty": "too_few_in_an_arm",
    "thirty-two": "model_too_large",
}


@pytest.mark.parametrize("clustered", [True, False], ids=["specialists", "no specialists"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_data_get_a_status_and_a_reason(name: str, clustered: bool) -> None:
    arms = Arms(HOSTILE[name], clustered)
    metric = metrics()["any_deficiency"]
    names = {"virtual": "Virtual", "in_person": "In person"}
    first, adjusted = standardised(metric, arms, names, ("risk", "kind", "location"))
    rows = [*first, *weighted(metric, arms, ("risk", "kind", "location"))]
    assert [(r.method, r.measure) for r in rows] == [(m, s) for m in MODELS for s in ("difference", "ratio")]
    for row in rows:
        assert all(code in REASONS for code in row.caveats), row.caveats
        assert (row.interval is None) == (row.status == "not_estimable")
        numbers = [
            row.estimate,
            row.p_value,
            *((row.interval.low, row.interval.high) if row.interval else ()),
        ]
        assert all(value is None or math.isfinite(value) for value in numbers)
        if row.status != "ok":
            assert row.caveats
    assert bool(adjusted) == (first[0].interval is not None)
    if clustered and name in REFUSED:
        assert first[0].status != "ok" and REFUSED[name] in first[0].caveats


def test_rare_values_are_counted_together() -> None:
    rows = rows_of(N, entity_type=["importer"] * 200 + ["exporter"] * 170 + ["mpto"] * 15 + ["rail"] * 15)
    cells = rows.assign(y=np.arange(N) % 2)
    design = design_of(cells, clustered=True)
    assert design.columns == ("risk", "location", "quarter", "field_office", "entity_type")
    # One column each for risk, location and office, two for quarters, one for exporters, one for the two rare ones.
    assert design.covariates.shape[1] == 7 and design.reasons == ()


def test_columns_are_left_out_from_the_end_and_never_the_first_three() -> None:
    few = rows_of(N, y=(np.arange(N) % 16 == 0).astype(int))
    assert design_of(few, clustered=True).reasons in (("model_reduced",), ("model_too_large",))
    enough = design_of(rows_of(N), clustered=True)
    assert enough.reasons == () and enough.columns[:2] == ("risk", "location")


# -- groups -------------------------------------------------------------------------------------------------------


def test_a_group_whose_model_is_refused_is_stratified_and_says_so(demo: Dataset) -> None:
    answer = compare(demo, "any_must_deficiency", by="entity_type")
    refused = [g for g in answer.groups if "model_refused" in g.reasons]
    assert refused and len(refused) < len(answer.groups)
    for group in answer.groups:
        model = group.estimate(PRIMARY)
        assert model is not None
        assert group.primary == (STRATIFIED if group in refused else PRIMARY)
        assert (model.status == "not_estimable") == (group in refused)


def test_the_whole_never_falls_back(demo: Dataset) -> None:
    answer = compare(demo, "any_must_deficiency", Selection(entity_types=("air_carrier", "rail_carrier")))
    assert answer.primary == PRIMARY and answer.verdict == "too_few"


# -- agreement ------------------------------------------------------------------------------------------------------


def with_estimates(answer: Comparison, **values: tuple[float, float, float]) -> Comparison:
    rows = tuple(
        Estimate(m, "difference", "comparison_window", v, Interval(low, high), 0.5, 100)
        for m, (v, low, high) in values.items()
    )
    return dataclasses.replace(answer, estimates=rows)


def test_methods_agree_or_not_in_words(headline: Comparison) -> None:
    found = agreement(headline)
    assert found is not None and found.robust and found.methods == 5
    assert agreement_words(headline).startswith("Five adjusted methods put it between")
    apart = with_estimates(headline, standardised=(-0.08, -0.1, -0.06), mantel_haenszel=(-0.01, -0.03, 0.01))
    assert not agreement(apart).robust and "more than the margin" in agreement_words(apart)
    assert "change of population" in agreement_words(apart)
    opposed = with_estimates(headline, standardised=(-0.02, -0.03, -0.01), aipw=(0.01, -0.03, 0.05))
    assert agreement(opposed).opposed and "different directions" in agreement_words(opposed)
    assert "change of population" not in agreement_words(opposed)
    assert agreement(with_estimates(headline, standardised=(-0.02, -0.03, -0.01))) is None
