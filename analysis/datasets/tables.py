"""Small Parquet tables of a dataset, in memory; what is wrong with one in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from analysis.errors import AnalysisError


def read_table(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A Parquet file as a frame.

    Raises
    ------
    AnalysisError
        When it is missing or damaged.
    """
    try:
        return pd.read_parquet(path, columns=None if columns is None else list(columns))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise AnalysisError(f"{path} is missing or damaged: import the dataset again.") from error
