"""Where the modes differ: groups and their spread, classes and single criteria, and the mix behind a crude difference."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import Dataset, Selection, compare, figure, open_dataset
from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import parsed_mapping
from analysis.questions.deficiency_modes import criteria_by_mode
from analysis.questions.differences import differences
from analysis.questions.differences_criteria import answers_by_validation, criteria_evidence
from analysis.questions.differences_mix import mix
from analysis.questions.differences_seen import seen_classes
from analysis.questions.window import in_shared_strata
from analysis.results import Arm
from analysis.stats.exact_rates import rate_ratio_exact
from tests.recount import Recount

NOTHING = Selection(start=dt.date(2035, 1, 1), end=dt.date(2035, 12, 31))


# By office: passed and all validations done virtually, passed and all done in person.
APART = {"North": (320, 400, 200, 400), "South": (200, 400, 320, 400), "West": (260, 400, 260, 400)}
ALIKE = {f"Alike {i}": (60 + i, 200, 80 + i, 200) for i in range(4)}
FEW = {"Few": (3, 5, 2, 4)}


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A dataset of one quarter with offices whose differences are known."""
    folder = tmp_path_factory.mktemp("offices")
    counts = APART | ALIKE | FEW
    rows = [
        {"field_office": office, "mode": mode, "outcome": "passed" if i < events else "actions_required"}
        for office, (y1, n1, y0, n0) in counts.items()
        for mode, events, n in (("virtual", y1, n1), ("in_person", y0, n0))
        for i in range(n)
    ]
    frame = pd.DataFrame(rows)
    number = pd.Series([f"{i:05}" for i in range(len(frame))])
    frame = frame.assign(
        validation_id="V" + number,
        member_id="M" + number,
        entity_type="importer",
        risk="low",
        conducted_on="2021-05-01",
    )
    frame.to_csv(folder / "rows.csv", index=False)
    mapping = {
        "name": "Offices",
        "completeness": {"criteria_asked": False},
        "vocabulary": {"field_office": "from_source"},
        "tables": {"validations": {"columns": {column: column for column in frame}}},
    }
    import_dataset([folder / "rows.csv"], parsed_mapping(mapping), folder / "dataset")
    return open_dataset(folder / "dataset")


def independent_variance(arm: Arm) -> float:
    """Of a share of independent validations, with half an event added to both sides."""
    assert arm.estimate is not None
    p = (arm.estimate * arm.n + 0.5) / (arm.n + 1)
    return p * (1 - p) / arm.n


# -- groups ---------------------------------------------------------------------------------------------------


def test_planted_differences_are_beyond_chance(offices: Dataset) -> None:
    chosen = Selection(offices=tuple(APART))
    found = differences(offices, "passed", chosen, by="field_office")
    assert found.spread is not None and found.spread.beyond_chance and found.spread.p_value is not None
    assert found.spread.p_value < 1e-10 and found.odds_ratio_p is not None and found.odds_ratio_p < 1e-10
    assert [effect.label for effect in found.effects] == ["South", "West", "North"]
    assert "more spread than chance makes" in found.sentence and "no more" not in found.sentence
    assert "from −30.0 to +30.0 points" in found.sentence and "n = 2,400" in found.sentence
    # Almost nothing of so wide a spread is chance: hardly anything is shrunken.
    for effect in found.effects:
        assert effect.shrunken is not None and effect.row is not None and effect.row.estimate is not None
        assert effect.own_weight is not None and effect.own_weight > 0.95
        assert abs(effect.shrunken) <= abs(effect.row.estimate) + 1e-12
    assert "no more" not in figure("virtual_vs_in_person.groups", offices, chosen, metric="passed").title


def test_equal_differences_are_not(offices: Dataset) -> None:
    found = differences(offices, "passed", Selection(offices=tuple(ALIKE)), by="field_office")
    assert found.spread is not None and not found.spread.beyond_chance
    assert "no more spread than chance makes" in found.sentence and "shrunken all −10.0" in found.sentence
    assert {effect.shrunken for effect in found.effects} == {found.spread.mean}
    assert "fully_pooled" in found.caveats and found.spread.tau == 0 and found.spread.i2 == 0


def test_two_groups_are_compared_and_not_shrunken(offices: Dataset) -> None:
    chosen = Selection(offices=("Alike 0", "Alike 3"))
    found = differences(offices, "passed", chosen, by="field_office")
    assert found.caveats == ("too_few_groups",) and found.spread is not None and found.spread.df == 1
    assert found.spread.tau is None and found.spread.mean is None and found.spread.prediction is None
    assert all(effect.shrunken is None for effect in found.effects)
    made = figure("virtual_vs_in_person.groups", offices, chosen, metric="passed")
    assert "nothing is shrunken" in made.caption and made.table["Shrunken"].tolist() == ["–", "–"]


def test_one_group_has_nothing_to_compare_with(offices: Dataset) -> None:
    chosen = Selection(offices=("Alike 0", "Few"))
    found = differences(offices, "passed", chosen, by="field_office")
    assert found.spread is None and found.caveats == ("too_few_groups",) and found.sentence == ""
    made = figure("virtual_vs_in_person.groups", offices, chosen, metric="passed")
    assert made.state is None and "too few groups" in made.title


def test_the_spread_is_that_of_the_groups_shown(demo: Dataset) -> None:
    """Cochran's Q and the moment estimate of τ², written out from what `compare` answers by entity type."""
    found = differences(demo, "any_must_deficiency", by="entity_type")
    groups = [
        g for g in compare(demo, "any_must_deficiency", by="entity_type").groups if g.verdict == "cannot_tell"
    ]
    rows = [g.answer for g in groups if g.answer]
    y = np.array([row.estimate for row in rows], float)
    se = np.array(
        [(row.interval.high - row.interval.low) / 2 / stats.norm.ppf(0.975) for row in rows if row.interval]
    )
    floor = [sum(independent_variance(arm) for arm in g.adjusted_arms.values()) for g in groups]
    weight = 1 / np.maximum(se**2, floor)
    q = float((weight * (y - np.average(y, weights=weight)) ** 2).sum())
    assert found.spread is not None and found.spread.df == len(rows) - 1
    assert found.spread.q == pytest.approx(q, rel=1e-9)
    assert found.spread.p_value == pytest.approx(stats.chi2.sf(found.spread.q, len(rows) - 1))
    assert found.spread.adjusted_p == pytest.approx(min(1, 5 * found.spread.p_value))
    shrunken = [effect.shrunken for effect in found.effects if effect.shrunken is not None]
    assert len(shrunken) == len(rows) and max(shrunken) - min(shrunken) < y.max() - y.min()


@pytest.mark.parametrize("by", ["entity_type", "kind"])
def test_sentences_name_effect_test_and_n(demo: Dataset, by: str) -> None:
    found = differences(demo, "deficiency_rate", by=by)
    assert len(found.sentence.split()) <= 45
    assert all(
        part in found.sentence for part in (" times", "Q = ", "p ", "over 5 looks", "n = ", " criteria")
    )


def test_ratios_are_shrunken_as_logarithms(demo: Dataset) -> None:
    found = differences(demo, "hours", by="risk")
    known = [effect for effect in found.effects if effect.shrunken is not None]
    assert found.ratio and len(known) == 3 and found.spread is not None and found.spread.mean is not None
    for effect in known:
        assert effect.row is not None and effect.row.estimate is not None and effect.own_weight is not None
        logarithm = effect.own_weight * math.log(effect.row.estimate) + (1 - effect.own_weight) * math.log(
            found.spread.mean
        )
        assert effect.shrunken == pytest.approx(math.exp(logarithm), rel=1e-12)


# -- how a criterion is seen ----------------------------------------------------------------------------------


def test_physical_criteria_differ_and_documents_stay_the_control(demo: Dataset) -> None:
    found = seen_classes(demo)
    rows = {row.how: row for row in found.rows}
    assert rows["physical"].differs and not rows["document"].differs and found.control is rows["document"]
    for row in found.rows:
        ratio, difference = row.ratio, row.difference
        assert ratio and difference and ratio.estimate is not None and difference.estimate is not None
        virtual, in_person = (row.answer.adjusted_arms[m].estimate for m in ("virtual", "in_person"))
        assert virtual is not None and in_person is not None
        assert ratio.estimate == pytest.approx(virtual / in_person) and difference.estimate == pytest.approx(
            virtual - in_person
        )
        assert ratio.settings["clustered_by"] == "specialist_id"
    assert found.sentence.startswith("Physical criteria were recorded deficient **0.65 times**")
    assert "the negative control, 0.99 times" in found.sentence and len(found.sentence.split()) <= 45
    assert "never used to correct" in figure("virtual_vs_in_person.seen_by", demo).caption


def test_few_deficiencies_have_exact_limits(demo: Dataset, small_demo: Dataset) -> None:
    chosen = Selection(offices=("Miami",))
    found = seen_classes(small_demo, chosen)
    exact = [row for row in found.rows if row.exact]
    assert exact and all(row.exact is None for row in seen_classes(demo).rows)
    applies = small_demo.applicability()
    rows, answers = answers_by_validation(small_demo, chosen, small_demo.vocabulary("criterion_id"))
    shared = in_shared_strata(rows)
    for row in exact:
        here = applies.loc[applies["seen_by"] == small_demo.code("seen_by", row.how), "criterion_id"].unique()
        of = [answers[np.ix_(here, shared.index[shared["arm"] == arm])] for arm in (1, 0)]
        limits = rate_ratio_exact(
            (of[0] == 1).sum(), (of[0] >= 0).sum(), (of[1] == 1).sum(), (of[1] >= 0).sum()
        )
        assert row.exact and row.exact.interval == limits.interval() and row.exact.estimate == limits.value()
    made = figure("virtual_vs_in_person.seen_by", small_demo, chosen)
    assert "Exact, unadjusted" in made.table.columns and "exact limits" in made.caption


# -- single criteria ------------------------------------------------------------------------------------------


def test_answers_by_validation_are_those_of_the_source(twisted_demo: Dataset) -> None:
    data = twisted_demo
    plain = Recount(data.path)
    rows, answers = answers_by_validation(data, Selection(), data.vocabulary("criterion_id"))
    ids = {row["validation_id"]: row for row in plain.validations}
    prepared = pd.read_parquet(data.path / "prepared" / "validations.parquet").set_index("validation_row")[
        "validation_id"
    ]
    assert len(rows)
    for column, key in enumerate(rows["validation_row"]):
        validation = ids[prepared[key]]
        written = {c: row["answer"] for c, row in plain.answers.get(prepared[key], {}).items()}
        asked = plain.applicable(validation["entity_type"], validation["conducted_on"])
        for line, criterion in enumerate(data.vocabulary("criterion_id")):
            expected = 0 if criterion in asked else -1
            if criterion in written:
                expected = 1 if written[criterion] == "deficient" else -1
            assert answers[line, column] == expected, (prepared[key], criterion)


def test_max_t_speaks_of_the_rows_that_are_counted(demo: Dataset) -> None:
    chosen = Selection(offices=("Miami", "Houston"), start=dt.date(2020, 7, 1))
    found = criteria_by_mode(demo, chosen)
    rows, answers = answers_by_validation(demo, chosen, [row.criterion_id for row in found.rows])
    for row, line in zip(found.rows, answers, strict=True):
        for mode, arm in (("virtual", 1), ("in_person", 0)):
            here = line[(rows["arm"] == arm).to_numpy()]
            assert ((here == 1).sum(), (here >= 0).sum()) == (row.counts[mode], row.totals[mode])


def test_evidence_is_reproducible_and_within_bounds(demo: Dataset) -> None:
    one, again = (criteria_evidence(demo, draws=499) for _ in range(2))
    assert one.to_frame().equals(again.to_frame()) and one.draws == 499 and one.seed == 2026
    p = [row.max_t_p for row in one.rows if row.criterion.p_value is not None]
    assert len(p) == one.criteria.tested and all(v is not None and 1 / 500 <= v <= 1 for v in p)
    assert 0 < one.shuffled <= one.criteria.n
    assert len(one.sentence.split()) <= 45 and f"of {one.criteria.tested} criteria" in one.sentence


def test_called_criteria_have_wider_intervals(demo: Dataset) -> None:
    """Benjamini and Yekutieli: of R called among m at level q, intervals at 1 − R q/m."""
    found = criteria_evidence(demo, draws=99)
    called, m = found.called, found.criteria.tested
    assert called
    for row in found.rows:
        sato = row.criterion.interval
        if row not in called:
            assert row.interval == sato
            continue
        assert row.interval and sato and row.criterion.estimate is not None
        assert row.interval.level == pytest.approx(1 - len(called) * 0.05 / m)
        wider = stats.norm.isf(len(called) * 0.05 / m / 2) / stats.norm.ppf(0.975)
        assert row.interval.half_width == pytest.approx(sato.half_width * wider)


def test_max_t_is_left_out_of_what_is_too_large(demo: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.questions.differences_criteria.MOST_VALIDATIONS", 1000)
    found = criteria_evidence(demo)
    assert "too_many_to_shuffle" in found.caveats and not found.draws and found.called
    assert "max-T" not in found.sentence


def test_a_dataset_prepared_earlier_is_told_to_import_again(small_demo: Dataset, tmp_path: Path) -> None:
    shutil.copytree(small_demo.path, tmp_path / "old")
    path = tmp_path / "old" / "prepared" / "findings.parquet"
    pd.read_parquet(path).drop(columns="validation_row").to_parquet(path)
    found = criteria_evidence(open_dataset(tmp_path / "old"))
    assert "import_again" in found.caveats and not found.draws
    assert all(row.max_t_p is None for row in found.rows)


# -- mix ------------------------------------------------------------------------------------------------------


def test_the_mix_is_recounted_from_the_source(demo: Dataset) -> None:
    found = mix(demo, "any_must_deficiency")
    frame = pd.read_parquet(demo.path / "prepared" / "validations.parquet")
    arm = frame["mode"].map({demo.code("mode", "virtual"): 1, demo.code("mode", "in_person"): 0})
    frame = frame.assign(arm=arm)[
        arm.notna() & (frame["has_must_assessed"] == 1) & (frame["quarter"] >= 2020 * 4 + 2)
    ]
    risk, kind = (dict(enumerate(demo.vocabulary(column))) for column in ("risk", "kind"))
    assert found.leading is not None and found.leading.columns == ("risk", "kind")
    assert found.n == len(frame)
    sizes = frame.groupby("arm").size()
    for level in found.levels:
        here = frame[
            (frame["risk"].map(risk) == level.values[0]) & (frame["kind"].map(kind) == level.values[1])
        ]
        by_arm = here.groupby("arm")["any_must_deficiency"].agg(["size", "sum"])
        assert (level.n_virtual, level.n_in_person) == (by_arm["size"][1], by_arm["size"][0])
        assert (level.events_virtual, level.events_in_person) == (by_arm["sum"][1], by_arm["sum"][0])
        assert level.share_virtual == pytest.approx(by_arm["size"][1] / sizes[1])
    crude = frame.groupby("arm")["any_must_deficiency"].mean()
    assert found.crude == pytest.approx(crude[1] - crude[0])


def test_all_adjustment_columns_together_carry_what_adjusting_removes(demo: Dataset) -> None:
    found = mix(demo, "any_must_deficiency")
    together = found.together
    assert (
        found.change == "attenuation"
        and together is not None
        and together.columns == ("risk", "kind", "location")
    )
    assert together.rate_effect is not None and together.mix_effect is not None and found.adjusted is not None
    assert together.rate_effect == pytest.approx(found.adjusted, abs=0.015)
    single = max(abs(part.mix_effect or 0) for part in found.parts if len(part.columns) == 1)
    assert single < abs(together.mix_effect)
    columns = {part.columns for part in found.parts if len(part.columns) == 2}
    assert columns == set(
        itertools.combinations(("risk", "kind", "location", "entity_type", "field_office"), 2)
    )


@pytest.mark.parametrize(
    ("metric", "reason"),
    [("hours", "mix_needs_shares"), ("feedback_confidence", "never_pooled"), ("would_repeat_virtual", None)],
)
def test_what_has_no_mix_says_so(demo: Dataset, metric: str, reason: str | None) -> None:
    found = mix(demo, metric)
    assert found.leading is None and not found.levels and found.reasons
    assert reason is None or reason in found.reasons
    made = figure("virtual_vs_in_person.mix", demo, metric=metric)
    assert made.state is not None and made.state.kind == "too_small"


def test_nothing_matches(demo: Dataset) -> None:
    assert mix(demo, "any_deficiency", NOTHING).reasons == ("empty_selection",)
    assert (
        criteria_evidence(demo, NOTHING).rows == () or criteria_evidence(demo, NOTHING).criteria.tested == 0
    )
    assert differences(demo, "any_deficiency", NOTHING).effects == ()


@pytest.mark.parametrize("metric", ["critical_findings", "any_must_deficiency", "closed_on_time"])
def test_the_mix_speaks_of_what_the_comparison_speaks_of(demo: Dataset, metric: str) -> None:
    """Also where a focus area narrows what some metrics count and leaves others as they are."""
    for area in demo.present("focus_area"):
        selection = Selection(focus_areas=(area,))
        compared = compare(demo, metric, selection).estimate("crude", "difference")
        assert mix(demo, metric, selection).whole == pytest.approx(compared.estimate)


def test_tables_of_groups_are_those_of_the_comparison_in_a_focus_area(demo: Dataset) -> None:
    (area, *_) = demo.present("focus_area")
    whole, narrowed = (
        differences(demo, "critical_findings", selection, by="risk")
        for selection in (Selection(), Selection(focus_areas=(area,)))
    )
    assert narrowed.odds_ratio_p is not None
    assert narrowed.odds_ratio_p == whole.odds_ratio_p, "critical findings are about whole validations"
