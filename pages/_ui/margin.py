"""The margin a reader moves: kept in the address as the command line writes it, shown in points or as a ratio.

The margin stands in the address under the name ``margin``, as a fraction or a ratio; without it the one set beforehand
holds. As with every choice, a widget out of sight carries the code and the one in sight shows words
(`pages._ui.filters`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analysis.questions.robustness_margin import margin_size, margin_steps, set_margin

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.results import Comparison

_KEY, _SHOWN, _OF = "margin", "margin-shown", "margin-of"
_AS_SET = ""


def moved(dataset: Dataset, metric: str) -> float | None:
    """The margin the reader moved to, None for the one set beforehand.

    Each metric has a margin of its own: going on to another takes the reader's off.
    """
    codes = _codes(dataset, metric)
    of = (dataset.identity, metric)
    known = st.session_state.get(_KEY)
    if known is not None and (st.session_state.get(_OF, of) != of or known not in codes):
        st.session_state[_KEY] = _AS_SET
    st.session_state[_OF] = of
    with st.container(key=f"carried-{_KEY}"):
        carried = st.selectbox("Margin", sorted(codes), key=_KEY, bind="query-params")
    return float(carried) if carried else None


def slider(dataset: Dataset, metric: str, answer: Comparison) -> None:
    """The slider, and the way back to the margin set beforehand; nothing where none is judged against."""
    set_at, codes = set_margin(dataset, metric), _codes(dataset, metric)
    if set_at is None:
        return
    if st.session_state.get(_SHOWN) != st.session_state[_KEY]:
        st.session_state[_SHOWN] = st.session_state[_KEY]

    def words(code: str) -> str:
        return margin_size(float(code), answer) if code else f"{margin_size(set_at, answer)}, as set"

    with st.container(key=f"choice-{_KEY}"):
        st.select_slider("Move the margin", codes, format_func=words, key=_SHOWN, on_change=_hand_on)
        if st.session_state[_KEY]:
            st.button(
                "Back to the margin set beforehand",
                key="margin-reset",
                icon=":material/restart_alt:",
                type="tertiary",
                on_click=_reset,
            )


def _codes(dataset: Dataset, metric: str) -> list[str]:
    """Margins from the strictest to the widest; the one set beforehand is the empty code, which leaves no trace."""
    set_at = set_margin(dataset, metric)
    return [_AS_SET if step == set_at else f"{step:g}" for step in margin_steps(dataset, metric)] or [_AS_SET]


def _hand_on() -> None:
    st.session_state[_KEY] = st.session_state[_SHOWN]


def _reset() -> None:
    st.session_state[_KEY] = _AS_SET
