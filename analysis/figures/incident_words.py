"""Words, states and rows that the figures of incidents share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.drawn_tables import Cell, Head, bar, drawn_table
from analysis.charts.figure import State
from analysis.charts.intervals import interval_rows
from analysis.charts.theme import PaletteName
from analysis.figures.deficiency_words import count_words as count_words
from analysis.figures.deficiency_words import of_words, placed, share_words, with_interval
from analysis.questions.incident_records import ShareRow
from analysis.questions.incident_shares import FEWEST_RANKED, NO_ISSUE, leaders, nothing_named

if TYPE_CHECKING:
    from altair import LayerChart

    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

NOTHING_HERE = "Widen the period or take filters off."
OWN_LIST = "The list of values is ours (none is published)"


def state_of_incidents(n: int | None, dataset: Dataset, selection: Selection) -> State | None:
    """Why there are no incidents to draw; None where there are."""
    if n is None:
        return State("too_small", "Counts of 1 to 4 are not shown.", NOTHING_HERE)
    if not n:
        return State(
            "empty",
            reasons.words("no_incidents"),
            f"{selection.words(dataset)}. Widen the period or reset the filters.",
        )
    return None


def state_of_column(recorded: int | None, sentence: str) -> State | None:
    """Why a column of incidents cannot be drawn; None where it can."""
    return (
        State("too_small", sentence.replace("**", ""), "Other figures of this page do not need it.")
        if not recorded
        else None
    )


def said(codes: Collection[str], *of_these: str) -> list[str]:
    """The words of those reason codes that matter to a figure."""
    return [reasons.words(code) for code in of_these if code in codes]


def of_words_shown(count: int | None, n: int | None) -> str:
    """A count and what it is out of, where both are shown."""
    if count is None:
        return "not shown"
    return count_words(count) if n is None else of_words(count, n)


def left_out_words(n: int | None, recorded: int | None) -> str:
    """How many incidents do not record what a figure shows."""
    missing = (n or 0) - (recorded or 0)
    if n is None or recorded is None or not missing:
        return ""
    return f"{wording.number(missing)} that {'does' if missing == 1 else 'do'} not record it {'is' if missing == 1 else 'are'} left out"


def share_frame(rows: Sequence[ShareRow]) -> pd.DataFrame:
    """Rows of shares as marks with intervals."""
    return pd.DataFrame(
        [
            {
                "label": row.label, "arm": "other", **placed(row.share, row.interval),
                "result": of_words_shown(row.count, row.n), "strong_result": True,
                "words": with_interval(row.share, row.interval, row.n),
                "description": f"{row.label}: {with_interval(row.share, row.interval, row.n)}, {of_words_shown(row.count, row.n)}",
            }
            for row in rows
        ]
    )  # fmt: skip


def share_title(rows: Sequence[ShareRow], name: str) -> str:
    """The finding of a list of shares: what is recorded most often, or how many had anything to name at all."""
    first = rows[0]
    if first.n is not None and first.n < FEWEST_RANKED:
        return f"Too few to rank: {wording.counted(first.n, 'incident')}"
    none = next((row for row in rows if (row.by, row.value) == NO_ISSUE), None)
    named = [row for row in rows if row is not none and row.count]
    if none is not None and none.count and none.count == none.n:
        return nothing_named(none.by, none.count).removesuffix(".")
    if none is not None and none.share is not None and named:
        return f"{share_words(1 - none.share, none.n)} had a {name.lower()}, most often “{leaders(named)}”"
    if first.count is None or first.share is None:
        return name
    return f"Recorded most often: {leaders(rows)}, {share_words(first.share, first.n)}"


def share_picture(
    rows: Sequence[ShareRow], *, name: str, title: str, axis: str, alt: str, palette: PaletteName
) -> tuple[LayerChart | None, str | None]:
    """Shares with their intervals as a chart; without any interval as a table with bars."""
    if any(row.interval for row in rows):
        chart = interval_rows(
            share_frame(rows),
            alt_text=alt,
            title=axis,
            tooltip={"words": "Share", "result": "Incidents"},
            palette=palette,
        )
        return chart, None
    most = max((row.share or 0 for row in rows), default=0)
    heads = [Head(name), Head("Incidents", number=True), Head("Share", number=True), Head("")]
    lines = [
        [
            Cell(row.label), Cell(count_words(row.count)), Cell(share_words(row.share, row.n)),
            Cell(drawing=bar(row.share, most=most * 1.05)),
        ]
        for row in rows
    ]  # fmt: skip
    return None, drawn_table(heads, lines, caption=title)


def share_table(rows: Sequence[ShareRow], name: str) -> pd.DataFrame:
    """Shares as a person reads them."""
    return pd.DataFrame(
        [
            {
                name: row.label,
                "Incidents": of_words_shown(row.count, row.n),
                "Share (95% interval)": with_interval(row.share, row.interval, row.n),
            }
            for row in rows
        ]
    )
