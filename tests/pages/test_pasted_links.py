"""A pasted link opens any page with its filters, in a new session and in one that was elsewhere before."""

from __future__ import annotations

from html import unescape

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui.page import LAST_VALIDATION
from tests.pages.conftest import ROOT, Open

PAGES = sorted(path.name for path in (ROOT / "pages").glob("*.py") if not path.name.startswith("_"))
LINK: dict[str, str | list[str]] = {
    "office": ["Atlantis", "Miami"], "mode": "in_person", "from_": "2020-07-01", "to": "2021-06-30", "small": "hidden",
}  # fmt: skip
OF_INCIDENTS = ("incidents.py", "maritime.py")


def markup(app: AppTest) -> str:
    """All HTML of the page."""
    return unescape("\n".join(str(block.proto.body) for block in app.get("html")))


def scope(app: AppTest) -> str:
    """The line that says what the page speaks of."""
    return next(body for block in app.get("html") if 'class="scope"' in (body := str(block.proto.body)))


def applied(app: AppTest) -> None:
    """The filters of the link are set, in the address's widgets and in those that people see, and the page says so."""
    state = app.session_state
    assert state["office"] == state["office-shown"] == ["Miami"]
    assert state["mode"] == state["mode-shown"] == ["in_person"]
    assert [day.isoformat() for day in (state["from"], state["to"])] == ["2020-07-01", "2021-06-30"]
    assert state["small"] == ["hidden"] and state["small-shown"] is True
    for words in ("Jul 2020", "Jun 2021", "Miami", "In person", "counts of 1 to 4 hidden"):
        assert words in scope(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_link_opens_every_page_cold_and_warm(page: str, open_app: Open) -> None:
    app = open_app(page, **LINK)
    assert not app.exception and "could not be drawn" not in markup(app)
    applied(app)
    assert "Ignored filter: office Atlantis" in markup(app)
    told = LAST_VALIDATION.split(".")[1].split("**")[0].strip()
    assert (told in markup(app)) == (page in OF_INCIDENTS)
    # From there to the smallest page and back: the filters came along, and are no others.
    app.switch_page("methods.py").run()
    applied(app)
    before = markup(app)
    app.switch_page(page).run()
    applied(app)
    assert not app.exception and (page == "methods.py" or markup(app) != before)


def test_counts_are_hidden_by_the_switch_and_stay_hidden(open_app: Open) -> None:
    app = open_app("data.py", office="Buffalo")
    assert "counts of 1 to 4 hidden" not in scope(app)
    before = markup(app)
    app.toggle(key="small-shown").set_value(True).run()
    assert app.session_state["small"] == ["hidden"]
    assert "counts of 1 to 4 hidden" in scope(app) and "Counts of 1 to 4 are not shown" in markup(app)
    assert markup(app) != before
    # The reset takes filters off; what others may see of the screen is another matter.
    app.button(key="reset").click().run()
    assert app.session_state["office"] == [] and app.session_state["small"] == ["hidden"]
    app.switch_page("methods.py").run()
    assert "counts of 1 to 4 hidden" in scope(app)
    app.toggle(key="small-shown").set_value(False).run()
    assert app.session_state["small"] == [] and "counts of 1 to 4 hidden" not in scope(app)


def test_what_a_link_asks_for_in_vain_is_named(open_app: Open) -> None:
    app = open_app("data.py", office=["Atlantis", "Miami"], mode="telepathy", to="soon", small="some")
    assert "Ignored filters: office Atlantis, mode telepathy, to soon and small some" in markup(app)
    assert "Miami" in scope(app) and app.session_state["mode"] == app.session_state["small"] == []
    assert "counts of 1 to 4 hidden" not in scope(app)
