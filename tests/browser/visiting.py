"""A real browser on the real app. Nothing is mocked, and every request is written down.

A plugin of the whole suite and no conftest of a folder: one process holds one browser, whichever tests come to it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright import sync_api as playwright_api

from tests.browser.serving import serving

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
PATIENCE = 180_000
"""Milliseconds: the first visitor of a new server on a busy machine waits."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Visit:
    """A page of the browser with what went over the wire and what it complained about."""

    page: playwright_api.Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        """Go somewhere and wait until the app has drawn it."""
        self.page.goto(address, wait_until="commit")
        self.settled()

    def settled(self) -> None:
        """Wait until the run is over, its charts are drawn and nothing moves any more."""
        self.page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE)
        self.page.wait_for_function(SETTLED, timeout=PATIENCE)
        # The address follows the last message and a chart finds its height; nothing announces either.
        self.page.wait_for_function(STILL, timeout=PATIENCE)

    @property
    def path(self) -> str:
        """Path and query of the address."""
        parts = urlsplit(self.page.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def scope(self) -> str:
        """The scope line."""
        return self.page.locator(".scope").inner_text()


SETTLED = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const stale = document.querySelector('[data-stale="true"]');
  const charts = [...document.querySelectorAll('.stVegaLiteChart')].filter(chart => chart.offsetParent);
  return app && app.dataset.testScriptState === 'notRunning' && !stale
    && charts.every(chart => chart.querySelector('svg, canvas'));
}"""
STILL = """async () => {
  const height = () => document.querySelector('[data-testid="stMain"]')?.scrollHeight;
  const before = height();
  await new Promise(later => setTimeout(later, 400));
  return height() === before;
}"""


@contextmanager
def browsing() -> Iterator[playwright_api.Browser]:
    """The browser of this machine.

    Raises
    ------
    LookupError
        When there is none.
    """
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        raise LookupError(f"no browser found (looked for {', '.join(BROWSERS)})")
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[playwright_api.Browser]:
    """The browser, or a skip that names what is missing."""
    try:
        with browsing() as browser:
            yield browser
    except LookupError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def server(chromium: playwright_api.Browser) -> Iterator[str]:
    """One server on the demo data for all tests that do not need a cold one."""
    with serving() as url:
        yield url


@pytest.fixture
def visit(chromium: playwright_api.Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A fresh visitor; parametrise indirectly with (width, colour scheme)."""
    width, scheme = getattr(request, "param", (1280, "light"))
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    seen = Visit(context.new_page())
    seen.page.on("request", lambda sent: seen.requests.append(sent.url))
    seen.page.on("console", lambda said: _complained(seen, said))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    yield seen
    context.close()


def _complained(seen: Visit, said: playwright_api.ConsoleMessage) -> None:
    if said.type in ("error", "warning"):
        where = str(said.location.get("url", ""))
        # On a deep link Streamlit looks for its server below the page's path first; the 404 is its own doing.
        if "404" in said.text and "/_stcore/" in where:
            return
        seen.complaints.append(f"{said.text} ({where})")
