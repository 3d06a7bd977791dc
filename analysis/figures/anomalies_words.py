"""Words and states that the figures of the Anomalies page share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis import reasons, wording
from analysis.charts.figure import State
from analysis.figures.captions import empty_state
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

WIDEN = "Widen the period or take filters off."
NO_FINDING = "▲ is a reason to look, not a finding"
HIDDEN = "too few to show"

_NUMBERS = ("None", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def state_of(n: int | None, caveats: Sequence[str], dataset: Dataset, selection: Selection) -> State:
    """Why there is nothing to show."""
    if "empty_selection" in caveats or (n == 0 and not caveats):
        return empty_state(dataset, selection)
    codes = [code for code in caveats if code != "office_compared_with_all"]
    return State("too_small", reasons.words(codes[0]) if codes else "Counts of 1 to 4 are not shown.", WIDEN)


def so_many(count: int, of: int, name: str) -> str:
    """How many of how many, as the beginning of a title: ``Two of 86 specialists``."""
    number = _NUMBERS[count] if count < len(_NUMBERS) else wording.number(count)
    return f"{number} of {wording.counted(of, name)}"


def case_mix_words(columns: Sequence[str]) -> str:
    """What is allowed for."""
    if not columns:
        return "No case mix is allowed for"
    labels = {"kind": "kind"}
    return f"Expected by {wording.listed([labels.get(c, LABELS[c].lower()) for c in columns])}"


def remembered(caveats: Sequence[str]) -> list[str]:
    """Caveats in words, for a caption."""
    return [reasons.words(code) for code in caveats]
