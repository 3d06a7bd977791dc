"""Incidents that are counts by month of a fiscal year: the right calendar month, the right sum, never twice."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.counts import counts
from analysis.datasets.importing import ImportReport, import_dataset
from analysis.datasets.mapping import parsed_mapping, read_mapping
from analysis.datasets.opening import Dataset, open_dataset
from analysis.errors import AnalysisError
from analysis.questions.overview import overview
from analysis.selection import month_number

ROOT = Path(__file__).resolve().parents[2]
MAPPING = ROOT / "data" / "mappings" / "cbp_drugs.toml"
EARLY, LATE = (ROOT / "tests" / "data" / f"seizures_{years}.csv" for years in ("fy20_fy21", "fy21_fy22"))


def imported(out: Path, *files: Path) -> tuple[ImportReport, Dataset]:
    report = import_dataset(files, read_mapping(MAPPING), out)
    for table in report.tables.values():
        assert table.read == table.kept + sum(table.rejected.values()) + sum(table.left_out.values())
    return report, open_dataset(out)


def by_year(dataset: Dataset) -> dict[int, int]:
    found = counts(dataset, "incidents", ["fiscal_year"], sums=["n"])
    return {int(year): int(n) for year, n in zip(found["fiscal_year"], found["n"], strict=True)}


def test_a_month_of_a_fiscal_year_is_a_month_of_the_calendar(tmp_path: Path) -> None:
    report, dataset = imported(tmp_path / "out", EARLY)
    months = counts(dataset, "incidents", ["month"], sums=["n"])
    found = {int(month): int(n) for month, n in zip(months["month"], months["n"], strict=True)}
    assert found == {
        month_number(pd.Timestamp(day).date()): n
        for day, n in (("2019-10-01", 3), ("2019-12-01", 4), ("2020-01-01", 5), ("2020-09-01", 6), ("2020-11-01", 7),
                       ("2021-04-01", 8))
    }  # fmt: skip
    assert by_year(dataset) == {2020: 18, 2021: 15}
    rows = pd.read_parquet(dataset.path / "source" / "incidents.parquet")
    assert set(rows["date_precision"]) == {"month"}
    assert rows["incident_id"].is_unique and "cbp-1-2" in set(rows["incident_id"])
    assert set(rows["transport_mode"]) == {"land", "unknown"}
    # Where only the month is known, the record speaks of all of it.
    assert str(dataset.as_of) == "2021-04-30"
    incidents = report.tables["incidents"]
    assert incidents.left_out == {"no event counted": 1, "no count given": 1}
    assert incidents.rejected == {
        "occurred_on is not a date in the expected form": 1,
        "weight lies outside 1 to 1e+07": 1,
    }
    assert report.rejects[["row", "value"]].to_numpy().tolist() == [[10, "2021 XXX"], [11, "-2"]]


@pytest.mark.parametrize("files", [(EARLY, LATE), (LATE, EARLY)], ids=["older first", "newer first"])
def test_of_two_files_of_one_year_the_newer_counts(files: tuple[Path, Path], tmp_path: Path) -> None:
    report, dataset = imported(tmp_path / "out", *files)
    assert by_year(dataset) == {2020: 18, 2021: 18, 2022: 50}
    reason = "seizures_fy20_fy21.csv: FY 2021 superseded by seizures_fy21_fy22.csv"
    assert report.tables["incidents"].left_out == {reason: 6}


def test_the_same_file_twice_counts_once(tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_bytes(EARLY.read_bytes())
    _, dataset = imported(tmp_path / "out", EARLY, copy)
    assert by_year(dataset) == {2020: 18, 2021: 15}


def test_overlapping_files_can_be_refused_by_name(tmp_path: Path) -> None:
    mapping = read_mapping(MAPPING)
    table = mapping.tables["incidents"]
    assert table.overlap
    refused = dataclasses.replace(table, overlap=dataclasses.replace(table.overlap, keep="refuse"))
    with pytest.raises(AnalysisError) as error:
        import_dataset(
            [EARLY, LATE], dataclasses.replace(mapping, tables={"incidents": refused}), tmp_path / "out"
        )
    assert "seizures_fy20_fy21.csv and seizures_fy21_fy22.csv both speak of FY 2021" in str(error.value)
    silent = dataclasses.replace(table, overlap=None)
    with pytest.raises(AnalysisError, match="would count twice"):
        import_dataset(
            [EARLY, LATE], dataclasses.replace(mapping, tables={"incidents": silent}), tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("month", ["Oct", "OCTOBER", "10", "oct."])
def test_months_may_be_names_or_numbers(month: str, tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(f"y,m,how,k\nFY 2022,{month},sea,3\n2022,1,sea,2\n")
    columns: dict[str, Any] = {"incident_id": {"row": "r"}, "occurred_on": {"fiscal_year": "y", "month": "m"},
                               "transport_mode": "how", "weight": "k"}  # fmt: skip
    vocabulary = {"field_office": "from_source"}
    mapping = parsed_mapping({"vocabulary": vocabulary, "tables": {"incidents": {"columns": columns}}})
    assert mapping.tables["incidents"].feeds["date_precision"].constant == "month"
    import_dataset([path], mapping, tmp_path / "out")
    days = pd.read_parquet(tmp_path / "out" / "source" / "incidents.parquet")["occurred_on"]
    assert sorted(str(day)[:10] for day in days) == ["2021-10-01", "2022-01-01"]


INCIDENTS = "tables/incidents/columns"


@pytest.mark.parametrize(
    ("column", "feed", "says"),
    [
        ("transport_mode", {"row": "x"}, "cannot be a row number: only incidents.incident_id can"),
        (
            "transport_mode",
            {"fiscal_year": "y", "month": "m"},
            "is no date: fiscal_year and month make a date",
        ),
        (
            "occurred_on",
            {"fiscal_year": "y"},
            "needs either a column or a constant, a row prefix, or fiscal_year",
        ),
        ("occurred_on", {"year": "y"}, "must be a column name"),
    ],
)
def test_feeds_that_make_no_sense_are_refused(column: str, feed: dict[str, str], says: str) -> None:
    columns: dict[str, Any] = {"incident_id": "i", "occurred_on": "o", "transport_mode": "t"} | {column: feed}
    with pytest.raises(AnalysisError, match=says):
        parsed_mapping({"tables": {"incidents": {"columns": columns}}})


@pytest.mark.parametrize(
    ("overlap", "says"),
    [("latest", "must be written like"), ({"keep": "both", "columns": ["y"]}, "keep must be one of"),
     ({"keep": "latest"}, "must name the columns")],
)  # fmt: skip
def test_overlap_rules_that_make_no_sense_are_refused(overlap: Any, says: str) -> None:
    columns = {"incident_id": "i", "occurred_on": "o", "transport_mode": "t"}
    with pytest.raises(AnalysisError, match=says):
        parsed_mapping({"tables": {"incidents": {"columns": columns, "overlap": overlap}}})


# -- the published counts ------------------------------------------------------------------------------


def test_published_counts_by_fiscal_year(shared_folder: Path, tmp_path: Path) -> None:
    files = [
        shared_folder / "realdata" / "cbp_drugs" / f"nationwide-drugs-{y}.csv"
        for y in ("fy20-fy23", "fy19-fy22")
    ]
    _, dataset = imported(tmp_path / "one", files[0])
    assert by_year(dataset) == {2020: 70_923, 2021: 82_946, 2022: 62_465, 2023: 53_538}
    statistic = overview(dataset).statistic("incidents")
    assert statistic and statistic.count == 269_872
    assert len(dataset.present("field_office")) == 41
    report, both = imported(tmp_path / "both", *files)
    assert by_year(both) == {2019: 66_158, 2020: 70_923, 2021: 82_946, 2022: 62_465, 2023: 53_538}
    ((reason, n),) = report.tables["incidents"].left_out.items()
    assert reason.endswith("FY 2020, 2021, 2022 superseded by nationwide-drugs-fy20-fy23.csv") and n == 7_559
