"""No count of 1 to 4 is shown, nor can one be had by subtracting within one answer."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.datasets.opening import Dataset
from analysis.metrics import metrics
from analysis.questions.comparison import compare
from analysis.questions.overview import overview
from analysis.results import Arm, Comparison, Estimate, Interval, hidden_counts
from analysis.selection import Selection
from analysis.suppression.comparisons import suppressed_comparison
from analysis.suppression.statistics import suppressed_overview

SMALL = range(1, 5)
MODES = ("virtual", "in_person")


@given(st.lists(st.integers(0, 40), max_size=8))
def test_a_hidden_count_cannot_be_had_from_the_total(counts: list[int]) -> None:
    hidden = hidden_counts(counts)
    assert all(hide for hide, n in zip(hidden, counts, strict=True) if n in SMALL)
    if any(hidden) and len(counts) > 1:
        assert sum(hidden) > 1
    if not any(n in SMALL for n in counts):
        assert not any(hidden)
    alone = hidden_counts(counts, total_known=False)
    assert alone == [n in SMALL for n in counts]


def comparison(counts: list[tuple[int, int, int, int]], left_out: dict[str, int], missing: int) -> Comparison:
    """A comparison of groups given as (n virtual, events, n in person, events), with its whole."""

    def one(row: tuple[int, int, int, int], group: dict[str, str]) -> Comparison:
        arms = {
            mode: Arm(mode, mode, n, y, y / n if n else None)
            for mode, n, y in zip(MODES, row[::2], row[1::2], strict=True)
        }
        whole = row[0] + row[2]
        n = whole if group else max(whole - sum(left_out.values()) - missing, 0)
        rows = tuple(
            Estimate(method, "difference", population, 0.1, Interval(0.0, 0.2), 0.03, size)
            for method, population, size in (
                ("crude", "selection", whole), ("mantel_haenszel", "comparison_window", n)
            )
        )  # fmt: skip
        return Comparison(
            metric="m", label="M", kind="proportion", role="detection", unit="validation", harmful="lower", margin=0.05,
            margin_scale="difference", margin_source="illustrative", measure="difference", arms=arms, estimates=rows,
            primary="mantel_haenszel", verdict="as_good", left_out={} if group else left_out, group=group,
            sentence=f"Like for like, **less** (95% interval −1 to 2; n = {n:,}): as good.",
        )  # fmt: skip

    total = tuple(sum(column) for column in zip(*counts, strict=True))
    groups = tuple(one(row, {"office": str(i)}) for i, row in enumerate(counts))
    return dataclasses.replace(one(total, {}), groups=groups)


def told(answer: dict[str, Any]) -> dict[tuple[str, str], int]:
    """Counts of the arms that the JSON shows."""
    out = {}
    for mode, arm in answer["arms"].items():
        out[mode, "n"] = arm["n"]
        if arm.get("events") is not None:
            out[mode, "events"], out[mode, "others"] = arm["events"], arm["n"] - arm["events"]
    return out


def safe(answer: dict[str, Any]) -> None:
    shown = told(answer)
    assert not [n for n in shown.values() if n in SMALL]
    assert not [n for n in answer["left_out"].values() if n in SMALL]
    whole = sum(arm["n"] for arm in answer["arms"].values())
    for row in answer["estimates"]:
        if row["n"] is not None and shown:
            assert whole - row["n"] not in SMALL and row["n"] not in SMALL
    if not shown:
        assert all(row["estimate"] is None and row["n"] is None for row in answer["estimates"])
    groups = answer.get("groups", [])
    for group in groups:
        safe(group)
    if shown and groups:
        open_groups = [told(group) for group in groups if group["arms"]]
        for key, n in shown.items():
            remainder = n - sum(group.get(key, 0) for group in open_groups)
            assert remainder not in SMALL, (key, remainder)
        assert len(groups) - len(open_groups) != 1 or len(groups) == 1


pairs = st.integers(0, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
rows = st.tuples(pairs, pairs).map(lambda row: (*row[0], *row[1]))


@given(
    st.lists(rows, min_size=1, max_size=7),
    st.dictionaries(st.sampled_from(["no_counterpart", "outside_comparison_window"]), st.integers(0, 9)),
    st.integers(0, 5),
)
@settings(max_examples=400)
def test_no_small_count_is_shown_or_recoverable(
    counts: list[tuple[int, int, int, int]], left_out: dict[str, int], missing: int
) -> None:
    answer = suppressed_comparison(comparison(counts, left_out, missing))
    shown = answer.to_dict()
    safe(shown)
    hidden_n = any(row["n"] is None for row in shown["estimates"])
    assert not hidden_n or "n = " not in shown["sentence"]


def test_large_counts_are_left_alone() -> None:
    answer = comparison([(100, 50, 90, 40), (80, 20, 70, 30)], {"no_counterpart": 12}, 0)
    hidden = suppressed_comparison(answer)
    assert (hidden.arms, hidden.left_out, hidden.sentence) == (answer.arms, answer.left_out, answer.sentence)
    for row, shown in zip(answer.estimates, hidden.estimates, strict=True):
        assert (shown.estimate, shown.interval, shown.n) == (row.estimate, row.interval, row.n)


def test_an_adjusted_table_cannot_be_solved_for_its_counts(small_demo: Dataset) -> None:
    answer = suppressed_comparison(compare(small_demo, "any_must_deficiency"))
    adjusted = [row for row in answer.estimates if row.population != "selection" and row.interval]
    assert adjusted and {row.measure for row in adjusted} == {answer.measure}
    assert all(row.p_value is None for row in adjusted)
    assert not answer.adjusted_arms and not answer.series


def test_a_small_group_takes_a_companion_with_it() -> None:
    answer = suppressed_comparison(comparison([(100, 3, 90, 40), (80, 20, 70, 30), (50, 20, 60, 30)], {}, 0))
    assert [bool(group.arms) for group in answer.groups] == [False, True, False]
    assert answer.arms["virtual"].n == 230


def test_a_small_remainder_takes_the_number_it_is_the_difference_of() -> None:
    answer = suppressed_comparison(comparison([(100, 50, 90, 40)], {"no_counterpart": 3}, 0)).to_dict()
    assert answer["left_out"] == {}
    assert [row["n"] for row in answer["estimates"]] == [190, None]
    assert answer["estimates"][1]["estimate"] == 0.1 and "n = " not in answer["sentence"]


SELECTIONS = [
    Selection(),
    Selection(offices=("Miami",)),
    Selection(entity_types=("sea_carrier",)),
    Selection(offices=("Newark",), risks=("high",), locations=("foreign",)),
]


@pytest.mark.parametrize("selection", SELECTIONS, ids=["all", "office", "entity", "few"])
@pytest.mark.parametrize("metric", sorted(metrics()))
def test_real_answers_are_safe(small_demo: Dataset, metric: str, selection: Selection) -> None:
    answer = suppressed_comparison(compare(small_demo, metric, selection, by="field_office"))
    shown = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    if answer.arms or not answer.groups:
        safe(shown)
    for group in shown.get("groups", []):
        safe(group)


@pytest.mark.parametrize("selection", SELECTIONS, ids=["all", "office", "entity", "few"])
def test_key_statistics_are_safe(small_demo: Dataset, selection: Selection) -> None:
    plain = overview(small_demo, selection)
    shown = suppressed_overview(plain).to_dict()
    assert shown["n"] not in SMALL
    for row in shown["rows"]:
        count, n = row.get("count"), row.get("n")
        assert count not in SMALL and n not in SMALL
        if "share" in row and count is not None:
            assert n - count not in SMALL
        if row["unit"] == "validation" and n is not None and shown["n"] is not None:
            assert shown["n"] - n not in SMALL
        if count is None and n is None:
            assert all(row.get(key) is None for key in ("share", "rate", "median", "low", "high"))
