"""What do specialists and members say? Who answered, how they scored, whether they agree, what they wrote."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import wording
from analysis.counts import available, counts
from analysis.errors import AnalysisError
from analysis.metrics import Tally, metric
from analysis.questions.asking import answer_to
from analysis.questions.coverage import ANSWERING
from analysis.questions.families import compare_family, tested
from analysis.questions.feedback_records import SCORES, Feedback, ItemRow, ResponseRow
from analysis.questions.tallies import tally_counts
from analysis.questions.window import MODES, comparison_window
from analysis.results import Comparison, finite_or_none
from analysis.selection import Selection
from analysis.stats.multiplicity import holm
from analysis.stats.proportions import wilson
from analysis.stats.rank_tests import brunner_munzel

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

FEWEST_ANSWERS = 10
"""Answers of a mode below which its scores are counted and not compared."""
VIRTUAL_ONLY = "would_repeat_virtual"
"""The item that is asked after virtual validations only."""


def feedback(dataset: Dataset, selection: Selection = Selection()) -> Feedback:
    """Feedback of a selection. A filter on validation mode is not applied: modes stand beside each other.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know, or a dataset without feedback.
    """
    selection = selection.checked(dataset)
    if not available(dataset, "feedback"):
        raise AnalysisError(f"the dataset '{dataset.name}' has no feedback: import a table of it first.")
    both = selection.without("modes")
    responses = _responses(dataset, both)
    items = _items(dataset, both)
    caveats = [
        *(("mode_filter_ignored",) if selection.modes else ()),
        "respondents_apart",
        "not_everyone_answered",
    ]
    if selection.focus_areas:
        caveats.append("focus_area_ignored")
    n = sum(row.n or 0 for row in responses if row.respondent == responses[0].respondent) if responses else 0
    return Feedback(responses, items, n, _sentence(responses, items, n), tuple(caveats))


def headline(dataset: Dataset, selection: Selection = Selection()) -> Feedback:
    """What a page opens with: as `feedback`, and a sentence where the dataset has none.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    if not available(dataset, "feedback"):
        return Feedback((), (), None, "This dataset has no feedback.")
    return answer_to(feedback, dataset, selection)


def scored(dataset: Dataset, selection: Selection) -> pd.DataFrame:
    """Answers by respondent, item, mode and score, within the two modes of the comparison."""
    rows = counts(dataset, "feedback", ["respondent", "item", "mode", "score"], selection)
    return rows[rows["mode"].isin(MODES)]


def _responses(dataset: Dataset, selection: Selection) -> tuple[ResponseRow, ...]:
    rows = counts(dataset, "validations", ["mode"], selection, sums=["n", *ANSWERING.values()]).set_index(
        "mode"
    )
    out = []
    for respondent, column in ANSWERING.items():
        for mode in MODES:
            n = int(rows["n"].get(mode, 0))
            count = int(rows[column].get(mode, 0))
            label = dataset.label("respondent", respondent)
            bounds = wilson(count, n).interval() if n else None
            out.append(ResponseRow(respondent, label, mode, count, n, count / n if n else None, bounds))
    return tuple(out)


def _items(dataset: Dataset, selection: Selection) -> tuple[ItemRow, ...]:
    rows = scored(dataset, selection)
    asked = [
        (respondent, item)
        for respondent in dataset.vocabulary("respondent")
        for item in dataset.vocabulary("item")
        if ((rows["respondent"] == respondent) & (rows["item"] == item)).any()
    ]
    contrasts = _contrasts(dataset, selection, asked)
    adjusted = holm([tested(contrasts[key]) if key in contrasts else float("nan") for key in asked])
    out = []
    for (respondent, item), p in zip(asked, adjusted, strict=True):
        mine = rows[(rows["respondent"] == respondent) & (rows["item"] == item)]
        modes = MODES[:1] if item == VIRTUAL_ONLY else MODES
        scores = {mode: _by_score(mine[mine["mode"] == mode]) for mode in modes}
        out.append(_compared(dataset, respondent, item, scores, contrasts.get((respondent, item)), p))
    return tuple(out)


def _by_score(rows: pd.DataFrame) -> tuple[int, ...]:
    known = dict(zip(rows["score"], rows["n"], strict=True))
    return tuple(int(known.get(score, 0)) for score in SCORES)


def _contrasts(
    dataset: Dataset, selection: Selection, asked: list[tuple[str, str]]
) -> dict[tuple[str, str], Comparison]:
    """The two highest scores of every item, virtual against in person like for like, respondents never pooled."""
    confidence = metric("feedback_confidence")
    named = {
        item: dataclasses.replace(
            confidence, label=dataset.label("item", item), margin=None, margin_scale=None,
            counted_by=Tally("feedback", "top_two", "n", item=item),
        )
        for _, item in asked
        if item != VIRTUAL_ONLY
    }  # fmt: skip
    if not named:
        return {}
    counted = tally_counts(dataset, list(named.values()), selection, modelled=False)
    out: dict[tuple[str, str], Comparison] = {}
    for respondent in dict.fromkeys(respondent for respondent, _ in asked):
        mine = counted[counted["respondent"] == respondent]
        own = {item: named[item] for who, item in asked if who == respondent and item in named}
        family = compare_family(dataset, "item", own, comparison_window(mine), selection)
        out |= {(respondent, answer.group["item"]): answer for answer in family.comparisons}
    return out


def _compared(
    dataset: Dataset,
    respondent: str,
    item: str,
    scores: dict[str, tuple[int, ...]],
    contrast: Comparison | None,
    adjusted_p: float,
) -> ItemRow:
    higher = None
    if len(scores) == len(MODES) and all(sum(scores[mode]) >= FEWEST_ANSWERS for mode in MODES):
        values = np.array(SCORES)
        higher = brunner_munzel(values, scores["virtual"], values, scores["in_person"])
    return ItemRow(
        respondent, item, dataset.label("item", item), dict(scores), contrast, finite_or_none(adjusted_p),
        higher.estimate if higher else None, higher.interval if higher else None,
    )  # fmt: skip


def _sentence(responses: tuple[ResponseRow, ...], items: tuple[ItemRow, ...], n: int) -> str:
    if not n:
        return "No validations match these filters."
    if not items:
        return f"None of {wording.counted(n, 'validation')} has feedback."
    rates = [
        f"{row.label.lower()}s after **{wording.percent(row.share, row.n)}** of {_of(row)} validations"
        for row in responses
        if row.share is not None and row.respondent == "member"
    ]
    said = f"Members answered after {wording.listed([r.removeprefix('members after ') for r in rates])}."
    differs = [row for row in items if row.adjusted_p is not None and row.adjusted_p < 0.05]
    # What was too few or not like for like to be tested says nothing of a difference, nor of none.
    compared = [row for row in items if row.adjusted_p is not None]
    if not compared:
        return f"{said} No score can be compared between the modes."
    if not differs:
        scores, looks = (wording.counted(len(compared), what) for what in ("score", "look"))
        return f"{said} None of {scores} differs between the modes after allowing for {looks}."
    names = [f"{row.label.lower()} ({row.respondent}s)" for row in differs]
    verb = "differs" if len(differs) == 1 else "differ"
    return f"{said} {len(differs)} of {len(compared)} scores {verb} after allowing for all looks: {wording.listed(names[:3])}."


def _of(row: ResponseRow) -> str:
    return "virtual" if row.mode == "virtual" else "in-person"
