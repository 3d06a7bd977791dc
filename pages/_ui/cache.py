"""Answers are kept by what they depend on: question, dataset, selection, settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import streamlit as st

from analysis.questions.asking import answered_by, key_of
from analysis.questions.sharing import MOST_BYTES, Shared, sharing
from pages._ui import own
from pages._ui.turns import Turns

Answer = TypeVar("Answer")
MOST_ANSWERS = 4096
"""An answer takes about 90 kB, so all of them at most 400 MB: every page for thirty selections."""

turns = Turns()
_answered: set[str] = set()


def ask(function: Callable[..., Answer], *subject: Any, **settings: Any) -> Answer:
    """Call a function, or hand out the answer it gave to the same arguments before.

    A dataset among the arguments counts by its identity, everything else by its ``repr``: selections and
    settings are small values. Everybody gets the same object, so answers are read, never changed; but answers
    about a session's own dataset stay in that session and end with it. Questions that a question starts from are kept in
    the same way, and so are, for a while, the rows that several of them count.

    Examples
    --------
    ``ask(compare, view.dataset, view.selection, metric="any_must_deficiency")``
    """
    key = key_of(function, *subject, **settings)
    here = any(own.holds(getattr(part, "path", None)) for part in subject)
    keep, shared = (_kept_here, _shared_here) if here else (_kept, _shared)

    def answer() -> Answer:
        with sharing(shared()), answered_by(ask):
            return function(*subject, **settings)

    # What was answered before is at hand, or as good as: nobody waits for it. A turn is waited for with nothing held.
    if key in _answered:
        with turns.passed_by():
            return cast(Answer, keep(key, answer))
    with turns.taken():
        made = keep(key, answer)
    if len(_answered) >= 2 * MOST_ANSWERS:
        _answered.clear()
    _answered.add(key)
    return cast(Answer, made)


@st.cache_resource(show_spinner=False)
def _shared() -> Shared:
    """What the figures of a page count alike is counted once for all of them."""
    return Shared()


@st.cache_resource(show_spinner=False, scope="session")
def _shared_here() -> Shared:
    """The same for a session's own dataset: smaller, because there are many sessions."""
    return Shared(most_bytes=MOST_BYTES // 8)


@st.cache_resource(max_entries=MOST_ANSWERS, show_spinner=False, scope="session")
def _kept_here(key: str, _answer: Callable[[], Any]) -> Any:
    return _answer()


@st.cache_resource(max_entries=MOST_ANSWERS, show_spinner=False)
def _kept(key: str, _answer: Callable[[], Any]) -> Any:
    return _answer()
