"""One way in a process of its own: ``python -m tests.bench.peers WAY FOLDER``, a selection on each line of its input.

It answers each line with one line of JSON: seconds by the clock and of the processor, what the eight frames are, and
the most memory it ever had.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench.peers.aggregates import EIGHT, Limits, digest

WAYS = {
    "ours": ("ours", "Ours"),
    "pandas": ("pandas_rows", "Pandas"),
    "pandas through narwhals": ("pandas_rows", "Narwhals"),
    "polars": ("polars_rows", "Polars"),
    "polars on Parquet": ("polars_rows", "PolarsParquet"),
    "DuckDB on Parquet": ("duckdb_sql", "DuckSQL"),
    "floor": ("duckdb_sql", "Floor"),
}


def main() -> None:
    """Open, say so, then answer until the input ends."""
    way, folder = sys.argv[1:]
    module, name = WAYS[way]
    peer: Any = getattr(import_module(f"tests.bench.peers.{module}"), name)
    start = time.perf_counter()
    held = peer(Path(folder))
    _say({"open_s": time.perf_counter() - start, "peak_mb": _peak()})
    for line in sys.stdin:
        limits = Limits(**json.loads(line))
        wall, cpu = time.perf_counter(), time.process_time()
        frames = held.answer(limits)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        digests = [] if way == "floor" else [
            digest(held.coded(frame, one), one) for frame, one in zip(frames, EIGHT, strict=True)
        ]  # fmt: skip
        _say({"wall_s": wall, "cpu_s": cpu, "digests": digests, "peak_mb": _peak()})


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
