"""Comparisons: against plain numpy on source rows, against each other, and against their own rules."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.counts import counts
from analysis.datasets.opening import Dataset, open_dataset
from analysis.errors import AnalysisError
from analysis.metrics import Tally, metrics
from analysis.questions.comparison import GROUP_COLUMNS, compare, compare_all, compare_categories
from analysis.results import Comparison
from analysis.selection import Selection
from analysis.stats.equivalence import judge
from tests.recount import Recount
from tests.swapping import swapped

TALLIES = [m for m in metrics().values() if isinstance(m.counted_by, Tally) and not m.by]
ONE_ANSWER = [m.id for m in metrics().values() if not m.by]


@pytest.fixture(scope="module")
def answers(small_demo: Dataset) -> dict[str, Comparison]:
    return {metric: compare(small_demo, metric) for metric in metrics()}


@pytest.fixture(scope="module")
def again(small_demo: Dataset) -> Recount:
    return Recount(small_demo.path)


def parts(answer: Comparison) -> tuple[Comparison, ...]:
    return answer.groups if metrics()[answer.metric].by else (answer,)


# -- against plain Python on the source rows ------------------------------------------------------------


def rows_of(again: Recount, metric: Any, group: dict[str, str]) -> pd.DataFrame:
    """One row per validation (or response): arm, quarter, stratum, numerator, denominator."""
    tally = metric.counted_by
    frame = again.tables["feedback" if tally.table == "feedback" else "validations"].copy()
    if tally.item:
        frame = frame[frame["item"] == tally.item]
    for column, value in group.items():
        frame = frame[frame[column] == value]
    arm = frame[metric.arm_column]
    frame = frame.assign(
        arm=arm.map({"virtual": 1, "in_person": 0}), y=frame[tally.numerator], d=frame[tally.denominator],
        quarter=[day.year * 4 + (day.month - 1) // 3 for day in frame["day"]],
        stratum=[f"{r.risk}|{r.kind}|{r.location}" for r in frame.itertuples()],
    )  # fmt: skip
    return frame[frame["arm"].notna()]


@pytest.mark.parametrize("metric", [m.id for m in metrics().values() if isinstance(m.counted_by, Tally)])
def test_arms_are_those_of_the_source_rows(
    answers: dict[str, Comparison], again: Recount, metric: str
) -> None:
    definition = metrics()[metric]
    for part in parts(answers[metric]):
        rows = rows_of(again, definition, dict(part.group))
        for mode, arm in part.arms.items():
            mine = rows[(rows["arm"] == int(mode == "virtual")) & (rows["d"] > 0)]
            assert (arm.n, arm.events) == (mine["d"].sum(), mine["y"].sum()), (metric, part.group, mode)
            if arm.n:
                assert arm.estimate == pytest.approx(mine["y"].sum() / mine["d"].sum(), rel=1e-12)


@pytest.mark.parametrize("metric", [m.id for m in TALLIES if len(m.arms) == 2])
def test_stratified_difference_is_that_of_numpy_loops(
    answers: dict[str, Comparison], again: Recount, metric: str
) -> None:
    rows = rows_of(again, metrics()[metric], {})
    both = rows.groupby("quarter")["arm"].nunique()
    inside = rows[rows["quarter"].isin(both.index[both == 2]) & (rows["d"] > 0)]
    weights, gaps, used = [], [], 0
    for _, stratum in inside.groupby("stratum"):
        y1, d1 = (float(stratum.loc[stratum["arm"] == 1, name].sum()) for name in ("y", "d"))
        y0, d0 = (float(stratum.loc[stratum["arm"] == 0, name].sum()) for name in ("y", "d"))
        if d1 and d0:
            weights.append(d1 * d0 / (d1 + d0))
            gaps.append(y1 / d1 - y0 / d0)
            used += int(d1 + d0)
    row = answers[metric].estimate("mantel_haenszel", "difference")
    assert row is not None and row.estimate == pytest.approx(np.average(gaps, weights=weights), rel=1e-9)
    assert row.n == used
    left = answers[metric].left_out.get("outside_comparison_window", 0)
    assert left == (~rows["quarter"].isin(both.index[both == 2])).sum()


@pytest.mark.parametrize("column", ["hours", "days_to_report"])
def test_arms_of_times_are_those_of_the_source_rows(
    answers: dict[str, Comparison], again: Recount, column: str
) -> None:
    values = again.tables["values"]
    for mode, arm in answers[column].arms.items():
        mine = values[
            (values["metric"] == {"days_to_report": 0, "hours": 2}[column]) & (values["mode"] == mode)
        ]
        assert arm.n == len(mine)
        if column == "hours":
            assert arm.estimate == pytest.approx(np.exp(np.log(mine["value"] / 10).mean()))
        elif (mine["event"] == 1).all():
            assert arm.estimate == pytest.approx(np.minimum(mine["value"], 90).mean())


# -- swapping the modes -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mirror(small_demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return open_dataset(swapped(small_demo_folder, tmp_path_factory.mktemp("mirror") / "dataset"))


@pytest.mark.parametrize("metric", [m for m in ONE_ANSWER if len(metrics()[m].arms) == 2])
def test_swapping_the_modes_turns_every_estimate_round(
    answers: dict[str, Comparison], mirror: Dataset, metric: str
) -> None:
    one, other = answers[metric], compare(mirror, metric)
    for mode, twin in (("virtual", "in_person"), ("in_person", "virtual")):
        assert (one.arms[mode].n, one.arms[mode].events) == (other.arms[twin].n, other.arms[twin].events)
        assert one.arms[mode].estimate == pytest.approx(other.arms[twin].estimate)
    assert one.left_out == other.left_out
    for row, turned in zip(one.estimates, other.estimates, strict=True):
        if row.method == "paired":
            # In person, then virtual has no mirror image: swapped, it is virtual, then in person.
            continue
        assert (row.method, row.measure, row.n, row.status) == (
            turned.method,
            turned.measure,
            turned.n,
            turned.status,
        )
        if row.estimate is None or row.interval is None or turned.interval is None:
            assert turned.estimate is None or row.interval is None
            continue
        if row.measure in ("ratio", "odds_ratio"):
            expected = (1 / row.estimate, 1 / row.interval.high, 1 / row.interval.low)
        else:
            expected = (-row.estimate, -row.interval.high, -row.interval.low)
        assert (turned.estimate, turned.interval.low, turned.interval.high) == pytest.approx(
            expected, rel=1e-6, abs=1e-9
        )
        assert turned.p_value == pytest.approx(row.p_value, rel=1e-6)


# -- against each other -----------------------------------------------------------------------------------


def test_all_metrics_at_a_glance_are_the_same_answers(
    small_demo: Dataset, answers: dict[str, Comparison]
) -> None:
    expected = [at_a_glance(part) for metric in metrics() for part in parts(answers[metric])]
    assert [at_a_glance(part) for part in compare_all(small_demo)] == expected
    chosen = Selection(offices=("Miami", "Houston"))
    some = [at_a_glance(part) for metric in metrics() for part in parts(compare(small_demo, metric, chosen))]
    assert [at_a_glance(part) for part in compare_all(small_demo, chosen)] == some


def rounded(record: Any) -> Any:
    """An arm or estimate to twelve digits: sums depend on their order, and one pass for all groups more finely."""
    digits = {"estimate", "p_value"} & {field.name for field in dataclasses.fields(record)}
    values = {name: getattr(record, name) for name in digits}
    bounds = record.interval
    if bounds is not None:
        bounds = dataclasses.replace(bounds, low=round(bounds.low, 12), high=round(bounds.high, 12))
    return dataclasses.replace(
        record, interval=bounds, **{k: None if v is None else round(v, 12) for k, v in values.items()}
    )


def at_a_glance(answer: Comparison) -> Comparison:
    """An answer without the ways of asking that its verdict does not need, nor the last digits of its sums."""
    kept = ("crude", "mantel_haenszel", "standardised")
    return dataclasses.replace(
        answer,
        arms={mode: rounded(arm) for mode, arm in answer.arms.items()},
        adjusted_arms={mode: rounded(arm) for mode, arm in answer.adjusted_arms.items()},
        estimates=tuple(rounded(row) for row in answer.estimates if row.method in kept),
        reasons=tuple(code for code in answer.reasons if code != "not_robust"),
    )


@pytest.mark.parametrize("by", GROUP_COLUMNS)
def test_groups_add_up_to_the_whole(small_demo: Dataset, again: Recount, by: str) -> None:
    for metric in ("any_deficiency", "not_verified_rate", "hours"):
        answer = compare(small_demo, metric, by=by)
        assert [group.group for group in answer.groups] == [
            {by: value} for value in small_demo.present(by) if value in {g.group[by] for g in answer.groups}
        ]
        unknown = again.tables["validations"][by].isna().sum()
        for mode, arm in answer.arms.items():
            total = sum(group.arms[mode].n for group in answer.groups if mode in group.arms)
            assert total == arm.n or unknown
            if arm.events is not None:
                assert sum(group.arms[mode].events or 0 for group in answer.groups) == arm.events or unknown


def test_a_group_is_the_answer_to_its_filter(small_demo: Dataset) -> None:
    answer = compare(small_demo, "any_deficiency", by="risk")
    for group in answer.groups:
        alone = compare(small_demo, "any_deficiency", Selection(risks=(group.group["risk"],)))
        assert group.arms == alone.arms and group.estimates[:2] == alone.estimates[:2]


def test_metrics_asked_apart_are_never_pooled(answers: dict[str, Comparison]) -> None:
    for metric in (m for m in metrics().values() if m.by):
        answer = answers[metric.id]
        assert answer.arms == {} and all(row.estimate is None for row in answer.estimates)
        assert answer.reasons[0] == "never_pooled" and len(answer.groups) >= 2
        assert all(set(group.group) == {metric.by} for group in answer.groups)


def test_one_armed_metrics_have_no_contrast(answers: dict[str, Comparison]) -> None:
    for group in answers["would_repeat_virtual"].groups:
        assert set(group.arms) == {"virtual"} and group.estimates == () and group.verdict == "described"


def test_categories_are_one_family(small_demo: Dataset, again: Recount) -> None:
    family = compare_categories(small_demo)
    assert len(family.comparisons) == 12
    frame = again.tables["validations"]
    for answer, adjusted in zip(family.comparisons, family.adjusted_p, strict=True):
        found = frame.groupby("mode")[f"any_deficiency#{answer.group['category']}"].sum()
        assert {mode: arm.events for mode, arm in answer.arms.items()} == {m: found[m] for m in answer.arms}
        if adjusted is not None:
            assert answer.answer is not None and answer.answer.p_value is not None
            assert answer.answer.p_value <= adjusted <= 1


def test_a_family_counts_only_what_was_tested(small_demo: Dataset) -> None:
    family = compare_categories(small_demo, Selection(risks=("low",)))
    tested = [i for i, p in enumerate(family.adjusted_p) if p is not None]
    assert 0 < family.tested == len(tested) < 12
    raw = {i: family.comparisons[i].answer.p_value for i in tested}
    for i, answer in enumerate(family.comparisons):
        assert (i in tested) == (answer.verdict not in ("too_few", "not_comparable"))
    smallest = min(raw, key=lambda i: raw[i])
    assert family.adjusted_p[smallest] == pytest.approx(min(1.0, raw[smallest] * len(tested)))


# -- whom it speaks of -------------------------------------------------------------------------------------


def test_critical_findings_are_counted_from_cells_as_from_source_rows(
    small_demo: Dataset, again: Recount
) -> None:
    frame = again.tables["validations"]
    expected = (frame["any_must_deficiency"] == 1) | frame["outcome"].isin(["suspended", "removed"])
    by_mode = counts(small_demo, "validations", ["mode"], sums=["critical", "has_must_assessed"], via="cells")
    for mode, critical, known in by_mode.itertuples(index=False):
        assert critical == expected[frame["mode"] == mode].sum()
        assert known == frame.loc[frame["mode"] == mode, "has_must_assessed"].sum()


def test_a_focus_area_narrows_what_it_can_and_nothing_else(small_demo: Dataset) -> None:
    area = Selection(focus_areas=(small_demo.vocabulary("focus_area")[0],))
    whole, inside = compare(small_demo, "critical_findings"), compare(small_demo, "critical_findings", area)
    assert inside.arms == whole.arms and "focus_area_ignored" in inside.reasons
    must = compare(small_demo, "any_must_deficiency", area)
    assert must.arms["virtual"].events < whole.arms["virtual"].events


def test_what_is_left_out_of_feedback_are_answers_to_its_own_item(
    small_demo: Dataset, again: Recount
) -> None:
    answers = again.tables["feedback"]
    validations = again.tables["validations"]
    for part in compare(small_demo, "feedback_confidence").groups:
        who = part.group["respondent"]
        own = answers[(answers["item"] == "confidence") & (answers["respondent"] == who)]
        for mode in ("hybrid", "mutual_recognition"):
            assert part.left_out.get(f"mode_{mode}", 0) == (own["mode"] == mode).sum()
        given = set(answers.loc[answers["respondent"] == who, "validation_id"])
        for mode, found in part.coverage.items():
            mine = validations[validations["mode"] == mode]
            assert (found.n, found.of) == (mine["validation_id"].isin(given).sum(), len(mine))
        assert part.left_out["no_response"] == sum(found.of - found.n for found in part.coverage.values())
        assert set(part.coverage) == {"virtual", "in_person"}


def test_hours_say_how_many_validations_record_them(small_demo: Dataset, again: Recount) -> None:
    answer = compare(small_demo, "hours", by="risk")
    frame = again.tables["validations"]
    for part in (answer, *answer.groups):
        rows = frame[frame["risk"] == part.group["risk"]] if part.group else frame
        for mode, found in part.coverage.items():
            mine = rows[rows["mode"] == mode]
            assert (found.n, found.of) == (mine["hours"].notna().sum(), len(mine))
    assert compare(small_demo, "passed").coverage == {}


@pytest.mark.parametrize("metric", ["any_must_deficiency", "deficiency_rate"])
def test_a_column_with_one_value_is_not_adjusted_for(demo: Dataset, metric: str) -> None:
    answer = compare(demo, metric, Selection(risks=("low",), offices=("Miami",)))
    for method in ("mantel_haenszel", "standardised", "overlap_weighted"):
        row = answer.estimate(method)
        assert row is not None and not {"risk", "field_office"} & set(row.settings["adjusted_for"])
    assert not {"adjusted_for_part", "nothing_to_adjust_for"} & set(answer.reasons)


# -- margins and verdicts -------------------------------------------------------------------------------


def test_a_margin_moves_the_verdict_and_says_so(demo: Dataset) -> None:
    row = compare(demo, "any_deficiency").answer
    assert row is not None and row.interval is not None
    wide = compare(demo, "any_deficiency", margin=0.99)
    assert wide.verdict in ("as_good", "finds_more") and "moved_margin" in wide.reasons
    assert (wide.margin, wide.margin_source) == (0.99, "moved") and "illustrative_margin" not in wide.reasons
    assert wide.estimates == compare(demo, "any_deficiency").estimates
    worst = compare(demo, "passed", margin=0.0)
    assert worst.verdict != "as_good"


@pytest.mark.parametrize("metric", ONE_ANSWER)
def test_the_verdict_is_that_of_the_primary_interval(answers: dict[str, Comparison], metric: str) -> None:
    answer, definition = answers[metric], metrics()[metric]
    row = answer.answer
    if answer.verdict in ("too_few", "not_comparable"):
        assert answer.reasons
    elif not definition.judged or definition.margin_scale is None:
        assert answer.verdict == "described"
    else:
        assert row is not None and row.interval is not None and row.status == "ok"
        assert answer.verdict == judge(
            row.interval, harmful=definition.harmful, margin=definition.margin, margin_scale=definition.margin_scale,
            role=definition.role,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "margin"),
    [("any_deficiency", -0.1), ("any_deficiency", float("nan")), ("any_deficiency", float("inf")),
     ("any_deficiency", 5.0), ("deficiency_rate", 0.0), ("repeat_rate", 0.1), ("would_repeat_virtual", 0.1)],
)  # fmt: skip
def test_margins_without_meaning_are_refused(small_demo: Dataset, metric: str, margin: float) -> None:
    with pytest.raises(AnalysisError):
        compare(small_demo, metric, margin=margin)


def test_a_margin_of_the_program_replaces_the_illustrative_one(small_demo_folder: Path) -> None:
    dataset = open_dataset(small_demo_folder)
    dataset.margins = {"set_on": "2021-06-16", "any_deficiency": 0.5}
    answer = compare(dataset, "any_deficiency")
    assert (answer.margin, answer.margin_source) == (0.5, "set on 2021-06-16")
    assert "illustrative_margin" not in answer.reasons and "moved_margin" not in answer.reasons


def test_too_few_is_never_a_verdict_of_substance(small_demo: Dataset) -> None:
    few = Selection(offices=("Newark",), entity_types=("sea_carrier",), risks=("high",))
    for answer in compare_all(small_demo, few):
        if any(arm.n == 0 for arm in answer.arms.values()):
            assert answer.verdict in ("too_few", "described")


def test_results_are_frozen(answers: dict[str, Comparison]) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        answers["hours"].verdict = "better"
