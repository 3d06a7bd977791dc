"""Plain tables: real ``<table>`` markup with scopes, numbers right-aligned, blocks on a narrow page."""

from __future__ import annotations

import re
from collections.abc import Collection

import pandas as pd

from analysis.charts.markup import element, text

MOST_STACKED_COLUMNS = 8
_NUMBER = re.compile(r"[+−–<>≥≤≈$]?\s?[\d.,]+\s?(%|h|days?|points?)?(\s.*)?|–|")


def plain_table(
    frame: pd.DataFrame,
    *,
    caption: str,
    numbers: Collection[str] | None = None,
    strong: Collection[str] = (),
    second: dict[str, str] | None = None,
    total: bool = False,
) -> str:
    """A frame of display strings as a table; the first column heads its row.

    Parameters
    ----------
    frame : pandas.DataFrame
        Cells as a person reads them, under headings as a person reads them.
    caption : str
        Name of the table for screen readers; the page shows it as the figure's title.
    numbers : collection of str, optional
        Columns to align right. By default those in which every cell reads as a number.
    strong : collection of str
        Columns in bold.
    second : dict, optional
        Column → column whose text stands as a second, muted line in its cells and gets no column of its own.
    total : bool
        Whether the last row is a total.
    """
    second = second or {}
    shown = [str(column) for column in frame.columns if column not in second.values()]
    right = (
        set(numbers)
        if numbers is not None
        else {name for name in shown[1:] if _reads_as_numbers(frame[name])}
    )
    head = "".join(
        element("th", text(name), scope="col", role="columnheader", class_="number" if name in right else "")
        for name in shown
    )
    lines = []
    for position, (_, row) in enumerate(frame.iterrows()):
        cells = []
        for i, name in enumerate(shown):
            content = text(row[name])
            if name in strong:
                content = element("strong", content)
            if name in second and str(row[second[name]]):
                content += element("span", text(row[second[name]]), class_="second")
            css = "number" if name in right else ""
            if i == 0:
                cells.append(element("th", content, scope="row", role="rowheader", class_=css))
            else:
                cells.append(element("td", content, {"data-label": name}, role="cell", class_=css))
        last = total and position == len(frame) - 1
        lines.append(element("tr", "".join(cells), role="row", class_="total" if last else ""))
    stacked = " stacked" if len(shown) <= MOST_STACKED_COLUMNS else " wide"
    table = element(
        "table",
        element("caption", text(caption), class_="unseen")
        + element("thead", element("tr", head, role="row"), role="rowgroup")
        + element("tbody", "".join(lines), role="rowgroup"),
        class_=f"numbers{stacked}",
        role="table",
    )
    return element("div", table, class_="table-box")


def _reads_as_numbers(column: pd.Series) -> bool:
    return all(_NUMBER.fullmatch(str(cell)) for cell in column) and any(str(cell) for cell in column)
