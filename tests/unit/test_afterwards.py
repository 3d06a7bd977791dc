"""Time to a first incident: against statsmodels on the source rows, the truth, and its own rules."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import math
import tomllib

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from analysis import Dataset, Selection, compare, figure
from analysis.questions.afterwards import A_YEAR, CHECKPOINTS, Afterwards, RiskArm, afterwards
from analysis.schema import DATA_FOLDER
from analysis.suppression import suppressed
from analysis.suppression.afterwards import suppressed_afterwards

BOTH = Selection(start=dt.date(2020, 7, 1))
SMALL = range(1, 5)


@pytest.fixture(scope="module")
def answer(demo: Dataset) -> Afterwards:
    return afterwards(demo)


@pytest.fixture(scope="module")
def people(demo: Dataset) -> pd.DataFrame:
    """Days followed and whether they ended in an incident, from the source tables alone."""
    source = demo.path / "source"
    visits = pd.read_parquet(source / "validations.parquet")
    incidents = pd.read_parquet(source / "incidents.parquet").dropna(subset=["member_id"])
    left = pd.read_parquet(source / "members.parquet").set_index("member_id")["left_on"]
    visits["day"] = pd.to_datetime(visits["conducted_on"])
    visits = visits.sort_values(["member_id", "day", "validation_id"])
    end = visits.groupby("member_id")["day"].shift(-1)
    for other in (
        pd.to_datetime(visits["member_id"].map(left)),
        pd.Series(pd.Timestamp(demo.as_of), visits.index),
    ):
        end = pd.concat([end, other], axis=1).min(axis=1)
    happened = {m: np.sort(pd.to_datetime(rows)) for m, rows in incidents.groupby("member_id")["occurred_on"]}

    def first(member: str, day: pd.Timestamp) -> pd.Timestamp:
        later = [d for d in happened.get(member, ()) if d > day]
        return pd.Timestamp(later[0]) if len(later) else pd.NaT

    incident = pd.Series(
        [first(m, d) for m, d in zip(visits["member_id"], visits["day"], strict=True)], visits.index
    )
    seen = incident.notna() & (incident <= end)
    visits["event"] = seen.astype(int)
    visits["time"] = (incident.where(seen, end) - visits["day"]).dt.days.clip(lower=0)
    return visits[
        visits["mode"].isin(["virtual", "in_person"]) & (visits["conducted_on"] >= dt.date(2020, 7, 1))
    ]


def test_curves_are_those_of_statsmodels_on_the_source_rows(answer: Afterwards, people: pd.DataFrame) -> None:
    for mode, arm in answer.arms.items():
        mine = people[people["mode"] == mode]
        curve = SurvfuncRight(mine["time"], mine["event"])
        assert (arm.n, arm.events) == (len(mine), mine["event"].sum())
        by_year = np.searchsorted(curve.surv_times, 365, side="right") - 1
        assert arm.risk == pytest.approx(1 - curve.surv_prob[by_year], rel=1e-12)
        for point in arm.points[1:]:
            place = np.searchsorted(curve.surv_times, point.day, side="right") - 1
            known = 1 - curve.surv_prob[place] if place >= 0 else 0.0
            assert point.risk == pytest.approx(known, abs=1e-12)
        assert arm.at_risk == tuple((mine["time"] >= day).sum() for day in CHECKPOINTS)
        assert arm.events_by == tuple(
            ((mine["event"] == 1) & (mine["time"] <= day)).sum() for day in CHECKPOINTS
        )
        assert arm.events_in_a_year == arm.events_by[A_YEAR]


def lin_wei(
    people: pd.DataFrame, x: np.ndarray, stratum: np.ndarray, cluster: np.ndarray, beta: float
) -> float:
    """The clustered error of a log hazard ratio, person by person."""
    time, event = people["time"].to_numpy(), people["event"].to_numpy()
    score, information = np.zeros(len(x)), 0.0
    for who in np.flatnonzero(event == 1):
        at_risk = (stratum == stratum[who]) & (time >= time[who])
        weight = np.exp(beta * x) * at_risk
        mean = (weight * x).sum() / weight.sum()
        score -= weight * (x - mean) / weight.sum()
        score[who] += x[who] - mean
        information += mean * (1 - mean)
    sums = pd.Series(score).groupby(cluster).sum()
    g = len(sums)
    return math.sqrt(g / (g - 1) * (sums**2).sum()) / information


def test_hazard_ratios_and_log_rank_are_those_of_the_source_rows(
    answer: Afterwards, people: pd.DataFrame
) -> None:
    x = (people["mode"] == "virtual").astype(float).to_numpy()
    stratum = people.groupby(["risk", "kind", "location"]).ngroup().to_numpy()
    time, event = people["time"].to_numpy(), people["event"].to_numpy()
    fit = PHReg(time, x, status=event, strata=stratum, ties="breslow").fit()
    told = (pd.Series(event).groupby(stratum).transform("sum") > 0).to_numpy()
    for measure, column in (("hazard_ratio", "member_id"), ("hazard_ratio_by_specialist", "specialist_id")):
        row, cluster = answer.contrast(measure), people[column].to_numpy()
        assert row is not None and row.estimate is not None and row.interval is not None
        assert math.log(row.estimate) == pytest.approx(fit.params[0], abs=1e-6)
        # Strata without events say nothing, and hold no clusters that could tell anything.
        se = lin_wei(people[told], x[told], stratum[told], cluster[told], math.log(row.estimate))
        fewest = min(np.unique(cluster[told & (x == arm)]).size for arm in (0, 1))
        reach = stats.t.ppf(0.975, fewest - 1) * se
        assert math.log(row.interval.high / row.estimate) == pytest.approx(reach, rel=1e-6)
    crude = PHReg(people["time"].to_numpy(), x, status=people["event"].to_numpy(), ties="breslow").fit()
    row, test = answer.contrast("hazard_ratio_crude"), answer.contrast("log_rank")
    assert row is not None and row.estimate == pytest.approx(math.exp(crude.params[0]), rel=1e-6)
    assert test is not None and test.estimate is None
    assert test.p_value == pytest.approx(survdiff(people["time"], people["event"], x)[1], rel=1e-9)


def test_the_difference_of_risks_is_the_one_that_is_judged(demo: Dataset, answer: Afterwards) -> None:
    row, judged = answer.contrast("risk_difference"), compare(demo, "incident_within_12_months").answer
    assert row is not None and judged is not None
    assert (row.estimate, row.interval, row.n) == (judged.estimate, judged.interval, judged.n)
    assert judged.settings["clustered_by"] == "member_id" and "independent" not in judged.caveats


def test_the_truth_lies_within(demo: Dataset) -> None:
    with open(DATA_FOLDER / "demo" / "truth.toml", "rb") as file:
        known = tomllib.load(file)["metric"]["incident_within_12_months"]
    answer = afterwards(demo, BOTH)
    for measure, name in (
        ("risk_difference", "difference_mh"), ("restricted_mean_difference", "restricted_mean_difference_mh"),
    ):  # fmt: skip
        row = answer.contrast(measure)
        assert row is not None and row.interval is not None and row.interval.contains(known[name])
    ratio = answer.contrast("hazard_ratio")
    assert ratio is not None and ratio.interval is not None and ratio.interval.contains(1.0)


def test_what_cannot_be_told_is_said(demo: Dataset, answer: Afterwards) -> None:
    made = figure("virtual_vs_in_person.afterwards", demo)
    assert answer.detectable is not None and answer.events is not None
    assert f"With {answer.events} incidents only a hazard ratio above {answer.detectable:.2f}" in made.caption
    assert "no visible gap, and few events" in made.title
    assert f"{answer.arms['virtual'].at_risk[A_YEAR]:,}" in set(made.table["Virtual"])
    drawn = str(made.chart.to_dict())
    # The numbers still followed are part of the picture.
    for arm in answer.arms.values():
        assert all(f"'words': '{n:,}'" in drawn for n in arm.at_risk)


def test_the_sentence_says_its_numbers(answer: Afterwards) -> None:
    row = answer.contrast("risk_difference")
    assert row is not None and row.interval is not None
    words = answer.sentence.replace("**", "")
    for arm in answer.arms.values():
        assert arm.risk is not None and f"{arm.risk * 100:.2f}%" in words
    assert f"{row.interval.low * 100:+.1f}".replace("-", "−") in words
    assert f"n = {row.n:,}" in words and len(words.split()) <= 45


@pytest.mark.parametrize(
    ("selection", "code"),
    [
        (Selection(start=dt.date(2035, 1, 1)), "empty_selection"),
        (Selection(end=dt.date(2019, 12, 31)), "no_comparison_window"),
    ],
)
def test_nothing_to_follow_is_a_reason(demo: Dataset, selection: Selection, code: str) -> None:
    answer = afterwards(demo, selection)
    assert answer.caveats[0] == code and not answer.contrasts and answer.sentence
    made = figure("virtual_vs_in_person.afterwards", demo, selection)
    assert made.state is not None


def test_few_events_are_counted_and_not_modelled(small_demo: Dataset) -> None:
    answer = afterwards(small_demo)
    assert answer.events is not None and answer.events < 5
    assert [row.measure for row in answer.contrasts] in ([], ["risk_difference"])
    assert "too_few_events" in answer.caveats


# -- small counts -----------------------------------------------------------------------------------------


def safe(answer: Afterwards) -> None:
    for arm in answer.arms.values():
        counts = [k for k in (*arm.events_by, arm.events) if k is not None]
        followed = [k for k in arm.at_risk if k is not None]
        assert not {arm.n, *counts, *followed} & set(SMALL)
        for shown in (counts, followed):
            assert not {abs(a - b) for a, b in itertools.pairwise(shown)} & set(SMALL)
        if arm.n is not None and arm.events is not None:
            assert arm.n - arm.events not in SMALL
        # A curve is a count: every step of it has to rest on none or on at least five.
        known = {
            0.0: 0,
            **{float(d): k for d, k in zip(CHECKPOINTS, arm.events_by, strict=False) if k is not None},
        }
        assert all(point.day in known for point in arm.points)
    if any(arm.risk is None for arm in answer.arms.values()):
        assert not answer.contrasts and "%" not in answer.sentence
    if any(arm.events is None for arm in answer.arms.values()):
        assert answer.detectable is None and answer.events is None
    assert not set(answer.left_out.values()) & set(SMALL)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(offices=("Miami", "Houston")),
        Selection(risks=("low",)),
        Selection(entity_types=("importer",)),
    ],
)
def test_small_counts_are_hidden(demo: Dataset, selection: Selection) -> None:
    safe(suppressed(afterwards(demo, selection)))
    made = figure("virtual_vs_in_person.afterwards", demo, selection, suppress=True)
    assert made.state is not None or len(made.alt.split()) <= 40


def test_steps_of_few_incidents_are_drawn_together(answer: Afterwards) -> None:
    counts = {"virtual": (0, 3, 9, 11, 20), "in_person": (0, 0, 4, 4, 4)}

    def arm(mode: str) -> RiskArm:
        own = answer.arms[mode]
        events = counts[mode][-1]
        return dataclasses.replace(
            own, events_by=counts[mode], events=events, at_risk=(500, 498, 300, 200, 3)
        )

    hidden = suppressed_afterwards(dataclasses.replace(answer, arms={mode: arm(mode) for mode in counts}))
    safe(hidden)
    one, other = hidden.arms["virtual"], hidden.arms["in_person"]
    assert one.events_by == (0, None, 9, None, 20) and one.risk == answer.arms["virtual"].risk
    assert one.at_risk == (500, None, 300, 200, None)
    assert other.events is None and other.risk is None and [p.day for p in other.points] in ([], [0.0, 183.0])
