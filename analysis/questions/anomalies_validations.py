"""Single validations that look odd, each with its reasons in words: worth a second look, not a finding.

What is reckoned with chance is tested as one family a check, false-discovery rate 5 %. Dates that cannot be are named
as such. What is only unusual (a Sunday, a report on the day) counts while it is rare in the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis import wording
from analysis.questions.anomalies_answers import copied_answers
from analysis.questions.anomalies_case_mix import expectation
from analysis.questions.anomalies_dates import odd_dates
from analysis.questions.anomalies_records import LEVEL, Reason, Records, in_offices, records_of, told
from analysis.selection import Selection, month_start
from analysis.stats.multiplicity import benjamini_hochberg
from analysis.stats.surprise import count_tails

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

    Found = dict[int, list[Reason]]

FAST_HOURS = 1.5
"""Nothing found in this time or less is looked at, if so few hours are rare in that mode."""
RARE_SHORT = 0.025
_NORMAL_MAD = 1.4826

ORDER = (
    "closed_before_corrected", "corrected_before_visit", "after_leaving", "copied_answers", "many_findings",
    "few_findings", "many_not_verified", "crowded_day", "short_visit", "nothing_found_fast", "reported_same_day",
    "unusual_day",
)  # fmt: skip
"""Codes of the reasons, what cannot be first and what is only unusual last."""


@dataclass(frozen=True, slots=True)
class OddValidation:
    """One validation worth a second look, and why."""

    validation_id: str
    mode: str | None
    month: int
    reasons: tuple[Reason, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        day = month_start(self.month)
        return {
            "validation_id": self.validation_id,
            "mode": self.mode,
            "month": f"{day:%Y-%m}",
            **told(self.reasons),
        }


@dataclass(frozen=True, slots=True)
class OddValidations:
    """Validations worth a second look, those with most and strongest reasons first; `n` were looked through.

    `by_reason` counts them by reason code; one with two reasons counts twice. `flagged` is their number.
    """

    rows: tuple[OddValidation, ...]
    n: int | None
    flagged: int | None
    by_reason: Mapping[str, int]
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a validation."""
        frame = pd.DataFrame(
            [row.to_dict() for row in self.rows],
            columns=["validation_id", "mode", "month", "reasons", "words"],
        )
        return frame.assign(reasons=[", ".join(codes) for codes in frame["reasons"]])


def odd_validations(dataset: Dataset, selection: Selection = Selection()) -> OddValidations:
    """Look through single validations.

    Parameters
    ----------
    dataset : Dataset
    selection : Selection
        Its offices narrow what is shown; a validation is odd, or not, among all offices.
    """
    selection = selection.checked(dataset)
    records = records_of(dataset, selection)
    return looked_through(records, selection)


def looked_through(records: Records, selection: Selection = Selection()) -> OddValidations:
    """As `odd_validations`, of records at hand."""
    rows = records.validations
    if rows.empty:
        return OddValidations((), 0, 0, {}, ("empty_selection",))
    # What is odd is odd whatever office is looked at.
    found = records.known.once("oddities", lambda: _oddities(records))
    shown = in_offices(rows, selection)
    here = rows[shown & rows["validation_row"].isin(found).to_numpy()]
    made = [
        OddValidation(
            str(row.validation_id),
            row.mode,
            int(row.month),
            tuple(sorted(found[int(row.validation_row)], key=_place)),
        )
        for row in here.itertuples()
    ]
    made.sort(key=lambda odd: (-len(odd.reasons), *_place(odd.reasons[0]), odd.validation_id))
    by_reason = {code: sum(any(r.code == code for r in odd.reasons) for odd in made) for code in ORDER}
    return OddValidations(
        tuple(made), int(shown.sum()), len(made), {c: n for c, n in by_reason.items() if n}, records.caveats
    )


def _oddities(records: Records) -> Found:
    """Reasons of all that deserves a second look."""
    rows = records.validations
    found: Found = {row: [reason] for row, reason in copied_answers(records).items()}
    expected = _expected_deficiencies(records)
    for part in (
        _far_from_expected(rows, expected),
        _not_verified(records),
        _fast(rows, expected),
        odd_dates(records),
    ):
        for row, reasons in part.items():
            found.setdefault(row, []).extend(reasons)
    return found


def _place(reason: Reason) -> tuple[int, float]:
    return ORDER.index(reason.code), -1.0 if reason.p_value is None else reason.p_value


def _expected_deficiencies(records: Records) -> NDArray[np.float64]:
    """Deficiencies that each validation's case mix leads to expect."""
    rows = records.validations
    if records.asked:
        return records.expectation("n_deficient", "n_assessed").expected
    # Where nobody knows which criteria were asked, every validation had the same chances.
    most = max(int(rows["n_deficient"].max()), 1)
    return expectation(rows.assign(_chances=most), "n_deficient", "_chances").expected


def _far_from_expected(rows: pd.DataFrame, expected: NDArray[np.float64]) -> Found:
    """Many more, or fewer, deficiencies than members like this one lead to expect."""
    tails = count_tails(rows["n_deficient"], expected)
    out: Found = {}
    for code, p in (("many_findings", tails.upper), ("few_findings", tails.lower)):
        # Two looks at every validation: each tail is a family of its own at half the level.
        for i in np.flatnonzero(benjamini_hochberg(p) < LEVEL / 2):
            seen = wording.counted(int(rows["n_deficient"].iloc[i]), "deficiency", "deficiencies")
            said = f"{seen}, where {expected[i]:.1f} were expected of members like this one"
            out.setdefault(int(rows["validation_row"].iloc[i]), []).append(Reason(code, said, float(p[i])))
    return out


def _not_verified(records: Records) -> Found:
    """Many more criteria left unseen than on validations like this one."""
    if not records.asked:
        return {}
    rows = records.validations
    expected = records.expectation("n_not_verified", "n_verifiable").expected
    p = count_tails(rows["n_not_verified"], expected).upper
    out: Found = {}
    for i in np.flatnonzero(benjamini_hochberg(p) < LEVEL):
        row = rows.iloc[i]
        said = (
            f"{row['n_not_verified']:,} of {wording.counted(row['n_verifiable'], 'criterion', 'criteria')} not verified, where "
            f"{expected[i]:.1f} were expected"
        )
        out[int(row["validation_row"])] = [Reason("many_not_verified", said, float(p[i]))]
    return out


def _fast(rows: pd.DataFrame, expected: NDArray[np.float64]) -> Found:
    """Nothing found in a very short time, and times that are short whatever was found."""
    out: Found = {}
    rows = rows.assign(_expected=expected)
    for _, own in rows[rows["hours"] > 0].groupby("mode", dropna=False):
        hours = own["hours"].to_numpy(float)
        usual = float(np.median(hours))
        rare = hours <= np.quantile(hours, RARE_SHORT)
        for i in np.flatnonzero(rare & (hours <= FAST_HOURS) & (own["n_deficient"].to_numpy() == 0)):
            said = (
                f"No deficiency in {wording.number(hours[i] * 60)} minutes, where {own['_expected'].iloc[i]:.1f} were expected "
                f"and {wording.number(usual, 1)} hours are usual"
            )
            out.setdefault(int(own["validation_row"].iloc[i]), []).append(Reason("nothing_found_fast", said))
        p = _too_short(hours)
        for i in np.flatnonzero(benjamini_hochberg(p) < LEVEL):
            said = f"Took {wording.number(hours[i] * 60)} minutes; {wording.number(usual, 1)} hours are usual"
            out.setdefault(int(own["validation_row"].iloc[i]), []).append(
                Reason("short_visit", said, float(p[i]))
            )
    return out


def _too_short(hours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lower tail of hours under a lognormal distribution with their median and median deviation."""
    from scipy.special import ndtr

    logs = np.log(hours)
    spread = _NORMAL_MAD * float(np.median(np.abs(logs - np.median(logs))))
    return np.asarray(ndtr((logs - np.median(logs)) / spread)) if spread > 0 else np.ones(len(hours))
