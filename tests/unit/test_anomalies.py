"""What deserves a second look: equal to plain pandas and statsmodels, planted oddities found, nobody named or ranked."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from analysis import Dataset, Selection, anomalies, figure, make_demo, open_dataset
from analysis.cli import main
from analysis.errors import AnalysisError
from analysis.figures import registry
from analysis.questions.anomalies_answers import copied_answers
from analysis.questions.anomalies_case_mix import expectation
from analysis.questions.anomalies_dates import odd_dates
from analysis.questions.anomalies_months import days_by_month, share_by_month
from analysis.questions.anomalies_records import Records, records_of
from analysis.questions.anomalies_seals import cloned_seals
from analysis.questions.anomalies_technology import technology
from analysis.questions.anomalies_units import units_compared
from analysis.questions.anomalies_validations import looked_through, odd_validations
from analysis.questions.anomalies_variation import lack_of_variation, varied
from analysis.reasons import REASONS
from analysis.suppression import suppressed
from tests.bench import anomalies as bench

PLANT = """[plant]
under_recording_office = "Miami"
copying_specialist = "S012"
impossible_dates = 9
cloned_seals = 8
"""
NAMED = re.compile(r"\bS\d{3}\b|\bM\d{5}\b")
"""Identifiers of specialists and members in the demo."""
LATE = Selection(start=dt.date(2020, 7, 1))
COMMON = ("importer", "highway_carrier", "foreign_manufacturer", "customs_broker", "consolidator")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("datasets")
    (folder / "plant.toml").write_text(PLANT, encoding="utf-8")
    make_demo(folder / "planted", seed=3, validations=4_000, effects=folder / "plant.toml")
    return open_dataset(folder / "planted")


@pytest.fixture(scope="module")
def hidden(planted: Dataset) -> dict[str, Any]:
    return dict(tomllib.loads((planted.path / "truth.toml").read_text(encoding="utf-8"))["planted"])


@pytest.fixture(scope="module")
def source(demo: Dataset) -> pd.DataFrame:
    """Validations of the demo with their deficiencies, from the source tables."""
    rows = pd.read_parquet(demo.path / "source" / "validations.parquet")
    findings = pd.read_parquet(demo.path / "source" / "findings.parquet")
    found = findings[findings["answer"] == "deficient"].groupby("validation_id").size()
    rows["deficient"] = rows["validation_id"].map(found).fillna(0).astype(int)
    days = pd.to_datetime(rows["conducted_on"])
    return rows.assign(quarter=days.dt.year * 4 + days.dt.quarter, day=days)


# -- offices and specialists ----------------------------------------------------------------------------


def test_expected_is_the_row_level_model(demo: Dataset, source: pd.DataFrame) -> None:
    """One row a validation in statsmodels gives what grouped counts give here, office by office."""
    rows = source[(source["day"] >= "2020-07-01") & source["entity_type"].isin(COMMON)]
    rows = rows.assign(any=(rows["deficient"] > 0).astype(int))
    columns = ["risk", "kind", "location", "mode", "entity_type", "quarter"]
    for column in columns:
        sums = rows.groupby(column)["any"].agg(["size", "sum"])
        assert (sums["size"] >= 20).all() and (sums["sum"].clip(upper=sums["size"] - sums["sum"]) >= 5).all()
    design = pd.get_dummies(rows[columns].astype(str), drop_first=True, dtype=float)
    fit = GLM(rows["any"], design.assign(one=1.0), family=Binomial()).fit()
    by_office = rows.assign(expected=fit.fittedvalues).groupby("field_office")
    answer = units_compared(
        demo, "office", "any_deficiency", Selection(start=dt.date(2020, 7, 1), entity_types=COMMON)
    )
    assert answer.columns == tuple(columns)
    assert [row.name for row in answer.rows] == sorted(by_office.groups)
    for row in answer.rows:
        own = by_office.get_group(row.name)
        assert (row.n, row.observed) == (len(own), int(own["any"].sum()))
        assert row.expected == pytest.approx(own["expected"].sum(), rel=1e-6)


def test_scores_follow_from_observed_and_expected(demo: Dataset) -> None:
    answer = units_compared(demo, "specialist", "any_must_deficiency", LATE)
    y, e, n = (
        np.array([getattr(row, c) for row in answer.rows], float) for c in ("observed", "expected", "n")
    )
    z = 2 * np.sqrt(n) * (np.arcsin(np.sqrt(y / n)) - np.arcsin(np.sqrt(e / n)))
    assert answer.tau2 is not None
    assert [row.z for row in answer.rows] == pytest.approx(z / np.sqrt(1 + 4 * n * answer.tau2))
    assert answer.phi is not None and answer.phi > 1
    # A place in the funnel is a score: beyond the 95% limits at its size exactly when |z| is beyond 1.96.
    limits = pd.DataFrame(
        [(x.size, x.low_95, x.high_95) for x in answer.limits], columns=["n", "low", "high"]
    )
    for row in answer.rows:
        assert row.adjusted is not None and row.z is not None
        low, high = (np.interp(row.n, limits["n"], limits[c]) for c in ("low", "high"))
        if abs(abs(row.z) - 1.96) > 0.05:
            assert (not low <= row.adjusted <= high) == (abs(row.z) > 1.96)


def test_units_stand_in_order_of_name_and_small_ones_are_pooled(demo: Dataset, source: pd.DataFrame) -> None:
    selection = Selection(start=dt.date(2022, 7, 1))
    answer = units_compared(demo, "specialist", selection=selection)
    names = [row.name for row in answer.rows]
    assert names == sorted(names) and all(re.fullmatch(r"S-\d\d", name) for name in names)
    size = source[source["day"] >= "2022-07-01"].groupby("specialist_id").size()
    assert answer.pooled_units == (size < 10).sum() > 0
    assert answer.pooled is not None and answer.pooled.n == size[size < 10].sum()
    assert sorted(row.n for row in answer.rows) == sorted(size[size >= 10])


def test_pseudonyms_stay_under_every_filter(demo: Dataset) -> None:
    whole = {row.name: row.n for row in units_compared(demo, "specialist").rows}
    miami = {
        row.name: row.n
        for row in units_compared(demo, "specialist", selection=Selection(offices=("Miami",))).rows
    }
    assert miami and miami.items() <= whole.items()
    order = sorted(records_of(demo, Selection()).pseudonyms.items())
    assert [name for _, name in order] != sorted(name for _, name in order)


def test_an_office_is_compared_with_all_whatever_the_filter(demo: Dataset) -> None:
    everyone = units_compared(demo, "office", selection=LATE)
    chosen = units_compared(demo, "office", selection=Selection(offices=("Miami",), start=LATE.start))
    assert [row.z for row in chosen.rows] == [row.z for row in everyone.rows]
    assert [row.name for row in chosen.rows if row.chosen] == ["Miami"]
    assert "office_compared_with_all" in chosen.caveats


def test_too_few_units_are_never_called_unusual(demo: Dataset) -> None:
    answer = units_compared(demo, "office", selection=Selection(entity_types=("rail_carrier",)))
    assert "too_few_units" in answer.caveats
    assert answer.tau2 is None and not answer.flagged and all(row.z is None for row in answer.rows)


def test_a_model_that_cannot_be_fitted_is_made_smaller() -> None:
    rows = pd.DataFrame(
        {
            "risk": ["low", "high"] * 40,
            "kind": "initial",
            "location": None,
            "mode": "virtual",
            "quarter": range(80),
        }
    ).assign(y=[0, 1] * 40, d=1)
    found = expectation(rows.assign(entity_type="importer"), "y", "d")
    # Risk tells the outcome for certain: no model of it exists, so the share of all is expected.
    assert found.columns == () and found.caveats == ("model_reduced",)
    assert found.expected == pytest.approx(np.full(80, 0.5))


# -- months ---------------------------------------------------------------------------------------------


def test_months_are_those_of_plain_pandas(demo: Dataset, source: pd.DataFrame) -> None:
    answer = share_by_month(demo, "any_deficiency")
    month = source["day"].dt.year * 12 + source["day"].dt.month - 1
    by_month = (source["deficient"] > 0).groupby(month).agg(["size", "sum"])
    assert [(r.month, r.n, r.count) for r in answer.rows] == [
        (int(m), int(r["size"]), int(r["sum"])) for m, r in by_month.iterrows()
    ]
    assert [row.drawn for row in answer.rows] == list(by_month["size"] >= 30)
    assert answer.undrawn == (by_month["size"] < 30).sum() == 3
    # Two phases, each with Laney's limits of its own.
    assert [phase.first for phase in answer.phases] == [2018 * 12, 2020 * 12 + 6]
    for number, phase in enumerate(answer.phases):
        own = by_month[
            (by_month.index >= phase.first) & (by_month.index <= phase.last) & (by_month["size"] >= 30)
        ]
        p = own["sum"].sum() / own["size"].sum()
        sigma = np.sqrt(p * (1 - p) / by_month["size"])
        z = (
            ((by_month["sum"] / by_month["size"] - p) / sigma)
            .where(by_month["size"] >= 30)
            .loc[phase.first : phase.last]
        )
        sigma_z = z.diff().abs().mean() / 1.128
        assert phase.centre == pytest.approx(p)
        for row in answer.rows:
            if row.phase == number and row.drawn:
                assert row.high == pytest.approx(min(1, p + 3 * sigma_z * sigma[row.month]))


def test_medians_of_days_count_open_reports_as_waiting(demo: Dataset, source: pd.DataFrame) -> None:
    answer = days_by_month(demo)
    month = source["day"].dt.year * 12 + source["day"].dt.month - 1
    waits = (pd.to_datetime(source["reported_on"]) - source["day"]).dt.days
    for row in answer.rows[:-3]:
        if row.drawn:
            own = waits[month == row.month]
            assert row.value == pytest.approx(own.fillna(10_000).median(), abs=0.5)
    values = [row.value for row in answer.rows if row.drawn and row.phase == 1]
    assert answer.phases[1].centre == pytest.approx(np.mean(values))


def test_few_months_are_provisional(demo: Dataset) -> None:
    assert share_by_month(demo, selection=Selection(start=dt.date(2022, 1, 1))).caveats == ("few_periods",)
    assert (
        share_by_month(demo, selection=Selection(modes=("in_person",), end=dt.date(2019, 12, 31))).caveats
        == ()
    )


# -- single validations ---------------------------------------------------------------------------------


def records(rows: list[dict[str, Any]], answers: list[tuple[int, str, str, float | None]] = []) -> Records:  # noqa: B006  # read only
    """Records made by hand: each validation an ordinary one but for what is given."""
    usual: dict[str, Any] = {
        "member": 0, "specialist": 0, "field_office": "Miami", "risk": "low", "kind": "initial", "location": "domestic",
        "mode": "in_person", "entity_type": "importer", "quarter": 8080, "month": 24240, "day": 18_264,
        "reported_day": 18_290, "closed_day": None, "left_day": None, "hours": 8.0, "n": 1, "n_deficient": 1,
        "n_assessed": 80, "n_not_verified": 0, "n_verifiable": 80, "any_deficiency": 1, "has_assessed": 1,
        "any_must_deficiency": 1, "has_must_assessed": 1,
    }  # fmt: skip
    made = [
        usual | {"validation_row": i, "validation_id": f"V{i:03}", "member": i} | row
        for i, row in enumerate(rows)
    ]
    frame = pd.DataFrame(made)
    dates = ["reported_day", "closed_day", "left_day"]
    frame = frame.astype(dict.fromkeys(dates, "Int32"))
    found = pd.DataFrame(answers, columns=["validation_row", "criterion_id", "answer", "corrected_day"])
    return Records(frame, found.astype({"corrected_day": "Int32"}), {i: f"S-{i + 1:02}" for i in range(9)})


def reasons_for(found: Records, row: int) -> set[str]:
    answer = looked_through(found)
    return {r.code for odd in answer.rows if odd.validation_id == f"V{row:03}" for r in odd.reasons}


def spread(n: int = 200) -> list[dict[str, Any]]:
    """Ordinary validations: Mondays to Fridays, hours that vary."""
    draw = np.random.default_rng(2)
    weekdays = [18_263 + i for i in range(3 * n) if (i % 7) not in (2, 3)][:n]
    return [
        {
            "day": day,
            "reported_day": day + 20,
            "hours": float(h),
            "n_deficient": int(k),
            "specialist": i % 9,
            "n_not_verified": i % 3,
        }
        for i, (day, h, k) in enumerate(
            zip(weekdays, np.exp(draw.normal(2, 0.6, n)).round(1), draw.poisson(1.3, n), strict=True)
        )
    ]


def test_ordinary_validations_are_not_odd() -> None:
    found = records(spread())
    assert looked_through(found).flagged == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"n_deficient": 0, "hours": 1.2}, "nothing_found_fast"),
        ({"n_deficient": 2, "hours": 0.3}, "short_visit"),
        ({"n_deficient": 14}, "many_findings"),
        ({"n_not_verified": 30}, "many_not_verified"),
        ({"reported_day": 18_264, "day": 18_264}, "reported_same_day"),
        ({"day": 18_266, "reported_day": 18_290}, "unusual_day"),
        ({"left_day": 18_000}, "after_leaving"),
    ],
)
def test_each_oddity_is_named(change: dict[str, Any], code: str) -> None:
    rows = spread()
    rows[77] = {**rows[77], **change}
    assert reasons_for(records(rows), 77) == {code}


def test_few_findings_need_a_high_expectation() -> None:
    rows = spread(400)
    for i, row in enumerate(rows):
        row |= {"risk": "high" if i % 2 else "low", "n_deficient": 14 + i % 3 if i % 2 else 1}
    rows[77] |= {"n_deficient": 0}
    assert reasons_for(records(rows), 77) == {"few_findings"}


def test_what_is_common_is_the_custom() -> None:
    rows = spread()
    for row in rows[:40]:
        row |= {"reported_day": row["day"]}
    for i, row in enumerate(rows[60:100]):
        row |= {"day": 18_266 + 7 * i, "reported_day": 18_266 + 7 * i + 20}
    codes = {c for i in range(200) for c in reasons_for(records(rows[:120]), i)}
    assert not codes & {"reported_same_day", "unusual_day"}


def test_one_specialist_cannot_be_everywhere() -> None:
    rows = spread(300)
    for i in range(0, 54, 9):
        rows[i] |= {"day": 18_302, "reported_day": 18_322}
    found = odd_dates(records(rows))
    assert set(found) == set(range(0, 54, 9))
    assert {reason.code for reasons in found.values() for reason in reasons} == {"crowded_day"}
    for i in range(0, 54, 9):
        rows[i] |= {"mode": "virtual"}
    assert odd_dates(records(rows)) == {}


def test_corrections_outside_the_validation() -> None:
    rows = spread()
    rows[5] |= {"closed_day": 18_400}
    answers = [
        (5, "1.1", "deficient", 18_390.0),
        (5, "2.2", "deficient", 18_401.0),
        (9, "3.1", "deficient", 18_000.0),
    ]
    found = odd_dates(records(rows, answers))
    assert {row: [r.code for r in reasons] for row, reasons in found.items()} == {
        5: ["closed_before_corrected"],
        9: ["corrected_before_visit"],
    }
    assert "18 May 2020" in found[5][0].words


def answers_of(sets: dict[int, list[str]]) -> list[tuple[int, str, str, float | None]]:
    return [(row, one, "deficient", None) for row, ones in sets.items() for one in ones]


def ordinary_sets(n: int, seed: int = 3) -> dict[int, list[str]]:
    draw = np.random.default_rng(seed)
    names = [f"{i // 8 + 1}.{i % 8 + 1}" for i in range(60)]
    return {i: list(draw.choice(names, draw.integers(1, 6), replace=False)) for i in range(n)}


def test_copied_sets_are_seen_and_ordinary_ones_are_not() -> None:
    sets = ordinary_sets(200)
    assert copied_answers(records(spread(), answers_of(sets))) == {}
    for row in (0, 9, 18, 27):
        sets[row] = ["1.1", "2.4", "3.3", "7.2"]
    found = copied_answers(records(spread(), answers_of(sets)))
    assert set(found) == {0, 9, 18, 27}
    assert (
        found[0].words == "The same 4 answers other than met in 4 validations of one specialist, at 4 members"
    )
    # At one and the same member the same answers are no surprise, nor are two answers.
    same_member = spread()
    for row in (0, 9, 18, 27):
        same_member[row] |= {"member": 999}
    assert copied_answers(records(same_member, answers_of(sets))) == {}
    assert copied_answers(records(spread(), answers_of({row: ["1.1", "2.4"] for row in range(200)}))) == {}


def test_a_set_that_everybody_has_is_not_copied() -> None:
    sets = ordinary_sets(200)
    for row in range(0, 200, 4):
        sets[row] = ["1.1", "2.4", "3.3", "7.2"]
    assert copied_answers(records(spread(), answers_of(sets))) == {}


def test_too_even_and_too_round_specialists_are_named() -> None:
    rows = spread(450)
    for i, row in enumerate(rows):
        if row["specialist"] == 4:
            row |= {"n_deficient": 2}
        if row["specialist"] == 7:
            row |= {"hours": float(round(row["hours"]))}
        assert i >= 0
    found = varied(records(rows))
    assert {row.name: [r.code for r in row.reasons] for row in found.flagged} == {
        "S-05": ["little_variation"],
        "S-08": ["round_hours"],
    }
    assert [row.name for row in found.rows] == sorted(row.name for row in found.rows)


# -- planted and clean programs -------------------------------------------------------------------------


def test_planted_oddities_are_found_under_their_names(planted: Dataset, hidden: dict[str, Any]) -> None:
    answer = anomalies(planted)
    ids = sorted(set(pd.read_parquet(planted.path / "source" / "validations.parquet")["specialist_id"]))
    pseudonym = records_of(planted, Selection()).pseudonyms[ids.index("S012")]
    found = bench.found_of(answer, hidden, pseudonym)
    assert found == pytest.approx(dict.fromkeys(found, 1.0), abs=0.05)
    rows = answer.to_dict()["rows"]
    by_kind = {
        what: [r for r in rows if r["what"] == what]
        for what in ("office", "specialist", "seals", "validation")
    }
    (miami,) = [row for row in by_kind["office"] if row["name"] == "Miami"]
    assert "Fewer deficiencies than chance and case mix explain" in miami["words"]
    (copier,) = [row for row in by_kind["specialist"] if row["name"] == pseudonym]
    assert {"copied_answers", "little_variation"} <= set(copier["reasons"])
    (seals,) = by_kind["seals"]
    assert seals["where"] == hidden["cloned_seals"]["terminal"] and "cloned seal" in seals["words"]
    words = {row["validation_id"]: row["words"] for row in by_kind["validation"]}
    dates = hidden["impossible_dates"]
    assert all("before its last correction" in words[one] for one in dates["closed_before_corrected"])
    assert all("Reported on the day it was conducted" in words[one] for one in dates["reported_same_day"])
    assert all("Conducted on Sunday" in words[one] for one in dates["conducted_on_sunday"])


def test_the_clean_demo_flags_little(demo: Dataset) -> None:
    answer = anomalies(demo)
    assert answer.n == 9_000
    assert len(answer.validations.rows) / answer.n <= 0.05
    assert len(answer.reasons_of("specialist")) / len(answer.specialists.rows) <= 0.05
    assert not answer.reasons_of("office") and not (answer.seals.cluster and answer.seals.cluster.flagged)
    words = answer.sentence.replace("**", "").split()
    assert len(words) <= 45 and answer.sentence.endswith("Being listed is a reason to look, not a finding.")


def test_the_kept_report_keeps_its_rules() -> None:
    kept = json.loads(bench.REPORT.read_text(encoding="utf-8"))
    assert kept["kept"] and kept["planted"] == bench.PLANT and all(kept["same_through_files"])
    assert kept["programs_planted"] >= 100 and kept["programs_clean"] >= 150
    assert all(one["mean"] >= 0.90 for one in kept["found"].values())
    flagged = kept["flagged_without_oddities"]
    assert set(flagged) >= {"validations", "specialists", "offices", "worlds_with_a_cluster_of_cloned_seals"}
    assert all(one["mean"] <= 0.05 for one in flagged.values())


def test_the_machinery_of_the_bench_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "VALIDATIONS", 1_500)
    planted, clean = bench.one_planted(10_001), bench.one_clean(1)
    assert set(planted.found) == set(bench.KINDS) | {
        "under_recording_office", "copying_specialist", "copied_validations", "cloned_seals"
    }  # fmt: skip
    made = bench.report([clean, clean], [planted, planted])
    assert made["found"]["closed_before_corrected"]["mean"] == 1.0
    assert made["flagged_without_oddities"]["validations"]["mean"] <= 0.05


# -- seals and technology -------------------------------------------------------------------------------


def test_terminals_are_counted_as_in_pandas(demo: Dataset) -> None:
    rows = pd.read_parquet(demo.path / "source" / "incidents.parquet")
    by_terminal = (rows["seal_issue"] == "cloned").groupby(rows["terminal"]).agg(["sum", "size"])
    answer = cloned_seals(demo)
    assert [(r.name, r.count, r.n) for r in answer.rows] == [
        (name, int(r["sum"]), int(r["size"])) for name, r in by_terminal.iterrows()
    ]
    assert (answer.cloned, answer.n) == (
        (rows["seal_issue"] == "cloned").sum(),
        rows["seal_issue"].notna().sum(),
    )


@pytest.mark.parametrize("column", ["platform", "tour", "field_office"])
def test_technology_is_counted_as_in_pandas(demo: Dataset, source: pd.DataFrame, column: str) -> None:
    virtual = source[source["mode"] == "virtual"]
    lost = (virtual["minutes_lost"] > 0).groupby(virtual[column]).agg(["sum", "size"])
    answer = technology(demo, column)
    found = {row.value: (row.lost, row.timed) for row in answer.rows}
    assert found == {name: (int(r["sum"]), int(r["size"])) for name, r in lost.iterrows()}
    minutes = virtual[virtual["minutes_lost"] > 0].groupby(column)["minutes_lost"].median()
    assert {row.value: row.minutes for row in answer.rows} == pytest.approx(minutes.to_dict())
    findings = pd.read_parquet(demo.path / "source" / "findings.parquet")
    unseen = findings[findings["answer"] == "not_verified"].merge(virtual, on="validation_id")
    assert {row.value: row.unseen for row in answer.rows} == unseen.groupby(column).size().to_dict()


# -- nobody is named, nothing small is shown -------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in registry() if name.startswith("anomalies.")])
def test_figures_name_nobody(planted: Dataset, name: str) -> None:
    for hide in (False, True):
        made = figure(name, planted, suppress=hide)
        assert made.state is None
        shown = [
            made.title,
            made.measure,
            made.caption,
            made.alt,
            made.html or "",
            made.to_csv(),
            made.table.to_csv(),
        ]
        shown.append(json.dumps(made.chart.to_dict()) if made.chart else "")
        assert not NAMED.search(" ".join(shown))


def test_the_command_names_nobody(planted: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["anomalies", str(planted.path), "--json"]) == 0
    text = capsys.readouterr().out
    answer = json.loads(text)
    assert set(answer) >= {"rows", "n", "caveats", "sentence"} and answer["n"] == 4_000
    assert not NAMED.search(text)
    assert {code for row in answer["rows"] for code in row["reasons"]} <= set(REASONS)
    names = [row["name"] for row in answer["specialists"]]
    assert names == sorted(names)
    assert main(["anomalies", str(planted.path)]) == 0
    assert not NAMED.search(capsys.readouterr().out)


SELECTIONS = [
    Selection(),
    Selection(offices=("Miami",), start=dt.date(2021, 1, 1)),
    Selection(entity_types=("sea_carrier", "mpto")),
    Selection(start=dt.date(2020, 3, 1), end=dt.date(2020, 9, 30)),
    Selection(risks=("high",), kinds=("initial",), start=dt.date(2022, 1, 1)),
]


def small(values: list[int | None]) -> list[int]:
    return [value for value in values if value is not None and 0 < value < 5]


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_no_small_count_is_shown_or_recoverable(planted: Dataset, selection: Selection) -> None:
    for metric, kind in itertools.product(("any_deficiency", "deficiency_rate"), ("office", "specialist")):
        whole = units_compared(planted, kind, metric, selection)
        told = suppressed(whole)
        rows = [*told.rows, *([told.pooled] if told.pooled else [])]
        assert not small([row.n for row in rows]) and not small([row.observed for row in rows])
        gone = [
            a
            for a, b in zip([*whole.rows, whole.pooled], [*told.rows, told.pooled], strict=True)
            if a and b and b.n is None
        ]
        assert len(gone) < len(rows) or (told.n, told.average) == (None, None)
        for counted in (
            ([row.n for row in gone], [row.observed for row in gone]) if len(gone) < len(rows) else ()
        ):
            assert not gone or (len(gone) > 1 and not small([sum(c or 0 for c in counted)]))
    for chart in (share_by_month(planted, "any_deficiency", selection), days_by_month(planted, selection)):
        told_chart = suppressed(chart)
        assert not small([row.n for row in told_chart.rows]) and not small(
            [row.count for row in told_chart.rows]
        )
        assert not small([(r.total or 0) - (r.count or 0) for r in told_chart.rows if r.count is not None])
    seals = suppressed(cloned_seals(planted, selection))
    assert (
        not small([row.count for row in seals.rows]) and seals.cluster is None
    ) or seals.cluster.count is None
    tech = suppressed(technology(planted, "platform", selection))
    assert not small([value for row in tech.rows for value in (row.n, row.timed, row.lost, row.unseen)])
    records_told = suppressed(lack_of_variation(planted, selection))
    assert not small(
        [v for row in records_told.rows for v in (row.deficiencies, row.round_hours, row.copied)]
    )
    odd = suppressed(odd_validations(planted, selection))
    assert odd.rows == () and not small([odd.flagged, *odd.by_reason.values()])
    answer = suppressed(anomalies(planted, selection)).to_dict()
    assert not [row for row in answer["rows"] if row["what"] == "validation"]
    assert not small([row.get("count") for row in answer["rows"]])


def test_a_dataset_of_incidents_alone_has_nothing_to_compare(tmp_path: Path, planted: Dataset) -> None:
    made = figure("anomalies.offices", planted, Selection(start=dt.date(2035, 1, 1)))
    assert made.state is not None and made.state.kind == "empty"
    answer = anomalies(planted, Selection(start=dt.date(2035, 1, 1)))
    assert answer.sentence == "No validations match these filters." and answer.caveats == ("empty_selection",)
    assert answer.to_dict()["rows"] == []


def test_too_many_to_be_looked_through_one_by_one_are_said_to_be(
    small_demo: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.questions.anomalies_records.MOST_ANSWERS_OF", 599)
    some = anomalies(small_demo)
    assert "answers_not_looked_through" in some.caveats and some.n == 600
    assert "copied_answers" not in some.validations.by_reason
    monkeypatch.setattr("analysis.questions.anomalies_records.MOST", 599)
    with pytest.raises(AnalysisError, match=r"^600 validations are too many .* choose a period"):
        anomalies(small_demo)
    # Filters that leave fewer are what mends it; an office is none, since offices are compared with one another.
    assert anomalies(small_demo, Selection(modes=("virtual",))).n
    with pytest.raises(AnalysisError):
        anomalies(small_demo, Selection(offices=(small_demo.present("field_office")[0],)))
