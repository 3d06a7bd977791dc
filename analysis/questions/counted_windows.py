"""The comparison window of a question, counted once where questions share what they count."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from analysis.metrics import Metric, Tally
from analysis.questions.arms import counting_of, tally_counts
from analysis.questions.sharing import counted_once
from analysis.questions.times import time_counts
from analysis.questions.window import Window, comparison_window

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection


def window_of(
    dataset: Dataset,
    definitions: Sequence[Metric],
    selection: Selection,
    extra: tuple[str, ...] = (),
    *,
    modelled: bool = True,
) -> Window:
    """The comparison window of some metrics of one table, or of one time.

    Parameters
    ----------
    dataset : Dataset
    definitions : sequence of Metric
        Tallies of one table and one item, or a single time.
    selection : Selection
        What is counted; without validation modes.
    extra : tuple of str
        Further columns to count by.
    modelled : bool
        Whether tallies are to be counted by what only models adjust for, too.
    """
    first = definitions[0]
    tallied = isinstance(first.counted_by, Tally)
    what: Hashable = (first.counted_by, first.cluster, extra)
    if tallied:
        what = counting_of(dataset, definitions, extra, modelled=modelled)

    def count() -> Window:
        if tallied:
            counted = tally_counts(dataset, definitions, selection, extra, modelled=modelled)
        else:
            counted = time_counts(dataset, first, selection, extra)
        return comparison_window(counted, arm_column=first.arm_column)

    return counted_once(("window", dataset.identity, what, first.arm_column, selection), count)
