"""Questions that other questions start from: answered anew, or as somebody who keeps answers has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Answer = TypeVar("Answer")

Ask = Callable[..., Any]
"""Called as ``ask(question, *subject, **settings)``; hands out what the question answers."""

_ASKING: ContextVar[Ask | None] = ContextVar("asking", default=None)


@contextmanager
def answered_by(ask: Ask) -> Iterator[None]:
    """Within this block, `answer_to` asks through `ask`: what a page shows shares the answers that it keeps."""
    before = _ASKING.set(ask)
    try:
        yield
    finally:
        _ASKING.reset(before)


@contextmanager
def keeping() -> Iterator[None]:
    """Within this block an answer is given once, for as long as the block lasts; where somebody keeps them, as they do."""
    known: dict[str, Any] = {}

    def ask(question: Callable[..., Any], *subject: Any, **settings: Any) -> Any:
        key = key_of(question, *subject, **settings)
        if key not in known:
            known[key] = question(*subject, **settings)
        return known[key]

    with answered_by(_ASKING.get() or ask):
        yield


def key_of(question: Callable[..., Any], *subject: Any, **settings: Any) -> str:
    """What an answer is kept by: a dataset counts by its identity, everything else by its ``repr``."""
    parts = [getattr(part, "identity", part) for part in subject]
    return repr((question.__module__, question.__qualname__, parts, sorted(settings.items())))


def answer_to(question: Callable[..., Answer], *subject: Any, **settings: Any) -> Answer:
    """The answer to a question, all counts in it; asked with the same arguments it is the same object where it is kept."""
    ask = _ASKING.get()
    answer: Answer = ask(question, *subject, **settings) if ask else question(*subject, **settings)
    return answer
