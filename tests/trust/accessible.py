"""Accessibility rules broken by each page: on a wide and a narrow screen, light and dark, in every state."""

from __future__ import annotations

from collections.abc import Iterator

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.serving import serving
from tests.browser.test_pages import PAGES, SCREENS, STREAMLITS_OWN
from tests.browser.visiting import SETTLED, browsing

PATIENCE = 300_000
"""Milliseconds for a page on a busy machine."""

NOTHING = "?from=2030-01-01"
"""A period without a record."""


def violations() -> dict[str, list[str]]:
    """Page → the rules it breaks and in which state, those that Streamlit's own markup breaks left out."""
    broken: dict[str, set[str]] = {page: set() for page in PAGES}
    with serving() as url, browsing() as browser:
        for width, scheme in SCREENS:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            tab = context.new_page()
            for page in PAGES:
                for state in _states(tab, url + page):
                    found = {rule["id"] for rule in Axe().run(tab).response["violations"]} - STREAMLITS_OWN
                    broken[page] |= {f"{rule} ({state}, {width} px, {scheme})" for rule in found}
            context.close()
    return {page: sorted(rules) for page, rules in broken.items()}


def _states(tab: Page, address: str) -> Iterator[str]:
    """Bring a page into each of its states: as it opens, all unfolded, with a figure's menu open, nothing to show."""
    _open(tab, address)
    yield "as it opens"
    # On a narrow screen the sidebar with its own folds is away.
    for fold in tab.get_by_test_id("stMain").get_by_test_id("stExpander").locator("summary").all():
        if fold.locator("xpath=..").get_attribute("open") is None:
            fold.click()
    _still(tab)
    yield "unfolded"
    menu = tab.get_by_role("button", name="Actions").first
    if menu.count():
        menu.click()
        tab.get_by_test_id("stPopoverBody").wait_for(timeout=PATIENCE)
        _still(tab)
        yield "a menu open"
    _open(tab, address + NOTHING)
    yield "nothing to show"


def _open(tab: Page, address: str) -> None:
    tab.goto(address, wait_until="commit")
    tab.get_by_role("heading", level=1).wait_for(timeout=PATIENCE)
    _still(tab)


def _still(tab: Page) -> None:
    tab.wait_for_function(SETTLED, timeout=PATIENCE)
    tab.wait_for_timeout(400)
