"""A server that asks people to sign in, and a browser for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.access.provider import CLIENT, SECRET, providing
from tests.browser.serving import serving
from tests.browser.visiting import Visit, playwright_api

ACCESS = """
[[everything]]
groups = ["headquarters"]
emails = ["auditor@program.example"]

[[office]]
offices = ["Miami"]
groups = ["miami-staff"]

[[office]]
offices = ["Newark"]
groups = ["newark-staff"]

[[office]]
offices = ["Atlantis"]
groups = ["atlantis-staff"]
"""


@pytest.fixture(scope="session")
def access_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The operator's list."""
    path = tmp_path_factory.mktemp("access") / "access.toml"
    path.write_text(ACCESS, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def guarded(
    access_file: Path, small_demo_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of an app that asks everybody to sign in."""
    with providing() as provider:
        secret_file = access_file.with_name("secrets.toml")
        secret_file.write_text(
            f"""
[auth]
redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
cookie_secret = "a cookie secret of the tests, long enough"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
server_metadata_url = "{provider}/.well-known/openid-configuration"
""",
            encoding="utf-8",
        )
        environment = {
            "CTPAT_ACCESS": str(access_file),
            "CTPAT_DATASETS": str(small_demo_folder),
            "CTPAT_PARTS": str(tmp_path_factory.mktemp("parts")),
            "STREAMLIT_SECRETS_FILES": str(secret_file),
        }
        with serving(environment) as url:
            yield url


@pytest.fixture
def visitor(chromium: playwright_api.Browser, guarded: str) -> Iterator[Callable[[str], Visit]]:
    """Come in as somebody; each call is a browser of its own. Nobody's name: do not sign in."""
    contexts = []

    def come(person: str) -> Visit:
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        seen = Visit(context.new_page())
        seen.page.on("request", lambda sent: seen.requests.append(sent.url))
        seen.open(guarded)
        if person:
            seen.page.get_by_role("button", name="Sign in").click()
            seen.page.get_by_role("link", name=person, exact=True).click()
            seen.page.wait_for_url(f"{guarded}/**")
            # Whoever comes first of an office waits for its part of the data.
            seen.page.get_by_role("heading", level=1).wait_for(timeout=240_000)
            seen.settled()
        return seen

    yield come
    for context in contexts:
        context.close()
