"""The one place that touches rows: reading, writing, and the few steps narwhals has no word for.

Everything else about rows is written in narwhals, so that the same code runs on DuckDB, on pandas frames and on a
Spark cluster. SQL stands only here.
"""

from __future__ import annotations

from pathlib import Path

from analysis.datasets.engines.contract import EMPTY, ROW, Engine, Frame, Kind, Reader
from analysis.datasets.engines.csv_text import column_names
from analysis.datasets.engines.on_duckdb import DuckDB
from analysis.datasets.engines.results import collected, number_of_rows
from analysis.errors import AnalysisError

__all__ = [
    "DUCKDB", "EMPTY", "ROW", "DuckDB", "Engine", "Frame", "Kind", "Reader", "collected", "column_names",
    "engine_named", "number_of_rows", "reader_named",
]  # fmt: skip

DUCKDB = "duckdb"


def engine_named(name: str = DUCKDB, *, beside: Path | None = None, threads: int | None = None) -> Engine:
    """The engine somebody asked for.

    Parameters
    ----------
    name : str
        ``duckdb``; ``local[*]`` or ``local[N]``, Spark on this machine; ``spark://host:port``, a cluster.
    beside : Path, optional
        The dataset folder to be written: what is held on the way lies in a folder beside it, which all machines of a
        cluster must reach.
    threads : int, optional
        Worker threads of DuckDB.

    Raises
    ------
    AnalysisError
        When there is no such engine, it is not installed or cannot be reached.
    """
    if name == DUCKDB:
        return DuckDB(beside=beside, threads=threads)
    if name.startswith("spark://") or name.partition("[")[0] == "local":
        from analysis.datasets.engines.on_spark import Spark

        return Spark(name, beside=beside)
    raise AnalysisError(f"there is no engine '{name}': choose duckdb, local[*] or spark://host:port.")


def reader_named(name: str = DUCKDB) -> Reader:
    """What reads the rows of an open dataset: an engine of `engine_named`, or ``pandas`` for frames in memory."""
    if name == "pandas":
        from analysis.datasets.engines.on_pandas import Pandas

        return Pandas()
    return engine_named(name)
