"""Back to the page somebody asked for, and never to another server."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

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


@pytest.fixture
def browser() -> TestClient:
    routes = [Route("/auth/login", login), Route("/oauth2callback", returned), Route("/incidents", page)]
    server = Starlette(routes=routes, middleware=[Middleware(with_way_back)])
    return TestClient(server, base_url=HERE, follow_redirects=False)


def test_back_to_where_one_came_from_once(browser: TestClient) -> None:
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
    ],
)
def test_nothing_but_a_page_of_this_server_is_noted(browser: TestClient, came_from: str) -> None:
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
def test_a_planted_cookie_leads_nowhere_else(browser: TestClient, planted: str) -> None:
    browser.cookies.set(COOKIE, quote(planted, safe=""))
    back = browser.get("/oauth2callback")
    assert back.headers["location"] == "/"
    assert "x=y" not in str(back.headers)
