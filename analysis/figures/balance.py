"""Is the comparison fair? What is recorded about both modes' validations, before and after weighting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, State
from analysis.charts.love import love_plot
from analysis.charts.theme import PaletteName
from analysis.counts import counts
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, state_of_hidden, when
from analysis.figures.comparison_words import at_most
from analysis.questions.balance import PLAUSIBLE, WELL_BALANCED, Balance, LevelBalance, balance
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

MOST_ROWS = 20
"""Rows drawn: the largest differences before weighting; the table has all."""

FIGURE = "virtual_vs_in_person.balance"
_SHORT = {
    "Kind of validation: ": "Kind: ",
    "Field office: ": "Office: ",
    "Entity type: ": "Entity: ",
    "Quarter: ": "",
}


def fairness(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Standardised differences between the modes before and after overlap weighting."""
    answer = asked(balance, dataset, selection)
    v, p = dataset.modes["virtual"].lower(), dataset.modes["in_person"].lower()
    measure = f"Is it fair? Standardised difference between {v} and {p} in what is recorded about them"
    if not answer.rows and "suppressed" in answer.reasons:
        return Figure(FIGURE, "Is it fair?", measure, state=state_of_hidden())
    if not sum(answer.n.values()) and not answer.rows:
        return Figure(FIGURE, "Is it fair?", measure, state=_nothing(dataset, selection))
    if not answer.rows:
        return Figure(FIGURE, "Is it fair?", measure, state=_too_small(answer))
    rows = answer.rows[:MOST_ROWS]
    frame = pd.DataFrame([_drawn(row) for row in rows])
    title = _title(answer, p)
    alt = at_most(
        f"{len(rows)} rows of standardised differences before and after weighting. {title}. "
        f"Largest: {_short(rows[0])}, {wording.number(abs(rows[0].before), 2)}."
    )
    chart = love_plot(
        frame,
        alt_text=alt,
        title="Standardised difference, without sign",
        limit=WELL_BALANCED,
        palette=palette,
    )
    return Figure(
        id=FIGURE,
        title=title,
        measure=measure,
        caption=caption(
            f"Open circle: as they are; filled: with overlap weights. Shaded: up to {WELL_BALANCED:g}, taken for balance",
            f"Shown: the {MOST_ROWS} largest of {len(answer.rows)}; the table has all"
            if len(answer.rows) > MOST_ROWS
            else "",
            f"Propensity from {wording.listed([LABELS[c].lower() for c in answer.columns])}"
            if answer.columns
            else "",
            _sizes(answer, dataset),
            _overlap(answer, v, p),
            *(reasons.words(code) for code in answer.reasons),
            "What is not recorded cannot be balanced",
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        data=answer.to_frame(),
        table=_table(answer, dataset),
    )


def _nothing(dataset: Dataset, selection: Selection) -> State:
    if not counts(dataset, "validations", (), selection.without("modes"))["n"].sum():
        return empty_state(dataset, selection)
    return State("too_small", reasons.words("no_comparison_window"), "Widen the period or take filters off.")


def _too_small(answer: Balance) -> State:
    code = answer.reasons[0] if answer.reasons else "nothing_to_adjust_for"
    return State("too_small", reasons.words(code), "Widen the period or take filters off.")


def _short(row: LevelBalance) -> str:
    for long, short in _SHORT.items():
        if row.label.startswith(long):
            return short + row.label.removeprefix(long)
    return row.label


def _drawn(row: LevelBalance) -> dict[str, object]:
    after = "no weighting" if row.after is None else f"{wording.number(abs(row.after), 2)} after"
    words = f"{wording.number(abs(row.before), 2)} before, {after}"
    shares = f"{wording.percent(row.virtual)} virtual, {wording.percent(row.in_person)} in person"
    return {
        "label": _short(row), "before": abs(row.before), "after": None if row.after is None else abs(row.after),
        "words": words, "description": f"{row.label}: {words}; {shares}",
    }  # fmt: skip


def _title(answer: Balance, in_person: str) -> str:
    before, after = answer.largest
    apart = sum(abs(row.before) > WELL_BALANCED for row in answer.rows)
    if "poor_positivity" in answer.reasons:
        return f"Not fair: too many virtual validations have no {in_person} counterpart"
    if after is None:
        return f"{apart} of {len(answer.rows)} recorded values are apart; too few to weigh"
    if not answer.fair:
        return f"Still apart after weighting: up to {wording.number(after, 2)}"
    if not apart:
        return f"Alike even before weighting: at most {wording.number(before, 2)} apart"
    return f"{apart} of {len(answer.rows)} recorded values are apart before weighting, none after"


def _sizes(answer: Balance, dataset: Dataset) -> str:
    parts = []
    for mode, n in answer.n.items():
        worth = answer.effective[mode]
        if worth is None:
            return f"n = {wording.listed([f'{wording.number(k)} {dataset.modes[m].lower()}' for m, k in answer.n.items()])}"
        parts.append(f"{wording.number(n)} {dataset.modes[mode].lower()} weigh like {wording.number(worth)}")
    return wording.listed(parts)


def _overlap(answer: Balance, v: str, p: str) -> str:
    if answer.positivity is None or answer.plausible is None:
        return ""
    ends = [
        f"{name} {wording.number(answer.propensity[mode][0], 2)} to {wording.number(answer.propensity[mode][2], 2)}"
        for mode, name in (("virtual", v), ("in_person", p))
    ]
    return (
        f"{wording.percent(answer.positivity)} of {v} validations have a counterpart of the same risk, kind and location; "
        f"{wording.percent(answer.plausible)} of all had a propensity between {PLAUSIBLE[0]:g} and {PLAUSIBLE[1]:g} "
        f"(nine in ten: {wording.listed(ends)})"
    )


def _table(answer: Balance, dataset: Dataset) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Recorded": row.label,
                dataset.modes["virtual"]: wording.percent(row.virtual),
                dataset.modes["in_person"]: wording.percent(row.in_person),
                "Before": wording.signed(row.before, 2),
                "After": "–" if row.after is None else wording.signed(row.after, 2),
            }
            for row in answer.rows
        ]
    )
