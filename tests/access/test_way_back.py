"""Back to the page somebody asked for, and never to another server."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from pages._ui import way_back
from pages._ui.way_back import COOKIE, LONGEST, with_way_back

HERE = "http://validation.agency.example"


async def login(request: Request) -> Response:
    return RedirectResponse("https://login.agency.example/authorize", 302)


async def returned(request: Request) -> Response:
    response = RedirectResponse("/", 302)
    response.set_cookie("signed_in", "yes")
    return response


async def page(request: Request) -> Response:
    return PlainTextResponse("a page")


class Browser:
    """Asks the server, keeps its cookies and follows nothing."""

    def __init__(self, server: Starlette) -> None:
        transport = httpx.ASGITransport(app=server)
        self._client = httpx.AsyncClient(transport=transport, base_url=HERE, follow_redirects=False)

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def get(self, address: str, headers: dict[str, str] | None = None) -> httpx.Response:
        # On a thread of its own: the browser of other tests keeps a loop running on this one.
        with ThreadPoolExecutor(1) as aside:
            return aside.submit(asyncio.run, self._client.get(address, headers=headers)).result()


@pytest.fixture
def browser() -> Browser:
    routes = [Route("/auth/login", login), Route("/oauth2callback", returned), Route("/incidents", page)]
    server = Starlette(routes=routes, middleware=[Middleware(with_way_back)])
    return Browser(server)


def test_back_to_where_one_came_from_once(browser: Browser) -> None:
    asked = browser.get(
        "/auth/login", headers={"referer": f"{HERE}/incidents?office=New%20York&mode=virtual"}
    )
    assert asked.headers["location"].startswith("https://login.agency.example/")
    said = asked.headers["set-cookie"].lower()
    assert "httponly" in said and "samesite=lax" in said and "max-age=900" in said
    back = browser.get("/oauth2callback")
    assert back.headers["location"] == "/incidents?office=New%20York&mode=virtual"
    assert browser.cookies["signed_in"] == "yes"
    assert COOKIE not in browser.cookies
    assert browser.get("/oauth2callback").headers["location"] == "/"
    assert "set-cookie" not in browser.get("/incidents").headers


@pytest.mark.parametrize(
    "came_from",
    [
        "",
        "https://evil.example/incidents",
        "http://validation.agency.example.evil.example/",
        f"{HERE}//evil.example/",
        f"{HERE}/\\evil.example",
        f"{HERE}/incidents?office=" + "a" * LONGEST,
        f"{HERE}/auth/login",
        f"{HERE}/oauth2callback?code=stolen",
        "not an address",
        "http://[",
    ],
)
def test_nothing_but_a_page_of_this_server_is_noted(browser: Browser, came_from: str) -> None:
    browser.get("/auth/login", headers={"referer": f"{HERE}/incidents"})
    browser.get("/auth/login", headers={"referer": came_from})
    assert COOKIE not in browser.cookies
    assert browser.get("/oauth2callback").headers["location"] == "/"


@pytest.mark.parametrize(
    "planted",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/a\r\nset-cookie: x=y",
        "/\tevil",
        "evil",
        "/é",
    ],
)
def test_a_planted_cookie_leads_nowhere_else(browser: Browser, planted: str) -> None:
    browser.cookies.set(COOKIE, quote(planted, safe=""))
    back = browser.get("/oauth2callback")
    assert back.headers["location"] == "/"
    assert "x=y" not in str(back.headers)


def test_a_gateway_may_call_the_server_something_else(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser comes from the name outside; the server hears the gateway's."""
    outside = "https://validation.outside.example"
    browser.get("/auth/login", headers={"referer": f"{outside}/incidents"})
    assert COOKIE not in browser.cookies
    monkeypatch.setattr(way_back, "_known_as", lambda: "validation.outside.example")
    browser.get("/auth/login", headers={"referer": f"{outside}/incidents"})
    assert browser.get("/oauth2callback").headers["location"] == "/incidents"
