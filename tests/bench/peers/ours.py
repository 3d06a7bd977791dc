"""This project: counts from cells, as the app asks for them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.counts import counts
from analysis.datasets.opening import open_dataset
from analysis.datasets.vocabularies import CODED
from tests.bench.peers.aggregates import EIGHT, Aggregate, Limits


class Ours:
    """Answers come with values, not codes, sorted: what a page gets."""

    def __init__(self, folder: Path) -> None:
        self.dataset = open_dataset(folder)

    def answer(self, limits: Limits) -> list[pd.DataFrame]:
        selection = limits.selection(self.dataset)
        return [counts(self.dataset, one.table, one.by, selection, sums=one.sums) for one in EIGHT]

    def coded(self, answer: pd.DataFrame, aggregate: Aggregate) -> pd.DataFrame:
        """Values as codes again, to be compared."""
        out = answer.copy()
        for column in aggregate.by:
            if column in CODED:
                codes = {value: code for code, value in enumerate(self.dataset.vocabulary(column))}
                out[column] = [codes.get(value, -1) for value in answer[column]]
        return out
