"""Notes on single validations: written here, kept in the session, and with the dataset where its folder can be written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from analysis import wording
from analysis.charts.markup import element, text
from analysis.charts.tables import plain_table
from analysis.datasets.notes import (
    LONGEST_NOTE,
    NOTES,
    Note,
    can_keep,
    keep_note,
    notes_text,
    read_notes,
    with_note,
)
from analysis.errors import AnalysisError
from pages._ui import own, page

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from pages._ui.page import View

_HELD, _PROBLEM = "notes", "notes-problem"


def draw(view: View, odd: Sequence[str]) -> None:
    """The notes on a dataset's validations, and a form to keep one on any of those listed."""
    held, damaged = _held(view.dataset)
    ids = [*odd, *(key for key in sorted(held) if key not in set(odd))]
    if not ids and not damaged:
        return
    with st.container(key="notes"):
        st.html(element("h2", text("Your notes"), class_="figure-title"))
        page.note(_where(view.dataset))
        for problem in (damaged, st.session_state.pop(_PROBLEM, "")):
            if problem:
                page.note(problem)
        if ids and not damaged:
            _form(view.dataset, ids, held)
        if held:
            st.html(plain_table(_table(held), caption="Your notes", strong=["Validation"]))
            st.download_button(
                "Download the notes", notes_text(held), file_name=NOTES, mime="application/toml", key="notes-file",
                icon=":material/download:", type="tertiary", on_click="ignore",
            )  # fmt: skip


def _form(dataset: Dataset, ids: list[str], held: dict[str, Note]) -> None:
    with st.form("note", clear_on_submit=True, border=False):
        chosen = st.selectbox(
            "Validation", ids, format_func=lambda one: f"{one} (noted)" if one in held else one, key="note-on"
        )
        st.text_area(
            "Note (empty: take the note away)", max_chars=LONGEST_NOTE, height=80, key="note-text",
            help="Rather what was done than who did it.",
        )  # fmt: skip
        st.form_submit_button("Keep the note", on_click=_keep, args=(dataset,), disabled=chosen is None)


def _keep(dataset: Dataset) -> None:
    on, words = st.session_state["note-on"], st.session_state["note-text"]
    now = dt.datetime.now(dt.UTC)
    try:
        if can_keep(dataset.path):
            kept = keep_note(dataset.path, on, words, now)
        else:
            kept = with_note(_in_session(dataset), on, words, now)
    except AnalysisError as error:
        st.session_state[_PROBLEM] = f"The note was not kept: {error}"
        return
    st.session_state[_HELD] = {**st.session_state.get(_HELD, {}), dataset.identity: kept}


def _held(dataset: Dataset) -> tuple[dict[str, Note], str]:
    """Notes with the dataset and in the session, or why those with the dataset cannot be read."""
    try:
        return read_notes(dataset.path) | _in_session(dataset), ""
    except AnalysisError as error:
        return _in_session(dataset), str(error)


def _in_session(dataset: Dataset) -> dict[str, Note]:
    held: dict[str, Note] = st.session_state.get(_HELD, {}).get(dataset.identity, {})
    # What a writable folder holds is the truth, also of what others took away meanwhile.
    return {} if can_keep(dataset.path) else held


def _where(dataset: Dataset) -> str:
    """Where notes on this dataset are kept, in words."""
    if own.holds(dataset.path):
        return f"Notes belong to this session, as the dataset does: download the dataset, or the notes, to keep them ({NOTES})."
    if can_keep(dataset.path):
        return f"Notes are kept in the file {NOTES} in the dataset's folder, where everybody who opens it sees them. Nothing is sent anywhere."
    return "The dataset's folder cannot be written, so notes are kept in this session only: download them before you leave."


def _table(held: dict[str, Note]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Validation": note.validation_id,
                "Note": note.text,
                "Written": f"{wording.date(note.written.date())}, {note.written:%H:%M} UTC",
            }
            for _, note in sorted(held.items())
        ]
    )
