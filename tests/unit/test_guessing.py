"""A guessed mapping is a draft that already imports what is plain, and leaves open what is not."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from analysis.datasets.guessing import guess_mapping, look_at, mapping_text, template, unrecognised
from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import parsed_mapping
from analysis.datasets.opening import Dataset
from analysis.errors import AnalysisError
from analysis.schema import TABLES

ROOT = Path(__file__).resolve().parents[2]
INSPECTIONS = ROOT / "tests" / "data" / "inspections.csv"
SEIZURES = [ROOT / "tests" / "data" / f"seizures_{years}.csv" for years in ("fy20_fy21", "fy21_fy22")]


def test_inspections_are_guessed_as_validations_with_findings() -> None:
    draft = guess_mapping([look_at(INSPECTIONS)])
    validations, findings = draft["tables"]["validations"], draft["tables"]["findings"]
    assert validations["one_row_per"] == "activity_nr"
    assert validations["columns"] == {
        "validation_id": "activity_nr", "member_id": "site_address", "field_office": "reporting_id",
        "mode": "insp_type", "conducted_on": "open_date", "entity_type": "owner_type", "closed_on": "close_conf_date",
    }  # fmt: skip
    # Nobody can know what B means: it is left for a person.
    assert set(validations["values"]["mode"].values()) == {"other"}
    assert findings["columns"]["answer"] == {"constant": "deficient"}
    assert findings["leave_out"][0]["column"] == "standard"
    assert draft["vocabulary"] == {
        "field_office": "from_source", "entity_type": "from_source", "criterion_id": "from_source",
    }  # fmt: skip
    assert draft["completeness"]["criteria_asked"] is False and draft["empty"] == ["NA"]


def test_counts_of_fiscal_months_are_guessed_and_import_at_once(tmp_path: Path) -> None:
    draft = guess_mapping([look_at(path) for path in SEIZURES])
    incidents = draft["tables"]["incidents"]
    assert incidents["columns"]["occurred_on"] == {"fiscal_year": "FY", "month": "Month (abbv)"}
    assert incidents["values"]["transport_mode"] == {"Land Only": "land", "Other": "unknown"}
    report = import_dataset(SEIZURES, parsed_mapping(draft), tmp_path / "out")

    assert report.tables["incidents"].kept == 8


def test_the_text_of_a_mapping_is_the_mapping() -> None:
    draft = guess_mapping([look_at(INSPECTIONS)])
    assert tomllib.loads(mapping_text(draft)) == draft
    assert parsed_mapping(tomllib.loads(mapping_text(draft))) == parsed_mapping(draft)


def test_our_own_tables_are_guessed_right(small_demo: Dataset, tmp_path: Path) -> None:
    files = []
    for name in ("members", "validations", "findings", "incidents", "incident_causes", "feedback"):
        files.append(tmp_path / f"{name}.csv")
        pd.read_parquet(small_demo.path / "source" / f"{name}.parquet").to_csv(files[-1], index=False)
    draft = guess_mapping([look_at(path) for path in files])
    assert list(draft["tables"]) == [
        "members",
        "validations",
        "findings",
        "incidents",
        "incident_causes",
        "feedback",
    ]
    report = import_dataset(files, parsed_mapping(draft), tmp_path / "out", dry_run=True)
    assert report.rejects.empty
    assert report.tables["validations"].kept == small_demo.row_counts["validations"]


@pytest.mark.parametrize("table", TABLES)
def test_a_template_is_the_header_of_a_table(table: str, tmp_path: Path) -> None:
    assert template(table).strip().split(",") == list(TABLES[table].names)


def test_modes_in_other_words_are_recognised(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text(
        "Validation Number,Company,Office,Validation Type,Validation Date,Business Type\n"
        "1,A,Miami,Remote,2021-01-01,Importer\n2,B,Miami,On-site,2021-01-02,Importer\n3,C,Miami,Paper,2021-01-03,Importer\n"
    )
    draft = guess_mapping([look_at(path)])
    spec = draft["tables"]["validations"]
    assert spec["values"]["mode"] == {"On-site": "in_person", "Paper": "other", "Remote": "virtual"}
    assert (
        import_dataset([path], parsed_mapping(draft), tmp_path / "out", dry_run=True)
        .tables["validations"]
        .kept
        == 3
    )


def test_values_that_no_list_of_ours_has() -> None:
    assert unrecognised(["sea", "Highway", "Boat"], "transport_mode") == ["Boat"]
    assert unrecognised(["anything"], "field_office") == []


def test_what_cannot_be_read_cannot_be_guessed(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("just words\n")
    with pytest.raises(AnalysisError, match="is not a table"):
        look_at(path)
