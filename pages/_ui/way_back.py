"""Whoever signs in comes back to the page they asked for: Streamlit by itself returns everybody to the first."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
    came_from = urlsplit(request.headers.get("referer", ""))
    address = came_from.path + (f"?{came_from.query}" if came_from.query else "")
    told = Response()
    if came_from.netloc == request.headers.get("host") and _within(address):
        told.set_cookie(COOKIE, quote(address, safe=""), max_age=MINUTES * 60, httponly=True, samesite="lax")
    else:
        told.delete_cookie(COOKIE, httponly=True, samesite="lax")
    headers.append("set-cookie", told.headers["set-cookie"])


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
