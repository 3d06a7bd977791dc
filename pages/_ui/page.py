"""The frame of a page: title, scope line, notes and the answer in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from analysis import reasons, wording
from analysis.charts.markup import element, emphasised, tag_box, text
from analysis.figures.captions import state_without_table
from analysis.suppression import suppressed
from pages._ui.cache import ask, turns
from pages._ui.states import show_state

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from analysis.datasets.opening import Dataset
    from analysis.results import Comparison
    from analysis.selection import Selection

Answer = TypeVar("Answer")

_KEY = "view"
LAST_VALIDATION = (
    "Field office and period are the incident's own. Validation mode, risk, kind and location are those of the member's "
    "**last validation before the incident**; with such a filter, incidents without one are left out."
)
"""What the filters mean where incidents are counted."""


@dataclass(frozen=True, slots=True)
class View:
    """What a page is asked about: a dataset, a selection, parts of the address that were ignored.

    With `suppress` counts of 1 to 4 are hidden on the screen too, as they are in every export.
    """

    dataset: Dataset
    selection: Selection
    ignored: tuple[str, ...] = ()
    suppress: bool = False


def keep(view: View) -> None:
    """Hand the view from the shell to the page it is about to run."""
    st.session_state[_KEY] = view


def begin(title: str) -> View:
    """Open a page: its title, what it speaks of, and what was ignored.

    Returns
    -------
    View
        The dataset and the selection to ask about.
    """
    turns.arrived()
    view: View = st.session_state[_KEY]
    st.title(title, anchor=False)
    words = f"{view.selection.words(view.dataset)} · data as of {wording.date(view.dataset.as_of)}"
    if view.suppress:
        words += " · counts of 1 to 4 hidden"
    box = tag_box(view.dataset.tag, synthetic=view.dataset.synthetic)
    st.html(element("p", f"{box}{text(words)}", class_="scope"))
    if view.ignored:
        name = "Ignored filter" if len(view.ignored) == 1 else "Ignored filters"
        st.html(element("p", text(f"{name}: {wording.listed(view.ignored)}"), class_="note", role="status"))
    return view


def asked(view: View, question: Callable[..., Answer], *subject: Any, **settings: Any) -> Answer:
    """The answer to a question of the page itself, as this view may show it."""
    answer = ask(question, *subject, **settings)
    return suppressed(answer) if view.suppress else answer


def require(view: View, table: str) -> None:
    """Go on only with a dataset that has a table; a page without it says so and ends."""
    if not view.dataset.has(table):
        show_state(state_without_table(table), f"without-{table}")
        st.stop()


def answer(sentence: str) -> None:
    """The answer in plain words, at most 45 of them; ``**bold**`` on one or two numbers."""
    st.html(element("p", emphasised(sentence), class_="answer"))


def note(words: str) -> None:
    """A remark beside the answer, e.g. that a filter is not applied here."""
    st.html(element("p", emphasised(words), class_="note"))


def remarks(answer: Comparison) -> None:
    """What to keep in mind about an answer: its reasons and the caveats of its main estimate, in words."""
    caveats = answer.answer.caveats if answer.answer else ()
    keep_in_mind((*answer.reasons, *caveats))


def keep_in_mind(codes: Iterable[str]) -> None:
    """Reason codes in words, each once; nothing where there are none."""
    items = "".join(element("li", text(reasons.words(code))) for code in dict.fromkeys(codes))
    if items:
        st.html(element("ul", items, class_="note"))


def link(file: str, words: str) -> None:
    """The way to another page, filters and all."""
    st.page_link(file, label=words, icon=":material/arrow_forward:")


def space() -> DeltaGenerator:
    """Room on the page to be filled later, for what stands above the choice it depends on."""
    return st.container()


def columns() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two figures side by side on a wide page, one below the other on a narrow one."""
    left, right = st.columns(2, gap="large")
    return left, right


def heading(words: str, anchor: str | None = None) -> None:
    """A part of a long page; with an anchor, `contents` can lead to it."""
    st.header(words, anchor=anchor or False)


def asked_part() -> str:
    """The part of the page that the address asks for, empty for none: ``?part=ways``."""
    return str(st.query_params.get("part", ""))


def contents(parts: Mapping[str, str]) -> None:
    """Links to the parts of this page, anchor → words."""
    links = "".join(
        element("li", element("a", text(words), href=f"#{anchor}")) for anchor, words in parts.items()
    )
    st.html(element("nav", element("ul", links), class_="contents", aria_label="On this page"))
