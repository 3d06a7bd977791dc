"""All metrics together without small counts: what one of them hides, another must not give back."""

from __future__ import annotations

from analysis.results import Comparison
from analysis.suppression.comparisons import hidden_comparison, suppressed_comparison
from analysis.suppression.small import is_small


def suppressed_comparisons(answers: list[Comparison]) -> list[Comparison]:
    """Comparisons shown side by side, without small counts, and without counts a small number apart.

    Metrics count subsets of each other (a Must deficiency is a deficiency): two numbers of one mode that lie 1 to 4
    apart may tell that count, so the later of the two metrics is hidden.
    """
    out: list[Comparison] = []
    told: dict[tuple[str, str], list[int]] = {}
    for answer in answers:
        shown = suppressed_comparison(answer)
        counts = _counts(shown)
        if any(
            is_small(abs(n - other))
            for key, own in counts.items()
            for n in own
            for other in told.get(key, ())
        ):
            shown, counts = hidden_comparison(answer), {}
        for key, own in counts.items():
            told.setdefault(key, []).extend(own)
        out.append(shown)
    return out


def _counts(answer: Comparison) -> dict[tuple[str, str], list[int]]:
    """Numbers of validations (or of responses of one kind) that an answer tells of each mode."""
    whose = "".join(answer.group.values()) if answer.unit == "response" else answer.unit
    out: dict[tuple[str, str], list[int]] = {}
    for mode, arm in answer.arms.items():
        if answer.kind == "rate":
            numbers = [] if arm.validations is None else [arm.validations]
        else:
            numbers = [arm.n] if arm.events is None else [arm.n, arm.events, arm.n - arm.events]
        out[whose, mode] = [n for n in numbers if n]
    for mode, one in answer.coverage.items():
        out.setdefault(("validation", mode), []).extend([one.n, one.of])
    return out
