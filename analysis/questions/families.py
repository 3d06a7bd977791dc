"""Several comparisons asked together: p-values adjusted for the number of looks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from analysis.metrics import Metric, Tally, metric, missing_reason
from analysis.questions.answering import answer_of
from analysis.questions.counted_windows import window_of
from analysis.questions.memo import Memo
from analysis.questions.window import Window
from analysis.results import Comparison, Family, finite_or_none
from analysis.selection import Selection
from analysis.stats.multiplicity import holm

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset


def compare_categories(dataset: Dataset, selection: Selection = Selection()) -> Family:
    """Validations with a deficiency in each category, virtual against in person, as one family of tests.

    One row per validation and category, so that a 2×2 table per stratum is valid; Holm's adjustment keeps the
    chance of any false "differs" over the categories at 5 %.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    selection = selection.checked(dataset).without("modes")
    if missing_reason(metric("any_deficiency"), dataset):
        return Family("category", (), (), "Holm")
    definitions = [
        dataclasses.replace(
            metric("any_deficiency"),
            label=dataset.label("category", name),
            counted_by=Tally("validations", f"any_deficiency_c{code}", f"has_assessed_c{code}"),
        )
        for code, name in enumerate(dataset.vocabulary("category"))
    ]
    named = dict(zip(dataset.vocabulary("category"), definitions, strict=True))
    return compare_family(
        dataset, "category", named, window_of(dataset, definitions, selection, modelled=False), selection
    )


def compare_family(
    dataset: Dataset,
    column: str,
    definitions: Mapping[str, Metric],
    window: Window,
    selection: Selection,
) -> Family:
    """Several tallies over the same window as one family of comparisons, p-values adjusted by Holm.

    The family are those really tested: what is too small or cannot be compared like for like makes no claim, and
    does not cost the others any.

    All are stratified (`analysis.questions.terms.STRATIFIED`): single categories are too rare for a model, and a
    family wants one method.

    Parameters
    ----------
    dataset : Dataset
    column : str
        What the members of the family are values of.
    definitions : mapping
        Value → how it is counted.
    window : Window
        Rows by arm, quarter, adjustment columns and specialist that hold every column the definitions add up.
    selection : Selection
        The selection they were counted from, without its validation modes.
    """
    # What is worked out of the rows for a family ends with it: those who hold the window count its own rows only.
    window = dataclasses.replace(window, known=Memo())
    answers = []
    for value, definition in definitions.items():
        answer = answer_of(definition, dataset, selection, None, window, track=False, modelled=False)
        answers.append(dataclasses.replace(answer, group={column: value}))
    adjusted = holm([tested(answer) for answer in answers])
    return Family(column, tuple(answers), tuple(finite_or_none(float(p)) for p in adjusted), "Holm")


def tested(answer: Comparison) -> float:
    """The p-value of a test that was made; NaN where none was."""
    row = answer.answer
    if (
        row is None
        or row.status != "ok"
        or row.p_value is None
        or answer.verdict in ("too_few", "not_comparable")
    ):
        return math.nan
    return row.p_value
