"""Which margins would an answer pass? The one set beforehand, the one a reader moved it to, and the smallest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from analysis import wording
from analysis.metrics import margin_of, metric
from analysis.questions.robustness import against, as_dict, grounds, judged, size_of, stands, verdict_words
from analysis.questions.sentences import margin_words
from analysis.questions.terms import checked_margin
from analysis.results import Comparison, Verdict
from analysis.selection import Selection
from analysis.stats.equivalence import smallest_margin

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

Source = Literal["set", "moved", "smallest"]


@dataclass(frozen=True, slots=True)
class MarginRow:
    """One margin and the verdict against it; `source` says whose margin it is."""

    source: Source
    margin: float
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"source": self.source, "margin": self.margin, "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Margins:
    """One interval against several margins.

    `whole` is judged against the margin set beforehand, `moved` against the reader's (None where it was not
    moved). The row ``smallest`` is the narrowest margin that passes, rounded outwards so that it does pass; there is
    none where no margin would, where none is needed (`needless`), or where nothing is judged.
    """

    whole: Comparison
    moved: Comparison | None
    rows: tuple[MarginRow, ...]
    needless: bool
    caveats: tuple[str, ...]
    sentence: str

    @property
    def smallest(self) -> float | None:
        """The narrowest margin that passes."""
        return next((row.margin for row in self.rows if row.source == "smallest"), None)

    def to_frame(self) -> pd.DataFrame:
        """One row per margin."""
        return pd.DataFrame([row.to_dict() for row in self.rows], columns=["source", "margin", "verdict"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return as_dict((row.to_dict() for row in self.rows), size_of(self.whole), self.caveats, self.sentence)


def margins(
    dataset: Dataset, metric_id: str, selection: Selection = Selection(), *, margin: float | None = None
) -> Margins:
    """Judge one comparison against the margin set beforehand, another one, and the smallest that would pass.

    Parameters
    ----------
    dataset : Dataset
    metric_id : str
    selection : Selection
    margin : float, optional
        The reader's margin, on the metric's own scale.

    Raises
    ------
    AnalysisError
        As `compare`.
    """
    checked_margin(metric(metric_id), margin)
    ground = grounds(dataset, metric_id, selection)
    whole = ground.whole
    moved = None if margin is None else against(whole, margin)
    judged_by: list[tuple[Source, Comparison | None]] = [("set", whole), ("moved", moved)]
    rows = [
        MarginRow(source, answer.margin, answer.verdict)
        for source, answer in judged_by
        if answer is not None and answer.margin is not None
    ]
    passes = stands(whole) and judged(whole)
    smallest, needless = _smallest(whole) if passes else (None, False)
    if smallest is not None:
        rows.append(MarginRow("smallest", smallest, against(whole, smallest).verdict))
    caveats = (moved or whole).reasons
    sentence = _sentence(whole, moved, smallest, needless, passes)
    return Margins(whole, moved, tuple(rows), needless, caveats, sentence)


def _smallest(whole: Comparison) -> tuple[float | None, bool]:
    """The smallest margin that passes, a step outwards of the limit itself; and whether none is needed."""
    row = whole.answer
    assert row is not None and row.interval is not None and whole.margin_scale is not None
    limit = smallest_margin(row.interval, harmful=whole.harmful, margin_scale=whole.margin_scale)  # type: ignore[arg-type]  # a text that is one of the literals
    nothing = 1.0 if whole.margin_scale == "ratio" else 0.0
    if limit is None or limit == nothing:
        return None, limit is not None
    if whole.margin_scale == "difference":
        passing = (math.floor(limit * 1000) + 1) / 1000
        return (passing if passing < 1 else None), False
    passing = (math.ceil(limit * 100) - 1) / 100 if limit < 1 else (math.floor(limit * 100) + 1) / 100
    return (passing if passing > 0 else None), False


_STEPS = 10
"""Steps of a slider within the width of the margin set beforehand."""
_REACH = 3
"""How many times the margin set beforehand a slider reaches."""
_RATIO_REACH = 0.5
_RATIO_STEP = 0.01


def set_margin(dataset: Dataset, metric_id: str) -> float | None:
    """The margin set beforehand, None for a metric that is described and not judged."""
    definition = metric(metric_id)
    return margin_of(definition, dataset)[0] if definition.judged and definition.margin_scale else None


def margin_steps(dataset: Dataset, metric_id: str) -> tuple[float, ...]:
    """Margins a reader may move between, from the strictest to the widest; none where nothing is judged.

    Points up to three times the margin set beforehand, in tenths of it; ratios to 0.50 or to 1.50, in hundredths; the
    margin set beforehand is always among them.
    """
    set_at = set_margin(dataset, metric_id)
    if set_at is None:
        return ()
    if metric(metric_id).margin_scale == "ratio":
        steps = range(1, round(_RATIO_REACH / _RATIO_STEP) + 1)
        steps_away = [round(1 + (step if set_at >= 1 else -step) * _RATIO_STEP, 2) for step in steps]
        return tuple(sorted({*steps_away, set_at}, key=lambda value: abs(value - 1)))
    return tuple(
        sorted({*(round(set_at * step / _STEPS, 6) for step in range(1, _STEPS * _REACH + 1)), set_at})
    )


def margin_size(margin: float, answer: Comparison) -> str:
    """A margin in words: ``6.1 points``, ``0.88``."""
    if answer.margin_scale == "ratio":
        return wording.ratio(margin)
    return f"{wording.margin_size(margin)} points"


def _sentence(
    whole: Comparison, moved: Comparison | None, smallest: float | None, needless: bool, passes: bool
) -> str:
    if whole.margin is None:
        return "No margin is set for this metric: it is described, not judged."
    if not stands(whole) or not whole.arms:
        return whole.sentence
    said = f"Against the {margin_words(whole)}: **{verdict_words(whole)}**"
    if moved is not None:
        said += f"; against the {margin_words(moved)}: **{verdict_words(moved)}**"
    if not passes:
        return f"{said}."
    if needless:
        return f"{said}. No margin is needed: the whole interval lies on the side that is not bad news."
    if smallest is None:
        return f"{said}. No margin would pass."
    return (
        f"{said}. The smallest margin that passes is **{margin_size(smallest, whole)}**; "
        "chosen after looking, it would prove nothing."
    )
