"""What stands where a figure cannot: nothing matches, too little to compare, or something went wrong."""

from __future__ import annotations

import logging
import zlib

import streamlit as st

from analysis.charts.figure import State
from analysis.charts.markup import element, text
from analysis.errors import AnalysisError
from pages._ui import filters

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
        return State("error", "This figure could not be drawn.", str(error))
    reference = f"{zlib.crc32(repr((what, error)).encode()) & 0xFFFF:04X}"
    _log.exception("%s could not be drawn, reference %s", what, reference, exc_info=error)
    return State(
        "error",
        "This figure could not be drawn.",
        f"The rest of the page is unaffected. Reference {reference}.",
    )
