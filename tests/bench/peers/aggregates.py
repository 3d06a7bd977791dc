"""The eight aggregates of a page, the filters they are asked with, and when two answers are equal."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.datasets.cells import DURATIONS
from analysis.datasets.opening import Dataset
from analysis.selection import LISTS, Selection, month_number, month_start


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Sums of a table's rows by columns."""

    name: str
    table: str
    by: tuple[str, ...]
    sums: tuple[str, ...] = ("n",)


EIGHT = (
    Aggregate("by month and mode", "validations", ("month", "mode")),
    Aggregate(
        "deficiencies by mode", "validations", ("mode",), ("n", "any_deficiency", "any_must_deficiency", "has_assessed")
    ),
    Aggregate(
        "by office and mode", "validations", ("field_office", "mode"), ("n", "any_must_deficiency", "n_deficient", "n_assessed")
    ),
    Aggregate("by category", "findings", ("category", "mode", "answer")),
    Aggregate("ranking of criteria", "findings", ("criterion_id", "answer")),
    Aggregate("reasons", "findings", ("reason", "mode")),
    Aggregate("times and amounts", "values", ("metric", "mode", "value", "event")),
    Aggregate("incidents by month and transport", "incidents", ("month", "transport_mode")),
)  # fmt: skip

TIMES = {
    "days_to_report": ("report_days", "reported", "report_days IS NOT NULL"),
    "days_to_close": ("close_days", "closed", "close_days IS NOT NULL AND n_deficient > 0"),
    "hours": ("round(hours * 10)", "1", "hours IS NOT NULL"),
    "followup": ("followup_days", "followup_incident", "followup_days IS NOT NULL"),
    "sites": ("sites", "1", "sites IS NOT NULL"),
    "minutes_lost": ("round(minutes_lost)", "1", "minutes_lost IS NOT NULL"),
}
"""Times and amounts in columns of the prepared validations: value, event, and which rows have one."""

FILTERED = ("field_office", "mode", "entity_type", "risk", "kind", "location")
"""Columns that filters keep codes of; the month is kept between two."""

READ = {
    "validations": (
        *FILTERED, "month", "n", "any_deficiency", "any_must_deficiency", "has_assessed", "n_deficient", "n_assessed",
        "report_days", "reported", "close_days", "closed", "hours", "followup_days", "followup_incident", "sites",
        "minutes_lost",
    ),
    "findings": (*FILTERED, "month", "category", "answer", "criterion_id", "reason", "n"),
    "incidents": (*FILTERED, "month", "transport_mode", "n"),
}  # fmt: skip
"""What has to be read of each table of prepared rows: integer codes throughout."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A selection as everybody gets it: codes kept by column, and the first and last month."""

    codes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    first: int | None = None
    last: int | None = None

    def selection(self, dataset: Dataset) -> Selection:
        """The same for `analysis.counts`."""
        options = {column: name for name, (_, column) in LISTS.items()}
        values = {
            options[column]: tuple(dataset.vocabulary(column)[code] for code in codes)
            for column, codes in self.codes.items()
        }
        start = None if self.first is None else month_start(self.first)
        end = None if self.last is None else month_start(self.last + 1) - dt.timedelta(days=1)
        return Selection(start=start, end=end, **values)


WHICH = (
    ("field_office",),
    ("period",),
    ("mode", "risk"),
    ("entity_type", "period"),
    ("field_office", "location", "kind"),
    ("field_office", "mode", "period", "entity_type", "risk", "kind", "location"),
)
"""Filters set at once, from the one that is set most to all of them."""


def filters(dataset: Dataset, turn: int) -> list[Limits]:
    """The selections of one round: nobody is asked the same twice, so that nothing kept of an answer helps."""
    rng = np.random.default_rng([7, turn])
    first, last = (month_number(day) for day in dataset.period)
    out = []
    for columns in WHICH:
        codes = {}
        for column in columns:
            if column != "period":
                there = [dataset.code(column, value) for value in dataset.present(column)]
                size = int(rng.integers(1, max(2, len(there))))
                codes[column] = sorted(rng.choice(there, size, replace=False).tolist())
        limits = Limits(codes)
        if "period" in columns:
            start = int(rng.integers(first, last - 11))
            limits = Limits(codes, start, int(rng.integers(start + 5, last + 1)))
        out.append(limits)
    return out


def where(limits: Limits) -> str:
    """The selection in SQL."""
    terms = [f"{column} IN ({', '.join(map(str, codes))})" for column, codes in limits.codes.items()]
    terms += [f"month >= {limits.first}"] if limits.first is not None else []
    terms += [f"month <= {limits.last}"] if limits.last is not None else []
    return " AND ".join(terms) or "true"


def digest(answer: pd.DataFrame, aggregate: Aggregate) -> str:
    """Equal for equal counts, whatever the order of rows and the types of columns."""
    columns = [*aggregate.by, *aggregate.sums]
    whole = answer[columns].astype("int64").sort_values(list(aggregate.by), ignore_index=True)
    return hashlib.sha256(whole.to_numpy().tobytes()).hexdigest()[:16]


def metric_code(name: str) -> int:
    """How a time or amount is coded in `values`."""
    return DURATIONS.index(name)
