"""Append: a new month joins the rows that a dataset holds, or takes the place of what it held of that month.

What is held is not read as text nor checked again. It is prepared again, since new rows change old ones, and counted
again where they did: see `analysis.datasets.recounting`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import narwhals as nw
import pandas as pd

from analysis.datasets.calendar import month_key
from analysis.datasets.engines import Engine, Frame, number_of_rows
from analysis.datasets.mapping import ImportMapping
from analysis.datasets.opening import open_dataset
from analysis.datasets.tables import read_table
from analysis.errors import AnalysisError
from analysis.schema import TABLES

_DATES = {"validations": "conducted_on", "incidents": "occurred_on"}
_BELONGS_TO = {"findings": "validations", "feedback": "validations", "incident_causes": "incidents"}

REPLACED = "earlier rows replaced"


class Earlier:
    """The source rows that a dataset holds, before a new month is appended.

    Parameters
    ----------
    engine : Engine
    out : Path
        The dataset folder.
    mapping : ImportMapping

    Raises
    ------
    AnalysisError
        When `out` is no dataset, or the mapping numbers rows: then nobody can tell which are the same.
    """

    def __init__(self, engine: Engine, out: Path, mapping: ImportMapping) -> None:
        dataset = open_dataset(out)
        for table in mapping.tables.values():
            numbered = next((ours for ours, feed in table.feeds.items() if feed.row is not None), None)
            if numbered:
                raise AnalysisError(
                    f"{table.table}.{numbered} is a row number, so nobody can tell which rows are new: import all "
                    "files together, without --append."
                )
        self._engine = engine
        self._held = {
            name: engine.read_parquet(out / "source" / f"{name}.parquet")
            for name in TABLES
            if dataset.has(name)
        }
        self._stayed: dict[str, Frame] = {}
        self.rejects = read_table(out / "rejects.parquet")

    def check(self, given: Sequence[str], mapped: Sequence[str]) -> None:
        """Whether what belongs together is given together.

        Raises
        ------
        AnalysisError
            When validations or incidents of a month are given without what belongs to them.
        """
        for name, owner in _BELONGS_TO.items():
            if owner in given and name in mapped and name not in given and name in self._held:
                raise AnalysisError(
                    f"{owner} are given without {name}, which would be lost: give all files of the month together."
                )

    def without(self, name: str, new: Frame | None) -> Frame | None:
        """Held rows of a table that stay beside the new ones; None where the dataset has no such table."""
        held = self._held.get(name)
        if held is None:
            return None
        owner = _BELONGS_TO.get(name)
        if owner in self._stayed:
            key = TABLES[owner].key[0]
            held = held.join(self._stayed[owner].select(key).unique(), on=key, how="semi")
        if new is not None:
            keys = list(TABLES[name].key)
            held = held.join(new.select(*keys).unique(), on=keys, how="anti")
            if name in _DATES:
                months = new.select(_month=month_key(_DATES[name])).unique()
                dated = held.with_columns(_month=month_key(_DATES[name]))
                held = dated.join(months, on="_month", how="anti").drop("_month")
        self._stayed[name] = self._engine.kept(held)
        return self._stayed[name]

    def joined(self, name: str, new: Frame) -> tuple[Frame, dict[str, int]]:
        """New rows with the held ones that stay, and how many gave way."""
        stays = self.without(name, new)
        if stays is None:
            return new, {}
        replaced = number_of_rows(self._held[name]) - number_of_rows(stays)
        both = self._engine.kept(nw.concat([stays.select(*TABLES[name].names), new]))
        return both, {REPLACED: replaced} if replaced else {}

    def all_rejects(self, new: pd.DataFrame, files: Sequence[str]) -> pd.DataFrame:
        """Rejected rows, those of files given again left out."""
        earlier = self.rejects[~self.rejects["file"].isin(files)]
        return pd.concat([earlier, new], ignore_index=True) if len(earlier) else new
