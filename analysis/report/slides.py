"""A briefing as slides: one figure a slide, its finding as the title, its numbers as tables that can be edited."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable, Sequence
from typing import Any, cast

import pandas as pd
from pptx import Presentation

from analysis import wording
from analysis.charts.figure import MOST_ALT_WORDS
from analysis.charts.marks import Role
from analysis.charts.theme import ColourName
from analysis.charts.verdict import VERDICTS, VerdictCard
from analysis.report import shapes
from analysis.report.content import Content, Sheet
from analysis.report.fitting import height_of, width_of
from analysis.report.pictures import filling
from analysis.report.printed import caption_of, cells, changes_table, plain, remarks, sources, table_of
from analysis.report.shapes import Box, Run

MARGIN = 72
FULL = shapes.WIDTH - 2 * MARGIN
_TOP, _BOTTOM = 216, 804
_SIDE = Box(1092, _TOP, 436, _BOTTOM - _TOP)
"""What stands beside a picture."""
_CHART = Box(MARGIN, _TOP, 960, _BOTTOM - _TOP)
_SMALLEST = 18
_MOST_COLUMNS = 9
"""Columns of a table under a picture."""
_TONES: dict[str, ColourName] = {"good": "good", "bad": "bad", "unsure": "muted"}
MOST_TABLE_SLIDES = 1
"""Slides of numbers behind one picture: further rows are in the workbook."""
_LETTERS = 18
"""Smallest letters of a picture, in pixels of the page: 11 points."""


def pptx(content: Content, *, progress: Callable[[int, int, str], None] | None = None) -> bytes:
    """A briefing as a PowerPoint file."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = shapes.px(shapes.WIDTH), shapes.px(shapes.HEIGHT)
    _cover(deck, content)
    for place, sheet in enumerate(content.sheets):
        if progress:
            progress(place, len(content.sheets), sheet.title)
        _figure(deck, content, sheet)
    _changes(deck, content)
    _sources(deck, content)
    _describe(deck, content)
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def _cover(deck: Any, content: Content) -> None:
    slide = _slide(
        deck, content, content.briefing.title, box=Box(MARGIN, 210, FULL, 180), sizes=(64, 56, 48, 40, 34)
    )
    shapes.text(
        slide, Box(MARGIN, 410, FULL, 64), content.scope, (26, 24, 22, 20), tone="muted", name="Scope"
    )
    if said := remarks(content):
        shapes.text(
            slide, Box(MARGIN, 500, FULL, 240), "\n".join(said), (24, 22, 20, _SMALLEST), name="Remarks"
        )


def _figure(deck: Any, content: Content, sheet: Sheet) -> None:
    made, numbers = sheet.figure, table_of(sheet.figure)
    slide = _slide(deck, content, sheet.title, sheet=sheet)
    if made.state is not None:
        words = f"{made.state.fact} {made.state.next_step}".strip()
        shapes.text(slide, Box(MARGIN, _TOP + 40, FULL, 200), words, (30, 26, 22), name="State")
        return
    if made.chart is None:
        if made.card is not None:
            _card(slide, Box(MARGIN, _TOP, 640, _BOTTOM - _TOP), made.card)
            _tables(
                deck,
                content,
                sheet,
                numbers,
                slide,
                Box(800, _TOP, shapes.WIDTH - MARGIN - 800, _BOTTOM - _TOP),
            )
            return
        _tables(deck, content, sheet, numbers, slide, Box(MARGIN, _TOP, FULL, _BOTTOM - _TOP))
        return
    beside = made.card is not None or _fits(numbers, _SIDE)
    room = _CHART if beside else Box(MARGIN, _TOP, FULL, _BOTTOM - _TOP)
    drawn = filling(made, room.width, room.height, letters=_LETTERS)
    used = shapes.picture(slide, room, drawn, made.alt)
    below = Box(MARGIN, _TOP + used + 28, FULL, _BOTTOM - _TOP - used - 28)
    if made.card is not None:
        _card(slide, _SIDE, made.card)
    elif beside or _fits(numbers, below, columns=_MOST_COLUMNS):
        _table(slide, _SIDE if beside else below, numbers, sheet)
        return
    _tables(deck, content, sheet, numbers, None, Box(MARGIN, _TOP, FULL, _BOTTOM - _TOP))


def _card(slide: Any, box: Box, card: VerdictCard) -> None:
    """Verdict, number, interval with margin, both arms, one caveat: what a listener takes away."""
    shown = VERDICTS[card.verdict]
    tone = _TONES[shown.tone]
    shapes.rule(slide, Box(box.left - 32, box.top, 6, box.height), tone)
    shapes.disc(slide, Box(box.left, box.top, 46, 46), shown.glyph, tone)
    words = card.words or shown.words
    top = box.top + shapes.text(
        slide, Box(box.left + 60, box.top, box.width - 60, 92), words, (36, 32, 28, 24), face="serif", tone=tone, name="Verdict"
    )  # fmt: skip
    top = max(top, box.top + 46) + 22
    if card.value:
        unit = "points" if card.unit.endswith("points") else card.unit
        shapes.line_of(
            slide,
            Box(box.left, top, box.width, 84),
            [Run(card.value, bold=True), Run(f" {unit}", "muted")],
            60,
        )
        top += 84
        top += (
            shapes.text(slide, Box(box.left, top, box.width, 56), card.interval, (22, 20), tone="muted") + 12
        )
    for arm in card.arms:
        shapes.mark(slide, Box(box.left, top + 6, 16, 16), cast(Role, arm.role))
        runs = [Run(f"{arm.label}  "), Run(arm.value, bold=True), Run(f"  {arm.counts}", "muted")]
        shapes.line_of(slide, Box(box.left + 28, top, box.width - 28, 32), runs, 21)
        top += 36
    shapes.rule(slide, Box(box.left, top + 8, box.width, 1), "rule")
    rest = box.top + box.height - top - 24
    said = "\n".join(plain(words) for words in (card.reason, card.settle) if words)
    if rest > 2 * 21:
        shapes.text(slide, Box(box.left, top + 24, box.width, rest), said, (22, 20, _SMALLEST), name="Caveat")


def _tables(deck: Any, content: Content, sheet: Sheet, numbers: pd.DataFrame, slide: Any, box: Box) -> None:
    """The numbers as native tables, on as many slides as they need, up to `MOST_TABLE_SLIDES`."""
    if numbers.empty:
        return
    parts = _parts(numbers, box)
    for place, part in enumerate(parts[:MOST_TABLE_SLIDES]):
        if slide is None or place:
            slide = _slide(deck, content, f"{sheet.title}: the numbers", sheet=sheet, sizes=(34, 30, 26, 22))
            box = Box(MARGIN, _TOP, FULL, _BOTTOM - _TOP)
        if place == MOST_TABLE_SLIDES - 1 and len(parts) > MOST_TABLE_SLIDES:
            left = sum(len(each) for each in parts[MOST_TABLE_SLIDES:])
            words = f"{wording.counted(left, 'further row')} in the workbook of this briefing."
            shapes.text(slide, Box(MARGIN, _BOTTOM - 24, FULL, 24), words, (_SMALLEST,), tone="muted")
        _table(slide, box, part, sheet)


def _table(slide: Any, box: Box, numbers: pd.DataFrame, sheet: Sheet) -> None:
    size, widths, heights = _laid_out(numbers, box)
    alt = " ".join(f"Table of {sheet.title}: {len(numbers)} rows.".split()[:MOST_ALT_WORDS])
    place = Box(box.left, box.top, sum(widths), sum(heights))
    shapes.table(slide, place, numbers, size=size, widths=widths, alt=alt)


def _fits(numbers: pd.DataFrame, box: Box, *, columns: int = 3) -> bool:
    if numbers.empty or len(numbers.columns) > columns:
        return False
    return sum(_laid_out(numbers, box)[2]) <= box.height


def _parts(numbers: pd.DataFrame, box: Box) -> list[pd.DataFrame]:
    heights = _laid_out(numbers, box)[2]
    head, parts, start, used = heights[0], [], 0, heights[0]
    for row, height in enumerate(heights[1:]):
        if used + height > box.height - 44 and row > start:
            parts.append(numbers.iloc[start:row])
            start, used = row, head
        used += height
    return [*parts, numbers.iloc[start:]]


def _laid_out(numbers: pd.DataFrame, box: Box) -> tuple[float, list[float], list[float]]:
    """Size of the letters, widths of columns and heights of rows of a table in a box."""
    size = 20 if len(numbers.columns) <= 5 else _SMALLEST
    rows = cells(numbers)
    natural = [
        max(width_of(row[i], size, "sans-bold") for row in rows) + 32 for i in range(len(numbers.columns))
    ]
    widths = _shared(natural, box.width)
    heights = [
        max(height_of(words, size, widths[i] - 26, "sans-bold") for i, words in enumerate(row)) + 12
        for row in rows
    ]
    return size, widths, heights


def _shared(natural: Sequence[float], room: float) -> list[float]:
    """Widths that add up to the room at most: narrow columns keep theirs, wide ones share what is left."""
    if sum(natural) <= room:
        return list(natural)
    widths, open_ = dict(enumerate(natural)), set(range(len(natural)))
    left = room
    while open_:
        share = left / len(open_)
        fine = {i for i in open_ if natural[i] <= share}
        if not fine:
            widths |= dict.fromkeys(open_, share)
            break
        left -= sum(natural[i] for i in fine)
        open_ -= fine
    return [widths[i] for i in range(len(natural))]


def _changes(deck: Any, content: Content) -> None:
    moved = changes_table(content)
    if not content.changed:
        return
    if moved.empty:
        slide = _slide(deck, content, "What changed since the briefing was saved: no number of it")
        shapes.text(slide, Box(MARGIN, _TOP, FULL, 120), content.changed, (24, 22, 20))
        return
    beyond = sum(1 for sheet in content.sheets for change in sheet.changes if change.beyond_noise)
    title = f"{wording.counted(len(moved), 'number')} changed since it was saved, {beyond} beyond noise"
    box = Box(MARGIN, _TOP, FULL, _BOTTOM - _TOP)
    for place, part in enumerate(_parts(moved, box)[:MOST_TABLE_SLIDES]):
        slide = _slide(deck, content, title if place == 0 else f"{title} (continued)")
        size, widths, heights = _laid_out(part, box)
        place_of = Box(box.left, box.top, sum(widths), sum(heights))
        shapes.table(slide, place_of, part, size=size, widths=widths, alt=f"Table: {title}.")


def _sources(deck: Any, content: Content) -> None:
    slide = _slide(deck, content, "Where the numbers come from")
    frame = pd.DataFrame(sources(content), columns=["What", "Which"])
    box = Box(MARGIN, _TOP, FULL, _BOTTOM - _TOP)
    size, widths, heights = _laid_out(frame, box)
    place = Box(box.left, box.top, sum(widths), sum(heights))
    shapes.table(slide, place, frame, size=size, widths=widths, alt="Table of the sources of this briefing.")


def _slide(
    deck: Any,
    content: Content,
    title: str,
    *,
    sheet: Sheet | None = None,
    box: Box = Box(MARGIN, 56, FULL, 112),
    sizes: Sequence[float] = (46, 42, 38, 34, 30, 26),
) -> Any:
    """A slide with title, measure and footer; what is said is in reading order."""
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    heading = slide.shapes.title
    heading.left, heading.top, heading.width, heading.height = (
        shapes.px(v) for v in (box.left, box.top, box.width, box.height)
    )
    used = shapes.set_text(heading, plain(title), sizes, box, face="serif")
    if sheet is not None and sheet.figure.measure:
        top = box.top + used + 8
        keyed = shapes.key(slide, shapes.WIDTH - MARGIN, top, sheet.figure.key)
        measure = Box(MARGIN, top, FULL - keyed, _TOP - 12 - top)
        shapes.text(slide, measure, sheet.figure.measure, (22, 20, _SMALLEST), tone="muted", name="Measure")
    _footer(slide, content, sheet)
    if sheet is not None:
        slide.notes_slide.notes_text_frame.text = _notes(sheet)
    return slide


def _footer(slide: Any, content: Content, sheet: Sheet | None) -> None:
    shapes.rule(slide, Box(MARGIN, 818, FULL, 2), "ink")
    wide = shapes.tag(slide, MARGIN, 834, content.tag, hatched=content.synthetic)
    left = MARGIN + wide + 18
    room = Box(left, 826, shapes.WIDTH - MARGIN - 60 - left, 68)
    words = _footnote(sheet, room) if sheet else content.scope
    shapes.text(slide, room, words, (_SMALLEST,), tone="muted", name="Caption")
    shapes.page_number(slide, Box(shapes.WIDTH - MARGIN - 50, 836, 50, 26))


def _footnote(sheet: Sheet, room: Box) -> str:
    """The caption; a long one is cut before its period and the figure's id, and is whole in the notes."""
    whole = caption_of(sheet)
    last = f"Figure {sheet.entry.figure}."
    if height_of(f"{whole} {last}", _SMALLEST, room.width) <= room.height:
        return f"{whole} {last}"
    *sentences, period = re.split(r"(?<=\.) (?=[A-Z0-9])", whole)
    last = f"… {period} {last}"
    while sentences and height_of(" ".join([*sentences, last]), _SMALLEST, room.width) > room.height:
        sentences.pop()
    return " ".join([*sentences, last])


def _notes(sheet: Sheet) -> str:
    parts = [
        sheet.entry.note,
        sheet.figure.alt,
        caption_of(sheet),
        "Made again in Python:",
        sheet.figure.code,
    ]
    return "\n\n".join(part for part in parts if part)


def _describe(deck: Any, content: Content) -> None:
    """Properties of the file; its day is that of the data, so that the same briefing gives the same file."""
    day = content.as_of
    properties = deck.core_properties
    properties.title, properties.subject = content.briefing.title, content.scope
    properties.author = properties.last_modified_by = ""
    properties.keywords = content.tag
    properties.created = properties.modified = dt.datetime(day.year, day.month, day.day)
