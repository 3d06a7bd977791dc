"""The same steps on a real Spark cluster give the same rows, cells and answers, even when a worker dies on the way."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from analysis.cli import main
from analysis.datasets.engines import DUCKDB, engine_named
from analysis.datasets.importing import ImportReport, import_dataset
from analysis.datasets.mapping import parsed_mapping
from analysis.datasets.opening import open_dataset
from analysis.questions.comparison import compare
from analysis.questions.deficiencies import deficiencies
from analysis.questions.incidents import incidents
from analysis.questions.overview import overview
from tests.engines.program import mapping_of_program, same_datasets, same_reports
from tests.engines.servers import SparkCluster

pytestmark = pytest.mark.xdist_group(
    "servers"
)  # one cluster and one server, whatever the number of processes


@pytest.fixture(scope="module")
def by_spark(
    cluster: SparkCluster, program: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> ImportReport:
    """The program imported by the cluster, of which one worker is killed in the middle of the checks."""
    killed = []

    def said(step: str) -> None:
        if step == "Checking findings":
            cluster.kill("worker 0")
            killed.append(step)

    out = tmp_path_factory.mktemp("spark") / "program"
    report = import_dataset(
        program, parsed_mapping(mapping_of_program()), out, engine=cluster.address, progress=said
    )
    assert killed and [path.name for path in out.parent.iterdir()] == ["program"]
    return report


def test_a_worker_dies_and_the_dataset_is_the_same(by_spark: ImportReport, by_duckdb: ImportReport) -> None:
    assert by_spark.dataset and by_duckdb.dataset
    refused = by_duckdb.tables["validations"].rejected
    assert len(refused) >= 8, f"the files are not dirty enough to prove anything: {refused}"
    same_reports(by_duckdb, by_spark)
    same_datasets(by_duckdb.dataset, by_spark.dataset)


def test_questions_have_the_same_answers(by_spark: ImportReport, by_duckdb: ImportReport) -> None:
    assert by_spark.dataset and by_duckdb.dataset
    ours, theirs = open_dataset(by_duckdb.dataset), open_dataset(by_spark.dataset)
    for ask in (
        overview,
        partial(incidents, by="cause"),
        partial(deficiencies, by="criterion"),
        lambda dataset: compare(dataset, "any_must_deficiency"),
    ):
        assert ask(ours).to_dict() == ask(theirs).to_dict()


def test_large_tables_are_folders_of_sorted_parts(
    cluster: SparkCluster, by_duckdb: ImportReport, tmp_path: Path
) -> None:
    from analysis.datasets.engines.on_spark import Spark

    assert by_duckdb.dataset
    path = by_duckdb.dataset / "prepared" / "findings.parquet"
    engine = Spark(cluster.address, beside=tmp_path / "out", one_file=0)
    try:
        order = ["field_office", *pd.read_parquet(path).columns.drop("field_office")]
        rows = engine.write_parquet(engine.read_parquet(path), tmp_path / "large.parquet", order_by=order)
    finally:
        engine.close()
    parts = sorted((tmp_path / "large.parquet").iterdir())
    assert len(parts) > 1 and [part.name for part in parts] == [
        f"part-{n:05}.parquet" for n in range(len(parts))
    ]
    read = pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)
    pd.testing.assert_frame_equal(read, pd.read_parquet(path), check_dtype=False)
    assert rows == len(read)
    plain = engine_named(DUCKDB)
    again = plain.read_parquet(tmp_path / "large.parquet").collect("pandas").to_native()
    plain.close()
    assert len(again) == rows


def test_another_cluster_beside_this_one_is_refused(
    cluster: SparkCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["demo", str(out), "--validations", "20", "--engine", "local[1]"]) == 2
    assert "one Spark application per process" in capsys.readouterr().err
    assert not out.exists()
