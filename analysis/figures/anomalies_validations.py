"""Single validations worth a second look, as a table: their own ids, no member, no specialist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, State
from analysis.charts.tables import plain_table
from analysis.figures.anomalies_words import remembered, state_of
from analysis.figures.asking import asked
from analysis.figures.captions import caption, when
from analysis.figures.comparison_words import at_most
from analysis.questions.anomalies_validations import OddValidation, OddValidations, odd_validations
from analysis.selection import month_start

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

MOST_SHOWN = 40
"""Rows on the page; the download holds all of them."""


def validations(dataset: Dataset, selection: Selection) -> Figure:
    """Validations that look odd, each with its reasons in words."""
    figure_id, heading = "anomalies.validations", "Validations that deserve a second look"
    answer = asked(odd_validations, dataset, selection)
    if not answer.n:
        return Figure(figure_id, heading, state=state_of(answer.n, answer.caveats, dataset, selection))
    if not answer.flagged:
        said = "Some counts are too small to show." if answer.flagged is None else "No validation looks odd."
        looked = f"{wording.counted(answer.n, 'validation')} were looked through."
        return Figure(figure_id, heading, state=State("too_small", said, looked))
    shown = answer.rows[:MOST_SHOWN]
    table = pd.DataFrame([_row(row, dataset) for row in answer.rows]) if answer.rows else _by_reason(answer)
    title = f"{wording.number(answer.flagged)} of {wording.counted(answer.n, 'validation')} deserve{'s' if answer.flagged == 1 else ''} a second look"
    most = max(answer.by_reason, key=lambda code: answer.by_reason[code]) if answer.by_reason else None
    alt = at_most(
        f"Table of {wording.counted(len(table), 'row')}. {title}."
        + (f" Most frequent reason: {reasons.words(most).rstrip('.').lower()}." if most else "")
    )
    return Figure(
        figure_id,
        title,
        "Reasons in words; those with most reasons first" if answer.rows else "By reason; single validations are not listed",
        caption(
            f"{wording.number(len(shown))} of {wording.number(len(answer.rows))} shown; the download holds all of them"
            if len(shown) < len(answer.rows) else "",
            "What chance could explain is left out (false-discovery rate 5% a check); what is only unusual counts while it is rare",
            "Members and specialists are never named here",
            *remembered(answer.caveats),
            f"n = {wording.counted(answer.n, 'validation')}",
            when(dataset, selection),
        ),
        alt,
        html=plain_table(table.head(MOST_SHOWN), caption=title, numbers=["Validations"], strong=["Validation"]),
        data=answer.to_frame() if answer.rows else table,
        table=table,
    )  # fmt: skip


def _row(row: OddValidation, dataset: Dataset) -> dict[str, str]:
    mode = dataset.label("mode", row.mode) if row.mode else "Mode not recorded"
    return {
        "Validation": row.validation_id,
        "Why it deserves a second look": "; ".join(reason.words for reason in row.reasons),
        "Mode and month": f"{mode} · {wording.month(month_start(row.month))}",
    }


def _by_reason(answer: OddValidations) -> pd.DataFrame:
    rows = [
        {"Reason": reasons.words(code).rstrip("."), "Validations": wording.number(n)}
        for code, n in answer.by_reason.items()
    ]
    return pd.DataFrame(rows or [{"Reason": "Every count by reason is too small to show", "Validations": ""}])
