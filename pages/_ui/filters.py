"""The filters in the sidebar: the same on every page, kept in the address under the command line's names.

Streamlit writes a bound widget's *labels* into the address, while links carry codes (``mode=in_person``).
So each list filter is two widgets: one out of sight, bound to the address, whose options are the codes; and
the one people use, which shows labels and hands its choice on. Back, forward, reload and page changes then
work as Streamlit's own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from analysis.selection import Selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

_SMALL, _HIDDEN = "small", "hidden"
EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2100, 12, 31)


@dataclass(frozen=True, slots=True)
class Filter:
    """One list filter: its name in the address, its column, its title, and what no choice is called."""

    option: str
    column: str
    title: str
    everything: str


OFFICE = Filter("office", "field_office", "Field office", "All offices")
MODE = Filter("mode", "mode", "Validation mode", "")
MORE = (
    Filter("entity-type", "entity_type", "Entity type", "All entity types"),
    Filter("risk", "risk", "Risk", "All risks"),
    Filter("kind", "kind", "Kind of validation", "All kinds"),
    Filter("location", "location", "Location", "All locations"),
    Filter("focus-area", "focus_area", "Focus area", "All focus areas"),
)

TRANSPORT = Filter("transport-mode", "transport_mode", "Transport mode", "All transport modes")
OF_INCIDENTS = ("incidents", "maritime")
"""Pages, by their place in the address, that have the transport-mode filter; the others carry it along, unapplied."""


def chosen(dataset: Dataset, here: str = "") -> tuple[Selection, tuple[str, ...]]:
    """Draw the filters this dataset records and read them.

    Parameters
    ----------
    dataset : Dataset
    here : str
        The page's place in the address.

    Returns
    -------
    selection : Selection
    ignored : tuple of str
        Parts of the address (or of the choice) that were not understood, in words.
    """
    # Read before any widget is drawn: Streamlit drops what it does not know without a word.
    asked = {name: st.query_params.get_all(name) for name in st.query_params}
    lists = [each for each in (OFFICE, MODE, *MORE, TRANSPORT) if dataset.records(each.column)]
    with st.container(key="carried"):
        carried = {each.option: _carried(each, dataset) for each in lists}
    hand_on = _hand_on([each.option for each in lists])
    if OFFICE in lists:
        _multiselect(OFFICE, dataset, hand_on)
    if MODE in lists:
        _modes(dataset, hand_on)
    if TRANSPORT in lists and here in OF_INCIDENTS:
        _multiselect(TRANSPORT, dataset, hand_on)
    period = _period(dataset)
    more = [each for each in MORE if each in lists]
    if more:
        filtered = sum(1 for each in more if carried[each.option])
        with st.expander(f"More filters ({filtered})" if filtered else "More filters", key="more-filters"):
            for each in more:
                _multiselect(each, dataset, hand_on)
    selection, refused = Selection.from_query({**carried, **period}, dataset)
    if here not in OF_INCIDENTS:
        selection = selection.without("transport_modes")
    unknown = [f"{_SMALL} {value}" for value in asked.get(_SMALL, []) if value != _HIDDEN]
    ignored = (*Selection.from_query(asked, dataset)[1], *unknown)
    return selection, _remembered(selection, ignored) or refused


def hides_small_counts() -> bool:
    """Draw the switch for a screen that others look at, and read it: ``?small=hidden``.

    It is no filter: nothing is left out, and the reset leaves it as it is.
    """
    with st.container(key=f"carried-{_SMALL}"):
        carried = st.multiselect("Small counts", [_HIDDEN], key=_SMALL, bind="query-params")
    shown = _shown(_SMALL)
    if st.session_state.get(shown) != bool(carried):
        st.session_state[shown] = bool(carried)

    def hand_on() -> None:
        st.session_state[_SMALL] = [_HIDDEN] if st.session_state[shown] else []

    st.toggle(
        "Hide counts of 1 to 4", key=shown, on_change=hand_on,
        help="For a screen that others see: small counts, and what would give them back, are not shown. "
        "Downloads always leave them out.",
    )  # fmt: skip
    return bool(carried)


def reset() -> None:
    """Take every filter off; a callback for buttons."""
    for each in (OFFICE, MODE, *MORE, TRANSPORT):
        for key in (each.option, _shown(each.option)):
            if key in st.session_state:
                st.session_state[key] = []
    for key in ("from", "to"):
        if key in st.session_state:
            st.session_state[key] = st.session_state["period-of-data"][key]


def forget() -> None:
    """Take every filter off because another dataset is shown, whose period is its own."""
    reset()
    for key in ("from", "to"):
        st.session_state.pop(key, None)


def reset_button(key: str) -> None:
    """The way back to everything."""
    st.button("Reset filters", key=key, icon=":material/restart_alt:", type="tertiary", on_click=reset)


def _shown(option: str) -> str:
    return f"{option}-shown"


def _hand_on(options: list[str]) -> Callable[[], None]:
    def hand_on() -> None:
        # All of them, not only the one touched: a second click may arrive before the first has come back.
        for option in options:
            if _shown(option) in st.session_state:
                st.session_state[option] = st.session_state[_shown(option)]

    return hand_on


def _carried(each: Filter, dataset: Dataset) -> list[str]:
    """The widget out of sight; the one in sight follows it."""
    values = st.multiselect(each.title, dataset.vocabulary(each.column), key=each.option, bind="query-params")
    shown = _shown(each.option)
    if st.session_state.get(shown) != values:
        st.session_state[shown] = values
    return values


def _worth_showing(each: Filter, dataset: Dataset) -> list[str]:
    """What occurs in the dataset, and what the address asked for though it does not."""
    asked = st.session_state[each.option]
    there = dataset.present(each.column)
    return [code for code in dataset.vocabulary(each.column) if code in there or code in asked]


def _multiselect(each: Filter, dataset: Dataset, hand_on: Callable[[], None]) -> None:
    st.multiselect(
        each.title,
        _worth_showing(each, dataset),
        format_func=lambda code: dataset.label(each.column, code),
        key=_shown(each.option),
        placeholder=each.everything,
        on_change=hand_on,
    )


def _modes(dataset: Dataset, hand_on: Callable[[], None]) -> None:
    codes = _worth_showing(MODE, dataset)
    draw = st.segmented_control if len(codes) <= 2 else st.pills
    draw(
        MODE.title,
        codes,
        selection_mode="multi",
        format_func=lambda code: dataset.label(MODE.column, code),
        key=_shown(MODE.option),
        on_change=hand_on,
    )


def _period(dataset: Dataset) -> dict[str, list[str]]:
    whole = dict(zip(("from", "to"), dataset.period, strict=True))
    st.session_state["period-of-data"] = whole
    days: dict[str, dt.date] = {}
    for option, title in (("from", "From"), ("to", "To")):
        day = st.date_input(
            title,
            value=whole[option],
            min_value=EARLIEST,
            max_value=LATEST,
            format="YYYY-MM-DD",
            key=option,
            bind="query-params",
        )
        days[option] = day if isinstance(day, dt.date) else whole[option]
    if days["from"] > days["to"]:
        st.caption("“To” lies before “From”, so it is not applied.")
    return {option: [day.isoformat()] for option, day in days.items() if day != whole[option]}


def _remembered(selection: Selection, ignored: tuple[str, ...]) -> tuple[str, ...]:
    """What the address held that was not understood, until the filters change."""
    if ignored:
        st.session_state["ignored-filters"] = (selection, ignored)
    kept: tuple[Selection, tuple[str, ...]] | None = st.session_state.get("ignored-filters")
    if kept is None or kept[0] != selection:
        st.session_state.pop("ignored-filters", None)
        return ()
    return kept[1]
