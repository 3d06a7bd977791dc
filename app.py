"""The server: Streamlit's app with security headers, a readiness check and a warm start.

Start it with ``streamlit run app.py`` or with any ASGI server (``uvicorn app:app``), from this folder.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import hashlib
import importlib
import logging
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROOT = Path(__file__).resolve().parent
# `analysis` and `pages` are imported from here, whatever folder the server was started from.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from pages._ui.way_back import with_way_back  # noqa: E402  # only now can it be found

# A notebook package brings a checker of international addresses that builds a grammar for seconds as soon as Altair's
# schema library finds it; nothing here checks addresses.
sys.modules.setdefault("rfc3987_syntax", cast(ModuleType, None))

HEAVY = ("altair", "pandas", "pages._ui.figure", "pages._ui.choices")
"""Imported before the first visitor comes, so that nobody waits for it."""

_log = logging.getLogger(__name__)
_readiness: dict[str, Any] = {"ready": False, "reason": "starting"}


def inline_script_hashes() -> str:
    """Hashes of the scripts Streamlit's own page carries inline, as a content security policy wants them."""
    page = Path(st.__file__).parent / "static" / "index.html"
    scripts = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def security_headers() -> dict[str, str]:
    """What every response says: nothing from elsewhere, no framing, no guessing of types."""
    policy = (
        "default-src 'self'",
        f"script-src 'self'{inline_script_hashes()}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "object-src 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }


def with_security_headers(application: ASGIApp) -> ASGIApp:
    """Middleware that puts the headers on every response of the application."""
    headers = security_headers()

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await application(scope, receive, send_with_headers if scope["type"] == "http" else send)

    return wrapped


def warm_up() -> None:
    """Import what is heavy and open the datasets; what fails is said at ``/readyz`` and on the page."""
    try:
        for module in HEAVY:
            importlib.import_module(module)
        from analysis.figures import registry
        from pages._ui import datasets

        registry()
        for folder in datasets.folders().values():
            datasets.opened(folder)
    except Exception as error:
        # Whatever it is, the server answers, and says that it is not ready: where and why is for the log alone.
        _log.warning("not ready: %s", error, exc_info=True)
        _readiness["reason"] = "a dataset cannot be opened: the log of the server says which, and why"
    else:
        # What is there now stays: nobody waits while it is looked through for what could go.
        gc.collect()
        gc.freeze()
        _readiness.update(ready=True, reason="")


@asynccontextmanager
async def lifespan(application: st.App) -> AsyncIterator[None]:
    """Warm up beside the server, so that it answers its health check meanwhile."""
    task = asyncio.create_task(asyncio.to_thread(warm_up))
    yield
    await task
    gc.unfreeze()


async def readyz(request: Request) -> Response:
    """200 when a page can be answered, else 503 with the reason."""
    return JSONResponse(_readiness, status_code=200 if _readiness["ready"] else 503)


app = st.App(
    ROOT / "pages" / "_shell.py",
    lifespan=lifespan,
    routes=[Route("/readyz", readyz)],
    middleware=[Middleware(with_security_headers), Middleware(with_way_back)],
)
