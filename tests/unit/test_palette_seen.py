"""Colours as people see them: contrast by WCAG 2.1, three kinds of colour blindness, and a grey print.

The arithmetic is written out here, apart from the app, and checked against published values first. Colours that mean
different things in one picture stay `APART` for everybody, or the charts that use both tell them by something else too:
shape, filled or open, dash, place, or a sign.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.charts.diverging import SCORES, diverging_bars
from analysis.charts.marks import MARKS
from analysis.charts.sparkline import sparkline
from analysis.charts.stacked_columns import PARTS
from analysis.charts.theme import DARK, LIGHT
from analysis.charts.verdict import VERDICTS
from tests.unit.test_charts_pictures import CHARTS, layers_of, points_of

Palette = dict[str, str]
Colour = np.ndarray[Any, np.dtype[np.float64]]

TEXT, LARGE_OR_GRAPHIC = 4.5, 3.0
"""WCAG 2.1, success criteria 1.4.3 and 1.4.11."""
APART = 15.0
"""CIE 1976 colour difference; 2.3 is just noticeable side by side, and marks lie apart on a page."""

WORDS = ("ink", "muted", "other", "primary", "virtual", "signal", "good", "bad")
MARK_COLOURS = ("ink", "muted", "other", "primary", "virtual", "in_person", "signal", "good", "bad")

# Linear sRGB, severity 1: Machado, Oliveira & Fernandes (2009), IEEE TVCG 15(6), 1291–1298, table 1.
SIGHT = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "all colours": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    # Luminance alone, as on a grey print.
    "no colours": [[0.2126, 0.7152, 0.0722]] * 3,
}  # fmt: skip
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
"""sRGB, D65 (IEC 61966-2-1)."""
WHITE = TO_XYZ @ np.ones(3)

both_palettes = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])


def linear(colour: str) -> Colour:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(light: Colour) -> Colour:
    ratio = TO_XYZ @ light / WHITE
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def seen(colour: str, sight: str) -> Colour:
    return lab(np.clip(np.array(SIGHT[sight]) @ linear(colour), 0, 1))


def distance(one: str, other: str, sight: str) -> float:
    return float(np.linalg.norm(seen(one, sight) - seen(other, sight)))


def confused(palette: Palette, one: str, other: str) -> list[str]:
    """For whom two colours are nearer than `APART`."""
    return [sight for sight in SIGHT if distance(palette[one], palette[other], sight) < APART]


def test_the_arithmetic_gives_published_values() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    # The grey that is just legible on white (WebAIM), and the one that is just not.
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.005)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)
    # Lindbloom's calculator, D65.
    for colour, expected in (
        ("#FFFFFF", (100, 0, 0)),
        ("#FF0000", (53.24, 80.09, 67.20)),
        ("#00FF00", (87.73, -86.18, 83.18)),
        ("#0000FF", (32.30, 79.19, -107.86)),
        ("#808080", (53.59, 0, 0)),
    ):
        assert lab(linear(colour)) == pytest.approx(expected, abs=0.02), colour


@pytest.mark.parametrize("sight", SIGHT)
def test_greys_stay_grey_for_everybody(sight: str) -> None:
    """The rows of each matrix add up to 1, so a wrong digit shows."""
    assert np.array(SIGHT[sight]).sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert distance("#808080", "#808080", sight) == 0


def test_red_and_green_are_confused_by_two_of_three() -> None:
    """A red and a green of one lightness, the textbook pair: apart in the ordinary way and for tritanopia only."""
    red, green = "#C04040", "#6B7F2A"
    assert distance(red, green, "all colours") > 60 and distance(red, green, "tritanopia") > 40
    assert distance(red, green, "deuteranopia") < 25


@both_palettes
def test_words_are_legible(palette: Palette) -> None:
    for name in WORDS:
        for ground in ("paper", "panel"):
            assert contrast(palette[name], palette[ground]) >= TEXT, (name, ground)
    # Numbers of a heat map and labels in a shaded margin.
    assert contrast(palette["ink"], palette["margin"]) >= TEXT
    assert contrast(palette["muted"], palette["margin"]) >= TEXT
    # Its name beside a median is the only text in this colour, and stands on paper.
    assert contrast(palette["in_person"], palette["paper"]) >= TEXT
    # A sign in its disc, and a main button.
    for tone in ("good", "bad", "muted", "primary"):
        assert contrast(palette["paper"], palette[tone]) >= TEXT


@both_palettes
def test_marks_stand_out_from_the_paper(palette: Palette) -> None:
    for name in MARK_COLOURS:
        for ground in ("paper", "panel", "margin"):
            assert contrast(palette[name], palette[ground]) >= LARGE_OR_GRAPHIC, (name, ground)
    for mark in MARKS.values():
        assert contrast(palette[mark.shown], palette["paper"]) >= LARGE_OR_GRAPHIC, mark


@both_palettes
def test_the_one_grey_of_small_lines_stands_out_on_either_paper(palette: Palette) -> None:
    source = sparkline([1.0, 2.0, 3.0]).split("base64,")[1].split('"')[0]
    (grey,) = re.findall(r"#[0-9A-Fa-f]{6}", base64.b64decode(source).decode())
    for ground in ("paper", "panel"):
        assert contrast(grey, palette[ground]) >= LARGE_OR_GRAPHIC


@both_palettes
def test_the_two_modes_are_apart_whoever_looks(palette: Palette) -> None:
    assert set(confused(palette, "virtual", "in_person")) <= {"no colours"}
    # Columns are filled, in person with its tint: apart even on a grey print.
    assert confused(palette, "virtual", "tint_in_person") == []
    assert confused(palette, "ink", "other") == []


def test_on_a_grey_print_the_two_modes_have_other_shapes() -> None:
    assert MARKS["virtual"].shape != MARKS["in_person"].shape
    virtual, in_person = points_of(CHARTS["intervals"]("light"))
    assert virtual["shape"] != in_person["shape"]
    assert virtual["fill"] == LIGHT["virtual"] and in_person["fill"] == LIGHT["paper"]
    rects = [
        layer["mark"] for layer in layers_of(CHARTS["months"]("light")) if layer["mark"]["type"] == "rect"
    ]
    assert {mark["fill"] for mark in rects} == {LIGHT["virtual"], LIGHT["tint_in_person"]}


@both_palettes
def test_verdicts_are_told_by_sign_and_words_because_colours_may_look_alike(palette: Palette) -> None:
    """Good and bad news are alike for somebody in one palette at least; no tone is alone in telling a verdict."""
    tones = {"good": "good", "bad": "bad", "unsure": "muted"}
    alike = {
        frozenset(pair)
        for pair in combinations(tones, 2)
        if confused(palette, tones[pair[0]], tones[pair[1]])
    }
    assert alike, "no pair is alike any more: then this test says too little"
    for one, other in combinations(VERDICTS.values(), 2):
        if one.tone != other.tone:
            assert one.short != other.short and one.words != other.words
        if frozenset((one.tone, other.tone)) in alike:
            assert one.glyph != other.glyph, (one, other)


@both_palettes
def test_what_lies_outside_is_a_filled_triangle_because_its_colour_may_look_grey(palette: Palette) -> None:
    assert "deuteranopia" in confused(palette, "signal", "muted")
    assert MARKS["outside"].shape == "triangle" and MARKS["outside"].outline is None
    assert [role for role, mark in MARKS.items() if mark.shape == "triangle"] == ["outside"]


@both_palettes
def test_parts_of_a_column_have_an_edge_that_is_seen(palette: Palette) -> None:
    """Neighbours in a stack: a step of lightness that is seen, or an edge that is dark on one of the two."""
    fills = [fill for fill, _ in PARTS]
    assert len(set(fills)) == len(fills)
    for (below, edge), (above, other_edge) in pairwise(PARTS):
        steps = [contrast(palette[below], palette[above])]
        steps += [contrast(palette[e], palette[f]) for e in (edge, other_edge) for f in (below, above)]
        assert max(steps) >= LARGE_OR_GRAPHIC, (below, above)
    for fill, edge in PARTS:
        assert max(contrast(palette[c], palette["paper"]) for c in (fill, edge)) >= LARGE_OR_GRAPHIC, fill


@both_palettes
def test_scores_are_told_by_their_place(palette: Palette) -> None:
    """The ends of the scale are near in the dark: scores lie in order from left to right, 1 and 5 on either side."""
    for one, other in pairwise(SCORES):
        edge = max(contrast(palette["other"], palette[colour]) for colour in (one, other))
        assert edge >= LARGE_OR_GRAPHIC or distance(palette[one], palette[other], "no colours") >= APART
    rows = pd.DataFrame(
        {"label": "Confidence", "arm": 0, "arm_label": "Virtual", "score": range(1, 6), "share": 0.2, "result": "",
         "strong": False, "said": "…"}
    )  # fmt: skip
    drawn = pd.concat(
        layer.data for layer in diverging_bars(rows, alt_text="Scores.").layer if "start" in layer.data
    ).drop_duplicates("score")
    assert drawn.sort_values("score")["start"].is_monotonic_increasing
    ends = drawn.set_index("score")
    assert ends.loc[1, "end"] < 0 < ends.loc[5, "start"]


def marks_of(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Points and lines of a chart, layers and panels within it included; areas are looked at above."""
    mark = spec.get("mark")
    if isinstance(mark, dict) and mark["type"] in ("point", "line"):
        yield mark
    for inner in ("layer", "hconcat", "vconcat"):
        for part in spec.get(inner, ()):
            yield from marks_of(part)


def told_by_colour_alone(spec: dict[str, Any], palette: Palette) -> list[tuple[str, str]]:
    """Pairs of colours that somebody confuses, of marks which nothing else tells apart."""
    names = {value: name for name, value in palette.items()}
    found = []
    for one, other in combinations(marks_of(spec), 2):
        first, second = (names[str(mark.get("stroke", mark.get("color")))] for mark in (one, other))
        if one["type"] != other["type"] or first == second or not confused(palette, first, second):
            continue
        filled = [mark.get("fill") == palette["paper"] for mark in (one, other)]
        same = all(one.get(key) == other.get(key) for key in ("shape", "strokeDash"))
        if same and filled[0] == filled[1]:
            found.append((first, second))
    return found


@both_palettes
@pytest.mark.parametrize("name", CHARTS)
def test_marks_that_look_alike_differ_in_shape_filling_or_dash(name: str, palette: Palette) -> None:
    spec = CHARTS[name]("light" if palette is LIGHT else "dark").to_dict()
    assert told_by_colour_alone(spec, palette) == []


def test_it_notices_marks_that_differ_in_colour_alone() -> None:
    spec = CHARTS["intervals"]("light").to_dict()
    for mark in marks_of(spec):
        mark |= {"shape": "circle", "fill": LIGHT["paper"]}
    assert told_by_colour_alone(spec, LIGHT) == [("virtual", "in_person")]
