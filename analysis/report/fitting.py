"""How much room text takes, so that nothing on a slide runs out of its box."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

from PIL import ImageFont

from analysis.report.pictures import font_folder

Face = Literal["sans", "sans-bold", "serif"]

_FILES = {
    "sans": "SourceSans-Regular.ttf",
    "sans-bold": "SourceSans-Bold.ttf",
    "serif": "SourceSerif-Regular.ttf",
}
_WIDER = {"sans": 1.16, "sans-bold": 1.18, "serif": 1.34}
"""Arial and Georgia, which slides are set in, and the wider letters that stand in for them where they are
not installed, against the fonts measured here."""
_GUESS = 0.62
"""Width of a character against its size where there is no font to measure."""
LEADING = 1.22
"""Height of a line against the size of its letters."""


def width_of(words: str, size: float, face: Face = "sans") -> float:
    """Width of a line of text, in the unit of `size`."""
    measured = _measuring(face)
    if measured is None:
        return len(words) * size * _GUESS
    # Characters without a shape (tabs, bells) cannot be measured.
    shown = "".join(each if each.isprintable() else " " for each in words)
    return measured.getlength(shown) / 100 * size * _WIDER[face]


def wrapped(words: str, size: float, width: float, face: Face = "sans") -> list[str]:
    """Text broken into lines no wider than `width`; a word wider than that is broken as well."""
    lines: list[str] = []
    for paragraph in words.split("\n"):
        line = ""
        for word in paragraph.split():
            for piece in _pieces(word, size, width, face):
                joined = f"{line} {piece}" if line else piece
                if line and width_of(joined, size, face) > width:
                    lines.append(line)
                    line = piece
                else:
                    line = joined
        lines.append(line)
    return lines


def height_of(words: str, size: float, width: float, face: Face = "sans") -> float:
    """Height of wrapped text, in the unit of `size`."""
    return len(wrapped(words, size, width, face)) * size * LEADING


def fitted(
    words: str, sizes: Sequence[float], width: float, height: float, face: Face = "sans"
) -> tuple[str, float]:
    """Text and the largest size at which it fits a box; cut at a word, with an ellipsis, where none does.

    Examples
    --------
    >>> fitted("short", (20, 16), 400, 40)
    ('short', 20)
    """
    for size in sizes:
        if height_of(words, size, width, face) <= height:
            return words, size
    size = sizes[-1]
    most = max(int(height // (size * LEADING)), 1)
    kept = wrapped(words, size, width, face)[:most]
    while " " in kept[-1] and width_of(f"{kept[-1]} …", size, face) > width:
        kept[-1] = kept[-1].rsplit(" ", 1)[0]
    return " ".join([*kept[:-1], f"{kept[-1]} …"]), size


def _pieces(word: str, size: float, width: float, face: Face) -> list[str]:
    pieces = [word]
    while width_of(pieces[-1], size, face) > width and len(pieces[-1]) > 1:
        last = pieces.pop()
        cut = max(int(len(last) * width / width_of(last, size, face)) - 1, 1)
        pieces += [last[:cut], last[cut:]]
    return pieces


@cache
def _measuring(face: Face) -> ImageFont.FreeTypeFont | None:
    folder = font_folder()
    if folder is None or not (folder / _FILES[face]).is_file():
        return None
    return ImageFont.truetype(str(folder / _FILES[face]), 100)
