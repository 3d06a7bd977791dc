"""How robust: against compare() on other selections, plain counts of source rows, and published numbers."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.genmod.families as families
from statsmodels.genmod.generalized_linear_model import GLM

from analysis.datasets.opening import Dataset
from analysis.errors import AnalysisError
from analysis.questions.comparison import compare
from analysis.questions.robustness_bounds import bounds
from analysis.questions.robustness_choices import CHOICES
from analysis.questions.robustness_leave_out import leave_one_out
from analysis.questions.robustness_margin import margin_steps, margins
from analysis.questions.robustness_power import POWER, detectable
from analysis.questions.robustness_specifications import Specifications, specifications
from analysis.questions.robustness_unmeasured import unmeasured
from analysis.reasons import REASONS
from analysis.results import Interval
from analysis.selection import Selection
from analysis.stats.equivalence import judge
from analysis.stats.power import (
    detectable_from_error,
    power_from_error,
    power_two_proportions,
    power_within_margin,
)
from analysis.stats.sensitivity import bias_factor, e_value, needed_strength
from tests.recount import Recount

HEADLINE = "any_must_deficiency"
QUESTIONS = (margins, bounds, specifications, unmeasured, leave_one_out, detectable)


def truth_of(dataset: Dataset) -> dict[str, dict[str, float]]:
    with open(dataset.path / "truth.toml", "rb") as file:
        metrics: dict[str, dict[str, float]] = tomllib.load(file)["metric"]
    return metrics


@pytest.fixture(scope="module")
def curve(demo: Dataset) -> Specifications:
    return specifications(demo, HEADLINE)


# -- margins ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", [HEADLINE, "deficiency_rate", "passed", "incident_within_12_months"])
def test_the_smallest_margin_passes_and_a_step_less_does_not(demo: Dataset, metric: str) -> None:
    found = margins(demo, metric)
    assert found.smallest is not None and found.whole.verdict == "cannot_tell"
    ratio = found.whole.margin_scale == "ratio"
    stricter = found.smallest + 0.01 if ratio else found.smallest - 0.001
    assert compare(demo, metric, margin=found.smallest).verdict == "as_good"
    assert compare(demo, metric, margin=round(stricter, 6)).verdict != "as_good"


def test_both_margins_are_judged(demo: Dataset) -> None:
    found = margins(demo, HEADLINE, margin=0.08)
    assert [(row.source, row.margin) for row in found.rows[:2]] == [("set", 0.05), ("moved", 0.08)]
    for row, margin in zip(found.rows, (None, 0.08), strict=False):
        assert row.verdict == compare(demo, HEADLINE, margin=margin).verdict
    assert found.moved is not None and "moved_margin" in found.caveats
    assert "5-point margin" in found.sentence and "moved 8-point margin" in found.sentence
    assert margins(demo, HEADLINE).moved is None
    with pytest.raises(AnalysisError, match="fraction"):
        margins(demo, HEADLINE, margin=5)


def test_no_margin_is_told_where_none_is_needed_or_judged(demo: Dataset) -> None:
    better = margins(demo, "hours")
    assert better.needless and better.smallest is None and "No margin is needed" in better.sentence
    assert margins(demo, "closed_on_time").smallest is None
    assert margins(demo, HEADLINE, Selection(start=dt.date(2030, 1, 1))).rows[-1].source == "set"


def test_a_slider_runs_from_strict_to_wide_and_holds_the_margin_set(demo: Dataset) -> None:
    for metric, set_at in (
        (HEADLINE, 0.05),
        ("deficiency_rate", 0.9),
        ("days_to_report", 1.1),
        ("hours", 1.0),
    ):
        steps = margin_steps(demo, metric)
        assert set_at in steps and len(set(steps)) == len(steps)
        found = [
            judge(Interval(0.9, 1.02) if set_at >= 0.9 else Interval(-0.06, 0.02), harmful="two_sided", margin=step,
                  margin_scale="ratio" if set_at >= 0.9 else "difference", role="")
            for step in steps
        ]  # fmt: skip
        # Once a margin passes, every later one does.
        assert found == sorted(found, key=lambda verdict: verdict == "as_good")
    assert margin_steps(demo, "closed_on_time") == ()


# -- what could not be seen ----------------------------------------------------------------------------------------


def plain_rows(dataset: Dataset) -> pd.DataFrame:
    """Single validations of the two modes, in quarters in which neither is under 2 in 100, counted from the source."""
    frame = Recount(dataset.path).tables["validations"]
    frame = frame[frame["mode"].isin(["virtual", "in_person"])].copy()
    frame["quarter"] = [day.year * 4 + (day.month - 1) // 3 for day in frame["day"]]
    share = frame.groupby("quarter")["mode"].agg(lambda modes: (modes == "virtual").mean())
    return frame[
        frame["quarter"].isin(share.index[(share >= 0.02) & (share <= 0.98) & (share > 0) & (share < 1)])
    ]


@pytest.mark.parametrize(
    ("metric", "event", "possible", "n"),
    [
        ("any_deficiency", "any_deficiency", "possibly_deficient", "has_assessed"),
        (HEADLINE, "any_must_deficiency", "possibly_must_deficient", "has_must_assessed"),
        ("deficiency_rate", "n_deficient", "n_not_verified", "n_verifiable"),
        ("must_deficiency_rate", "n_must_deficient", "n_must_not_verified", "n_must_verifiable"),
    ],
)
def test_bounds_are_those_of_single_rows(
    small_demo: Dataset, metric: str, event: str, possible: str, n: str
) -> None:
    found, rows = bounds(small_demo, metric), plain_rows(small_demo)
    low, high = {}, {}
    for mode, arm in found.arms.items():
        # A validation of which nothing was verified could count either way.
        mine = rows[(rows["mode"] == mode) & ((rows[n] > 0) | (rows[possible] > 0))]
        least = int(mine[event].sum())
        most = int(mine[possible].sum()) if n.startswith("has") else least + int(mine[possible].sum())
        of = len(mine) if n.startswith("has") else int(mine[n].sum())
        assert (arm.n, arm.events, arm.unseen) == (of, least, most - least)
        low[mode], high[mode] = least / arm.n, most / arm.n
        assert (arm.low, arm.high) == pytest.approx((low[mode], high[mode]), abs=1e-12)
        assert arm.recorded is not None and low[mode] <= arm.recorded <= high[mode]
        seen = rows[rows["mode"] == mode]
        assert arm.not_verified == pytest.approx(seen["n_not_verified"].sum() / seen["n_verifiable"].sum())
    assert found.crude == pytest.approx(
        (low["virtual"] - high["in_person"], high["virtual"] - low["in_person"])
    )


def test_bounds_follow_the_focus_area(small_demo: Dataset) -> None:
    area = "Transportation Security"
    found, rows = bounds(small_demo, HEADLINE, Selection(focus_areas=(area,))), plain_rows(small_demo)
    for mode, arm in found.arms.items():
        mine = rows[(rows["mode"] == mode) & (rows[f"has_must_assessed@{area}"] > 0)]
        assert arm.events == mine[f"any_must_deficiency@{area}"].sum()
        assert arm.events + arm.unseen == mine[f"possibly_must_deficient@{area}"].sum()


def test_an_order_is_the_model_of_single_rows_with_the_unseen_taken_so(demo: Dataset) -> None:
    """Statsmodels' GLM on single validations, standardised by hand, virtual's unseen all deficient."""
    kinds = ("importer", "foreign_manufacturer", "highway_carrier")
    found = bounds(demo, HEADLINE, Selection(start=dt.date(2020, 7, 1), entity_types=kinds))
    frame = pd.read_parquet(demo.path / "prepared" / "validations.parquet")
    codes = [demo.code("entity_type", kind) for kind in kinds]
    modes = {demo.code("mode", "virtual"): 1.0, demo.code("mode", "in_person"): 0.0}
    frame = frame[
        frame["entity_type"].isin(codes) & frame["mode"].isin(list(modes)) & (frame["has_must_assessed"] == 1)
        & (frame["quarter"] >= 2020 * 4 + 2)
    ]  # fmt: skip
    arm = frame["mode"].map(modes).to_numpy(float)
    hidden = (frame["n_must_not_verified"] > 0).to_numpy() & (arm == 1)
    y = np.maximum(frame["any_must_deficiency"].to_numpy(float), hidden)
    columns = ["risk", "kind", "location", "quarter", "field_office", "entity_type"]
    dummies = pd.get_dummies(frame[columns].astype("category"), drop_first=True).to_numpy(float)
    x = np.column_stack([np.ones(len(frame)), arm, dummies])
    fit = GLM(y, x, family=families.Binomial()).fit(tol=1e-14)
    at = [np.column_stack([x[:, :1], np.full(len(x), value), x[:, 2:]]) for value in (1.0, 0.0)]
    expected = np.mean(fit.predict(at[0])) - np.mean(fit.predict(at[1]))
    assert found.orders[0].virtual and not found.orders[0].in_person
    assert found.orders[0].estimate.estimate == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("metric", [HEADLINE, "any_deficiency", "deficiency_rate", "must_deficiency_rate"])
def test_the_truth_lies_within_the_bounds(demo: Dataset, metric: str) -> None:
    found = bounds(demo, metric, Selection(start=dt.date(2020, 7, 1)))
    truth = truth_of(demo)[metric]
    key = "ratio_all" if found.whole.measure == "ratio" else "difference_all"
    assert found.low is not None and found.high is not None and found.reach is not None
    assert found.reach.low <= found.low <= truth[key] <= found.high <= found.reach.high
    by_order = {(o.virtual, o.in_person): o.estimate.estimate for o in found.orders}
    assert (found.high, found.low) == (by_order[True, False], by_order[False, True])
    recorded = compare(demo, metric, Selection(start=dt.date(2020, 7, 1))).answer
    assert recorded is not None and recorded.estimate is not None
    if metric.startswith("any"):
        assert by_order[False, False] == recorded.estimate


def test_a_metric_that_counts_no_deficiencies_has_no_bounds(demo: Dataset) -> None:
    found = bounds(demo, "passed")
    assert not found.arms and not found.orders and found.caveats == ("nothing_to_bound",)


# -- specifications --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", [HEADLINE, "deficiency_rate", "hours"])
def test_the_first_specification_is_the_answer_itself(
    demo: Dataset, metric: str, curve: Specifications
) -> None:
    found, answer = (
        curve if metric == HEADLINE else specifications(demo, metric),
        compare(demo, metric).answer,
    )
    first = found.rows[0]
    assert first.as_asked and answer is not None and first.verdict == found.whole.verdict
    assert first.estimate.estimate == answer.estimate
    assert first.estimate.interval == answer.interval


def test_specifications_are_what_compare_answers_of_that_selection(
    demo: Dataset, curve: Specifications
) -> None:
    """A period and a group left out, without any of the machinery of the curve."""
    rows = {row.label: row for row in curve.rows}
    quarters = sorted(set(plain_quarters(demo)))
    half = quarters[len(quarters) // 2]
    middle = dt.date(half // 4, half % 4 * 3 + 1, 1)
    expected = {
        "Without initial validations": Selection(kinds=("revalidation",)),
        "Second half of the quarters": Selection(start=middle),
        "Second half of the quarters · Without initial validations": Selection(
            start=middle, kinds=("revalidation",)
        ),
        "First half of the quarters": Selection(start=dt.date(2020, 7, 1), end=middle - dt.timedelta(days=1)),
    }
    for label, selection in expected.items():
        answer = compare(demo, HEADLINE, selection)
        assert answer.answer is not None and answer.answer.estimate is not None
        assert rows[label].estimate.estimate == pytest.approx(answer.answer.estimate, abs=1e-10)
        assert rows[label].estimate.n == answer.answer.n and rows[label].verdict == answer.verdict
    for method in ("mantel_haenszel", "overlap_weighted", "doubly_robust", "aipw"):
        (row,) = [r for r in curve.rows if r.departures.get("method") == method]
        assert row.estimate == compare(demo, HEADLINE).estimate(method)


def plain_quarters(dataset: Dataset) -> list[int]:
    frame = pd.read_parquet(dataset.path / "prepared" / "validations.parquet")
    virtual = frame["mode"] == dataset.code("mode", "virtual")
    return [int(q) for q in frame.loc[virtual, "quarter"].unique()]


def test_every_specification_is_labelled_and_counted_once(curve: Specifications) -> None:
    labels = [row.label for row in curve.rows]
    assert len(set(labels)) == len(labels) >= 40
    assert all(part in CHOICES.values() for label in labels[1:] for part in label.split(" · "))
    assert sum(curve.counted().values()) == len(curve.estimated)
    assert len(curve.estimated) + sum(curve.refused.values()) == len(curve.rows)
    values = [row.estimate.estimate for row in curve.estimated]
    assert values == sorted(values)
    errors = {row.departures["errors"]: row for row in curve.rows if "errors" in row.departures}
    assert set(errors) == {"office", "independent"}
    for row in errors.values():
        # Other errors change the interval, never the estimate.
        assert row.estimate.estimate == pytest.approx(curve.rows[0].estimate.estimate, abs=1e-10)
        assert row.estimate.interval != curve.rows[0].estimate.interval


def test_a_choice_that_leaves_out_nobody_is_none(demo: Dataset) -> None:
    found = specifications(demo, HEADLINE, Selection(kinds=("revalidation",)))
    assert not any(row.departures.get("without") == "initial" for row in found.rows)
    assert any(row.departures.get("without") == "maritime" for row in found.rows)


def test_specifications_that_cannot_be_estimated_are_counted_with_their_reason(demo: Dataset) -> None:
    found = specifications(demo, HEADLINE, Selection(offices=("Buffalo",)))
    assert found.refused and set(found.refused) <= set(REASONS)
    assert f"{sum(found.refused.values())} more could not be estimated" in found.sentence


# -- something unmeasured -------------------------------------------------------------------------------------------


def test_the_published_e_value() -> None:
    """VanderWeele & Ding (2017), table 2: RR 3.9 (1.8 to 8.7)."""
    found = e_value(3.9, Interval(1.8, 8.7))
    assert round(found.estimate, 2) == 7.26 and found.limit is not None and round(found.limit, 1) == 3.0
    assert bias_factor(found.estimate, found.estimate) == pytest.approx(3.9)
    assert needed_strength(3.9, found.estimate) == pytest.approx(found.estimate)
    assert needed_strength(3.9, 3.9) is None
    with pytest.raises(AnalysisError, match="at least 1"):
        bias_factor(0.5, 2.0)


def test_a_confounder_of_that_strength_makes_a_ratio_out_of_nothing() -> None:
    """A made-up population in which the mode does nothing, and the factor is as strong as the E-value says."""
    strength = e_value(2.0).estimate
    # Everybody with the virtual mode has the factor; in person it is rarer by the needed ratio.
    risk = 0.1
    virtual, in_person = risk * strength, risk * (strength * (1 / strength) + (1 - 1 / strength))
    assert virtual / in_person == pytest.approx(2.0)


def test_the_strength_needed_is_that_of_the_standardised_ratio(demo: Dataset) -> None:
    found, answer = unmeasured(demo, HEADLINE), compare(demo, HEADLINE)
    ratio = answer.estimate(answer.primary, "ratio")
    assert ratio is not None and ratio.estimate is not None and ratio.interval is not None
    nothing, margin = found.target("nothing"), found.target("margin")
    assert nothing is not None and margin is not None
    expected = e_value(ratio.estimate, ratio.interval)
    assert (nothing.e_value, nothing.limit) == (expected.estimate, expected.limit)
    # At the margin the share of virtual ones is 5 points below that of in-person ones on the common mix.
    base = answer.adjusted_arms["in_person"].estimate
    assert base is not None and margin.ratio == pytest.approx((base - 0.05) / base)
    for target in found.targets:
        pairs = target.pairs()
        assert len(pairs) > 50
        assert [bias_factor(a, b) for a, b in pairs] == pytest.approx([target.factor] * len(pairs))
    assert f"{nothing.e_value:.2f} times" in found.sentence


def test_benchmarks_are_those_of_single_rows(demo: Dataset) -> None:
    found = {b.column: b for b in unmeasured(demo, HEADLINE).benchmarks}
    frame = pd.read_parquet(demo.path / "prepared" / "validations.parquet")
    modes = {demo.code("mode", "virtual"): 1, demo.code("mode", "in_person"): 0}
    frame = frame[
        frame["mode"].isin(modes)
        & frame["quarter"].isin(plain_quarters(demo))
        & (frame["has_must_assessed"] == 1)
    ]
    for column in ("risk", "location", "kind"):
        shares = pd.crosstab(frame[column], frame["mode"], normalize="columns")
        ratio = np.exp(np.abs(np.log(shares[0] / shares[1]))).max()
        risks = frame.groupby(["mode", column])["any_must_deficiency"].mean().unstack()
        assert found[column].with_mode == pytest.approx(ratio)
        assert found[column].with_outcome == pytest.approx((risks.max(axis=1) / risks.min(axis=1)).max())


def test_times_have_no_e_value(demo: Dataset) -> None:
    assert unmeasured(demo, "hours").caveats == ("no_risk_ratio",)
    assert not unmeasured(demo, "incident_within_12_months").targets


# -- leave one out ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", [HEADLINE, "deficiency_rate", "hours"])
def test_without_an_office_is_compare_of_the_others(demo: Dataset, metric: str) -> None:
    found = leave_one_out(demo, metric)
    offices = [row.value for row in found.rows]
    assert set(offices) == set(demo.present("field_office"))
    for row in (found.rows[0], found.rows[-1]):
        others = compare(demo, metric, Selection(offices=tuple(set(offices) - {row.value})))
        mine, theirs = row.answer.answer, others.answer
        assert (
            mine is not None
            and theirs is not None
            and mine.interval is not None
            and theirs.interval is not None
        )
        assert mine.estimate == pytest.approx(theirs.estimate, abs=1e-10)
        assert (mine.interval.low, mine.interval.high) == pytest.approx(
            (theirs.interval.low, theirs.interval.high), abs=1e-9
        )
        assert mine.n == theirs.n and row.answer.verdict == others.verdict
        assert {m: a.n for m, a in row.answer.arms.items()} == {m: a.n for m, a in others.arms.items()}


def test_the_most_influential_moves_the_estimate_most(demo: Dataset) -> None:
    found = leave_one_out(demo, HEADLINE, column="quarter")
    whole, most = found.whole.answer, found.most_influential
    assert whole is not None and whole.estimate is not None and most is not None
    moves = {row.label: abs(row.estimate - whole.estimate) for row in found.rows if row.estimate is not None}
    assert most.label == max(moves, key=lambda label: moves[label]) and most.label in found.sentence
    assert sum(row.lost["virtual"] + row.lost["in_person"] for row in found.rows) == whole.n


def test_a_lone_office_cannot_be_left_out(demo: Dataset) -> None:
    found = leave_one_out(demo, HEADLINE, Selection(offices=("Buffalo",)))
    assert not found.rows and found.caveats == ("nothing_to_leave_out",)


# -- what could have been found -----------------------------------------------------------------------------------


def test_the_detectable_difference_is_found_four_times_in_five(demo: Dataset) -> None:
    found, answer = detectable(demo, HEADLINE), compare(demo, HEADLINE)
    base = answer.adjusted_arms["in_person"].estimate
    assert (
        found.detectable is not None
        and found.detectable < 0
        and base is not None
        and found.design_effect is not None
    )
    n = found.n["virtual"], found.n["in_person"]
    reached = power_two_proportions(base + found.detectable, base, *n, design_effect=found.design_effect)
    assert reached == pytest.approx(POWER, abs=1e-9)
    # With that design effect a plain comparison of these shares has the interval the answer has.
    other = answer.adjusted_arms["virtual"].estimate
    assert answer.answer is not None and answer.answer.interval is not None and other is not None
    plain = other * (1 - other) / n[0] + base * (1 - base) / n[1]
    half_width = 1.959964 * np.sqrt(plain * found.design_effect)
    assert half_width == pytest.approx(answer.answer.interval.half_width, rel=1e-5)
    assert found.half_width == pytest.approx(half_width, rel=1e-5)


def test_ratios_are_told_from_their_error(demo: Dataset) -> None:
    found, answer = detectable(demo, "deficiency_rate"), compare(demo, "deficiency_rate").answer
    assert (
        answer is not None
        and answer.interval is not None
        and found.detectable is not None
        and found.design_effect is None
    )
    se = np.log(answer.interval.high / answer.interval.low) / 2 / 1.959964
    assert np.log(found.detectable) == pytest.approx(-(1.959964 + 0.841621) * se, rel=1e-5)


def test_power_is_what_simulated_estimates_show() -> None:
    rng, se = np.random.default_rng(3), 0.02
    none, small = rng.normal(0, se, 200_000), rng.normal(0.05, se, 200_000)
    reach = 1.959964 * se
    assert power_within_margin(0.05, se) == pytest.approx((none - reach > -0.05).mean(), abs=0.005)
    both = ((none - reach > -0.05) & (none + reach < 0.05)).mean()
    assert power_within_margin(0.05, se, two_sided=True) == pytest.approx(both, abs=0.005)
    assert power_from_error(0.05, se) == pytest.approx((small > reach).mean(), abs=0.005)
    assert power_from_error(detectable_from_error(se), se) == pytest.approx(0.8, abs=1e-9)


def test_the_number_that_would_settle_it_has_the_power_it_promises(demo: Dataset) -> None:
    found = detectable(demo, HEADLINE)
    assert found.n_within is not None and found.half_width is not None and found.whole.answer is not None
    se = found.half_width / 1.959964 * np.sqrt(found.whole.answer.n / found.n_within)
    assert power_within_margin(0.05, se) == pytest.approx(POWER, abs=0.001)
    # A wider margin is met more often, and with fewer.
    wider = detectable(demo, HEADLINE, margin=0.08)
    assert wider.chance_within is not None and found.chance_within is not None and wider.n_within is not None
    assert wider.chance_within > found.chance_within and wider.n_within < found.n_within


# -- all of them ----------------------------------------------------------------------------------------------------

CAUSAL = ("cause", "lead to", "due to", "improve", "reduce", " miss", "detect better")


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
def test_sentences_are_short_and_numbers_exist_or_are_none(
    question: Any, demo: Dataset, twisted_demo: Dataset
) -> None:
    asked = [
        (demo, HEADLINE, Selection()),
        (demo, "deficiency_rate", Selection(risks=("high",))),
        (demo, "days_to_report", Selection()),
        (demo, "feedback_confidence", Selection()),
        (demo, HEADLINE, Selection(start=dt.date(2030, 1, 1))),
        (demo, HEADLINE, Selection(offices=("Buffalo",), risks=("high",))),
        (twisted_demo, HEADLINE, Selection()),
        (twisted_demo, "hours", Selection()),
    ]
    for dataset, metric, selection in asked:
        answer = question(dataset, metric, selection)
        given = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
        assert set(given) == {"rows", "n", "caveats", "sentence"}
        assert len(given["sentence"].split()) <= 45, given["sentence"]
        assert not any(word in given["sentence"].lower() for word in CAUSAL)
        assert "nan" not in given["sentence"].lower().split()
        assert set(given["caveats"]) <= set(REASONS)
        assert len(answer.to_frame()) >= 0
