"""Answers are kept by what they depend on: question, dataset, selection, settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import streamlit as st

Answer = TypeVar("Answer")
MOST_ANSWERS = 512


def ask(function: Callable[..., Answer], *subject: Any, **settings: Any) -> Answer:
    """Call a function, or hand out the answer it gave to the same arguments before.

    A dataset among the arguments counts by its fingerprint, everything else by its ``repr``: selections and
    settings are small values. Everybody gets the same object, so answers are read, never changed.

    Examples
    --------
    ``ask(compare, view.dataset, view.selection, metric="any_must_deficiency")``
    """
    parts = [getattr(part, "fingerprint", part) for part in subject]
    key = repr((function.__module__, function.__qualname__, parts, sorted(settings.items())))
    return cast(Answer, _kept(key, lambda: function(*subject, **settings)))


@st.cache_resource(max_entries=MOST_ANSWERS, show_spinner=False)
def _kept(key: str, _answer: Callable[[], Any]) -> Any:
    return _answer()
