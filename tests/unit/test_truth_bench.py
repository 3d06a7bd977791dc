"""The bench of simulated programs: its counting, its machinery on tiny programs, and the report that is kept."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.datasets.demo.contrasts import comparison_window as true_window
from analysis.datasets.demo.source import DEFAULT_SEED
from analysis.datasets.demo.truth import truth
from analysis.datasets.demo.world import simulate
from analysis.datasets.opening import Dataset
from analysis.metrics import metric
from analysis.questions.arms import tally_counts, tally_rows
from analysis.questions.deficiency_modes import criteria_by_mode
from analysis.results import Interval
from analysis.selection import Selection
from tests.bench.truth import reporting, runs
from tests.bench.truth.held import Held
from tests.bench.truth.judging import line, on_the_margin, share, spread
from tests.bench.truth.programs import LINES, ROW, TRUTH, answers, estimates, kept, window_of
from tests.bench.truth.truths import METRICS, outcome, truths, virtual_pairs

TINY = 1_500


@pytest.fixture(scope="module")
def held() -> Held:
    return Held(simulate(runs.shipped(), seed=70, validations=TINY))


def test_coverage_and_bias_are_counted_as_written_down() -> None:
    # Of 20 intervals 19 hold the truth, one of them with its very limit; the last program had no estimate.
    rows = [(1.0, 1.0 + 0.1 * (-1) ** i, 0.8, 1.2) for i in range(18)]
    rows += [(1.0, 1.2, 1.0, 1.4), (1.0, 1.5, 1.1, 1.9), (1.0, math.nan, math.nan, math.nan)]
    made = line("any_deficiency", "standardised", "difference_all", np.array(rows))
    assert (made.programs, made.estimated) == (21, 20)
    assert made.coverage.value == pytest.approx(19 / 20)
    assert made.coverage.error == pytest.approx(math.sqrt(0.95 * 0.05 / 20))
    errors = [0.1 * (-1) ** i for i in range(18)] + [0.2, 0.5]
    assert made.mean_error.value == pytest.approx(0.7 / 20)
    assert made.sd_error.value == pytest.approx(pd.Series(errors).std())
    assert made.mean_error.error == pytest.approx(pd.Series(errors).sem())
    assert made.mean_se.value == pytest.approx((19 * 0.4 + 0.8) / 20 / (2 * 1.959964), rel=1e-6)
    assert made.bias_allowed == pytest.approx(0.1 * made.mean_se.value + 3 * made.mean_error.error)
    # One program in 21 without an answer is too many, whatever the coverage of the others.
    assert not made.passes()
    assert line("any_deficiency", "standardised", "", np.array(rows[:20])).passes()


@pytest.mark.parametrize(
    ("holding", "shift", "passes"),
    [(930, 0.0, True), (929, 0.0, False), (970, 0.0, True), (971, 0.0, False), (950, 0.35, False)],
)
def test_a_line_passes_from_93_to_97_percent_without_bias(holding: int, shift: float, passes: bool) -> None:
    error = np.random.default_rng(1).normal(size=1000)
    error -= error.mean()
    # Intervals as wide as 1.96 errors, but those that are not to hold the truth, which stand far off.
    rows = np.column_stack([np.zeros(1000), error + shift, np.full(1000, -2.0), np.full(1000, 2.0)])
    rows[holding:, 2] = 1.9
    assert line("any_deficiency", "standardised", "", rows).passes() is passes


def test_ratios_are_judged_on_the_logarithm() -> None:
    made = line(
        "deficiency_rate",
        "standardised ratio",
        "ratio_all",
        np.array([[0.8, 0.4, 0.2, 0.9], [0.8, 1.6, 1, 2]]),
    )
    assert made.mean_error.value == pytest.approx(0)
    assert made.coverage.value == 0.5


def test_figures_without_programs_do_not_exist() -> None:
    nothing = line("any_deficiency", "paired", "", np.full((3, 4), math.nan)).to_dict()
    assert nothing["estimated"] == 0 and not nothing["passes"]
    assert nothing["coverage"] == {"value": None, "monte_carlo_error": None}
    assert share([True, False]).value == 0.5
    # The error of a standard deviation, against its textbook value for a normal sample.
    sample = np.random.default_rng(2).normal(size=4000)
    assert spread(sample).error == pytest.approx(1 / math.sqrt(2 * 4000), rel=0.1)


def test_on_the_margin_only_an_interval_that_excludes_the_truth_decides() -> None:
    difference, ratio = metric("any_must_deficiency"), metric("deficiency_rate")
    for truth_, low, high, verdict in (
        (-0.02, -0.03, 0.02, "cannot_tell"),
        (-0.02, -0.019, 0.02, "as_good"),
        (0.01, -0.04, 0.009, "not_as_good"),
    ):
        assert on_the_margin(difference, truth_, Interval(low, high)) == verdict
    for truth_, low, high, verdict in (
        (1.2, 1.1, 1.25, "cannot_tell"),
        (1.2, 1.21, 1.25, "as_good"),
        (0.5, 0.3, 0.49, "not_as_good"),
    ):
        assert on_the_margin(ratio, truth_, Interval(low, high)) == verdict


def test_a_held_program_is_the_written_one(small_demo: Dataset) -> None:
    held = Held(simulate(runs.shipped(), seed=DEFAULT_SEED, validations=600))
    mine, theirs = (
        tally_counts(dataset, list(METRICS.values()), Selection(), (ROW, "previous_mode"))
        for dataset in (held, small_demo)
    )
    pd.testing.assert_frame_equal(mine, theirs, check_dtype=False)
    assert criteria_by_mode(held).to_frame().equals(criteria_by_mode(small_demo).to_frame())


def test_truths_are_those_of_the_demo(held: Held) -> None:
    written = truth(held.world)["metric"]
    for name in METRICS:
        source = written[name] if name in written else written["deficiency_rate"][name.removesuffix("_rate")]
        mine = truths(true_window(held.world), outcome(held.world, name))
        named = {"mean_overlap": "mean_rate_overlap"}
        shared = {key: named.get(key, key) for key in mine if named.get(key, key) in source}
        assert {"difference_all", "difference_mh", "difference_overlap"} <= set(shared)
        assert {key: mine[key] for key in shared} == pytest.approx(
            {key: source[shared[key]] for key in shared}
        )


def test_sharing_work_changes_no_number(held: Held) -> None:
    shared = answers(held)
    window = window_of(held, list(METRICS))
    for name in ("any_must_deficiency", "physical_rate"):
        methods = {method for one, method in LINES if one == name}
        arms = tally_rows(METRICS[name], window.rows)
        for method, row in estimates(held, window, name, methods, arms).items():
            mine = shared[name, method]
            if row.interval is None or row.estimate is None:
                assert math.isnan(mine.estimate)
            else:
                theirs = (row.estimate, row.interval.low, row.interval.high)
                assert mine[1:] == pytest.approx(theirs, rel=1e-9, abs=1e-12)


def test_truths_of_chosen_rows_are_over_those_that_the_method_used(held: Held) -> None:
    window = window_of(held, list(METRICS))
    for name in ("physical_rate", "any_deficiency"):
        arms = tally_rows(METRICS[name], window.rows)
        inside = kept(arms)
        row = estimates(held, window, name, {"aipw"}, arms)["aipw"]
        assert int(arms.rows["d"][inside].sum()) == row.n
        assert 0 < int(arms.rows["d"][~inside].sum()) == row.settings["n_trimmed"]
    row = estimates(held, window, "any_deficiency", {"paired"}, arms)["paired"]
    virtual, pairs = virtual_pairs(held.world, set(window.rows["quarter"]))
    assert pairs == row.n
    assert len(virtual) <= row.settings["pairs_virtual"]


def test_the_bench_runs_on_tiny_programs() -> None:
    said: list[str] = []
    crew = runs.Crew(processes=1, validations=TINY, say=said.append)
    table = np.array(crew.work("coverage", runs_cover, runs.seeds("coverage", 3)))
    assert table.shape == (3, len(LINES), 4) and said[-1].startswith("coverage: 3 of 3 programs")
    assert not np.array_equal(table[0], table[1])
    lines = [line(*one, TRUTH[one[1]], table[:, i]) for i, one in enumerate(LINES)]
    crude, standardised = (next(x for x in lines if x.method == name) for name in ("crude", "standardised"))
    assert crude.mean_error.value < standardised.mean_error.value < 0.1
    report: dict[str, Any] = {
        "lines": [one.to_dict(few=True) for one in lines],
        "on_the_margin": reporting.margins({one: table[:, i] for i, one in enumerate(LINES)}),
        "without_effects": reporting.promise(crew.work("", runs.without_effect, range(2)), few=True),
        "screen": reporting.screened(crew.work("", runs.screen, range(2))),
        "unmeasured": reporting.unseen(crew.work("", runs.unmeasured, range(2)), few=True),
        "through": {"passes": True},
    }
    json.dumps(report, allow_nan=False)
    assert all(isinstance(failure, str) for failure in reporting.failures(report))
    assert len(report["on_the_margin"]) == 2 * len(METRICS)
    assert report["unmeasured"]["e_value"]["value"] > report["unmeasured"]["e_value_of_limit"]["value"] >= 1
    assert 0 < report["without_effects"]["promised"]["value"] < 0.65


def runs_cover(seed: int, validations: int) -> np.ndarray:
    return runs.cover(LINES, seed, validations)
