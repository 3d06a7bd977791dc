"""Whom a comparison speaks of, and when it must not speak."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest

from analysis import Dataset, Selection, compare, wording
from analysis.metrics import metric
from analysis.questions.memo import Memo
from analysis.questions.tallies import (
    adjusted_arms,
    arm_of,
    crude,
    effective_sizes,
    mantel_haenszel,
    stratified_rows,
    tally_counts,
    tally_rows,
)
from analysis.questions.window import comparison_window, positivity
from analysis.results import Estimate


def counted(*rows: tuple[str, int, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["mode", "quarter", "n"])
    return frame.assign(risk="low", kind="initial", location="domestic")


def test_only_quarters_in_which_both_modes_were_in_use() -> None:
    window = comparison_window(
        counted(("in_person", 1, 50), ("in_person", 2, 40), ("virtual", 2, 60), ("hybrid", 2, 3))
    )
    assert window.left_out == {"mode_hybrid": 3, "outside_comparison_window": 50}
    assert window.rows["n"].sum() == 100


def test_a_stray_record_does_not_open_a_quarter() -> None:
    window = comparison_window(
        counted(("in_person", 1, 900), ("virtual", 1, 1), ("in_person", 2, 40), ("virtual", 2, 60))
    )
    assert window.left_out == {"outside_comparison_window": 901}


def test_a_small_mode_that_was_in_use_counts() -> None:
    window = comparison_window(counted(("in_person", 1, 1), ("virtual", 1, 9)))
    assert window.left_out == {}


def test_positivity_is_the_share_of_virtual_with_a_counterpart() -> None:
    frame = counted(("in_person", 1, 10), ("virtual", 1, 30), ("virtual", 1, 10))
    frame["risk"] = ["low", "low", "high"]
    assert positivity(comparison_window(frame).rows) == pytest.approx(0.75)


def test_one_stratum_with_two_in_an_arm_weighs_like_two() -> None:
    rows = pd.DataFrame({"stratum": [0, 0], "arm": [1, 0], "n": [300, 2]})
    assert effective_sizes(rows) == pytest.approx(2)
    rows = pd.DataFrame({"stratum": [0, 0, 1, 1], "arm": [1, 0, 1, 0], "n": [100, 100, 100, 100]})
    assert effective_sizes(rows) == pytest.approx(200)


@pytest.mark.parametrize("column", ["entity_type", "field_office", "risk", "kind", "location"])
def test_a_group_answers_as_the_filter_to_it_does(demo: Dataset, column: str) -> None:
    fields = {"entity_type": "entity_types", "field_office": "offices", "risk": "risks", "kind": "kinds",
              "location": "locations"}  # fmt: skip
    whole = compare(demo, "any_must_deficiency", by=column)
    for group in whole.groups:
        alone = compare(demo, "any_must_deficiency", Selection(**{fields[column]: (group.group[column],)}))
        assert group.arms == alone.arms
        assert group.left_out == alone.left_out
        one, other = group.estimate("mantel_haenszel"), alone.estimate("mantel_haenszel")
        assert one is not None and other is not None
        assert (one.estimate, one.interval, one.n, one.status) == (
            other.estimate, other.interval, other.n, other.status,
        )  # fmt: skip


def test_further_needed_counts_validations_not_criteria(demo: Dataset) -> None:
    answer = compare(demo, "deficiency_rate", Selection(start=dt.date(2020, 7, 1)))
    if answer.verdict == "cannot_tell":
        validations = sum(arm.validations or 0 for arm in answer.arms.values())
        assert answer.further_needed is None or answer.further_needed < 1000 * validations
        assert answer.answer is not None and answer.answer.n > 10 * validations


def test_incidents_beyond_the_horizon_do_not_count_as_events(demo: Dataset) -> None:
    answer = compare(demo, "incident_within_12_months")
    assert all(arm.events is not None and arm.events < arm.n / 20 for arm in answer.arms.values())


@pytest.mark.parametrize(
    ("margin", "words"), [(0.05, "5-point"), (0.025, "2.5-point"), (0.015, "1.5-point"), (0.07, "7-point")]
)
def test_a_margin_reads_the_same_in_sentence_and_picture(demo: Dataset, margin: float, words: str) -> None:
    answer = compare(demo, "any_must_deficiency", margin=margin)
    assert words in answer.sentence
    assert wording.margin_size(margin) == words.removesuffix("-point")


WORDS_ONLY: dict[str, None] = {"estimate": None, "interval": None, "p_value": None}


def numbers_of(row: Estimate) -> list[float | None]:
    bounds = row.interval
    return [row.estimate, row.p_value, *((bounds.low, bounds.high) if bounds else ())]


@pytest.mark.parametrize("without", ["nothing", "some specialists", "all specialists", "some denominators"])
@pytest.mark.parametrize("name", ["any_must_deficiency", "deficiency_rate", "feedback_confidence"])
def test_rows_added_up_by_stratum_and_cluster_answer_the_same(
    small_demo: Dataset, name: str, without: str
) -> None:
    asked = metric(name)
    rows = tally_counts(small_demo, [asked], Selection(), modelled=False)
    every_third = np.arange(len(rows)) % 3 == 0
    if without.endswith("specialists"):
        rows = rows.assign(specialist=rows["specialist"].mask(every_third | (without[0] == "a"), -1))
    elif without != "nothing":
        cleared = [asked.counted_by.numerator, asked.counted_by.denominator]
        rows = rows.assign(
            **{of: rows[of].mask(every_third, 0) for of in rows if of.split("*")[0] in cleared}
        )
    window = comparison_window(rows)
    known = Memo()
    for part, counted_rows in (("selection", window.selection), ("rows", window.rows)):
        fine, added = (
            tally_rows(asked, counted_rows),
            stratified_rows(asked, counted_rows, known, part),
        )
        assert len(added.rows) < len(fine.rows) or without == "all specialists"
        assert crude(asked, added) == crude(asked, fine)
        for mode in ("virtual", "in_person"):
            assert arm_of(asked, added, mode, mode) == arm_of(asked, fine, mode, mode)
    for one, other in zip(
        mantel_haenszel(asked, added, window.strata),
        mantel_haenszel(asked, fine, window.strata),
        strict=True,
    ):
        assert numbers_of(one) == pytest.approx(numbers_of(other), rel=1e-12)
        assert dataclasses.replace(one, **WORDS_ONLY) == dataclasses.replace(other, **WORDS_ONLY)
    assert adjusted_arms(added, small_demo.modes) == adjusted_arms(fine, small_demo.modes)
