"""Figures of the Data page: what is loaded, what was checked, where records are missing, what was rejected."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording
from analysis.charts.calendar_grid import calendar_grid
from analysis.charts.figure import Figure, State
from analysis.charts.tables import plain_table
from analysis.charts.theme import PaletteName
from analysis.figures.captions import caption, when
from analysis.questions.completeness import Completeness, completeness
from analysis.questions.quality import quality, rejects

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

REJECTS_SHOWN = 25


def loaded(dataset: Dataset, selection: Selection) -> Figure:
    """What is loaded: name, source, dates, tables, and what the source cannot know."""
    held = [f"{wording.number(n)} {name.replace('_', ' ')}" for name, n in dataset.row_counts.items() if n]
    rows = [*_described(dataset), ("Rows", ", ".join(held))]
    table = pd.DataFrame(rows, columns=["What", "Loaded"])
    return Figure(
        id="data.loaded",
        title="What is loaded",
        caption=caption("The fingerprint is of the source tables: the same rows give the same one"),
        alt=f"Table describing the dataset {dataset.name}.",
        html=plain_table(table, caption="What is loaded", numbers=()),
        data=table.rename(columns=str.lower),
        table=table,
    )


def checks(dataset: Dataset, selection: Selection) -> Figure:
    """Every check with the number of rows that show it."""
    answer = quality(dataset)
    frame = answer.to_frame()
    if frame.empty:
        return Figure(
            "data.checks", "Checks", state=State("too_small", "There is nothing to check.", answer.sentence)
        )
    table = pd.DataFrame(
        {
            "Check": [_sentence_case(check.words) for check in answer.checks],
            "Table": [check.table.replace("_", " ").capitalize() for check in answer.checks],
            "Rows": [wording.number(check.count) for check in answer.checks],
            "Of": [wording.number(check.n) for check in answer.checks],
            "Share": [
                wording.percent(check.count / check.n, check.n) if check.n else "–" for check in answer.checks
            ],
        }
    )
    found = sum(1 for check in answer.checks if check.count)
    return Figure(
        id="data.checks",
        title=f"{wording.number(found)} of {wording.counted(len(answer.checks), 'check')} found something",
        measure="Rows that show what was looked for, of the rows looked at",
        caption=caption("Rejected rows are not in the dataset; all others are, as they came"),
        alt=f"Table of {len(answer.checks)} checks with the number of rows each found.",
        html=plain_table(table, caption="Checks of the dataset", numbers=["Rows", "Of", "Share"]),
        data=frame,
        table=table,
    )


def office_months(
    dataset: Dataset, selection: Selection, *, column: str | None = None, palette: PaletteName = "light"
) -> Figure:
    """Records by field office and month, or the share of them that carries a value."""
    answer = completeness(dataset, selection, column=column)
    if answer is None:
        fact = "No records match these filters."
        return Figure(
            "data.completeness",
            "Completeness",
            state=State("empty", fact, "Widen the period or reset the filters."),
        )
    cells = answer.cells
    values = cells["share"].astype(float) if column else cells["n"] / max(int(cells["n"].max()), 1)
    unit = answer.table.removesuffix("s")
    named = [_named(day, answer) for day in cells["start"]]
    counted = [wording.counted(n, unit) for n in cells["n"]]
    shown = counted
    if column:
        pairs = zip(cells["filled"], cells["n"], strict=True)
        shown = [
            f"{wording.percent(f / n, n)} of {wording.counted(n, unit)}" if n else f"no {unit}"
            for f, n in pairs
        ]
    drawn = pd.DataFrame(
        {
            "label": cells["field_office"],
            "start": cells["start"],
            "depth": values.where(cells["n"] > 0),
            "period": named,
            "records": shown,
            "description": [
                f"{o}, {p}: {s}" for o, p, s in zip(cells["field_office"], named, shown, strict=True)
            ],
        }
    )
    alt = f"Grid of {answer.table} by field office and {answer.step}. {answer.sentence}"
    dark = (
        "share recorded"
        if column
        else f"number of {answer.table} (at most {wording.number(int(cells['n'].max()))})"
    )
    return Figure(
        id="data.completeness",
        title=answer.sentence.removesuffix("."),
        measure=f"{answer.table.capitalize()} by field office and {answer.step}; a stronger tone is a greater {dark}",
        caption=caption(
            f"An outline is {'an' if answer.step[0] in 'aeiou' else 'a'} {answer.step} without a record",
            "Of the filters, office and period apply",
            when(dataset, selection),
        ),
        alt=" ".join(alt.split()[:40]),
        chart=calendar_grid(
            drawn, alt_text=alt, tooltip={"label": "Field office", "period": "Period", "records": "Recorded"}, palette=palette
        ),
        data=cells.assign(start=[day.isoformat() for day in cells["start"]]),
        table=_by_office(answer),
    )  # fmt: skip


def rejected(dataset: Dataset, selection: Selection) -> Figure:
    """The first rejected rows, with the rule each breaks; all of them to download."""
    rows = rejects(dataset)
    if rows.empty:
        return Figure(
            "data.rejects", "Rejected rows",
            state=State("too_small", "No row was rejected.", "Every row that was read is counted or left out for a stated reason."),
        )  # fmt: skip
    first = rows.head(REJECTS_SHOWN).fillna("")
    table = pd.DataFrame(
        {
            "File": first["file"],
            "Row": [wording.number(int(row)) for row in first["row"]],
            "Table": first["table"],
            "Column": first["column"],
            "Value": [text if len(text) <= 60 else f"{text[:57]}…" for text in first["value"].astype(str)],
            "Rule": first["rule"],
            "Hint": first["hint"],
        }
    )
    more = len(rows) - len(first)
    return Figure(
        id="data.rejects",
        title=f"{wording.counted(len(rows), 'row')} {'was' if len(rows) == 1 else 'were'} rejected at import",
        measure="Row numbers as a spreadsheet shows them: the header is row 1",
        caption=caption(
            f"{wording.counted(more, 'further row')} in the download" if more else "All are shown"
        ),
        alt=f"Table of the first {len(first)} of {len(rows)} rejected rows, each with its rule.",
        html=plain_table(table, caption="Rejected rows", numbers=["Row"], second={"Rule": "Hint"}),
        data=rows,
        table=table,
    )


def _described(dataset: Dataset) -> list[tuple[str, str]]:
    set_on = dataset.margins.get("set_on")
    day = wording.date(set_on) if isinstance(set_on, dt.date) else str(set_on)
    arms = wording.listed([dataset.modes[mode] for mode in ("virtual", "in_person")])
    return [
        ("Name", dataset.name),
        ("Synthetic", "Yes: invented by a simulation" if dataset.synthetic else "No"),
        ("Source", dataset.source_note or "Not stated"),
        ("As of", wording.date(dataset.as_of)),
        ("Period", wording.period(*dataset.period)),
        ("The two arms", arms),
        ("Validations without findings", _known(dataset.clean_validations, "listed: rates can be computed", "not listed: no rates")),
        ("Which criteria were looked at", _known(dataset.criteria_asked, "known", "not known: no rates per criterion")),
        ("Margins", f"Set by the program on {day}" if set_on else "Illustrative"),
        ("Fingerprint", dataset.fingerprint),
    ]  # fmt: skip


def _known(value: bool, yes: str, no: str) -> str:
    return (yes if value else no).capitalize()


def _named(day: dt.date, answer: Completeness) -> str:
    if answer.step == "month":
        return wording.month(day)
    return f"Q{(day.month - 1) // 3 + 1} {day.year}" if answer.step == "quarter" else str(day.year)


def _by_office(answer: Completeness) -> pd.DataFrame:
    step = answer.step.capitalize()
    rows = []
    for office, cells in answer.cells.groupby("field_office", sort=False):
        n = int(cells["n"].sum())
        row = {"Field office": office, answer.table.capitalize(): wording.number(n)}
        if answer.column:
            row["Recorded"] = wording.percent(cells["filled"].sum() / n, n) if n else "–"
        row |= {
            f"{step}s without any": wording.number(int((cells["n"] == 0).sum())),
            f"Fewest in a {answer.step}": wording.number(int(cells["n"].min())),
            f"Most in a {answer.step}": wording.number(int(cells["n"].max())),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _sentence_case(words: str) -> str:
    plain = words.replace("_", " ")
    return plain[0].upper() + plain[1:]
