"""What a record, a title or a note says is text in every format: no formula, markup, link or mathematics."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re

import lxml.html
import openpyxl
import pandas as pd
import pytest
from nbconvert.filters.markdown import markdown2html
from pptx import Presentation
from pypdf import PdfReader

from analysis.charts.figure import Figure
from analysis.datasets.opening import Dataset
from analysis.report.briefing import Briefing, Entry
from analysis.report.content import Content, content_of
from analysis.report.writing import FORMATS, rendered

LEADS = ("=", "+", "-", "@", "\t", "\r")
FORMULAS = tuple(f"{lead}HYPERLINK(1)" for lead in LEADS)
MARKUP = (
    '<b>bold</b> <script>alert("x")</script> <img src=x onerror=alert(1)> &amp; *star* _under_ `code` '
    "#show $x^2$ \\alpha{} [link](javascript:x) @label <!-- gone --> </style> ~sub~ 1. list"
)
"""HTML, Markdown, LaTeX and typesetting in one line."""


def hostile(made: Figure) -> Figure:
    cells = [*FORMULAS, MARKUP]
    frame = pd.DataFrame({"=HEAD(1)": cells, "Says": cells, "n": range(len(cells))})
    return dataclasses.replace(
        made, measure=MARKUP, caption=MARKUP, alt=" ".join(MARKUP.split()[:20]), data=frame, table=frame
    )


@pytest.fixture(scope="module")
def content(small_demo: Dataset) -> Content:
    entries = tuple(
        Entry(name, title=MARKUP, note=f"{MARKUP}\n=1+1 \x07 bell") for name in ("overview.months", "data.loaded")
    )  # fmt: skip
    found = content_of(Briefing(MARKUP, entries), small_demo)
    sheets = tuple(dataclasses.replace(sheet, figure=hostile(sheet.figure)) for sheet in found.sheets)
    return dataclasses.replace(found, sheets=sheets, problems=(MARKUP,))


@pytest.fixture(scope="module")
def made(content: Content) -> dict[str, bytes]:
    return {suffix: rendered(content, suffix) for suffix in FORMATS}


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_formulas_are_disarmed_in_csv(content: Content) -> None:
    rows = list(csv.reader(io.StringIO(content.sheets[0].figure.to_csv())))
    assert rows[0][:2] == ["'=HEAD(1)", "Says"]
    # A bare carriage return would end the row for many readers: it is a line feed now, and quoted.
    assert [row[0] for row in rows[1 : 1 + len(FORMULAS)]] == [
        f"'{formula}".replace("\r", "\n") for formula in FORMULAS
    ]
    assert [row[2] for row in rows[1:]] == [str(n) for n in range(len(FORMULAS) + 1)]


def test_the_workbook_holds_no_formula_and_no_link(content: Content, made: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(made[".xlsx"]))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    texts = [str(cell.value) for cell in cells]
    for formula in FORMULAS:
        # A carriage return is the end of a line in XML.
        assert (
            formula in texts
            or formula.replace("\r", "\n") in texts
            or formula.replace("\r", "_x000D_") in texts
        )
    assert texts.count(MARKUP) >= 4
    assert all(cell.hyperlink.location for cell in cells if cell.hyperlink)


def test_slides_hold_it_as_text(content: Content, made: dict[str, bytes]) -> None:
    deck = Presentation(io.BytesIO(made[".pptx"]))
    xml = "".join(
        part.blob.decode("utf-8") for part in deck.part.package.iter_parts() if "slides/" in part.partname
    )
    assert "hlinkClick" not in xml and "<script" not in xml
    notes = [slide.notes_slide.notes_text_frame.text for slide in deck.slides if slide.has_notes_slide]
    assert notes and all(MARKUP in note for note in notes)
    cells = [cell.text for slide in deck.slides for shape in slide.shapes if shape.has_table
             for row in shape.table.rows for cell in row.cells]  # fmt: skip
    assert MARKUP in cells and "=HYPERLINK(1)" in cells
    assert all(MARKUP[:40] in slide.shapes.title.text_frame.text for slide in list(deck.slides)[:3])


def test_paper_holds_it_as_text(made: dict[str, bytes]) -> None:
    reader = PdfReader(io.BytesIO(made[".pdf"]))
    text = squeezed("".join(page.extract_text() for page in reader.pages))
    # Title, remark, and for each figure: title, measure, note, caption.
    assert text.count(squeezed(MARKUP)) >= 8
    assert not [note for page in reader.pages for note in page.get("/Annots", ())]
    assert "/JavaScript" not in str(reader.trailer["/Root"])


def test_the_page_holds_it_as_text(made: dict[str, bytes]) -> None:
    page = made[".html"].decode("utf-8")
    tree = lxml.html.document_fromstring(page)
    body = tree.find("body")
    assert body is not None
    assert {"b", "img"}.isdisjoint(element.tag for element in body.iter())
    # The drawing library and the drawing: nothing came from a text.
    scripts = body.findall(".//script")
    assert len(scripts) == 2 and all(
        'alert("x")' not in (s.text or "").replace('\\"', '"') or "const specs" in (s.text or "")
        for s in scripts
    )
    assert not [a for element in body.iter() for a in element.attrib if str(a).startswith("on")]
    assert squeezed(body.text_content()).count(squeezed(MARKUP)) >= 8


def test_the_notebook_holds_it_as_text(made: dict[str, bytes]) -> None:
    """Rendered as a notebook renders Markdown, it reads as it was written."""
    cells = json.loads(made[".ipynb"])["cells"]
    shown = [lxml.html.fragment_fromstring(markdown2html(cell["source"]), create_parent="div")
             for cell in cells if cell["cell_type"] == "markdown"]  # fmt: skip
    for tree in shown:
        assert {e.tag for e in tree.iter() if isinstance(e.tag, str)} <= {
            "div",
            "h1",
            "h2",
            "p",
            "strong",
            "ul",
            "li",
            "a",
        }
        links = [a.get("href") for a in tree.iter("a")]
        assert all(link.startswith("#") for link in links)
    text = squeezed("".join(tree.text_content() for tree in shown))
    assert text.count(squeezed(MARKUP)) >= 6
    # What is code is the figure's, and nothing of a text.
    assert all("alert" not in cell["source"] for cell in cells if cell["cell_type"] == "code")
