"""What stands where a figure cannot: nothing matches, too little to compare, or something went wrong."""

from __future__ import annotations

import logging
import zlib
from pathlib import Path

import streamlit as st

from analysis.charts.figure import State
from analysis.charts.markup import element, text
from analysis.errors import AnalysisError
from pages._ui import datasets, filters, own

_SIGNS = {"empty": "0", "too_small": "i", "error": "!"}
_log = logging.getLogger(__name__)


def show_state(state: State, key: str) -> None:
    """The dashed box: a fact, the next step, and the reset where filters are the cause."""
    sign = element("span", _SIGNS[state.kind], class_="icon", aria_hidden="true")
    words = element("p", element("strong", text(state.fact))) + element("p", text(state.next_step))
    st.html(element("div", sign + words, class_="state", role="status"))
    if state.kind == "empty":
        filters.reset_button(f"reset-{key}")


def state_of(error: Exception, what: str) -> State:
    """An error in words; what is not ours gets a short reference that is also in the log."""
    if isinstance(error, AnalysisError):
        return State("error", "This figure could not be drawn.", in_words(error))
    reference = _logged(error, what)
    return State(
        "error",
        "This figure could not be drawn.",
        f"The rest of the page is unaffected. Reference {reference}.",
    )


def state_of_page(error: Exception, what: str) -> State:
    """An error that a whole page ended in, as `state_of`."""
    if isinstance(error, AnalysisError):
        return State("error", "This page could not be drawn.", in_words(error))
    return State(
        "error",
        "This page could not be drawn.",
        f"The other pages are unaffected. Reference {_logged(error, what)}.",
    )


def in_words(error: AnalysisError) -> str:
    """What an error says to a reader: datasets by their names, not by where they lie on the server."""
    words = own.shortened(str(error))
    for folder in datasets.folders().values():
        for path in (folder, folder.absolute()):
            words = words.replace(f"{path.parent}/", "") if path.parent != Path() else words
    return words


def _logged(error: Exception, what: str) -> str:
    """Put an error down in the log, with all that belongs to it, and give its reference."""
    reference = f"{zlib.crc32(repr((what, error)).encode(errors='replace')) & 0xFFFF:04X}"
    _log.error("%s could not be drawn, reference %s", what, reference, exc_info=error)
    return reference
