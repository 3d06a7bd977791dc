"""Mapping files: how somebody's columns and values become ours.

A TOML file says, per table of ours, which source column feeds which of ours, how values translate, which rows
are left out and why, and what the source cannot know. Everything is checked before a row is read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from analysis.errors import AnalysisError, nearest
from analysis.schema import TABLES
from analysis.toml import read_toml

_TOP = {
    "name", "source_note", "synthetic", "as_of", "fiscal_year_start_month", "empty", "date_formats",
    "completeness", "modes", "vocabulary", "tables", "margins",
}  # fmt: skip
_TABLE = {"file", "sheet", "one_row_per", "columns", "values", "leave_out", "overlap"}
_FEEDS = ({"column"}, {"column", "remove"}, {"constant"}, {"row"}, {"fiscal_year", "month"})

Keep = Literal["latest", "refuse", "all"]


@dataclass(frozen=True, slots=True)
class Feed:
    """Where one of our columns comes from.

    A source column, cleaned and translated; a constant; the number of the row after a prefix (`row`), where the
    source has no identifier; or the first day of a month of a fiscal year, from two columns.
    """

    column: str | None = None
    constant: str | None = None
    remove: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    row: str | None = None
    fiscal_year: str | None = None
    month: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Source columns it reads."""
        return tuple(name for name in (self.column, self.fiscal_year, self.month) if name)


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """Rows that are not records of this table, with the reason under which they are counted."""

    column: str
    values: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """What happens when two files speak of the same period, which `columns` name.

    ``latest``: the file that reaches furthest wins (of two that reach as far, the one given last), and the
    other's rows of that period are left out; ``refuse``: the import stops; ``all``: files never overlap.
    """

    columns: tuple[str, ...]
    keep: Keep


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How source rows become rows of one of our tables."""

    table: str
    file: str
    one_row_per: str | None
    feeds: Mapping[str, Feed]
    leave_out: tuple[LeaveOut, ...]
    sheet: str | None = None
    overlap: Overlap | None = None

    def with_names(self, held_name: Callable[[str], str]) -> TableMapping:
        """The same mapping with source columns under the names that an engine holds them by."""

        def held(column: str | None) -> str | None:
            return held_name(column) if column else column

        feeds = {
            ours: replace(
                feed, column=held(feed.column), fiscal_year=held(feed.fiscal_year), month=held(feed.month)
            )
            for ours, feed in self.feeds.items()
        }
        return replace(
            self,
            one_row_per=held(self.one_row_per),
            feeds=feeds,
            leave_out=tuple(replace(rule, column=held_name(rule.column)) for rule in self.leave_out),
            overlap=self.overlap
            and replace(self.overlap, columns=tuple(held_name(column) for column in self.overlap.columns)),
        )


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """A whole mapping file, checked. Without `date_formats`, dates are read as they write themselves."""

    name: str
    source_note: str
    synthetic: bool
    as_of: dt.date | None
    fiscal_year_start_month: int
    empty: tuple[str, ...]
    date_formats: tuple[str, ...]
    completeness: Mapping[str, bool]
    modes: Mapping[str, str]
    vocabulary: Mapping[str, str]
    margins: Mapping[str, Any]
    tables: Mapping[str, TableMapping]


def read_mapping(path: Path) -> ImportMapping:
    """Read and check a mapping file.

    Raises
    ------
    AnalysisError
        One sentence naming the file, what is wrong in it and the mend.
    """
    if not path.is_file():
        raise AnalysisError(f"{path} does not exist: name a mapping file (examples are in data/mappings).")
    try:
        raw = read_toml(path)
    except (OSError, ValueError) as error:
        raise AnalysisError(f"{path} is not a TOML file: {error}.") from error
    try:
        return parsed_mapping(raw, default_name=path.stem)
    except AnalysisError as error:
        raise AnalysisError(f"{path}: {error}") from error


def parsed_mapping(raw: Mapping[str, Any], *, default_name: str = "dataset") -> ImportMapping:
    """A mapping from the values of its TOML file.

    Raises
    ------
    AnalysisError
        When a key, table, column or value is not understood.
    """
    _known(raw, _TOP, "key")
    tables = _table_of(raw, "tables")
    if not tables:
        raise AnalysisError(
            "no table is mapped; add [tables.validations.columns] or [tables.incidents.columns]."
        )
    if not {"validations", "incidents"} & set(tables):
        raise AnalysisError("neither validations nor incidents are mapped; a dataset needs one of them.")
    completeness = {"clean_validations": True, "criteria_asked": True} | _table_of(raw, "completeness")
    _known(completeness, {"clean_validations", "criteria_asked"}, "completeness switch")
    for switch, value in completeness.items():
        if not isinstance(value, bool):
            raise AnalysisError(f"completeness switch {switch} must be true or false; got {value!r}.")
    modes = {"virtual": "Virtual", "in_person": "In person"} | _table_of(raw, "modes")
    _known(modes, {"virtual", "in_person", "other", "hybrid", "mutual_recognition"}, "mode")
    vocabulary = _table_of(raw, "vocabulary")
    vocabularies = {c.vocabulary for t in TABLES.values() for c in t.columns if c.vocabulary} | {
        "criterion_id"
    }
    _known(vocabulary, vocabularies, "vocabulary")
    for name, label in modes.items():
        _text_of(f"modes.{name}", label)
    for column, source in vocabulary.items():
        if source not in ("from_source", "extended"):
            raise AnalysisError(f"vocabulary {column} must be 'from_source' or 'extended'; got {source!r}.")
    as_of = raw.get("as_of")
    if as_of is not None and type(as_of) is not dt.date:
        raise AnalysisError(f"as_of must be a date such as 2022-12-31; got {as_of!r}.")
    month = raw.get("fiscal_year_start_month", 10)
    if type(month) is not int or month not in range(1, 13):
        raise AnalysisError(f"fiscal_year_start_month must be 1 to 12; got {month!r}.")
    synthetic = raw.get("synthetic", False)
    if not isinstance(synthetic, bool):
        raise AnalysisError(f"synthetic must be true or false; got {synthetic!r}.")
    return ImportMapping(
        name=_text_of("name", raw.get("name", default_name)),
        source_note=_text_of("source_note", raw.get("source_note", "")),
        synthetic=synthetic,
        as_of=as_of,
        fiscal_year_start_month=int(month),
        empty=_texts_of("empty", raw.get("empty", [])),
        date_formats=_date_formats(raw["date_formats"]) if "date_formats" in raw else (),
        completeness=completeness,
        modes=modes,
        vocabulary=vocabulary,
        margins=_margins(_table_of(raw, "margins")),
        tables={name: _table_mapping(name, values) for name, values in tables.items()},
    )


def _table_mapping(name: str, raw: Mapping[str, Any]) -> TableMapping:
    if name not in TABLES:
        raise AnalysisError(f"table '{name}' is not ours; {nearest(name, TABLES)}")
    table = TABLES[name]
    if not isinstance(raw, Mapping):
        raise AnalysisError(f"[tables.{name}] must be a table of the TOML file; got {raw!r}.")
    _known(raw, _TABLE, f"key of table {name}")
    columns = _table_of(raw, "columns")
    values = _table_of(raw, "values")
    _known(columns, set(table.names), f"column of {name}")
    _known(values, set(columns), f"mapped column of {name}")
    missing = [column for column in table.required if column not in columns]
    if missing:
        raise AnalysisError(
            f"table {name} maps nothing to its required column '{missing[0]}'; "
            f"add it under [tables.{name}.columns]."
        )
    feeds = {
        column: _feed(name, column, feed, _table_of(values, column, f"tables.{name}.values."))
        for column, feed in columns.items()
    }
    rules = raw.get("leave_out", [])
    if not isinstance(rules, list):
        raise AnalysisError(f"{name}.leave_out must be a list of rules; got {rules!r}.")
    one_row_per = raw.get("one_row_per")
    if one_row_per is not None and one_row_per != feeds[table.key[0]].column:
        raise AnalysisError(
            f"{name}.one_row_per must be the column that {table.key[0]} is mapped to, "
            f"{feeds[table.key[0]].column!r}; got {one_row_per!r}."
        )
    if name == "incidents" and feeds["occurred_on"].month and "date_precision" not in feeds:
        feeds["date_precision"] = Feed(constant="month")
    return TableMapping(
        name,
        _text_of(f"{name}.file", raw.get("file", "*")),
        one_row_per,
        feeds,
        tuple(_leave_out(name, rule) for rule in rules),
        _text_of(f"{name}.sheet", raw["sheet"]) if "sheet" in raw else None,
        _overlap(name, raw["overlap"]) if "overlap" in raw else None,
    )


def _feed(table: str, column: str, raw: Any, values: Mapping[str, Any]) -> Feed:
    for theirs, ours in values.items():
        _text_of(f"{table}.values.{column}.{theirs}", ours)
    if isinstance(raw, str):
        return Feed(column=raw, values=values)
    if not isinstance(raw, Mapping) or not raw.keys() <= set().union(*_FEEDS):
        raise AnalysisError(
            f"{table}.{column} must be a column name, {{ column = …, remove = … }}, {{ constant = … }}, "
            f"{{ row = … }} or {{ fiscal_year = …, month = … }}; got {raw!r}."
        )
    if set(raw) not in _FEEDS:
        raise AnalysisError(
            f"{table}.{column} needs either a column or a constant, a row prefix, or fiscal_year with month; got {dict(raw)!r}."
        )
    if "month" in raw and TABLES[table].column(column).type != "date":
        raise AnalysisError(f"{table}.{column} is no date: fiscal_year and month make a date.")
    if "row" in raw and (TABLES[table].key != (column,) or values):
        raise AnalysisError(
            f"{table}.{column} cannot be a row number: only {table}.{TABLES[table].key[0]} can, as it is."
        )
    for key, value in raw.items():
        _text_of(f"{table}.{column}: {key}", value)
    remove = raw.get("remove")
    if remove is not None:
        try:
            re.compile(remove)
        except re.error as error:
            raise AnalysisError(f"{table}.{column}: remove = {remove!r} is no pattern ({error}).") from error
        # Engines match without looking around or back, which Python's own patterns may.
        if re.search(r"\(\?(?!:)|\\[1-9]", remove):
            raise AnalysisError(
                f"{table}.{column}: remove = {remove!r} may not look around or back; name characters."
            )
    texts = {key: raw.get(key) for key in ("column", "constant", "row", "fiscal_year", "month")}
    return Feed(**texts, remove=remove, values=values)


def _overlap(table: str, raw: Any) -> Overlap:
    what = f"{table}.overlap"
    if not isinstance(raw, Mapping) or not {"keep"} <= raw.keys() <= {"columns", "keep"}:
        raise AnalysisError(
            f'{what} must be written like {{ columns = ["FY"], keep = "latest" }}; got {raw!r}.'
        )
    if raw["keep"] not in get_args(Keep):
        raise AnalysisError(f"{what}: keep must be one of {', '.join(get_args(Keep))}; got {raw['keep']!r}.")
    columns = _texts_of(f"{what}: columns", raw.get("columns", []))
    if not columns and raw["keep"] != "all":
        raise AnalysisError(f"{what} must name the columns that say which period a row speaks of.")
    return Overlap(columns, raw["keep"])


def _leave_out(table: str, raw: Any) -> LeaveOut:
    if not isinstance(raw, Mapping) or raw.keys() != {"column", "values", "reason"}:
        raise AnalysisError(f"{table}.leave_out needs column, values and reason; got {raw!r}.")
    column, reason = (_text_of(f"{table}.leave_out: {key}", raw[key]) for key in ("column", "reason"))
    return LeaveOut(column, _texts_of(f"{table}.leave_out: values", raw["values"]), reason)


def _table_of(raw: Mapping[str, Any], key: str, within: str = "") -> dict[str, Any]:
    value = raw.get(key, {})
    if not isinstance(value, Mapping):
        raise AnalysisError(f"[{within}{key}] must be a table of the TOML file; got {value!r}.")
    return dict(value)


def _text_of(what: str, value: Any) -> str:
    if not isinstance(value, str):
        raise AnalysisError(f"{what} must be text in quotes; got {value!r}.")
    return value


def _texts_of(what: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise AnalysisError(f'{what} must be a list of texts such as ["NA"]; got {value!r}.')
    return tuple(value)


def _date_formats(value: Any) -> tuple[str, ...]:
    formats = _texts_of("date_formats", value)
    for text in formats:
        if not text or re.sub(r"%-?[YymdbBHMSfpzj]|%[aAI]|[^%']", "", text):
            raise AnalysisError(f"date format {text!r} cannot be used: write it like %Y-%m-%d or %m/%d/%Y.")
    if not formats:
        raise AnalysisError("date_formats must name at least one form, such as %Y-%m-%d.")
    return formats


def _margins(raw: dict[str, Any]) -> dict[str, Any]:
    for name, value in raw.items():
        if name == "set_on":
            if not isinstance(value, dt.date | str):
                raise AnalysisError(f"margins.set_on must be the day they were set; got {value!r}.")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise AnalysisError(f"margins.{name} must be a number of at least 0; got {value!r}.")
    return raw


def _known(raw: Mapping[str, Any], allowed: set[str], what: str) -> None:
    for key in raw:
        if key not in allowed:
            raise AnalysisError(f"{what} '{key}' is not understood; {nearest(key, allowed)}")
