"""Selection: which records a question is asked of.

A frozen value that knows its mask (rows it keeps), its URL form and how to say itself in words. The same
value filters cells, prepared rows, pages, notebooks and the command line.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from calendar import monthrange
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from analysis import wording
from analysis.errors import AnalysisError, nearest
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

LISTS: dict[str, tuple[str, str]] = {
    "offices": ("office", "field_office"),
    "modes": ("mode", "mode"),
    "entity_types": ("entity-type", "entity_type"),
    "risks": ("risk", "risk"),
    "kinds": ("kind", "kind"),
    "locations": ("location", "location"),
    "focus_areas": ("focus-area", "focus_area"),
    "transport_modes": ("transport-mode", "transport_mode"),
}
"""Field of a selection → (its name in the URL and on the command line, the column it filters)."""

EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters of a question; empty means no filter.

    Parameters
    ----------
    offices, modes, entity_types, risks, kinds, locations, focus_areas, transport_modes : tuple of str
        Values kept, as codes of the dataset's vocabularies.
    start, end : datetime.date or None
        First and last day kept (both included).

    Raises
    ------
    AnalysisError
        When the period ends before it starts.
    """

    offices: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    start: dt.date | None = None
    end: dt.date | None = None
    entity_types: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    focus_areas: tuple[str, ...] = ()
    transport_modes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in LISTS:
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))
        if self.start and self.end and self.start > self.end:
            raise AnalysisError(
                f"The period ends ({wording.date(self.end)}) before it starts ({wording.date(self.start)}): "
                "swap --from and --to."
            )

    def without(self, *names: str) -> Selection:
        """The same selection with some filters taken off.

        >>> Selection(modes=("virtual",)).without("modes").modes
        ()
        """
        empty = {name: () if name in LISTS else None for name in names}
        return dataclasses.replace(self, **empty)  # type: ignore[arg-type]  # names of its own fields

    def checked(self, dataset: Dataset) -> Selection:
        """This selection, if the dataset knows every value in it.

        Raises
        ------
        AnalysisError
            Naming the first unknown value and the nearest known one.
        """
        for name, (option, column) in LISTS.items():
            known = dataset.vocabulary(column)
            for value in getattr(self, name):
                if value not in known:
                    raise AnalysisError(
                        f"{LABELS[column]} '{value}' (--{option}) is not in this dataset; {nearest(value, known)}"
                    )
        return self

    def whole_months(self) -> bool:
        """Whether the period starts and ends with a month, so that monthly cells can answer."""
        starts = self.start is None or self.start.day == 1
        ends = self.end is None or self.end.day == monthrange(self.end.year, self.end.month)[1]
        return starts and ends

    def mask(self, dataset: Dataset, columns: Sequence[str]) -> nw.Expr | None:
        """The rows kept, as an expression over integer-coded columns.

        Filters whose column is not among `columns` are not applied: the focus area chooses criteria, not
        validations. `None` where nothing is filtered. Bounds of the period use ``day`` if there is one,
        else ``month``.
        """
        terms = [among(column, codes) for column, codes in self._kept_codes(dataset, columns)]
        unit = "day" if "day" in columns else "month"
        number = day_number if unit == "day" else month_number
        if self.start:
            terms.append(nw.col(unit) >= number(self.start))
        if self.end:
            terms.append(nw.col(unit) <= number(self.end))
        return reduce(and_, terms) if terms else None

    def kept(self, dataset: Dataset, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_] | None:
        """The same of monthly columns in memory: which places are kept; `None` where nothing is filtered."""
        terms = []
        for column, codes in self._kept_codes(dataset, columns):
            # The last place is for the code −1, not recorded.
            wanted = np.zeros(len(dataset.vocabulary(column)) + 1, bool)
            wanted[codes] = True
            terms.append(wanted[columns[column]])
        if self.start and "month" in columns:
            terms.append(columns["month"] >= month_number(self.start))
        if self.end and "month" in columns:
            terms.append(columns["month"] <= month_number(self.end))
        return np.logical_and.reduce(terms) if terms else None

    def _kept_codes(self, dataset: Dataset, columns: Container[str]) -> list[tuple[str, list[int]]]:
        chosen = ((column, getattr(self, name)) for name, (_, column) in LISTS.items() if column in columns)
        return [
            (column, [dataset.code(column, value) for value in values]) for column, values in chosen if values
        ]

    def to_query(self) -> dict[str, list[str]]:
        """The URL form: only what differs from no filter, under the command line's option names.

        >>> Selection(offices=("Miami",), start=dt.date(2020, 7, 1)).to_query()
        {'office': ['Miami'], 'from': ['2020-07-01']}
        """
        query = {option: list(getattr(self, name)) for name, (option, _) in LISTS.items()}
        query["from"] = [self.start.isoformat()] if self.start else []
        query["to"] = [self.end.isoformat()] if self.end else []
        return {option: values for option, values in query.items() if values}

    @classmethod
    def from_query(
        cls, params: Mapping[str, Sequence[str]], dataset: Dataset
    ) -> tuple[Selection, tuple[str, ...]]:
        """Read a URL; what the dataset does not know is left out and named.

        Returns
        -------
        selection : Selection
        ignored : tuple of str
            What was not understood, e.g. ``("office Atlantis",)``.
        """
        kept: dict[str, tuple[str, ...]] = {}
        ignored: list[str] = []
        for name, (option, column) in LISTS.items():
            known = dataset.vocabulary(column)
            values = params.get(option, ())
            kept[name] = tuple(value for value in values if value in known)
            ignored += [f"{option} {value}" for value in values if value not in known]
        days: dict[str, dt.date | None] = {}
        for option in ("from", "to"):
            texts = list(params.get(option, ()))
            days[option] = None
            if texts:
                try:
                    days[option] = dt.date.fromisoformat(texts[-1])
                except ValueError:
                    ignored.append(f"{option} {texts[-1]}")
        start, end = days["from"], days["to"]
        if start and end and start > end:
            ignored.append(f"to {end.isoformat()}")
            end = None
        return cls(start=start, end=end, **kept), tuple(ignored)

    def period(self, dataset: Dataset) -> tuple[dt.date, dt.date]:
        """First and last day of the selection within the dataset."""
        first, last = dataset.period
        return max(self.start or first, first), min(self.end or last, last)

    def words(self, dataset: Dataset) -> str:
        """The selection as a person says it: period, offices, then whatever else is filtered."""
        start, end = self.period(dataset)
        parts = [wording.period(start, end)] if start <= end else ["a period outside the data"]
        offices = dataset.vocabulary("field_office")
        named = self.offices or (dataset.part.offices if dataset.part else ())
        if named:
            parts.append(wording.listed([dataset.label("field_office", office) for office in named]))
        elif len(offices) > 1:
            parts.append(f"all {wording.number(len(offices))} field offices")
        for name, (_, column) in LISTS.items():
            values = getattr(self, name)
            if values and name != "offices":
                shown = wording.listed([dataset.label(column, value) for value in values], conjunction="or")
                parts.append(f"{LABELS[column].lower()}: {shown}")
        return " · ".join(parts)


def among(column: str, codes: Sequence[int]) -> nw.Expr:
    """Rows whose code is one of these.

    Said as equalities, which DuckDB takes to the file, so that it skips the blocks without them; of a list, or of a term
    that null should pass, it looks at every row. Of no codes: no rows.
    """
    if not codes:
        return nw.col(column).is_in([])
    return reduce(or_, [nw.col(column) == int(code) for code in codes])


def day_number(day: dt.date) -> int:
    """Days since 1 January 1970: the integer day key of prepared tables."""
    return (day - EPOCH).days


def month_number(day: dt.date) -> int:
    """Months since year 0: the integer month key of prepared tables and cells.

    >>> month_number(dt.date(2020, 7, 31))
    24246
    """
    return day.year * 12 + day.month - 1


def month_start(month: int) -> dt.date:
    """First day of a month key.

    >>> month_start(24246)
    datetime.date(2020, 7, 1)
    """
    return dt.date(month // 12, month % 12 + 1, 1)
