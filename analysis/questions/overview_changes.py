"""What changed against the comparable period before: of the same length, directly before it, everything else alike."""

from __future__ import annotations

import dataclasses
import datetime as dt
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis import wording
from analysis.questions.overview_records import Change, Statistic
from analysis.selection import Selection, month_number, month_start
from analysis.stats.mover import mover_difference

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

FISCAL_YEAR_STARTS = 10
YEAR = 12
"""Months that are compared where no period is chosen: a season has no part in the change then."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Two periods of the same length, one directly before the other."""

    latest: Selection
    before: Selection
    months: int
    chosen: bool

    def words(self, dataset: Dataset) -> str:
        """Both of them as a person says them."""
        now, then = (wording.period(*each.period(dataset)) for each in (self.latest, self.before))
        return f"{now.removesuffix(' (calendar)')} against {then.removesuffix(' (calendar)')}"

    @property
    def before_name(self) -> str:
        """The period before, in a few words."""
        return _year(self.before, self.months) or f"the {wording.counted(self.months, 'month')} before"

    @property
    def latest_name(self) -> str:
        """The latest period in a few words, where it is not the one chosen."""
        return "" if self.chosen else _year(self.latest, self.months) or "last 12 months"


def comparable_periods(dataset: Dataset, selection: Selection) -> Periods | None:
    """The period chosen and the one of the same length before it, in whole months; None where the data do not reach.

    Without a chosen period the last twelve months.
    """
    first, last = (month_number(day) for day in dataset.period)
    start, end = selection.period(dataset)
    if start > end or not selection.whole_months():
        return None
    until = month_number(end)
    chosen = selection.start is not None or selection.end is not None
    months = until - month_number(start) + 1 if chosen else YEAR
    since, earlier = until - months + 1, until - 2 * months + 1
    if earlier < first or until > last:
        return None
    return Periods(_over(selection, since, until), _over(selection, earlier, since - 1), months, chosen)


def with_changes(
    statistics: Sequence[Statistic], latest: Sequence[Statistic], before: Sequence[Statistic]
) -> tuple[Statistic, ...]:
    """Statistics of a selection with what changed between its two periods."""
    now, then = ({each.id: each for each in many} for many in (latest, before))
    return tuple(
        dataclasses.replace(each, change=_change(now[each.id], then[each.id]))
        if each.id in now and each.id in then
        else each
        for each in statistics
    )


def _change(now: Statistic, then: Statistic) -> Change | None:
    if now.value is None or then.value is None:
        return None
    bounds = None
    if now.interval is not None and then.interval is not None and now.scale in ("share", "rate"):
        bounds = mover_difference(now.value, now.interval, then.value, then.interval)
    # Of a count it is the count that changes, even where its share of all is kept beside it.
    difference = now.value - then.value
    if now.scale == "count":
        if now.count is None or then.count is None:
            return None
        difference = float(now.count - then.count)
    return Change(difference, bounds, (now.count, now.n), (then.count, then.n))


def _year(selection: Selection, months: int) -> str:
    """The calendar or fiscal year that a selection is, e.g. ``2021`` or ``FY21``; empty for any other period."""
    start, end = selection.start, selection.end
    if months != YEAR or start is None or end is None or start.month not in (1, FISCAL_YEAR_STARTS):
        return ""
    return str(start.year) if start.month == 1 else f"FY{end.year % 100:02d}"


def _over(selection: Selection, first: int, last: int) -> Selection:
    end = month_start(last)
    return dataclasses.replace(
        selection,
        start=month_start(first),
        end=dt.date(end.year, end.month, monthrange(end.year, end.month)[1]),
    )
