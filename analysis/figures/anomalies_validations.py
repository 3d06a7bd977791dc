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

_COPIED = "copied_answers"
_WHEN = "Mode and month"
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
    table = _listed(answer.rows, dataset) if answer.rows else _by_reason(answer)
    left = len(table) - MOST_SHOWN
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
            f"{wording.counted(left, 'further row')} {'is' if left == 1 else 'are'} left to the table and the download" if left > 0 else "",
            "Those that repeat one set of answers share a row; the download has one for each" if answer.by_reason.get(_COPIED) else "",
            "What chance could explain is left out (false-discovery rate 5% a check); what is only unusual counts while it is rare",
            "Members and specialists are never named here",
            *remembered(answer.caveats),
            f"n = {wording.counted(answer.n, 'validation')}",
            when(dataset, selection),
        ),
        alt,
        html=plain_table(table.head(MOST_SHOWN), caption=title, numbers=["Validations"], strong=["Validation"], second={"Validation": _WHEN}),
        data=answer.to_frame() if answer.rows else table,
        table=table,
    )  # fmt: skip


def _listed(rows: tuple[OddValidation, ...], dataset: Dataset) -> pd.DataFrame:
    """One row a validation; those of one set of repeated answers, and of no other reason, together."""
    together: dict[str, list[OddValidation]] = {}
    for row in rows:
        alone = len(row.reasons) == 1 and row.reasons[0].code == _COPIED
        together.setdefault(row.reasons[0].words if alone else row.validation_id, []).append(row)
    return pd.DataFrame([_row(each, dataset) for each in together.values()])


def _row(rows: list[OddValidation], dataset: Dataset) -> dict[str, str]:
    first, last = rows[0], rows[-1]
    modes = [
        dataset.label("mode", mode) if mode else "mode not recorded"
        for mode in dict.fromkeys(row.mode for row in rows)
    ]
    months = [
        wording.month(month_start(key)) for key in (min(r.month for r in rows), max(r.month for r in rows))
    ]
    name = first.validation_id
    if len(rows) > 1:
        name = f"{name} and {last.validation_id}" if len(rows) == 2 else f"{name} and {len(rows) - 1:,} more"
    return {
        "Validation": name,
        _WHEN: f"{wording.listed(modes)} · {' – '.join(dict.fromkeys(months))}",
        "Why it deserves a second look": "; ".join(reason.words for reason in first.reasons),
    }


def _by_reason(answer: OddValidations) -> pd.DataFrame:
    rows = [
        {"Reason": reasons.words(code).rstrip("."), "Validations": wording.number(n)}
        for code, n in answer.by_reason.items()
    ]
    return pd.DataFrame(rows or [{"Reason": "Every count by reason is too small to show", "Validations": ""}])
