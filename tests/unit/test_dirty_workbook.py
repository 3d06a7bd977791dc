"""A workbook as offices keep them: every problem is named by sheet, row and column, and the clean rows are kept."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from analysis.datasets.importing import ImportReport, import_dataset
from analysis.datasets.mapping import parsed_mapping

MAPPING = {
    "name": "Office workbook",
    "date_formats": ["%Y-%m-%d", "%d %b %Y"],
    "tables": {
        "members": {
            "sheet": "Members",
            "columns": {"member_id": "Member", "entity_type": "Type", "country": "Country"},
        },
        "validations": {
            "sheet": "Validations",
            "columns": {
                "validation_id": "No.", "member_id": "Member", "field_office": "Office", "mode": "How",
                "conducted_on": "Date", "hours": "Hours",
            },
        },
        "findings": {
            "sheet": "Findings",
            "columns": {"validation_id": "No.", "criterion_id": "Criterion", "answer": "Answer"},
        },
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = Workbook()
    members = book.active
    members.title = "Members"
    members.append(["Members of the Añejo district, kept by hand"])
    members.merge_cells("A1:C1")
    members.append(["Member", "Type", "Country"])
    for i in range(60):
        members.append([f"M{i:03}", "Importer  " if i % 3 else "importer", "España — Curaçao"])
    members.append(["M001", "importer", "España — Curaçao"])  # row 63: the same id again
    members.append(["Total", None, 60])  # row 64: a totals row

    validations = book.create_sheet("Validations")
    validations.append(["No.", "Member", "Office", "How", "Date", "Hours"])
    for i in range(60):
        day: object = dt.datetime(2021, 1, 1) + dt.timedelta(days=i)
        if i == 10:
            day = "14 Feb 2021"
        if i == 11:
            day = "31 Feb 2021"  # row 13: no such day
        if i == 12:
            day = "soon"  # row 14
        hours: object = "=4*2" if i == 20 else 8  # row 22: a formula that nobody has calculated
        validations.append(
            [f"V{i:03}   ", f"M{i:03}", "Miami", "In person" if i % 2 else "virtual", day, hours]
        )
    validations.append(["V001", "M001", "Miami", "virtual", dt.datetime(2021, 5, 1), 3])  # row 62: id again
    validations.append(
        ["V900", "M999", "Miami", "virtual", dt.datetime(2021, 5, 1), 3]
    )  # row 63: no such member
    validations.append(["V901", "M002", "Atlantis", "virtual", dt.datetime(2021, 5, 1), 3])  # row 64: office
    validations.append(["Sum", None, None, None, None, "=SUM(F2:F61)"])  # row 65: a totals row

    findings = book.create_sheet("Findings")
    findings.append(["No.", "Criterion", "Answer"])
    for i in range(20, 40):
        findings.append([f"V{i:03}", "4.1", "deficient"])
    for i in range(40):
        findings.append([f"V{i:03}", f"99.{i}", "deficient"])  # rows 22 to 61: forty unknown criteria
    path = tmp_path_factory.mktemp("dirty") / "office.xlsx"
    book.save(path)
    return path


@pytest.fixture(scope="module")
def report(workbook: Path) -> ImportReport:
    return import_dataset([workbook], parsed_mapping(MAPPING), workbook.parent / "dataset")


def test_clean_rows_are_kept_and_every_row_is_accounted_for(report: ImportReport) -> None:
    for table in report.tables.values():
        assert table.read == table.kept + sum(table.rejected.values()) + sum(table.left_out.values())
    assert report.tables["members"].kept == 60
    # 60, less two impossible days; the rows below them are all refused.
    assert report.tables["validations"].kept in (57, 58)
    assert report.tables["findings"].kept == 20


def test_every_problem_is_named_by_sheet_row_and_column(report: ImportReport) -> None:
    found = {(r.file, r.row, r.column) for r in report.rejects.itertuples()}
    expected = {
        ("office.xlsx · Members", 63, "member_id"),
        ("office.xlsx · Members", 64, "entity_type"),
        ("office.xlsx · Validations", 13, "conducted_on"),
        ("office.xlsx · Validations", 14, "conducted_on"),
        ("office.xlsx · Validations", 62, "validation_id"),
        ("office.xlsx · Validations", 63, "member_id"),
        ("office.xlsx · Validations", 64, "field_office"),
        ("office.xlsx · Validations", 65, "member_id"),
        *(("office.xlsx · Findings", row, "criterion_id") for row in range(22, 62) if row not in (33, 34)),
        # Their validations were refused, which is what is wrong with them first.
        ("office.xlsx · Findings", 33, "validation_id"),
        ("office.xlsx · Findings", 34, "validation_id"),
    }
    assert expected <= found
    assert found - expected <= {("office.xlsx · Validations", 22, "hours")}
    rules = dict(
        zip(
            zip(report.rejects["file"], report.rejects["row"], strict=True),
            report.rejects["rule"],
            strict=True,
        )
    )
    assert rules["office.xlsx · Validations", 13] == "conducted_on is not a date in the expected form"
    assert (
        "already" in rules["office.xlsx · Members", 63] or "earlier row" in rules["office.xlsx · Members", 63]
    )
    assert "criteria" in rules["office.xlsx · Findings", 22]


def test_what_was_repaired_is_listed(report: ImportReport) -> None:
    assert (
        report.tables["members"].repaired[
            "office.xlsx · Members: rows above the header left unread (a title, not data)"
        ]
        == 1
    )
    assert any("blanks" in kind for kind in report.tables["validations"].repaired)
    assert any("spelled" in kind for kind in report.tables["members"].repaired)


def test_names_survive(report: ImportReport) -> None:
    assert report.dataset is not None
    members = pd.read_parquet(report.dataset / "source" / "members.parquet")
    assert set(members["country"]) == {"España — Curaçao"}
