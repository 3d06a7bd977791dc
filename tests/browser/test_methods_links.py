"""From a figure to the part of Methods that explains it, in a tab of its own; and from the contents to the parts."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.visiting import Visit


def test_how_this_is_made_opens_methods_with_its_part_first(server: str, visit: Visit) -> None:
    visit.open(f"{server}/msc_deficiencies?office=Miami")
    visit.page.locator(".st-key-actions-msc_deficiencies-criteria").get_by_role("button").click()
    with visit.page.context.expect_page() as opened:
        visit.page.get_by_role("link", name="How this is made").click()
    tab = opened.value
    assert tab.url.endswith("/methods?part=many")
    heading = tab.get_by_role("heading", level=2, name="Many at once")
    tab.locator("#term-differencing").wait_for(state="attached", timeout=60_000)
    # Everything is drawn, and the part asked for is in sight.
    expect(heading).to_be_in_viewport()
    # The page it came from is left as it was.
    assert visit.page.url.endswith("/msc_deficiencies?office=Miami")


def test_contents_lead_to_the_parts_of_the_page(server: str, visit: Visit) -> None:
    visit.open(f"{server}/methods")
    contents = visit.page.get_by_role("navigation", name="On this page")
    visit.page.locator("#term-differencing").wait_for(state="attached", timeout=60_000)
    contents.get_by_role("link", name="Glossary").click()
    expect(visit.page.get_by_role("heading", level=2, name="Glossary")).to_be_in_viewport()
    assert visit.page.url.endswith("/methods#glossary")
