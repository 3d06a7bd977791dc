"""A filter change on every page, small and large: what the server computes until the page is whole.

The pages run as Streamlit would run them, without a browser: counting, statistics, charts and their specifications.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FIRST = "overview"
PAGES = ("virtual_vs_in_person", "msc_deficiencies", "incidents", "maritime", "anomalies", "feedback", "data")
MOST_ROUNDS = 2
PATIENCE = 3600


def timed(folders: Mapping[str, Path], rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Every page of every size, each size in a process of its own.

    Returns
    -------
    dict
        Page → size → median seconds ``wall_s`` and ``cpu_s`` of a change to another field office.
    """
    found: dict[str, dict[str, Any]] = {}
    for size, folder in folders.items():
        tell(f"  pages at {size}")
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.changing", str(folder), str(min(rounds, MOST_ROUNDS))],
            cwd=ROOT, env=os.environ | {"CTPAT_DATASETS": str(folder)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, check=True,
        )  # fmt: skip
        for page, row in json.loads(done.stdout.splitlines()[-1]).items():
            found.setdefault(page, {})[size] = row
    return found


def main() -> None:
    """Pages with their seconds as JSON: the last office first, to read and hold what there is, then others."""
    from streamlit.testing.v1 import AppTest

    from analysis.datasets.opening import open_dataset

    dataset = open_dataset(Path(sys.argv[1]))
    offices = [dataset.label("field_office", office) for office in dataset.present("field_office")]
    taken: dict[str, list[tuple[float, float]]] = {page: [] for page in (FIRST, *PAGES)}
    for turn, office in enumerate([offices[-1], *offices[: int(sys.argv[2])]]):
        app = AppTest.from_file(str(ROOT / "pages" / "_shell.py"), default_timeout=PATIENCE)
        if office is not None:
            app.query_params["office"] = office
        for page in taken:
            wall, cpu = time.perf_counter(), time.process_time()
            (app if page == FIRST else app.switch_page(f"{page}.py")).run()
            if app.exception:
                raise RuntimeError(f"{page}: {app.exception[0].message}")
            if turn:
                taken[page].append((time.perf_counter() - wall, time.process_time() - cpu))
    print(
        json.dumps(
            {
                page: {
                    "wall_s": statistics.median(wall for wall, _ in each),
                    "cpu_s": statistics.median(cpu for _, cpu in each),
                }
                for page, each in taken.items()
            }
        )
    )


if __name__ == "__main__":
    main()
