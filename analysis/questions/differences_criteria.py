"""Single criteria, virtual against in person, and which of them hold as claims made all together.

Two ways of allowing for many looks, on the same criteria: the false-discovery rate (of those called, few are called
wrongly) and max-T (no criterion at all is called wrongly), which shuffles the modes among comparable validations and so
keeps how criteria hang together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from analysis import wording
from analysis.counts import counts
from analysis.questions.asking import answer_to
from analysis.questions.deficiency_modes import (
    LEVEL,
    CriteriaByMode,
    CriterionByMode,
    criteria_by_mode,
)
from analysis.questions.window import comparison_window
from analysis.results import Interval, finite_or_none
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.selection import Selection
from analysis.stats.max_t import MaxT
from analysis.stats.stratified_max_t import stratified_max_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

WITHIN = ("field_office", "quarter", *ADJUSTMENT_COLUMNS)
"""Validations that share all of these may change modes with each other."""
DRAWS = 4999
SEED = 2026
MOST_VALIDATIONS = 200_000
"""Above this many, answers by validation do not fit a page: cells do, and max-T is left out."""
_UNKNOWN = {"not_applicable", "not_assessed", "not_verified"}


@dataclass(frozen=True, slots=True)
class CriterionEvidence:
    """One criterion with its adjusted p-values.

    `interval` is that of the difference: for a criterion that was called because of its q-value at the level that
    keeps the false coverage rate of all those called at 5 %, for the others at 95 %. `max_t_p` is ``None`` where
    nothing could change modes.
    """

    criterion: CriterionByMode
    interval: Interval | None
    max_t_p: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        own = self.interval
        return self.criterion.to_dict() | {
            "low": own.low if own else None,
            "high": own.high if own else None,
            "level": own.level if own else None,
            "max_t_p": self.max_t_p,
        }


@dataclass(frozen=True, slots=True)
class CriteriaEvidence:
    """All criteria by evidence, the strongest first.

    `called` differ at a false-discovery rate of 5 %, `strong` hold together (max-T). `draws` arrangements of the modes among
    `shuffled` validations were looked at, with `seed`; `normal` says that they were drawn from the normal limit. A hidden number is ``None``.
    """

    criteria: CriteriaByMode
    rows: tuple[CriterionEvidence, ...]
    shuffled: int | None
    draws: int
    seed: int
    normal: bool
    caveats: tuple[str, ...] = ()
    sentence: str = ""

    @property
    def called(self) -> tuple[CriterionEvidence, ...]:
        """Criteria that differ at a false-discovery rate of 5 %."""
        return tuple(row for row in self.rows if row.criterion.differs)

    @property
    def strong(self) -> tuple[CriterionEvidence, ...]:
        """Criteria that differ even if none of all may be called wrongly."""
        return tuple(row for row in self.rows if row.max_t_p is not None and row.max_t_p < LEVEL)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: a row a criterion."""
        return {
            "rows": [row.to_dict() for row in self.rows],
            "n": self.criteria.n,
            "tested": self.criteria.tested,
            "shuffled": self.shuffled,
            "draws": self.draws,
            "seed": self.seed,
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a criterion."""
        return pd.DataFrame([row.to_dict() for row in self.rows])


def criteria_evidence(
    dataset: Dataset, selection: Selection = Selection(), *, draws: int = DRAWS, seed: int = SEED
) -> CriteriaEvidence:
    """Compare the modes on every single criterion, allowing for all looks in both ways.

    Parameters
    ----------
    dataset : Dataset
    selection : Selection
    draws : int
        Random arrangements of the modes.
    seed : int
        Of the arrangements.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    found = answer_to(criteria_by_mode, dataset, selection)
    tested = [row.criterion_id for row in found.rows if row.p_value is not None]
    selection = selection.checked(dataset).without("modes")
    strong, caveats = None, found.caveats
    if tested and found.n > MOST_VALIDATIONS:
        caveats = (*caveats, "too_many_to_shuffle")
    elif tested and not _by_validation(dataset):
        caveats = (*caveats, "import_again")
    elif tested:
        strong = _max_t(dataset, selection, tested, draws, seed)
        if not strong.units:
            caveats = (*caveats, "nothing_to_shuffle")
    adjusted = dict(zip(tested, strong.p_adjusted, strict=True)) if strong is not None else {}
    chosen = sum(row.differs for row in found.rows)
    rows = tuple(
        CriterionEvidence(
            row, _for_the_called(row, chosen, found.tested), finite_or_none(adjusted.get(row.criterion_id))
        )
        for row in found.rows
    )
    out = CriteriaEvidence(
        found, rows, strong.units if strong else 0, strong.arrangements if strong else 0, seed,
        strong.normal if strong else False, caveats,
    )  # fmt: skip
    return dataclasses.replace(out, sentence=_sentence(out))


def answers_by_validation(
    dataset: Dataset, selection: Selection, criteria: Sequence[str]
) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """Answers in the comparison window: 1 deficient, 0 met, −1 not asked or not known.

    Parameters
    ----------
    dataset : Dataset
        Whose findings are kept by validation.
    selection : Selection
        Without validation modes.
    criteria : sequence of str

    Returns
    -------
    validations : DataFrame
        One row a validation, with ``arm`` and the columns of `WITHIN`.
    answers : ndarray
        Shape (criteria, validations).
    """
    by = ["validation_row", "mode", *WITHIN, "entity_type", "catalogue_period"]
    rows = comparison_window(counts(dataset, "validations", by, selection)).rows.reset_index(drop=True)
    place = {criterion: i for i, criterion in enumerate(criteria)}
    answers = np.full((len(criteria), len(rows)), -1, np.int8)
    codes = {value: code for code, value in enumerate(dataset.vocabulary("entity_type"))}
    names = dataset.vocabulary("criterion_id")
    applies = dataset.applicability()
    applies = applies.assign(place=[place.get(names[code], -1) for code in applies["criterion_id"]])
    asked = {
        key: part["place"].to_numpy()
        for key, part in applies[applies["place"] >= 0].groupby(["entity_type", "catalogue_period"])
    }
    kinds = pd.Series([codes.get(value, -1) for value in rows["entity_type"]], rows.index)
    for key, part in rows.groupby([kinds, rows["catalogue_period"]]):
        if key in asked:
            answers[np.ix_(asked[key], part.index)] = 0
    found = counts(dataset, "findings", ["validation_row", "criterion_id", "answer"], selection)
    column = found["validation_row"].map(pd.Series(rows.index, rows["validation_row"]))
    line = found["criterion_id"].map(place)
    known = column.notna() & line.notna()
    where = (line[known].to_numpy(np.int64), column[known].to_numpy(np.int64))
    answers[where] = np.where(found.loc[known, "answer"].isin(_UNKNOWN), -1, 1)
    return rows, answers


def _by_validation(dataset: Dataset) -> bool:
    findings = dataset.prepared("findings")
    return findings is not None and "validation_row" in findings.collect_schema().names()


def _max_t(dataset: Dataset, selection: Selection, criteria: Sequence[str], draws: int, seed: int) -> MaxT:
    rows, answers = answers_by_validation(dataset, selection, criteria)
    keys = rows[list(WITHIN)].astype("object").where(rows[list(WITHIN)].notna(), "")
    stratum = pd.MultiIndex.from_frame(keys).factorize()[0]
    return stratified_max_t(answers, rows["arm"].to_numpy(), stratum, draws=draws, seed=seed)


def _for_the_called(row: CriterionByMode, chosen: int, tested: int) -> Interval | None:
    """The interval of a criterion, wider where it is shown because it was called (Benjamini and Yekutieli)."""
    if row.interval is None or row.estimate is None or not row.differs:
        return row.interval
    level = 1 - LEVEL * chosen / tested
    reach = row.interval.half_width / ndtri(0.975) * -ndtri((1 - level) / 2)
    low, high = max(row.estimate - reach, -1.0), min(row.estimate + reach, 1.0)
    return Interval(low, high, level, f"{row.interval.method}, false coverage rate 5 %")


def _sentence(found: CriteriaEvidence) -> str:
    """How many criteria differ, the strongest of them with its difference, and how many hold all together."""
    tested = found.criteria.tested
    if not tested:
        return ""
    n = f"n = {wording.counted(found.criteria.n, 'validation')}"
    top = found.rows[0]
    gap = (
        f"{wording.amount(top.criterion.estimate, 'difference')} points "
        f"({wording.interval(top.interval, 'difference')}; {n})"
    )
    called, strong = len(found.called), len(found.strong)
    if not called:
        said = f"**None of {tested} criteria** differs at a false-discovery rate of 5%; the smallest p has {top.criterion.criterion_id}, {gap}"
    else:
        verb = "differs" if called == 1 else "differ"
        said = f"**{called} of {tested} criteria** {verb} at a false-discovery rate of 5%, {top.criterion.criterion_id} first: {gap}"
    if not found.draws:
        return f"{said}."
    together = "none holds" if not strong else f"{strong} {'holds' if strong == 1 else 'hold'}"
    return f"{said}; {together} when no false call is allowed (max-T)."
