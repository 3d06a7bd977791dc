"""Accessibility rules broken by each page, on a wide and a narrow screen, light and dark."""

from __future__ import annotations

import shutil

from playwright.sync_api import sync_playwright

from tests.browser.serving import serving
from tests.browser.test_pages import PAGES, SCREENS, STREAMLITS_OWN
from tests.browser.visiting import BROWSERS, FLAGS, SETTLED

PATIENCE = 300_000
"""Milliseconds for a page on a busy machine."""


def violations() -> dict[str, list[str]]:
    """Page → rules it breaks, those that Streamlit's own markup breaks left out."""
    from axe_playwright_python.sync_playwright import Axe

    path = next((there for name in BROWSERS if (there := shutil.which(name))), None)
    if path is None:
        return {"no Chromium on this machine": ["nothing was looked at"]}
    broken: dict[str, set[str]] = {page: set() for page in PAGES}
    with serving() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        for width, scheme in SCREENS:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            tab = context.new_page()
            for page in PAGES:
                tab.goto(url + page, wait_until="commit")
                tab.get_by_role("heading", level=1).wait_for(timeout=PATIENCE)
                tab.wait_for_function(SETTLED, timeout=PATIENCE)
                tab.wait_for_timeout(400)
                found = {rule["id"] for rule in Axe().run(tab).response["violations"]}
                broken[page] |= found - STREAMLITS_OWN
            context.close()
        browser.close()
    return {page: sorted(rules) for page, rules in broken.items()}
