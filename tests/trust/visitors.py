"""Many visitors at once on a real server: who gets an answer, whose answer it is, and what memory they cost.

Sessions are websockets that speak Streamlit's protocol: each holds one office, changes another filter once a minute,
and looks at every answer for its own office and for anybody else's. ``python -m tests.trust.visitors 60 8`` holds
eight of them for a minute.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from tests.browser.serving import serving
from tests.browser.visiting import SETTLED, browsing

Answer = TypeVar("Answer")

OFFICES = ("Miami", "Houston", "Newark", "Buffalo", "Los Angeles", "New York")
PAGES = ("overview", "virtual_vs_in_person", "msc_deficiencies", "incidents", "maritime", "feedback", "data")
CHANGES = ({}, {"mode": "virtual"}, {"mode": "in_person"}, {"from": "2020-07-01"}, {"risk": "low"}, {"risk": "high"}, {"small": "hidden"})  # fmt: skip
EVERY = 60.0
"""Seconds between two changes of a session."""

PATIENCE = 120.0
SETTLED_AFTER = 0.4
"""Part of the time after which memory should stay where it is: caches are full, every page has been seen."""

GROWTH = 1.15
"""What memory may be at the end, as a multiple of what it was when it had settled."""

_SCOPE = re.compile(r'class="scope".*?</p>', re.DOTALL)


@dataclass
class Visits:
    """What the sessions met."""

    sessions: int
    seconds: float
    browsers: int = 0
    answers: int = 0
    slowest: float = 0.0
    memory_start: float = 0.0
    memory_settled: float = 0.0
    memory_end: float = 0.0
    findings: list[str] = field(default_factory=list)

    def judged(self) -> Visits:
        """With what memory says."""
        if self.memory_settled and self.memory_end > GROWTH * self.memory_settled:
            self.findings.append(
                f"memory grew from {self.memory_settled:.0f} to {self.memory_end:.0f} MB after it had settled"
            )
        return self


async def _visit(number: int, url: str, until: float, found: Visits, every: float) -> None:
    office = OFFICES[number % len(OFFICES)]
    others = [each for each in OFFICES if each != office]
    address = url.replace("http", "ws") + "/_stcore/stream"
    try:
        async with connect(address, subprotocols=["streamlit"], max_size=2**28, origin=url) as socket:
            turn = number
            while time.monotonic() < until:
                started = time.monotonic()
                page, query = PAGES[turn % len(PAGES)], {"office": office, **CHANGES[turn % len(CHANGES)]}
                texts = await asyncio.wait_for(_asked(socket, page, query), PATIENCE)
                found.answers += 1
                found.slowest = max(found.slowest, time.monotonic() - started)
                scopes = [line for text in texts for line in _SCOPE.findall(text)]
                if not scopes or not any(office in line for line in scopes):
                    found.findings.append(f"session {number}, {page}: no answer about {office}")
                if any(other in line for line in scopes for other in others):
                    found.findings.append(f"session {number}, {page}: an answer about somebody else's office")
                if any("could not be drawn" in text for text in texts):
                    found.findings.append(f"session {number}, {page} {query}: something could not be drawn")
                turn += 1
                await asyncio.sleep(max(0.0, every - (time.monotonic() - started)))
    except Exception as error:
        # A session that is lost, for whatever reason, is what is counted here.
        found.findings.append(f"session {number}: {type(error).__name__}: {error}")


async def _asked(socket: Any, page: str, query: dict[str, str]) -> list[str]:
    """All texts of one run of a page."""
    asked = BackMsg()
    asked.rerun_script.query_string = urllib.parse.urlencode(query)
    asked.rerun_script.page_name = page
    await socket.send(asked.SerializeToString())
    texts: list[str] = []
    while True:
        said = ForwardMsg()
        said.ParseFromString(await socket.recv())
        kind = said.WhichOneof("type")
        if kind == "delta" and said.delta.WhichOneof("type") == "new_element":
            element = said.delta.new_element
            which = element.WhichOneof("type")
            if which == "exception":
                raise RuntimeError(f"{page}: {element.exception.message[:200]}")
            texts.append(str(getattr(element, which).body) if which in ("html", "markdown") else "")
        if kind == "script_finished" and said.script_finished in (
            ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
        ):  # fmt: skip
            return texts


def hold(sessions: int, seconds: float, *, browsers: int = 0, every: float = EVERY) -> Visits:
    """Hold so many sessions for so long on a server of their own, and browsers beside them."""
    found = Visits(sessions, seconds, browsers)
    with serving() as url:
        server = _server_of(url)
        start = time.monotonic()
        until = start + seconds
        samples: list[tuple[float, float]] = []
        found.memory_start = _memory(server)
        beside = [
            threading.Thread(target=_browse, args=(url, until, found, every)) for _ in range(min(browsers, 1))
        ]
        for thread in beside:
            thread.start()
        in_a_thread(
            _all(
                sessions,
                url,
                until,
                found,
                every,
                lambda: samples.append((time.monotonic() - start, _memory(server))),
            )
        )
        for thread in beside:
            thread.join()
        found.memory_settled = next((memory for at, memory in samples if at >= SETTLED_AFTER * seconds), 0.0)
        found.memory_end = _memory(server)
    return found.judged()


def in_a_thread(work: Coroutine[object, object, Answer]) -> Answer:
    """What an asynchronous function gives; in a thread, because a browser open in this one has its own loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _all(
    sessions: int, url: str, until: float, found: Visits, every: float, sample: Callable[[], None]
) -> None:
    async def sampled() -> None:
        while time.monotonic() < until:
            sample()
            await asyncio.sleep(5.0)

    async def one(number: int) -> None:
        # As people come: spread over the minute.
        await asyncio.sleep(every * number / max(sessions, 1))
        await _visit(number, url, until, found, every)

    await asyncio.gather(sampled(), *(one(number) for number in range(sessions)))


def _browse(url: str, until: float, found: Visits, every: float) -> None:
    """Two people at real browsers: each looks at a page, changes the mode, and goes on."""
    try:
        with browsing() as browser:
            pages = [browser.new_context().new_page() for _ in range(found.browsers)]
            turn = 0
            while time.monotonic() < until:
                began = time.monotonic()
                for place, page in enumerate(pages):
                    office = OFFICES[(turn + place) % len(OFFICES)]
                    target = PAGES[turn % len(PAGES)].replace("overview", "")
                    page.goto(f"{url}/{target}?office={urllib.parse.quote(office)}", wait_until="commit")
                    page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE * 1000)
                    page.wait_for_function(SETTLED, timeout=PATIENCE * 1000)
                    page.get_by_role("button", name="Virtual", exact=True).click()
                    page.wait_for_function(
                        "() => location.search.includes('virtual')", timeout=PATIENCE * 1000
                    )
                    page.wait_for_function(SETTLED, timeout=PATIENCE * 1000)
                    if office not in page.locator(".scope").inner_text():
                        found.findings.append(f"browser {place}, {target}: no answer about {office}")
                    if page.get_by_test_id("stException").count():
                        found.findings.append(f"browser {place}, {target}: an exception on the page")
                    found.answers += 2
                turn += 1
                time.sleep(max(0.0, min(every - (time.monotonic() - began), until - time.monotonic())))
    except Exception as error:
        # A browser that gives up, for whatever reason, is what is counted here.
        found.findings.append(f"browser: {type(error).__name__}: {str(error)[:300]}")


def _server_of(url: str) -> psutil.Process:
    port = int(url.rsplit(":", 1)[1])
    for child in psutil.Process().children(recursive=True):
        if any(each.laddr.port == port for each in child.net_connections() if each.status == "LISTEN"):
            return child
    raise RuntimeError("the server is not among the children of this process")


def _memory(server: psutil.Process) -> float:
    return float(server.memory_info().rss) / 2**20


if __name__ == "__main__":
    print(json.dumps(asdict(hold(int(sys.argv[2]), float(sys.argv[1]), browsers=2, every=20.0)), indent=1))
