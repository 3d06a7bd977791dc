"""Requests that nobody should be answered: every page and address as nobody, as a forger, as a stranger, as the wrong office.

They speak to the server as a browser's websocket does, without one, so that all of them can be tried. What would give
them away are identifiers that stand only in rows a visitor may not see.
"""

from __future__ import annotations

import http.client
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.access.guarding import OTHERS
from tests.trust.visitors import in_a_thread

PAGES = (
    "overview", "virtual_vs_in_person", "msc_deficiencies", "incidents", "maritime", "anomalies", "feedback", "briefing",
    "data", "methods",
)  # fmt: skip
NOT_LET_IN = ("stranger", "unverified", "nameless", "yesterday", "elsewhere")
"""People whom the provider knows and the list does not, or whose sign-in does not count."""

USER, TOKEN = "_streamlit_user", "_streamlit_xsrf"
WAYS_OF_ASKING: tuple[dict[str, object], ...] = (
    {"office": list(OTHERS)},
    {"office": "Houston", "small": "shown", "dataset": "small_demo"},
    {"by": "field_office", "mode": "virtual"},
)
_WORD = re.compile(rb"[A-Z][A-Za-z0-9]{3,}")

Cookies = Mapping[str, str]


@dataclass
class Tried:
    """One kind of request: how many were made, how many were refused, and which were not."""

    route: str
    tried: int = 0
    refused: int = 0
    findings: list[str] = field(default_factory=list)

    def add(self, what: str, given_away: set[str]) -> None:
        """Count one request and what it gave away."""
        self.tried += 1
        self.refused += not given_away
        if given_away:
            self.findings.append(f"{self.route}: {what} gave {', '.join(sorted(given_away)[:3])}")


def words_heard(
    url: str, page: str, query: Mapping[str, object], cookies: Cookies, *, token: bool = True
) -> set[str]:
    """Words of letters and digits in every message of one run of a page.

    Parameters
    ----------
    url : str
    page : str
    query : mapping
        What stands in the address.
    cookies : mapping
    token : bool
        Whether to send the token against requests from elsewhere, as the app's own page does.
    """
    return in_a_thread(_run(url, page, query, cookies, token))


async def _run(url: str, page: str, query: Mapping[str, object], cookies: Cookies, token: bool) -> set[str]:
    asked = BackMsg()
    asked.rerun_script.query_string = urlencode(query, doseq=True)
    asked.rerun_script.page_name = page
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
    proofs = [cookies[TOKEN]] if token and TOKEN in cookies else []
    heard: set[str] = set()
    async with connect(
        url.replace("http", "ws") + "/_stcore/stream", subprotocols=["streamlit", *proofs],
        additional_headers=headers, max_size=2**28, origin=url,
    ) as socket:  # fmt: skip
        await socket.send(asked.SerializeToString())
        while True:
            received = await socket.recv()
            frame = received if isinstance(received, bytes) else received.encode()
            heard |= {word.decode() for word in _WORD.findall(frame)}
            said = ForwardMsg()
            said.ParseFromString(frame)
            if said.WhichOneof("type") == "script_finished" and said.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
            ):  # fmt: skip
                return heard


def intrude(
    url: str, signed_in: Mapping[str, Cookies], forbidden: set[str], everything: set[str]
) -> list[Tried]:
    """Try everything that should be refused.

    Parameters
    ----------
    url : str
        An app that asks people to sign in.
    signed_in : mapping
        Person → the cookies of a real sign-in; needs "miami", "director" and everybody of `NOT_LET_IN`.
    forbidden : set of str
        Words that somebody of Miami must never be told.
    everything : set of str
        Words that nobody must be told who is not let in at all.
    """
    nobody = Tried("a page, nobody signed in")
    forged = Tried("a page, a forged sign-in")
    elsewhere = Tried("a page, a true sign-in sent from elsewhere")
    unlisted = Tried("a page, somebody who is not let in")
    scoped = Tried("a page, rows of another office asked for")
    director = signed_in["director"]
    for page in PAGES:
        nobody.add(page, words_heard(url, page, {}, {}) & everything)
        for name, cookie in forgeries(director[USER]).items():
            heard = words_heard(url, page, {}, {**director, USER: cookie})
            forged.add(f"{page}, {name}", heard & everything)
        elsewhere.add(page, words_heard(url, page, {}, director, token=False) & everything)
        for person in NOT_LET_IN:
            unlisted.add(f"{page}, {person}", words_heard(url, page, {}, signed_in[person]) & everything)
        for query in WAYS_OF_ASKING:
            typed = {
                word for value in query.values() for word in ([value] if isinstance(value, str) else value)
            }
            heard = words_heard(url, page, query, signed_in["miami"])
            scoped.add(f"{page}?{urlencode(query, doseq=True)}", heard & (forbidden - typed))
    return [nobody, forged, elsewhere, unlisted, scoped, guessed_files(url), uploads(url), other_hosts(url)]


def forgeries(cookie: str) -> dict[str, str]:
    """Sign-ins made of a true one, or of nothing."""
    body, _, rest = cookie.partition(".")
    return {
        "signature changed": f"{cookie[:-2]}AA",
        "no signature": body,
        "claims of one's own": f"eyJpc19sb2dnZWRfaW4iOiB0cnVlfQ.{rest}",
        "nothing signed": "eyJpc19sb2dnZWRfaW4iOiB0cnVlfQ.x.y",
    }


def guessed_files(url: str) -> Tried:
    """Addresses such as downloads have, guessed; and files of the server by their paths."""
    tried = Tried("a file at a guessed address")
    guesses = [f"/media/{secrets.token_hex(28)}.{ending}" for ending in ("csv", "svg", "zip", "html", "pptx")]
    paths = ["/media/../app.py", "/app/static/dataset.toml", "/component/../../data/demo/dataset.toml",
             "/media/%2e%2e/%2e%2e/data/demo/dataset.toml", "/static/../../../../data/demo/dataset.toml"]  # fmt: skip
    for path in guesses + paths:
        status, body = _answer(url, "GET", path)
        # Where nothing is, Streamlit answers with the frame of its page, which holds no data.
        tried.add(path, set() if status >= 400 or b"<!doctype html>" in body.lower() else {str(status)})
    return tried


def uploads(url: str) -> Tried:
    """Files sent to a session that is not one's own."""
    tried = Tried("a file sent without a session or its token")
    for method in ("PUT", "POST", "DELETE"):
        for session in ("some-session", secrets.token_hex(16)):
            status, _ = _answer(url, method, f"/_stcore/upload_file/{session}/some-file", b"x")
            tried.add(f"{method} {session}", set() if status in (400, 403, 405) else {str(status)})
    return tried


def other_hosts(url: str) -> Tried:
    """Sessions opened by pages of other sites."""
    tried = Tried("a session opened by a page of another site")

    async def opened(origin: str) -> bool:
        try:
            async with connect(
                url.replace("http", "ws") + "/_stcore/stream", subprotocols=["streamlit"], origin=origin
            ):  # fmt: skip
                return True
        except InvalidStatus:
            return False

    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
        tried.add(origin, {"a session"} if in_a_thread(opened(origin)) else set())
    return tried


def table(found: Sequence[Tried]) -> str:
    """What was tried, as people read it."""
    return "\n".join(f"{each.route}: {each.refused} of {each.tried} refused" for each in found)


def _answer(url: str, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
    try:
        connection.request(method, path, body=body)
        got = connection.getresponse()
        return got.status, got.read()
    finally:
        connection.close()
