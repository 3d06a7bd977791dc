"""A figure on a page: finding and key at the left, *Actions* at the right; picture, caption, table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from analysis.charts.figure import Figure
from analysis.charts.markup import caption_line, element, mark, tag_box, text
from analysis.charts.tables import plain_table
from pages._ui import tray
from pages._ui.cache import ask
from pages._ui.page import View
from pages._ui.states import show_state, state_of

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

_MEDIA = {
    "CSV": ("text/csv", ":material/csv:"),
    "PNG": ("image/png", ":material/image:"),
    "SVG": ("image/svg+xml", ":material/shapes:"),
}
"""What a figure can be taken away as: media type and icon."""


def show(figure_id: str, view: View, *, key: str = "", **settings: Any) -> None:
    """Ask the registry for a figure and draw it.

    Whatever goes wrong stays inside the figure: the rest of the page is drawn. `key` tells two drawings of the same
    figure on one page apart.
    """
    try:
        record = ask(drawn, figure_id, view.dataset, view.selection, suppress=view.suppress, **settings)
    except Exception as error:
        # Whatever it is, it stays in this figure; the log has it all.
        state = state_of(error, figure_id)
        record = Figure(figure_id, "", state=state, tag=view.dataset.tag, synthetic=view.dataset.synthetic)
    draw(record, Source(view, settings), key or record.name)


def drawn(
    figure_id: str, dataset: Dataset, selection: Selection, *, suppress: bool, **settings: Any
) -> Figure:
    """A figure for the screen, as it is kept; what it asks is kept as well."""
    from altair.utils.schemapi import disable_debug_mode

    from analysis.figures import figure

    # Altair checks every part of a chart as it is made, a tenth of a page's time; the tests check every whole chart.
    disable_debug_mode()
    made = figure(figure_id, dataset, selection, palette="screen", suppress=suppress, **settings)
    return made.lighter()


@dataclass(frozen=True, slots=True)
class Source:
    """What a figure was made of: for its exports, and to be added to the briefing."""

    view: View
    settings: Mapping[str, Any]

    def exported(self, figure_id: str) -> Figure:
        """The figure as it leaves the house: light, and without small counts."""
        from analysis.figures import figure

        view = self.view
        return ask(
            figure, figure_id, view.dataset, view.selection, palette="light", suppress=True, **self.settings
        )


@st.fragment
def draw(record: Figure, source: Source, name: str) -> None:
    """Draw a figure; seeing its table or code draws only this figure again."""
    with st.container(key=f"fig-{name}"):
        _head(record, source, name)
        if record.state is not None:
            show_state(record.state, name)
        elif record.has_picture:
            # Not as an Altair chart, which Streamlit would make a specification of at every look, one session at a time.
            st.vega_lite_chart(record.specification, theme=None, width="stretch", key=f"chart-{name}")
        elif record.html is not None:
            st.html(record.html)
        if record.caption:
            st.html(caption_line(tag_box(record.tag, synthetic=record.synthetic), record.caption))
        if st.session_state.get(_open("table", name)) and not record.table.empty:
            st.html(plain_table(record.table, caption=record.title))
        if st.session_state.get(_open("code", name)) and record.code:
            st.code(record.code, language="python")


def _head(record: Figure, source: Source, name: str) -> None:
    # Some figures leave their title to the page; they have their menu all the same.
    lines = element("h2", text(record.title), class_="figure-title") if record.title else ""
    if record.measure:
        lines += element("p", text(record.measure), class_="measure")
    if record.key:
        entries = "".join(element("span", mark(entry.role) + text(entry.label)) for entry in record.key)
        lines += element("p", entries, class_="key")
    has_numbers = not (record.data.empty and record.table.empty)
    if not (has_numbers or record.code) or record.state is not None:
        if lines:
            st.html(lines)
        return
    align = "left" if lines else "right"
    with st.container(
        horizontal=True, wrap=False, gap="small", vertical_alignment="top", horizontal_alignment=align
    ):
        if lines:
            st.html(lines)
        with st.container(key=f"actions-{name}", width="content"):
            _actions(record, source, name)


def _actions(record: Figure, source: Source, name: str) -> None:
    with st.popover("Actions", type="tertiary"):
        if not record.table.empty:
            shown = bool(st.session_state.get(_open("table", name)))
            st.button(
                "Hide the table" if shown else "See the table",
                key=f"see-table-{name}",
                icon=":material/table:",
                type="tertiary",
                on_click=_turn,
                args=(_open("table", name),),
            )
        if not record.data.empty:
            _download("CSV", lambda: source.exported(record.id).to_csv(), record, name)
        if record.has_picture:
            _download("PNG", lambda: _picture(source.exported(record.id), "png"), record, name)
            _download("SVG", lambda: _picture(source.exported(record.id), "svg"), record, name)
        if record.code:
            shown = bool(st.session_state.get(_open("code", name)))
            st.button(
                "Hide the Python" if shown else "Copy as Python",
                key=f"see-code-{name}",
                icon=":material/code:",
                type="tertiary",
                on_click=_turn,
                args=(_open("code", name),),
            )
        _method_link(record)
        st.button(
            "Add to briefing",
            key=f"add-{name}",
            icon=":material/add_to_photos:",
            type="primary",
            on_click=tray.add,
            args=(record.id, source.view.selection, source.settings),
        )


def _download(kind: str, content: Callable[[], bytes | str], record: Figure, name: str) -> None:
    """One way to take a figure away; it is made when asked for."""
    media, icon = _MEDIA[kind]
    st.download_button(
        f"Download {kind}",
        content,
        file_name=f"{record.name}{'-SYNTHETIC' if record.synthetic else ''}.{kind.lower()}",
        mime=media,
        key=f"{kind.lower()}-{name}",
        icon=icon,
        type="tertiary",
        on_click="ignore",
    )


def _picture(record: Figure, kind: str) -> bytes | str:
    """A picture that says by itself what it shows and where its numbers come from."""
    from analysis.report.pictures import framed_png, framed_svg

    return framed_png(record) if kind == "png" else framed_svg(record)


def _method_link(record: Figure) -> None:
    """A link to the part of the page Methods that says how the figure is made, where one does."""
    from analysis.figures import registry

    spec = registry().get(record.id)
    if spec is not None and spec.method:
        # In a tab of its own: loading this one anew would take a session's own dataset away.
        st.link_button(
            "How this is made", f"methods?part={spec.method}", icon=":material/menu_book:", type="tertiary"
        )


def _open(what: str, name: str) -> str:
    return f"open-{what}-{name}"


def _turn(key: str) -> None:
    st.session_state[key] = not st.session_state.get(key, False)
