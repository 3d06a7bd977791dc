"""polars on the same integer codes: lazy queries on rows in memory, and on the Parquet files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl

from tests.bench.peers.aggregates import EIGHT, READ, TIMES, Aggregate, Limits, metric_code


class Polars:
    """Rows in memory, all eight queries collected at once, so that polars may share what they have in common."""

    def __init__(self, folder: Path) -> None:
        self.rows = {name: frame.collect().lazy() for name, frame in _scanned(folder).items()}

    def answer(self, limits: Limits) -> list[pl.DataFrame]:
        kept = {name: frame.filter(*_terms(limits)) for name, frame in self.rows.items()}
        return pl.collect_all(
            [
                _values(kept["validations"])
                if one.table == "values"
                else kept[one.table].group_by(one.by).agg(pl.col(one.sums).cast(pl.Int64).sum())
                for one in EIGHT
            ]
        )

    def coded(self, answer: pl.DataFrame, aggregate: Aggregate) -> pd.DataFrame:
        return pd.DataFrame(answer.to_dict(as_series=False))


class PolarsParquet(Polars):
    """The same without rows in memory."""

    def __init__(self, folder: Path) -> None:
        self.rows = _scanned(folder)


def _scanned(folder: Path) -> dict[str, pl.LazyFrame]:
    rows = {
        name: pl.scan_parquet(folder / "prepared" / f"{name}.parquet").select(columns)
        for name, columns in READ.items()
    }
    rows["validations"] = _with_times(rows["validations"])
    return rows


def _terms(limits: Limits) -> list[pl.Expr]:
    terms = [pl.col(column).is_in(list(codes)) for column, codes in limits.codes.items()]
    if limits.first is not None:
        terms += [pl.col("month") >= limits.first, pl.col("month") <= limits.last]
    return terms or [pl.lit(True)]


def _values(rows: pl.LazyFrame) -> pl.LazyFrame:
    parts = []
    for name in TIMES:
        there = rows.filter(pl.col(f"{name}_value").is_not_null())
        named = there.select("mode", value=f"{name}_value", event=f"{name}_event")
        counted = named.group_by("mode", "value", "event").agg(n=pl.len().cast(pl.Int64))
        parts.append(counted.with_columns(metric=pl.lit(metric_code(name), pl.Int64)))
    return pl.concat(parts)


def _with_times(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Times and amounts as whole numbers."""
    made = []
    for name, (value, event, _) in TIMES.items():
        amount = {
            "days_to_close": pl.when(pl.col("n_deficient") > 0).then(pl.col("close_days")),
            "hours": (pl.col("hours") * 10).round(),
            "minutes_lost": pl.col("minutes_lost"),
        }.get(name, pl.col(value if name != "hours" and "(" not in value else "hours"))
        made.append(amount.cast(pl.Int32).alias(f"{name}_value"))
        happened = pl.lit(1) if event == "1" else pl.col(event)
        made.append(happened.cast(pl.Int8).alias(f"{name}_event"))
    return rows.with_columns(made)
