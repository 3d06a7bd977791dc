"""Files made to hurt whoever reads them: each is refused in one sentence, quickly, and leaves nothing behind."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tomli_w
from openpyxl import Workbook

from analysis.cli import main
from analysis.datasets import workbooks
from analysis.datasets.engines import csv_text
from analysis.datasets.engines.databases import opened_database
from analysis.datasets.engines.on_duckdb import DuckDB
from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import parsed_mapping
from analysis.datasets.reading import read_source
from analysis.errors import AnalysisError
from tests.trust.odd_files import COLUMNS, FORMATS, MAPPING, sound_rows

QUICK = 60.0
"""Seconds: hundreds of times what any of them takes on an idle machine."""
CSV = FORMATS[".csv"](sound_rows())
XLSX = FORMATS[".xlsx"](sound_rows())
PARQUET = FORMATS[".parquet"](sound_rows())
HEADER = ",".join(COLUMNS).encode() + b"\n"


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def workbook_with(part: str, change: Callable[[bytes], bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(XLSX)) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts[part] = change(parts[part])
    return zipped(parts)


def sheet_with(old: bytes, new: bytes) -> bytes:
    def changed(xml: bytes) -> bytes:
        assert old in xml
        return xml.replace(old, new, 1)

    return workbook_with("xl/worksheets/sheet1.xml", changed)


def parquet_of(column: pa.Array) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"validation_id": column}), out)
    return out.getvalue()


def many_rows() -> bytes:
    out = io.BytesIO()
    same = pa.table({name: pa.array(["x"] * 1_000_000) for name in COLUMNS[:2]})
    with pq.ParquetWriter(out, same.schema) as writer:
        for _ in range(11):
            writer.write_table(same)
    return out.getvalue()


BOMB = b'<?xml version="1.0"?><!DOCTYPE z [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
READS_FILES = b'<?xml version="1.0"?><!DOCTYPE z [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00" + b"\x00" * 120

FILES: dict[str, tuple[str, bytes | Callable[[], bytes], str]] = {
    "zip as CSV": ("x.csv", zipped({"x.csv": CSV}), "is a zip archive or a workbook, not a table of text: unpack"),
    "workbook as CSV": ("x.csv", XLSX, "name a workbook .xlsx"),
    "Parquet as CSV": ("x.csv", PARQUET, "is a Parquet file, not a table of text: give it the ending .parquet"),
    "gzip as CSV": ("x.csv", gzip.compress(CSV), "is a gzip archive"),
    "gzip as workbook": ("x.xlsx", gzip.compress(CSV), "is a gzip archive, not a table of Excel"),
    "gzip as Parquet": ("x.parquet", gzip.compress(CSV), "is a gzip archive, not a table of Parquet"),
    "7z as CSV": ("x.csv", b"7z\xbc\xaf\x27\x1c" + bytes(60), "is a 7z archive"),
    "xz as CSV": ("x.csv", lzma.compress(CSV), "is an xz archive"),
    "bzip2 as CSV": ("x.csv", bz2.compress(CSV), "is a bzip2 archive"),
    "rar as CSV": ("x.csv", b"Rar!\x1a\x07\x01\x00" + bytes(60), "is a rar archive"),
    "program as CSV": ("x.csv", PROGRAM, "is a program"),
    "program as workbook": ("x.xlsx", PROGRAM, "is a program, not a table of Excel"),
    "other program": ("x.csv", b"\x7fELF\x02\x01\x01" + bytes(60), "is a program"),
    "PDF as CSV": ("x.csv", b"%PDF-1.7\n%\xe2\xe3", "is a PDF"),
    "picture as workbook": ("x.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(40), "is a picture"),
    "database as CSV": ("x.csv", b"SQLite format 3\x00" + bytes(90), "is an SQLite database"),
    "zip in a workbook's name": ("x.xlsx", zipped({"x.csv": CSV}), "is no Excel workbook"),
    "workbook as Parquet": ("x.parquet", XLSX, "is a zip archive or a workbook, not a table of Parquet"),
    "text as Parquet": ("x.parquet", CSV, "is damaged or no Parquet file"),
    "Parquet cut": ("x.parquet", PARQUET[:-20], "is damaged or no Parquet file"),
    "Parquet as workbook": ("x.xlsx", PARQUET, "is a Parquet file, not a table of Excel"),
    "Parquet with lists": ("x.parquet", parquet_of(pa.array([["a"], ["b"]])), "has lists or structures in column 'validation_id'"),
    "Parquet with structures": ("x.parquet", parquet_of(pa.array([{"a": 1}])), "has lists or structures"),
    "Parquet with maps": ("x.parquet", parquet_of(pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))), "has lists or structures"),
    "Parquet of nothing but rows": ("x.parquet", many_rows, "claims 11,000,000 rows in"),
    "zip bomb of rows": (
        "x.xlsx",
        lambda: workbook_with("xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"</sheetData>", b"<row></row>" * 6_000_000 + b"</sheetData>")),
        "is too large a workbook",
    ),
    "zip bomb of styles": (
        "x.xlsx", lambda: workbook_with("xl/styles.xml", lambda xml: xml + b" " * (2**26)), "is too large a workbook: unpacked, its part xl/styles.xml",
    ),
    "one endless row": (
        "x.xlsx",
        lambda: sheet_with(b"</row>", b"".join(b'<c r="B%d" s="%d"/>' % (i % 9, i) for i in range(800_000)) + b"</row>"),
        "has a row that is too long",
    ),
    "entities": ("x.xlsx", workbook_with("xl/workbook.xml", lambda xml: BOMB + xml.split(b"?>")[-1]), "its XML defines entities"),
    "entities that read files": (
        "x.xlsx", workbook_with("xl/worksheets/sheet1.xml", lambda xml: READS_FILES + xml.split(b"?>")[-1]), "its XML defines entities",
    ),
    "entities in UTF-16": (
        "x.xlsx",
        workbook_with("xl/sharedStrings.xml", lambda xml: BOMB.decode().replace("?>", ' encoding="UTF-16"?>').encode("utf-16") + xml),
        "its XML defines entities",
    ),
    "row of the billions": ("x.xlsx", sheet_with(b'<row r="3"', b'<row r="1999999999"'), "has cells beyond row 1,048,576"),
    "column beyond the last": ("x.xlsx", sheet_with(b'r="G2"', b'r="ZZZ2"'), "or column 16,384"),
    "CSV of a million columns": ("x.csv", lambda: b",".join(b"c%d" % i for i in range(1_000_000)) + b"\n", "columns; at most 4,000"),
    "CSV of a hundred megabytes in a line": ("x.csv", lambda: b"x" * 100_000_000, "has no columns separated by commas"),
    "header without an end": ("x.csv", lambda: b'a,"' + b"x" * 1_000_000, "first row is longer than 65,536 characters"),
    "row of a hundred megabytes": ("x.csv", lambda: HEADER + b"V1," + b"x" * 100_000_000 + b"\n", "no row is usable"),
    "blank lines": ("x.csv", lambda: HEADER + b"\n" * 3_000_000 + b"1\n", "more than 1,000,000 blank lines"),
    "NUL bytes": ("x.csv", HEADER + b"V1,\x00,Miami\n", "is not a table of text"),
    "nothing but NUL": ("x.csv", bytes(100_000), "is not a table of text"),
    "UTF-16 without its mark": ("x.csv", CSV.decode().encode("utf-16-le"), "is not a table of text"),
    "UTF-32": ("x.csv", CSV.decode().encode("utf-32"), "is not a table"),
}  # fmt: skip


def refused(arguments: list[str], says: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, one sentence, soon, and no dataset."""
    start = time.monotonic()
    status = main([*arguments, "--to", str(place / "out")])
    took = time.monotonic() - start
    said = capsys.readouterr().err.splitlines()
    assert status == 2 and says in said[-1] and said[-1].startswith("error: "), said
    assert "Traceback" not in "".join(said) and took < QUICK, took
    assert not (place / "out").exists() and not list(place.glob(".*"))


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(tomli_w.dumps(MAPPING), encoding="utf-8")
    return path


@pytest.mark.parametrize("case", FILES)
def test_a_hostile_file_is_one_sentence(
    case: str, tmp_path: Path, mapping: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, content, says = FILES[case]
    (tmp_path / name).write_bytes(content() if callable(content) else content)
    refused(["import", str(tmp_path / name), "--mapping", str(mapping)], says, tmp_path, capsys)


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet"])
def test_what_is_no_file_is_not_read(
    ending: str, tmp_path: Path, mapping: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A device never ends, and a pipe waits for a writer: neither is opened."""
    pipe, folder, device, loop = (
        tmp_path / f"{name}{ending}" for name in ("pipe", "folder", "device", "loop")
    )
    os.mkfifo(pipe)
    folder.mkdir()
    device.symlink_to("/dev/zero")
    loop.symlink_to(loop)
    gone = tmp_path / f"gone{ending}"
    gone.symlink_to(tmp_path / "nowhere")
    for path, says in (
        (pipe, "is not a file"), (folder, "is not a file"), (device, "is not a file"), (gone, "does not exist"), (loop, ""),
    ):  # fmt: skip
        refused(["import", str(path), "--mapping", str(mapping)], says, tmp_path, capsys)
        refused(["import", str(tmp_path / "x.csv"), "--mapping", str(path)], "", tmp_path, capsys)


def test_a_link_to_a_file_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(CSV)
    (tmp_path / "link.csv").symlink_to(tmp_path / "rows.csv")
    engine = DuckDB()
    assert read_source(engine, tmp_path / "link.csv").columns == list(COLUMNS)
    engine.close()


@pytest.mark.parametrize(
    "content", ["PAR1,b\n1,2\n", "MZ,b\n1,2\n", "BZh9,b\n1,2\n", "PK,b\n1,2\n", "%PDF,b\n1,2\n"]
)
def test_text_that_begins_like_something_else_is_text(content: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(content)
    engine = DuckDB()
    assert read_source(engine, tmp_path / "rows.csv").columns[1] == "b"
    engine.close()


def test_a_sheet_that_lies_about_its_size_is_read_whole(tmp_path: Path) -> None:
    """Some programs write that a sheet is one cell, or a billion: both are only words."""
    for number, says in enumerate((b'ref="A1"', b'ref="A1:XFD1048576"')):
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(sheet_with(b'ref="A1:G41"', says))
        rows, above = workbooks.sheet_rows(path, None)
        assert (len(rows), above) == (40, 0) and list(rows.columns)[:7] == list(COLUMNS)


def test_a_large_honest_workbook_is_read(tmp_path: Path) -> None:
    """Rows that are all the same pack well: that alone makes nobody a liar."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(COLUMNS))
    for _ in range(15_000):
        sheet.append(["V1", "M1", "Miami", "virtual", "2021-01-01", "importer", 1])
    book.save(tmp_path / "same.xlsx")
    rows, _ = workbooks.sheet_rows(tmp_path / "same.xlsx", None)
    assert len(rows) == 15_000


def test_limits_are_those_that_are_said() -> None:
    assert (csv_text.MOST_COLUMNS, csv_text.LONGEST_HEADER, csv_text.MOST_BLANK) == (4_000, 65_536, 1_000_000)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000, "a = " + "[" * 400 + "]" * 400, "a." * 100_000 + "b = 1", "a = " + "9" * 5_000, "a = 2021-02-30",
        "[" + ".".join(["a"] * 5_000) + "]", "\x00", "a = {" * 50_000, '"a".' * 50_000 + "b = 1",
    ],
    ids=range(9),
)  # fmt: skip
@pytest.mark.parametrize("option", ["mapping", "effects", "briefing", "dataset"])
def test_deep_and_endless_toml_is_one_sentence(
    option: str, text: str, small_demo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "dataset.toml"
    path.write_text(text)
    start = time.monotonic()
    arguments = {
        "mapping": ["import", str(tmp_path / "x.csv"), "--mapping", str(path), "--to", str(tmp_path / "out")],
        "effects": ["demo", str(tmp_path / "out"), "--effects", str(path)],
        "briefing": ["brief", str(small_demo_folder), str(path), "--to", str(tmp_path / "out.html")],
        "dataset": ["check", str(tmp_path)],
    }[option]
    assert main(arguments) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and len(said[0]) < 1_000, said
    assert time.monotonic() - start < QUICK and [p.name for p in tmp_path.iterdir()] == ["dataset.toml"]


# -- databases and addresses ----------------------------------------------------------------------------


def test_a_database_file_reads_nothing_but_itself(tmp_path: Path) -> None:
    """A view is a query of whoever made the file: it must not reach the files of whoever imports it."""
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    path = tmp_path / "office.duckdb"
    odd = 'a"; DROP TABLE fine; --'
    with duckdb.connect(str(path)) as made:
        made.execute(f"CREATE VIEW leak AS SELECT * FROM '{tmp_path / 'secret.csv'}'")
        made.execute("CREATE TABLE fine AS SELECT 1 AS a, 'x' AS b")
        made.execute(f"""CREATE TABLE "{odd.replace('"', '""')}" AS SELECT 2 AS "c""; --" """)
        made.execute("CREATE VIEW sound AS SELECT a + 1 AS c FROM fine")
    database = opened_database(str(path))
    out = tmp_path / "copies"
    out.mkdir()
    assert set(database.tables) == {"leak", "fine", "sound", odd}
    with pytest.raises(AnalysisError, match=r"office\.duckdb.*disabled by configuration"):
        database.copied("leak", out)
    assert pq.read_table(database.copied("sound", out)).to_pylist() == [{"c": 2}]
    assert pq.read_table(database.copied(odd, out)).to_pylist() == [{'c"; --': 2}]
    assert pq.read_table(database.copied("fine", out)).num_rows == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "postgresql://ann:hunter2@db.example/office"],
        ["import", "mysql://ann:hunter2@db.example/office", "--mapping", "absent.toml", "--to", "out"],
        ["import", "POSTGRESQL://ann:hunter2@db.example/office", "--mapping", "{mapping}", "--to", "out"],
        ["import", "x.csv", "--mapping", "postgresql://ann:hunter2@db.example/office", "--to", "out"],
        ["overview", "{mapping}", "--office", "postgresql://ann:hunter2@db.example/office"],
        ["import", "x.csv", "--mapping", "x.toml", "--engine", "spark://ann:hunter2@db.example:7077", "--to", "out"],
        ["check", "data", "--what", "postgresql://ann:hunter2@db.example/office"],
    ],
)  # fmt: skip
def test_a_password_in_the_wrong_place_is_not_repeated(
    arguments: list[str], mapping: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format(mapping=mapping) for word in arguments]) == 2
    printed = capsys.readouterr()
    assert "hunter2" not in printed.err + printed.out and printed.err.count("\n") == 1


NAMES = (
    "'; DROP TABLE x; --", 'a"b', "a''b", "`a`", "a.b", "*", "COLUMNS(*)", "$1", "?", "{0}", "%s", "a\\", "/*", "--", ";", "é\u202e", "rowid",
)  # fmt: skip
"""Column names that would be something else if they were ever taken for SQL."""


@pytest.mark.parametrize(("ending", "which"), [(".csv", 2), (".xlsx", 1), (".parquet", 3)])
def test_names_of_columns_files_and_values_are_never_sql(ending: str, which: int, tmp_path: Path) -> None:
    """Every column and value is what it says, under a folder and a file whose names are SQL as well."""
    rows = sound_rows(len(NAMES))
    rows["member_id"] = NAMES
    for place, name in enumerate(NAMES):
        rows[name] = [NAMES[(place + i) % len(NAMES)] for i in range(len(NAMES))]
    folder = tmp_path / "it's; DROP TABLE x [a]"
    folder.mkdir()
    path = folder / f"odd'; --{ending}"
    path.write_bytes(FORMATS[ending](rows))
    table = {
        "columns": {name: name for name in COLUMNS} | {"specialist_id": NAMES[which]},
        "values": {"specialist_id": {"rowid": 'it\'s "odd"; --'}},
        "leave_out": [
            {"column": name, "values": ["it's", '"; --'], "reason": name} for name in NAMES[which::5]
        ],
    }
    import_dataset([path], parsed_mapping({"tables": {"validations": table}}), folder / "out")
    kept = pq.read_table(folder / "out" / "source" / "validations.parquet").to_pandas()
    kept = kept.set_index("validation_id").loc[rows["validation_id"]]
    assert kept["member_id"].tolist() == list(NAMES)
    assert kept["specialist_id"].tolist() == [
        value.replace("rowid", 'it\'s "odd"; --') for value in rows[NAMES[which]]
    ]
    assert [one.name for one in tmp_path.iterdir()] == [folder.name]


def test_a_star_is_no_name_of_a_column(tmp_path: Path) -> None:
    """It would stand for all columns: it is held like a column without a name, and nothing can be mapped to it."""
    (tmp_path / "rows.csv").write_text("*,b\n1,2\n")
    engine = DuckDB()
    assert read_source(engine, tmp_path / "rows.csv").columns == ["column_1", "b"]
    engine.close()
    table = {"columns": dict.fromkeys(COLUMNS, "*")}
    with pytest.raises(AnalysisError, match=r"has no column '\*'"):
        import_dataset(
            [tmp_path / "rows.csv"], parsed_mapping({"tables": {"validations": table}}), tmp_path / "out"
        )


def test_a_thousand_columns_are_read(tmp_path: Path) -> None:
    rows = sound_rows(5)
    wide = rows.join(
        rows[["hours"]].iloc[:, [0] * 1_000].set_axis([f"more {i}" for i in range(1_000)], axis=1)
    )
    (tmp_path / "rows.csv").write_bytes(FORMATS[".csv"](wide))
    report = import_dataset([tmp_path / "rows.csv"], parsed_mapping(MAPPING), tmp_path / "out", dry_run=True)
    assert report.tables["validations"].kept == 5
