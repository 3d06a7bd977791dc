"""Completeness by office and month, rejects, and the dataset as one file."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from analysis.cli import main
from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import read_mapping
from analysis.datasets.opening import Dataset, open_dataset
from analysis.datasets.packing import packed
from analysis.errors import AnalysisError
from analysis.figures import figure
from analysis.questions.completeness import MOST_CELLS, columns_of, completeness
from analysis.questions.overview import overview
from analysis.questions.quality import quality, rejects
from analysis.selection import Selection

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ("data.loaded", "data.checks", "data.completeness", "data.rejects")


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    out = tmp_path_factory.mktemp("inspected") / "inspections"
    mapping = read_mapping(ROOT / "data" / "mappings" / "osha_prisons.toml")
    import_dataset([ROOT / "tests" / "data" / "inspections.csv"], mapping, out)
    return open_dataset(out)


@pytest.fixture(scope="module")
def seizures(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    out = tmp_path_factory.mktemp("seizures") / "seizures"
    mapping = read_mapping(ROOT / "data" / "mappings" / "cbp_drugs.toml")
    import_dataset([ROOT / "tests" / "data" / "seizures_fy20_fy21.csv"], mapping, out)
    return open_dataset(out)


def test_every_record_is_in_one_cell_and_gaps_are_cells(small_demo: Dataset) -> None:
    answer = completeness(small_demo)
    assert answer and answer.step == "month"
    rows = pd.read_parquet(small_demo.path / "source" / "validations.parquet")
    days = pd.to_datetime(rows["conducted_on"])
    expected = rows.groupby(["field_office", days.dt.to_period("M").dt.start_time.dt.date]).size()
    cells = answer.cells.set_index(["field_office", "start"])["n"]
    assert len(cells) == rows["field_office"].nunique() * 60
    assert cells[cells > 0].to_dict() == expected.to_dict()
    assert int(cells.sum()) == 600 and f"{(cells == 0).sum()} of {len(cells)}" in answer.sentence


def test_the_share_with_a_value(small_demo: Dataset) -> None:
    assert "hours" in columns_of(small_demo) and "validation_id" not in columns_of(small_demo)
    chosen = Selection(offices=("Miami",))
    answer = completeness(small_demo, chosen, column="hours")
    assert answer
    rows = pd.read_parquet(small_demo.path / "source" / "validations.parquet")
    miami = rows[rows["field_office"] == "Miami"]
    assert answer.cells["filled"].sum() == miami["hours"].notna().sum()
    assert answer.cells["n"].sum() == len(miami)
    with pytest.raises(
        AnalysisError, match="'hour' is no optional column of validations; did you mean 'hours'"
    ):
        completeness(small_demo, column="hour")


def test_incidents_count_by_weight(seizures: Dataset) -> None:
    answer = completeness(seizures)
    assert answer and answer.table == "incidents"
    assert int(answer.cells["n"].sum()) == 33
    assert "33 incidents in 6 rows" in quality(seizures).sentence
    assert "1 check" not in quality(seizures).sentence


def test_long_periods_are_drawn_by_quarter_or_year(inspected: Dataset, small_demo: Dataset) -> None:
    answer = completeness(inspected)
    assert answer and answer.step == "month" and len(answer.cells) <= MOST_CELLS


def test_rejects_are_listed_with_their_rule(inspected: Dataset, small_demo: Dataset) -> None:
    assert len(rejects(inspected)) == 11 and rejects(small_demo).empty
    made = figure("data.rejects", inspected)
    assert made.title == "11 rows were rejected at import"
    assert made.html and "is not a date in the expected form" in made.html and len(made.data) == 11


@pytest.mark.parametrize("name", FIGURES)
def test_figures_of_any_dataset(
    name: str, small_demo: Dataset, inspected: Dataset, seizures: Dataset
) -> None:
    for dataset in (small_demo, inspected, seizures):
        made = figure(name, dataset)
        assert made.tag == dataset.tag
        if made.chart is not None:
            made.chart.to_dict()


def test_check_says_the_same(inspected: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(inspected.path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["rejects_n"] == len(answer["rejects"]) == 11
    assert sum(row["n"] for row in answer["completeness"]["rows"]) == 16
    assert sum(row["count"] for row in answer["rows"] if row["check"] == "rejected") == 11


def test_a_dataset_of_incidents_alone_opens_everywhere(seizures: Dataset) -> None:
    statistic = overview(seizures).statistic("incidents")
    assert statistic and statistic.count == 33


def test_a_packed_dataset_is_the_dataset_and_always_the_same_bytes(
    inspected: Dataset, tmp_path: Path
) -> None:
    content = packed(inspected.path)
    copy = tmp_path / "elsewhere" / inspected.path.name
    shutil.copytree(inspected.path, copy)
    assert packed(copy) == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path / "again")
    again = open_dataset(tmp_path / "again" / inspected.path.name)
    assert again.fingerprint == inspected.fingerprint and again.identity != inspected.identity
