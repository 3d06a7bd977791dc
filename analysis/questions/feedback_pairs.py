"""Whether specialist and member say the same of the same validation, and what their comments are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np
import pandas as pd

from analysis import wording
from analysis.counts import available, counts
from analysis.datasets.engines import collected
from analysis.questions.feedback_records import SCORES, PairAgreement, PairRow, ThemeRow, Themes
from analysis.questions.window import MODES
from analysis.selection import Selection
from analysis.stats.agreement import cohen_kappa, krippendorff_alpha
from analysis.stats.proportions import wilson

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

FEWEST_PAIRS = 30
"""Pairs below which agreement is counted and not measured beyond chance."""
MOST_QUOTES = 3
LONGEST_QUOTE = 240


def pair_agreement(dataset: Dataset, selection: Selection = Selection()) -> PairAgreement:
    """Specialist and member on the same validation, item by item, within the selection.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    selection = selection.checked(dataset)
    if not available(dataset, "agreement"):
        return PairAgreement(
            (), 0, "No validation was scored by both its specialist and its member.", ("table_absent",)
        )
    rows = counts(dataset, "agreement", ["item", "specialist_score", "member_score"], selection)
    made = tuple(
        _pair(dataset, item, part)
        for item in dataset.vocabulary("item")
        if len(part := rows[rows["item"] == item])
    )
    n = max((row.n or 0 for row in made), default=0)
    caveats = ("small_numbers",) if 0 < n < FEWEST_PAIRS else () if n else _nothing(dataset, selection)
    return PairAgreement(made, n, _sentence(made, n), caveats)


def themes(dataset: Dataset, selection: Selection = Selection()) -> Themes:
    """What comments are about, most frequent first, with some of them as they were written.

    The comments shown are the first of each theme by response and item, so that the same selection shows the same ones.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    selection = selection.checked(dataset)
    if not available(dataset, "feedback") or not dataset.records("theme"):
        return Themes((), 0, ("column_absent",))
    rows = counts(dataset, "feedback", ["theme", "mode"], selection, sums=["n", "top_two"]).dropna(
        subset=["theme"]
    )
    quotes = _quotes(dataset, selection)
    out = []
    for theme, part in rows.groupby("theme", sort=False):
        by_mode = dict(zip(part["mode"], part["n"], strict=True))
        counted = {mode: int(by_mode.get(mode, 0)) for mode in MODES}
        out.append(
            ThemeRow(
                str(theme),
                counted,
                int(part["n"].sum()),
                int(part["top_two"].sum()),
                quotes.get(str(theme), ()),
            )
        )
    out.sort(key=lambda row: (-(row.n or 0), row.theme))
    return Themes(tuple(out), sum(row.n or 0 for row in out), () if out else _nothing(dataset, selection))


def _nothing(dataset: Dataset, selection: Selection) -> tuple[str, ...]:
    """Whether nothing was said, or there is nothing to speak of."""
    return () if int(counts(dataset, "validations", (), selection)["n"].sum()) else ("empty_selection",)


def _pair(dataset: Dataset, item: str, rows: pd.DataFrame) -> PairRow:
    table = np.zeros((len(SCORES), len(SCORES)), np.int64)
    for specialist, member, n in zip(rows["specialist_score"], rows["member_score"], rows["n"], strict=True):
        table[int(specialist) - 1, int(member) - 1] += int(n)
    n, same = int(table.sum()), int(np.trace(table))
    found = cohen_kappa(table, weights="quadratic") if n >= FEWEST_PAIRS else None
    distance = np.subtract.outer(np.array(SCORES), np.array(SCORES))
    return PairRow(
        item=item,
        label=dataset.label("item", item),
        n=n,
        same=same,
        share=same / n if n else None,
        interval=wilson(same, n).interval() if n else None,
        kappa=found.estimate if found else None,
        kappa_interval=found.interval if found else None,
        gwet=found.gwet if found else None,
        alpha=_alpha(table) if found else None,
        shift=float((table * distance).sum() / n) if n else None,
    )


def _alpha(table: np.ndarray) -> float | None:
    specialist, member = np.nonzero(table)
    ratings = np.stack([specialist + 1, member + 1])
    return krippendorff_alpha(ratings, scale="ordinal", alike=table[specialist, member]).estimate


def _sentence(rows: tuple[PairRow, ...], n: int) -> str:
    if not n:
        return "No validation of this selection was scored by both its specialist and its member."
    most = max(rows, key=lambda row: row.share or 0)
    least = min(rows, key=lambda row: row.share or 0)
    return (
        f"Specialist and member gave the same score on {wording.percent(least.share or 0, least.n)} "
        f"({least.label.lower()}) to {wording.percent(most.share or 0, most.n)} ({most.label.lower()}) of "
        f"{wording.counted(n, 'validation')} that both scored."
    )


def _quotes(dataset: Dataset, selection: Selection) -> dict[str, tuple[str, ...]]:
    """Comments of each theme, different ones, the first by response and item; chosen where the rows are, for there may be millions."""
    written = dataset.prepared("comments")
    if written is None:
        return {}
    mask = selection.mask(dataset, written.collect_schema().names())
    kept = written if mask is None else written.filter(mask)
    different = kept.group_by("theme", "comment").agg(nw.col("answer").min())
    place = nw.col("answer").rank("min").over("theme")
    first = collected(different.with_columns(place=place).filter(nw.col("place") <= MOST_QUOTES))
    names = dataset.vocabulary("theme")
    return {
        str(names[code]): tuple(_short(str(comment)) for comment in part["comment"])
        for code, part in first.sort_values("answer").groupby("theme")
    }


def _short(comment: str) -> str:
    words = " ".join(comment.split())
    return words if len(words) <= LONGEST_QUOTE else words[: LONGEST_QUOTE - 1].rsplit(" ", 1)[0] + " …"
