"""DuckDB on the same Parquet files, and the floor: one raw ``GROUP BY`` of the rows in memory."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from tests.bench.peers.aggregates import EIGHT, TIMES, Aggregate, Limits, metric_code, where


class DuckSQL:
    """Eight statements on the Parquet files."""

    def __init__(self, folder: Path) -> None:
        self.base = duckdb.connect()
        for name in ("validations", "findings", "incidents"):
            self.base.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{files(folder, name)}')")

    def answer(self, limits: Limits) -> list[pd.DataFrame]:
        return [self.base.execute(_statement(one, where(limits))).df() for one in EIGHT]

    def coded(self, answer: pd.DataFrame, aggregate: Aggregate) -> pd.DataFrame:
        return answer


class Floor:
    """What no engine that goes through the rows can do without: each finding looked at once, in one group-by."""

    def __init__(self, folder: Path) -> None:
        self.base = duckdb.connect()
        self.base.execute(
            "CREATE TABLE findings AS SELECT mode, month, criterion_id, answer "
            f"FROM read_parquet('{files(folder, 'findings')}')"
        )

    def answer(self, limits: Limits) -> list[pd.DataFrame]:
        del limits
        statement = "SELECT mode, month, criterion_id, answer, count(*) AS n FROM findings GROUP BY ALL"
        return [self.base.execute(statement).df()]


def files(folder: Path, name: str) -> str:
    """A table of prepared rows as DuckDB reads it: one file, or a folder of parts."""
    path = folder / "prepared" / f"{name}.parquet"
    return str(path / "*.parquet" if path.is_dir() else path)


def _statement(one: Aggregate, kept: str) -> str:
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in one.sums)
    if one.table != "values":
        return f"SELECT {', '.join(one.by)}, {sums} FROM {one.table} WHERE {kept} GROUP BY ALL"
    return " UNION ALL ".join(
        f"SELECT {metric_code(name)} AS metric, mode, ({value})::INTEGER AS value, {event} AS event, count(*) AS n "
        f"FROM validations WHERE {kept} AND {there} GROUP BY ALL"
        for name, (value, event, there) in TIMES.items()
    )
