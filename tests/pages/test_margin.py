"""A reader moves the margin: it stands in the address, both margins are told, and there is a way back."""

from __future__ import annotations

from tests.pages.conftest import Open
from tests.pages.test_smoke import markup

PAGE = "virtual_vs_in_person.py"


def test_a_margin_in_the_address_is_the_readers_own_and_can_be_taken_back(open_app: Open) -> None:
    app = open_app(PAGE, margin="0.08")
    assert not app.exception
    shown = markup(app)
    assert "moved 8-point margin" in shown and "illustrative 5-point margin" in shown
    assert app.select_slider(key="margin-shown").value == "0.08"
    app.button(key="margin-reset").click().run()
    assert app.session_state["margin"] == "" and "moved" not in markup(app)
    app.select_slider(key="margin-shown").set_value("0.06").run()
    assert app.session_state["margin"] == "0.06" and "moved 6-point margin" in markup(app)
    # Six points are the margin of this metric itself: another metric has another margin.
    app.selectbox(key="metric-shown").set_value("any_deficiency").run()
    assert app.session_state["margin"] == "" and "moved" not in markup(app) and not app.exception


def test_a_margin_that_is_none_is_not_taken(open_app: Open) -> None:
    app = open_app(PAGE, margin="much")
    assert not app.exception and app.session_state["margin"] == ""
