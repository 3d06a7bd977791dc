"""Counts from cells are counts from rows on every engine: random tables, groupings and selections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.datasets.opening import Dataset, open_dataset
from tests.engines.random_counts import asked_of, questions

pytestmark = pytest.mark.xdist_group(
    "servers"
)  # one cluster and one server, whatever the number of processes


@pytest.fixture(scope="module", params=["pandas", "a Spark cluster"])
def dataset(request: pytest.FixtureRequest, small_demo_folder: Path) -> Iterator[Dataset]:
    """The small demo, its rows read by each engine; DuckDB is asked in tests/property."""
    engine = "pandas" if request.param == "pandas" else request.getfixturevalue("cluster").address
    opened = open_dataset(small_demo_folder, engine=engine)
    yield opened
    opened.close()


@given(data=st.data())
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
def test_cells_and_rows_agree(dataset: Dataset, data: st.DataObject) -> None:
    asked_of(dataset, data.draw(questions()))
