"""Why do deficiencies occur? Reasons as shares of the deficiencies that have one recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording
from analysis.counts import counts
from analysis.questions.deficiency_records import Deficiencies, ReasonRow
from analysis.selection import Selection
from analysis.stats.composition import goodman_intervals

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset


@dataclass(frozen=True, slots=True)
class ReasonMix:
    """Reasons within each category: `counts` by category and reason, deficiencies without a reason left out.

    `totals` are the deficiencies of each category that have a reason, `n` of all of them.
    """

    categories: tuple[str, ...]
    reasons: tuple[str, ...]
    counts: tuple[tuple[int | None, ...], ...]
    totals: tuple[int | None, ...]
    n: int | None
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a category and reason: ``count``, ``n`` of the category, ``share``."""
        rows = []
        for category, line, n in zip(self.categories, self.counts, self.totals, strict=True):
            rows += [
                {
                    "category": category,
                    "reason": reason,
                    "count": k,
                    "n": n,
                    "share": k / n if n and k is not None else None,
                }
                for reason, k in zip(self.reasons, line, strict=True)
            ]
        return pd.DataFrame(rows, columns=["category", "reason", "count", "n", "share"])


def deficiencies_by_reason(dataset: Dataset, selection: Selection = Selection()) -> Deficiencies:
    """Every reason the dataset records, most frequent first, with Goodman's simultaneous intervals."""
    selection = selection.checked(dataset)
    n = int(counts(dataset, "validations", [], selection)["n"].iloc[0])
    found = _deficient(dataset, ["reason"], selection)
    by_reason = found.groupby("reason")["n"].sum()
    total, recorded = int(found["n"].sum()), int(by_reason.sum())
    names = list(dataset.present("reason"))
    amounts = [int(by_reason.get(name, 0)) for name in names]
    shares = goodman_intervals(amounts) if names else None
    rows = [
        ReasonRow(
            name, dataset.label("reason", name), amount, recorded,
            amount / recorded if recorded else None, shares.interval(i) if shares else None,
        )
        for i, (name, amount) in enumerate(zip(names, amounts, strict=True))
    ]  # fmt: skip
    rows.sort(key=lambda row: -(row.count or 0))
    caveats = () if names else ("column_absent",)
    answer = Deficiencies("reason", tuple(rows), n, total, "", caveats)
    return Deficiencies("reason", answer.rows, n, total, _sentence(answer, recorded), caveats)


def reasons_by_category(dataset: Dataset, selection: Selection = Selection()) -> ReasonMix:
    """How often each reason stands behind the deficiencies of each category."""
    found = _deficient(dataset, ["category", "reason"], selection.checked(dataset))
    reasons = tuple(dataset.present("reason"))
    wide = found.pivot_table(index="category", columns="reason", values="n", aggfunc="sum", fill_value=0)
    categories = tuple(name for name in dataset.vocabulary("category") if name in wide.index)
    lines = [tuple(int(wide.loc[c, r]) if r in wide else 0 for r in reasons) for c in categories]
    totals = tuple(sum(line) for line in lines)
    return ReasonMix(categories, reasons, tuple(lines), totals, sum(totals))


def _deficient(dataset: Dataset, by: list[str], selection: Selection) -> pd.DataFrame:
    found = counts(dataset, "findings", [*by, "answer"], selection)
    return found[found["answer"] == "deficient"]


def _sentence(answer: Deficiencies, recorded: int) -> str:
    if not answer.n:
        return "No validations match these filters."
    if not answer.rows:
        return "The dataset does not record why a criterion was deficient."
    if not recorded:
        return f"No deficiency with a reason was recorded in {wording.counted(answer.n, 'validation')}."
    first = answer.rows[0]
    assert isinstance(first, ReasonRow) and first.share is not None
    bounds = wording.interval(first.interval, "share")
    return (
        f"The reason recorded most often is **{first.label[0].lower()}{first.label[1:]}**: "
        f"{wording.number(first.count or 0)} of {wording.number(recorded)} deficiencies with a reason, "
        f"{wording.percent(first.share, recorded)} ({bounds})."
    )
