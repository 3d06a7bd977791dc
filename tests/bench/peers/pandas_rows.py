"""pandas on rows in memory: the integer codes of the prepared tables, written by hand and through narwhals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from tests.bench.peers.aggregates import EIGHT, READ, TIMES, Aggregate, Limits, metric_code

ABSENT = -9_999
"""Stands for a time or amount that is not recorded: whole numbers group faster than numbers with gaps."""


class Pandas:
    """Written by hand: rows are filtered once per table, and grouped without sorting."""

    def __init__(self, folder: Path) -> None:
        self.rows = {
            name: pd.read_parquet(folder / "prepared" / f"{name}.parquet", columns=list(columns))
            for name, columns in READ.items()
        }
        self.rows["validations"] = _with_times(self.rows["validations"])

    def answer(self, limits: Limits) -> list[pd.DataFrame]:
        kept = {name: self._kept(rows, limits) for name, rows in self.rows.items()}
        return [
            self._values(kept["validations"]) if one.table == "values" else _grouped(kept[one.table], one)
            for one in EIGHT
        ]

    def coded(self, answer: pd.DataFrame, aggregate: Aggregate) -> pd.DataFrame:
        return answer

    @staticmethod
    def _kept(rows: pd.DataFrame, limits: Limits) -> pd.DataFrame:
        terms = [rows[column].isin(codes) for column, codes in limits.codes.items()]
        if limits.first is not None:
            terms += [rows["month"] >= limits.first, rows["month"] <= limits.last]
        return rows[np.logical_and.reduce(terms)] if terms else rows

    @staticmethod
    def _values(rows: pd.DataFrame) -> pd.DataFrame:
        parts = []
        for name in TIMES:
            there = rows[rows[f"{name}_value"] != ABSENT]
            found = there.groupby(["mode", f"{name}_value", f"{name}_event"], sort=False).size()
            part = found.rename_axis(["mode", "value", "event"]).reset_index(name="n")
            parts.append(part.assign(metric=metric_code(name)))
        return pd.concat(parts)


class Narwhals(Pandas):
    """The same rows through narwhals, which once beat what was written by hand."""

    def answer(self, limits: Limits) -> list[pd.DataFrame]:
        out = []
        for one in EIGHT:
            table = "validations" if one.table == "values" else one.table
            frame = nw.from_native(self.rows[table]).lazy()
            terms = [nw.col(column).is_in(list(codes)) for column, codes in limits.codes.items()]
            if limits.first is not None:
                terms += [nw.col("month") >= limits.first, nw.col("month") <= limits.last]
            kept = frame.filter(*terms) if terms else frame
            out.append(self._times(kept) if one.table == "values" else self._sums(kept, one))
        return out

    @staticmethod
    def _sums(frame: Any, one: Aggregate) -> pd.DataFrame:
        found = (
            frame.select(*one.by, *one.sums).group_by(*one.by).agg(*[nw.col(name).sum() for name in one.sums])
        )
        return found.collect(backend="pandas").to_native()

    @staticmethod
    def _times(frame: Any) -> pd.DataFrame:
        parts = []
        for name in TIMES:
            there = frame.filter(nw.col(f"{name}_value") != ABSENT)
            named = there.select("mode", "n", value=nw.col(f"{name}_value"), event=nw.col(f"{name}_event"))
            found = named.group_by("mode", "value", "event").agg(nw.col("n").sum())
            parts.append(
                found.with_columns(metric=nw.lit(metric_code(name))).collect(backend="pandas").to_native()
            )
        return pd.concat(parts)


def _grouped(rows: pd.DataFrame, one: Aggregate) -> pd.DataFrame:
    return rows.groupby(list(one.by), sort=False)[list(one.sums)].sum().reset_index()


def _with_times(rows: pd.DataFrame) -> pd.DataFrame:
    """Times and amounts as whole numbers, made once."""
    columns: dict[str, Any] = {}
    for name, (_, event, _) in TIMES.items():
        values = {
            "days_to_report": rows["report_days"],
            "days_to_close": rows["close_days"].where(rows["n_deficient"] > 0),
            "hours": (rows["hours"] * 10).round(),
            "followup": rows["followup_days"],
            "sites": rows["sites"],
            "minutes_lost": rows["minutes_lost"],
        }[name]
        columns[f"{name}_value"] = values.fillna(ABSENT).astype("int32")
        columns[f"{name}_event"] = 1 if event == "1" else rows[event].fillna(0).astype("int8")
    plain = (
        "report_days",
        "reported",
        "close_days",
        "closed",
        "hours",
        "followup_days",
        "followup_incident",
        "sites",
        "minutes_lost",
    )
    return rows.drop(columns=list(plain)).assign(**columns)
