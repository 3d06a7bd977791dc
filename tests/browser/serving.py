"""Start the real app on a free port and wait until it answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
STREAMLIT = ("-m", "streamlit", "run", "app.py", "--server.port", "{port}")
UVICORN = ("-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning")


@contextmanager
def serving(
    env: Mapping[str, str] | None = None, *, command: tuple[str, ...] = STREAMLIT, until_ready: bool = True
) -> Iterator[str]:
    """The address of a new server, which is stopped at the end.

    Parameters
    ----------
    env : mapping, optional
        Environment variables besides the present ones.
    command : tuple of str
        Arguments to Python; ``{port}`` is filled in.
    until_ready : bool
        Whether to wait for ``/readyz`` too, not only for the health check.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, *(part.format(port=port) for part in command)],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"{url}/_stcore/health", process)
        if until_ready:
            wait_for(f"{url}/readyz", process)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Ask until the answer is 200.

    Raises
    ------
    RuntimeError
        When the server has ended, or does not answer in time.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(
                f"the server ended with code {process.returncode} before it answered {address}"
            )
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"no answer from {address} within {PATIENCE:.0f} seconds")
