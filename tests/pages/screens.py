"""Pages as a reader sees them, opened once for all tests that look at them: words, figures and their tables."""

from __future__ import annotations

import contextlib
import html
import os
import re
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import pandas as pd
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import ROOT

DEMO = ROOT / "data" / "demo"
Query = Mapping[str, str | list[str]]
_TABLE = re.compile(r"<table.*?</table>", re.S)


class Shown:
    """One figure on the screen: the words round it, and its table twin."""

    def __init__(self, blocks: list[str]) -> None:
        self.words = " ".join(" ".join(_bare(block).split()) for block in blocks)
        self._blocks = blocks

    @cached_property
    def table(self) -> pd.DataFrame:
        """The table twin, which stands last."""
        return _frame([table for block in self._blocks for table in _TABLE.findall(block)][-1])

    def row(self, first: str) -> dict[str, str]:
        """The row of the table that begins with these words."""
        found = self.table[self.table.iloc[:, 0].str.startswith(first)]
        assert len(found) == 1, (first, list(self.table.iloc[:, 0]))
        return dict(found.iloc[0])

    def column(self, name: str) -> dict[str, str]:
        """A column by the first cell of its row."""
        return dict(zip(self.table.iloc[:, 0], self.table[name], strict=True))


class Screen:
    """A page of the app in a session of its own."""

    def __init__(self, page: str, query: Query, *, datasets: str = "") -> None:
        self.datasets = datasets
        self.app = AppTest.from_file(str(ROOT / "pages" / "_shell.py"), default_timeout=180)
        for name, value in query.items():
            self.app.query_params[name.rstrip("_").replace("_", "-")] = value
        self.do(lambda app: app.run())
        self.go(page)

    def do(self, step: Callable[[AppTest], object]) -> None:
        """Let a reader do something; nothing may break."""
        with contextlib.chdir(ROOT), patch.dict(os.environ, {"CTPAT_DATASETS": self.datasets}):
            step(self.app)
        assert not self.app.exception

    def go(self, page: str) -> None:
        """Go to another page, filters and all."""
        self.do(lambda app: app.switch_page(page).run())

    def open_tables(self) -> None:
        """See the table of every figure of the page."""

        def step(app: AppTest) -> None:
            for button in app.button:
                if button.key and button.key.startswith("see-table-") and button.label == "See the table":
                    button.click()
            app.run()

        self.do(step)

    @property
    def words(self) -> str:
        """All the page says outside its widgets."""
        return " ".join(" ".join(_bare(block).split()) for block in _html_of(self.app.main))

    def figure(self, name: str) -> Shown:
        """A figure by its id."""
        (box,) = _boxes(self.app.main, f"-fig-{name.replace('.', '-')}")
        return Shown(_html_of(box))

    def figures(self) -> list[Shown]:
        """All figures of the page."""
        return [Shown(_html_of(box)) for box in _boxes(self.app.main, "-fig-")]

    def table(self, *columns: str) -> pd.DataFrame:
        """The one table of the page with these columns."""
        tables = [table for block in _html_of(self.app.main) for table in _TABLE.findall(block)]
        (found,) = (table for table in tables if all(f">{name}</th>" in table for name in columns))
        return _frame(found)


@cache
def _opened(page: str, query: tuple[tuple[str, Any], ...]) -> Screen:
    screen = Screen(page, {name: list(v) if isinstance(v, tuple) else v for name, v in query})
    screen.open_tables()
    return screen


def seen(page: str, query: Query) -> Screen:
    """A page at an address with every table open; the same address is opened once, and only looked at."""
    return _opened(page, tuple((name, tuple(v) if isinstance(v, list) else v) for name, v in query.items()))


def percents(words: str) -> list[float]:
    """The percentages in some words."""
    return [float(each) for each in re.findall(r"([\d.]+)%", words)]


def numbers(words: str) -> list[float]:
    """The numbers in some words, a minus as a page writes it or not."""
    return [
        float(each.replace("−", "-").replace(",", "")) for each in re.findall(r"[−-]?\d[\d,]*\.?\d*", words)
    ]


def points(value: float) -> str:
    """A difference in percentage points, as a page writes it."""
    return signed(value * 100, 1)


def signed(value: float, digits: int) -> str:
    """A number with its sign; nothing is neither plus nor minus."""
    written = f"{value:+.{digits}f}".replace("-", "−")
    return written if float(f"{value:.{digits}f}") else written[1:]


def of(events: float, total: float) -> str:
    """A count out of another, as a page writes it."""
    return f"{int(events):,} of {int(total):,}"


def _boxes(block: Any, key: str) -> list[Any]:
    """Containers whose key ends with these words; with the beginning of a key (``-fig-``), all that have it."""
    found = []
    for child in block.children.values():
        if hasattr(child, "children"):
            name = str(getattr(child.proto, "id", ""))
            mine = key in name if key.endswith("-") else name.endswith(key)
            found += [child] if mine else _boxes(child, key)
    return found


def _html_of(block: Any) -> list[str]:
    out = []
    for child in block.children.values():
        if hasattr(child, "children"):
            out += _html_of(child)
        elif child.type == "html":
            out.append(str(child.proto.body))
    return out


def _bare(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</?(strong|em)[^>]*>", "", markup)))


def _frame(table: str) -> pd.DataFrame:
    head, *rows = (
        ["".join(cell.itertext()).strip() for cell in line]
        for line in ElementTree.fromstring(table).iter("tr")
    )
    return pd.DataFrame(rows, columns=head)
