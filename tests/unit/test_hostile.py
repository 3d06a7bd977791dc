"""Data made to break things: every question gets a sentence, and no screen a warning, NaN or a p-value of zero."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from analysis import compare, compare_all, figure, open_dataset
from analysis.charts.figure import Figure
from analysis.datasets.opening import Dataset
from analysis.figures import glance
from analysis.metrics import metrics
from analysis.questions.robustness_bounds import bounds
from analysis.reasons import REASONS
from analysis.results import Comparison
from tests.hostile import PROGRAMS, hostile_programs, period_of
from tests.situations import counted

HEADLINE = "any_must_deficiency"
FIGURES = ("verdict", "ways", "balance")
NO_WORDS = re.compile(r"\b(nan|NaN|inf|None)\b|p = 0(\.0*)?(?![\d.])")
EXPECTED = {
    "one arm empty": ("too_few", "arm_empty"),
    "everything an event": ("too_few", "too_few_events"),
    "no events": ("too_few", "too_few_events"),
    "the event is the mode": ("too_few", "separated"),
    "the event is the risk": ("too_few", "separated"),
    "the mode is the risk": ("too_few", "no_counterpart"),
    "one specialist": ("too_few", "model_needs_clusters"),
    "one specialist in an arm": ("too_few", "model_needs_clusters"),
    "nothing verified": ("too_few", "nothing_to_count"),
    "a tenth not verified": ("cannot_tell", "mostly_unseen"),
    "nothing recorded": ("not_comparable", "nothing_to_adjust_for"),
}
"""Verdict and reason of the headline metric; nothing differs in the others, and 200 validations a mode tell little."""


@pytest.fixture(scope="module")
def hostile(small_demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return open_dataset(hostile_programs(small_demo_folder, tmp_path_factory.mktemp("hostile") / "dataset"))


def sound(answer: Comparison) -> None:
    """A sentence, reasons with words, finite numbers in order, and a p-value above zero."""
    json.dumps(answer.to_dict(), allow_nan=False)
    assert answer.sentence and len(answer.sentence.split()) <= 45, answer.sentence
    assert not NO_WORDS.search(answer.sentence), answer.sentence
    for code in (*answer.reasons, *(code for row in answer.estimates for code in row.caveats)):
        assert code in REASONS, code
    for row in answer.estimates:
        assert row.p_value is None or 0 < row.p_value <= 1
        assert row.status == "ok" or row.caveats, (row.method, row.measure)
        assert (row.interval is None) == (row.status == "not_estimable"), (
            row.method,
            row.measure,
            row.caveats,
        )
        if row.interval is not None and row.estimate is not None:
            assert row.interval.low <= row.estimate <= row.interval.high
    for part in answer.groups:
        sound(part)


def shown(made: Figure) -> None:
    """No text with a number that does not exist, no chart with one."""
    words = [made.title, made.measure, made.caption, made.alt, re.sub(r"<[^>]*>", " ", made.html or "")]
    words += [str(cell) for column in made.table for cell in made.table[column]]
    words += [made.state.fact, made.state.next_step] if made.state else []
    for text in words:
        assert not NO_WORDS.search(text), text
    if made.chart is not None:
        json.dumps(made.chart.to_dict(), allow_nan=False)
    else:
        assert made.html or made.state is not None


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_question_gets_a_sentence_and_every_figure_is_drawn_or_says_why(
    hostile: Dataset, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection, answers = period_of(name), []
    monkeypatch.setattr(glance, "compare_all", lambda *asked: answers.extend(compare_all(*asked)) or answers)
    shown(figure("virtual_vs_in_person.metrics", hostile, selection))
    assert len(answers) >= len(metrics())
    headline = compare(hostile, HEADLINE, selection, by="risk")
    for answer in (*answers, headline):
        sound(answer)
    if name in EXPECTED:
        verdict, reason = EXPECTED[name]
        assert headline.verdict == verdict and reason in headline.reasons, headline.sentence
    else:
        assert headline.verdict in ("cannot_tell", "as_good"), headline.sentence
    for which in FIGURES:
        shown(figure(f"virtual_vs_in_person.{which}", hostile, selection, suppress=which != "ways"))


# -- what was never looked at ------------------------------------------------------------------------------------


def test_validations_of_which_nothing_was_verified_are_within_the_bounds(hostile: Dataset) -> None:
    """40 of 200 virtual validations have no criterion verified: outside the metric, and yet something to find."""
    selection = period_of("a tenth not verified")
    answer, found = compare(hostile, HEADLINE, selection), bounds(hostile, HEADLINE, selection)
    assert answer.arms["virtual"].n == 160 and answer.left_out["denominator_missing"] == 40
    virtual, in_person = found.arms["virtual"], found.arms["in_person"]
    assert (virtual.n, virtual.events, virtual.unseen) == (200, answer.arms["virtual"].events, 40)
    assert (in_person.n, in_person.events, in_person.unseen) == (200, answer.arms["in_person"].events, 0)
    assert found.low is not None and found.high is not None and found.high - found.low > 0.15
    assert found.first and found.caveats == ("mostly_unseen",)
    blind = bounds(hostile, HEADLINE, period_of("nothing verified"))
    assert {arm.unseen for arm in blind.arms.values()} == {200} and blind.reach is None


def test_criteria_not_assessed_bring_bounds_first_and_are_said_to_lie_outside_them(hostile: Dataset) -> None:
    selection = period_of("a quarter not assessed")
    answer = compare(hostile, HEADLINE, selection, by="risk")
    for part in (answer, *answer.groups):
        assert "rarely_assessed" in part.reasons and "mostly_unseen" not in part.reasons
    assert "rarely_assessed" not in compare(hostile, HEADLINE, period_of("ordinary")).reasons
    found = bounds(hostile, HEADLINE, selection)
    assert found.first and found.caveats == ("rarely_assessed", "not_assessed_outside")
    assert (
        REASONS["not_assessed_outside"] in figure("virtual_vs_in_person.unseen", hostile, selection).caption
    )


# -- a hundred million ------------------------------------------------------------------------------------------

TIMES = 200_000


def test_a_hundred_million_validations(small_demo: Dataset) -> None:
    """Every validation of the small demo two hundred thousand times over."""
    with counted(TIMES):
        answers = {metric: compare(small_demo, metric) for metric in metrics()}
    for metric, answer in answers.items():
        sound(answer)
        for part in answer.groups or (answer,):
            if sum(arm.validations or arm.n for arm in part.arms.values()) > 5_000_000 and part.estimates:
                assert "over_a_million" in part.reasons or part.verdict == "too_few", metric
    answer = answers[HEADLINE]
    assert sum(arm.n for arm in answer.arms.values()) > 1e8
    crude = answer.estimate("crude")
    assert crude is not None and crude.interval is not None and crude.interval.half_width < 1e-3
