"""A server that asks people to sign in, and a browser for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.access.guarding import guarding, not_for, sign_in
from tests.browser.visiting import Visit, playwright_api


@pytest.fixture(scope="session")
def guarded(small_demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that asks everybody to sign in."""
    with guarding(small_demo_folder, tmp_path_factory.mktemp("access")) as url:
        yield url


@pytest.fixture(scope="session")
def forbidden(small_demo_folder: Path) -> set[str]:
    """What must never reach somebody of Miami."""
    return not_for("Miami", small_demo_folder)


@pytest.fixture
def visitor(chromium: playwright_api.Browser, guarded: str) -> Iterator[Callable[[str], Visit]]:
    """Come in as somebody; each call is a browser of its own. Nobody's name: do not sign in."""
    contexts = []

    def come(person: str) -> Visit:
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        seen = Visit(context.new_page())
        seen.page.on("request", lambda sent: seen.requests.append(sent.url))
        if person:
            sign_in(seen, guarded, person)
        else:
            seen.open(guarded)
        return seen

    yield come
    for context in contexts:
        context.close()
