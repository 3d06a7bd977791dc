"""The parts of the page Methods, in its order; links from other pages name one of them."""

from __future__ import annotations

from analysis.methods.guardrails import guardrails
from analysis.methods.statistics import statistics, topics_used
from analysis.methods.ways import ways
from analysis.metrics import metrics

_EXPLAINS = {
    "challenges": ("overview.published",),
    "metrics": (
        "overview.statistics",
        "virtual_vs_in_person.metrics",
        "virtual_vs_in_person.tracking",
        "msc_deficiencies.repeats",
    ),
    "verdicts": (
        "virtual_vs_in_person.verdict",
        "virtual_vs_in_person.margin",
    ),
    "ways": ("virtual_vs_in_person.ways",),
    "shares": (
        "virtual_vs_in_person.evidence",
        "msc_deficiencies.reasons",
        "msc_deficiencies.categories",
        "msc_deficiencies.rates",
        "msc_deficiencies.reason_categories",
        "incidents.concealment",
        "incidents.causes",
        "incidents.rates",
        "maritime.deficiencies",
        "feedback.response",
        "feedback.again",
    ),
    "adjusting": (
        "virtual_vs_in_person.balance",
        "virtual_vs_in_person.mix",
        "virtual_vs_in_person.groups",
        "virtual_vs_in_person.seen_by",
        "virtual_vs_in_person.specifications",
        "virtual_vs_in_person.unmeasured",
        "virtual_vs_in_person.leave_out",
        "virtual_vs_in_person.power",
        "msc_deficiencies.seen_by",
        "incidents.earlier_deficiencies",
    ),
    "times": (
        "virtual_vs_in_person.effort",
        "virtual_vs_in_person.hours",
        "virtual_vs_in_person.days_to_report",
        "virtual_vs_in_person.days_to_close",
        "virtual_vs_in_person.sites",
        "virtual_vs_in_person.minutes_lost",
        "virtual_vs_in_person.afterwards",
    ),
    "many": (
        "virtual_vs_in_person.categories",
        "virtual_vs_in_person.criteria",
        "msc_deficiencies.criteria",
        "msc_deficiencies.criteria_modes",
        "msc_deficiencies.candidates",
    ),
    "series": (
        "msc_deficiencies.trends",
        "incidents.limits",
        "anomalies.offices",
        "anomalies.specialists",
        "anomalies.variation",
        "anomalies.months",
        "anomalies.days",
        "anomalies.validations",
        "anomalies.seals",
    ),
    "answers": (
        "feedback.scores",
        "feedback.agreement",
    ),
    "limits": ("virtual_vs_in_person.unseen",),
}

EXPLAINED_IN: dict[str, str] = {name: part for part, names in _EXPLAINS.items() for name in names}
"""Figure → the part that says how it is made; figures that are not listed explain themselves."""


def parts(first: str = "") -> dict[str, str]:
    """Anchor → heading. The figure of a part is ``methods.<anchor>``.

    Parameters
    ----------
    first : str
        The part somebody asks for: it stands before all others. Unknown ones change nothing.
    """
    in_order = {
        "challenges": "Which number will be challenged?",
        "metrics": "Metrics",
        "verdicts": "Verdicts",
        "ways": "Ways of asking",
        **topics_used(),
        "guardrails": "Guardrails",
        "limits": "Limits",
        "glossary": "Glossary",
    }
    return {first: in_order[first], **in_order} if first in in_order else in_order


def sentence() -> str:
    """What the page says first."""
    return (
        f"Every number is a count of records put through a published method: **{len(metrics())} metrics**, "
        f"{len(ways())} ways of asking, {len(statistics())} statistics with their sources, and {len(guardrails())} "
        "reasons to withhold a number or to read it with care."
    )
