"""The page Briefing: collect, order, retitle, note, take out, save, open again on newer data, take along."""

from __future__ import annotations

import io
import json

import openpyxl
import pytest
from pptx import Presentation
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from analysis.datasets.opening import Dataset
from analysis.report.briefing import Briefing, Entry
from analysis.report.content import content_of, saved
from tests.pages.conftest import Open
from tests.pages.test_smoke import markup

PAGE = "briefing.py"
HOSTILE = "=1+1 <b>bold</b> *star* $x$ #show <script>alert(1)</script>"


def collected(app: AppTest) -> Briefing:
    kept: Briefing = app.session_state["briefing"]
    return kept


def figures(app: AppTest) -> list[str]:
    return [entry.figure for entry in collected(app).entries]


def opened(app: AppTest, text: str) -> AppTest:
    app.file_uploader(key="briefing-file").set_value(
        ("b.toml", text.encode("utf-8"), "application/toml")
    ).run()
    assert not app.exception
    return app


@pytest.fixture
def with_three(open_app: Open) -> AppTest:
    """Three figures added from the menus of their pages, under the filters of the address."""
    app = open_app("overview.py", office="Miami", from_="2020-07-01")
    for name in ("overview-months", "overview-statistics"):
        app.button(key=f"add-{name}").click().run()
    app.switch_page("data.py").run()
    app.button(key="add-data-loaded").click().run()
    return app.switch_page(PAGE).run()


def test_a_page_without_figures_says_what_to_do(open_app: Open) -> None:
    app = open_app(PAGE, from_="2022-07-01", office="Miami")
    assert "Nothing collected yet" in markup(app)
    app.button(key="use-template").click().run()
    assert not app.exception and len(collected(app).entries) >= 5


def test_figures_are_collected_as_they_are_and_put_in_order(with_three: AppTest) -> None:
    app = with_three
    assert figures(app) == ["overview.months", "overview.statistics", "data.loaded"]
    assert all(
        entry.selection == {"office": ("Miami",), "from": ("2020-07-01",)} for entry in collected(app).entries
    )
    assert "3 figures" in markup(app).replace("<strong>", "").replace("</strong>", "")
    app.button(key="up-2").click().run()
    app.button(key="down-0").click().run()
    assert figures(app) == ["data.loaded", "overview.months", "overview.statistics"]
    assert app.button(key="up-0").disabled and app.button(key="down-2").disabled
    # What is written belongs to the figure, not to the place.
    app.text_input(key="entry-title-1").set_value("Month by month").run()
    app.text_area(key="entry-note-1").set_value(HOSTILE).run()
    app.button(key="up-1").click().run()
    first = collected(app).entries[0]
    assert (first.figure, first.title, first.note) == ("overview.months", "Month by month", HOSTILE)
    assert app.text_input(key="entry-title-0").value == "Month by month"
    assert app.text_input(key="entry-title-1").value == ""
    app.button(key="remove-1").click().run()
    assert figures(app) == ["overview.months", "overview.statistics"]
    app.text_input(key="briefing-title").set_value("For the director").run()
    assert collected(app).title == "For the director"
    assert app.download_button(key="save-briefing") and not app.exception


@pytest.mark.parametrize("suffix", [".pptx", ".pdf", ".html", ".xlsx", ".ipynb"])
def test_every_format_is_made_on_the_page(suffix: str, open_app: Open) -> None:
    app = open_app(PAGE)
    opened(app, Briefing("T", (Entry("overview.statistics", title=HOSTILE, note=HOSTILE),)).to_toml())
    app.selectbox(key="briefing-format").set_value(suffix).run()
    app.button(key="make-briefing").click().run()
    assert not app.exception
    assert app.download_button(key="take-briefing")
    _, made = app.session_state["briefing-made"]
    texts = {
        ".pptx": lambda: " ".join(s.text_frame.text for slide in Presentation(io.BytesIO(made)).slides
                                  for s in slide.shapes if s.has_text_frame),
        ".pdf": lambda: "".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages),
        ".html": lambda: made.decode("utf-8"),
        ".xlsx": lambda: " ".join(str(c.value) for page in openpyxl.load_workbook(io.BytesIO(made))
                                  for row in page.iter_rows() for c in row),
        ".ipynb": lambda: "".join("".join(cell["source"]) for cell in json.loads(made)["cells"]),
    }  # fmt: skip
    assert "SYNTHETIC" in texts[suffix]()
    assert suffix != ".html" or "<script>alert" not in texts[suffix]()
    # What was made is of this briefing: with another one it is offered no more.
    app.checkbox(key="briefing-suppress").uncheck().run()
    assert "take-briefing" not in [button.key for button in app.download_button]


def test_on_other_data_it_says_what_changed_and_what_is_gone(
    open_app: Open, demo: Dataset, small_demo: Dataset
) -> None:
    briefing = Briefing("T", (Entry("overview.statistics"),))
    kept = saved(briefing, content_of(briefing, small_demo), small_demo)
    text = kept.with_entry(Entry("overview.vanished")).with_entry(
        Entry("overview.months", selection={"office": ("Atlantis", "Miami")})
    ).to_toml()  # fmt: skip
    app = opened(open_app(PAGE), text)
    shown = markup(app).replace("<strong>", "").replace("</strong>", "")
    assert "saved on other data" in shown and "What changed since it was saved" in shown
    assert "600" in shown and "9,000" in shown and "beyond noise" in shown
    assert "overview.vanished was left out" in shown and "office Atlantis" in shown
    assert [heading.value for heading in app.header] == [
        "Figures",
        "What changed since it was saved",
        "Take it along",
    ]


def test_on_the_same_data_nothing_changed(open_app: Open, demo: Dataset) -> None:
    briefing = Briefing("T", (Entry("overview.statistics"),))
    app = opened(open_app(PAGE), saved(briefing, content_of(briefing, demo), demo).to_toml())
    assert "other data" not in markup(app) and "ready to be ordered" in markup(app)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no toml", "is not valid TOML"),
        ("title = 'T'\n[[figures]]\nid = 'overview.vanished'", "none of its 1 figures can be made"),
        ("title = 'T'\n[[figures]]\nid = 'overview.months'\nsettings = {key = 'x'}", "'key' is no setting"),
        ("title = 'T'\n[[figures]]\nid = 'virtual_vs_in_person.ways'\nsettings = {metric = 3}", "ways was left out"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_use_is_told_in_a_sentence(text: str, said: str, open_app: Open) -> None:
    app = opened(open_app(PAGE), text)
    assert said in markup(app).replace("&#x27;", "'").replace("&#39;", "'")
