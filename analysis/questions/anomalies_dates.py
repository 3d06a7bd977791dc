"""Dates and speeds that cannot be, or hardly: closed before corrected, too many places on one day, a Sunday."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import wording
from analysis.questions.anomalies_records import LEVEL, Reason, Records
from analysis.selection import EPOCH
from analysis.stats.multiplicity import benjamini_hochberg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Found = dict[int, list[Reason]]

RARE = 0.02
"""What more than so many validations share is the custom there, and tells nothing."""
CROWD = 3
"""So many validations on site by one specialist on one day, at different members, before chance is asked."""
_SATURDAY = 5


def odd_dates(records: Records) -> Found:
    """Reasons by ``validation_row`` that a validation's dates give."""
    out: Found = {}
    for check in (_corrections, _left, _crowded, _same_day, _days_off):
        for row, reason in check(records).items():
            out.setdefault(row, []).append(reason)
    return out


def _corrections(records: Records) -> dict[int, Reason]:
    """Corrected after the validation was closed, or before it took place."""
    corrected = records.answers.dropna(subset="corrected_day")
    span = corrected.groupby("validation_row")["corrected_day"].agg(["min", "max"]).astype("float64")
    rows = (
        records.validations.set_index("validation_row")[["day", "closed_day"]]
        .astype("float64")
        .join(span, how="inner")
    )
    out = {}
    for row in rows[rows["closed_day"] < rows["max"]].itertuples():
        said = f"Closed on {_day(row.closed_day)}, before its last correction on {_day(row.max)}"
        out[int(row.Index)] = Reason("closed_before_corrected", said)
    for row in rows[rows["min"] < rows["day"]].itertuples():
        said = f"A deficiency corrected on {_day(row.min)}, before the validation on {_day(row.day)}"
        out.setdefault(int(row.Index), Reason("corrected_before_visit", said))
    return out


def _left(records: Records) -> dict[int, Reason]:
    rows = records.validations
    late = (rows["day"] > rows["left_day"]).fillna(False).to_numpy(bool)
    return {
        int(row.validation_row): Reason(
            "after_leaving", f"Conducted after the member had left on {_day(row.left_day)}"
        )
        for row in rows[late].itertuples()
    }


def _crowded(records: Records) -> dict[int, Reason]:
    """More validations on site by one specialist on one day than their pace makes likely.

    A specialist's validations are spread by chance over the working days between their first and last one; given one
    on a day, the others of that day are Poisson. One test a specialist and day, false-discovery rate 5 %.
    """
    from scipy.special import gammainc

    rows = records.validations
    rows = rows[(rows["specialist"] >= 0) & (rows["mode"] != "virtual")]
    if rows.empty:
        return {}
    pace = rows.groupby("specialist")["day"].agg(["min", "max", "size"])
    working = np.maximum((pace["max"] - pace["min"] + 1) * 5 / 7, 1.0)
    days = rows.groupby(["specialist", "day"]).agg(members=("member", "nunique")).reset_index()
    rate = (pace["size"] / working).loc[days["specialist"]].to_numpy(float)
    more = days["members"].to_numpy(float) - 1
    p = np.where(more > 0, gammainc(np.maximum(more, 1), rate), 1.0)
    crowd = days[(benjamini_hochberg(p) < LEVEL) & (days["members"] >= CROWD)].assign(p=lambda f: p[f.index])
    out = {}
    for row in rows.merge(crowd, on=["specialist", "day"]).itertuples():
        said = f"One of {row.members} members that the specialist visited on {_day(row.day)}"
        out[int(row.validation_row)] = Reason("crowded_day", said, float(row.p))
    return out


def _same_day(records: Records) -> dict[int, Reason]:
    rows = records.validations
    same = (rows["reported_day"] == rows["day"]).fillna(False).to_numpy(bool)
    waits = (rows["reported_day"] - rows["day"]).astype("float64")
    usual = f"{wording.number(float(waits.median()))} days are usual" if waits.notna().any() else ""
    return {
        row: Reason("reported_same_day", f"Reported on the day it was conducted; {usual}")
        for row in _if_rare(rows, same)
    }


def _days_off(records: Records) -> dict[int, Reason]:
    """On a Saturday, Sunday or federal holiday, each kind where it is rare."""
    rows = records.validations
    dates = pd.to_datetime(rows["day"], unit="D", origin=EPOCH.isoformat())
    weekend = (dates.dt.day_of_week >= _SATURDAY).to_numpy()
    out = {}
    for off, when in ((weekend, ""), (~weekend & _holidays(dates), ", a federal holiday")):
        chosen = rows["validation_row"].isin(_if_rare(rows, off)).to_numpy()
        for row, date in zip(rows["validation_row"][chosen], dates[chosen], strict=True):
            said = f"Conducted on {date:%A}, {wording.date(date.date())}{when}"
            out[int(row)] = Reason("unusual_day", said)
    return out


def _holidays(dates: pd.Series) -> NDArray[np.bool_]:
    from pandas.tseries.holiday import USFederalHolidayCalendar

    known = USFederalHolidayCalendar().holidays(dates.min(), dates.max())
    return np.asarray(dates.isin(known))


def _if_rare(rows: pd.DataFrame, odd: NDArray[np.bool_]) -> list[int]:
    """Rows that are odd, if few enough are."""
    return [int(row) for row in rows.loc[odd, "validation_row"]] if 0 < odd.mean() <= RARE else []


def _day(day: float) -> str:
    return wording.date(EPOCH + dt.timedelta(days=int(day)))
