"""The records that are searched for oddities, and the words an oddity is told in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis import wording
from analysis.counts import available, counts
from analysis.errors import AnalysisError
from analysis.questions.anomalies_case_mix import CASE_MIX, Expectation, expectation
from analysis.questions.memo import Memo
from analysis.questions.sharing import counted_once

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

LEVEL = 0.05
"""False-discovery rate, and level of a search as a whole."""

_KEYS = (
    "validation_row", "validation_id", "member", "specialist", "field_office", *CASE_MIX, "month", "day", "reported_day",
    "closed_day", "left_day", "hours",
)  # fmt: skip
_SUMS = (
    "n", "n_deficient", "n_assessed", "n_not_verified", "n_verifiable", "any_deficiency", "has_assessed",
    "any_must_deficiency", "has_must_assessed",
)  # fmt: skip
EXCEPTIONS = ("deficient", "not_verified")

MOST_ANSWERS_OF, MOST = 300_000, 2_000_000
"""Validations whose single answers are looked through, and that are looked through at all: each is held as a row."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something deserves a second look: a code of `analysis.reasons`, and what was seen, in words.

    `p_value` is the probability of as much by chance, before any adjustment; None where no chance is reckoned with.
    """

    code: str
    words: str
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """One row a validation, and one row a criterion of a validation that was deficient or not verified.

    `validations` has the columns of the prepared table (coded columns as values; ``quarter`` and ``month`` from year
    0, days since 1970), `answers` ``validation_row``, ``criterion_id``, ``answer`` and ``corrected_day``. `asked` says
    whether it is known which criteria were looked at, `pseudonyms` how specialists are called, `known` what was worked
    out of them.
    """

    validations: pd.DataFrame
    answers: pd.DataFrame
    pseudonyms: Mapping[int, str]
    asked: bool = True
    caveats: tuple[str, ...] = ()
    known: Memo = field(default_factory=Memo, repr=False, compare=False)

    @property
    def nbytes(self) -> int:
        """How much the rows take in memory."""
        return sum(int(rows.memory_usage(index=False).sum()) for rows in (self.validations, self.answers))

    def expectation(self, events: str, totals: str) -> Expectation:
        """Events that each validation's case mix leads to expect."""
        return self.known.once((events, totals), lambda: expectation(self.validations, events, totals))


def records_of(dataset: Dataset, selection: Selection) -> Records:
    """Validations of a selection, whatever their office, with their answers.

    Offices are compared with one another and specialists with all others, so the office filter narrows what is shown
    (`in_offices`), not what is compared. Days and hours are the prepared ones; nothing of a company or a person is read
    but the number it has there.

    Raises
    ------
    AnalysisError
        For more than two million validations.
    """
    wide = selection.without("offices")
    return counted_once(("records", dataset.identity, wide), lambda: _read(dataset, wide))


def _read(dataset: Dataset, wide: Selection) -> Records:
    if (n := int(counts(dataset, "validations", (), wide)["n"].iloc[0])) > MOST:
        raise AnalysisError(
            f"{wording.counted(n, 'validation')} are too many to be looked through one by one: choose a period, entity type "
            f"or mode with {MOST:,} at most."
        )
    validations = counts(dataset, "validations", _KEYS, wide, sums=_SUMS, via="rows")
    caveats: tuple[str, ...] = ()
    found = pd.DataFrame({"validation_row": [], "criterion_id": [], "answer": [], "corrected_day": []})
    prepared = dataset.prepared("findings") if available(dataset, "findings") else None
    if prepared is not None and "validation_row" not in prepared.collect_schema().names():
        caveats = ("import_again",)
    elif prepared is not None and len(validations) > MOST_ANSWERS_OF:
        caveats = ("answers_not_looked_through",)
    elif prepared is not None:
        by = ["validation_row", "criterion_id", "answer", "corrected_day"]
        found = counts(dataset, "findings", by, wide.without("focus_areas"), via="rows")
        found = found[found["answer"].isin(EXCEPTIONS)]
        caveats = ("focus_area_ignored",) if wide.focus_areas else ()
    return Records(validations, found, pseudonyms(dataset), dataset.criteria_asked, caveats)


def in_offices(rows: pd.DataFrame, selection: Selection) -> np.ndarray:
    """Which rows belong to the offices chosen; all of them where none is."""
    chosen = rows["field_office"].isin(selection.offices) if selection.offices else np.ones(len(rows), bool)
    return np.asarray(chosen, bool)


def pseudonyms(dataset: Dataset) -> dict[int, str]:
    """Names such as S-07 for the specialists of a dataset, the same under every filter.

    They are shuffled, so that their order tells nothing of the order of identifiers; new content shuffles anew.
    """
    known = counts(dataset, "validations", ["specialist"], via="rows")["specialist"]
    return shuffled_names(int(known.max()) + 1 if len(known) else 0, dataset.fingerprint)


def shuffled_names(count: int, salt: str) -> dict[int, str]:
    """Pseudonyms of so many specialists, shuffled by `salt`.

    >>> names = shuffled_names(3, "ab12")
    >>> sorted(names.values()), names == shuffled_names(3, "ab12")
    (['S-01', 'S-02', 'S-03'], True)
    """
    seed = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "big")
    width = max(2, len(str(count)))
    order = np.random.default_rng(seed).permutation(count)
    return {int(code): f"S-{place:0{width}}" for place, code in enumerate(order, 1)}


def told(reasons: tuple[Reason, ...]) -> dict[str, Any]:
    """The reasons of a row of JSON: their codes, and all that is said, in one line."""
    return {
        "reasons": [reason.code for reason in reasons],
        "words": "; ".join(reason.words for reason in reasons),
    }
