"""The page Methods: every part under its heading, reachable by its anchor, whatever the filters."""

from __future__ import annotations

import html

from analysis.methods.parts import parts
from tests.pages.conftest import Open
from tests.pages.test_smoke import markup


def test_every_part_stands_under_its_heading(open_app: Open) -> None:
    app = open_app("methods.py")
    assert not app.exception
    assert [heading.value for heading in app.header] == list(parts().values())
    assert [heading.proto.anchor for heading in app.header] == list(parts())
    shown = markup(app)
    for anchor, words in parts().items():
        assert f'href="#{anchor}"' in shown and words in html.unescape(shown)
    for part in ("metric-any_must_deficiency", "way-standardised", "limit-suppression", "term-margin"):
        assert f'id="{part}"' in shown


def test_filters_change_nothing_that_is_said(open_app: Open) -> None:
    def said(**query: str) -> list[str]:
        # The first line of a page names the selection; the answer and the parts come after it.
        return [str(block.proto.body) for block in open_app("methods.py", **query).get("html")][2:]

    assert said() == said(office="Miami", from_="2030-01-01")


def test_figures_of_other_pages_say_where_they_are_explained(open_app: Open) -> None:
    app = open_app("msc_deficiencies.py")
    links = {block.proto.url for block in app.get("link_button")}
    assert {"methods?part=many", "methods?part=shares", "methods?part=series"} <= links
    assert {link.removeprefix("methods?part=") for link in links} <= set(parts())


def test_a_part_that_is_asked_for_stands_first(open_app: Open) -> None:
    usual = list(parts().values())
    app = open_app("methods.py", part="limits")
    assert "Ignored filter" not in markup(app)
    asked = [heading.value for heading in app.header]
    assert asked == ["Limits", *(words for words in usual if words != "Limits")]
    assert [heading.value for heading in open_app("methods.py", part="nonsense").header] == usual
