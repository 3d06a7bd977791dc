"""In a real browser: from a changed filter to the complete page, and from a cold start to the first page."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
OURS, ONE_CHART, CONSTANT = "app.py", "tests/bench/one_chart.py", "tests.bench.constant_data:app"
PAGES = {"overview": "/", "msc_deficiencies": "/msc_deficiencies", "incidents": "/incidents"}
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 300.0
CHART = '[data-testid="stVegaLiteChart"] :is(svg, canvas)'

COMPLETE = """said => {
  const app = document.querySelector('[data-testid="stApp"]');
  const scope = document.querySelector('.scope');
  const stale = document.querySelector('[data-stale="true"]');
  return app && app.dataset.testScriptState === 'notRunning' && !stale && (!said || (scope && said.split('|').every(
    each => each[0] === '-' ? !scope.innerText.includes(each.slice(1)) : scope.innerText.includes(each))));
}"""


def filter_changes(folder: Path, rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Each page with each office chosen and taken away again, computed; then the same, from answers that are held.

    The second time nothing is counted and nothing computed: the same page draws the same pictures from constant data.
    Then once more on a server as it is used, which holds the pictures too.

    Returns
    -------
    dict
        Page → median seconds ``computed_s``, ``constant_s`` and ``held_s``, and the most bytes that one change sent.
    """
    from analysis.datasets.opening import open_dataset

    dataset = open_dataset(folder)
    offices = [dataset.label("field_office", office) for office in dataset.present("field_office")][:rounds]
    out: dict[str, Any] = {}
    with _chromium() as browser:
        for script, passes in ((CONSTANT, ("computed", "constant")), (OURS, ("", "held"))):
            with _server(script, {"CTPAT_DATASETS": str(folder)}) as (url, _):
                _answers(f"{url}/readyz")
                for name, path in PAGES.items():
                    tell(f"  {name}, {' and '.join(filter(None, passes))}")
                    seconds, most = _one_page(browser, url + path, offices, passes)
                    row = out.setdefault(name, {"most_bytes": 0, "rounds": len(offices)})
                    row |= {f"{one}_s": statistics.median(each) for one, each in seconds.items() if one}
                    row["most_bytes"] = max(most, row["most_bytes"])
    return out


def cold_starts(rounds: int, tell: Callable[[str], None], datasets: str = "") -> dict[str, Any]:
    """Seconds from starting a server to its first page complete: ours, and the one-chart app's, in turns."""
    taken: dict[str, list[tuple[float, float]]] = {OURS: [], ONE_CHART: []}
    with _chromium() as browser:
        for turn in range(rounds):
            tell(f"  round {turn + 1} of {rounds}")
            for script in list(taken)[:: 1 if turn % 2 == 0 else -1]:
                with _server(script, {"CTPAT_DATASETS": datasets}) as (url, started):
                    answered = time.perf_counter()
                    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
                    page.goto(url, wait_until="commit")
                    page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE * 1000)
                    page.locator(CHART).first.wait_for(timeout=PATIENCE * 1000)
                    page.wait_for_function(COMPLETE, arg="", timeout=PATIENCE * 1000)
                    done = time.perf_counter()
                    taken[script].append((done - started, done - answered))
                    page.context.close()
    return {
        name: {
            "wall_s": statistics.median(whole for whole, _ in each),
            "after_health_s": statistics.median(after for _, after in each),
            "rounds": rounds,
        }
        for name, each in (("ours", taken[OURS]), ("one chart", taken[ONE_CHART]))
    }


def _one_page(
    browser: Browser, address: str, offices: list[str], passes: tuple[str, ...]
) -> tuple[dict[str, list[float]], int]:
    """Seconds of each change in each pass, and the most bytes one of them sent."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    sent: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: sent.append(len(data))))
    page.goto(address, wait_until="commit")
    _complete(page)
    taken: dict[str, list[float]] = {one: [] for one in passes}
    most = 0
    for seconds in taken.values():
        for office in offices:
            sent.clear()
            seconds.append(_choose(page, office))
            most = max(most, sum(sent))
            _take_away(page, office)
    page.context.close()
    return taken, most


def _choose(page: Page, office: str) -> float:
    """Choose a field office; seconds from the choice to the complete page that says so."""
    box = page.get_by_role("combobox", name="Field office")
    box.click()
    box.fill(office)
    option = page.get_by_role("option", name=office, exact=True)
    option.wait_for(timeout=PATIENCE * 1000)
    start = time.perf_counter()
    option.click()
    page.wait_for_function(COMPLETE, arg=office, timeout=PATIENCE * 1000)
    return time.perf_counter() - start


def _take_away(page: Page, office: str) -> None:
    page.keyboard.press("Escape")
    box = page.get_by_role("combobox", name="Field office")
    box.click()
    page.keyboard.press("Backspace")
    page.keyboard.press("Escape")
    page.wait_for_function(COMPLETE, arg="all |-" + office, timeout=PATIENCE * 1000)
    page.wait_for_timeout(300)


def _complete(page: Page) -> None:
    page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE * 1000)
    page.wait_for_function(COMPLETE, arg="all ", timeout=PATIENCE * 1000)


@contextmanager
def _chromium() -> Iterator[Browser]:
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        raise RuntimeError(f"no browser found (looked for {', '.join(BROWSERS)})")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def _server(script: str, env: dict[str, str]) -> Iterator[tuple[str, float]]:
    """The address of a new server that answers its health check, and when it was started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = ["uvicorn", script, "--port"] if ":" in script else ["streamlit", "run", script, "--server.port"]
    command = [sys.executable, "-m", *served, str(port)]
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _answers(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}", start
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"no answer from {address}")
