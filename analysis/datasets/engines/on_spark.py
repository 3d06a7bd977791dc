"""Apache Spark: the same steps on a cluster, for data that outgrow one machine.

Files of text are split into rows, and texts read as dates and numbers, by DuckDB on the machine that asks, row by row
and without holding them, so that both engines refuse the same rows; joining, checking, preparing and counting are done
by the cluster. What it holds on the way lies as Parquet in a folder that all of its machines reach: a worker that dies
takes nothing with it.
"""

from __future__ import annotations

import re
import shutil
import socket
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.dataset import dataset

from analysis.datasets.engines.contract import Frame, Kind
from analysis.datasets.engines.on_duckdb import DuckDB
from analysis.errors import AnalysisError
from analysis.files import Aside

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ONE_FILE = 5_000_000
"""Up to so many rows a table is written as one sorted file; beyond, as a folder of parts, sorted from part to part."""

WAIT_FOR_WORKERS = 60.0
"""Seconds that a cluster has to give a first worker."""

_SPARK_TYPES = {"text": "string", "date": "date", "integer": "bigint", "number": "double", "flag": "tinyint"}
_PARTITION_BITS = 33
_LOCAL = re.compile(r"local\[(\*|[1-9]\d*)\]|local")
_LOOKALIKES = str.maketrans({".": "\u2024", "`": "\u2035"})
_LOOPBACK = ("localhost", "127.0.0.1")


class Spark:
    """A Spark application of its own on a cluster (``spark://host:port``) or on this machine (``local[2]``).

    Memory, cores and shuffle partitions are Spark's own settings (``spark-defaults.conf`` in ``SPARK_CONF_DIR``).

    Parameters
    ----------
    master : str
    beside : Path, optional
        What is held on the way lies in a hidden folder beside this one, and is removed in the end.
    one_file : int
        See `ONE_FILE`.

    Raises
    ------
    AnalysisError
        When pyspark or Java are not installed, or the cluster cannot be reached or gives no worker.
    """

    def __init__(self, master: str, *, beside: Path | None = None, one_file: int = ONE_FILE) -> None:
        self._session, self._started_here = _started(master)
        self._text = DuckDB()
        self._one_file = one_file
        self._tables = 0
        # Frames that are files as they stand need not be written once more.
        self._files: WeakKeyDictionary[DataFrame, Path] = WeakKeyDictionary()
        parent = beside.absolute().parent if beside else None
        try:
            if parent:
                parent.mkdir(parents=True, exist_ok=True)
            self._aside = Aside((parent or Path(tempfile.gettempdir())) / "spark")
            self._scratch = self._aside.path
        except OSError as error:
            if self._started_here:
                self._session.stop()
            raise AnalysisError(
                f"{parent} cannot be written ({error.strerror}): choose another place."
            ) from error

    def close(self) -> None:
        """End the application and remove what it held."""
        self._text.close()
        if self._started_here:
            self._session.stop()
        self._aside.close()

    def cursor(self) -> Spark:
        """The same application: it serves several threads."""
        return self

    # -- in ---------------------------------------------------------------------------------------

    def held_name(self, column: str) -> str:
        """Spark takes a dot for a step into a column and a backtick for a quotation mark: held as lookalikes."""
        return column.translate(_LOOKALIKES)

    def from_pandas(self, frame: pd.DataFrame) -> Frame:
        """A small pandas frame as rows of the cluster."""
        with _said():
            table = pa.Table.from_pandas(frame.rename(columns=self.held_name), preserve_index=False)
            return _lazy(self._session.createDataFrame(table))

    def read_parquet(self, path: Path) -> Frame:
        """A Parquet file, or a folder of its parts."""
        return _lazy(self._read(path))

    def read_parquet_as_text(self, path: Path) -> Frame:
        """A Parquet file of somebody else's, every value as text, with its row numbers."""
        return self._staged(self._text.read_parquet_as_text(path))

    def read_csv(self, path: Path) -> tuple[Frame, list[tuple[int, str]]]:
        """A CSV file as text columns with their row numbers, and the rows that could not be split."""
        frame, broken = self._text.read_csv(path)
        return self._staged(frame), broken

    def _staged(self, frame: Frame) -> Frame:
        """Rows that DuckDB read, where the cluster reaches them."""
        path = self._place()
        renamed = frame.rename({name: self.held_name(name) for name in frame.collect_schema().names()})
        self._text.write_parquet(renamed, path, order_by=())
        self._text.forget()
        return self.read_parquet(path)

    # -- what narwhals has no word for --------------------------------------------------------------

    def parsed(
        self,
        frame: Frame,
        columns: Mapping[str, Kind],
        *,
        date_formats: Mapping[str, Sequence[str]] | None = None,
        suffix: str = "",
    ) -> Frame:
        """Text columns read as dates or numbers, by DuckDB on the machine that asks: no two engines agree on them."""
        if not columns:
            return frame
        held = self._text.read_parquet(self._held(frame.to_native()))
        return self._staged(self._text.parsed(held, columns, date_formats=date_formats, suffix=suffix))

    def numbered(self, frame: Frame, name: str, *, order_by: str) -> Frame:
        """Rows with their position from 0 in the order of a column without repetitions."""
        from pyspark.sql import functions as F

        native: DataFrame = frame.to_native()
        # Sorted over all partitions, each row knows its partition and its place in it: what is missing is how many
        # rows the partitions before it have. A window over all rows would bring them all to one machine.
        place = F.monotonically_increasing_id().alias("_place")
        ordered = self._read(
            self._held(native.orderBy(F.col(_quoted(order_by)).asc_nulls_first()).select("*", place))
        )
        part = F.shiftright(F.col("_place"), _PARTITION_BITS)
        sizes = self._collected(ordered.groupBy(part.alias("part")).count().orderBy("part"))
        before = sizes.assign(before=sizes["count"].cumsum() - sizes["count"])[["part", "before"]]
        offsets = self._session.createDataFrame(pa.Table.from_pandas(before, preserve_index=False))
        position = (F.col("before") + F.col("_place").bitwiseAND((1 << _PARTITION_BITS) - 1)).alias(name)
        joined = ordered.join(F.broadcast(offsets), part == F.col("part"))
        return _lazy(joined.select(position, *[F.col(_quoted(column)) for column in native.columns]))

    def fingerprinted(self, frame: Frame, column: str) -> Frame:
        """The same rows with whole numbers in place of a column's texts: equal texts have equal numbers."""
        from pyspark.sql import functions as F

        native: DataFrame = frame.to_native()
        return _lazy(native.withColumn(column, F.xxhash64(F.col(_quoted(column)))))

    def digests(self, frame: Frame, by: str, columns: Sequence[str]) -> dict[int, str]:
        """Per value of a column a text that the values of some columns make, in whatever order its rows stand."""
        from pyspark.sql import functions as F

        hashed = F.xxhash64(*[F.col(_quoted(column)) for column in columns])
        made = F.concat_ws(
            " ", F.count(F.lit(1)), F.sum(hashed.cast("decimal(38,0)")), F.bit_xor(hashed)
        ).alias("digest")
        rows = self._collected(frame.to_native().groupBy(F.col(_quoted(by))).agg(made))
        return {int(value): str(digest) for value, digest in rows.itertuples(index=False)}

    def typed_empty(self, columns: Mapping[str, str]) -> Frame:
        """An empty frame with columns of our types."""
        schema = ", ".join(f"{_quoted(name)} {_SPARK_TYPES[kind]}" for name, kind in columns.items())
        return _lazy(self._session.createDataFrame([], schema))

    def forget(self) -> None:
        """Remove what is held: frames made of it can no longer be used."""
        self._files.clear()
        for path in self._scratch.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    # -- out --------------------------------------------------------------------------------------

    def kept(self, frame: Frame) -> Frame:
        """The same rows, computed once and held in files, so that losing a worker loses none of them."""
        return _lazy(self._read(self._held(frame.to_native())))

    def write_parquet(self, frame: Frame, path: Path, *, order_by: Sequence[str]) -> int:
        """Write Parquet, sorted: one file, or beyond `one_file` rows a folder of parts."""
        path.parent.mkdir(parents=True, exist_ok=True)
        held = self._held(frame.to_native())
        rows = int(dataset(held, format="parquet").count_rows())
        if rows <= self._one_file:
            return self._text.write_parquet(self._text.read_parquet(held), path, order_by=order_by)
        from pyspark.sql import functions as F

        order = [F.col(_quoted(column)).asc_nulls_first() for column in order_by]
        ordered = self._read(held).orderBy(*order) if order else self._read(held)
        _tidied(self._written(ordered)).rename(path)
        return rows

    def runs(self, rows: int) -> list[tuple[int, int]]:
        """All rows at once: a cluster shares them out itself."""
        return [(0, max(rows, 1))]

    def kept_runs(self, frames: Sequence[Frame]) -> Frame:
        """The rows of all frames, computed once and held in files."""
        return self.kept(nw.concat(list(frames)))

    def write_runs(self, frames: Sequence[Frame], path: Path, *, order_by: Sequence[str]) -> int:
        """Write the rows of all frames, sorted, like `write_parquet`."""
        return self.write_parquet(nw.concat(list(frames)), path, order_by=order_by)

    # -- inside -----------------------------------------------------------------------------------

    def _held(self, native: DataFrame) -> Path:
        """The file that a frame is, or the one it becomes."""
        return self._files[native] if native in self._files else self._written(native)

    def _written(self, native: DataFrame) -> Path:
        path = self._place()
        with _said():
            native.write.parquet(str(path))
        return path

    def _read(self, path: Path) -> DataFrame:
        from pyspark.sql.pandas.types import from_arrow_schema

        # Spark would start a job to look into the file, for what stands in its last bytes.
        try:
            schema = pq.ParquetDataset(path).schema.remove_metadata()
        except (OSError, ValueError, pa.ArrowException) as error:
            raise AnalysisError(f"{path} is damaged or no Parquet file: make its dataset again.") from error
        with _said():
            native = self._session.read.schema(from_arrow_schema(schema)).parquet(str(path))
        self._files[native] = path
        return native

    def _place(self) -> Path:
        self._tables += 1
        return self._scratch / f"held_{self._tables}.parquet"

    def _collected(self, native: DataFrame) -> pd.DataFrame:
        return collected_by_spark(_lazy(native))


def collected_by_spark(frame: Frame) -> pd.DataFrame:
    """Rows of a Spark frame as pandas."""
    with _said():
        table: pa.Table = frame.to_native().toArrow()
    return table.to_pandas(date_as_object=False)


def _started(master: str) -> tuple[SparkSession, bool]:
    """The application of this process, and whether it was started just now."""
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise AnalysisError(
            f"engine {master} needs pyspark: run `pip install -r requirements-engines.txt`."
        ) from error
    running = SparkSession.getActiveSession()
    if running is not None and running.sparkContext.master == master:
        return running, False
    _reachable(master)
    if running is not None:
        raise AnalysisError(
            f"engine {master} cannot start beside {running.sparkContext.master}: one Spark application per process."
        )
    # A warning for those who hand it pandas frames; here it is handed Arrow tables.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    builder = SparkSession.builder.master(master).appName("validation analysis")
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "OFF",
    }
    if _is_here(master):
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except PySparkException as error:
        raise AnalysisError(
            f"engine {master} does not start: Spark needs a Java runtime of version 17 or newer "
            "(`apt install openjdk-17-jre-headless`)."
        ) from error
    except Exception as error:
        # The bridge to Java raises whatever it could not translate.
        raise AnalysisError(f"engine {master} does not start: {_first_line(error)}.") from error
    if master.startswith("spark://"):
        _worker_waited_for(session, master)
    return session, True


def _reachable(master: str) -> None:
    """Ask the door first: Spark itself tries for a minute, and then speaks of something else."""
    if not master.startswith("spark://"):
        if not _LOCAL.fullmatch(master):
            raise AnalysisError(f"there is no engine '{master}': write local[*] or local[2].")
        return
    refused = None
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise AnalysisError(
                f"engine {master} is no address: write spark://host:port, such as spark://10.0.0.5:7077."
            )
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
            return
        except (OSError, OverflowError) as error:
            refused = error
    reason = getattr(refused, "strerror", None) or str(refused)
    raise AnalysisError(f"engine {master} cannot be reached ({reason}): is the Spark master running there?")


def _is_here(master: str) -> bool:
    return master.startswith("local") or any(f"//{host}:" in master for host in _LOOPBACK)


def _worker_waited_for(session: SparkSession, master: str) -> None:
    tracker = session.sparkContext._jsc.sc().statusTracker()
    end = time.monotonic() + WAIT_FOR_WORKERS
    # The one that asks is itself in the list.
    while len(tracker.getExecutorInfos()) < 2:
        if time.monotonic() > end:
            session.stop()
            raise AnalysisError(
                f"engine {master} gave no worker within {WAIT_FOR_WORKERS:.0f} seconds: are its workers up, and free?"
            )
        time.sleep(0.1)


@contextmanager
def _said() -> Iterator[None]:
    """What goes wrong on the cluster, in one sentence."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException, ConnectionError) as error:
        raise AnalysisError(f"the Spark cluster gave up: {_first_line(error)}.") from error


def _first_line(error: BaseException) -> str:
    words = str(error).strip().splitlines() or [type(error).__name__]
    return words[0][:300].rstrip(".: ")


def _tidied(folder: Path) -> Path:
    """A folder of parts with names that say their order and nothing else, and only parts in it."""
    parts = sorted(folder.glob("part-*.parquet"))
    for other in set(folder.iterdir()) - set(parts):
        other.unlink()
    for number, part in enumerate(parts):
        part.rename(folder / f"part-{number:05}.parquet")
    return folder


def _lazy(native: DataFrame) -> Frame:
    lazy: Frame = nw.from_native(native).lazy()
    return lazy


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
