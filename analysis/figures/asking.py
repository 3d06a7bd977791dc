"""How a figure asks its question: with small counts hidden wherever the reader wants them hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from analysis.suppression import suppressed

Answer = TypeVar("Answer")

Ask = Callable[..., Any]
"""Called as ``ask(question, *subject, **settings)``; hands out what the question answers."""

_HIDING: ContextVar[bool] = ContextVar("hiding", default=False)
_ASKING: ContextVar[Ask | None] = ContextVar("asking", default=None)


@contextmanager
def hiding(small_counts: bool) -> Iterator[None]:
    """Within this block, `asked` hides small counts or does not."""
    before = _HIDING.set(small_counts)
    try:
        yield
    finally:
        _HIDING.reset(before)


@contextmanager
def answered_by(ask: Ask) -> Iterator[None]:
    """Within this block, `asked` asks through `ask`: figures of one page share the answers that it keeps."""
    before = _ASKING.set(ask)
    try:
        yield
    finally:
        _ASKING.reset(before)


def asked(question: Callable[..., Answer], *subject: Any, **settings: Any) -> Answer:
    """The answer to a question, as this figure may show it.

    Everything a figure shows – marks, table, caption, text alternative, download – is made of what this returns, so
    that nothing in it tells what another part of it hides.
    """
    ask = _ASKING.get()
    answer: Answer = ask(question, *subject, **settings) if ask else question(*subject, **settings)
    return suppressed(answer) if _HIDING.get() else answer
