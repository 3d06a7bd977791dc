"""The same rows in any format and encoding are the same rows; what cannot be read is said in one sentence."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook

from analysis.cli import main
from analysis.datasets.importing import ImportReport, import_dataset
from analysis.datasets.mapping import parsed_mapping, read_mapping
from analysis.errors import AnalysisError

ROOT = Path(__file__).resolve().parents[2]
INSPECTIONS = ROOT / "tests" / "data" / "inspections.csv"
OSHA = ROOT / "data" / "mappings" / "osha_prisons.toml"
COLUMNS = ("validation_id", "member_id", "field_office", "mode", "conducted_on", "entity_type")
ROWS = [
    ("V1", "Müller & Søn", "Miami", "virtual", "2021-05-05", "importer"),
    ("V2", "“Quoted”", "Miami", "in_person", "2021-05-13", "importer"),
]


def dry(*files: Path, **more: Any) -> ImportReport:
    table = {"columns": {name: name for name in COLUMNS}} | more.pop("table", {})
    return import_dataset(
        files, parsed_mapping({"tables": {"validations": table}} | more), Path("nowhere"), dry_run=True
    )


def text(rows: list[tuple[str, ...]] = ROWS) -> str:
    return "\n".join(",".join(row) for row in [COLUMNS, *rows]) + "\n"


# -- encodings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", ("lines read as UTF-16 text, which is not UTF-8", 3)),
        ("cp1252", ("lines read as Windows-1252 text, which is not UTF-8", 2)),
    ],
)
def test_encodings(encoding: str, note: tuple[str, int] | None, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(text().encode(encoding))
    out = tmp_path / "out"
    mapping = parsed_mapping({"tables": {"validations": {"columns": {name: name for name in COLUMNS}}}})
    report = import_dataset([path], mapping, out)
    members = pd.read_parquet(out / "source" / "members.parquet")["member_id"]
    assert set(members) == {"Müller & Søn", "“Quoted”"}
    assert report.tables["validations"].repaired == ({f"rows.csv: {note[0]}": note[1]} if note else {})


def test_latin_1_beyond_windows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(
        text([("V1", "caf\xe9 \x81", "Miami", "virtual", "2021-05-05", "importer")]).encode("latin-1")
    )
    assert dry(path).tables["validations"].repaired == {
        "rows.csv: lines read as Latin-1 text, which is not UTF-8": 1
    }


def test_one_row_that_is_not_utf8_among_others_that_are_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    filler = "".join(f"W{i},M,Miami,virtual,2021-05-05,importer\n" for i in range(2000)).encode()
    path.write_bytes(text().encode() + filler + b"V9,\xe9,Miami,virtual,2021-05-05,importer\n")
    assert dry(path).tables["validations"].rejected == {"the row is not UTF-8 text": 1}


# -- workbooks and Parquet ----------------------------------------------------------------------------


def workbook(path: Path, *sheets: tuple[str, list[list[Any]]]) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


TYPED = [
    list(COLUMNS),
    [1, 7.0, "Miami", "virtual", dt.datetime(2021, 5, 5), "importer"],
    [],
    [2, 8, " Miami", "in_person", dt.datetime(2021, 5, 13, 9, 30), "importer"],
    [3, 9, None, "in_person", dt.date(2021, 5, 14), "importer"],
]


def test_a_workbook_has_the_row_numbers_of_its_sheet(tmp_path: Path) -> None:
    report = dry(workbook(tmp_path / "rows.xlsx", ("Data", TYPED), ("Empty", [])))
    validations = report.tables["validations"]
    assert (validations.read, validations.kept) == (3, 2)
    assert validations.repaired == {"blanks around values removed": 1}
    assert report.rejects[["file", "row", "rule"]].to_numpy().tolist() == [
        ["rows.xlsx", 5, "field_office is required and empty"]
    ]


def test_numbers_and_dates_of_a_workbook_are_text_like_those_of_a_csv(tmp_path: Path) -> None:
    path = workbook(tmp_path / "rows.xlsx", ("Data", TYPED[:4]))
    mapping = parsed_mapping(
        {
            "date_formats": ["%d/%m/%Y"],
            "tables": {"validations": {"columns": {name: name for name in COLUMNS}}},
        }
    )
    import_dataset([path], mapping, tmp_path / "out")
    rows = pd.read_parquet(tmp_path / "out" / "source" / "validations.parquet")
    assert list(rows["validation_id"]) == ["1", "2"] and list(rows["member_id"]) == ["7", "8"]
    assert [str(day)[:10] for day in rows["conducted_on"]] == ["2021-05-05", "2021-05-13"]


def test_a_sheet_is_named_where_there_are_several(tmp_path: Path) -> None:
    path = workbook(tmp_path / "rows.xlsx", ("Notes", [["nothing", "here"]]), ("Data", TYPED))
    with pytest.raises(AnalysisError, match=r"several sheets \(Notes, Data\): name one"):
        dry(path)
    assert dry(path, table={"sheet": "Data"}).tables["validations"].kept == 2
    with pytest.raises(AnalysisError, match="no sheet 'Dta'; did you mean 'Data'"):
        dry(path, table={"sheet": "Dta"})


def test_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame(TYPED[1:2] + TYPED[3:4], columns=TYPED[0])
    frame["conducted_on"] = pd.to_datetime(frame["conducted_on"])
    path = tmp_path / "odd [name]*.parquet"
    frame.to_parquet(path)
    report = dry(path)
    assert report.tables["validations"].kept == 2 and report.rejects.empty


def test_formats_together(tmp_path: Path) -> None:
    book = workbook(tmp_path / "one.xlsx", ("Data", TYPED[:2]))
    plain = tmp_path / "two.csv"
    plain.write_text(text(), encoding="utf-8")
    assert dry(book, plain).tables["validations"].kept == 3


def test_inspections_as_workbook_and_parquet_are_the_same(tmp_path: Path) -> None:
    rows = pd.read_csv(
        INSPECTIONS, dtype="str", keep_default_na=False, on_bad_lines="skip", skip_blank_lines=True
    )
    rows = rows[rows["site_address"].notna()]
    rows.to_csv(tmp_path / "same.csv", index=False)
    rows.to_excel(tmp_path / "same.xlsx", index=False)
    rows.to_parquet(tmp_path / "same.parquet", index=False)
    made = []
    for ending in ("csv", "xlsx", "parquet"):
        import_dataset([tmp_path / f"same.{ending}"], read_mapping(OSHA), tmp_path / ending)
        made.append({p.name: pd.read_parquet(p) for p in (tmp_path / ending / "source").iterdir()})
    for other in made[1:]:
        assert other.keys() == made[0].keys()
        for name, frame in made[0].items():
            pd.testing.assert_frame_equal(other[name], frame)


BROKEN: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "text": ("x.xlsx", lambda p: p.write_text("a,b\n1,2\n"), "is no Excel workbook, or is damaged"),
    "other zip": ("x.xlsx", lambda p: zipfile.ZipFile(p, "w").close(), "is no Excel workbook, or is damaged"),
    "cut": ("x.xlsx", lambda p: (workbook(p, ("Data", TYPED)), p.write_bytes(p.read_bytes()[:900])), "is no Excel workbook"),
    "protected": ("x.xlsx", lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600), "protected by a password"),
    "no bytes": ("x.xlsx", lambda p: p.write_bytes(b""), "is no Excel workbook, or is damaged"),
    "no cells": ("x.xlsx", lambda p: workbook(p, ("Data", [])), "is empty: it needs a header row"),
    "one column": ("x.xlsx", lambda p: workbook(p, ("Data", [["a"], ["b"]])), "fewer than two columns"),
    "header only": ("x.xlsx", lambda p: workbook(p, ("Data", [list(COLUMNS)])), "no column 'activity_nr'"),
    "no parquet": ("x.parquet", lambda p: p.write_bytes(b"PAR1 and so on"), "damaged or no Parquet file"),
    "odd utf-16": ("x.csv", lambda p: p.write_bytes("a,b\n1,2\n".encode("utf-16") + b"\x00"), "is damaged text"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_one_sentence(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, write, says = BROKEN[case]
    path = tmp_path / name
    write(path)
    assert main(["import", str(path), "--mapping", str(OSHA), "--to", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert says in said[-1] and "Traceback" not in "".join(said)
    assert not (tmp_path / "out").exists()


# -- dates --------------------------------------------------------------------------------------------


def dated(tmp_path: Path, *days: str) -> Path:
    path = tmp_path / "rows.csv"
    rows = [(f"V{i}", "M1", "Miami", "virtual", day, "importer") for i, day in enumerate(days)]
    path.write_text(text(rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("days", "note", "first"),
    [
        (("03/04/2021", "13/04/2021"), "conducted_on: dates read day first, like 03/04/2021", "2021-04-03"),
        (("03/04/2021", "04/13/2021"), "conducted_on: dates read month first, like 03/04/2021", "2021-03-04"),
        (("3.4.2021", "13.4.2021"), "conducted_on: dates read day first, like 13.4.2021", "2021-04-03"),
        (("05/05/2021", "06/06/2021"), "conducted_on: dates read day first, like 05/05/2021", "2021-05-05"),
    ],
)
def test_the_order_that_fits_all_dates_is_used_and_said(
    days: tuple[str, ...], note: str, first: str, tmp_path: Path
) -> None:
    mapping = parsed_mapping({"tables": {"validations": {"columns": {name: name for name in COLUMNS}}}})
    report = import_dataset([dated(tmp_path, *days)], mapping, tmp_path / "out")
    assert report.tables["validations"].repaired == {note: 2}
    rows = pd.read_parquet(tmp_path / "out" / "source" / "validations.parquet")
    assert str(rows["conducted_on"].iloc[0])[:10] == first


def test_dates_that_fit_both_orders_are_asked_about(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError) as error:
        dry(dated(tmp_path, "03/04/2021", "05/05/2021", "2021-05-06"))
    assert str(error.value) == (
        "validations.conducted_on can be read day first or month first: 03/04/2021 is 3 April 2021 or 4 March 2021; "
        'say which in the mapping, with date_formats = ["%d/%m/%Y"] or date_formats = ["%m/%d/%Y"].'
    )
    assert dry(dated(tmp_path, "03/04/2021"), date_formats=["%d/%m/%Y"]).tables["validations"].kept == 1


def test_dates_of_both_orders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        AnalysisError, match=r"mixes dates written day first \(13/04/2021\) and month first \(04/13/2021\)"
    ):
        dry(dated(tmp_path, "13/04/2021", "04/13/2021"))


def test_days_that_do_not_exist_are_rejected_not_asked_about(tmp_path: Path) -> None:
    report = dry(dated(tmp_path, "13/04/2021", "31/02/2021", "99/99/2021", "2021-01-01"))
    assert report.tables["validations"].kept == 2
    assert list(report.rejects["value"]) == ["31/02/2021", "99/99/2021"]
