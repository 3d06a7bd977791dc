"""Every guardrail, from counts made by hand: what is refused, what is only warned of, and that each has words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.metrics import metrics
from analysis.questions.arms import Arms
from analysis.questions.models import standardised, weighted
from analysis.questions.tallies import crude, mantel_haenszel
from analysis.questions.unseen import unseen
from analysis.questions.verdicts import lacks_power, verdict_of
from analysis.questions.window import comparison_window, positivity, with_strata
from analysis.reasons import words
from analysis.results import Arm, Comparison, Estimate, Interval

HEADLINE = metrics()["any_must_deficiency"]
STRATA = ("risk", "kind", "location")
NAMES = {"virtual": "Virtual", "in_person": "In person"}


def counted(*cells: tuple[int, str, int, int], specialists: int = 0) -> Arms:
    """Arms from cells (arm, risk, events, validations), spread over specialists in turn; none by default."""
    rows = []
    for arm, risk, events, n in cells:
        for i in range(n):
            rows.append((arm, risk, int(i < events), 1, i % specialists if specialists else -1 - len(rows)))
    frame = pd.DataFrame(rows, columns=["arm", "risk", "y", "d", "cluster"])
    frame = frame.assign(
        n=1, kind="initial", location="domestic", quarter=8082, yy=frame["y"], dd=frame["d"], yd=frame["y"]
    )
    return Arms(with_strata(frame, STRATA), specialists > 0)


def model(arms: Arms) -> Estimate:
    return standardised(HEADLINE, arms, NAMES, STRATA)[0][0]


def stratified(arms: Arms) -> Estimate:
    return mantel_haenszel(HEADLINE, arms, STRATA)[0]


def said(row: Estimate, code: str) -> bool:
    return code in row.caveats and words(code).endswith(".")


def test_an_empty_arm_gives_no_estimate() -> None:
    alone = counted((0, "low", 20, 60))
    for row in (*crude(HEADLINE, alone), model(alone)):
        assert row.estimate is None and row.interval is None and row.p_value is None
    assert said(crude(HEADLINE, alone)[0], "arm_empty") and said(model(alone), "no_comparison_window")


@pytest.mark.parametrize(
    ("arms", "reason"),
    [
        (counted((1, "low", 4, 9), (0, "low", 30, 90)), "too_few_in_an_arm"),
        (counted((1, "low", 2, 60), (0, "low", 2, 60)), "too_few_events"),
        (counted((1, "low", 58, 60), (0, "low", 58, 60)), "too_few_events"),
    ],
    ids=["nine in an arm", "four events", "four without"],
)
def test_small_numbers_get_a_score_interval_and_no_model(arms: Arms, reason: str) -> None:
    row = crude(HEADLINE, arms)[0]
    assert row.interval is not None and row.interval.method == "Newcombe"
    assert row.status == "too_small" and said(row, reason)
    assert model(arms).estimate is None and said(model(arms), reason)
    assert all(row.estimate is None for row in weighted(HEADLINE, arms, STRATA))


def test_a_little_more_is_labelled_small() -> None:
    row = stratified(counted((1, "low", 8, 20), (0, "low", 30, 90)))
    assert row.status == "ok" and said(row, "small_numbers")


def test_five_events_for_every_column_of_a_model() -> None:
    few = counted((1, "low", 3, 40), (0, "low", 3, 40), (1, "high", 2, 40), (0, "high", 2, 40))
    assert said(model(few), "model_too_large") and model(few).estimate is None
    enough = counted((1, "low", 8, 40), (0, "low", 8, 40), (1, "high", 9, 40), (0, "high", 9, 40))
    assert model(enough).status == "ok" and model(enough).settings["adjusted_for"] == ("risk",)


def test_a_value_that_decides_the_event_separates() -> None:
    arms = counted((1, "low", 0, 40), (0, "low", 0, 40), (1, "high", 20, 40), (0, "high", 20, 40))
    assert said(model(arms), "separated") and model(arms).estimate is None
    assert stratified(arms).status == "ok"


def test_five_specialists_or_no_clustered_error() -> None:
    cells = ((1, "low", 20, 60), (0, "low", 25, 60), (1, "high", 30, 60), (0, "high", 25, 60))
    four, twelve = counted(*cells, specialists=4), counted(*cells, specialists=12)
    assert model(four).interval is None and said(model(four), "model_needs_clusters")
    assert said(stratified(four), "too_few_clusters") and stratified(four).status == "too_small"
    assert model(twelve).interval is not None and said(model(twelve), "few_clusters")
    assert model(twelve).settings["correction"] == "CR2" and 4 < model(twelve).settings["df"] < 12


def test_weights_that_leave_less_than_half_are_said() -> None:
    # Nineteen in twenty of the high risks are in person, nineteen in twenty of the low ones virtual.
    arms = counted((1, "low", 95, 188), (0, "low", 5, 12), (1, "high", 5, 12), (0, "high", 95, 188))
    row = next(r for r in weighted(HEADLINE, arms, STRATA) if (r.method, r.measure) == ("aipw", "difference"))
    assert said(row, "few_effective") and row.settings["effective_virtual"] < 100


# -- verdicts -------------------------------------------------------------------------------------------------------


def answer(low: float, high: float, **changes: Any) -> Comparison:
    """A comparison whose primary interval is given."""
    row = Estimate(
        "standardised", "difference", "comparison_window", (low + high) / 2, Interval(low, high), 0.2, 800
    )
    values: dict[str, Any] = {
        "metric": "any_must_deficiency", "label": "", "kind": "proportion", "role": "detection", "unit": "validation",
        "harmful": "lower", "margin": 0.05, "margin_scale": "difference", "margin_source": "illustrative",
        "measure": "difference", "arms": {m: Arm(m, m, 400, 200, 0.5) for m in NAMES}, "estimates": (row,),
        "primary": "standardised", "verdict": "cannot_tell",
    }  # fmt: skip
    return Comparison(**values | changes)


def judged(
    shared: float = 1.0, adjustable: bool = True, apart: bool = False, **changes: Any
) -> tuple[str, tuple[str, ...]]:
    return verdict_of(HEADLINE, answer(-0.03, 0.02, **changes), shared, adjustable, apart, None, 800)


def test_diagnostics_forbid_a_verdict() -> None:
    assert judged()[0] == "as_good"
    assert judged(shared=0.79)[1][0] == "poor_positivity" and judged(shared=0.79)[0] == "not_comparable"
    assert judged(apart=True)[1][0] == "unbalanced" and judged(apart=True)[0] == "not_comparable"
    assert judged(adjustable=False)[1][0] == "nothing_to_adjust_for"
    empty = {mode: Arm(mode, mode, 0, 0) for mode in NAMES}
    assert judged(arms=empty) == ("too_few", ("nothing_to_count",))
    assert verdict_of(HEADLINE, answer(-0.03, 0.02, arms=empty), None, True, False, None, 0)[1] == (
        "empty_selection",
    )


def test_positivity_counts_virtual_validations_with_a_counterpart() -> None:
    frame = pd.DataFrame(
        [("virtual", "low", 79), ("virtual", "high", 21), ("in_person", "low", 50)],
        columns=["mode", "risk", "n"],
    )
    assert (
        positivity(comparison_window(frame.assign(quarter=1, kind="initial", location="domestic")).rows)
        == 0.79
    )


def test_an_interval_wider_than_the_margin_lacks_power() -> None:
    assert lacks_power(answer(-0.07, 0.04)) and not lacks_power(answer(-0.06, 0.03))
    assert not lacks_power(answer(-0.07, 0.04, verdict="too_few")) and not lacks_power(
        answer(-0.07, 0.04, margin=None)
    )
    ratio = Estimate("mantel_haenszel", "ratio", "comparison_window", 1.0, Interval(0.85, 1 / 0.85), 1.0, 800)
    times = {"measure": "ratio", "margin_scale": "ratio", "estimates": (ratio,), "primary": "mantel_haenszel"}
    assert lacks_power(answer(0, 0, margin=1.1, **times)) and not lacks_power(
        answer(0, 0, margin=1.2, **times)
    )
    # A margin of 1 has no width that an interval could have.
    assert not lacks_power(answer(0, 0, margin=1.0, **times))


# -- what was never looked at ------------------------------------------------------------------------------------------


def window_with(not_verified: int, of: int = 1000) -> Any:
    frame = pd.DataFrame({"mode": ["virtual", "in_person"], "n": [50, 50], "quarter": 8082, "risk": "low"})
    frame = frame.assign(
        kind="initial", location="domestic", n_not_verified=[not_verified, 10], n_verifiable=of
    )
    return comparison_window(frame)


@pytest.mark.parametrize(
    ("not_verified", "reasons"),
    [
        (50, ()),
        (51, ("mostly_unseen",)),
        (200, ("mostly_unseen",)),
        (201, ("mostly_unseen", "rarely_assessed")),
    ],
)
def test_much_unseen_is_said_of_what_is_found(not_verified: int, reasons: tuple[str, ...]) -> None:
    dataset: Any = SimpleNamespace(criteria_asked=True, present=lambda column: ())
    for metric in ("any_must_deficiency", "deficiency_rate", "passed", "critical_findings"):
        assert unseen(metrics()[metric], dataset, None, window_with(not_verified), None) == reasons
    for metric in ("closed_on_time", "not_verified_rate", "hours", "repeat_rate"):
        assert unseen(metrics()[metric], dataset, None, window_with(not_verified), None) == ()
    assert all(words(code) for code in reasons)


def test_nothing_verifiable_at_all_is_no_division() -> None:
    dataset: Any = SimpleNamespace(criteria_asked=True, present=lambda column: ())
    assert unseen(HEADLINE, dataset, None, window_with(0, of=0), None) == ()
    assert np.isfinite(window_with(0, of=0).rows["n_verifiable"]).all()
