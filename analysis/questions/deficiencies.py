"""What do members keep getting wrong? Deficiencies by criterion, category or reason, with shares and rates.

A *share* is this row's part of all deficiencies; a *rate* is deficient over met + deficient. Never mixed up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from analysis.counts import available
from analysis.errors import AnalysisError, nearest
from analysis.questions.asking import answer_to
from analysis.questions.deficiency_categories import deficiencies_by_category
from analysis.questions.deficiency_criteria import deficiencies_by_criterion
from analysis.questions.deficiency_reasons import deficiencies_by_reason
from analysis.questions.deficiency_records import Deficiencies
from analysis.selection import Selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

_BY: dict[str, Callable[[Dataset, Selection], Deficiencies]] = {
    "criterion": deficiencies_by_criterion,
    "category": deficiencies_by_category,
    "reason": deficiencies_by_reason,
}


def deficiencies(dataset: Dataset, by: str, selection: Selection = Selection()) -> Deficiencies:
    """Deficiencies of a selection by criterion, category or reason.

    Parameters
    ----------
    dataset : Dataset
    by : {"criterion", "category", "reason"}
    selection : Selection
        Filters; the focus area narrows which criteria are counted.

    Returns
    -------
    Deficiencies

    Raises
    ------
    AnalysisError
        For another `by`, a filter value the dataset does not know, or a dataset without findings.
    """
    if by not in _BY:
        raise AnalysisError(f"--by '{by}' is no way to group deficiencies; {nearest(by, _BY)}")
    if not available(dataset, "findings"):
        raise AnalysisError(f"the dataset '{dataset.name}' has no findings: import a table of them first.")
    return _BY[by](dataset, selection.checked(dataset))


def headline(dataset: Dataset, selection: Selection = Selection()) -> Deficiencies:
    """What a page opens with: the leading category, then the leading criterion, without their rows' detail.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    if not available(dataset, "findings"):
        return Deficiencies("category", (), None, None, "This dataset has no findings.")
    classes = answer_to(deficiencies_by_category, dataset, selection, rates=False)
    single = answer_to(deficiencies_by_criterion, dataset, selection)
    said = (
        classes.sentence if classes.sentence == single.sentence else f"{classes.sentence} {single.sentence}"
    )
    return Deficiencies("category", classes.rows, classes.n, classes.total, said, single.caveats)
