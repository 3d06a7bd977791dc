"""With office scope on, no route gives another office's rows.

What is looked for are identifiers that stand only in rows of other offices, and the other offices' names: in every
websocket message, every response and every file taken away. The director's session, looked at in the same way, has them.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from tests.access.intruding import PAGES
from tests.browser.visiting import Visit, playwright_api

pytestmark = pytest.mark.xdist_group("servers")

ASKING_FOR_OTHERS = "office=Houston&office=Newark&dataset=small_demo&small=shown"


@dataclass
class Heard:
    """Everything that came over the wire to one browser."""

    pieces: list[bytes] = field(default_factory=list)

    def listen(self, page: playwright_api.Page) -> None:
        page.on("websocket", lambda socket: socket.on("framereceived", self._frame))
        page.on("response", self._response)

    def _frame(self, payload: str | bytes) -> None:
        self.pieces.append(payload.encode() if isinstance(payload, str) else payload)

    def _response(self, response: playwright_api.Response) -> None:
        if "/static/" in response.url or response.status in (204, 301, 302, 304, 307):
            return
        try:
            self.pieces.append(response.body())
        except playwright_api.Error:  # Gone with the page that was left.
            return

    def words(self) -> set[str]:
        """Words of letters and digits in all of it."""
        return {
            found.decode() for piece in self.pieces for found in re.findall(rb"[A-Z][A-Za-z0-9]{3,}", piece)
        }


def listening(seen: Visit) -> Heard:
    heard = Heard()
    heard.listen(seen.page)
    return heard


def test_what_is_looked_for_reaches_a_director(
    visitor: Callable[[str], Visit], guarded: str, forbidden: set[str]
) -> None:
    seen = visitor("director")
    heard = listening(seen)
    seen.open(f"{guarded}/anomalies")
    assert {"Houston", "Newark", "Buffalo"} <= heard.words() & forbidden
    assert any(re.fullmatch(r"V\d+", word) for word in heard.words() & forbidden)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_and_no_deep_link_gives_rows_of_other_offices(
    visitor: Callable[[str], Visit], guarded: str, forbidden: set[str], page: str
) -> None:
    seen = visitor("miami")
    heard = listening(seen)
    path = "" if page == "overview" else page
    for address in (path, f"{path}?{ASKING_FOR_OTHERS}"):
        seen.open(f"{guarded}/{address}")
        if page != "methods":
            assert "Miami" in seen.scope
    # The address itself comes back in what the page says it ignored: not a row, and nothing but what was typed.
    typed = {"Houston", "Newark"}
    assert not heard.words() & (forbidden - typed)
    assert len(heard.pieces) > 5


def test_nothing_that_can_be_taken_away_has_rows_of_other_offices(
    visitor: Callable[[str], Visit], guarded: str, forbidden: set[str], tmp_path: Path
) -> None:
    seen = visitor("miami")
    heard = listening(seen)
    seen.open(f"{guarded}/anomalies")
    menus = seen.page.get_by_role("button", name="Actions")
    popover = seen.page.get_by_test_id("stPopoverBody")
    taken: list[bytes] = []
    for place in range(menus.count()):
        for what in ("Download CSV", "Download SVG", "See the table", "Copy as Python", "Add to briefing"):
            if not popover.is_visible():
                menus.nth(place).click()
                popover.wait_for()
            button = popover.get_by_role("button", name=what)
            if not button.count():
                continue
            if what.startswith("Download"):
                with seen.page.expect_download(timeout=180_000) as download:
                    button.click()
                taken.append(Path(download.value.path()).read_bytes())
            else:
                button.click()
                seen.settled()
        seen.page.keyboard.press("Escape")
        popover.wait_for(state="hidden")
    seen.open(f"{guarded}/data")
    with seen.page.expect_download(timeout=180_000) as download:
        seen.page.get_by_role("button", name="Download this dataset (zip)").click()
    whole = Path(download.value.path()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(".parquet"):
                content = pd.read_parquet(io.BytesIO(content)).to_csv().encode()
            taken.append(content)
    assert len(taken) > 10
    words = {found.decode() for piece in taken for found in re.findall(rb"[A-Z][A-Za-z0-9]{3,}", piece)}
    assert not words & forbidden
    assert not heard.words() & forbidden
