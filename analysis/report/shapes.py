"""Shapes of a slide, in pixels of a 1600 × 900 page: text that fits its box, pictures with alternatives, tables."""

from __future__ import annotations

import io
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from lxml import etree
from PIL import Image
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Pt

from analysis.charts.figure import KeyEntry
from analysis.charts.marks import MARKS, Role
from analysis.charts.theme import ColourName, colour
from analysis.report.fitting import Face, fitted, height_of, width_of
from analysis.report.printed import reads_as_numbers

WIDTH, HEIGHT = 1600, 900
EMU_PER_PIXEL = 7620
"""13.33 inches across."""
_POINTS_PER_PIXEL = 0.6
CELL_GAP = 20
"""Room between the columns of a table."""
SERIF, SANS = "Georgia", "Arial"
_SHAPES = {
    "circle": MSO_SHAPE.OVAL, "diamond": MSO_SHAPE.DIAMOND, "square": MSO_SHAPE.RECTANGLE,
    "triangle": MSO_SHAPE.ISOSCELES_TRIANGLE,
}  # fmt: skip
_DECORATIVE = (
    '<a:ext xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" uri="{C183D7F6-B498-43B3-948B-1728B52AA6E4}">'
    '<adec:decorative xmlns:adec="http://schemas.microsoft.com/office/drawing/2017/decorative" val="1"/></a:ext>'
)


@dataclass(frozen=True, slots=True)
class Box:
    """A place on the page."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Run:
    """Words of one look within a line."""

    words: str
    colour: ColourName = "ink"
    bold: bool = False


def px(pixels: float) -> Emu:
    """A length on the page."""
    return Emu(round(pixels * EMU_PER_PIXEL))


def rgb(name: ColourName) -> RGBColor:
    """A colour of the light palette; slides are always light."""
    red, green, blue = bytes.fromhex(colour(name, "light").lstrip("#"))
    return RGBColor(red, green, blue)  # type: ignore[no-untyped-call]  # the library has no types


def text(
    slide: Any,
    box: Box,
    words: str,
    sizes: Sequence[float],
    *,
    face: Face = "sans",
    tone: ColourName = "ink",
    align: Literal["left", "right", "center"] = "left",
    name: str = "",
) -> float:
    """Text at the largest size that fits its box; the height it takes."""
    shape = slide.shapes.add_textbox(px(box.left), px(box.top), px(box.width), px(box.height))
    if name:
        shape.name = name
    return set_text(shape, words, sizes, box, face=face, tone=tone, align=align)


def set_text(
    shape: Any,
    words: str,
    sizes: Sequence[float],
    box: Box,
    *,
    face: Face = "sans",
    tone: ColourName = "ink",
    align: Literal["left", "right", "center"] = "left",
) -> float:
    """Fill a shape that is already there, e.g. the title's."""
    shown, size = fitted(words, sizes, box.width, box.height, face)
    frame = shape.text_frame
    _bare(frame)
    for place, line in enumerate(shown.split("\n")):
        paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
        paragraph.alignment = {"left": PP_ALIGN.LEFT, "right": PP_ALIGN.RIGHT, "center": PP_ALIGN.CENTER}[
            align
        ]
        _run(
            paragraph,
            Run(line, tone, face == "sans-bold"),
            size,
            SERIF if face == "serif" else SANS,
            face == "serif",
        )
    return height_of(shown, size, box.width, face)


def line_of(slide: Any, box: Box, runs: Sequence[Run], size: float) -> None:
    """One line of differently set words; sized down until it fits its box."""
    while (
        size > 18
        and sum(width_of(r.words, size, "sans-bold" if r.bold else "sans") for r in runs) > box.width
    ):
        size -= 1
    shape = slide.shapes.add_textbox(px(box.left), px(box.top), px(box.width), px(box.height))
    _bare(shape.text_frame)
    for run in runs:
        _run(shape.text_frame.paragraphs[0], run, size, SANS, False)


def disc(slide: Any, box: Box, glyph: str, tone: ColourName) -> None:
    """The verdict's glyph in its circle; the words stand beside it, so it is no information of its own."""
    shape = slide.shapes.add_shape(MSO_SHAPE.OVAL, px(box.left), px(box.top), px(box.width), px(box.height))
    shape.fill.solid()
    shape.fill.fore_color.rgb = rgb(tone)
    shape.line.fill.background()
    shape.shadow.inherit = False
    _bare(shape.text_frame)
    shape.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    shape.text_frame.paragraphs[0].alignment = PP_ALIGN.CENTER
    _run(shape.text_frame.paragraphs[0], Run(glyph, "paper", True), box.height * 0.55, SANS, False)


def mark(slide: Any, box: Box, role: Role) -> None:
    """The mark of a role in a legend; its label stands beside it."""
    drawn = MARKS[role]
    kind = _SHAPES[drawn.shape]
    shape = slide.shapes.add_shape(kind, px(box.left), px(box.top), px(box.width), px(box.height))
    shape.fill.solid()
    shape.fill.fore_color.rgb = rgb(drawn.colour)
    shape.line.color.rgb = rgb(drawn.shown)
    shape.line.width = Pt(1.5)
    shape.shadow.inherit = False
    _decorative(shape)


def key(slide: Any, right: float, top: float, entries: Sequence[KeyEntry]) -> float:
    """The legend in one line, ending at `right`; how wide it is."""
    size, gap = 20, 28
    widths = [width_of(entry.label, size) + 24 + gap for entry in entries]
    left = right - sum(widths) + gap if entries else right
    for entry, width in zip(entries, widths, strict=True):
        mark(slide, Box(left, top + 5, 16, 16), entry.role)
        line_of(slide, Box(left + 24, top, width - 24, 28), [Run(entry.label)], size)
        left += width
    return sum(widths) + gap if entries else 0.0


def rule(slide: Any, box: Box, tone: ColourName) -> None:
    """A filled bar without outline: rules and the verdict's bar."""
    shape = slide.shapes.add_shape(
        MSO_SHAPE.RECTANGLE, px(box.left), px(box.top), px(box.width), px(box.height)
    )
    shape.fill.solid()
    shape.fill.fore_color.rgb = rgb(tone)
    shape.line.fill.background()
    shape.shadow.inherit = False
    _decorative(shape)


def tag(slide: Any, left: float, top: float, words: str, *, hatched: bool) -> float:
    """The tag of the data in its hairline box; how wide it is."""
    shown, size = fitted(words, (16, 15), 330, 24, "sans-bold")
    inner = width_of(shown, size, "sans-bold") + 28
    start = left + (16 if hatched else 0)
    if hatched:
        end = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, px(left), px(top), px(16), px(34))
        end.fill.patterned()
        end.fill.pattern = 22
        end.fill.fore_color.rgb, end.fill.back_color.rgb = rgb("ink"), rgb("paper")
        end.line.color.rgb = rgb("ink")
        end.line.width = Pt(0.75)
        end.shadow.inherit = False
        _decorative(end)
    shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, px(start), px(top), px(inner), px(34))
    shape.name = "Tag"
    shape.shadow.inherit = False
    shape.fill.background()
    shape.line.color.rgb = rgb("ink")
    shape.line.width = Pt(0.75)
    _bare(shape.text_frame)
    shape.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    shape.text_frame.paragraphs[0].alignment = PP_ALIGN.CENTER
    _run(shape.text_frame.paragraphs[0], Run(shown, "ink", True), size, SANS, False)
    return start + inner - left


def picture(slide: Any, box: Box, content: bytes, alt: str) -> float:
    """A picture scaled into its box, at its top left, with its text alternative; the height it takes."""
    with Image.open(io.BytesIO(content)) as image:
        wide, high = image.size
    factor = min(box.width / wide, box.height / high)
    shape = slide.shapes.add_picture(
        io.BytesIO(content), px(box.left), px(box.top), px(wide * factor), px(high * factor)
    )
    shape.name = "Chart"
    shape._element.nvPicPr.cNvPr.set("descr", alt)
    return high * factor


def table(
    slide: Any, box: Box, frame: pd.DataFrame, *, size: float, widths: Sequence[float], alt: str
) -> None:
    """A native table: ink rule under the head, hairlines between rows, numbers at the right."""
    rows, columns = len(frame) + 1, len(frame.columns)
    shape = slide.shapes.add_table(rows, columns, px(box.left), px(box.top), px(box.width), px(box.height))
    shape.name = "Numbers"
    shape._element.nvGraphicFramePr.cNvPr.set("descr", alt)
    made = shape.table
    properties = made._tbl.tblPr
    for name in ("bandRow", "bandCol"):
        properties.set(name, "0")
    style = properties.find(qn("a:tableStyleId"))
    if style is not None:
        # "No style, no grid": every line here is drawn by us.
        style.text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
    for place, width in enumerate(widths):
        made.columns[place].width = px(width)
    numbers = [reads_as_numbers(frame.iloc[:, place]) for place in range(columns)]
    for row in range(rows):
        cells = [str(name) for name in frame.columns] if row == 0 else [str(v) for v in frame.iloc[row - 1]]
        for column, words in enumerate(cells):
            _cell(
                made.cell(row, column),
                words,
                size,
                head=row == 0,
                right=column > 0 and numbers[column],
                first=column == 0,
            )


def page_number(slide: Any, box: Box) -> None:
    """The number of the slide, as a field that follows when slides are moved."""
    shape = slide.shapes.add_textbox(px(box.left), px(box.top), px(box.width), px(box.height))
    shape.name = "Slide number"
    _bare(shape.text_frame)
    paragraph = shape.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT
    _run(paragraph, Run("‹#›", "muted"), 18, SANS, False)
    run = paragraph._p.find(qn("a:r"))
    field = etree.SubElement(paragraph._p, qn("a:fld"))
    field.set("id", "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}")
    field.set("type", "slidenum")
    for child in run:
        field.append(deepcopy(child))
    paragraph._p.replace(run, field)


def _cell(cell: Any, words: str, size: float, *, head: bool, right: bool, first: bool) -> None:
    cell.margin_left, cell.margin_right = px(0 if first else CELL_GAP), px(4)
    cell.margin_top = cell.margin_bottom = px(5)
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    frame = cell.text_frame
    frame.word_wrap = True
    frame.paragraphs[0].alignment = PP_ALIGN.RIGHT if right else PP_ALIGN.LEFT
    _run(frame.paragraphs[0], Run(words, "muted" if head else "ink", head), size, SANS, False)
    properties = cell._tc.get_or_add_tcPr()
    for side in ("a:lnL", "a:lnR", "a:lnT", "a:lnB"):
        line = etree.SubElement(properties, qn(side))
        if side == "a:lnB":
            line.set("w", str(19050 if head else 6350))
            fill = etree.SubElement(etree.SubElement(line, qn("a:solidFill")), qn("a:srgbClr"))
            fill.set("val", colour("ink" if head else "rule", "light").lstrip("#"))
        else:
            line.set("w", "0")
            etree.SubElement(line, qn("a:noFill"))
    etree.SubElement(properties, qn("a:noFill"))


def _bare(frame: Any) -> None:
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    frame.vertical_anchor = MSO_ANCHOR.TOP


def _run(paragraph: Any, run: Run, size: float, font: str, semibold: bool) -> None:
    made = paragraph.add_run()
    made.text = run.words
    made.font.size = Pt(round(size * _POINTS_PER_PIXEL, 1))
    made.font.name = font
    made.font.bold = run.bold or semibold
    made.font.color.rgb = rgb(run.colour)
    made._r.get_or_add_rPr().set("lang", "en-US")


def _decorative(shape: Any) -> None:
    properties = shape._element.nvSpPr.cNvPr
    extensions = etree.SubElement(properties, qn("a:extLst"))
    extensions.append(etree.fromstring(_DECORATIVE))
