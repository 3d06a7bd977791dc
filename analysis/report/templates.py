"""Briefings to start from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import TYPE_CHECKING

from analysis.figures.comparison_words import HEADLINE
from analysis.questions.terms import answerable
from analysis.report.briefing import Briefing, Entry, Query

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset


def leadership(dataset: Dataset, selection: Query) -> Briefing:
    """Where the program stands: the answer, what stands behind it, what members get wrong, how breaches happen."""
    figures = [
        "overview.statistics",
        "virtual_vs_in_person.verdict",
        "virtual_vs_in_person.ways",
        "virtual_vs_in_person.metrics",
        "overview.months",
        "msc_deficiencies.criteria",
        "msc_deficiencies.reasons",
        "incidents.over_time",
        "incidents.causes",
    ]
    virtual, in_person = _arms(dataset)
    return Briefing(
        f"{virtual} and {in_person} validations: where we stand", _entries(dataset, figures), selection
    )


def field_office(dataset: Dataset, selection: Query) -> Briefing:
    """One field office: its numbers, what its members get wrong, what is overdue, what deserves a second look."""
    figures = [
        "overview.statistics",
        "overview.months",
        "virtual_vs_in_person.verdict",
        "msc_deficiencies.criteria",
        "msc_deficiencies.categories",
        "msc_deficiencies.reasons",
        "msc_deficiencies.repeats",
        "incidents.over_time",
        "data.completeness",
    ]
    return Briefing("Field office briefing", _entries(dataset, figures), selection)


def full_comparison(dataset: Dataset, selection: Query) -> Briefing:
    """Virtual vs in person with everything a critic will ask for: every figure of that page, in its order."""
    from analysis.figures import registry

    figures = [name for name in registry() if name.startswith("virtual_vs_in_person.")]
    virtual, in_person = _arms(dataset)
    return Briefing(
        f"{virtual} vs {in_person.replace('-', ' ')}, in full", _entries(dataset, figures), selection
    )


TEMPLATES: Mapping[str, tuple[str, Callable[[Dataset, Query], Briefing]]] = {
    "leadership": ("Leadership", leadership),
    "field_office": ("Field office", field_office),
    "full": ("Virtual vs in person, full", full_comparison),
}
"""Code → its name and how to make it."""


def _arms(dataset: Dataset) -> tuple[str, str]:
    """Names of the two arms in a title: stand-ins keep theirs."""
    virtual, in_person = dataset.modes["virtual"], dataset.modes["in_person"]
    return virtual, "in-person" if in_person == "In person" else in_person


_SHOWS = {"msc_deficiencies.reasons": "reason", "virtual_vs_in_person.evidence": "evidence"}
"""Figures of one column that a source need not have."""


def _entries(dataset: Dataset, figures: list[str]) -> tuple[Entry, ...]:
    """Those figures that this dataset has the tables and columns for."""
    from analysis.figures import registry

    known = registry()
    there = [name for name in figures if name in known]
    return tuple(
        Entry(name, _asked_of(dataset, name))
        for name in there
        if (not known[name].needs or dataset.row_counts.get(known[name].needs))
        and (name not in _SHOWS or dataset.present(_SHOWS[name]))
    )


def _asked_of(dataset: Dataset, figure: str) -> dict[str, str]:
    """The metric of a comparison, where the dataset cannot answer the headline: the first it can."""
    from analysis.figures import registry

    known = answerable(dataset)
    if not figure.startswith("virtual_vs_in_person.") or HEADLINE in known or not known:
        return {}
    return {"metric": known[0]} if "metric" in signature(registry()[figure].build).parameters else {}
