"""Is the backlog burning down? Validations overdue at the end of each month, beside those done by mode."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import wording
from analysis.counts import available, counts
from analysis.questions.effort import mode_names
from analysis.questions.window import MODES
from analysis.reasons import words
from analysis.selection import Selection, month_number, month_start

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

Whole = NDArray[Any]

A_YEAR = 12
DROPPED = ("modes", "risks", "kinds", "locations", "focus_areas")
"""Filters by which a validation not yet done cannot be chosen: it has no mode, risk or kind of its own."""


@dataclass(frozen=True, slots=True)
class BacklogMonth:
    """One month: validations `due` and not yet done at its end (`overdue`), and those done in it by mode.

    None where hidden; `others` were done in neither of the two modes.
    """

    month: int
    overdue: int | None
    due: int | None
    virtual: int | None
    in_person: int | None
    others: int | None

    @property
    def done(self) -> int | None:
        """Validations done in the month, in any mode; None where a part is hidden."""
        parts = (self.virtual, self.in_person, self.others)
        return None if None in parts else sum(part for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Overdue validations by month; `peak` is the month with most of them."""

    rows: tuple[BacklogMonth, ...]
    peak: int | None
    sentence: str
    caveats: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis backlog --json``."""
        return {
            "rows": [
                {
                    "month": month_start(row.month).isoformat()[:7],
                    "overdue": row.overdue,
                    "due": row.due,
                    "virtual": row.virtual,
                    "in_person": row.in_person,
                    "other_modes": row.others,
                }
                for row in self.rows
            ],
            "n": self.rows[-1].overdue if self.rows else 0,
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a month."""
        columns = ["month", "overdue", "due", "virtual", "in_person", "other_modes"]
        return pd.DataFrame(self.to_dict()["rows"], columns=columns)


def backlog(dataset: Dataset, selection: Selection = Selection()) -> Backlog:
    """Validations overdue at the end of each month of a selection.

    Overdue is what was due by then, not done by then, of a member that had not left by then: the number the key
    statistics show for the last month.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    selection = selection.checked(dataset)
    ignored = any(getattr(selection, name) for name in DROPPED)
    caveats = ("backlog_filters_ignored",) if ignored else ()
    if not available(dataset, "backlog"):
        return Backlog((), None, words("cycle_unknown"), ("cycle_unknown", *caveats))
    start, end = selection.period(dataset)
    if start > end:
        return Backlog((), None, words("empty_selection"), ("empty_selection", *caveats))
    plain = selection.without(*DROPPED, "transport_modes")
    months = np.arange(month_number(start), month_number(end) + 1)
    ends = ["due_month", "done_month", "left_month"]
    cycle = counts(dataset, "backlog", ends, plain.without("start", "end"))
    done = counts(dataset, "validations", ["month", "mode"], plain)
    wide = done.pivot_table(index="month", columns="mode", values="n", aggfunc="sum", fill_value=0)
    by_mode = {
        mode: wide[mode].reindex(months, fill_value=0) if mode in wide else pd.Series(0, index=months)
        for mode in MODES
    }
    total = done.groupby("month")["n"].sum().reindex(months, fill_value=0)
    overdue, due = _open_at_the_end(cycle, months)
    rows = tuple(
        BacklogMonth(
            int(month), int(o), int(d), int(by_mode["virtual"][month]), int(by_mode["in_person"][month]),
            int(total[month] - by_mode["virtual"][month] - by_mode["in_person"][month]),
        )
        for month, o, d in zip(months, overdue, due, strict=True)
    )  # fmt: skip
    if not int(due.sum()):
        return Backlog((), None, words("empty_selection"), ("empty_selection", *caveats))
    answer = Backlog(rows, int(months[int(np.argmax(overdue))]), "", caveats)
    return dataclasses.replace(answer, sentence=_sentence(answer, dataset))


def _open_at_the_end(cycle: pd.DataFrame, months: Whole) -> tuple[Whole, Whole]:
    """Validations overdue, and due at all, at the end of each month, of members that had not left."""
    n = cycle["n"].to_numpy(np.int64)
    due = cycle["due_month"].to_numpy(float)
    # Never done, and never left, is later than any month.
    done, left = (cycle[name].to_numpy(float) for name in ("done_month", "left_month"))
    done, left = (np.where(np.isnan(end), np.inf, end) for end in (done, left))
    # Counted from the month it fell due to the one before that in which it was done, or the member left.
    return _within(due, np.minimum(done, left), n, months), _within(due, left, n, months)


def _within(first: Whole, last: Whole, n: Whole, months: Whole) -> Whole:
    """How many spans from `first` up to but without `last` hold each month."""
    there = last > first
    begun = np.zeros(months.size + 1, np.int64)
    for day, sign in ((first[there], 1), (last[there], -1)):
        place = np.clip(day - months[0], 0, months.size).astype(int)
        np.add.at(begun, place, sign * n[there])
    return begun.cumsum()[:-1]


def _sentence(answer: Backlog, dataset: Dataset) -> str:
    last = answer.rows[-1]
    assert last.overdue is not None
    text = (
        f"**{wording.counted(last.overdue, 'validation')}** {'was' if last.overdue == 1 else 'were'} overdue at the "
        f"end of {wording.month_long(month_start(last.month))}"
    )
    if len(answer.rows) == 1:
        return f"{text}, of {wording.counted(last.due or 0, 'validation')} due by then."
    before = answer.rows[max(len(answer.rows) - 1 - A_YEAR, 0)]
    change = last.overdue - (before.overdue or 0)
    than = (
        f"**{wording.number(abs(change))} {'more' if change > 0 else 'fewer'}** than"
        if change
        else "as many as"
    )
    since = [row for row in answer.rows if row.month > before.month]
    done, virtual = sum(row.done or 0 for row in since), sum(row.virtual or 0 for row in since)
    share = f", {wording.percent(virtual / done, done)} of them {mode_names(dataset)[0]}" if done else ""
    return (
        f"{text}, {than} at the end of {wording.month_long(month_start(before.month))}; in between "
        f"{wording.counted(done, 'validation')} {'was' if done == 1 else 'were'} done{share}."
    )
