"""Rules: every column of the schema has those its type asks for."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from analysis.datasets import checks
from analysis.datasets.checks import ORDER, PARSED
from analysis.datasets.engines import ROW, DuckDB, collected
from analysis.schema import TABLES


def words_of(table: str, *, as_of: dt.date | None = None, unique_key: bool = True) -> list[str]:
    known = TABLES[table]
    return [
        rule.words for rule in checks.rules_of(known, set(known.names), as_of=as_of, unique_key=unique_key)
    ]


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_the_rules_of_its_type(table: str) -> None:
    words = words_of(table, as_of=dt.date(2022, 12, 31))
    assert len(set(words)) == len(words)
    for column in TABLES[table].columns:
        mine = [text for text in words if text.startswith(f"{column.name} ")]
        assert any("required" in text for text in mine) == column.required
        assert any("as-of" in text for text in mine) == (column.type == "date" and not column.planned)
        assert any("outside" in text for text in mine) == (column.low is not None)
        if column.type != "text" or column.vocabulary:
            assert any(text.startswith(f"{column.name} is n") for text in mine), column.name


def test_dates_may_lie_anywhere_when_nobody_says_as_of() -> None:
    assert not [text for text in words_of("validations") if "as-of" in text]


def test_order_is_checked_between_all_dates_present() -> None:
    before = [text for text in words_of("validations") if " is before " in text]
    assert before == [
        "conducted_on is before scheduled_on",
        "reported_on is before conducted_on",
        "reported_on is before scheduled_on",
        "closed_on is before reported_on",
        "closed_on is before conducted_on",
        "closed_on is before scheduled_on",
    ]


def test_a_row_gets_the_first_rule_it_breaks_and_its_place_in_the_file() -> None:
    engine = DuckDB(threads=1)
    table = TABLES["incident_causes"]
    rows = pd.DataFrame({
        "incident_id": ["I1", None, "I2", "I2", "I2"], "cause": ["x", None, "y", "y", "y"],
        "cause" + PARSED: ["x", None, "y", "y", "y"], "source_file": "f.csv", ROW: [2, 3, 4, 5, 9],
        ORDER: [2, 3, 4, 5, 9], "source_text": ["a", "b", "c", "c", "d"], checks.SAME: [1, 2, 3, 3, 3],
    })  # fmt: skip
    original = engine.from_pandas(rows[[ORDER, "source_text"]])
    mapped = engine.from_pandas(rows.drop(columns="source_text"))
    frame = checks.with_duplicates(engine, mapped, original, ["incident_id", "cause"])
    rules = checks.rules_of(table, set(table.names), as_of=None, unique_key=True)
    rejects = checks.rejects_of(engine.kept(checks.with_first_broken(frame, rules)), rules, table.name, {})
    assert rejects[["row", "column", "rule"]].to_numpy().tolist() == [
        [3, "incident_id", "incident_id is required and empty"],
        [5, "incident_id", "exact duplicate of an earlier row"],
        [9, "incident_id", "incident_id and cause occurs in an earlier row"],
    ]
    engine.close()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("date", "2020-02-29", dt.date(2020, 2, 29)), ("date", "2020-02-30", None), ("date", "0001-01-01", dt.date(1, 1, 1)),
        ("date", "", None), ("date", "2020-2", None), ("date", "20200229", None), ("date", "'; DROP TABLE x; --", None),
        ("integer", "3.0", 3), ("integer", "3.5", None), ("integer", "9" * 30, None), ("integer", "0x10", None),
        ("number", "1e3", 1000.0), ("number", "nan", None), ("number", "-inf", None), ("number", "1,5", None),
        ("flag", "Yes", 1), ("flag", "N", 0), ("flag", "2", None),
    ],
)  # fmt: skip
def test_text_is_read_as_its_type_or_not_at_all(kind: str, text: str, value: object) -> None:
    engine = DuckDB(threads=1)
    frame = engine.from_pandas(pd.DataFrame({'odd "name"': pd.Series([text, None], dtype="str")}))
    read = collected(engine.parsed(frame, {'odd "name"': kind}, suffix="!"))['odd "name"!'].tolist()
    engine.close()
    found = None if pd.isna(read[0]) else read[0]
    if isinstance(found, pd.Timestamp | dt.datetime):
        found = found.date()
    assert found == value and pd.isna(read[1])
