"""Figures of the Data page: what is loaded, what was checked, where records are missing, what was rejected."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.calendar_grid import calendar_grid
from analysis.charts.figure import Figure, State
from analysis.charts.tables import plain_table
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, state_suppressed, when
from analysis.figures.comparison_words import at_most
from analysis.figures.deficiency_words import count_words
from analysis.questions.completeness import Completeness, completeness
from analysis.questions.quality import Rejected, held, quality, rejected_rows

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

REJECTS_SHOWN = 25
FEW = "fewer than 5"


def loaded(dataset: Dataset, selection: Selection) -> Figure:
    """What is loaded: name, source, dates, tables, and what the source cannot know."""
    held_rows = [
        f"{FEW if n is None else wording.number(n)} {name.replace('_', ' ')}"
        for name, n in asked(held, dataset).rows.items()
    ]
    rows = [*_described(dataset), ("Rows", ", ".join(held_rows))]
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
    answer = asked(quality, dataset)
    frame = answer.to_frame()
    if frame.empty:
        return Figure(
            "data.checks", "Checks", state=State("too_small", "There is nothing to check.", answer.sentence)
        )
    table = pd.DataFrame(
        {
            "Check": [_sentence_case(check.words) for check in answer.checks],
            "Table": [check.table.replace("_", " ").capitalize() for check in answer.checks],
            "Rows": [count_words(check.count) for check in answer.checks],
            "Of": [count_words(check.n) for check in answer.checks],
            "Share": [
                wording.NOT_ESTIMABLE
                if check.count is None or not check.n
                else wording.percent(check.count / check.n, check.n)
                for check in answer.checks
            ],
        }
    )
    found = sum(1 for check in answer.checks if check.count or check.count is None)
    return Figure(
        id="data.checks",
        title=f"{wording.number(found)} of {wording.counted(len(answer.checks), 'check')} found something",
        measure="Rows that show what was looked for, of the rows looked at",
        caption=caption(
            "Rejected rows are not in the dataset; all others are, as they came",
            *[reasons.words(code) for code in answer.caveats],
        ),
        alt=f"Table of {len(answer.checks)} checks with the number of rows each found.",
        html=plain_table(table, caption="Checks of the dataset", numbers=["Rows", "Of", "Share"]),
        data=frame,
        table=table,
    )


def office_months(
    dataset: Dataset, selection: Selection, *, column: str | None = None, palette: PaletteName = "light"
) -> Figure:
    """Records by field office and month, or the share of them that carries a value."""
    answer = asked(completeness, dataset, selection, column=column)
    if answer is None:
        fact = "No records match these filters."
        return Figure(
            "data.completeness",
            "Completeness",
            state=State("empty", fact, "Widen the period or reset the filters."),
        )
    cells, hidden = answer.cells, answer.cells["n"].isna()
    if hidden.all():
        return Figure("data.completeness", "Completeness", state=state_suppressed())
    most = int(cells["n"].max())
    values = (cells["share"] if column else cells["n"] / max(most, 1)).astype("Float64")
    named = [_named(day, answer) for day in cells["start"]]
    shown = [
        _recorded(n, filled, answer, column) for n, filled in zip(cells["n"], cells["filled"], strict=True)
    ]
    drawn = pd.DataFrame(
        {
            "label": cells["field_office"],
            "start": cells["start"],
            # What is hidden has the faintest tone: an outline would say that there is nothing.
            "depth": values.mask(cells["n"] == 0).mask(hidden, 0.0).astype("float64"),
            "period": named,
            "records": shown,
            "description": [
                f"{o}, {p}: {s}" for o, p, s in zip(cells["field_office"], named, shown, strict=True)
            ],
        }
    )
    alt = f"Grid of {answer.table} by field office and {answer.step}. {answer.sentence}"
    dark = "share recorded" if column else f"number of {answer.table} (at most {wording.number(most)})"
    return Figure(
        id="data.completeness",
        title=answer.sentence.removesuffix("."),
        measure=f"{answer.table.capitalize()} by field office and {answer.step}; a stronger tone is a greater {dark}",
        caption=caption(
            f"An outline is {'an' if answer.step[0] in 'aeiou' else 'a'} {answer.step} without a record",
            "Of the filters, office and period apply",
            *[reasons.words(code) for code in answer.caveats],
            "What is hidden has the faintest tone" if hidden.any() else "",
            when(dataset, selection),
        ),
        alt=at_most(alt),
        chart=calendar_grid(
            drawn, alt_text=alt, tooltip={"label": "Field office", "period": "Period", "records": "Recorded"}, palette=palette
        ),
        data=cells.assign(start=[day.isoformat() for day in cells["start"]]),
        table=_by_office(answer),
    )  # fmt: skip


def rejected(dataset: Dataset, selection: Selection) -> Figure:
    """The first rejected rows, with the rule each breaks; all of them to download."""
    answer = asked(rejected_rows, dataset)
    if answer.n != 0 and answer.rows.empty:
        return _rejected_by_rule(answer)
    rows = answer.rows
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


def _rejected_by_rule(answer: Rejected) -> Figure:
    """How many rows broke each rule, where single rows are not listed."""
    if answer.n is None:
        return Figure("data.rejects", "Rejected rows", state=state_suppressed())
    counted = [None if pd.isna(n) else int(n) for n in answer.by_rule["count"]]
    table = pd.DataFrame(
        {
            "Table": answer.by_rule["table"],
            "Rule": answer.by_rule["rule"],
            "Rows": [count_words(n) for n in counted],
        }
    )
    title = f"{wording.counted(answer.n, 'row')} were rejected at import"
    return Figure(
        id="data.rejects",
        title=title,
        measure="Rows by the rule they break; single rows are not listed",
        caption=caption(*[reasons.words(code) for code in answer.caveats]),
        alt=f"Table of rejected rows by rule. {title}.",
        html=plain_table(table, caption="Rejected rows by rule", numbers=["Rows"]),
        data=answer.by_rule,
        table=table,
    )


def _recorded(n: object, filled: object, answer: Completeness, column: str | None) -> str:
    """What one cell holds, in words."""
    unit = answer.table.removesuffix("s")
    if pd.isna(n):
        return "not shown"
    whole = int(str(n))
    if not column:
        return wording.counted(whole, unit)
    if not whole:
        return f"no {unit}"
    return f"{wording.percent(int(str(filled)) / whole, whole)} of {wording.counted(whole, unit)}"


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
    for office in answer.offices.to_dict("records"):
        n, filled, empty, fewest, most = (
            None if pd.isna(office[name]) else int(office[name])
            for name in ("n", "filled", "empty", "fewest", "most")
        )
        row = {"Field office": office["field_office"], answer.table.capitalize(): count_words(n)}
        if answer.column:
            known = wording.percent(filled / n, n) if n and filled is not None else wording.NOT_ESTIMABLE
            row["Recorded"] = known
        row |= {
            f"{step}s without any": count_words(empty),
            f"Fewest in a {answer.step}": count_words(fewest),
            f"Most in a {answer.step}": count_words(most),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _sentence_case(words: str) -> str:
    plain = words.replace("_", " ")
    return plain[0].upper() + plain[1:]
