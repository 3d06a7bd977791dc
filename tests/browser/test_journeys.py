"""Four people and what they came for, each on a server that has just been started."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from pptx import Presentation

from analysis import Selection, compare, open_dataset
from tests.browser.serving import ROOT, serving
from tests.browser.test_briefing import downloaded, go_to_briefing
from tests.browser.test_own_data import (
    LOOK,
    choose,
    import_and_open,
    load_inspections,
    main_text,
    press,
    settled,
)
from tests.browser.visiting import Visit
from tests.notebooks.kernels import executed

DEMO = ROOT / "data" / "demo"


@pytest.fixture
def cold(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server nobody has visited, on a copy of the demo that may be written into."""
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder)
    with serving({"CTPAT_DATASETS": str(folder)}) as url:
        yield url, folder


def test_leadership_reads_the_verdict_narrows_it_and_takes_it_along(
    cold: tuple[str, Path], visit: Visit, tmp_path: Path
) -> None:
    url, folder = cold
    page = visit.page
    visit.open(f"{url}/virtual_vs_in_person?from=2020-07-01")
    whole = page.locator(".answer").first.inner_text()
    dataset = open_dataset(folder)
    since = Selection(start=pd.Timestamp("2020-07-01").date())
    assert whole == compare(dataset, "any_must_deficiency", since).sentence.replace("**", "")

    page.get_by_role("combobox", name="Field office").click()
    page.get_by_role("option", name="Houston").click()
    page.keyboard.press("Escape")
    settled(page)
    visit.settled()
    assert "office=Houston" in page.url and "Houston" in visit.scope
    there = compare(dataset, "any_must_deficiency", Selection(offices=("Houston",), start=since.start))
    assert page.locator(".answer").first.inner_text() == there.sentence.replace("**", "") != whole

    page.locator(".st-key-actions-virtual_vs_in_person-verdict").get_by_role("button").click()
    page.locator(".st-key-add-virtual_vs_in_person-verdict").get_by_role("button").click()
    page.get_by_text("in the briefing.").last.wait_for()
    page.keyboard.press("Escape")
    go_to_briefing(page)
    choose(page, "Format", "Slides (PowerPoint)")
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("button", name="Download Slides (PowerPoint)").wait_for(timeout=240_000)
    settled(page)
    slides = Presentation(str(downloaded(page, "Download Slides (PowerPoint)", tmp_path)))
    words = "\n".join(
        shape.text_frame.text for slide in slides.slides for shape in slide.shapes if shape.has_text_frame
    )
    assert "Houston" in words and "SYNTHETIC" in words
    assert visit.complaints == []


def test_a_supervisor_goes_from_an_oddity_to_its_rows_and_leaves_a_note(
    cold: tuple[str, Path], visit: Visit
) -> None:
    url, folder = cold
    page = visit.page
    visit.open(f"{url}/anomalies")
    assert "deserve" in page.locator(".answer").first.inner_text()
    section = page.locator(".st-key-fig-anomalies-validations")
    odd = re.search(r"V\d{6}", section.inner_text())
    assert odd, "no validation is listed"
    page.get_by_role("textbox", name="Note (empty: take the note away)").fill(
        "Asked the office: a second visit was paid."
    )
    chosen = page.locator(".st-key-note-on input").first.input_value()
    press(page, "Keep the note")
    notes = page.locator(".st-key-notes")
    assert "Asked the office: a second visit was paid." in notes.inner_text()
    assert chosen.split(" ")[0] in notes.inner_text()
    kept = (folder / "notes.toml").read_text(encoding="utf-8")
    assert "a second visit was paid" in kept and chosen.split(" ")[0] in kept
    # Who comes next finds it there.
    page.reload()
    visit.settled()
    assert "a second visit was paid" in page.locator(".st-key-notes").inner_text()
    assert visit.complaints == []


def test_an_analyst_copies_the_python_and_gets_the_same_numbers(
    cold: tuple[str, Path], visit: Visit, tmp_path: Path
) -> None:
    url, folder = cold
    page = visit.page
    visit.open(f"{url}/virtual_vs_in_person?office=Miami&office=Newark")
    name = "virtual_vs_in_person-ways"
    page.locator(f".st-key-actions-{name}").get_by_role("button").click()
    shown = downloaded(page, "Download CSV", tmp_path)
    page.get_by_role("button", name="Copy as Python").click()
    code = page.locator(f".st-key-fig-{name} code").first
    code.wait_for()
    copied = code.inner_text()
    taken = tmp_path / "again.csv"
    more = f"open({str(taken)!r}, 'w', encoding='utf-8', newline='').write(made.to_csv())"
    last = copied.strip().splitlines()[-1]
    # Whoever copies it stands beside the dataset: the page tells its name, not where the server keeps it.
    there = f"import os; os.chdir({str(folder.parent)!r}); import sys; sys.path.insert(0, {str(ROOT)!r})"
    cell = "\n".join([there, copied.replace(last, f"made = {last}"), more])
    executed(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)]))
    one, other = pd.read_csv(shown, comment="#"), pd.read_csv(taken, comment="#")
    # What leaves the page hides small counts and what would give them back; the library shows them.
    told = one["estimate"].notna()
    assert told.sum() >= 7 and len(one) == len(other)
    pd.testing.assert_frame_equal(one[told], other[told].where(one.notna()), check_dtype=False)
    assert visit.complaints == []


def test_a_newcomer_brings_a_file_and_reads_an_answer(cold: tuple[str, Path], visit: Visit) -> None:
    url, _ = cold
    page = visit.page
    visit.open(url)
    page.get_by_role("link", name="Data", exact=True).click()
    page.get_by_role("heading", level=1, name="Data").wait_for()
    settled(page)
    load_inspections(page)
    page.get_by_text("Dates, lists, and what the source cannot know").click()
    choose(page, "How dates are written", "Year first: 2022-12-31")
    press(page, LOOK)
    assert "16 of 29 rows as validations" in main_text(page)
    import_and_open(page)
    page.get_by_role("link", name="Virtual vs in person").click()
    page.get_by_role("heading", level=1, name="Virtual vs in person").wait_for()
    visit.settled()
    words = main_text(page)
    assert "Inspections" in visit.scope and "SYNTHETIC" not in words
    assert "Complaint" in page.locator(".answer").first.inner_text() or "Complaint" in words
    assert visit.complaints == []
