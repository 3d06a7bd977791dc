"""Does one office, or one quarter, carry the answer? The same question without each of them in turn."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from analysis.metrics import metric
from analysis.questions.robustness import (
    Grounds,
    against,
    as_dict,
    effect,
    grounds,
    size_of,
    stands,
    verdict_words,
)
from analysis.questions.terms import checked_margin
from analysis.results import Comparison
from analysis.schema import LABELS
from analysis.selection import Selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

Column = Literal["field_office", "quarter"]
COLUMNS: tuple[Column, ...] = ("field_office", "quarter")
"""What can be left out value by value."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The answer without one value; `arms` are the validations of each mode that the comparison loses."""

    value: str
    label: str
    answer: Comparison
    lost: dict[str, int]

    @property
    def estimate(self) -> float | None:
        """The effect without it, None where it cannot be estimated."""
        row = self.answer.answer
        return row.estimate if row is not None and stands(self.answer) else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        row = self.answer.answer
        interval = row.interval if row is not None else None
        return {
            "without": self.value,
            "estimate": self.estimate,
            "low": interval.low if interval and self.estimate is not None else None,
            "high": interval.high if interval and self.estimate is not None else None,
            "n": row.n or None if row is not None else None,
            "lost": dict(self.lost),
            "verdict": self.answer.verdict,
        }


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """One answer with each value of a column left out in turn; `rows` in the order of their estimates."""

    whole: Comparison
    column: Column
    rows: tuple[LeftOut, ...]
    caveats: tuple[str, ...]
    sentence: str

    @property
    def most_influential(self) -> LeftOut | None:
        """The value without which the estimate moves most."""
        known = [row for row in self.rows if row.estimate is not None]
        return max(known, key=lambda row: abs(_shift(row, self.whole)), default=None)

    @property
    def changed(self) -> tuple[LeftOut, ...]:
        """Values without which the verdict is another, as far as they may be shown."""
        return tuple(
            row
            for row in self.rows
            if row.answer.verdict != self.whole.verdict and "suppressed" not in row.answer.reasons
        )

    def against(self, margin: float | None) -> LeaveOneOut:
        """The same judged against another margin; itself for None."""
        if margin is None:
            return self
        rows = tuple(dataclasses.replace(row, answer=against(row.answer, margin)) for row in self.rows)
        moved = dataclasses.replace(self, whole=against(self.whole, margin), rows=rows)
        return dataclasses.replace(moved, sentence=leave_out_sentence(moved)) if rows else moved

    def to_frame(self) -> pd.DataFrame:
        """One row per value left out."""
        rows = [row.to_dict() for row in self.rows]
        lost = [{f"lost_{mode}": n for mode, n in row.pop("lost").items()} for row in rows]
        return pd.DataFrame([row | more for row, more in zip(rows, lost, strict=True)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return as_dict((row.to_dict() for row in self.rows), size_of(self.whole), self.caveats, self.sentence)


def leave_one_out(
    dataset: Dataset,
    metric_id: str,
    selection: Selection = Selection(),
    *,
    column: Column = "field_office",
    margin: float | None = None,
) -> LeaveOneOut:
    """Answer one question without each field office, or each quarter of the comparison window.

    Parameters
    ----------
    dataset : Dataset
    metric_id : str
    selection : Selection
    column : {"field_office", "quarter"}
    margin : float, optional
        Another margin than the one set beforehand.

    Raises
    ------
    AnalysisError
        As `compare`.
    """
    checked_margin(metric(metric_id), margin)
    ground = grounds(dataset, metric_id, selection)
    whole = ground.whole
    if ground.window is None or not ground.stands:
        return LeaveOneOut(whole, column, (), whole.reasons, whole.sentence).against(margin)
    inside = ground.inside
    values = sorted(set(inside[column].dropna()))
    if len(values) < 2:
        only = f"Only one {LABELS[column].lower()} is in the comparison: nothing can be left out."
        return LeaveOneOut(whole, column, (), ("nothing_to_leave_out",), only).against(margin)
    counted = ground.counted
    rows = tuple(
        _without(ground, inside, column, value, counted[(counted[column] != value).to_numpy()])
        for value in values
    )
    # Equal estimates differ in their last digits by the order of adding up, which is no order to show them in.
    ordered = tuple(
        sorted(rows, key=lambda row: (row.estimate is None, round(row.estimate or 0.0, 12), row.label))
    )
    found = LeaveOneOut(whole, column, ordered, (), "")
    return dataclasses.replace(found, sentence=leave_out_sentence(found)).against(margin)


def _without(
    ground: Grounds, inside: pd.DataFrame, column: Column, value: Any, counted: pd.DataFrame
) -> LeftOut:
    label = _quarter(int(value)) if column == "quarter" else ground.dataset.label(column, value)
    answer = ground.answer(counted)
    mine = (inside[column] == value).to_numpy()
    arms, n = inside["arm"].to_numpy()[mine], inside["n"].to_numpy()[mine]
    lost = {mode: int(n[arms == arm].sum()) for mode, arm in (("virtual", 1), ("in_person", 0))}
    return LeftOut(str(value), label, answer, lost)


def _quarter(number: int) -> str:
    return f"Q{number % 4 + 1} {number // 4}"


def _shift(row: LeftOut, whole: Comparison) -> float:
    assert row.estimate is not None and whole.answer is not None and whole.answer.estimate is not None
    if whole.measure == "ratio":
        return row.estimate / whole.answer.estimate - 1
    return row.estimate - whole.answer.estimate


def leave_out_sentence(found: LeaveOneOut) -> str:
    """The value that moves the answer most, and whether the verdict hangs on any one."""
    whole, most = found.whole, found.most_influential
    name = LABELS[found.column].lower()
    if most is None:
        return f"Without any one {name} there is too little left to estimate."
    assert whole.answer is not None
    said = (
        f"No {name} moves the answer more than **{most.label}**: without it {effect(most.estimate, whole)} "
        f"instead of {effect(whole.answer.estimate, whole, unit=False)}"
    )
    changed = found.changed
    if not changed:
        return f"{said}. The verdict ({verdict_words(whole)}) stays whichever is left out."
    if len(changed) == 1:
        return f"{said}. Without **{changed[0].label}** the verdict turns from {verdict_words(whole)} to {verdict_words(changed[0].answer)}."
    return f"{said}. The verdict ({verdict_words(whole)}) changes without {len(changed)} of {len(found.rows)}, each by itself."
