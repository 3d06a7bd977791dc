"""The Overview of an office's part: its key statistics beside those of the whole program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, State
from analysis.charts.tables import plain_table
from analysis.figures.asking import asked
from analysis.figures.captions import caption
from analysis.figures.overview import value_words
from analysis.questions.overview_records import Statistic
from analysis.questions.program_totals import program_totals

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

ID, TITLE = "overview.program", "Beside the whole program"


def program(dataset: Dataset, selection: Selection) -> Figure:
    """An office's statistics and the whole program's, side by side; the selection is not applied."""
    if dataset.part is None:
        state = State(
            "too_small",
            "This is the whole dataset.",
            "Only the part of an office has a whole to stand beside.",
        )
        return Figure(ID, TITLE, state=state)
    answer = asked(program_totals, dataset)
    if not any(whole for _, whole in answer.rows):
        state = State("too_small", "No totals of the whole program.", reasons.words("one_other_office"))
        return Figure(ID, TITLE, state=state)
    offices = wording.listed([dataset.label("field_office", office) for office in dataset.part.offices])
    table = pd.DataFrame(
        [
            {
                "Statistic": own.label[:1].upper() + own.label[1:],
                offices: _value(own),
                f"{offices} detail": _detail(own),
                "Whole program": _value(whole),
                "Whole program detail": _detail(whole),
            }
            for own, whole in answer.rows
        ]
    )
    second = {offices: f"{offices} detail", "Whole program": "Whole program detail"}
    return Figure(
        id=ID,
        title=TITLE,
        measure="Over the whole period, whatever the filters",
        caption=caption(
            "Ranges are 95% intervals unless said otherwise",
            "Totals that would tell a small count of the other offices are left out",
        ),
        alt=f"Table of key statistics of {offices} beside the whole program.",
        html=plain_table(table, caption=TITLE, numbers=[offices, "Whole program"], second=second),
        data=answer.to_frame(),
        table=table,
        finding=answer.sentence,
    )


def _value(statistic: Statistic | None) -> str:
    return wording.NOT_ESTIMABLE if statistic is None else value_words(statistic)[0]


def _detail(statistic: Statistic | None) -> str:
    return reasons.words("not_told") if statistic is None else value_words(statistic)[1]
