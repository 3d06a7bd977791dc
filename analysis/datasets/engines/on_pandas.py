"""Plain pandas frames: prepared rows in memory, to be looked at step by step in a notebook."""

from __future__ import annotations

from pathlib import Path

import narwhals as nw
import pandas as pd

from analysis.datasets.engines.contract import Frame
from analysis.errors import AnalysisError


class Pandas:
    """Reads rows; does not import: text, dates and what is not recorded are DuckDB's and Spark's to tell apart."""

    def close(self) -> None:
        """Nothing is held but the frames themselves."""

    def cursor(self) -> Pandas:
        """The same: there is nothing to share."""
        return self

    def read_parquet(self, path: Path) -> Frame:
        """A Parquet file, or a folder of its parts, in memory."""
        try:
            lazy: Frame = nw.from_native(pd.read_parquet(path)).lazy()
        except (OSError, ValueError) as error:
            raise AnalysisError(f"{path} is damaged or no Parquet file: make its dataset again.") from error
        return lazy
