"""A briefing in the browser: collected from a menu, saved, opened again, taken along as a web page that asks nothing."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from analysis.report.briefing import parsed_briefing
from tests.browser.test_own_data import choose, settled, upload, write
from tests.browser.visiting import Visit

NOTE = "What to say <b>here</b> *now*"


def downloaded(page: Page, button: str, folder: Path) -> Path:
    with page.expect_download(timeout=60_000) as given:
        page.get_by_role("button", name=button).click()
    path = folder / given.value.suggested_filename
    given.value.save_as(path)
    return path


def go_to_briefing(page: Page) -> None:
    page.get_by_role("link", name="Briefing").click()
    page.get_by_role("heading", level=1, name="Briefing").wait_for()
    settled(page)


def test_from_a_menu_to_a_file_that_asks_nothing(
    server: str, visit: Visit, chromium: Browser, tmp_path: Path
) -> None:
    page = visit.page
    visit.open(f"{server}/?office=Miami")
    for name in ("overview-months", "overview-statistics"):
        page.locator(f".st-key-actions-{name}").get_by_role("button").click()
        page.locator(f".st-key-add-{name}").get_by_role("button").click()
        page.get_by_text("in the briefing.").last.wait_for()
        page.keyboard.press("Escape")
        settled(page)
    go_to_briefing(page)
    expect(page.locator(".answer")).to_contain_text("2 figures", timeout=60_000)
    write(page, "Title of figure 1", "Miami, month by month")
    write(page, "Note on figure 1", NOTE)
    page.get_by_role("button", name="Down").first.click()
    settled(page)
    expect(page.get_by_label("Title of figure 2")).to_have_value("Miami, month by month", timeout=60_000)

    file = downloaded(page, "Save the briefing", tmp_path)
    kept = parsed_briefing(file.read_text(encoding="utf-8"))
    assert [entry.figure for entry in kept.entries] == ["overview.statistics", "overview.months"]
    assert kept.entries[1].note == NOTE and kept.entries[0].numbers
    assert all(entry.selection == {"office": ("Miami",)} for entry in kept.entries)

    # Another visitor opens what the first has saved.
    page.reload()
    settled(page)
    expect(page.locator(".answer")).to_contain_text("Nothing collected yet", timeout=60_000)
    upload(page, file)
    expect(page.locator(".answer")).to_contain_text("2 figures", timeout=60_000)
    expect(page.get_by_label("Note on figure 2")).to_have_value(NOTE, timeout=60_000)

    choose(page, "Format", "Web page")
    page.get_by_role("button", name="Make it").click()
    # Bundling the drawing library takes its time on a busy machine.
    page.get_by_role("button", name="Download Web page").wait_for(timeout=240_000)
    settled(page)
    made = downloaded(page, "Download Web page", tmp_path)
    assert visit.complaints == []
    alone(chromium, made)


def alone(chromium: Browser, file: Path) -> None:
    """Open a file with nothing but itself: what it draws, what it asks for, what it complains of."""
    context = chromium.new_context()
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    page.locator(".chart.vega-embed svg").first.wait_for()
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    assert said == []
    assert page.get_by_text(NOTE, exact=True).is_visible() and page.locator("b").count() == 0
    assert "validations per month" in (page.locator(".chart.vega-embed").get_attribute("aria-label") or "")
    captions = page.locator(".caption").all_inner_texts()
    assert len(captions) == 2 and all("SYNTHETIC" in caption for caption in captions)
    # The chart answers the pointer, and fits a narrow screen.
    page.locator(".chart.vega-embed svg path[aria-roledescription]").first.hover(force=True)
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
