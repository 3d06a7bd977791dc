"""Open a dataset folder: read its manifest and vocabularies, hold its cells, reach its prepared rows."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from analysis.datasets.cells import CELLS, DURATIONS, VIEWS, TooFine
from analysis.datasets.cubes import Cube, read_cube
from analysis.datasets.engines import DUCKDB, Frame, Reader, collected, number_of_rows, reader_named
from analysis.datasets.tables import read_table
from analysis.datasets.vocabularies import Vocabulary, read_vocabularies
from analysis.errors import AnalysisError
from analysis.schema import SCHEMA_VERSION
from analysis.toml import read_toml


@dataclass(frozen=True, slots=True)
class Part:
    """Of which dataset (its `Dataset.edition`) and which field offices a dataset is a part."""

    of: str
    offices: tuple[str, ...]


class Dataset:
    """A dataset folder, open for reading; nothing is ever written.

    Cells are small and held in memory as they are first asked for; prepared rows stay in their files and are
    only reached through `prepared`. Safe to share between threads: frames handed out must not be changed.
    """

    def __init__(
        self,
        path: Path,
        manifest: Mapping[str, Any],
        vocabularies: Mapping[str, Vocabulary],
        engine: str = DUCKDB,
    ) -> None:
        self.path = path
        self.name = str(manifest["name"])
        self.synthetic = bool(manifest["synthetic"])
        self.as_of: dt.date = manifest["as_of"]
        self.period: tuple[dt.date, dt.date] = (manifest["period"][0], manifest["period"][1])
        self.fingerprint = str(manifest["fingerprint"])
        self.fiscal_year_start_month = int(manifest["fiscal_year_start_month"])
        self.source_note = str(manifest.get("source_note", ""))
        self.row_counts: Mapping[str, int] = manifest["row_counts"]
        self.criteria_asked = bool(manifest["completeness"].get("criteria_asked", True))
        self.clean_validations = bool(manifest["completeness"].get("clean_validations", True))
        self.margins: Mapping[str, Any] = manifest.get("margins", {})
        self.too_fine = {name: TooFine(**each) for name, each in manifest.get("too_fine", {}).items()}
        """Tables of cells that are not held: what they would answer is counted from rows."""
        self.modes: Mapping[str, str] = {"virtual": "Virtual", "in_person": "In person"} | manifest.get(
            "modes", {}
        )
        part = manifest.get("part")
        self.part = Part(str(part["of"]), tuple(part["offices"])) if part else None
        self.edition = _digest(sorted(manifest.items()))
        """Tells what is in it from what was before, wherever it lies."""
        self.identity = _digest((str(path), sorted(manifest.items())))
        """Tells one open dataset from another: the same rows under another name or other arms differ."""
        self._vocabularies = vocabularies
        self._cells: dict[str, pd.DataFrame] = {}
        self._cubes: dict[str, Cube] = {}
        self._known: dict[str, bool] = {}
        self._applicability: pd.DataFrame | None = None
        self._engine_name = engine
        self._engine: Reader | None = None
        self._lock = threading.Lock()

    @property
    def tag(self) -> str:
        """What stands in the box beside every title and caption: SYNTHETIC, or the dataset's name."""
        return "SYNTHETIC" if self.synthetic else self.name

    def has(self, table: str) -> bool:
        """Whether the dataset has a source table."""
        return table in self.row_counts

    def vocabulary(self, column: str) -> tuple[str, ...]:
        """Values the column may take in this dataset, in order."""
        return self._vocabularies[column].values

    def present(self, column: str) -> tuple[str, ...]:
        """Values of the column that occur in this dataset, in order."""
        known = self._vocabularies[column]
        return tuple(value for value, there in zip(known.values, known.present, strict=True) if there)

    def records(self, column: str) -> bool:
        """Whether the dataset has any value for the column."""
        return any(self._vocabularies[column].present)

    def is_part_of(self, whole: Dataset, offices: Sequence[str]) -> bool:
        """Whether this is the part of these offices, made of the other dataset as it is now."""
        return self.part is not None and self.part == Part(whole.edition, tuple(sorted(set(offices))))

    @property
    def catalogue_has_levels(self) -> bool:
        """Whether criteria are known as Must or Should."""
        return self.records("level")

    def label(self, column: str, value: str) -> str:
        """A value as people read it."""
        return self._vocabularies[column].label(value)

    def code(self, column: str, value: str) -> int:
        """The integer code of a value in prepared tables and cells."""
        return self._vocabularies[column].code(value)

    def cells(self, name: str) -> pd.DataFrame | None:
        """A table of cells (read-only), or None where the dataset has none of that kind."""
        with self._lock:
            if name not in self._cells:
                path = self.path / "cells" / f"{name}.parquet"
                if not path.exists():
                    return None
                self._cells[name] = read_table(path)
            return self._cells[name]

    def cube(self, name: str) -> Cube | None:
        """A table of cells arranged for counting, or None where the dataset has none of that kind."""
        with self._lock:
            if name not in self._cubes:
                path = self.path / "cells" / f"{name}.parquet"
                if not path.exists():
                    return None
                try:
                    self._cubes[name] = read_cube(path, CELLS[name])
                except (OSError, ValueError) as error:
                    raise AnalysisError(f"{path} is damaged: import the dataset again.") from error
            return self._cubes[name]

    def counts_by(self, cells: str) -> bool:
        """Whether there is what a table of cells counts, be it in cells or in rows."""
        return cells in self.too_fine or (self.path / "cells" / f"{cells}.parquet").exists()

    def counts_any(self, column: str) -> bool:
        """Whether any validation has something other than nothing in a column that is added up."""
        cube = self.cube("validation_cells")
        if cube is not None:
            return bool(cube.sums(column).any())
        return self._found(
            f"any {column}", lambda rows: collected(rows.select(nw.col(column).sum())).iloc[0, 0]
        )

    def counts_amount(self, amount: str) -> bool:
        """Whether any validation has a value of a time or amount."""
        cube = self.cube("value_cells")
        if cube is not None:
            return bool((cube.kinds["metric"] == DURATIONS.index(amount)).any())
        if not self.counts_by("value_cells"):
            return False
        return self._found(amount, lambda rows: number_of_rows(VIEWS[amount][1](rows)))

    def _found(self, what: str, count: Callable[[Frame], int]) -> bool:
        """Whether prepared validations have any of something; asked of the rows once."""
        if what not in self._known:
            rows = self.prepared("validations")
            self._known[what] = rows is not None and bool(count(rows))
        return self._known[what]

    def prepared(self, name: str) -> Frame | None:
        """Prepared rows, lazily and in a database handle of their own, or None where there are none."""
        path = self.path / "prepared" / f"{name}.parquet"
        return self._read(path) if path.exists() else None

    def applicability(self) -> pd.DataFrame:
        """Which criteria apply, coded (read-only): one row per entity type, catalogue period and criterion.

        Each row says under which category, focus area, level and way of seeing the criterion stands there.
        """
        with self._lock:
            if self._applicability is None:
                path = self.path / "prepared" / "applicability.parquet"
                self._applicability = read_table(path)
            return self._applicability

    def rows(self, table: str) -> Frame:
        """Source rows of a table, for quality checks and drill-down; counting never uses them."""
        return self._read(self.path / "source" / f"{table}.parquet")

    def rows_together(self, *tables: str) -> tuple[Frame, ...]:
        """Source rows of several tables through one database handle, so that they can be joined."""
        engine = self._handle()
        return tuple(engine.read_parquet(self.path / "source" / f"{table}.parquet") for table in tables)

    def catalogue(self) -> pd.DataFrame:
        """The criteria catalogue."""
        return collected(self.rows("criteria"))

    def _read(self, path: Path) -> Frame:
        return self._handle().read_parquet(path)

    def _handle(self) -> Reader:
        with self._lock:
            if self._engine is None:
                self._engine = reader_named(self._engine_name)
            return self._engine.cursor()

    def close(self) -> None:
        """Give back what reads the rows; the next question takes it up again."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()
                self._engine = None

    def __repr__(self) -> str:
        return f"<Dataset {self.name!r}, as of {self.as_of}, {self.row_counts.get('validations', 0):,} validations>"


def open_dataset(path: Path | str, *, engine: str = DUCKDB) -> Dataset:
    """Open a dataset folder.

    Parameters
    ----------
    path : Path or str
    engine : str
        What reads prepared rows where cells cannot answer: ``duckdb``, ``pandas`` (in memory, for notebooks), or
        Spark as ``local[*]`` or ``spark://host:port``. Every engine gives the same answers.

    Raises
    ------
    AnalysisError
        When the folder is missing, is not a dataset, or was made by a version that is not understood.
    """
    folder = Path(path)
    manifest_path = folder / "dataset.toml"
    if not manifest_path.is_file():
        raise AnalysisError(
            f"{folder} is not a dataset: it has no dataset.toml; make one with `python -m analysis import` or `demo`."
        )
    try:
        manifest = read_toml(manifest_path)
        version = manifest["schema_version"]
    except (OSError, ValueError, KeyError) as error:
        raise AnalysisError(f"{manifest_path} is damaged ({error}): import the dataset again.") from error
    if version != SCHEMA_VERSION:
        raise AnalysisError(
            f"{folder} was made by schema version {version}, this is {SCHEMA_VERSION}: import it again."
        )
    try:
        days = (manifest["as_of"], *manifest["period"])
        if len(days) != 3 or not all(type(day) is dt.date for day in days):
            raise ValueError("as_of and period must be dates")
        vocabularies = read_vocabularies(folder / "vocabularies.parquet")
        return Dataset(folder, manifest, vocabularies, engine)
    except (OSError, LookupError, TypeError, AttributeError, ValueError) as error:
        raise AnalysisError(f"{folder} is damaged ({error}): import the dataset again.") from error


def _digest(described: object) -> str:
    return hashlib.sha256(repr(described).encode()).hexdigest()[:16]


def narwhal(frame: pd.DataFrame) -> nw.LazyFrame[Any]:
    """Cells as a lazy frame, so that one expression serves cells and rows."""
    lazy: nw.LazyFrame[Any] = nw.from_native(frame).lazy()
    return lazy
