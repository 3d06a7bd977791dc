"""The tray: the figures collected for a briefing, kept with the session until they are saved to a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from analysis import wording
from analysis.report.briefing import Briefing, Entry, tidy_query

if TYPE_CHECKING:
    from analysis.selection import Selection

_TRAY = "briefing"
UNTITLED = "Briefing"


def briefing() -> Briefing:
    """What has been collected so far."""
    kept: Briefing = st.session_state.setdefault(_TRAY, Briefing(UNTITLED))
    return kept


def keep(changed: Briefing) -> None:
    """Replace what has been collected."""
    st.session_state[_TRAY] = changed


def change(**fields: Any) -> None:
    """Change some of its fields."""
    keep(dataclasses.replace(briefing(), **fields))


def add(figure_id: str, selection: Selection, settings: Mapping[str, Any]) -> None:
    """Add a figure as it is on the screen, filters and all; a callback for the button of the figure."""
    entry = Entry(figure_id, settings=dict(settings), selection=tidy_query(selection.to_query()))
    keep(briefing().with_entry(entry))
    st.toast(
        f"Added: {wording.counted(len(briefing().entries), 'figure')} in the briefing.",
        icon=":material/check:",
    )


def edit(place: int, **fields: str) -> None:
    """Retitle a figure, or note something on it."""
    entries = list(briefing().entries)
    entries[place] = dataclasses.replace(entries[place], **fields)  # type: ignore[arg-type]  # names of its own fields
    change(entries=tuple(entries))


def move(place: int, by: int) -> None:
    """Move a figure up or down; nothing happens at the ends."""
    entries = list(briefing().entries)
    other = place + by
    if 0 <= other < len(entries):
        entries[place], entries[other] = entries[other], entries[place]
        change(entries=tuple(entries))


def remove(place: int) -> None:
    """Take a figure out."""
    entries = briefing().entries
    change(entries=entries[:place] + entries[place + 1 :])
