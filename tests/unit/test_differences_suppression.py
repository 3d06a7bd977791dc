"""Where the modes differ, without small counts: none shown, none to be had by subtraction, none in words or tables."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import Dataset, Selection, figure
from analysis.questions.comparison import compare_categories
from analysis.questions.differences import differences
from analysis.questions.differences_criteria import criteria_evidence
from analysis.questions.differences_mix import mix
from analysis.questions.differences_records import Mix, MixLevel, MixOf
from analysis.questions.differences_seen import seen_classes
from analysis.results import Arm, Comparison
from analysis.suppression import suppressed

SMALL = range(1, 5)
SELECTIONS = [
    Selection(),
    Selection(offices=("Miami",)),
    Selection(offices=("Newark",), risks=("high",)),
    Selection(start=dt.date(2021, 1, 1), end=dt.date(2021, 3, 31)),
]
every_selection = pytest.mark.parametrize("selection", SELECTIONS, ids=["all", "office", "few", "quarter"])


def level(name: str, virtual: tuple[int, int], in_person: tuple[int, int]) -> MixLevel:
    (y1, n1), (y0, n0) = virtual, in_person
    return MixLevel((name,), name, n1, n0, y1, y0, 0.1, 0.1, 0.2, 0.2, 0.01, 0.02)


def a_mix(levels: list[MixLevel]) -> Mix:
    arms = {mode: Arm(mode, mode, 1000, 500, 0.5) for mode in ("virtual", "in_person")}
    comparison = Comparison(
        metric="passed", label="Passed", kind="proportion", role="service", unit="validation", harmful="lower", margin=None,
        margin_scale=None, margin_source="", measure="difference", arms=arms, estimates=(), primary="crude",
        verdict="described",
    )  # fmt: skip
    leading = MixOf(("risk",), 0.1, 0.04, 0.06, len(levels), 0)
    return Mix(
        comparison, 0.1, 0.1, 0.04, (leading,), leading, tuple(levels), 2000, (), "**10 points** crude."
    )


def parts(row: MixLevel) -> list[int]:
    assert row.n_virtual is not None and row.n_in_person is not None
    assert row.events_virtual is not None and row.events_in_person is not None
    return [
        row.n_virtual, row.n_in_person, row.events_virtual, row.events_in_person,
        row.n_virtual - row.events_virtual, row.n_in_person - row.events_in_person,
    ]  # fmt: skip


pairs = st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(st.lists(st.tuples(pairs, pairs), min_size=1, max_size=6))
def test_no_small_count_of_a_mix_is_shown_or_recoverable(
    tables: list[tuple[tuple[int, int], tuple[int, int]]],
) -> None:
    levels = [level(f"L{i}", *table) for i, table in enumerate(tables)]
    found = suppressed(a_mix(levels))
    if found.leading is None:
        assert not found.levels and found.sentence == "" and found.reasons == ("suppressed",)
        return
    shown = [row for row in found.levels if row.n_virtual is not None]
    assert not any(n in SMALL for row in shown for n in parts(row))
    hidden = [row for row in levels if row.values not in {s.values for s in shown}]
    if not hidden:
        assert found.leading.mix_effect == 0.06
        return
    # Their totals can be had from the arms' own: neither a lone level nor a small sum.
    assert len(hidden) > 1
    assert not any(sum(column) in SMALL for column in zip(*map(parts, hidden), strict=True))
    assert found.leading.rate_effect is None and found.leading.mix_effect is None
    assert "points" not in found.sentence


@every_selection
def test_mixes_of_the_demo(small_demo: Dataset, selection: Selection) -> None:
    found = suppressed(mix(small_demo, "any_must_deficiency", selection))
    assert not any(n in SMALL for row in found.levels if row.n_virtual is not None for n in parts(row))
    made = figure("virtual_vs_in_person.mix", small_demo, selection, suppress=True)
    assert made.state is not None or len(made.table) == len(found.levels) + 1


@every_selection
def test_groups_of_the_demo(small_demo: Dataset, selection: Selection) -> None:
    plain = differences(small_demo, "any_must_deficiency", selection, by="field_office")
    found = suppressed(plain)
    assert found.odds_ratio_p is None
    for effect in found.effects:
        for arm in effect.answer.arms.values():
            assert arm.n not in SMALL and arm.events not in SMALL and arm.n - (arm.events or 0) not in SMALL
        if not effect.answer.arms:
            assert "suppressed" in effect.answer.reasons
            assert effect.row is None and effect.shrunken is None
    if len(found.effects) == len(plain.effects) and not any(
        "suppressed" in e.answer.reasons for e in found.effects
    ):
        assert [e.value for e in found.effects] == [e.value for e in plain.effects]
    figure("virtual_vs_in_person.groups", small_demo, selection, suppress=True)


@every_selection
def test_classes_and_categories_of_the_demo(small_demo: Dataset, selection: Selection) -> None:
    classes = suppressed(seen_classes(small_demo, selection)).rows
    family = suppressed(compare_categories(small_demo, selection)).comparisons
    for answers in ([row.answer for row in classes], list(family)):
        for answer in answers:
            for arm in answer.arms.values():
                assert (
                    arm.n not in SMALL and arm.events not in SMALL and arm.n - (arm.events or 0) not in SMALL
                )
        hidden = [answer for answer in answers if "suppressed" in answer.reasons]
        assert len(hidden) != 1 or len(answers) == 1
    assert all(row.exact is None for row in classes)
    for name in ("seen_by", "categories"):
        figure(f"virtual_vs_in_person.{name}", small_demo, selection, suppress=True)
    figure("msc_deficiencies.seen_by", small_demo, selection, suppress=True)


@every_selection
def test_criteria_of_the_demo(small_demo: Dataset, selection: Selection) -> None:
    plain = criteria_evidence(small_demo, selection, draws=49)
    found = suppressed(plain)
    hidden = [row.criterion.criterion_id for row in found.rows if row.criterion.status == "suppressed"]
    assert hidden == sorted(hidden)
    for row in found.rows:
        criterion = row.criterion
        if criterion.status == "suppressed":
            assert (
                criterion.q_value is None
                and row.max_t_p is None
                and row.interval is None
                and not criterion.counts
            )
            continue
        for mode, count in criterion.counts.items():
            assert count not in SMALL and criterion.totals[mode] - count not in SMALL
    assert found.shuffled is None or plain.criteria.n - found.shuffled not in SMALL
    for name in ("virtual_vs_in_person.criteria", "msc_deficiencies.criteria_modes"):
        made = figure(name, small_demo, selection, suppress=True)
        if made.state is None:
            counts = made.data[[f"{m}_count" for m in ("virtual", "in_person")]].to_numpy().ravel()
            assert not set(counts[counts == counts]) & set(SMALL)
            assert dataclasses.asdict(made)["table"].shape[0] == len(plain.rows)
