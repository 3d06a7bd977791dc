"""Who is answered next when more is asked at once than one process can compute.

Python computes one thing at a time; a dozen pages computed side by side take half as long again as one after another.
So answers take turns: the first of every page, which hold its sentence and its first picture, then whoever came first.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from streamlit.runtime.scriptrunner_utils.script_run_context import get_run_yield_check

AT_ONCE = 2
"""Answers computed side by side: one computes while another reads."""
FIRST = 3
"""Answers of a page that go before the others."""
LOOKS_UP_AFTER = 0.1
"""Seconds after which whoever waits looks whether the visitor is still there and wants the same."""


class Turns:
    """A gate for `at_once` threads; the one with the lowest rank goes next, among equals the one who came first."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._here = threading.local()

    def arrived(self) -> None:
        """A page begins to ask, on this thread."""
        self._here.page, self._here.asked = next(self._numbers), 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a turn and hold it; what is asked on the way is part of it."""
        if getattr(self._here, "inside", False):
            yield
            return
        self._wait()
        self._here.inside = True
        try:
            yield
        finally:
            self._here.inside = False
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    @contextmanager
    def passed_by(self) -> Iterator[None]:
        """Go on without a turn, and with all that is asked on the way: for what is at hand, or as good as.

        Should it have to be made anew, others may already be waiting for it with turns of their own.
        """
        before = getattr(self._here, "inside", False)
        self._here.inside = True
        try:
            yield
        finally:
            self._here.inside = before

    def _wait(self) -> None:
        here = self._here
        here.asked = getattr(here, "asked", 0) + 1
        rank = here.page if here.asked > FIRST and hasattr(here, "page") else -1
        place = (rank, next(self._numbers))
        called_away = get_run_yield_check()
        with self._changed:
            heapq.heappush(self._waiting, place)
            try:
                while not self._free or self._waiting[0] != place:
                    self._changed.wait(None if called_away is None else LOOKS_UP_AFTER)
                    if called_away is not None:
                        called_away()
            except BaseException:
                # Somebody who has left, or has chosen something else, must not be waited for.
                self._waiting.remove(place)
                heapq.heapify(self._waiting)
                self._changed.notify_all()
                raise
            heapq.heappop(self._waiting)
            self._free -= 1
            # Room for two, perhaps: the next in the row looks again.
            self._changed.notify_all()
