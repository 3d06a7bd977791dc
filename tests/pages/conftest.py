"""The app without a browser: the shell is run as Streamlit would run it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
# Imported before the clock of a test starts: on a fresh machine this takes seconds.
pytest.importorskip("altair", reason="the app draws with altair")

Open = Callable[..., AppTest]


@pytest.fixture
def open_app(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the app at a page (its file, None for the first) with the filters of an address."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("CTPAT_DATASETS", raising=False)

    def opened(page: str | None = None, **query: str | list[str]) -> AppTest:
        app = AppTest.from_file(str(ROOT / "pages" / "_shell.py"), default_timeout=300)
        for name, value in query.items():
            app.query_params[name.rstrip("_").replace("_", "-")] = value
        app.run()
        if page is not None:
            app.switch_page(page).run()
        return app

    return opened
