"""Rows that several questions of a page start from: counted once where somebody holds them.

Most figures of a page ask about the same rows. Nothing is held unless a caller says so: a question by itself counts.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar, cast

MOST = 16
MOST_BYTES = 768 * 2**20


class Rows(Protocol):
    """Anything that says how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes."""


Found = TypeVar("Found", bound=Rows)


class Shared:
    """The rows last asked for: `most` kinds of them at most, within `most_bytes`."""

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._held: OrderedDict[Hashable, tuple[Rows, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._counting: dict[Hashable, threading.RLock] = {}

    def __len__(self) -> int:
        return len(self._held)

    @property
    def nbytes(self) -> int:
        """How much the rows held take in memory."""
        return sum(size for _, size in self._held.values())

    def get(self, key: Hashable) -> Rows | None:
        """The rows of that key, if they are held."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    @contextmanager
    def alone(self, key: Hashable) -> Iterator[None]:
        """One thread at a time counts what stands under a key; who waits for it finds it held."""
        with self._lock:
            turn = self._counting.setdefault(key, threading.RLock())
        try:
            with turn:
                yield
        finally:
            with self._lock:
                self._counting.pop(key, None)

    def put(self, key: Hashable, rows: Rows) -> None:
        """Hold rows, and let go of those that nobody asked for the longest; what is too large is not held."""
        size = rows.nbytes
        if size > self._most_bytes:
            return
        with self._lock:
            self._held[key] = rows, size
            self._held.move_to_end(key)
            while len(self._held) > self._most or self.nbytes > self._most_bytes:
                self._held.popitem(last=False)


_HELD: ContextVar[Shared | None] = ContextVar("shared", default=None)


@contextmanager
def sharing(shared: Shared | None = None) -> Iterator[None]:
    """Within this block, questions share what they count: through `shared`, else as they do outside it, else anew."""
    if shared is None:
        shared = _HELD.get()
    before = _HELD.set(Shared() if shared is None else shared)
    try:
        yield
    finally:
        _HELD.reset(before)


def counted_once(key: Hashable, count: Callable[[], Found]) -> Found:
    """The rows held under a key, else counted, and held where somebody holds rows: they are read, never changed."""
    held = _HELD.get()
    if held is None:
        return count()
    # What stands under a key is what was put there for it.
    if (known := held.get(key)) is not None:
        return cast(Found, known)
    with held.alone(key):
        if (known := held.get(key)) is not None:
            return cast(Found, known)
        found = count()
        held.put(key, found)
        return found
