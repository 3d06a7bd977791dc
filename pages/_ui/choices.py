"""Choices a page offers besides the filters: which metric, by what. They too live in the address as codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import streamlit as st

from analysis.metrics import metrics
from analysis.questions.anomalies_technology import TechnologyColumn
from analysis.questions.anomalies_units import why_not
from analysis.questions.comparison import GROUP_COLUMNS, answerable
from analysis.questions.completeness import columns_of
from analysis.questions.robustness_leave_out import COLUMNS
from analysis.schema import LABELS
from pages._ui.cache import ask

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset


def metric(dataset: Dataset) -> str:
    """The metric a page speaks of, by its id: among those the dataset can answer, the first of them at first."""
    known = metrics()
    options = answerable(dataset) or tuple(known)
    return choice("Ask this of another metric", options, lambda name: known[name].label, key="metric")


def left_out_column(dataset: Dataset) -> str:
    """What is left out one by one."""
    columns = tuple(c for c in COLUMNS if c == "quarter" or dataset.records(c))
    return choice("Leave out, one at a time", columns, lambda column: LABELS[column], key="leave")


def group_column(dataset: Dataset) -> str:
    """The column by which a comparison is broken down, among those the dataset records."""
    columns = tuple(column for column in GROUP_COLUMNS if dataset.records(column))
    return choice("Where it differs: by", columns, lambda column: LABELS[column], key="by")


def criteria_order(dataset: Dataset) -> str:
    """Whether criteria are ranked by rate or by count; by count where no rate is known."""
    if not dataset.criteria_asked:
        return "count"
    names = {"rate": "Rate: of those assessed", "count": "Count"}
    return choice("Rank criteria by", tuple(names), lambda code: names[code], key="order")


def completeness_column(dataset: Dataset) -> str | None:
    """The column whose gaps are shown, among those that have some; none for the records themselves."""
    columns = ask(columns_of, dataset)
    if not columns:
        return None
    chosen = choice(
        "Show", ("", *columns), lambda name: f"Share with {name}" if name else "Records", key="column"
    )
    return chosen or None


def incident_basis() -> str:
    """By what incidents are counted over time."""
    names = {"month": "Month", "fiscal_year": "Fiscal year", "calendar_year": "Calendar year"}
    return choice("Incidents per", tuple(names), lambda code: names[code], key="basis")


def cause(dataset: Dataset) -> str | None:
    """The cause of incidents whose members' earlier deficiencies are shown; none for any cause."""
    causes = dataset.present("cause")
    if not causes:
        return None
    label = dataset.label
    chosen = choice(
        "Before an incident of",
        ("", *causes),
        lambda code: label("cause", code) if code else "any cause",
        key="cause",
    )
    return chosen or None


def respondent(dataset: Dataset) -> str:
    """Whose scores are shown; the kinds of respondent are never pooled."""
    there = dataset.present("respondent") or dataset.vocabulary("respondent")
    return choice(
        "Scores given by", there, lambda code: f"{dataset.label('respondent', code)}s", key="respondent"
    )


def anomaly_metric(dataset: Dataset) -> str:
    """What offices, specialists and months are compared on."""
    names = {
        "any_deficiency": "Validations with any deficiency",
        "any_must_deficiency": "Validations with a Must deficiency",
        "deficiency_rate": "Number of deficiencies",
    }
    codes = tuple(code for code in names if why_not(dataset, code) is None) or ("any_deficiency",)
    return choice(
        "Compare offices, specialists and months on", codes, lambda code: names[code], key="compare"
    )


def technology_column(dataset: Dataset) -> TechnologyColumn:
    """By what virtual validations are told apart."""
    names = {"platform": "Video platform", "tour": "Way of showing the site", "field_office": "Field office"}
    codes = tuple(code for code in names if code == "platform" or dataset.records(code))
    return cast(
        TechnologyColumn, choice("Virtual validations by", codes, lambda code: names[code], key="technology")
    )


def choice(title: str, codes: Sequence[str], label: Callable[[str], str], *, key: str) -> str:
    """One of several codes, shown by label and kept in the address as a code (see `pages._ui.filters`)."""
    shown = f"{key}-shown"

    def hand_on() -> None:
        st.session_state[key] = st.session_state[shown]

    with st.container(key=f"carried-{key}"):
        carried = st.selectbox(title, codes, key=key, bind="query-params")
    if st.session_state.get(shown) != carried:
        st.session_state[shown] = carried
    with st.container(key=f"choice-{key}"):
        st.selectbox(title, codes, format_func=label, key=shown, on_change=hand_on)
    return str(carried)
