"""Opening: cells built from prepared rows, against DuckDB's own time for one fine ``GROUP BY`` per table."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def timed(folder: Path, rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Both, in turns, each in a process of its own: seconds per table and in all, and peak memory."""
    taken: dict[str, list[dict[str, Any]]] = {"ours": [], "DuckDB": []}
    for turn in range(rounds):
        tell(f"  round {turn + 1} of {rounds}")
        for way in list(taken)[:: 1 if turn % 2 == 0 else -1]:
            command = [sys.executable, "-m", "tests.bench.building", way, str(folder)]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            taken[way].append(json.loads(done.stdout))
    return {
        way: {
            "wall_s": statistics.median(sum(each["tables"].values()) for each in runs),
            "cpu_s": statistics.median(each["cpu_s"] for each in runs),
            "peak_mb": max(each["peak_mb"] for each in runs),
            "tables": {
                name: statistics.median(each["tables"][name] for each in runs) for name in runs[0]["tables"]
            },
        }
        for way, runs in taken.items()
    }


def main() -> None:
    """One way on one dataset; tables with their seconds as JSON."""
    import resource

    way, folder = sys.argv[1], Path(sys.argv[2])
    scratch = Path(tempfile.mkdtemp(prefix=".building.", dir=folder.parent))
    try:
        tables = (_ours if way == "ours" else _duckdb)(folder, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"tables": tables, "cpu_s": time.process_time(), "peak_mb": peak}))


def _ours(folder: Path, scratch: Path) -> dict[str, float]:
    """As an import does it: grouped, sorted, compressed and written."""
    from analysis.datasets import cells
    from analysis.datasets.engines import engine_named

    engine = engine_named(beside=scratch / "dataset")
    held = {path.stem: engine.read_parquet(path) for path in (folder / "prepared").glob("*.parquet")}
    out = {}
    for name, frame in cells.build(held).items():
        start = time.perf_counter()
        engine.write_parquet(frame, scratch / f"{name}.parquet", order_by=frame.collect_schema().names())
        out[name] = time.perf_counter() - start
    engine.close()
    return out


def _duckdb(folder: Path, scratch: Path) -> dict[str, float]:
    """The same groups and sums as a table in memory, neither sorted nor written."""
    import duckdb
    import narwhals as nw

    from analysis.datasets import cells
    from tests.bench.peers.duckdb_sql import files

    base = duckdb.connect(
        config={"temp_directory": str(scratch / "spilled"), "preserve_insertion_order": False}
    )
    out = {}
    for table in cells.CELLS.values():
        counted = folder / "cells" / f"{table.name}.parquet"
        source = cells.VIEWS[table.counts][0] if table.counts in cells.VIEWS else table.counts
        if not counted.exists():
            continue
        columns = base.read_parquet(str(counted / "*.parquet" if counted.is_dir() else counted)).columns
        rows = nw.from_native(base.read_parquet(files(folder, source))).lazy()
        cells.viewed(rows, table.counts).to_native().create_view("counted", replace=True)
        keys = ", ".join(name for name in columns if name in table.keys)
        sums = ", ".join(f'sum("{name}") AS "{name}"' for name in columns if name not in table.keys)
        start = time.perf_counter()
        base.execute(
            f"CREATE OR REPLACE TEMP TABLE grouped AS SELECT {keys}, {sums} FROM counted GROUP BY {keys}"
        )
        out[table.name] = time.perf_counter() - start
    base.close()
    return out


if __name__ == "__main__":
    main()
