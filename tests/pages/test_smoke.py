"""Every page runs, on every kind of selection, and says what it speaks of."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import ROOT, Open

PAGES = sorted(path.name for path in (ROOT / "pages").glob("*.py") if not path.name.startswith("_"))
every_page = pytest.mark.parametrize("page", PAGES)


def markup(app: AppTest) -> str:
    """All HTML of the page."""
    return "\n".join(str(block.proto.body) for block in app.get("html"))


@every_page
def test_a_page_runs_and_shows_its_scope(page: str, open_app: Open) -> None:
    app = open_app(page)
    assert not app.exception
    assert len(app.title) == 1
    assert 'class="scope"' in markup(app)
    assert "could not be drawn" not in markup(app)


@every_page
@pytest.mark.parametrize(
    "query",
    [
        {"office": "Miami", "mode": "in_person", "from_": "2020-07-01"},
        {"from_": "2030-01-01"},
        {"from_": "2021-01-01", "to": "2020-01-01"},
        {"from_": "2018-01-01", "to": "2018-01-02", "risk": "high", "kind": "initial"},
        {"office": "Atlantis", "mode": "telepathy", "to": "soon"},
    ],
    ids=["filtered", "after the data", "backwards", "almost nothing", "nonsense"],
)
def test_no_selection_breaks_a_page(page: str, query: dict[str, str], open_app: Open) -> None:
    app = open_app(page, **query)
    assert not app.exception
    assert "could not be drawn" not in markup(app)
    assert "nan" not in markup(app).lower().replace("finan", "").split()


def test_codes_in_the_address_become_filters(open_app: Open) -> None:
    app = open_app(None, office="Miami", mode="in_person", from_="2020-07-01")
    assert app.session_state["mode-shown"] == ["in_person"]
    assert app.session_state["office-shown"] == ["Miami"]
    assert "Jul 2020" in markup(app) and "Miami" in markup(app)


def test_what_is_not_understood_is_named_until_the_filters_change(open_app: Open) -> None:
    app = open_app(None, office="Atlantis")
    assert "Ignored filter: office Atlantis" in markup(app)


def test_reset_takes_every_filter_off(open_app: Open) -> None:
    app = open_app(None, office="Miami", mode="virtual", from_="2020-07-01")
    filtered = markup(app)
    app.button(key="reset").click().run()
    assert app.session_state["office"] == app.session_state["mode-shown"] == []
    assert markup(app) != filtered


def test_filters_stay_when_the_page_changes(open_app: Open) -> None:
    app = open_app(None, office="Miami")
    for page in PAGES:
        app.switch_page(page).run()
        assert "Miami" in markup(app)


def test_a_folder_that_is_no_dataset_is_told_in_a_sentence(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTPAT_DATASETS", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "pages" / "_shell.py"), default_timeout=300).run()
    assert not app.exception
    assert app.title[0].value == "This dataset cannot be opened"
    assert "is not a dataset" in app.markdown[0].value


def test_a_choice_of_the_page_is_kept_in_the_address_as_a_code(open_app: Open) -> None:
    app = open_app("virtual_vs_in_person.py")
    app.selectbox(key="metric-shown").set_value("any_deficiency").run()
    assert app.session_state["metric"] == "any_deficiency"
    assert not app.exception
