"""Whoever signs in comes back to the page they asked for: Streamlit by itself returns everybody to the first."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import secrets

COOKIE = "came_for"
MINUTES = 15
"""How long somebody may take to sign in."""
LONGEST = 2000
_LOGIN, _CALLBACK = "/auth/login", "/oauth2callback"


def with_way_back(application: ASGIApp) -> ASGIApp:
    """Middleware that notes the page on which somebody asks to sign in, and leads there when they return.

    The page is what the browser says it comes from, if that is of this server; it stays in the browser, in a cookie
    that no script can read. Only an address within this server is ever led to.
    """

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if not path.endswith((_LOGIN, _CALLBACK)):
            await application(scope, receive, send)
            return
        request = Request(scope)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if path.endswith(_LOGIN):
                    _note(request, headers)
                else:
                    _lead_back(request, headers)
            await send(message)

        await application(scope, receive, send_on)

    return wrapped


def _note(request: Request, headers: MutableHeaders) -> None:
    """Keep the page somebody comes from, or forget an earlier one."""
    address = _page_of(request)
    told = Response()
    if _within(address):
        told.set_cookie(COOKIE, quote(address, safe=""), max_age=MINUTES * 60, httponly=True, samesite="lax")
    else:
        told.delete_cookie(COOKIE, httponly=True, samesite="lax")
    headers.append("set-cookie", told.headers["set-cookie"])


def _page_of(request: Request) -> str:
    """Path and query of the page of this server that a request comes from, empty if it comes from elsewhere."""
    try:
        came_from = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    if not came_from.netloc or came_from.netloc not in (request.headers.get("host"), _known_as()):
        return ""
    return came_from.path + (f"?{came_from.query}" if came_from.query else "")


def _known_as() -> str | None:
    """Where the provider sends people back to: what the server is called outside, whatever a gateway makes of it."""
    if not secrets.load_if_toml_exists():
        return None
    return urlsplit(str(secrets.get("auth", {}).get("redirect_uri", ""))).netloc


def _lead_back(request: Request, headers: MutableHeaders) -> None:
    """Send somebody who returns on to the page that was kept, once."""
    address = unquote(request.cookies.get(COOKIE, ""))
    if not address:
        return
    if "location" in headers and _within(address):
        headers["location"] = address
    told = Response()
    told.delete_cookie(COOKIE, httponly=True, samesite="lax")
    headers.append("set-cookie", told.headers["set-cookie"])


def _within(address: str) -> bool:
    """Whether an address is a page of this server: browsers read two slashes, or a backslash, as another server."""
    return (
        address.startswith("/")
        and not address.startswith(("//", "/\\"))
        and len(address) <= LONGEST
        and address.isascii()
        and address.isprintable()
        and not urlsplit(address).path.endswith((_LOGIN, _CALLBACK))
    )
