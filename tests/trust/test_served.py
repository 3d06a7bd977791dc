"""The server as it is started: who may ask, what is refused at the door, and what a reader sees of an error."""

from __future__ import annotations

import http.client
import logging
import tomllib
import urllib.parse
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from pages._ui import datasets, own, states
from tests.browser.serving import ROOT, serving
from tests.pages.conftest import Open, open_app  # noqa: F401  # a fixture that both folders use
from tests.trust.visitors import hold, in_a_thread

SECRET = "Acme Ltd of 12 High Street"


def test_settings_are_the_careful_ones() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    server = settings["server"]
    assert server["address"] == "127.0.0.1" and server["enableXsrfProtection"] is True
    assert set(server["allowedHosts"]) == {"localhost", "127.0.0.1", "::1"}
    assert server["maxUploadSize"] <= 200 and server["enableStaticServing"] is False
    assert server["enableAgentApi"] is False
    assert server.get("enableCORS", True) is True and not server.get("corsAllowedOrigins")
    assert (
        settings["client"]["showErrorDetails"] == "none" and settings["browser"]["gatherUsageStats"] is False
    )


@pytest.fixture(scope="module")
def url() -> object:
    with serving() as address:
        yield address


def opened(url: str, **headers: str) -> int:
    """Status of a websocket: 101 when it opens."""

    async def run() -> int:
        try:
            async with connect(
                url.replace("http", "ws") + "/_stcore/stream", subprotocols=["streamlit"], additional_headers=headers,
                origin=None,
            ):  # fmt: skip
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    return in_a_thread(run())


def test_only_this_machine_by_its_own_names_may_ask(url: str) -> None:
    """A page elsewhere whose name is made to lead here (DNS rebinding) gets no session."""
    port = urllib.parse.urlsplit(url).port
    assert opened(url) == 101
    assert opened(url, Origin=f"http://127.0.0.1:{port}") == 101
    assert opened(url, Origin="https://evil.example") == 403
    # The header is sent as it is, so that the name and not the address is what is judged.
    for host, status in ((f"localhost:{port}", 101), ("evil.example", 403), (f"evil.example:{port}", 403)):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.putrequest("GET", "/_stcore/stream", skip_host=True)
        for name, value in (
            ("Host", host), ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Origin", f"http://{host}"),
        ):  # fmt: skip
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == status, host
        connection.close()


def test_a_file_without_the_token_is_refused(url: str) -> None:
    port = urllib.parse.urlsplit(url).port
    for method in ("PUT", "POST", "DELETE"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request(method, "/_stcore/upload_file/some-session/some-file", body=b"x")
        assert connection.getresponse().status in (400, 403, 405)
        connection.close()


def test_no_program_drives_the_pages(url: str) -> None:
    """Streamlit can answer programs over HTTP with what a page shows; here it never does."""
    port = urllib.parse.urlsplit(url).port
    for route in ("interact", "mcp"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request(
            "POST", f"/_stcore/agent/{route}", body=b"{}", headers={"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        assert answer.status >= 400, route
        assert b"Validation" not in answer.read()
        connection.close()


def test_a_few_visitors_get_their_own_answers() -> None:
    found = hold(3, 6.0, every=3.0)
    assert not [words for words in found.findings if "memory" not in words] and found.answers >= 3


# -- errors ----------------------------------------------------------------------------------------------


def words_of(app: AppTest) -> str:
    """Everything that a reader could see."""
    parts = [str(block.proto.body) for block in app.get("html")] + [
        str(block.value) for block in app.markdown
    ]
    parts += [str(block.proto) for block in app.exception]
    return "\n".join(part for part in parts if "<style>" not in part)


def broken(*given: object, **more: object) -> None:
    raise ValueError(f"{SECRET} in {ROOT}/data/demo")


def test_an_error_of_a_page_is_one_sentence_and_the_log_has_the_rest(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture  # noqa: F811  # the fixture
) -> None:  # fmt: skip
    monkeypatch.setattr("pages._ui.page.begin", broken)
    with caplog.at_level(logging.ERROR):
        app = open_app("data.py")
    shown = words_of(app)
    assert "This page could not be drawn." in shown and "Reference" in shown
    assert (
        SECRET not in shown
        and str(ROOT) not in shown
        and "Traceback" not in shown
        and "ValueError" not in shown
    )
    assert SECRET in caplog.text and "Traceback" in caplog.text
    reference = shown.split("Reference ")[1][:4]
    assert reference in caplog.text


def test_an_error_of_a_figure_leaves_the_page_and_says_no_more(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture  # noqa: F811  # the fixture
) -> None:  # fmt: skip
    monkeypatch.setattr("pages._ui.figure.drawn", broken)
    with caplog.at_level(logging.ERROR):
        app = open_app("maritime.py")
    shown = words_of(app)
    assert "This figure could not be drawn." in shown and not app.exception
    assert SECRET not in shown and str(ROOT) not in shown
    assert SECRET in caplog.text


def test_a_reader_is_not_told_where_data_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from analysis.errors import AnalysisError

    monkeypatch.setenv(datasets.VARIABLE, str(tmp_path / "place" / "program"))
    said = states.in_words(AnalysisError(f"{tmp_path}/place/program/cells/months.parquet is damaged."))
    assert said == "program/cells/months.parquet is damaged."
    mine = tmp_path / ".validation-analysis-own.writing-abcdefgh" / "files" / "my rows.csv"
    assert own.holds(mine)
    assert states.in_words(AnalysisError(f"{mine} is empty.")) == "my rows.csv is empty."


def test_a_damaged_dataset_is_one_sentence_on_the_page(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path  # noqa: F811  # the fixture
) -> None:  # fmt: skip
    broken = tmp_path / "secret-place" / "program"
    broken.mkdir(parents=True)
    (broken / "dataset.toml").write_text("name = ", encoding="utf-8")
    monkeypatch.setenv(datasets.VARIABLE, str(broken))
    monkeypatch.setattr(datasets, "DEMO", broken)
    shown = words_of(open_app())
    assert "program/dataset.toml is damaged" in shown and "secret-place" not in shown
