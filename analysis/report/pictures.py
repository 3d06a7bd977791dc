"""Charts as pictures, without a browser and without the network: PNG and SVG in the app's own fonts."""

from __future__ import annotations

import copy
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from textwrap import wrap
from typing import Any

import vl_convert
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont
from PIL import Image

from analysis.charts.figure import Figure
from analysis.charts.marks import MARKS
from analysis.charts.theme import TEXT_SIZE, colour

WIDTH = 640
"""Width of a picture's plot, in pixels at scale 1."""

_LETTERS = ("fontSize", "labelFontSize", "titleFontSize")
_AXES = 40
"""About what labels beside the plot take of a picture's width."""
_FACES = (
    ("SourceSansVF-Upright", "Source Sans", {"Regular": 400, "Bold": 600}),
    ("SourceSerifVariable-Roman", "Source Serif", {"Regular": 600}),
)
"""File, family, and the weight of each face: the app's headings and bold text are semi-bold."""
_CHARACTERS = (
    (0x20, 0x17F),
    (0x2C6, 0x2DC),
    (0x391, 0x3C9),
    (0x2010, 0x203A),
    (0x2190, 0x2193),
    (0x2200, 0x2265),
    (0x25A0, 0x25CF),
)
"""Unicode ranges kept: Latin, Greek, punctuation, arrows, mathematical signs, marks."""

_NOTHING = {
    "data": {"values": [{}]},
    "mark": {"type": "point", "opacity": 0},
    "width": WIDTH,
    "height": 1,
    "config": {"view": {"stroke": None}},
}


def png(made: Figure, *, width: int = WIDTH, scale: float = 2.0, letters: float = 1.0) -> bytes:
    """A chart as PNG, on white.

    Parameters
    ----------
    made : Figure
        One with a chart, built with the light palette.
    width : int
        Width of the plot in pixels, before `scale`.
    scale : float
        Pixels of the picture for each of the chart: 2 is sharp on a slide.
    letters : float
        How much larger its letters are to be than on the page.
    """
    font_folder()
    spec = specification(made, width, letters)
    return bytes(vl_convert.vegalite_to_png(vl_spec=spec, scale=scale))


def svg(made: Figure, *, width: int = WIDTH) -> str:
    """A chart as SVG; its text stays text."""
    font_folder()
    return str(vl_convert.vegalite_to_svg(vl_spec=specification(made, width)))


def framed_png(made: Figure) -> bytes:
    """A chart as PNG that says by itself what it shows and where its numbers come from."""
    font_folder()
    return bytes(vl_convert.vegalite_to_png(vl_spec=_framed(made), scale=2.0))


def framed_svg(made: Figure) -> str:
    """A chart as SVG that says by itself what it shows and where its numbers come from."""
    font_folder()
    return str(vl_convert.vegalite_to_svg(vl_spec=_framed(made)))


def _framed(made: Figure) -> dict[str, Any]:
    """The chart under its finding, measure and legend; tag and caption stand there too, so that they travel along.

    Where there is none – what is drawn on the screen may be too small to leave the house – the picture says why.
    """
    state = f"{made.state.fact} {made.state.next_step}" if made.state else ""
    legend = "   ".join(f"{MARKS[entry.role].character} {entry.label}" for entry in made.key)
    caption = wrap(" ".join(f"{made.tag} · {made.caption} Figure {made.id}.".split()), width=112)
    lines = [*wrap(made.measure, width=112), *([legend] if legend else []), *wrap(state, width=112), *caption]
    title = {
        "text": wrap(made.title or made.finding, width=76) or [""],
        "subtitle": lines,
        "anchor": "start",
        "frame": "group",
        "offset": 14,
        "fontSize": 17,
        "subtitleFontSize": 12,
        "subtitleColor": colour("muted", "light"),
        "subtitlePadding": 6,
    }
    drawn = _NOTHING if made.state else specification(made)
    return drawn | {"title": title, "padding": 16}


def filling(made: Figure, width: float, height: float, *, letters: float) -> bytes:
    """A chart as PNG in the shape of a box, its letters at least `letters` pixels high there.

    A chart keeps its height whatever its width, so a tall one is made wide enough that both fit, and its letters
    are enlarged as much as that makes them smaller.
    """
    with Image.open(io.BytesIO(png(made, scale=1.0))) as image:
        tall = image.height
    factor = min(height / tall, letters / TEXT_SIZE)
    larger = max(letters / (TEXT_SIZE * factor), 1.0)
    return png(made, width=round(width / factor) - _AXES, scale=3 * factor, letters=larger)


def specification(made: Figure, width: int = WIDTH, letters: float = 1.0) -> dict[str, Any]:
    """The Vega-Lite specification of a figure's chart at a width.

    Raises
    ------
    ValueError
        For a figure without a chart.
    """
    spec = copy.deepcopy(made.specification)
    if letters != 1.0:
        _enlarge(spec, letters)
    return spec | {"width": width, "autosize": {"type": "pad", "contains": "padding"}}


def _enlarge(part: Any, letters: float) -> None:
    if isinstance(part, list):
        for each in part:
            _enlarge(each, letters)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key in _LETTERS and isinstance(value, int | float):
                part[key] = value * letters
            elif key != "data":
                _enlarge(value, letters)


@cache
def font_folder() -> Path | None:
    """Where the fonts of the pictures lie, one file a face; `None` where the app's fonts are not installed.

    The app brings them as variable web fonts, which neither the chart converter nor the typesetter reads. Making
    them static takes seconds, so they are kept in the user's cache folder. Without them both fall back to
    a sans-serif of the machine.
    """
    spec = find_spec("streamlit")
    if spec is None or not spec.submodule_search_locations:
        return None
    media = Path(spec.submodule_search_locations[0]) / "static" / "static" / "media"
    sources = {stem: source for stem, _, _ in _FACES for source in media.glob(f"{stem}*.woff2")}
    described = repr(
        (_FACES, _CHARACTERS, sorted((file.name, file.stat().st_size) for file in sources.values()))
    )
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ctpat-analysis"
    folder = home / f"fonts-{hashlib.sha256(described.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        folder = _made_static(sources, folder)
    vl_convert.register_font_directory(str(folder))
    return folder


def _made_static(sources: Mapping[str, Path], folder: Path) -> Path:
    """Write the faces aside and move them into place at once; where there is no cache, leave them aside."""
    aside = Path(tempfile.mkdtemp(prefix="fonts-"))
    for stem, family, faces in _FACES:
        if stem in sources:
            small = _subset(sources[stem])
            for style, weight in faces.items():
                _static(small, family, style, weight).save(aside / f"{family}-{style}.ttf".replace(" ", ""))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=folder.name, dir=folder.parent))
        shutil.copytree(aside, beside, dirs_exist_ok=True)
        beside.rename(folder)
    except OSError:
        # Read-only, or another process was first: either way the ones made here will do.
        return aside
    return folder


def _subset(source: Path) -> bytes:
    """The font with the characters a figure can hold: making a whole one static takes twenty times as long."""
    font = TTFont(source)
    font.flavor = None
    subsetter = Subsetter(
        Options(layout_features=["kern", "liga", "lnum", "tnum", "mark"], notdef_outline=True)
    )
    subsetter.populate(unicodes=[code for first, last in _CHARACTERS for code in range(first, last + 1)])
    subsetter.subset(font)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def _static(small: bytes, family: str, style: str, weight: int) -> TTFont:
    font = TTFont(io.BytesIO(small))
    axes = {axis.axisTag: axis.defaultValue for axis in font["fvar"].axes} | {"wght": weight}
    font = instantiateVariableFont(font, axes)
    names = font["name"]
    full = family if style == "Regular" else f"{family} {style}"
    for number, text in {1: family, 2: style, 3: full, 4: full, 6: full.replace(" ", "-")}.items():
        names.setName(text, number, 3, 1, 0x409)
    for number in (16, 17, 25):
        names.removeNames(nameID=number)
    font["OS/2"].usWeightClass = 700 if style == "Bold" else 400
    return font
