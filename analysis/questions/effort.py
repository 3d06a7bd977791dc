"""What does a validation take in each mode? Hours, sites, minutes lost and waiting times side by side."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis import wording
from analysis.metrics import Metric, Waiting, metric, missing_reason
from analysis.questions.amounts import AMOUNTS, AmountByMode, amounts_by_mode
from analysis.questions.asking import answer_to
from analysis.questions.counted_windows import window_of
from analysis.questions.times import time_effect
from analysis.reasons import words
from analysis.results import Estimate
from analysis.selection import Selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset


@dataclass(frozen=True, slots=True)
class EffortRow:
    """One amount: its distribution in both modes, and the like-for-like ratio with errors by specialist.

    The ratio is of geometric means where every value is known, else of means restricted to 90 days; None for what
    only virtual validations have.
    """

    amount: AmountByMode
    ratio: Estimate | None

    def to_rows(self) -> list[dict[str, Any]]:
        """One row a way of asking."""
        rows = self.amount.to_rows()
        if self.ratio is not None:
            row = self.ratio.to_dict()
            kept = ("estimate", "low", "high", "p_value", "n", "caveats")
            measure = f"{self.ratio.settings['summary']}_mean_ratio"
            rows.append(
                {"amount": self.amount.amount.id, "measure": measure} | {key: row[key] for key in kept}
            )
        return rows


@dataclass(frozen=True, slots=True)
class Effort:
    """Every amount the dataset records, with the sentence that says the first of them."""

    rows: tuple[EffortRow, ...]
    n: int | None
    sentence: str
    caveats: tuple[str, ...] = ()

    def row(self, name: str) -> EffortRow | None:
        """The row of an amount, if the dataset records it."""
        return next((row for row in self.rows if row.amount.amount.id == name), None)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis effort --json``."""
        return {
            "rows": [line for row in self.rows for line in row.to_rows()],
            "n": self.n,
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row an amount and way of asking."""
        return pd.DataFrame(self.to_dict()["rows"])


def effort(dataset: Dataset, selection: Selection = Selection()) -> Effort:
    """What a validation takes in each mode, in quarters in which both were in use.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    amounts = answer_to(amounts_by_mode, dataset, selection)
    selection = selection.checked(dataset)
    rows = []
    for name, answer in amounts.items():
        if "column_absent" in answer.caveats:
            continue
        ratio = None
        if answer.contrasts:
            ratio = _like_for_like(dataset, _as_metric(name), selection.without("modes"))
        rows.append(EffortRow(answer, ratio))
    caveats = dict.fromkeys(code for row in rows for code in row.amount.caveats)
    n = max((row.amount.n or 0 for row in rows), default=0)
    answer_ = Effort(tuple(rows), n, "", tuple(caveats) if rows else ("column_absent",))
    return dataclasses.replace(answer_, sentence=_sentence(answer_, dataset))


def mode_names(dataset: Dataset) -> tuple[str, str]:
    """Names of the modes within a sentence: lower case unless they are stand-ins with names of their own."""
    plain = {"Virtual": "virtual", "In person": "in-person"}
    virtual, in_person = (dataset.modes[mode] for mode in ("virtual", "in_person"))
    return plain.get(virtual, virtual), plain.get(in_person, in_person)


def _as_metric(name: str) -> Metric:
    """How an amount is compared like for like: as its metric, or as hours are where it is none."""
    amount = AMOUNTS[name]
    if name in ("hours", "days_to_report", "days_to_close"):
        return metric(name)
    counted_by = Waiting(name, "geometric", per_unit=amount.per_unit)
    return dataclasses.replace(metric("hours"), id=name, label=amount.label, counted_by=counted_by)


def _like_for_like(dataset: Dataset, definition: Metric, selection: Selection) -> Estimate | None:
    if missing_reason(definition, dataset):
        return None
    return time_effect(definition, window_of(dataset, [definition], selection))


_CLAIMS = {
    "hours": "{v} validations took {amount} the hours of {p} ones",
    "days_to_report": "reports of {v} validations took {amount} as long as of {p} ones",
    "days_to_close": "closing took {amount} as long after {v} validations as after {p} ones",
}


def claim_of(row: EffortRow, dataset: Dataset, *, strong: bool = False) -> str | None:
    """The like-for-like ratio of one amount as a clause; None where there is none to tell."""
    claim = _CLAIMS.get(row.amount.amount.id)
    if claim is None or row.ratio is None or row.ratio.estimate is None or row.ratio.interval is None:
        return None
    v, p = mode_names(dataset)
    times = f"{wording.ratio(row.ratio.estimate)} times"
    return claim.format(v=v, p=p, amount=f"**{times}**" if strong else times)


def _sentence(answer: Effort, dataset: Dataset) -> str:
    if not answer.rows:
        return "The dataset records neither hours nor waiting times."
    if not answer.n:
        return words(
            "no_comparison_window" if "no_comparison_window" in answer.caveats else "empty_selection"
        )
    claims: list[str] = []
    for name in _CLAIMS:
        row = answer.row(name)
        claim = claim_of(row, dataset, strong=not claims) if row is not None else None
        if row is None or row.ratio is None or claim is None:
            continue
        bounds = wording.interval(row.ratio.interval, "ratio")
        n = "" if claims else f"95% interval {bounds}; n = {wording.number(row.ratio.n)}"
        claims.append(f"{claim} ({n or bounds})")
    if not claims:
        v, p = mode_names(dataset)
        return f"**Too few to compare** what {v} and {p} validations take."
    return f"Like for like, {wording.listed(claims[:2])}."
