"""Import: every row is kept, rejected or left out, each with a reason; and nothing is ever half written."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.counts import counts
from analysis.datasets.importing import ImportReport, import_dataset
from analysis.datasets.mapping import ImportMapping, parsed_mapping, read_mapping
from analysis.datasets.opening import Dataset, open_dataset
from analysis.errors import AnalysisError
from analysis.questions.comparison import compare
from analysis.schema import TABLES

ROOT = Path(__file__).resolve().parents[2]
INSPECTIONS = ROOT / "tests" / "data" / "inspections.csv"
OSHA = ROOT / "data" / "mappings" / "osha_prisons.toml"


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder with a digest of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


def adds_up(report: ImportReport) -> None:
    for name, table in report.tables.items():
        assert table.read == table.kept + sum(table.rejected.values()) + sum(table.left_out.values()), name
        assert sum(table.rejected.values()) == (report.rejects["table"] == name).sum()


# -- a file of somebody else's shape, counted by hand ------------------------------------------------


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImportReport, Dataset]:
    out = tmp_path_factory.mktemp("inspected") / "dataset"
    report = import_dataset([INSPECTIONS], read_mapping(OSHA), out)
    return report, open_dataset(out)


def test_inspections_are_read_kept_rejected_and_left_out_as_counted_by_hand(
    inspected: tuple[ImportReport, Dataset],
) -> None:
    report, _ = inspected
    adds_up(report)
    validations, findings, members = (report.tables[name] for name in ("validations", "findings", "members"))
    assert (validations.read, validations.kept) == (29, 16)
    assert validations.left_out == {"further row of the same validation_id": 6}
    assert validations.repaired == {
        "blanks around values removed": 6,
        "differing values in further rows: the first row's kept": 1,
    }
    assert (findings.read, findings.kept) == (29, 13)
    assert findings.left_out == {"inspection without a citation": 10, "deleted citation": 2}
    assert (members.read, members.kept) == (10, 10)
    assert members.repaired["conflicting entity types: the latest kept"] == 1


def test_rejects_name_table_row_column_value_and_rule(inspected: tuple[ImportReport, Dataset]) -> None:
    report, dataset = inspected
    named = [
        (r.table, r.row, r.column, None if pd.isna(r.value) else r.value, r.rule)
        for r in report.rejects.itertuples()
    ]
    assert named == [
        ("validations", 24, "", "", "the row does not have the header's columns"),
        ("validations", 15, "conducted_on", None, "conducted_on is required and empty"),
        ("validations", 16, "closed_on", "2012-04-01", "closed_on is before conducted_on"),
        ("validations", 17, "conducted_on", "2010-02-30", "conducted_on is not a date in the expected form"),
        ("validations", 20, "member_id", None, "member_id is required and empty"),
        ("validations", 21, "validation_id", None, "validation_id is required and empty"),
        # A blank line stands between this row and the one before it.
        ("validations", 29, "conducted_on", "01/02/2013", "conducted_on is not a date in the expected form"),
        ("findings", 24, "", "", "the row does not have the header's columns"),
        ("findings", 14, "validation_id", "107", "exact duplicate of an earlier row"),
        ("findings", 15, "validation_id", "108", "validation_id is not among the validations"),
        ("findings", 22, "criterion_id", None, "criterion_id is required and empty"),
    ]
    assert set(report.rejects["file"]) == {"inspections.csv"}
    assert len(pd.read_parquet(dataset.path / "rejects.parquet")) == 11


def test_inspections_are_counted_by_arm_as_by_hand(inspected: tuple[ImportReport, Dataset]) -> None:
    _, dataset = inspected
    found = counts(dataset, "validations", ["mode"], sums=["n", "any_deficiency", "n_deficient"])
    assert {r.mode: (r.n, r.any_deficiency, r.n_deficient) for r in found.itertuples()} == {
        "virtual": (9, 6, 8),
        "in_person": (5, 2, 3),
        "other": (2, 1, 2),
    }
    categories = counts(dataset, "findings", ["category"]).set_index("category")["n"].to_dict()
    assert categories == {"Other than serious": 7, "Serious": 4, "Repeat": 1, "Z": 1}
    criteria = counts(dataset, "findings", ["criterion_id"]).set_index("criterion_id")["n"].to_dict()
    assert criteria == {"3203A": 7, "3277D03": 1, "3314G": 2, "4650D": 1, "461a2": 1, "5162D": 1}
    assert dataset.modes["virtual"] == "Complaint" and dataset.tag != "SYNTHETIC"


def test_values_of_the_source_arrive_unchanged(inspected: tuple[ImportReport, Dataset]) -> None:
    _, dataset = inspected
    members = pd.read_parquet(dataset.path / "source" / "members.parquet").set_index("member_id")
    assert 'O\'Brien, "The" Yard; DROP TABLE members' in members.index
    assert members.loc["8 EIGHTH\nSTREET", "entity_type"] == "S"
    assert members.loc["4 FOURTH STREET", "field_office"] == "950612"


def test_modes_that_are_neither_arm_are_left_out_and_counted(inspected: tuple[ImportReport, Dataset]) -> None:
    _, dataset = inspected
    answer = compare(dataset, "any_deficiency")
    assert answer.left_out["mode_other"] == 2
    assert answer.arms["virtual"].n == 9 and answer.arms["in_person"].n == 5


# -- our own tables, exported and imported again -----------------------------------------------------


OWN_TABLES = ("members", "validations", "findings", "incidents", "incident_causes", "feedback", "criteria",
              "applicability", "field_offices")  # fmt: skip


def own_mapping(tables: dict[str, list[str]], **more: Any) -> ImportMapping:
    """A mapping in our own column names, one file per table."""
    return parsed_mapping(
        {"name": "Own", "tables": {
            name: {"file": f"{name}*.csv", "columns": {column: column for column in columns}}
            for name, columns in tables.items()
        }} | more
    )  # fmt: skip


def test_the_demo_exported_and_imported_is_the_demo(small_demo: Dataset, tmp_path: Path) -> None:
    files, columns = [], {}
    for name in OWN_TABLES:
        frame = pd.read_parquet(small_demo.path / "source" / f"{name}.parquet")
        columns[name] = list(frame.columns)
        files.append(tmp_path / f"{name}.csv")
        # Any order will do: rows are sorted by key on the way.
        frame.sample(frac=1, random_state=1).to_csv(files[-1], index=False)
    report = import_dataset(files, own_mapping(columns, as_of=small_demo.as_of), tmp_path / "again")
    adds_up(report)
    assert report.rejects.empty and not any(table.repaired for table in report.tables.values())
    for kind in ("source", "prepared", "cells"):
        made = sorted(path.name for path in (small_demo.path / kind).iterdir())
        assert sorted(path.name for path in (tmp_path / "again" / kind).iterdir()) == made
        for name in made:
            expected = pd.read_parquet(small_demo.path / kind / name)
            found = pd.read_parquet(tmp_path / "again" / kind / name)
            if kind == "source":
                keys = [key for key in TABLES[Path(name).stem].key if not expected[key].isna().all()]
                expected, found = (f.sort_values(keys, ignore_index=True) for f in (expected, found))
            pd.testing.assert_frame_equal(found, expected, check_dtype=False, obj=f"{kind}/{name}")
    again = open_dataset(tmp_path / "again")
    assert again.vocabulary("criterion_id") == small_demo.vocabulary("criterion_id")
    assert again.row_counts == small_demo.row_counts and again.period == small_demo.period


# -- every rule ---------------------------------------------------------------------------------------

MEMBERS = {"member_id": "M1", "entity_type": "importer", "tier": "2", "certified_on": "2018-01-01"}
VALIDATIONS = {
    "validation_id": "V1", "member_id": "M1", "field_office": "Miami", "mode": "virtual", "conducted_on": "2021-05-05",
    "kind": "revalidation", "risk": "low", "scheduled_on": "2021-05-01", "reported_on": "2021-05-20",
    "closed_on": "2021-06-20", "hours": "4.5", "sites": "1", "outcome": "passed", "platform": "", "minutes_lost": "",
}  # fmt: skip
FINDINGS = {"validation_id": "V1", "criterion_id": "1.1", "answer": "deficient", "due_on": "2025-01-01"}
INCIDENTS = {
    "incident_id": "I1", "occurred_on": "2021-08-01", "transport_mode": "sea", "weight": "2", "member_id": "M1",
    "internal_conspiracy": "yes",
}  # fmt: skip
CAUSES = {"incident_id": "I1", "cause": "unknown"}
FEEDBACK = {
    "response_id": "R1", "validation_id": "V1", "respondent": "member", "item": "confidence", "score": "4",
}  # fmt: skip
GOOD = {"members": MEMBERS, "validations": VALIDATIONS, "findings": FINDINGS, "incidents": INCIDENTS,
        "incident_causes": CAUSES, "feedback": FEEDBACK}  # fmt: skip
KEYS = {
    "members": "member_id",
    "validations": "validation_id",
    "incidents": "incident_id",
    "feedback": "response_id",
}

BAD: list[tuple[str, dict[str, str], str, str]] = [
    # table, what differs from a good row, column at fault, rule
    ("members", {"member_id": ""}, "member_id", "member_id is required and empty"),
    ("members", {"entity_type": "importr"}, "entity_type", "entity_type is not one of the allowed values"),
    ("members", {"tier": "7"}, "tier", "tier is not one of the allowed values"),
    ("members", {"certified_on": "2018-13-01"}, "certified_on", "certified_on is not a date in the expected form"),
    ("members", {"certified_on": "2033-01-01"}, "certified_on", "certified_on is after the as-of date"),
    ("validations", {"conducted_on": ""}, "conducted_on", "conducted_on is required and empty"),
    ("validations", {"mode": "virtul"}, "mode", "mode is not one of the allowed values"),
    ("validations", {"field_office": "Maimi"}, "field_office", "field_office is not one of the allowed values"),
    ("validations", {"conducted_on": "2020-02-30"}, "conducted_on", "conducted_on is not a date in the expected form"),
    ("validations", {"conducted_on": "2031-01-01"}, "conducted_on", "conducted_on is after the as-of date"),
    ("validations", {"scheduled_on": "2021-05-06"}, "conducted_on", "conducted_on is before scheduled_on"),
    ("validations", {"reported_on": "2021-05-04"}, "reported_on", "reported_on is before conducted_on"),
    ("validations", {"closed_on": "2021-05-10"}, "closed_on", "closed_on is before reported_on"),
    ("validations", {"reported_on": "", "closed_on": "2021-05-04"}, "closed_on", "closed_on is before conducted_on"),
    ("validations", {"hours": "four"}, "hours", "hours is not a number"),
    ("validations", {"hours": "-1"}, "hours", "hours lies outside 0 to 1000"),
    ("validations", {"hours": "1e308"}, "hours", "hours lies outside 0 to 1000"),
    ("validations", {"hours": "nan"}, "hours", "hours is not a number"),
    ("validations", {"hours": "inf"}, "hours", "hours is not a number"),
    ("validations", {"sites": "1.5"}, "sites", "sites is not a whole number"),
    ("validations", {"sites": "99999999999999999999999"}, "sites", "sites is not a whole number"),
    ("validations", {"sites": "501"}, "sites", "sites lies outside 0 to 500"),
    ("validations", {"member_id": "M404"}, "member_id", "member_id is not among the members"),
    ("validations", {"mode": "in_person", "platform": "Teams"}, "platform", "platform is filled for an in-person validation"),
    ("validations", {"mode": "in_person", "minutes_lost": "3"}, "minutes_lost",
     "minutes_lost is filled for an in-person validation"),
    ("findings", {"answer": "defcient"}, "answer", "answer is not one of the allowed values"),
    ("findings", {"criterion_id": "99.9"}, "criterion_id", "criterion_id is not among the criteria"),
    ("findings", {"criterion_id": "3.8"}, "criterion_id",
     "the criterion does not apply to this entity type on that day"),
    ("findings", {"validation_id": "V404"}, "validation_id", "validation_id is not among the validations"),
    ("findings", {"due_on": "soon"}, "due_on", "due_on is not a date in the expected form"),
    ("incidents", {"transport_mode": "highwy"}, "transport_mode", "transport_mode is not one of the allowed values"),
    ("incidents", {"weight": "0"}, "weight", "weight lies outside 1 to 1e+07"),
    ("incidents", {"internal_conspiracy": "maybe"}, "internal_conspiracy", "internal_conspiracy is neither yes nor no"),
    ("incidents", {"member_id": "M404"}, "member_id", "member_id is not among the members"),
    ("incident_causes", {"incident_id": "I404"}, "incident_id", "incident_id is not among the incidents"),
    ("incident_causes", {"cause": "bribry"}, "cause", "cause is not one of the allowed values"),
    ("feedback", {"score": "6"}, "score", "score lies outside 1 to 5"),
    ("feedback", {"score": ""}, "score", "score is required and empty"),
    ("feedback", {"respondent": "nobody"}, "respondent", "respondent is not one of the allowed values"),
    # The very first good row again, then its key with another value.
    ("members", {"member_id": "M1"}, "member_id", "exact duplicate of an earlier row"),
    ("members", {"member_id": "M1", "tier": "3"}, "member_id", "member_id occurs in an earlier row"),
    ("findings", {"answer": "not_verified", "criterion_id": "1.1", "validation_id": "V1"}, "validation_id",
     "validation_id and criterion_id occurs in an earlier row"),
]  # fmt: skip


def written(folder: Path, name: str, rows: list[dict[str, str]]) -> Path:
    path = folder / f"{name}.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(GOOD[name]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def own_files(folder: Path, rows: dict[str, list[dict[str, str]]]) -> tuple[list[Path], ImportMapping]:
    files = [written(folder, name, rows[name]) for name in GOOD if name in rows]
    columns = {name: list(GOOD[name]) for name in GOOD if name in rows}
    return files, own_mapping(columns, as_of=dt.date(2030, 1, 1))


@pytest.fixture(scope="module")
def broken_rules(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImportReport, list[int]]:
    """One import with one row for every rule, and the row number of each."""
    rows = {name: [dict(row)] for name, row in GOOD.items()}
    at = []
    for number, (table, change, _, _) in enumerate(BAD):
        row = GOOD[table] | ({KEYS[table]: f"X{number}"} if table in KEYS else {}) | change
        if table == "findings" and "criterion_id" not in change:
            row["criterion_id"] = "1.2" if "validation_id" not in change else "1.1"
        rows[table].append(row)
        at.append(len(rows[table]) + 1)
    files, mapping = own_files(tmp_path_factory.mktemp("broken"), rows)
    return import_dataset(files, mapping, files[0].parent / "out", dry_run=True), at


@pytest.mark.parametrize(
    "number", range(len(BAD)), ids=[f"{t}-{r}-{i}" for i, (t, _, _, r) in enumerate(BAD)]
)
def test_a_broken_rule_rejects_its_row(broken_rules: tuple[ImportReport, list[int]], number: int) -> None:
    report, at = broken_rules
    table, change, column, rule = BAD[number]
    mine = report.rejects[(report.rejects["table"] == table) & (report.rejects["row"] == at[number])]
    assert [(r.column, r.rule) for r in mine.itertuples()] == [(column, rule)]
    value = mine["value"].iloc[0]
    expected = change.get(column, GOOD[table][column])
    assert (pd.isna(value) and expected == "") or value == expected


def test_rules_reject_nothing_else(broken_rules: tuple[ImportReport, list[int]]) -> None:
    report, _ = broken_rules
    adds_up(report)
    assert {name: table.kept for name, table in report.tables.items()} == dict.fromkeys(GOOD, 1)


def test_hints_name_the_nearest_value(broken_rules: tuple[ImportReport, list[int]]) -> None:
    report, _ = broken_rules
    hints = dict(zip(report.rejects["value"], report.rejects["hint"], strict=True))
    assert hints["Maimi"] == "did you mean 'Miami'?"
    assert hints["virtul"] == "did you mean 'virtual'?"
    assert hints["importr"] == "did you mean 'importer'?"
    assert hints["99.9"] == ""


def test_a_finding_is_held_against_the_day_of_its_validation(tmp_path: Path) -> None:
    rows = {"members": [MEMBERS], "validations": [VALIDATIONS, VALIDATIONS | {"validation_id": "V2", "conducted_on":
            "2019-05-05", "scheduled_on": "2019-05-01"}], "findings": [FINDINGS, FINDINGS | {"validation_id": "V2"}]}  # fmt: skip
    files, mapping = own_files(tmp_path, rows)
    limits = tmp_path / "applicability.csv"
    limits.write_text("criterion_id,entity_type,from,to\n1.1,importer,2020-01-01,\n1.1,exporter,,\n")
    tables = {
        name: {"file": f"{name}.csv", "columns": {c: c for c in table.feeds}}
        for name, table in mapping.tables.items()
    }
    tables["applicability"] = {
        "file": "applicability.csv",
        "columns": {c: c for c in ("criterion_id", "entity_type", "from", "to")},
    }
    report = import_dataset(
        [*files, limits], parsed_mapping({"tables": tables}), tmp_path / "out", dry_run=True
    )
    assert report.tables["findings"].rejected == {
        "the criterion does not apply to this entity type on that day": 1
    }
    assert report.rejects["row"].tolist() == [3]


# -- spellings, repairs, several files ----------------------------------------------------------------


def test_case_labels_and_blanks_are_recognised_and_listed(tmp_path: Path) -> None:
    row = VALIDATIONS | {
        "mode": " In Person",
        "risk": "LOW",
        "outcome": "Actions required",
        "field_office": "miami",
    }
    files, mapping = own_files(tmp_path, {"members": [MEMBERS], "validations": [row]})
    report = import_dataset(files, mapping, tmp_path / "out")
    assert report.tables["validations"].repaired == {
        "blanks around values removed": 1,
        "values spelled another way (case or label) recognised": 4,
    }
    kept = pd.read_parquet(tmp_path / "out" / "source" / "validations.parquet").iloc[0]
    assert (kept["mode"], kept["risk"], kept["outcome"], kept["field_office"]) == (
        "in_person", "low", "actions_required", "Miami",
    )  # fmt: skip


def test_a_vocabulary_can_be_extended_and_keeps_what_it_knew(tmp_path: Path) -> None:
    rows = [
        MEMBERS | {"entity_type": "Importer"},
        MEMBERS | {"member_id": "M2", "entity_type": "Straße GmbH"},
    ]
    files, _ = own_files(tmp_path, {"members": rows, "validations": [VALIDATIONS]})
    columns = {"members": list(MEMBERS), "validations": list(VALIDATIONS)}
    mapping = own_mapping(columns, vocabulary={"entity_type": "extended"})
    import_dataset(files, mapping, tmp_path / "out")
    kept = pd.read_parquet(tmp_path / "out" / "source" / "members.parquet").set_index("member_id")[
        "entity_type"
    ]
    assert kept.to_dict() == {"M1": "importer", "M2": "Straße GmbH"}
    assert "Straße GmbH" in open_dataset(tmp_path / "out").vocabulary("entity_type")


def test_offices_of_the_source_with_any_letters_are_themselves(tmp_path: Path) -> None:
    offices = tmp_path / "field_offices.csv"
    offices.write_text("field_office,opened_on\nStraße,\nİzmir,\nMiami,\n", encoding="utf-8")
    rows = [
        VALIDATIONS | {"validation_id": f"V{i}", "field_office": name}
        for i, name in enumerate(("Straße", "İzmir"))
    ]
    files, _ = own_files(tmp_path, {"members": [MEMBERS], "validations": rows})
    columns = {
        "members": list(MEMBERS),
        "validations": list(VALIDATIONS),
        "field_offices": ["field_office", "opened_on"],
    }
    report = import_dataset([*files, offices], own_mapping(columns), tmp_path / "out", dry_run=True)
    assert report.tables["validations"].kept == 2


def test_the_same_row_in_two_files_is_a_duplicate(tmp_path: Path) -> None:
    rows = {"members": [MEMBERS], "validations": [VALIDATIONS]}
    files, mapping = own_files(tmp_path, rows)
    second = tmp_path / "validations_2.csv"
    second.write_bytes(files[1].read_bytes())
    report = import_dataset([*files, second], mapping, tmp_path / "out", dry_run=True)
    adds_up(report)
    assert report.tables["validations"].rejected == {"exact duplicate of an earlier row": 1}
    assert report.rejects[["file", "row"]].to_numpy().tolist() == [["validations_2.csv", 2]]


def test_a_source_column_may_bear_any_of_our_names(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text(
        "id,who,office,how,on,virtual,source_text,source_file,_source_row,_left_out,mode\n"
        "V1,M1,Miami,video,2021-01-01,1,2,3,77,5,6\nV2,M2,Miami,visit,2021-01-02,1,2,3,77,5,6\n"
    )
    columns = {"validation_id": "id", "member_id": "who", "field_office": "office", "mode": "how", "conducted_on": "on",
               "entity_type": "virtual"}  # fmt: skip
    values = {"mode": {"video": "virtual", "visit": "in_person"}, "entity_type": {"1": "importer"}}
    mapping = parsed_mapping({"tables": {"validations": {"columns": columns, "values": values, "leave_out": [
        {"column": "mode", "values": ["9"], "reason": "nine"}]}}})  # fmt: skip
    report = import_dataset([path], mapping, tmp_path / "out", dry_run=True)
    assert report.tables["validations"].kept == 2 and report.tables["validations"].left_out == {}


# -- rough files --------------------------------------------------------------------------------------

HEADER = "validation_id,member_id,field_office,mode,conducted_on,entity_type"
ROW = "V1,M1,Miami,virtual,2021-05-05,importer"


def rough(tmp_path: Path, body: bytes, *, name: str = "rough.csv", dry_run: bool = True) -> ImportReport:
    path = tmp_path / name
    path.write_bytes(HEADER.encode() + b"\n" + ROW.encode() + b"\n" + body)
    columns = {column: column for column in HEADER.split(",")}
    report = import_dataset(
        [path],
        parsed_mapping({"tables": {"validations": {"columns": columns}}}),
        tmp_path / "out",
        dry_run=dry_run,
    )
    adds_up(report)
    return report


@pytest.mark.parametrize(
    ("body", "kept", "rejected"),
    [
        (b"V2,'; DROP TABLE held_1; --,Miami,virtual,2021-05-05,importer\n", 2, {}),
        (b'V2,"Robert""); DELETE FROM x",Miami,virtual,2021-05-05,importer\n', 2, {}),
        ("V2,Ünïcode 株式会社 🚢,Miami,virtual,2021-05-05,importer\n".encode(), 2, {}),
        (b"V2," + b"x" * 5_000_000 + b",Miami,virtual,2021-05-05,importer\n", 2, {}),
        (b"V2," + b"x" * 17_000_000 + b",Miami,virtual,2021-05-05,importer\n", 1,
         {"the row is longer than 16 million characters": 1}),
        (b'V2,"two\nlines",Miami,virtual,2021-05-05,importer\n', 2, {}),
        (b"V2,a\0b,Miami,virtual,2021-05-05,importer\n", None, {}),
        (b"V2,M2,Miami,virtual,0001-01-01,importer\n", 2, {}),
        (b"V2,M2,Miami,virtual,2020-02-30,importer\n", 1, {"conducted_on is not a date in the expected form": 1}),
        (b"V2,M2,Miami,virtual,2020-02-01T10:00,importer\n", 1, {"conducted_on is not a date in the expected form": 1}),
        (b"V2,M2\nV3,M3,Miami,virtual,2021-05-05,importer\n", 2, {"the row does not have the header's columns": 1}),
        (b"V2,M2,Miami,virtual,2021-05-05,importer,more\n", 1, {"the row does not have the header's columns": 1}),
        (b'V2,"M2,Miami,virtual,2021-05-05,importer\n', 1, {"a quotation mark of the row is not closed": 1}),
        (b"\n\n\n", 1, {}),
    ],
)  # fmt: skip
def test_rough_rows_are_kept_or_counted(
    tmp_path: Path, body: bytes, kept: int | None, rejected: dict[str, int]
) -> None:
    if kept is None:
        with pytest.raises(AnalysisError, match="not a table of text"):
            rough(tmp_path, body)
        return
    report = rough(tmp_path, body)
    assert report.tables["validations"].kept == kept
    assert report.tables["validations"].rejected == rejected


def test_rough_values_become_a_dataset_that_answers(tmp_path: Path) -> None:
    body = (
        b"V2,'; DROP TABLE held_1; --,Miami,virtual,2021-05-05,importer\n"
        b'V3,"two\nlines",Miami,in_person,0001-01-01,importer\n'
        b"V4," + b"x" * 5_000_000 + b",Miami,virtual,9999-12-31,importer\n"
        + "V5,Ünïcode 株式会社 🚢,Miami,virtual,2021-05-05,importer\n".encode()
    )  # fmt: skip
    rough(tmp_path, body, dry_run=False)
    dataset = open_dataset(tmp_path / "out")
    assert counts(dataset, "validations", [])["n"].tolist() == [5]
    assert dataset.period == (dt.date(1, 1, 1), dt.date(9999, 12, 31))
    assert compare(dataset, "any_deficiency").verdict == "too_few"


def test_what_is_not_utf8_far_down_is_one_rejected_row(tmp_path: Path) -> None:
    good = "".join(f"V{i},Müller,Miami,virtual,2021-05-05,importer\n" for i in range(2, 2000)).encode()
    report = rough(tmp_path, good + b"V9999,\xe9,Miami,virtual,2021-05-05,importer\n")
    assert report.tables["validations"].rejected == {"the row is not UTF-8 text": 1}
    assert report.rejects["row"].tolist() == [2001]


@pytest.mark.parametrize(
    "name", ["o'brien.csv", 'say "hi".csv', "x[1]*?.csv", "ü 通り.csv", "; DROP TABLE.csv"]
)
def test_a_source_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    report = rough(tmp_path, b"V2,M2,Miami,virtual,bad,importer\n", name=name)
    assert report.rejects["file"].tolist() == [name]


def test_header_names_with_quotes_commas_and_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    head = ['the "id"', "who\nis it", "office, field", "how';--", "on \u2028 day", "", "", "HOW';--"]
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [head, ["V1", "M1", "Miami", "virtual", "2021-05-05", "importer", "x", "y"]]
        )
    ours = ("validation_id", "member_id", "field_office", "mode", "conducted_on")
    columns = dict(zip(ours, head, strict=False)) | {"entity_type": "column_6"}
    report = import_dataset(
        [path],
        parsed_mapping({"tables": {"validations": {"columns": columns}}}),
        tmp_path / "out",
        dry_run=True,
    )
    assert report.tables["validations"].kept == 1


@pytest.mark.parametrize("change", [("\n", "\r\n"), (",", ";"), (",", "\t"), (",", "|")])
def test_other_line_ends_and_separators(tmp_path: Path, change: tuple[str, str]) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\n{ROW}\n".replace(*change).encode())
    columns = {column: column for column in HEADER.split(",")}
    mapping = parsed_mapping({"tables": {"validations": {"columns": columns}}})
    report = import_dataset([path], mapping, tmp_path / "out", dry_run=True)
    assert report.tables["validations"].kept == 1


# -- nothing is half done ------------------------------------------------------------------------------


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = import_dataset([INSPECTIONS], read_mapping(OSHA), out, dry_run=True)
    assert report.tables["validations"].kept == 16 and report.dataset is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["Counting", "Writing findings"])
def test_an_import_that_fails_leaves_the_dataset_as_it_was(
    inspected: tuple[ImportReport, Dataset], tmp_path: Path, step: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(inspected[1].path, out)
    before = contents(tmp_path)

    def stumble(said: str) -> None:
        if said == step:
            raise RuntimeError(step)

    with pytest.raises(RuntimeError, match=step):
        import_dataset([INSPECTIONS], read_mapping(OSHA), out, progress=stumble)
    assert contents(tmp_path) == before and [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_import_of_nothing_usable_leaves_the_dataset_as_it_was(
    inspected: tuple[ImportReport, Dataset], tmp_path: Path
) -> None:
    shutil.copytree(inspected[1].path, tmp_path / "out")
    before = contents(tmp_path / "out")
    files, mapping = own_files(tmp_path, {"members": [MEMBERS], "validations": [VALIDATIONS | {"mode": "?"}]})
    with pytest.raises(AnalysisError, match="no row is usable, most often because mode is not one"):
        import_dataset(files, mapping, tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_an_import_replaces_the_dataset_whole(
    inspected: tuple[ImportReport, Dataset], tmp_path: Path
) -> None:
    shutil.copytree(inspected[1].path, tmp_path / "out")
    assert open_dataset(tmp_path / "out").has("findings")
    files, mapping = own_files(tmp_path, {"members": [MEMBERS], "validations": [VALIDATIONS]})
    import_dataset(files, mapping, tmp_path / "out")
    assert not open_dataset(tmp_path / "out").has("findings")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_folder_that_is_no_dataset_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "keep.jpg").write_bytes(b"x")
    with pytest.raises(AnalysisError, match="is not a dataset folder"):
        import_dataset([INSPECTIONS], read_mapping(OSHA), tmp_path / "photos")
    assert contents(tmp_path / "photos") == {"keep.jpg": hashlib.sha256(b"x").hexdigest()}


def test_a_target_that_holds_the_source_is_refused(
    inspected: tuple[ImportReport, Dataset], tmp_path: Path
) -> None:
    shutil.copytree(inspected[1].path, tmp_path / "out")
    inside = tmp_path / "out" / "inspections.csv"
    inside.write_bytes(INSPECTIONS.read_bytes())
    with pytest.raises(AnalysisError, match="holds a source file"):
        import_dataset([inside], read_mapping(OSHA), tmp_path / "out")
    assert inside.exists()


def test_the_same_files_give_the_same_rows(inspected: tuple[ImportReport, Dataset], tmp_path: Path) -> None:
    import_dataset([INSPECTIONS], read_mapping(OSHA), tmp_path / "two")
    one, two = (
        {p.name: pd.read_parquet(p) for p in sorted(folder.rglob("*.parquet"))}
        for folder in (inspected[1].path, tmp_path / "two")
    )
    for name, frame in one.items():
        pd.testing.assert_frame_equal(frame, two[name])
    assert open_dataset(tmp_path / "two").fingerprint == inspected[1].fingerprint


def test_sources_that_match_no_table_are_named(tmp_path: Path) -> None:
    columns = {column: column for column in HEADER.split(",")}
    mapping = parsed_mapping({"tables": {"validations": {"file": "visits.csv", "columns": columns}}})
    with pytest.raises(AnalysisError, match=r"no source file matches 'visits\.csv'.*inspections\.csv"):
        import_dataset([INSPECTIONS], mapping, tmp_path / "out")


# -- real records --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prisons(shared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ImportReport, Dataset]:
    source = shared_folder / "realdata" / "osha_prisons" / "CA_prison_insp_viol_2010_op.csv"
    out = tmp_path_factory.mktemp("prisons") / "dataset"
    return import_dataset([source], read_mapping(OSHA), out), open_dataset(out)


def test_prison_inspections_match_their_check_numbers(prisons: tuple[ImportReport, Dataset]) -> None:
    report, dataset = prisons
    adds_up(report)
    validations, findings = report.tables["validations"], report.tables["findings"]
    assert (validations.read, validations.kept, validations.rejected) == (1093, 582, {})
    assert findings.left_out == {"inspection without a citation": 296, "deleted citation": 64}
    assert findings.kept == 1093 - 296 - 64
    assert (len(dataset.vocabulary("field_office")), dataset.row_counts["members"]) == (25, 264)
    found = counts(dataset, "validations", ["mode"], sums=["n", "any_deficiency", "n_deficient"])
    numbers = {r.mode: (r.n, r.any_deficiency, r.n_deficient) for r in found.itertuples()}
    assert numbers["virtual"] == (404, 182, 417) and numbers["in_person"] == (14, 13, 111)
    assert numbers["other"][0] == 164


def test_accidents_match_theirs_when_they_are_an_arm(
    prisons: tuple[ImportReport, Dataset], shared_folder: Path, tmp_path: Path
) -> None:
    text = OSHA.read_text(encoding="utf-8").replace('H = "in_person"', 'A = "in_person"')
    (tmp_path / "accidents.toml").write_text(text, encoding="utf-8")
    source = shared_folder / "realdata" / "osha_prisons" / "CA_prison_insp_viol_2010_op.csv"
    import_dataset([source], read_mapping(tmp_path / "accidents.toml"), tmp_path / "out")
    dataset = open_dataset(tmp_path / "out")
    found = counts(dataset, "validations", ["mode"], sums=["n", "any_deficiency", "n_deficient"])
    assert {r.mode: (r.n, r.any_deficiency, r.n_deficient) for r in found.itertuples()}["in_person"] == (
        128,
        62,
        158,
    )


def test_prison_inspections_are_compared_as_far_as_they_can_be(prisons: tuple[ImportReport, Dataset]) -> None:
    _, dataset = prisons
    assert dataset.tag == "OSHA inspections of California prisons" and not dataset.synthetic
    assert (dataset.modes["virtual"], dataset.modes["in_person"]) == ("Complaint", "Planned")
    answer = compare(dataset, "any_deficiency")
    assert answer.left_out["mode_other"] == 164
    assert (answer.arms["virtual"].n, answer.arms["virtual"].events) == (404, 182)
    assert (answer.arms["in_person"].n, answer.arms["in_person"].events) == (14, 13)
    assert answer.arms["virtual"].label == "Complaint"
    for metric in ("deficiency_rate", "not_verified_rate"):
        refused = compare(dataset, metric)
        assert "criteria_asked_unknown" in refused.reasons and all(
            row.estimate is None for row in refused.estimates
        )
    assert "level_unknown" in compare(dataset, "any_must_deficiency").reasons
    assert "SYNTHETIC" not in (dataset.path / "dataset.toml").read_text(encoding="utf-8")
