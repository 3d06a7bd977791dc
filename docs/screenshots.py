"""Photograph every page of the real app, wide and narrow, light and dark, into ``docs/pictures``.

``python docs/screenshots.py`` starts the app on the demo data; ``--url`` takes a running one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
PAGES = {
    "overview": "/",
    "virtual_vs_in_person": "/virtual_vs_in_person",
    "msc_deficiencies": "/msc_deficiencies",
    "incidents": "/incidents",
    "maritime": "/maritime",
    "anomalies": "/anomalies",
    "feedback": "/feedback",
    "briefing": "/briefing",
    "data": "/data",
    "methods": "/methods",
}
SCREENS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
TALLEST = 9000
"""A page longer than this (Methods is a book) is shown by its beginning."""
LONGEST_WAIT = 300_000  # milliseconds
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@contextmanager
def running_app() -> Iterator[str]:
    """Start the app on a free port; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/readyz", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()


def photograph(browser: Browser, address: str, width: int, scheme: str, target: Path) -> None:
    """One full page as a picture."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.get_by_role("heading", level=1).wait_for(timeout=LONGEST_WAIT)
    # The page scrolls inside its main column, so the window grows to hold it whole, once nothing more comes.
    height = 0
    while height < (height := _height_at_rest(page)):
        page.wait_for_timeout(2000)
    page.set_viewport_size({"width": width, "height": min(height + 20, TALLEST)})
    page.wait_for_timeout(1500)
    page.screenshot(path=target)
    context.close()
    # Flat colours: a palette shows the same in a third of the size.
    Image.open(target).quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


def _height_at_rest(page: Page) -> int:
    page.wait_for_function(
        "() => document.querySelector('.stApp').dataset.testScriptState === 'notRunning'",
        timeout=LONGEST_WAIT,
    )
    return int(page.locator(".stMainBlockContainer").evaluate("node => Math.ceil(node.scrollHeight)"))


def main() -> None:
    """Photograph all pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--url", help="a running app; by default one is started")
    parser.add_argument("--query", default="", help="filters, e.g. office=Miami")
    parser.add_argument("--to", type=Path, default=PICTURES)
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    if options.url:
        _photograph_all(options.url, options.query, options.to)
    else:
        with running_app() as url:
            _photograph_all(url, options.query, options.to)


def _photograph_all(url: str, query: str, to: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, path in PAGES.items():
            for width, scheme in SCREENS:
                target = to / f"{name}-{width}-{scheme}.png"
                photograph(browser, f"{url}{path}{'?' + query if query else ''}", width, scheme, target)
                print(target)
        browser.close()


if __name__ == "__main__":
    main()
