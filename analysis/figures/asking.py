"""How a figure asks its question: with small counts hidden wherever the reader wants them hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from analysis.questions.asking import answer_to
from analysis.suppression import suppressed

Answer = TypeVar("Answer")

_HIDING: ContextVar[bool] = ContextVar("hiding", default=False)


@contextmanager
def hiding(small_counts: bool) -> Iterator[None]:
    """Within this block, `asked` hides small counts or does not."""
    before = _HIDING.set(small_counts)
    try:
        yield
    finally:
        _HIDING.reset(before)


def asked(question: Callable[..., Answer], *subject: Any, **settings: Any) -> Answer:
    """The answer to a question, as this figure may show it.

    Everything a figure shows – marks, table, caption, text alternative, download – is made of what this returns, so
    that nothing in it tells what another part of it hides.
    """
    answer = answer_to(question, *subject, **settings)
    return suppressed(answer) if _HIDING.get() else answer
