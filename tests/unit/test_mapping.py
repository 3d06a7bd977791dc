"""Mapping files: everything is checked before a row is read, and every mistake is one sentence."""

from __future__ import annotations

import copy
import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import pytest

from analysis.datasets.mapping import parsed_mapping, read_mapping
from analysis.errors import AnalysisError

MAPPINGS = Path(__file__).resolve().parents[2] / "data" / "mappings"
COLUMNS = {name: name for name in ("validation_id", "member_id", "field_office", "mode", "conducted_on")}
GOOD: dict[str, Any] = {"tables": {"validations": {"columns": COLUMNS}}}


def changed(path: str, value: Any) -> dict[str, Any]:
    raw = copy.deepcopy(GOOD)
    *outer, last = path.split("/")
    at = raw
    for key in outer:
        at = at.setdefault(key, {})
    if value is None:
        del at[last]
    else:
        at[last] = value
    return raw


V = "tables/validations"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("nmae", "x", "key 'nmae' is not understood; did you mean 'name'?"),
        ("name", 5, "name must be text in quotes; got 5."),
        ("synthetic", "yes", "synthetic must be true or false; got 'yes'."),
        ("as_of", "2022", "as_of must be a date such as 2022-12-31; got '2022'."),
        ("as_of", dt.datetime(2022, 1, 1), "as_of must be a date"),
        ("fiscal_year_start_month", 13, "must be 1 to 12; got 13."),
        ("fiscal_year_start_month", True, "must be 1 to 12; got True."),
        ("empty", "NA", "empty must be a list of texts"),
        ("date_formats", "%Y", "date_formats must be a list of texts"),
        ("date_formats", [], "must name at least one form"),
        ("date_formats", ["%Y'); DROP TABLE x; --"], "cannot be used: write it like %Y-%m-%d"),
        ("date_formats", ["%Q"], "cannot be used: write it like %Y-%m-%d"),
        ("completeness/clean_validations", 1, "must be true or false; got 1."),
        ("completeness/criteria_aksed", True, "did you mean 'criteria_asked'?"),
        ("modes/virtaul", "x", "did you mean 'virtual'?"),
        ("modes/virtual", 3, "modes.virtual must be text in quotes; got 3."),
        ("vocabulary/field_office", "source", "must be 'from_source' or 'extended'; got 'source'."),
        ("vocabulary/fiel_office", "from_source", "did you mean 'field_office'?"),
        ("margins/any_deficiency", "5%", "margins.any_deficiency must be a number"),
        ("margins/any_deficiency", float("nan"), "margins.any_deficiency must be a number"),
        ("tables/validation", {}, "table 'validation' is not ours; did you mean 'validations'?"),
        ("tables/validations", "x", "[tables.validations] must be a table of the TOML file; got 'x'."),
        (f"{V}/column", {}, "did you mean 'columns'?"),
        (f"{V}/columns/mode", None, "maps nothing to its required column 'mode'"),
        (f"{V}/columns/hour", "h", "did you mean 'hours'?"),
        (f"{V}/columns/hours", 5, "validations.hours must be a column name"),
        (f"{V}/columns/hours", {"column": "a", "constant": "b"}, "needs either a column or a constant"),
        (f"{V}/columns/hours", {"remove": "x"}, "needs either a column or a constant"),
        (f"{V}/columns/hours", {"column": 3}, "column must be text in quotes; got 3."),
        (f"{V}/columns/hours", {"constant": 3}, "constant must be text in quotes; got 3."),
        (f"{V}/columns/hours", {"column": "a", "remove": "("}, "is no pattern"),
        (f"{V}/columns/hours", {"column": "a", "remove": "(?=a)"}, "may not look around or back"),
        (f"{V}/values/mode", "x", "[tables.validations.values.mode] must be a table"),
        (f"{V}/values/mode", {"B": 1}, "validations.values.mode.B must be text in quotes; got 1."),
        (f"{V}/values/moed", {"B": "virtual"}, "did you mean 'mode'?"),
        (f"{V}/leave_out", "x", "leave_out must be a list of rules"),
        (f"{V}/leave_out", [{"column": "x"}], "leave_out needs column, values and reason"),
        (f"{V}/leave_out", [{"column": "x", "values": "X", "reason": "r"}], "must be a list of texts"),
        (f"{V}/one_row_per", "member_id", "must be the column that validation_id is mapped to, 'validation_id'"),
        (f"{V}/one_row_per", 5, "must be the column that validation_id is mapped to"),
        (f"{V}/file", 5, "validations.file must be text in quotes; got 5."),
        ("tables", {}, "no table is mapped"),
        ("tables", {"members": {"columns": {"member_id": "a", "entity_type": "b"}}}, "a dataset needs one of them"),
        ("tables", 5, "[tables] must be a table of the TOML file"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_that_names_it(path: str, value: Any, words: str) -> None:
    with pytest.raises(AnalysisError) as caught:
        parsed_mapping(changed(path, value))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_defaults_are_the_contract_s() -> None:
    mapping = parsed_mapping(GOOD, default_name="mine")
    assert (mapping.name, mapping.synthetic, mapping.as_of, mapping.fiscal_year_start_month) == (
        "mine",
        False,
        None,
        10,
    )
    assert mapping.completeness == {"clean_validations": True, "criteria_asked": True}
    assert mapping.modes == {"virtual": "Virtual", "in_person": "In person"}
    assert mapping.tables["validations"].file == "*"


def test_files_that_are_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    with pytest.raises(AnalysisError, match=r"m\.toml does not exist"):
        read_mapping(path)
    for content in (b"a = [1,", b"\xff\xfe\0", b"\x89PNG"):
        path.write_bytes(content)
        with pytest.raises(AnalysisError, match=r"m\.toml is not a TOML file"):
            read_mapping(path)
    path.write_text("nmae = 'x'")
    with pytest.raises(AnalysisError, match=r"m\.toml: key 'nmae'"):
        read_mapping(path)


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_mappings_are_understood(path: Path) -> None:
    mapping = read_mapping(path)
    with open(path, "rb") as file:
        assert mapping.name == tomllib.load(file)["name"]
