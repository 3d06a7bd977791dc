"""The same rows in a PostgreSQL schema or a DuckDB file are the same dataset; passwords stay unsaid."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import duckdb
import pandas as pd
import pytest

from analysis.cli import main
from analysis.datasets.importing import ImportReport, import_dataset
from analysis.datasets.mapping import parsed_mapping
from analysis.errors import AnalysisError
from tests.engines.program import AWKWARD, BROUGHT, mapping_of_program, same_datasets
from tests.engines.servers import PostgresServer

pytestmark = pytest.mark.xdist_group(
    "servers"
)  # one cluster and one server, whatever the number of processes

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = "Validation office"
MAPPING = mapping_of_program(**{name: name for name in BROUGHT})
TYPES = {
    "conducted_on": "date", "reported_on": "timestamp", "closed_on": "timestamptz", "hours": "numeric(8, 2)",
    "sites": "integer", "weight": "bigint", "score": "smallint", "internal_conspiracy": "boolean",
}  # fmt: skip


def clean_rows(by_duckdb: ImportReport, name: str) -> pd.DataFrame:
    assert by_duckdb.dataset
    frame = pd.read_parquet(by_duckdb.dataset / "source" / f"{name}.parquet")
    return frame.rename(columns={"validation_id": AWKWARD}) if name == "validations" else frame


@pytest.fixture(scope="module")
def duckdb_file(by_duckdb: ImportReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("database") / "office.duckdb"
    with duckdb.connect(str(path)) as connection:
        for name in BROUGHT:
            rows = clean_rows(by_duckdb, name)
            connection.from_df(rows).create(name)
    return path


@pytest.fixture(scope="module")
def address(postgres: PostgresServer, by_duckdb: ImportReport) -> str:
    """The program's clean rows in a schema, each column with a type of its own where a database would have one."""
    from adbc_driver_postgresql.dbapi import connect

    secret = quote(postgres.password, safe="")
    uri = f"postgresql://{postgres.user}:{secret}@127.0.0.1:{postgres.port}/postgres"
    with connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{SCHEMA}"')
        for name in BROUGHT:
            rows = clean_rows(by_duckdb, name)
            typed = ", ".join(f'"{column}"::{TYPES.get(column, "text")} AS "{column}"' for column in rows)
            texts = (
                rows.astype("object").where(rows.notna(), None).map(lambda v: None if v is None else _text(v))
            )
            cursor.adbc_ingest("incoming", _arrow(texts), mode="create", temporary=True)
            cursor.execute(f'CREATE TABLE "{SCHEMA}"."{name}" AS SELECT {typed} FROM incoming')
            cursor.execute("DROP TABLE incoming")
        connection.commit()
    return f"{uri}?schema={quote(SCHEMA)}"


def _text(value: object) -> str:
    return value.strftime("%Y-%m-%d") if isinstance(value, pd.Timestamp) else str(value)


def _arrow(frame: pd.DataFrame):
    import pyarrow as pa

    return pa.table({name: pa.array(frame[name], pa.string()) for name in frame})


def test_a_duckdb_file_is_a_source(duckdb_file: Path, by_duckdb: ImportReport, tmp_path: Path) -> None:
    report = import_dataset([duckdb_file], parsed_mapping(MAPPING), tmp_path / "out")
    assert not any(table.rejected for table in report.tables.values())
    assert by_duckdb.dataset and report.dataset
    same_but_for_rejects(by_duckdb.dataset, report.dataset)


def test_a_postgresql_schema_is_a_source(address: str, by_duckdb: ImportReport, tmp_path: Path) -> None:
    report = import_dataset([address], parsed_mapping(MAPPING), tmp_path / "out")
    assert not any(table.rejected for table in report.tables.values())
    assert by_duckdb.dataset and report.dataset
    same_but_for_rejects(by_duckdb.dataset, report.dataset)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    everything = b"".join(path.read_bytes() for path in report.dataset.rglob("*") if path.is_file())
    assert b"Se%cret" not in everything and b"Se%25cret" not in everything


def same_but_for_rejects(one: Path, other: Path) -> None:
    """Clean rows leave no rejects; everything else is the same."""
    assert pd.read_parquet(other / "rejects.parquet").empty
    pd.read_parquet(one / "rejects.parquet").to_parquet(other / "rejects.parquet")
    same_datasets(one, other)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("postgres?", "nowhere?"), "database"),
        ((f"schema={quote(SCHEMA)}", "schema=Validation%20ofice"), "did you mean 'Validation office'"),
        (("Se%25cret", "Wr0ng%25pass"), "password authentication failed"),
        (("127.0.0.1:", "127.0.0.2:"), "cannot be read"),
        (("127.0.0.1:", "127.0.0.1:port"), "is no address"),
    ],
    ids=["database", "schema", "password", "server", "address"],
)
def test_what_is_wrong_with_an_address_is_one_sentence_without_password(
    address: str, change: tuple[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = address.replace(*change)
    assert wrong != address
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[tables.validations]\nfile = "validations"\n[tables.validations.columns]\n'
                       + "".join(f'{c} = "{c}"\n' for c in ("validation_id", "member_id", "field_office", "mode", "conducted_on")))  # fmt: skip
    assert main(["import", wrong, "--mapping", str(mapping), "--to", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    error = [line for line in printed.err.splitlines() if line.startswith("error:")]
    assert len(error) == 1 and said in error[0], printed.err
    assert "cret" not in printed.err + printed.out and "Wr0ng" not in printed.err + printed.out
    assert [path.name for path in tmp_path.iterdir()] == ["mapping.toml"]


def test_a_password_is_not_in_a_traceback_either(address: str) -> None:
    code = "import sys; from analysis.datasets.engines.databases import opened_database; opened_database(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, address.replace("Se%25cret", "Wr0ng%25pass")],
        capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "AnalysisError" in done.stderr and "Wr0ng" not in done.stderr


def test_a_table_that_is_not_there_is_named_with_those_that_are(duckdb_file: Path, tmp_path: Path) -> None:
    mapping = MAPPING | {
        "tables": MAPPING["tables"] | {"members": {**MAPPING["tables"]["members"], "file": "people"}}
    }
    with pytest.raises(AnalysisError, match=r"no source file matches 'people'.*members, validations"):
        import_dataset([duckdb_file], parsed_mapping(mapping), tmp_path / "out")


@pytest.mark.parametrize("content", [b"no database", b""])
def test_a_damaged_duckdb_file_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "office.duckdb"
    path.write_bytes(content)
    with pytest.raises(AnalysisError, match=r"office.duckdb (is no DuckDB file|has no tables)"):
        import_dataset([path], parsed_mapping(MAPPING), tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir()] == ["office.duckdb"]
