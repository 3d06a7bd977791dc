"""Tables with a small drawing in each row: bars beside a published figure, lines over quarters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.charts.markup import element, text


@dataclass(frozen=True, slots=True)
class Head:
    """Heading of a column: its words, whether it holds numbers, and a key to draw beside them (already markup).

    `short` names the column in the blocks of a narrow page.
    """

    words: str
    number: bool = False
    drawing: str = ""
    short: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: words, a second muted line, and a drawing (already markup)."""

    words: str = ""
    second: str = ""
    drawing: str = ""
    strong: bool = False


def drawn_table(
    heads: Sequence[Head], rows: Sequence[Sequence[Cell]], *, caption: str, total: bool = False
) -> str:
    """A table whose cells may hold drawings; blocks on a narrow page.

    Parameters
    ----------
    heads : sequence of Head
        The first column heads its row.
    rows : sequence of sequence of Cell
        As many cells a row as there are heads.
    caption : str
        Name of the table for screen readers.
    total : bool
        Whether the last row is a total.
    """
    head = "".join(
        element(
            "th", text(each.words) + each.drawing, scope="col", role="columnheader",
            class_="number" if each.number else "key-head" if each.drawing else "",
        )
        for each in heads
    )  # fmt: skip
    lines = [_line(heads, row, last=total and position == len(rows) - 1) for position, row in enumerate(rows)]
    table = element(
        "table",
        element("caption", text(caption), class_="unseen")
        + element("thead", element("tr", head, role="row"), role="rowgroup")
        + element("tbody", "".join(lines), role="rowgroup"),
        class_="numbers stacked drawn",
        role="table",
    )
    return element("div", table, class_="table-box")


def bar(share: float | None, *, most: float, tick: float | None = None) -> str:
    """A grey bar up to `share` with a tick at another value, on a scale that ends at `most`; nothing without share.

    >>> bar(0.1, most=0.2)
    '<span class="bar" aria-hidden="true"><span class="fill" style="width:50.0%"></span></span>'
    """
    if share is None or most <= 0:
        return ""
    inside = element("span", class_="fill", style=f"width:{share / most * 100:.1f}%")
    if tick is not None:
        inside += element("span", class_="tick", style=f"left:{tick / most * 100:.1f}%")
    return element("span", inside, class_="bar", aria_hidden="true")


def bar_key(filled: str, tick: str = "") -> str:
    """What bar and tick mean."""
    parts = element("span", element("span", class_="mark other", aria_hidden="true") + text(filled))
    if tick:
        parts += element("span", element("span", class_="mark tick", aria_hidden="true") + text(tick))
    return element("span", parts, class_="bar-key")


def _line(heads: Sequence[Head], row: Sequence[Cell], *, last: bool) -> str:
    cells = []
    for i, (head, cell) in enumerate(zip(heads, row, strict=True)):
        words = element("strong", text(cell.words)) if cell.strong else text(cell.words)
        content = (
            words
            + cell.drawing
            + (element("span", text(cell.second), class_="second") if cell.second else "")
        )
        css = "number" if head.number else "drawing" if cell.drawing else ""
        if i == 0:
            cells.append(element("th", content, scope="row", role="rowheader"))
        else:
            # On a narrow page a cell names itself, unless there is nothing in it but a drawing.
            named = {"data-label": head.short or head.words} if head.words and content else {}
            cells.append(
                element(
                    "td", content, named, role="cell", class_=css if content else f"{css} nothing".strip()
                )
            )
    return element("tr", "".join(cells), role="row", class_="total" if last else "")
