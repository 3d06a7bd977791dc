"""Checks: which rows break a rule, and which rule, in plain words.

Every row gets the first rule it breaks; rows without one are kept. Nothing is changed silently: what is
repaired on the way is counted by kind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import narwhals as nw
import pandas as pd

from analysis.datasets.engines import ROW, Engine, Frame, collected, number_of_rows
from analysis.errors import nearest
from analysis.schema import Table

RULE = "broken_rule"
PARSED = "__parsed"

SAME = "_same"
"""A number that rows which may repeat each other share; so do, very rarely, rows that do not."""

ORDER = "_source_order"
"""Order of rows over all files of a table: file by file, as given."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in plain words, the column it looks at, and the rows that break it."""

    column: str
    words: str
    broken: nw.Expr


@dataclass
class TableReport:
    """What became of the rows of one table: the ``tables`` entry of ``import --json``."""

    read: int = 0
    kept: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "read": self.read,
            "kept": self.kept,
            "rejected": dict(self.rejected),
            "left_out": dict(self.left_out),
            "repaired": dict(self.repaired),
        }


def rules_of(table: Table, present: set[str], *, as_of: dt.date | None, unique_key: bool) -> list[Rule]:
    """The rules of a table for the columns it brings, in the order in which they are named to a person.

    Expects, beside each text column ``c`` of another type, its reading in ``c__parsed``, vocabulary columns
    already resolved into ``c__parsed``, and ``_duplicate`` / ``_key_row`` from `with_duplicates`.
    """
    rules = [Rule(name, f"{name} is required and empty", nw.col(name).is_null()) for name in table.required]
    for column in table.columns:
        if column.name not in present or (column.type == "text" and not column.vocabulary):
            continue
        unread = ~nw.col(column.name).is_null() & nw.col(column.name + PARSED).is_null()
        what = {
            "date": "is not a date in the expected form",
            "integer": "is not a whole number",
            "number": "is not a number",
            "flag": "is neither yes nor no",
            "text": "is not one of the allowed values",
        }[column.type]
        rules.append(Rule(column.name, f"{column.name} {what}", unread))
        value = nw.col(column.name + PARSED)
        if column.low is not None and column.high is not None:
            words = f"{column.name} lies outside {column.low:g} to {column.high:g}"
            rules.append(Rule(column.name, words, (value < column.low) | (value > column.high)))
        if column.type == "date" and not column.planned and as_of is not None:
            rules.append(Rule(column.name, f"{column.name} is after the as-of date", value > nw.lit(as_of)))
    ordered = [name for name in table.date_order if name in present]
    # A missing date between two others does not excuse their order; the nearest earlier one is named.
    for position, later in enumerate(ordered):
        for earlier in reversed(ordered[:position]):
            broken = nw.col(later + PARSED) < nw.col(earlier + PARSED)
            rules.append(Rule(later, f"{later} is before {earlier}", broken))
    if "mode" in present:
        for name in table.virtual_only:
            if name in present:
                broken = (nw.col("mode" + PARSED) == "in_person") & ~nw.col(name).is_null()
                rules.append(Rule(name, f"{name} is filled for an in-person validation", broken))
    if unique_key:
        key = " and ".join(table.key)
        rules.append(Rule(table.key[0], "exact duplicate of an earlier row", nw.col("_duplicate") == 1))
        rules.append(
            Rule(table.key[0], f"{key} occurs in an earlier row", nw.col("_key_row") < nw.col(ORDER))
        )
    return rules


def with_duplicates(engine: Engine, frame: Frame, original: Frame, key: Sequence[str]) -> Frame:
    """Mark rows that repeat an earlier row exactly, and give each row the first row of its key.

    Parameters
    ----------
    frame : Frame
        Rows with `SAME`: only those that share it are compared.
    original : Frame
        All rows with the ``source_text`` by which one repeats another.
    """
    shared = frame.select(SAME).group_by(SAME).agg(_times=nw.len()).filter(nw.col("_times") > 1)
    alike = engine.kept(frame.select(SAME, ORDER, *key).join(shared.select(SAME), on=SAME, how="semi"))
    if number_of_rows(alike) == 0:
        return frame.with_columns(_duplicate=nw.lit(0), _key_row=nw.col(ORDER))
    texts = original.select(ORDER, "source_text").join(alike.select(ORDER), on=ORDER, how="semi")
    marks = (
        alike.join(texts, on=ORDER, how="left")
        .with_columns(
            _duplicate=nw.when(nw.col(ORDER).min().over("source_text") < nw.col(ORDER)).then(1).otherwise(0),
            _key_row=nw.col(ORDER).min().over(*(key or ["source_text"])),
        )
        .select(ORDER, "_duplicate", "_key_row")
    )
    return frame.join(engine.kept(marks), on=ORDER, how="left").with_columns(
        _duplicate=nw.col("_duplicate").fill_null(0), _key_row=nw.coalesce(nw.col("_key_row"), nw.col(ORDER))
    )


def with_first_broken(frame: Frame, rules: Sequence[Rule]) -> Frame:
    """Number each row by the first rule it breaks; null where it breaks none."""
    chosen = nw.lit(None, nw.Int64)
    for number, rule in reversed(list(enumerate(rules))):
        chosen = nw.when(rule.broken).then(nw.lit(number, nw.Int64)).otherwise(chosen)
    return frame.with_columns(chosen.alias(RULE))


def rejects_of(
    frame: Frame,
    rules: Sequence[Rule],
    table: str,
    vocabularies: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """The rejected rows: table, file, row in the source, column, value, rule in plain words."""
    broken = frame.filter(~nw.col(RULE).is_null())
    value = nw.lit(None, nw.String)
    for number, rule in enumerate(rules):
        value = nw.when(nw.col(RULE) == number).then(nw.col(rule.column)).otherwise(value)
    rows = collected(broken.select(nw.col("source_file").alias("file"), ROW, RULE, value.alias("value")))
    rows = rows.sort_values(["file", ROW], ignore_index=True)
    numbers = rows.pop(RULE).astype(int)
    rows.insert(0, "table", table)
    rows["column"] = [rules[number].column for number in numbers]
    rows["rule"] = [rules[number].words for number in numbers]
    rows["hint"] = [
        nearest(str(value), vocabularies[column])
        if column in vocabularies and rule.endswith("allowed values")
        else ""
        for column, value, rule in zip(rows["column"], rows["value"], rows["rule"], strict=True)
    ]
    return rows.rename(columns={ROW: "row"})[["table", "file", "row", "column", "value", "rule", "hint"]]


def empty_rejects() -> pd.DataFrame:
    """The rejects of an import that rejected nothing."""
    columns = ["table", "file", "row", "column", "value", "rule", "hint"]
    return pd.DataFrame({name: pd.Series(dtype="int64" if name == "row" else "str") for name in columns})


def count_repairs(engine: Engine, frame: Frame, columns: Sequence[str]) -> dict[str, int]:
    """How many values had blanks around them."""
    if not columns:
        return {}
    trimmed = [
        nw.when(nw.col(c).str.strip_chars() != nw.col(c)).then(1).otherwise(0).sum().alias(c) for c in columns
    ]
    counts = collected(frame.select(*trimmed)).iloc[0]
    total = int(counts.fillna(0).sum())
    return {"blanks around values removed": total} if total else {}
