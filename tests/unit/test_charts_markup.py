"""Tables and cards: escaped, scoped, oriented, and honest about what is missing."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from analysis.charts.figure import Figure, State
from analysis.charts.glance import GlanceRow, glance_table
from analysis.charts.markup import emphasised, tag_box
from analysis.charts.ruler import Ruler, place, ruler_bar
from analysis.charts.sparkline import sparkline
from analysis.charts.tables import plain_table
from analysis.charts.tiles import Tile, tiles
from analysis.charts.verdict import VERDICTS, ArmLine, VerdictCard, verdict_card, verdict_words

NASTY = '<script>alert("1")</script>'
RULER = Ruler(-0.019, -0.044, 0.006, margin=0.05, crude=-0.055)
ROW = GlanceRow(
    "Found", "Any Must", "points", "24%", "30%", "−1.9", "−4.4 to +0.6", "cannot_tell", "4,398", RULER
)


def poisoned(record: object) -> dict[str, str]:
    """Every text of a record replaced by something a page must never run."""
    kept = ("verdict", "role")
    return {
        field.name: NASTY
        for field in dataclasses.fields(record)
        if isinstance(getattr(record, field.name), str) and field.name not in kept
    }


def test_no_text_becomes_markup() -> None:
    tile = Tile("a", "b", "c", "d")
    arm = ArmLine("virtual", "a", "b", "c")
    card = VerdictCard("better", "h", "r", "s", "m", "v", "u", "i", RULER, arms=(arm,))
    frame = pd.DataFrame({NASTY: [NASTY], "second": [NASTY]})
    nasty_card = dataclasses.replace(
        card, **poisoned(card), ends=(NASTY, NASTY), arms=(dataclasses.replace(arm, **poisoned(arm)),)
    )
    pieces = [
        tiles([dataclasses.replace(tile, **poisoned(tile))]),
        verdict_card(nasty_card),
        glance_table([dataclasses.replace(ROW, **poisoned(ROW))], caption=NASTY, arms=(NASTY, NASTY)),
        plain_table(frame, caption=NASTY, second={NASTY: "second"}),
        emphasised(f"**{NASTY}**"),
        tag_box(NASTY, synthetic=False),
    ]
    for piece in pieces:
        assert "<script" not in piece
        assert "&lt;script&gt;" in piece


@pytest.mark.parametrize("harmful, side", [("lower", -1), ("higher", 1), ("two_sided", -1)])
def test_right_is_the_direction_that_is_good_news(harmful: str, side: int) -> None:
    ruler = dataclasses.replace(RULER, harmful=harmful)
    assert (place(-0.03, ruler) - 50) * side > 0


def test_what_lies_beyond_stands_at_the_edge_and_ratios_are_symmetric() -> None:
    assert place(-9.0, RULER) == 4.0
    ratio = Ruler(1, 1, 1, margin=0.8, scale="ratio")
    assert place(0.8, ratio) - 50 == pytest.approx(50 - place(1.25, ratio), abs=0.02)
    assert place(1.0, ratio) == 50.0
    assert place(0.0, ratio) == 4.0


def test_a_ruler_shows_the_crude_effect_only_where_there_is_one() -> None:
    assert 'class="crude"' in ruler_bar(RULER)
    assert 'class="crude"' not in ruler_bar(dataclasses.replace(RULER, crude=None))


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_verdict_is_said_in_words_beside_its_glyph(verdict: str) -> None:
    shown = VERDICTS[verdict]
    assert shown.short in verdict_words(verdict)
    card = verdict_card(VerdictCard(verdict, "heading", "reason"))
    assert shown.words in card and f"verdict-card {shown.tone}" in card


def test_the_glance_table_groups_heads_and_names_its_cells() -> None:
    other = dataclasses.replace(ROW, group="Time", ruler=None, note="asked after virtual only", in_person="")
    table = glance_table([ROW, ROW, other], caption="All metrics", arms=("Complaint", "Planned"))
    assert table.count('scope="rowgroup"') == 2
    assert table.count('scope="row"') == 3
    assert 'data-label="Planned"' in table
    assert "asked after virtual only" in table
    assert ">–<" in table


def test_a_sparkline_breaks_where_a_value_is_missing_and_needs_two() -> None:
    assert sparkline([None, 1.0]) == ""
    assert 'alt=""' in sparkline([1.0, 2.0])
    assert sparkline([1.0, 1.0, None, 1.0]) != sparkline([1.0, 1.0, 1.0, 1.0])


def test_numbers_go_right_and_words_go_left() -> None:
    frame = pd.DataFrame(
        {"Office": ["Miami"], "Share": ["24.1%"], "Change": ["−1.9"], "Source": ["Deck, 2021"]}
    )
    table = plain_table(frame, caption="Shares", total=True)
    assert '<td data-label="Share" role="cell" class="number">24.1%</td>' in table
    assert '<td data-label="Change" role="cell" class="number">−1.9</td>' in table
    assert '<td data-label="Source" role="cell" class="">Deck, 2021</td>' in table
    assert 'class="total"' in table and "stacked" in table


def test_a_figure_needs_something_to_show_and_a_short_alternative() -> None:
    with pytest.raises(ValueError, match="neither"):
        Figure("a.b", "Title")
    with pytest.raises(ValueError, match="41 words"):
        Figure("a.b", "Title", html="<p>", alt="word " * 41)


def test_an_export_says_which_dataset_it_is_from() -> None:
    figure = Figure("a.b", "Title", html="<p>", data=pd.DataFrame({"x": [0.5]}), tag="SYNTHETIC")
    assert figure.to_csv().splitlines() == ["x,dataset", "0.5,SYNTHETIC"]


def test_in_a_notebook_a_state_wins_over_a_picture() -> None:
    state = State("empty", "No validations match these filters.", "Reset them.")
    shown = Figure("a.b", "Title", html="<p>picture", state=state)._repr_mimebundle_()
    assert "No validations match" in str(shown["text/html"]) and "picture" not in str(shown["text/html"])
