"""Colours: two complete palettes, legible, and a screen palette that follows the theme."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.charts.theme import DARK, LIGHT, MOST_MARKS, colour, css_variables, drawable


def luminance(hex_colour: str) -> float:
    channels = [int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_colour_is_legible(palette: dict[str, str]) -> None:
    for name in ("ink", "muted", "other", "primary", "virtual", "signal", "good", "bad"):
        assert contrast(palette[name], palette["paper"]) >= 4.5, name
        assert contrast(palette[name], palette["panel"]) >= 4.5, name
    assert contrast(palette["in_person"], palette["paper"]) >= 4.5
    assert contrast(palette["in_person"], palette["panel"]) >= 3
    assert contrast(palette["muted"], palette["margin"]) >= 4.5


def test_palettes_name_the_same_colours_and_the_stylesheet_defines_them_all() -> None:
    assert LIGHT.keys() == DARK.keys()
    sheet = css_variables()
    for name in LIGHT:
        assert f"{colour(name)[4:-1]}:light-dark({LIGHT[name]},{DARK[name]})" in sheet


def test_a_chart_refuses_rows_instead_of_summaries() -> None:
    assert len(drawable(pd.DataFrame({"x": range(MOST_MARKS)}))) == MOST_MARKS
    with pytest.raises(ValueError, match="2,001 rows"):
        drawable(pd.DataFrame({"x": range(MOST_MARKS + 1)}))
