"""Backlog: validations overdue at the end of each month, above those done by mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.burn_down import burn_down
from analysis.charts.figure import Figure, State
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, when
from analysis.figures.comparison_words import arm_key, at_most
from analysis.figures.overview import turning_points
from analysis.questions.backlog import Backlog, BacklogMonth, backlog
from analysis.questions.window import MODES
from analysis.selection import month_start

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

FIGURE = "virtual_vs_in_person.backlog"
_HEADS = ("Overdue at month's end", "Done in the month")


def overdue(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Overdue validations by month, with what was done by mode."""
    answer = asked(backlog, dataset, selection)
    heading, measure = "Backlog", "Validations overdue at the end of each month, and validations done by mode"
    if state := _state(answer, dataset, selection):
        return Figure(FIGURE, heading, measure, state=state)
    title = _title(answer)
    alt = at_most(
        f"Line of overdue validations over {len(answer.rows)} months above columns done by mode. {title}."
    )
    above = pd.DataFrame(
        [
            {"month": row.month, "n": row.overdue, "period": _named(row), "description": f"End of {_named(row)}: {_count(row.overdue)} overdue"}
            for row in answer.rows
        ]
    )  # fmt: skip
    below = pd.DataFrame(
        [
            {"month": row.month, "mode": mode, "n": _of(row, mode), "period": _named(row),
             "description": f"{_named(row)}: {_count(_of(row, mode))} {dataset.modes[mode].lower()}"}
            for row in answer.rows
            for mode in MODES
        ]
    )  # fmt: skip
    others = sum(row.others or 0 for row in answer.rows)
    hidden = any(row.others is None for row in answer.rows)
    last = answer.rows[-1]
    return Figure(
        id=FIGURE,
        title=title,
        measure=measure,
        caption=caption(
            "Overdue: due before the end of the month, not done by then, of members that had not left",
            f"n = {_count(last.due)} validations due by the end of {_named(last)}" if last.due is not None else "",
            f"Counted but not drawn: {wording.number(others)} in neither of the two modes" if others and not hidden else "",
            *(reasons.words(code) for code in answer.caveats),
            when(dataset, selection),
        ),
        alt=alt,
        chart=burn_down(
            above, below, labels=dict(dataset.modes), heads=_HEADS, alt_text=alt, annotations=turning_points(dataset),
            palette=palette,
        ),
        key=arm_key(dataset),
        data=answer.to_frame(),
        table=_table(answer, dataset),
    )  # fmt: skip


def _state(answer: Backlog, dataset: Dataset, selection: Selection) -> State | None:
    if "cycle_unknown" in answer.caveats:
        return State("too_small", reasons.words("cycle_unknown"), "Import due dates to see this.")
    if not answer.rows:
        return empty_state(dataset, selection)
    if all(row.overdue is None for row in answer.rows):
        return State("too_small", reasons.words("suppressed"), "Widen the period or take filters off.")
    return None


def _named(row: BacklogMonth) -> str:
    return wording.month(month_start(row.month))


def _of(row: BacklogMonth, mode: str) -> int | None:
    return row.virtual if mode == "virtual" else row.in_person


def _count(n: int | None) -> str:
    return "fewer than 5" if n is None else wording.number(n)


def _title(answer: Backlog) -> str:
    if answer.rows[-1].overdue is None:
        return "Overdue validations by month; the last counts are too small to show"
    known = [row for row in answer.rows if row.overdue is not None]
    last, top = known[-1], max(known, key=lambda row: row.overdue or 0)
    words = f"{wording.number(last.overdue or 0)} overdue at the end of {_named(last)}"
    if top.month == last.month:
        return f"{words}: the most so far" if len(known) > 1 else words
    return f"{words}; at most {wording.number(top.overdue or 0)}, in {_named(top)}"


def _table(answer: Backlog, dataset: Dataset) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Month": _named(row), "Overdue at its end": _count(row.overdue),
                f"Done, {dataset.modes['virtual'].lower()}": _count(row.virtual),
                f"Done, {dataset.modes['in_person'].lower()}": _count(row.in_person),
            }
            for row in answer.rows
        ]
    )  # fmt: skip
