"""What somebody gives to be imported: files, and databases whose tables are read like files of their names."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.datasets.engines import Engine
from analysis.datasets.engines.databases import Database, is_database, opened_database, shown_as
from analysis.datasets.reading import SourceTable, read_source
from analysis.errors import AnalysisError
from analysis.files import made_aside


@dataclass(frozen=True, slots=True)
class Given:
    """One file, or one table of a database: the name that patterns of a mapping match, and how messages name it."""

    name: str
    shown: str
    path: Path | None = None
    database: Database | None = None

    def read(self, engine: Engine, *, sheet: str | None = None) -> SourceTable:
        """Its rows as text.

        Raises
        ------
        AnalysisError
            When it is no table, or cannot be read.
        """
        if self.database is None:
            assert self.path is not None
            return read_source(engine, self.path, sheet=sheet)
        with made_aside(Path(tempfile.gettempdir()) / "copied") as folder:
            copy = self.database.copied(self.name, folder)
            return SourceTable(self.name, engine.kept(engine.read_parquet_as_text(copy)), typed=True)


def given_sources(sources: Sequence[Path | str]) -> list[Given]:
    """Files as they are, databases table by table, in the order given.

    Raises
    ------
    AnalysisError
        When a database cannot be reached or has no tables, or an address is none of a database.
    """
    given: list[Given] = []
    for source in sources:
        if is_database(str(source)):
            database = opened_database(str(source))
            given += [
                Given(table, f"{database.shown}, table {table}", database=database)
                for table in database.tables
            ]
        else:
            if "://" in str(source):
                # Not repeated: an address may hold a password.
                raise AnalysisError(
                    "an address is no source unless it is postgresql://user@host/database: give files, or a DuckDB file."
                )
            path = Path(source)
            given.append(Given(path.name, str(path), path))
    return given


def files_among(sources: Sequence[Path | str]) -> list[Path]:
    """Sources that lie in a folder of this machine."""
    return [Path(source) for source in sources if "://" not in str(source)]


def shown_sources(sources: Sequence[Path | str]) -> str:
    """Sources as messages name them: without passwords."""
    return ", ".join(shown_as(str(source)) for source in sources)
