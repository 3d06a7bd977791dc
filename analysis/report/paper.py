"""A briefing on paper: a tagged PDF, typeset from the same content, with pictures that stay sharp and have alternatives."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typst

from analysis import wording
from analysis.charts.marks import MARKS
from analysis.charts.theme import colour
from analysis.report.content import Content, Sheet
from analysis.report.pictures import font_folder, svg
from analysis.report.printed import (
    caption_of,
    cells,
    changes_table,
    plain,
    reads_as_numbers,
    remarks,
    sources,
    table_of,
    verdict_words,
)

TEMPLATE = Path(__file__).with_name("paper.typ")
MOST_ROWS = 24
"""Rows of one table on paper; further ones are in the workbook."""
_WIDTH = 780
"""Width of a plot in pixels: on a page, its letters are a little smaller than the text."""


def pdf(content: Content, *, progress: Callable[[int, int, str], None] | None = None) -> bytes:
    """A briefing as PDF."""
    with tempfile.TemporaryDirectory(prefix="briefing-") as name:
        folder = Path(name)
        figures = []
        for place, sheet in enumerate(content.sheets):
            if progress:
                progress(place, len(content.sheets), sheet.title)
            figures.append(_figure(sheet, folder, place))
        (folder / "content.json").write_text(json.dumps(_document(content, figures)), encoding="utf-8")
        (folder / "paper.typ").write_bytes(TEMPLATE.read_bytes())
        fonts = font_folder()
        return bytes(
            typst.compile(
                str(folder / "paper.typ"),
                root=str(folder),
                font_paths=[str(fonts)] if fonts else [],
                format="pdf",
            )
        )


def _document(content: Content, figures: list[dict[str, Any]]) -> dict[str, Any]:
    moved = changes_table(content)
    return {
        "title": plain(content.briefing.title),
        "scope": content.scope,
        "tag": content.tag,
        "synthetic": content.synthetic,
        "day": {"year": content.as_of.year, "month": content.as_of.month, "day": content.as_of.day},
        "remarks": list(remarks(content)),
        "figures": figures,
        "changes": cells(moved) if len(moved) else [],
        "sources": [["What", "Which"], *([name, words] for name, words in sources(content))],
    }


def _figure(sheet: Sheet, folder: Path, place: int) -> dict[str, Any]:
    made, numbers = sheet.figure, table_of(sheet.figure)
    picture = ""
    if made.chart is not None and made.state is None:
        picture = f"picture{place}.svg"
        (folder / picture).write_text(svg(made, width=_WIDTH), encoding="utf-8")
    further = len(numbers) - MOST_ROWS
    return {
        "id": made.id,
        "title": plain(sheet.title),
        "measure": made.measure,
        "note": sheet.entry.note,
        "key": [
            {
                "label": entry.label,
                "mark": MARKS[entry.role].character,
                "colour": colour(MARKS[entry.role].shown, "light"),
            }
            for entry in made.key
        ],
        "verdict": verdict_words(made.card),
        "picture": picture,
        "alt": made.alt,
        "state": f"{made.state.fact} {made.state.next_step}".strip() if made.state else "",
        "caption": caption_of(sheet),
        "rows": cells(numbers.head(MOST_ROWS)) if len(numbers.columns) else [],
        "right": [i > 0 and reads_as_numbers(numbers.iloc[:, i]) for i in range(len(numbers.columns))],
        "further": f"{wording.counted(further, 'further row')} in the workbook of this briefing."
        if further > 0
        else "",
    }
