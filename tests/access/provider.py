"""An OpenID Connect provider of our own, on loopback: real discovery, real codes, real signatures, invented people."""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "validation-analysis", "a secret of the tests"

PEOPLE: dict[str, dict[str, Any]] = {
    "director": {"email": "Director@Program.example", "groups": ["headquarters"]},
    "miami": {"email": "one@miami.example", "email_verified": True, "groups": ["miami-staff"]},
    "both": {"email": "two@region.example", "groups": ["miami-staff", "newark-staff"]},
    "elsewhere": {"email": "three@atlantis.example", "groups": ["atlantis-staff"]},
    "stranger": {"email": "stranger@example.org", "groups": ["visitors"]},
    "unverified": {"email": "one@miami.example", "email_verified": False, "groups": ["miami-staff"]},
    "nameless": {"groups": ["headquarters"]},
    "yesterday": {"email": "one@miami.example", "groups": ["miami-staff"], "iat": time.time() - 24 * 3600},
}
"""Who can sign in, and what the token says of them."""


class Provider:
    """The provider: hands out codes for people, and tokens for codes, once each."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._key = RSAKey.generate_key(2048, {"kid": "one"})
        self._codes: dict[str, dict[str, str]] = {}
        self.application = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/agree", self._agree),
                Route("/token", self._token, methods=["POST"]),
                Route("/leave", self._leave),
            ]
        )

    async def _configuration(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/keys",
                "end_session_endpoint": f"{self.address}/leave",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["client_id"] == CLIENT and asked["response_type"] == "code"
        links = "".join(
            f'<li><a href="/agree?{escape(urlencode(asked | {"person": person}))}">{person}</a></li>'
            for person in PEOPLE
        )
        return HTMLResponse(
            f"<!doctype html><title>Who are you?</title><h1>Who are you?</h1><ul>{links}</ul>"
        )

    async def _agree(self, request: Request) -> Response:
        asked = dict(request.query_params)
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        return RedirectResponse(
            f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
        )

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        given = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {given}" and form.get("client_secret") != SECRET:
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        asked = self._codes.pop(str(form.get("code")), None)
        if asked is None or not _proven(asked, str(form.get("code_verifier"))):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {"iss": self.address, "aud": CLIENT, "sub": asked["person"], "iat": now, "exp": now + 3600}
        claims |= {"nonce": asked["nonce"]} if "nonce" in asked else {}
        claims |= PEOPLE[asked["person"]]
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key)
        return JSONResponse(
            {"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "id_token": token}
        )

    async def _leave(self, request: Request) -> Response:
        return RedirectResponse(request.query_params["post_logout_redirect_uri"])


def _proven(asked: Mapping[str, str], verifier: str) -> bool:
    """Whether whoever brings the code is who asked for it (PKCE)."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return asked.get("code_challenge_method") == "S256" and secrets.compare_digest(
        digest, asked["code_challenge"]
    )


@contextmanager
def providing() -> Iterator[str]:
    """The address of a provider, which is stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    configuration = uvicorn.Config(Provider(address).application, port=port, log_level="error")
    server = uvicorn.Server(configuration)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(timeout=10)
