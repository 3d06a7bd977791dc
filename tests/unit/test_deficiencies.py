"""Deficiencies: what is refused and why, the artefact of the catalogue, intervals, suppression, the known truth."""

from __future__ import annotations

import datetime as dt
import json
import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from analysis import AnalysisError, Dataset, Selection, deficiencies, figure, open_dataset
from analysis.charts.drawn_tables import bar
from analysis.cli import main
from analysis.counts import counts
from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import read_mapping
from analysis.questions.deficiency_categories import deficiencies_by_category
from analysis.questions.deficiency_modes import criteria_by_mode, reasons_by_mode
from analysis.questions.deficiency_records import (
    CategoryRow,
    CriterionRow,
    Deficiencies,
    LevelRow,
    ReasonRow,
    Row,
)
from analysis.questions.deficiency_seen import seen_by_mode
from analysis.questions.deficiency_trends import category_trends
from analysis.results import Interval
from analysis.suppression.deficiencies import suppressed_deficiencies

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "data" / "demo"
NOTHING = Selection(start=dt.date(2035, 1, 1))
RATES = {
    "rate",
    "low",
    "high",
    "shrunken_rate",
    "shrunken_low",
    "shrunken_high",
    "rank",
    "rank_low",
    "rank_high",
    "in_top_ten",
}
SMALL = range(1, 5)


@pytest.fixture(scope="module")
def unasked(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Inspections of which nobody knows which standards were looked at, without levels or reasons."""
    out = tmp_path_factory.mktemp("unasked") / "inspections"
    mapping = read_mapping(ROOT / "data" / "mappings" / "osha_prisons.toml")
    import_dataset([ROOT / "tests" / "data" / "inspections.csv"], mapping, out)
    return open_dataset(out)


# -- what is answered, and what is not ---------------------------------------------------------------


def test_a_row_says_count_n_share_rate_and_limits(demo: Dataset) -> None:
    for by in ("criterion", "category", "reason"):
        answer = deficiencies(demo, by).to_dict()
        assert set(answer) == {"rows", "n", "deficiencies", "caveats", "sentence"}
        for row in answer["rows"]:
            assert {"count", "n", "share", "low", "high"} <= set(row)
            assert ("rate" in row) == (by != "reason")
            value = row["share"] if by == "reason" else row["rate"]
            assert row["low"] <= value <= row["high"]
        assert sum(row["share"] for row in answer["rows"]) == pytest.approx(1)
        assert sum(row["count"] for row in answer["rows"]) == answer["deficiencies"]


def test_without_knowing_what_was_asked_there_are_shares_and_no_rates(unasked: Dataset) -> None:
    findings = counts(unasked, "findings", [])["n"].iloc[0]
    answer = deficiencies(unasked, "criterion").to_dict()
    assert answer["caveats"] == ["criteria_asked_unknown"] and answer["deficiencies"] == findings
    for row in answer["rows"]:
        assert row["n"] is None and all(row[key] is None for key in RATES)
        assert row["share"] == row["count"] / findings
        assert "level" not in row and "seen_by" not in row
    for row in deficiencies(unasked, "category").to_dict()["rows"]:
        assert row["rate"] is row["low"] is row["n"] is row["load"] is None
        assert row["share_low"] < row["share"] < row["share_high"]
        assert not {"must", "should", "published_2021"} & set(row)
    assert deficiencies(unasked, "reason").to_dict()["caveats"] == ["column_absent"]
    assert criteria_by_mode(unasked).caveats == ("criteria_asked_unknown",)
    assert seen_by_mode(unasked).caveats == ("criteria_asked_unknown",)
    assert category_trends(unasked).measure == "share_of_validations"


def test_every_figure_draws_or_says_why_not(unasked: Dataset) -> None:
    for name in ("criteria", "categories", "trends"):
        assert figure(f"msc_deficiencies.{name}", unasked).state is None
    for name in ("rates", "seen_by", "criteria_modes", "repeats", "candidates"):
        state = figure(f"msc_deficiencies.{name}", unasked).state
        assert state is not None and "which criteria were looked at" in state.fact


def test_an_empty_selection_has_no_shares(demo: Dataset) -> None:
    for by in ("criterion", "category", "reason"):
        answer = deficiencies(demo, by, NOTHING).to_dict()
        assert answer["n"] == answer["deficiencies"] == 0
        assert answer["sentence"] == "No validations match these filters."
        assert all(row["share"] is None and row["count"] == 0 for row in answer["rows"])


def test_another_way_to_group_is_refused(demo: Dataset) -> None:
    with pytest.raises(AnalysisError, match="did you mean 'category'"):
        deficiencies(demo, "categori")


def test_a_criterion_alone_in_its_category_is_called_an_artefact(demo: Dataset) -> None:
    answer = deficiencies(demo, "criterion")
    first = answer.rows[0]
    assert isinstance(first, CriterionRow) and first.criterion_id == "8.1"
    assert answer.caveats == ("single_criterion_category",)
    assert "artefact of the catalogue" in figure("msc_deficiencies.criteria", demo).caption
    elsewhere = deficiencies(demo, "criterion", Selection(focus_areas=("Corporate Security",)))
    assert elsewhere.caveats == ()


def test_ordered_by_count_on_request(demo: Dataset) -> None:
    by_rate, by_count = (figure("msc_deficiencies.criteria", demo, order=o) for o in ("rate", "count"))
    numbers = [int(n.replace(",", "")) for n in by_count.table["Deficient"]]
    assert numbers == sorted(numbers, reverse=True)
    assert set(by_rate.table["Criterion"]) == set(by_count.table["Criterion"])
    assert list(by_rate.table["Criterion"]) != list(by_count.table["Criterion"])


# -- numbers ----------------------------------------------------------------------------------------------


def test_the_rate_of_a_category_has_an_interval_clustered_by_specialist(demo: Dataset) -> None:
    """Wilson's interval at the effective denominator, written out once more."""
    for code, row in enumerate(deficiencies(demo, "category").rows[:3]):
        assert isinstance(row, CategoryRow) and row.interval and row.rate
        names = [f"n_deficient_c{code}", f"n_assessed_c{code}"]
        rows = counts(demo, "validations", ["specialist"], sums=names, via="rows")
        y, d = (rows[name].to_numpy(float) for name in names)
        r, size, clusters = y.sum() / d.sum(), d.sum(), len(rows)
        variance = clusters / (clusters - 1) * (((y - r * d) / size) ** 2).sum()
        m = size / max(variance / (r * (1 - r) / size), 1)
        q = t.ppf(0.975, clusters - 1) ** 2
        half = math.sqrt(q * (r * (1 - r) / m + q / (4 * m * m)))
        low, high = ((r + q / (2 * m) + sign * half) / (1 + q / m) for sign in (-1, 1))
        assert (row.rate, row.interval.low, row.interval.high) == pytest.approx((r, low, high), abs=1e-12)


def test_the_published_table_stands_beside_the_whole_catalogue_only(demo: Dataset) -> None:
    rows = [row for row in deficiencies_by_category(demo, rates=False).rows if isinstance(row, CategoryRow)]
    assert sum(row.published or 0 for row in rows) == 1931
    assert [row.number for row in rows] == list(range(1, 13))
    assert rows[3].published == 248 and rows[3].published_share == pytest.approx(248 / 1931)
    part = deficiencies_by_category(demo, Selection(focus_areas=("Corporate Security",)), rates=False)
    assert all(isinstance(row, CategoryRow) and row.published is None for row in part.rows)


def test_physical_criteria_find_the_known_truth_and_documents_stay_the_control(demo: Dataset) -> None:
    with open(DEMO / "truth.toml", "rb") as file:
        truth = tomllib.load(file)["metric"]["deficiency_rate"]
    answer = seen_by_mode(demo)
    found = {a.group["seen_by"]: a.answer for a in answer.family.comparisons}
    for how in ("physical", "document"):
        row = found[how]
        assert row is not None and row.interval is not None
        assert row.interval.contains(truth[how]["ratio_all"])
    assert answer.contrast and answer.contrast.interval
    assert answer.contrast.interval.contains(truth["physical"]["ratio_all"] / truth["document"]["ratio_all"])
    assert answer.contrast.settings["clustered_by"] == "specialist_id"


def test_ways_of_seeing_count_alike_with_and_without_a_focus_area(demo: Dataset) -> None:
    areas = demo.present("focus_area")
    whole, narrowed = seen_by_mode(demo), seen_by_mode(demo, Selection(focus_areas=areas))
    for one, other in zip(whole.family.comparisons, narrowed.family.comparisons, strict=True):
        assert one.arms == other.arms
        assert one.answer and other.answer and one.answer.interval and other.answer.interval
        assert one.answer.estimate == pytest.approx(other.answer.estimate, abs=1e-12)
        # By specialist in both; the whole may take the wider error by validation, which areas do not hold.
        assert one.answer.interval.high == pytest.approx(other.answer.interval.high, rel=0.01)


def test_single_criteria_differ_only_after_the_false_discovery_rate(demo: Dataset) -> None:
    answer = criteria_by_mode(demo)
    assert answer.tested > 90 and answer.detectable and answer.typical_rate
    assert answer.typical_rate < answer.detectable < 0.05
    for row in answer.rows:
        if row.status == "ok":
            assert row.q_value is not None and row.p_value is not None and row.q_value >= row.p_value
        else:
            assert row.q_value is None and not row.differs
    assert "would be called four times in five" in figure("msc_deficiencies.criteria_modes", demo).caption


def test_reasons_by_mode_are_clustered_by_specialist(demo: Dataset) -> None:
    family = reasons_by_mode(demo)
    assert family.adjustment == "Holm" and len(family.comparisons) == 10
    for answer in family.comparisons:
        assert answer.answer and answer.answer.settings["clustered_by"] == "specialist_id"
        virtual, in_person = (answer.adjusted_arms[mode].estimate for mode in ("virtual", "in_person"))
        assert virtual is not None and in_person is not None
        assert virtual - in_person == pytest.approx(answer.answer.estimate, abs=1e-12)


def test_a_change_of_level_is_not_sought_in_fewer_than_eight_quarters(demo: Dataset) -> None:
    short = category_trends(demo, Selection(start=dt.date(2021, 1, 1), end=dt.date(2022, 9, 30)))
    assert all(row.reasons == ("too_few_periods",) and row.p_value is None for row in short.rows)
    made = figure("msc_deficiencies.trends", demo, Selection(start=dt.date(2022, 1, 1)))
    assert made.state is None and "Too few quarters" in made.title
    long = category_trends(demo)
    assert all(row.p_value is not None and row.adjusted_p is not None for row in long.rows)
    assert all((row.adjusted_p or 0) >= (row.p_value or 0) for row in long.rows)


def test_a_planted_change_is_found_where_it_was_planted(
    demo: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from analysis.questions import deficiency_trends as module

    real = module.class_counts

    def planted(*arguments: Any, **settings: Any) -> Any:
        frame = real(*arguments, **settings)
        seal = frame["category"] == "Seal Security"
        rate = np.where(frame["month"] // 3 >= 2021 * 4, 0.2, 0.05)
        return frame.assign(
            deficient=np.where(seal, np.round(frame["assessed"] * rate), frame["deficient"]).astype(int)
        )

    monkeypatch.setattr(module, "class_counts", planted)
    (row,) = [r for r in category_trends(demo).rows if r.category == "Seal Security"]
    assert row.changed and row.changed_in == 2021 * 4
    assert (row.before, row.after) == (pytest.approx(0.05, abs=0.005), pytest.approx(0.2, abs=0.005))
    assert "Q1 2021: 5.0% to 20.0%" in list(figure("msc_deficiencies.trends", demo).table["Change of level"])


# -- small counts -----------------------------------------------------------------------------------------


def told(answer: Deficiencies) -> list[int]:
    out: list[int | None] = [answer.n, answer.total]
    for row in answer.rows:
        out += [row.count, row.n]
        if row.n is not None and row.count is not None:
            out.append(row.n - row.count)
        if isinstance(row, CategoryRow):
            for level in row.levels:
                out += [level.count, level.n, None if level.n is None else level.n - (level.count or 0)]
        if isinstance(row, CriterionRow):
            out.append(row.not_verified)
    return [n for n in out if n is not None]


def held_back(answer: Deficiencies, whole: int) -> None:
    """Nothing small is told, nor left when what is told is taken from the total."""
    assert not any(n in SMALL for n in told(answer))
    hidden = [row for row in answer.rows if row.count is None]
    for row in hidden:
        given = row.to_dict()
        assert given["share"] is given["low"] is given["high"] is given.get("rate") is None
    if answer.total is not None and hidden:
        assert whole - sum(row.count or 0 for row in answer.rows) not in SMALL


counted = st.lists(st.integers(0, 30), min_size=1, max_size=8)


@given(counted)
def test_no_small_count_of_reasons_can_be_had(amounts: list[int]) -> None:
    n = sum(amounts)
    rows: list[Row] = [
        ReasonRow(f"r{i}", f"R{i}", k, n, k / n if n else None, None) for i, k in enumerate(amounts)
    ]
    rows.sort(key=lambda row: -(row.count or 0))
    held_back(suppressed_deficiencies(Deficiencies("reason", tuple(rows), 100, n, "Most often r.")), n)


@given(counted, st.data())
def test_no_small_count_of_categories_can_be_had(amounts: list[int], data: st.DataObject) -> None:
    rows: list[Row] = []
    for i, k in enumerate(amounts):
        must = data.draw(st.integers(0, k))
        n = k + data.draw(st.integers(0, 30))
        bounds = Interval(0.0, 1.0)
        levels = (LevelRow("must", must, n, 0.5, bounds), LevelRow("should", k - must, n, 0.5, bounds))
        rows.append(CategoryRow(f"c{i}", f"C{i}", i, k, n, 0.1, bounds, 0.1, bounds, 2, k / 2, levels))
    held_back(
        suppressed_deficiencies(Deficiencies("category", tuple(rows), 100, sum(amounts), "Most c.")),
        sum(amounts),
    )


@pytest.mark.parametrize("by", ["criterion", "category", "reason"])
def test_the_command_holds_small_counts_back(
    demo: Dataset, by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [
        "deficiencies",
        str(DEMO),
        "--by",
        by,
        "--office",
        "Miami",
        "--from",
        "2022-01-01",
        "--to",
        "2022-06-30",
    ]
    assert main([*options, "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert main([*options, "--suppress", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert any(row["count"] in SMALL for row in whole["rows"])
    assert not any(row["count"] in SMALL for row in said["rows"])
    assert "suppressed" in said["caveats"]
    left = whole["deficiencies"] - sum(row["count"] or 0 for row in said["rows"])
    assert left not in SMALL
    assert main([*options, "--suppress"]) == 0
    assert said["sentence"].replace("**", "") in capsys.readouterr().out


# -- drawings ---------------------------------------------------------------------------------------------


def test_a_bar_is_as_long_as_its_share_and_the_tick_where_the_other_is() -> None:
    assert "width:50.0%" in bar(0.1, most=0.2) and "tick" not in bar(0.1, most=0.2)
    assert "left:25.0%" in bar(0.1, most=0.2, tick=0.05)
    assert bar(None, most=0.2) == ""


def test_the_grid_writes_every_share_and_no_small_column(demo: Dataset) -> None:
    made = figure("msc_deficiencies.reason_categories", demo)
    drawn = json.dumps(made.chart.to_dict())
    top = made.data.loc[made.data["share"].idxmax()]
    assert f'"words": "{top["share"] * 100:.0f}"' in drawn
    few = figure(
        "msc_deficiencies.reason_categories", demo, Selection(offices=("Miami",), start=dt.date(2022, 1, 1))
    )
    assert (few.data["n"] < 30).any() and (few.data["n"] >= 30).any()
    assert '"words": "·"' in json.dumps(few.chart.to_dict(), ensure_ascii=False)
