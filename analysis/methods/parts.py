"""The parts of the page Methods, in its order; links from other pages end in their anchors."""

from __future__ import annotations

from analysis.methods.guardrails import guardrails
from analysis.methods.statistics import statistics, topics_used
from analysis.methods.ways import ways
from analysis.metrics import metrics

EXPLAINED_IN: dict[str, str] = {
    "overview.statistics": "metrics",
    "overview.published": "challenges",
    "virtual_vs_in_person.verdict": "verdicts",
    "virtual_vs_in_person.metrics": "metrics",
    "virtual_vs_in_person.ways": "ways",
    "virtual_vs_in_person.balance": "adjusting",
    "virtual_vs_in_person.groups": "adjusting",
    "virtual_vs_in_person.categories": "many",
    "msc_deficiencies.criteria": "many",
    "msc_deficiencies.reasons": "shares",
    "msc_deficiencies.categories": "shares",
    "msc_deficiencies.rates": "shares",
    "msc_deficiencies.reason_categories": "shares",
    "msc_deficiencies.trends": "series",
    "msc_deficiencies.seen_by": "adjusting",
    "msc_deficiencies.criteria_modes": "many",
    "msc_deficiencies.repeats": "metrics",
    "msc_deficiencies.candidates": "many",
}
"""Figure → the part that says how it is made; figures that are not listed explain themselves."""


def parts() -> dict[str, str]:
    """Anchor → heading. The figure of a part is ``methods.<anchor>``."""
    return {
        "challenges": "Which number will be challenged?",
        "metrics": "Metrics",
        "verdicts": "Verdicts",
        "ways": "Ways of asking",
        **topics_used(),
        "guardrails": "Guardrails",
        "limits": "Limits",
        "glossary": "Glossary",
    }


def sentence() -> str:
    """What the page says first."""
    return (
        f"Every number is a count of records put through a published method: **{len(metrics())} metrics**, "
        f"{len(ways())} ways of asking, {len(statistics())} statistics with their sources, and {len(guardrails())} "
        "reasons to withhold a number or to read it with care."
    )
