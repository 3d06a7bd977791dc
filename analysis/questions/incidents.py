"""What happened, how, and to whom? Incidents by transport mode, concealment, cause, time, entity type and more.

Office and period of an incident are its own; validation mode, risk, kind and location are those of the member's last
validation before it. Every count is the sum of weights, so rows that stand for many incidents count as many.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from analysis import wording
from analysis.counts import available
from analysis.errors import AnalysisError, nearest
from analysis.questions.incident_concentration import concentration
from analysis.questions.incident_exposure import incidents_by_entity_type, overall_rate
from analysis.questions.incident_lift import earlier_deficiencies_by_cause
from analysis.questions.incident_records import Incidents, ShareRow
from analysis.questions.incident_series import BASES, incidents_over_time
from analysis.questions.incident_shares import (
    ONE_VALUED,
    incidents_by_cause,
    incidents_by_value,
    population,
    spoken,
)
from analysis.selection import Selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

_BY: dict[str, Callable[[Dataset, Selection], Incidents]] = {
    **{column: partial(lambda dataset, selection, column: incidents_by_value(dataset, column, selection), column=column)
       for column in ONE_VALUED},
    "cause": incidents_by_cause,
    **{basis: partial(lambda dataset, selection, basis: incidents_over_time(dataset, selection, basis), basis=basis)
       for basis in BASES},
    "entity_type": incidents_by_entity_type,
    "last_deficient_category": earlier_deficiencies_by_cause,
    "concentration": concentration,
}  # fmt: skip


def incidents(dataset: Dataset, by: str, selection: Selection = Selection()) -> Incidents:
    """Incidents of a selection, grouped.

    Parameters
    ----------
    dataset : Dataset
    by : str
        ``transport_mode``, ``concealment_method``, ``seal_issue``, ``contraband``, ``route_origin``, ``terminal``,
        ``field_office``; ``cause`` (an incident may have several); ``month``, ``fiscal_year``, ``calendar_year``;
        ``entity_type`` (with rates per member-year); ``last_deficient_category`` (what members were deficient in
        before); ``concentration``.
    selection : Selection
        Filters, the transport mode among them.

    Raises
    ------
    AnalysisError
        For another `by`, a filter value the dataset does not know, or a dataset without incidents.
    """
    if by not in _BY:
        raise AnalysisError(f"--by '{by}' is no way to group incidents; {nearest(by, _BY)}")
    checked(dataset)
    selection = selection.checked(dataset)
    answer = _BY[by](dataset, selection)
    return (
        dataclasses.replace(answer, sentence=headline(dataset, selection).sentence)
        if by == "transport_mode"
        else answer
    )


def checked(dataset: Dataset) -> None:
    """Refuse a dataset without incidents.

    Raises
    ------
    AnalysisError
        Saying what to import.
    """
    if not available(dataset, "incidents"):
        raise AnalysisError(f"the dataset '{dataset.name}' has no incidents: import a table of them first.")


def headline(dataset: Dataset, selection: Selection = Selection()) -> Incidents:
    """What the page opens with: how many, by which transport mode, at what rate, and how many name no member.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    selection = selection.checked(dataset)
    if not available(dataset, "incidents"):
        return Incidents("transport_mode", (), None, None, None, "This dataset has no incidents.")
    who = population(dataset, selection)
    if not who.n:
        return Incidents("transport_mode", (), 0, 0, 0, "No incidents match these filters.")
    answer = incidents_by_value(dataset, "transport_mode", selection)
    start, end = selection.period(dataset)
    when = wording.period(start, end).removesuffix(" (calendar)").replace(f" {wording.EN_DASH} ", " to ")
    said = f"From {when}" if " to " in when else f"In {when}"
    said += f", **{wording.counted(who.n, 'incident')}** {'was' if who.n == 1 else 'were'} recorded"
    first = next((row for row in answer.rows if isinstance(row, ShareRow)), None)
    if first and first.share is not None and len(selection.transport_modes) != 1:
        said += f", {wording.percent(first.share, first.n)} with transport mode {spoken(first.label).lower()}"
    rate = overall_rate(dataset, selection)
    if rate:
        bounds = rate[1]
        within = f" ({_per_thousand(bounds.low)} to {_per_thousand(bounds.high)})" if bounds else ""
        said += f"; those of members make **{_per_thousand(rate[0])} per 1,000 members a year**{within}"
    said += "."
    if 0 < who.unlinked < who.n:
        said += f" {wording.number(who.unlinked)} {'names' if who.unlinked == 1 else 'name'} no member."
    return dataclasses.replace(answer, sentence=said)


def _per_thousand(rate: float) -> str:
    return wording.number(rate * 1000, 1)
