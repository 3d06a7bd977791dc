"""What is done differently for many rows gives the same: rows in runs, cells too fine to be held, little memory."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from pandas.testing import assert_frame_equal

from analysis.counts import available, counts
from analysis.datasets import cells
from analysis.datasets.engines import DuckDB, engine_named, on_duckdb
from analysis.datasets.opening import Dataset, open_dataset
from analysis.datasets.preparing import finish_dataset
from analysis.errors import AnalysisError
from analysis.metrics import metrics, missing_reason
from analysis.questions.quality import quality
from tests.engines.random_counts import Asked, questions


@pytest.fixture(scope="module")
def large(small_demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    """The small demo as if it were large: runs of 250 rows, no cells that could be too fine, 200 MB for DuckDB."""
    out = tmp_path_factory.mktemp("large") / "large"
    shutil.copytree(small_demo_folder / "source", out / "source")
    with open(small_demo_folder / "dataset.toml", "rb") as file:
        manifest = tomllib.load(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(on_duckdb, "RUN", 250)
        patch.setattr(cells, "FEW", 0)
        patch.setattr(cells, "FINE", 0.5)
        patch.setenv(on_duckdb.MEMORY, "200MB")
        finish_dataset(out, manifest)
    opened = open_dataset(out)
    yield opened
    opened.close()


def test_runs_of_rows_are_the_rows(large: Dataset, small_demo_folder: Path) -> None:
    parts = sorted((large.path / "prepared" / "validations.parquet").iterdir())
    assert [len(pd.read_parquet(part)) for part in parts] == [250, 250, 100]
    for path in (small_demo_folder / "prepared").iterdir():
        expected, found = (pd.read_parquet(p) for p in (path, large.path / "prepared" / path.name))
        assert_frame_equal(expected, found, obj=path.name)


def test_cells_too_fine_are_not_held_and_that_is_said(large: Dataset, small_demo: Dataset) -> None:
    assert {"finding_cells", "value_cells", "validation_cells"} <= set(large.too_fine)
    for name, fine in large.too_fine.items():
        held = pd.read_parquet(small_demo.path / "cells" / f"{name}.parquet", columns=["n"])
        assert fine.cells == len(held) > 0.5 * fine.rows
        assert large.cube(name) is None and available(large, cells.CELLS[name].counts)
    said = {check.table: check for check in quality(large).checks if check.id == "counted_from_rows"}
    assert said["findings"].n == large.row_counts["findings"]
    assert "by the engine" in said["findings"].words
    assert [missing_reason(m, large) for m in metrics().values()] == [
        missing_reason(m, small_demo) for m in metrics().values()
    ]


@given(asked=questions())
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
def test_without_cells_the_counts_are_the_same(large: Dataset, small_demo: Dataset, asked: Asked) -> None:
    one, other = (
        counts(data, asked.table, asked.by, asked.selection, sums=asked.sums) for data in (large, small_demo)
    )
    assert_frame_equal(one, other, check_dtype=False)


def test_memory_is_bounded_and_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def limit(engine: DuckDB) -> str:
        ((value,),) = engine._connection.execute("SELECT current_setting('memory_limit')").fetchall()
        engine.close()
        return str(value)

    monkeypatch.delenv(on_duckdb.MEMORY, raising=False)
    assert float(limit(DuckDB()).removesuffix(" GiB")) <= on_duckdb.MOST_MEMORY
    monkeypatch.setenv(on_duckdb.MEMORY, "1GiB")
    engine = engine_named(beside=tmp_path / "out")
    assert len(list(tmp_path.iterdir())) == 1
    assert isinstance(engine, DuckDB) and limit(engine) == "1.0 GiB"
    monkeypatch.setenv(on_duckdb.MEMORY, "plenty")
    with pytest.raises(AnalysisError, match=r"CTPAT_MEMORY is 'plenty'.*write it like 6GB"):
        engine_named(beside=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
