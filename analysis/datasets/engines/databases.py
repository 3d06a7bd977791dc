"""Databases as sources: tables of a PostgreSQL schema or of a DuckDB file become Parquet files, in batches.

From there on they are read like anybody's Parquet. Passwords are used, never repeated: not in messages, not in
datasets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

import duckdb
import pyarrow.parquet as pq

from analysis.errors import AnalysisError, nearest

POSTGRESQL = ("postgresql://", "postgres://")
DUCKDB_ENDINGS = (".duckdb", ".ddb")

_FILE_ALONE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_BATCH_BYTES = str(16 * 2**20)
_AS_THEY_ARE = (
    "boolean", "smallint", "integer", "bigint", "real", "double precision", "text", "character varying", "date",
)  # fmt: skip
"""Types that come over as what they are; every other type comes as the text the server shows."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database of sources, under the name that may be shown, with the names of its tables."""

    shown: str
    location: str
    schema: str
    tables: tuple[str, ...]

    def copied(self, table: str, folder: Path) -> Path:
        """One table as a Parquet file of a folder.

        Raises
        ------
        AnalysisError
            When the table cannot be read.
        """
        path = folder / f"{len(list(folder.iterdir()))}.parquet"
        copy = _copied_from_postgresql if self.location.startswith(POSTGRESQL) else _copied_from_duckdb
        copy(self, table, path)
        return path


def is_database(source: str) -> bool:
    """Whether a source is a database and not a file of rows."""
    return source.startswith(POSTGRESQL) or Path(source).suffix.lower() in DUCKDB_ENDINGS


def shown_as(source: str) -> str:
    """A source as it may be shown: an address without its password and options."""
    if not source.startswith(POSTGRESQL):
        return source
    try:
        parts = urlsplit(source)
        user = f"{parts.username}@" if parts.username else ""
        port = f":{parts.port}" if parts.port else ""
        return f"postgresql://{user}{parts.hostname or ''}{port}{parts.path}"
    except ValueError:
        return "postgresql://…"


def opened_database(source: str) -> Database:
    """A database and the tables it has.

    Raises
    ------
    AnalysisError
        When it cannot be reached, is no database, or has no tables there.
    """
    if source.startswith(POSTGRESQL):
        location, schema = _without_schema(source)
        with _postgresql(location) as cursor:
            cursor.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = $1 ORDER BY table_name",
                (schema,),
            )
            tables = tuple(name for (name,) in cursor.fetchall())
            cursor.execute("SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY nspname")
            schemas = [name for (name,) in cursor.fetchall()]
        if not tables:
            hint = "it has no tables you may read." if schema in schemas else nearest(schema, schemas)
            raise AnalysisError(f"{shown_as(source)}, schema '{schema}': {hint}")
        return Database(shown_as(source), location, schema, tables)
    with _duckdb(source) as connection:
        found = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY table_name"
        ).fetchall()
    if not found:
        raise AnalysisError(f"{source} has no tables: nothing to import.")
    return Database(source, source, "main", tuple(name for (name,) in found))


# -- DuckDB -------------------------------------------------------------------------------------------


def _copied_from_duckdb(database: Database, table: str, path: Path) -> None:
    with _duckdb(database.location, writes_to=path.parent) as connection:
        connection.table(f"main.{_quoted(table)}").write_parquet(str(path), compression="zstd")


@contextmanager
def _duckdb(source: str, *, writes_to: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB file, read only; its views may read nothing but the file itself, and ask nobody over a network."""
    if not Path(source).is_file():
        raise AnalysisError(f"{source} does not exist: check the name of the source file.")
    try:
        connection = duckdb.connect(source, read_only=True, config=_FILE_ALONE)
        try:
            if writes_to is not None:
                connection.execute(f"SET allowed_directories = [{_literal(str(writes_to))}]")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            yield connection
        finally:
            connection.close()
    except duckdb.Error as error:
        raise AnalysisError(f"{source} is no DuckDB file that can be read ({_first_line(error)}).") from error


# -- PostgreSQL ---------------------------------------------------------------------------------------


def _copied_from_postgresql(database: Database, table: str, path: Path) -> None:
    with _postgresql(database.location) as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position",
            (database.schema, table),
        )
        columns = ", ".join(_selected(name, kind) for name, kind in cursor.fetchall())
        order = _key_of(cursor, database.schema, table)
        ordered = f" ORDER BY {', '.join(map(_quoted, order))}" if order else ""
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": _BATCH_BYTES})
        cursor.execute(f"SELECT {columns} FROM {_quoted(database.schema)}.{_quoted(table)}{ordered}")
        reader = cursor.fetch_record_batch()
        with pq.ParquetWriter(path, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)


def _key_of(cursor: Any, schema: str, table: str) -> list[str]:
    """Columns of the primary key: with them row numbers are the same every time."""
    cursor.execute(
        "SELECT k.column_name FROM information_schema.table_constraints c "
        "JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name, table_name) "
        "WHERE c.constraint_type = 'PRIMARY KEY' AND c.table_schema = $1 AND c.table_name = $2 "
        "ORDER BY k.ordinal_position",
        (schema, table),
    )
    return [name for (name,) in cursor.fetchall()]


def _selected(name: str, kind: str) -> str:
    column = _quoted(name)
    if kind in _AS_THEY_ARE:
        return column
    if kind == "numeric":
        # An identifier held as a number is '7', not '7.00'.
        return f"trim_scale({column})::text AS {column}"
    if kind.startswith("timestamp"):
        return f"{column}::timestamp AS {column}"
    return f"{column}::text AS {column}"


@contextmanager
def _postgresql(location: str) -> Iterator[Any]:
    try:
        from adbc_driver_manager import Error
        from adbc_driver_postgresql.dbapi import connect
    except ImportError as error:
        raise AnalysisError(
            f"{shown_as(location)} needs adbc-driver-postgresql: run `pip install -r requirements-engines.txt`."
        ) from error
    try:
        with connect(location) as connection, connection.cursor() as cursor:
            yield cursor
    except Error as error:
        # Without its cause: that names the address as it was given.
        raise AnalysisError(
            f"{shown_as(location)} cannot be read: {_without_secrets(error, location)}."
        ) from None


def _without_schema(source: str) -> tuple[str, str]:
    try:
        parts = urlsplit(source)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        _ = parts.port
    except ValueError:
        raise AnalysisError(
            f"{shown_as(source)} is no address: write postgresql://user@host:5432/database."
        ) from None
    schema = options.pop("schema", "public")
    return SplitResult(parts.scheme, parts.netloc, parts.path, urlencode(options), "").geturl(), schema


def _without_secrets(error: BaseException, location: str) -> str:
    words = _first_line(error)
    parts = urlsplit(location)
    secrets = {parts.password or "", unquote(parts.password or "")} | {
        value for _, value in parse_qsl(parts.query)
    }
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        words = words.replace(secret, "…")
    return words


def _first_line(error: BaseException) -> str:
    lines: Sequence[str] = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300].rstrip(".")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
