"""What was worked out of some rows before: for records that several questions start from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Known = TypeVar("Known")


class Memo:
    """Results by name, each worked out once; it ends with the rows it stands beside.

    Examples
    --------
    >>> memo = Memo()
    >>> memo.once("sum", lambda: 1 + 1), memo.once("sum", lambda: 3)
    (2, 2)
    """

    __slots__ = ("_known", "_one_at_a_time")

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}
        # Visitors share rows: what one of them works out, another waits for. What is worked out may need the next.
        self._one_at_a_time = threading.RLock()

    def once(self, name: Hashable, work: Callable[[], Known]) -> Known:
        """What was worked out under this name, or is now."""
        with self._one_at_a_time:
            if name not in self._known:
                self._known[name] = work()
            found: Known = self._known[name]
            return found
