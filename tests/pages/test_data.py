"""The Data page: from files to an open dataset, and back to what was open when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import read_mapping
from tests.pages.conftest import ROOT, Open
from tests.pages.test_smoke import PAGES, markup

INSPECTIONS = ROOT / "tests" / "data" / "inspections.csv"
SEIZURES = [ROOT / "tests" / "data" / f"seizures_{years}.csv" for years in ("fy20_fy21", "fy21_fy22")]
OSHA = ROOT / "data" / "mappings" / "osha_prisons.toml"


def uploaded(app: AppTest, *files: Path) -> AppTest:
    app.file_uploader(key="own-files").set_value(
        [(path.name, path.read_bytes(), "text/csv") for path in files]
    )
    app.run()
    assert not app.exception
    return app


def pressed(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def test_what_is_loaded_is_said(open_app: Open) -> None:
    shown = markup(open_app("data.py"))
    assert "Synthetic CTPAT demo" in shown and "Fingerprint" in shown and "Illustrative" in shown
    assert "No row was rejected." in shown


def test_files_become_a_dataset_of_this_session(open_app: Open) -> None:
    app = uploaded(open_app("data.py", office="Miami"), *SEIZURES)
    app.text_input(key="own-1-name").set_value("Seizures 2020–22").run()
    pressed(app, "own-preview-button")
    assert "superseded by seizures_fy21_fy22.csv" in markup(app)
    pressed(app, "own-import")
    shown = markup(app)
    assert "is loaded, for this session only" in shown and "SYNTHETIC" not in shown
    box = app.selectbox(key="dataset")
    assert box.value == "seizures-2020-22" and box.options == ["demo", "seizures-2020-22"]
    # Filters of the dataset before do not reach into this one.
    assert app.session_state["office"] == [] and "Oct 2019" in shown
    for page in PAGES:
        app.switch_page(page).run()
        assert not app.exception and "could not be drawn" not in markup(app)
    box = app.selectbox(key="dataset").set_value("demo")
    box.run()
    assert "SYNTHETIC" in markup(app) and not app.exception


def test_a_mapping_is_edited_and_its_arms_are_named(open_app: Open) -> None:
    app = uploaded(open_app("data.py"), INSPECTIONS)
    app.selectbox(key="own-1-mode-insp_type-B").set_value("virtual")
    app.selectbox(key="own-1-mode-insp_type-H").set_value("in_person")
    app.text_input(key="own-1-arm-virtual").set_value("Complaint")
    app.text_input(key="own-1-arm-in-person").set_value("Planned").run()
    pressed(app, "own-preview-button")
    assert "01/02/2013 is 1 February 2013 or 2 January 2013" in markup(app)
    app.selectbox(key="own-1-dates").set_value("Year first: 2022-12-31").run()
    pressed(app, "own-preview-button")
    pressed(app, "own-import")
    app.switch_page("virtual_vs_in_person.py").run()
    assert "Complaint" in markup(app) and "Planned" in markup(app)


def test_a_mapping_somebody_has_is_taken_as_text(open_app: Open) -> None:
    app = uploaded(open_app("data.py"), INSPECTIONS)
    app.text_area[0].set_value(OSHA.read_text(encoding="utf-8"))
    pressed(app, "own-use-text")
    assert app.text_input(key="own-2-arm-virtual").value == "Complaint"
    pressed(app, "own-preview-button")
    assert "16 of 29 rows as validations" in markup(app)
    app.text_area[0].set_value("tables = 3")
    pressed(app, "own-use-text")
    assert "This mapping cannot be used." in markup(app)


def test_a_change_after_the_look_wants_another_look(open_app: Open) -> None:
    app = uploaded(open_app("data.py"), SEIZURES[0])
    pressed(app, "own-preview-button")
    assert app.button(key="own-import")
    app.text_input(key="own-1-name").set_value("Another name").run()
    assert "look again before importing" in markup(app)
    assert "own-import" not in {button.key for button in app.button}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.xlsx", b"no workbook", "x.xlsx is no Excel workbook"),
        ("x.csv", b"just words\n", "x.csv is not a table"),
        ("x.csv", b"", "x.csv is empty"),
        ("x.parquet", b"PAR1", "x.parquet is damaged or no Parquet file"),
        ("../../x.csv", b"just words\n", "x.csv is not a table"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_the_dataset_stays(
    name: str, content: bytes, says: str, open_app: Open
) -> None:
    app = open_app("data.py")
    app.file_uploader(key="own-files").set_value([(name, content, "text/csv")])
    app.run()
    shown = markup(app)
    assert not app.exception
    assert (
        "These files cannot be read." in shown and says in shown and "validation-analysis-own-" not in shown
    )
    assert "Synthetic CTPAT demo" in shown


def test_the_import_of_nothing_usable_is_told(open_app: Open, tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("validation_id,member_id,field_office,mode,conducted_on\n1,A,Miami,virtual,soon\n")
    app = uploaded(open_app("data.py"), path)
    pressed(app, "own-preview-button")
    shown = markup(app)
    assert "no row is usable" in shown and "visits.csv" in shown and str(tmp_path) not in shown


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_incidents_alone(
    page: str, open_app: Open, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path_factory.mktemp("seizures") / "seizures"
    import_dataset(SEIZURES, read_mapping(ROOT / "data" / "mappings" / "cbp_drugs.toml"), out)
    opened = open_app
    monkeypatch.setenv("CTPAT_DATASETS", str(out))
    app = AppTest.from_file(str(ROOT / "pages" / "_shell.py"), default_timeout=300).run()
    app.switch_page(page).run()
    assert opened and not app.exception
    assert "could not be drawn" not in markup(app)
    assert "nan" not in markup(app).lower().replace("finan", "").split()
