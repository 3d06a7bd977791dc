"""A cluster and a server for the tests that need one, and the small program imported by DuckDB to compare with."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.datasets.importing import ImportReport, import_dataset
from analysis.datasets.mapping import parsed_mapping
from tests.engines.program import mapping_of_program, written_program
from tests.engines.servers import PostgresServer, SparkCluster, postgres_programs, spark_or_skip


@pytest.fixture(scope="session")
def program(small_demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return written_program(small_demo_folder, tmp_path_factory.mktemp("program"))


@pytest.fixture(scope="session")
def by_duckdb(program: list[Path], tmp_path_factory: pytest.TempPathFactory) -> ImportReport:
    """The program imported by the default engine."""
    out = tmp_path_factory.mktemp("duckdb") / "program"
    return import_dataset(program, parsed_mapping(mapping_of_program()), out)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    """A master and two workers, and this process as their client until the end."""
    spark_or_skip()
    cluster = SparkCluster(tmp_path_factory.mktemp("cluster"))
    before = {name: os.environ.get(name) for name in ("SPARK_CONF_DIR", "SPARK_LOCAL_IP")}
    try:
        cluster.up(workers=2)
        os.environ |= {"SPARK_CONF_DIR": str(cluster.folder / "conf"), "SPARK_LOCAL_IP": "127.0.0.1"}
        from analysis.datasets.engines import engine_named

        # Held to the end, so that the application is started once.
        client = engine_named(cluster.address)
        try:
            yield cluster
        finally:
            client.close()
            _java_ended()
    finally:
        cluster.down()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _java_ended() -> None:
    """Spark leaves its Java process to the end of Python: here the next test may need the memory."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    if gateway is not None:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.send_signal(signal.SIGTERM)
        gateway.proc.wait()
        SparkContext._gateway = SparkContext._jvm = None


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    pytest.importorskip(
        "adbc_driver_postgresql", reason="engine tests need `pip install -r requirements-engines.txt` (ADBC)"
    )
    programs = postgres_programs()
    base = tmp_path_factory.mktemp("postgres")
    if os.geteuid() == 0:
        # Who is not root must get through to the folder.
        for folder in (base, *base.parents):
            if folder.owner() == "root" and folder.stat().st_mode & 0o001 == 0:
                folder.chmod(folder.stat().st_mode | 0o011)
    server = PostgresServer(base / "server", programs)
    server.up()
    try:
        yield server
    finally:
        server.down()
