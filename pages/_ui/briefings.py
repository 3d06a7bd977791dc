"""The briefing page: start, collect, retitle, reorder, see what changed, take away."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import streamlit as st

from analysis import wording
from analysis.charts.tables import plain_table
from analysis.errors import AnalysisError
from analysis.report.briefing import Briefing, Entry, parsed_briefing, tidy_query
from analysis.report.content import content_of, saved
from analysis.report.printed import changes_table
from analysis.report.templates import TEMPLATES
from analysis.report.writing import FORMATS, rendered
from analysis.selection import Selection
from pages._ui import figure, page, tray
from pages._ui.cache import ask

if TYPE_CHECKING:
    from analysis.report.content import Content
    from pages._ui.page import View

_NAMES = {
    ".pptx": "Slides (PowerPoint)",
    ".pdf": "PDF",
    ".html": "Web page",
    ".xlsx": "Workbook (Excel)",
    ".ipynb": "Notebook",
}
_MADE, _REFUSED = "briefing-made", "briefing-refused"
MOST_UPLOADED = 2
"""Megabytes of a briefing that is opened again: it is a small file."""


def sentence(view: View) -> str:
    """What the page opens with."""
    made = tray.briefing()
    if not made.entries:
        return "Nothing collected yet: choose **Add to briefing** in the menu of any figure, or start from a template."
    count = wording.counted(len(made.entries), "figure")
    content, _ = _content(view)
    if content is not None and content.changed:
        then = f" as of {wording.date(made.as_of)}" if made.as_of else ""
        moved = changes_table(content)
        beyond = sum("beyond" in words for words in moved["Change"])
        return (
            f"**{count}**, saved on other data ({made.dataset}{then}): {wording.counted(len(moved), 'number')} changed since, "
            f"**{beyond} beyond noise**."
        )
    return f"**{count}** in this briefing, ready to be ordered, retitled and taken along."


def start(view: View) -> None:
    """A template, or a briefing saved before."""
    left, right = st.columns(2, gap="large")
    with left:
        code = st.selectbox(
            "Start from a template", tuple(TEMPLATES), format_func=lambda c: TEMPLATES[c][0], key="template"
        )
        st.button("Use this template", key="use-template", on_click=_use, args=(view, code))
    with right:
        st.file_uploader(
            "Or open a saved briefing (.toml)",
            type=["toml"],
            key="briefing-file",
            on_change=_open,
            max_upload_size=MOST_UPLOADED,
        )
        if problem := st.session_state.get(_REFUSED):
            page.note(problem)


def collected(view: View) -> None:
    """The figures in order, each with its title, its note and its place."""
    made = tray.briefing()
    if not made.entries:
        return
    page.heading("Figures")
    _hold("briefing-title", made.title)
    st.text_input("Title of the briefing", key="briefing-title", on_change=_titled, max_chars=200)
    for place, entry in enumerate(made.entries):
        _entry(view, place, entry, len(made.entries))


def export(view: View) -> None:
    """Ways to take the briefing along; small counts are hidden unless the reader asks for them."""
    made = tray.briefing()
    if not made.entries:
        return
    content, problem = _content(view)
    if content is None:
        page.note(problem)
        return
    moved = changes_table(content)
    if content.changed:
        page.heading("What changed since it was saved")
        page.note(content.changed)
        if len(moved):
            st.html(plain_table(moved, caption="What changed since it was saved"))
    for words in content.problems:
        page.note(words)
    page.heading("Take it along")
    _hold("briefing-suppress", made.suppress)
    st.checkbox("Hide counts of 1 to 4 in what I take along", key="briefing-suppress", on_change=_suppressed)
    left, right = st.columns(2, gap="large")
    with left:
        suffix = st.selectbox(
            "Format", tuple(FORMATS), format_func=lambda s: _NAMES[s], key="briefing-format"
        )
        if st.button("Make it", key="make-briefing", type="primary"):
            _make(view, content, suffix)
        _take(made, suffix, content)
    with right:
        st.download_button(
            "Save the briefing (.toml)", saved(made, content, view.dataset).to_toml(), file_name=f"{_file_name(made)}.toml",
            mime="application/toml", key="save-briefing", icon=":material/save:", on_click="ignore",
        )  # fmt: skip
        st.caption(
            "Keeps figures, titles, filters and today's numbers: open it again on newer data to see what changed."
        )


def _entry(view: View, place: int, entry: Entry, count: int) -> None:
    query = entry.selection if entry.selection is not None else tray.briefing().selection
    selection, ignored = Selection.from_query(query, view.dataset)
    own = dataclasses.replace(view, selection=selection, ignored=ignored)
    with st.container(key=f"entry-{place}-{entry.figure.replace('.', '-')}", border=True):
        with st.container(horizontal=True, wrap=True, gap="small", vertical_alignment="bottom"):
            _hold(f"entry-title-{place}", entry.title)
            st.text_input(
                f"Title of figure {place + 1}", key=f"entry-title-{place}", placeholder="the figure's own finding",
                on_change=_edited, args=(place, "title"), max_chars=200,
            )  # fmt: skip
            st.button(
                "Up",
                key=f"up-{place}",
                icon=":material/arrow_upward:",
                on_click=tray.move,
                args=(place, -1),
                disabled=place == 0,
            )
            st.button(
                "Down",
                key=f"down-{place}",
                icon=":material/arrow_downward:",
                on_click=tray.move,
                args=(place, 1),
                disabled=place == count - 1,
            )
            st.button(
                "Remove", key=f"remove-{place}", icon=":material/delete:", on_click=tray.remove, args=(place,)
            )
        _hold(f"entry-note-{place}", entry.note)
        st.text_area(
            f"Note on figure {place + 1}", key=f"entry-note-{place}", height=68, on_change=_edited, args=(place, "note"),
            max_chars=2000, placeholder="what to say about it",
        )  # fmt: skip
        origin = entry.figure.split(".")[0].replace("_", " ").capitalize()
        page.note(f"From {origin} · {selection.words(view.dataset)}")
        figure.show(entry.figure, own, key=f"entry-{place}", **entry.settings)


def _make(view: View, content: Content, suffix: str) -> None:
    """Make the file, saying how far it is."""
    bar = st.progress(0.0, "Starting")

    def progress(done: int, whole: int, words: str) -> None:
        bar.progress(done / max(whole, 1), f"{done + 1} of {whole}: {_as_written(words[:80])}")

    try:
        made = rendered(content, suffix, progress=progress)
    except AnalysisError as error:
        page.note(str(error))
    else:
        st.session_state[_MADE] = (_key(content, suffix), made)
    bar.empty()


def _as_written(words: str) -> str:
    """A title where Streamlit reads Markdown."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|$~:<>&])", r"\\\1", words)


def _take(briefing: Briefing, suffix: str, content: Content) -> None:
    """The file made last, if it is still of this briefing."""
    key, made = st.session_state.get(_MADE, ("", b""))
    if key != _key(content, suffix):
        return
    st.download_button(
        f"Download {_NAMES[suffix]}", made, file_name=f"{_file_name(briefing)}{suffix}", mime=FORMATS[suffix][2],
        key="take-briefing", icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _content(view: View) -> tuple[Content | None, str]:
    """The briefing on this dataset, or why nothing of it can be made."""
    try:
        return ask(content_of, tray.briefing(), view.dataset), ""
    except AnalysisError as error:
        return None, str(error)


def _key(content: Content, suffix: str) -> str:
    return f"{suffix} {content.fingerprint} {content.briefing!r}"


def _file_name(briefing: Briefing) -> str:
    return re.sub(r"[^a-z0-9]+", "-", briefing.title.lower()).strip("-")[:60] or "briefing"


def _use(view: View, code: str) -> None:
    tray.keep(TEMPLATES[code][1](view.dataset, tidy_query(view.selection.to_query())))


def _open() -> None:
    file = st.session_state.get("briefing-file")
    st.session_state.pop(_REFUSED, None)
    if file is None:
        return
    try:
        tray.keep(parsed_briefing(file.getvalue().decode("utf-8", errors="replace"), file.name))
    except AnalysisError as error:
        st.session_state[_REFUSED] = str(error)


def _titled() -> None:
    tray.change(title=st.session_state["briefing-title"].strip() or tray.UNTITLED)


def _suppressed() -> None:
    tray.change(suppress=bool(st.session_state["briefing-suppress"]))


def _edited(place: int, what: str) -> None:
    tray.edit(place, **{what: st.session_state[f"entry-{what}-{place}"]})


def _hold(key: str, value: str | bool) -> None:
    """Give a field what the tray holds: fields are numbered by place, and places change.

    A changed default would not do: a browser keeps what stands in a field of the same key.
    """
    if st.session_state.get(key) != value:
        st.session_state[key] = value
