"""The page Anomalies: what the command prints, plain pandas' numbers, nobody's name, and notes that are the user's own."""

from __future__ import annotations

import hashlib
import html
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from analysis.cli import main
from analysis.datasets.demo.making import make_demo
from analysis.datasets.notes import NOTES, read_notes
from tests.pages.conftest import ROOT, Open
from tests.pages.test_smoke import markup

PLANT = '[plant]\nunder_recording_office = "Houston"\ncopying_specialist = "S020"\nimpossible_dates = 6\ncloned_seals = 8\n'
NAMED = re.compile(r"\bS\d{3}\b|\bM\d{5}\b")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("datasets")
    (place / "plant.toml").write_text(PLANT, encoding="utf-8")
    make_demo(place / "planted", seed=3, validations=3_000, effects=place / "plant.toml")
    return place / "planted"


@pytest.fixture
def opened(folder: Path, open_app: Open, monkeypatch: pytest.MonkeyPatch) -> Open:
    def at(**query: str | list[str]) -> AppTest:
        monkeypatch.setenv("CTPAT_DATASETS", str(folder))
        return open_app("anomalies.py", **query)

    return at


def plain(app: AppTest) -> str:
    return html.unescape(re.sub(r"</?strong>", "", markup(app)))


def contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize(
    "query", [{}, {"office": "Miami", "from_": "2020-07-01", "mode": "virtual"}], ids=["all", "filtered"]
)
def test_the_page_shows_what_the_command_prints(
    query: dict[str, str], folder: Path, opened: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(folder)
    app = opened(**query)
    assert not app.exception
    shown = plain(app)
    options = [part for name, value in query.items() for part in (f"--{name.rstrip('_')}", value)]
    assert main(["anomalies", str(folder), *options, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["sentence"].replace("**", "") in shown
    for row in answer["rows"]:
        if row["what"] == "validation" and "copied_answers" not in row["reasons"]:
            assert row["validation_id"] in shown and row["words"] in shown
    assert "could not be drawn" not in shown and not NAMED.search(shown)
    # Opening a page writes nothing.
    assert contents(folder) == before


def test_numbers_are_those_of_plain_pandas(folder: Path, opened: Open) -> None:
    shown = plain(opened(office="Buffalo", from_="2021-01-01"))
    rows = pd.read_parquet(folder / "source" / "validations.parquet")
    rows = rows[(rows["field_office"] == "Buffalo") & (pd.to_datetime(rows["conducted_on"]) >= "2021-01-01")]
    assert f"of {len(rows):,} validations" in shown
    virtual = rows[rows["mode"] == "virtual"]
    lost = int((virtual["minutes_lost"] > 0).sum())
    assert f"{lost:,} of {len(virtual):,}. n = {len(virtual):,} virtual validations" in shown


def test_planted_oddities_stand_on_the_page(opened: Open) -> None:
    shown = plain(opened())
    assert "Houston lies below what its case mix leads to expect" in shown
    assert re.search(r"S-\d\d: \d+ validations repeat the same answers at other members", shown)
    assert "Conducted on Sunday" in shown and "before its last correction" in shown
    assert re.search(r"incidents at Terminal \d\d in \w+ \d{4} had a cloned seal", shown)


def test_what_is_compared_is_a_choice_in_the_address(opened: Open) -> None:
    app = opened(compare="deficiency_rate", technology="tour")
    assert not app.exception
    assert app.session_state["compare-shown"] == "deficiency_rate"
    assert "Deficiencies per 100 criteria assessed, adjusted for case mix, by field office" in plain(app)
    assert "by way of showing the site" in plain(app)


def test_a_note_is_kept_in_the_folder_and_shown_as_text(folder: Path, opened: Open) -> None:
    app = opened()
    assert f"Notes are kept in the file {NOTES} in the dataset's folder" in plain(app)
    chosen = app.selectbox(key="note-on").options[1]
    app.selectbox(key="note-on").set_value(chosen)
    app.text_area(key="note-text").set_value("Asked <b>the office</b>.")
    app.button[[b.label for b in app.button].index("Keep the note")].click().run()
    assert not app.exception
    assert [note.text for note in read_notes(folder).values()] == ["Asked <b>the office</b>."]
    assert "Asked &lt;b&gt;the office&lt;/b&gt;." in markup(app)
    # Another session sees it; an empty text takes it away.
    again = opened()
    assert "Asked &lt;b&gt;the office&lt;/b&gt;." in markup(again)
    again.selectbox(key="note-on").set_value(chosen)
    again.text_area(key="note-text").set_value("")
    again.button[[b.label for b in again.button].index("Keep the note")].click().run()
    assert read_notes(folder) == {}
    (folder / NOTES).unlink()


def test_without_a_writable_folder_notes_stay_in_the_session(
    folder: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages._ui.notes.can_keep", lambda folder: False)
    app = opened()
    assert "notes are kept in this session only" in plain(app)
    app.text_area(key="note-text").set_value("Only here.")
    app.button[[b.label for b in app.button].index("Keep the note")].click().run()
    assert "Only here." in plain(app) and not (folder / NOTES).exists()
    assert "Only here." not in plain(opened())


def test_a_damaged_file_of_notes_is_said(folder: Path, opened: Open) -> None:
    (folder / NOTES).write_text("[note", encoding="utf-8")
    try:
        app = opened()
        assert not app.exception
        assert "notes.toml is damaged" in plain(app)
        assert "Keep the note" not in [button.label for button in app.button]
    finally:
        (folder / NOTES).unlink()


def test_the_shipped_demo_opens(open_app: Open) -> None:
    app = open_app("anomalies.py")
    assert not app.exception and not (ROOT / "data" / "demo" / NOTES).exists()
    assert "9,000 validations" in plain(app)
