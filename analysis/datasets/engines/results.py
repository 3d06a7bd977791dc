"""Rows of any engine as pandas: the only way results leave an engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import narwhals as nw
import pandas as pd

from analysis.datasets.engines.contract import Frame
from analysis.errors import AnalysisError

_OURS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.SyntaxException)
"""Mistakes of the program; anything else is a full disk, too little memory or a damaged file."""


def collected(frame: Frame) -> pd.DataFrame:
    """Rows of a lazy frame as pandas."""
    if frame.implementation.is_pyspark():
        from analysis.datasets.engines.on_spark import collected_by_spark

        return collected_by_spark(frame)
    with said("rows cannot be read"):
        return frame.collect(backend="pandas").to_native()


@contextmanager
def said(what: str) -> Iterator[None]:
    """What DuckDB cannot do for a reason outside the program, in one sentence."""
    try:
        yield
    except duckdb.Error as error:
        if isinstance(error, _OURS):
            raise
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(". ")
        raise AnalysisError(f"{what} ({first}): make room on the disk, or make its file again.") from error


def number_of_rows(frame: Frame) -> int:
    """How many rows a lazy frame has."""
    return int(collected(frame.select(nw.len().alias("n")))["n"].iloc[0])
