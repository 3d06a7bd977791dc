"""Real servers for the tests of engines: a Spark cluster and a PostgreSQL server, each of separate processes on loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

# Small memory, few partitions, no compiling of queries: for tiny data that is most of the time.
SPARK_SETTINGS = """\
spark.sql.shuffle.partitions 2
spark.sql.adaptive.enabled false
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.driver.memory 1g
spark.executor.memory 512m
spark.executor.cores 1
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""
PATIENCE = 90.0


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


def listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def waited_for(what: str, there: object, *, within: float = PATIENCE) -> None:
    end = time.monotonic() + within
    while not there():
        assert time.monotonic() < end, f"{what} did not come up within {within:.0f} seconds"
        time.sleep(0.2)


@dataclass
class SparkCluster:
    """A standalone master and its workers. Each worker is a group of processes of its own: itself and its executors."""

    folder: Path
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"spark://127.0.0.1:{self.port}"

    def start(self, name: str, *arguments: str) -> None:
        import pyspark

        home = Path(pyspark.__file__).parent
        surroundings = os.environ | {
            "SPARK_HOME": str(home),
            "SPARK_CONF_DIR": str(self.folder / "conf"),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_WORKER_DIR": str(self.folder / "work"),
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        }
        with open(self.folder / f"{name}.log", "wb") as log:
            self.processes[name] = subprocess.Popen(
                [str(home / "bin" / "spark-class"), *arguments],
                env=surroundings, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def up(self, *, workers: int) -> None:
        (self.folder / "conf").mkdir(parents=True)
        (self.folder / "conf" / "spark-defaults.conf").write_text(SPARK_SETTINGS)
        master = "org.apache.spark.deploy.master.Master"
        self.start(
            "master",
            master,
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--webui-port",
            str(free_port()),
        )
        waited_for("the Spark master", lambda: listening(self.port))
        for number in range(workers):
            self.start(
                f"worker {number}", "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--cores", "1",
                "--memory", "1g", "--webui-port", str(free_port()), self.address,
            )  # fmt: skip
        log = self.folder / "master.log"
        waited_for(
            "the workers", lambda: log.read_text(errors="replace").count("Registering worker") == workers
        )

    def kill(self, name: str) -> None:
        """No goodbye: the worker and its executors are gone at once."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def down(self) -> None:
        for name in list(self.processes):
            self.kill(name)


def spark_or_skip() -> None:
    pytest.importorskip(
        "pyspark", reason="engine tests need `pip install -r requirements-engines.txt` (pyspark)"
    )
    if shutil.which("java") is None:
        pytest.skip("engine tests need a Java runtime (`apt install openjdk-17-jre-headless`)")


@dataclass
class PostgresServer:
    """A server in a folder of its own, run by somebody who is not root: the server refuses root."""

    folder: Path
    programs: Path
    port: int = field(default_factory=free_port)
    user: str = "ctpat"
    password: str = "Se%cret:42"

    def run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [str(self.programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "nobody", "--", *command]
        return subprocess.run(command, check=check, capture_output=True, text=True, cwd=self.folder)

    def up(self) -> None:
        self.folder.mkdir(parents=True)
        (self.folder / "password").write_text(self.password)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody")
            shutil.chown(self.folder / "password", "nobody")
        self.run(
            "initdb", "--pgdata=data", f"--username={self.user}", "--pwfile=password", "--auth=scram-sha-256",
            "--encoding=UTF8", "--no-locale", "--no-sync",
        )  # fmt: skip
        settings = f"-c listen_addresses=127.0.0.1 -p {self.port} -c unix_socket_directories='' -c fsync=off"
        self.run("pg_ctl", "--pgdata=data", "--wait", f"--options={settings}", "--log=server.log", "start")

    def down(self) -> None:
        self.run("pg_ctl", "--pgdata=data", "--mode=immediate", "stop", check=False)


def postgres_programs() -> Path:
    """Where the server's programs are; Debian keeps them out of the path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = next((place for place in places if (place / "initdb").exists()), None)
    if found is None and (program := shutil.which("initdb")):
        found = Path(program).resolve().parent
    if found is None:
        pytest.skip("engine tests need a PostgreSQL server (`apt install postgresql`)")
    return found
