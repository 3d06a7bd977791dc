"""An office's part of a dataset holds its rows and nobody else's, and counts as the whole does for that office."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from analysis import AnalysisError, Dataset, Selection, figure, open_dataset
from analysis.cli import main
from analysis.counts import counts
from analysis.figures import registry
from analysis.office_parts import make_part
from analysis.questions.overview import overview
from analysis.questions.program_totals import PROGRAM, program_totals
from analysis.toml import read_toml

OFFICE = "Miami"
ID_COLUMNS = {
    "validations": ("validation_id", "specialist_id"), "members": ("member_id",), "incidents": ("incident_id",),
    "feedback": ("response_id",),
}  # fmt: skip


@pytest.fixture(scope="module")
def part(small_demo: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("parts") / "miami"
    make_part(small_demo, [OFFICE], folder)
    return open_dataset(folder)


def source(dataset: Dataset, table: str) -> pd.DataFrame:
    return pd.read_parquet(dataset.path / "source" / f"{table}.parquet")


def of_others(whole: Dataset) -> set[str]:
    """Identifiers that stand in no row of the office: what may be found nowhere in its part."""
    validations, incidents = source(whole, "validations"), source(whole, "incidents")
    own = validations[validations["field_office"] == OFFICE]
    members = set(own["member_id"]) | set(incidents.loc[incidents["field_office"] == OFFICE, "member_id"])
    theirs = source(whole, "members")
    members |= set(theirs.loc[theirs["field_office"] == OFFICE, "member_id"])
    out = set(validations["validation_id"]) - set(own["validation_id"])
    out |= set(validations["specialist_id"].dropna()) - set(own["specialist_id"])
    out |= set(theirs["member_id"]) - members
    out |= set(incidents.loc[incidents["field_office"] != OFFICE, "incident_id"])
    feedback = source(whole, "feedback")
    out |= set(feedback.loc[~feedback["validation_id"].isin(own["validation_id"]), "response_id"])
    return out


def test_holds_the_rows_of_the_office_and_no_other(small_demo: Dataset, part: Dataset) -> None:
    validations = source(small_demo, "validations")
    own = validations[validations["field_office"] == OFFICE]
    assert len(own) and set(source(part, "validations")["validation_id"]) == set(own["validation_id"])
    findings = source(small_demo, "findings")
    assert len(source(part, "findings")) == findings["validation_id"].isin(own["validation_id"]).sum()
    forbidden = of_others(small_demo)
    assert len(forbidden) > 1000
    for path in sorted(part.path.rglob("*.parquet")):
        frame = pd.read_parquet(path)
        for column in frame.columns:
            if pd.api.types.is_string_dtype(frame[column]) or frame[column].dtype == object:
                found = set(frame[column].dropna().astype(str)) & forbidden
                assert not found, f"{path.name}: {column} holds {sorted(found)[:3]}"


def test_of_members_of_other_offices_only_the_kind_of_business_is_kept(
    small_demo: Dataset, part: Dataset
) -> None:
    members = source(part, "members")
    guests = members[members["field_office"] != OFFICE]
    known = guests.drop(columns=["member_id", "entity_type"])
    assert known.isna().all(axis=None)
    assert set(guests["member_id"]) <= set(source(part, "validations")["member_id"]) | set(
        source(part, "incidents")["member_id"]
    )


@pytest.mark.parametrize(
    "table, by",
    [
        ("validations", ["mode", "month", "entity_type", "risk"]),
        ("findings", ["criterion_id", "answer", "reason", "mode"]),
        ("hours", ["mode", "value"]),
        ("feedback", ["respondent", "item", "score"]),
    ],
)
def test_counts_as_the_whole_does_for_the_office(
    small_demo: Dataset, part: Dataset, table: str, by: list[str]
) -> None:
    pd.testing.assert_frame_equal(
        counts(part, table, by), counts(small_demo, table, by, Selection(offices=(OFFICE,)))
    )


def test_no_figure_of_the_part_tells_of_other_offices(small_demo: Dataset, part: Dataset) -> None:
    forbidden = of_others(small_demo) | (set(small_demo.present("field_office")) - {OFFICE})
    told = 0
    seen = _words("anomalies.validations", small_demo)[0]
    assert seen & forbidden, "the whole would tell"
    for name in registry():
        words, said = _words(name, part)
        assert not words & forbidden, name
        assert not [
            office for office in small_demo.present("field_office") if office != OFFICE and office in said
        ]
        told += len(words)
    assert told > 5000


def _words(name: str, dataset: Dataset) -> tuple[set[str], str]:
    """All that a figure says, hides in its picture and gives away."""
    made = figure(name, dataset)
    chart = json.dumps(made.chart.to_dict()) if made.chart is not None else ""
    told = (
        made.title,
        made.finding,
        made.alt,
        made.caption,
        made.html or "",
        chart,
        made.to_csv(),
        made.table.to_csv(),
    )
    said = "\n".join(told)
    return set(re.split(r"[^\w-]+", said)), said


def test_totals_of_the_program_are_those_of_the_whole(small_demo: Dataset, part: Dataset) -> None:
    answer = program_totals(part)
    whole = {statistic.id: statistic for statistic in overview(small_demo).statistics}
    told = [(own, given) for own, given in answer.rows if given is not None]
    assert len(told) >= 5
    for own, given in told:
        assert (given.count, given.n, given.value) == (
            whole[own.id].count,
            whole[own.id].n,
            whole[own.id].value,
        )
        for all_of_them, mine in ((given.count, own.count), (given.n, own.n)):
            if all_of_them is not None and mine is not None:
                assert not 0 < all_of_them < 5 and not 0 < all_of_them - mine < 5
    assert OFFICE in answer.sentence and len(answer.sentence.split()) <= 45


def test_totals_are_not_told_where_one_other_office_could_be_worked_out(
    small_demo: Dataset, tmp_path: Path
) -> None:
    all_but_one = [office for office in small_demo.present("field_office") if office != OFFICE]
    make_part(small_demo, all_but_one, tmp_path / "most")
    most = open_dataset(tmp_path / "most")
    assert read_toml(most.path / PROGRAM) == {"statistic": []}
    assert program_totals(most).caveats == ("one_other_office",)
    assert figure("overview.program", most).state is not None


def test_a_part_knows_of_what_it_is_one(small_demo: Dataset, part: Dataset, demo: Dataset) -> None:
    assert part.is_part_of(small_demo, [OFFICE])
    assert not part.is_part_of(small_demo, [OFFICE, "Newark"])
    assert not part.is_part_of(demo, [OFFICE])
    assert not small_demo.is_part_of(small_demo, [OFFICE])
    with pytest.raises(AnalysisError, match="whole dataset"):
        program_totals(small_demo)


@pytest.mark.parametrize("office", ["Atlantis", "", "'; --"])
def test_an_unknown_office_is_named_and_nothing_is_written(
    small_demo_folder: Path, tmp_path: Path, office: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["part", str(small_demo_folder), "--office", office, "--to", str(tmp_path / "part")]
    assert main(arguments) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and "no field office" in said[0]
    assert not list(tmp_path.iterdir())


def test_the_command_makes_the_same_part(
    small_demo: Dataset, part: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made"
    assert main(["part", str(small_demo.path), "--office", OFFICE, "--to", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["row_counts"] == dict(part.row_counts)
    assert open_dataset(out).is_part_of(small_demo, [OFFICE])
