"""Rows of any engine as pandas: the only way results leave an engine."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from analysis.datasets.engines.contract import Frame


def collected(frame: Frame) -> pd.DataFrame:
    """Rows of a lazy frame as pandas."""
    if frame.implementation.is_pyspark():
        from analysis.datasets.engines.on_spark import collected_by_spark

        return collected_by_spark(frame)
    return frame.collect(backend="pandas").to_native()


def number_of_rows(frame: Frame) -> int:
    """How many rows a lazy frame has."""
    return int(collected(frame.select(nw.len().alias("n")))["n"].iloc[0])
