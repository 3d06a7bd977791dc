"""Why a number does not exist, or should be read with care: every reason code with its words, by group."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.reasons import GROUPS, REASONS


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One reason: the code that exports carry, its sentence, and the group it belongs to."""

    code: str
    words: str
    group: str


def guardrails() -> tuple[Guardrail, ...]:
    """All reasons, in the order of `analysis.reasons`."""
    headings = {first: name for name, first in GROUPS.items()}
    found, group = [], ""
    for code, words in REASONS.items():
        group = headings.get(code, group)
        found.append(Guardrail(code, words, group))
    return tuple(found)
