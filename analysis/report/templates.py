"""Briefings to start from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

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
    return Briefing(
        "Virtual and in-person validations: where we stand", _entries(dataset, figures), selection
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
    return Briefing("Virtual vs in person, in full", _entries(dataset, figures), selection)


TEMPLATES: Mapping[str, tuple[str, Callable[[Dataset, Query], Briefing]]] = {
    "leadership": ("Leadership", leadership),
    "field_office": ("Field office", field_office),
    "full": ("Virtual vs in person, full", full_comparison),
}
"""Code → its name and how to make it."""


def _entries(dataset: Dataset, figures: list[str]) -> tuple[Entry, ...]:
    """Those figures that this dataset has the tables for."""
    from analysis.figures import registry

    known = registry()
    there = [name for name in figures if name in known]
    return tuple(
        Entry(name) for name in there if not known[name].needs or dataset.row_counts.get(known[name].needs)
    )
