"""A figure on a page: finding and key at the left, *Actions* at the right; picture, caption, table."""

from __future__ import annotations

from typing import Any

import streamlit as st

from analysis.charts.figure import Figure
from analysis.charts.markup import caption_line, element, mark, tag_box, text
from analysis.charts.tables import plain_table
from pages._ui.cache import ask
from pages._ui.page import View
from pages._ui.states import show_state, state_of


def show(figure_id: str, view: View, **settings: Any) -> None:
    """Ask the registry for a figure and draw it.

    Whatever goes wrong stays inside the figure: the rest of the page is drawn.
    """
    try:
        from analysis.figures import figure

        record = ask(figure, figure_id, view.dataset, view.selection, palette="screen", **settings)
    except Exception as error:
        state = state_of(error, figure_id)
        record = Figure(figure_id, "", state=state, tag=view.dataset.tag, synthetic=view.dataset.synthetic)
    draw(record)


@st.fragment
def draw(record: Figure) -> None:
    """Draw a figure; seeing its table or code draws only this figure again."""
    with st.container(key=f"fig-{record.name}"):
        if record.title:
            _head(record)
        if record.state is not None:
            show_state(record.state, record.name)
        elif record.chart is not None:
            described = record.chart.properties(description=record.alt)
            st.altair_chart(described, theme=None, width="stretch", key=f"chart-{record.name}")
        elif record.html is not None:
            st.html(record.html)
        if record.caption:
            st.html(caption_line(tag_box(record.tag, synthetic=record.synthetic), record.caption))
        if st.session_state.get(_open("table", record)) and not record.table.empty:
            st.html(plain_table(record.table, caption=record.title))
        if st.session_state.get(_open("code", record)) and record.code:
            st.code(record.code, language="python")


def _head(record: Figure) -> None:
    lines = element("h2", text(record.title), class_="figure-title")
    if record.measure:
        lines += element("p", text(record.measure), class_="measure")
    if record.key:
        entries = "".join(element("span", mark(entry.role) + text(entry.label)) for entry in record.key)
        lines += element("p", entries, class_="key")
    has_numbers = not (record.data.empty and record.table.empty)
    if not (has_numbers or record.code) or record.state is not None:
        st.html(lines)
        return
    with st.container(horizontal=True, wrap=False, gap="small", vertical_alignment="top"):
        st.html(lines)
        with st.container(key=f"actions-{record.name}", width="content"):
            _actions(record)


def _actions(record: Figure) -> None:
    with st.popover("Actions", type="tertiary"):
        if not record.table.empty:
            shown = bool(st.session_state.get(_open("table", record)))
            st.button(
                "Hide the table" if shown else "See the table",
                key=f"see-table-{record.name}",
                icon=":material/table:",
                type="tertiary",
                on_click=_turn,
                args=(_open("table", record),),
            )
        if not record.data.empty:
            st.download_button(
                "Download CSV",
                record.to_csv,
                file_name=f"{record.name}{'-SYNTHETIC' if record.synthetic else ''}.csv",
                mime="text/csv",
                key=f"csv-{record.name}",
                icon=":material/csv:",
                type="tertiary",
                on_click="ignore",
            )
        if record.code:
            shown = bool(st.session_state.get(_open("code", record)))
            st.button(
                "Hide the Python" if shown else "Copy as Python",
                key=f"see-code-{record.name}",
                icon=":material/code:",
                type="tertiary",
                on_click=_turn,
                args=(_open("code", record),),
            )


def _open(what: str, record: Figure) -> str:
    return f"open-{what}-{record.name}"


def _turn(key: str) -> None:
    st.session_state[key] = not st.session_state.get(key, False)
