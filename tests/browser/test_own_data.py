"""Load your own in the browser: upload, edit, look, import, read; a broken file; two people side by side."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page

from tests.browser.test_pages import STREAMLITS_OWN
from tests.browser.visiting import SETTLED, Visit

ROOT = Path(__file__).resolve().parents[2]
INSPECTIONS = ROOT / "tests" / "data" / "inspections.csv"
SEIZURES = ROOT / "tests" / "data" / "seizures_fy20_fy21.csv"
LOOK = "See what would happen"


def settled(page: Page) -> None:
    page.wait_for_timeout(200)
    page.wait_for_function(SETTLED, timeout=60_000)
    page.wait_for_timeout(400)


def upload(page: Page, *files: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(list(files))
    page.wait_for_timeout(500)
    settled(page)


def choose(page: Page, label: str, option: str) -> None:
    box = open_choice(page, label)
    page.get_by_role("option", name=option, exact=True).click()
    settled(page)
    assert box.input_value().startswith(option)


def open_choice(page: Page, label: str) -> Locator:
    """Open a list of options; a run that ends meanwhile closes it, so it may take another go."""
    box = page.get_by_role("combobox", name=label)
    for _ in range(20):
        box.focus()
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(500)
        if box.get_attribute("aria-expanded") == "true":
            return box
        settled(page)
    raise AssertionError(f"{label} does not open")


def write(page: Page, label: str, words: str) -> None:
    page.get_by_label(label).fill(words)
    page.keyboard.press("Tab")
    settled(page)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    page.wait_for_timeout(300)
    settled(page)


def import_and_open(page: Page) -> None:
    press(page, "Import and open")
    page.get_by_text("is loaded, for this session only").wait_for(timeout=60_000)
    settled(page)


def main_text(page: Page) -> str:
    return page.get_by_test_id("stMain").inner_text()


def load_inspections(page: Page, source: Path = INSPECTIONS) -> None:
    """As a person does it who knows that B is a complaint and H is planned."""
    upload(page, source)
    write(page, "Name of the dataset", "Inspections")
    choose(page, "“B” means", "Virtual")
    choose(page, "“H” means", "In person")
    write(page, "Name of the virtual arm", "Complaint")
    write(page, "Name of the in-person arm", "Planned")


def test_inspections_are_uploaded_mapped_looked_at_imported_and_read(server: str, visit: Visit) -> None:
    page = visit.page
    visit.open(f"{server}/data")
    load_inspections(page)
    press(page, LOOK)
    # One date of the file can be read two ways, and the others tell nothing.
    state = page.locator(".state").last.inner_text()
    assert "01/02/2013 is 1 February 2013 or 2 January 2013" in state and "unchanged" in state
    page.get_by_text("Dates, lists, and what the source cannot know").click()
    choose(page, "How dates are written", "Year first: 2022-12-31")
    press(page, LOOK)
    assert "16 of 29 rows as validations" in main_text(page)
    assert "is not a date in the expected form" in main_text(page)
    import_and_open(page)
    assert visit.path == "/data?dataset=inspections"
    assert "INSPECTIONS" in visit.scope.upper() and "SYNTHETIC" not in visit.scope
    page.get_by_role("link", name="Virtual vs in person").click()
    page.get_by_role("heading", level=1, name="Virtual vs in person").wait_for()
    settled(page)
    words = main_text(page)
    assert "Complaint" in words and "Planned" in words and "Synthetic" not in words
    assert visit.complaints == []


def test_a_broken_file_is_told_and_changes_nothing(server: str, visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    visit.open(f"{server}/data")
    scope = visit.scope
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK and nothing else")
    upload(page, broken)
    words = page.locator(".state").last.inner_text()
    assert "These files cannot be read." in words
    assert "broken.xlsx is no Excel workbook, or is damaged: save it again" in words
    assert str(tmp_path) not in words and re.search(r"/\w+/\w+", words) is None
    assert visit.scope == scope
    assert page.get_by_role("button", name=LOOK).count() == 0


def test_two_people_never_see_each_others_rows(server: str, chromium: Browser) -> None:
    contexts = [chromium.new_context(viewport={"width": 1280, "height": 900}) for _ in range(2)]
    one, other = (context.new_page() for context in contexts)
    try:
        for page in (one, other):
            page.goto(f"{server}/data", wait_until="commit")
            page.get_by_role("heading", level=1).wait_for(timeout=60_000)
            settled(page)
        upload(other, SEIZURES)
        write(other, "Name of the dataset", "Seizures")
        press(other, LOOK)
        import_and_open(other)
        load_inspections(one)
        one.get_by_text("Dates, lists, and what the source cannot know").click()
        choose(one, "How dates are written", "Year first: 2022-12-31")
        press(one, LOOK)
        import_and_open(one)
        assert "LAREDO" not in main_text(one) and "950611" in main_text_of_grid(one)
        assert "950611" not in main_text_of_grid(other)
        for page, own, foreign in ((one, "inspections", "seizures"), (other, "seizures", "inspections")):
            open_choice(page, "Dataset")
            names = page.get_by_role("option").all_inner_texts()
            assert own in names and foreign not in names
            page.keyboard.press("Escape")
            # Knowing the other's address does not help.
            page.goto(f"{server}/data?dataset={foreign}", wait_until="commit")
            page.get_by_role("heading", level=1).wait_for(timeout=60_000)
            settled(page)
            assert "SYNTHETIC" in page.locator(".scope").inner_text()
    finally:
        for context in contexts:
            context.close()


def main_text_of_grid(page: Page) -> str:
    return page.locator(".st-key-fig-data-completeness").inner_text()


@pytest.fixture
def osha(shared_folder: Path) -> Iterator[tuple[Path, Path]]:
    yield (
        shared_folder / "realdata" / "osha_prisons" / "CA_prison_insp_viol_2010_op.csv",
        ROOT / "data" / "mappings" / "osha_prisons.toml",
    )


def test_real_inspections_with_a_mapping_somebody_has(
    server: str, visit: Visit, osha: tuple[Path, Path]
) -> None:
    page = visit.page
    visit.open(f"{server}/data")
    upload(page, osha[0])
    page.locator("input[type=file]").nth(1).set_input_files(osha[1])
    page.wait_for_timeout(500)
    settled(page)
    press(page, LOOK)
    words = main_text(page)
    assert "582 of 1,093 rows as validations and 733 of 1,093 rows as findings" in words
    import_and_open(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download this dataset").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        names = archive.namelist()
    assert all(name.startswith("osha-inspections-of-california-prisons/") for name in names)
    assert any(name.endswith("/dataset.toml") for name in names)
    page.get_by_role("link", name="Virtual vs in person").click()
    page.get_by_role("heading", level=1, name="Virtual vs in person").wait_for()
    settled(page)
    assert "Complaint" in main_text(page) and "Planned" in main_text(page)


@pytest.mark.parametrize("visit", [(1280, "light"), (390, "dark")], indirect=True, ids=["wide", "narrow"])
def test_the_form_is_accessible_and_narrow_enough(server: str, visit: Visit) -> None:
    visit.open(f"{server}/data")
    upload(visit.page, SEIZURES)
    press(visit.page, LOOK)
    visit.page.get_by_role("button", name="Import and open").wait_for(timeout=60_000)
    main = visit.page.get_by_test_id("stMain")
    assert main.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    broken = {
        rule["id"]: [node["html"][:160] for node in rule["nodes"][:3]]
        for rule in Axe().run(visit.page).response["violations"]
    }
    assert {rule: nodes for rule, nodes in broken.items() if rule not in STREAMLITS_OWN} == {}
