"""Where the time goes, for what falls short."""

from __future__ import annotations

import cProfile
import pstats
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.datasets.opening import open_dataset
from analysis.selection import Selection
from tests.bench.peers.aggregates import EIGHT, filters

ROOT = Path(__file__).resolve().parents[2]
MOST = 10
"""Lines of a profile."""

Profile = list[dict[str, Any]]


def of_filters(folder: Path) -> Profile:
    """Of our own filter changes, on cells that are held."""
    from analysis.counts import counts

    dataset = open_dataset(folder)

    def work(turn: int) -> None:
        for limits in filters(dataset, turn):
            selection = limits.selection(dataset)
            for one in EIGHT:
                counts(dataset, one.table, one.by, selection, sums=one.sums)

    work(998)
    return _spent(lambda: work(997))


def of_comparison(folder: Path) -> Profile:
    """Of a whole comparison."""
    from analysis.questions.comparison import compare

    return _spent(lambda: compare(open_dataset(folder), "any_must_deficiency"))


def of_page(folder: Path, page: str) -> Profile:
    """Of the figures of a page, by figure."""
    import time

    from analysis.figures import figure, registry

    dataset = open_dataset(folder)
    office = dataset.present("field_office")[0]
    out = []
    for name in registry():
        if name.startswith(f"{page}."):
            start = time.process_time()
            figure(name, dataset, Selection(offices=(office,)), palette="screen")
            out.append({"where": name, "s": time.process_time() - start})
    return sorted(out, key=lambda one: -float(one["s"]))[:MOST]


def of_start() -> Profile:
    """Of what the server imports and opens before its first page: modules by their own time."""
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-c",
        "import gc; import app; app.warm_up(); gc.unfreeze()",
    ]
    done = subprocess.run(
        command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, check=True
    )
    spent: dict[str, float] = {}
    for line in done.stderr.splitlines():
        own, _, module = line.removeprefix("import time:").replace(" ", "").partition("|")
        if own.isdigit():
            package = module.partition("|")[2].partition(".")[0]
            spent[package] = spent.get(package, 0.0) + int(own) / 1e6
    longest = sorted(spent.items(), key=lambda one: -one[1])[:MOST]
    return [{"where": package, "s": seconds} for package, seconds in longest]


def _spent(work: Callable[[], object]) -> Profile:
    profile = cProfile.Profile()
    profile.runcall(work)
    stats: Any = pstats.Stats(profile)
    longest = sorted(stats.stats.items(), key=lambda one: -one[1][2])[:MOST]
    return [{"where": _where(*key), "s": own} for key, (_, _, own, _, _) in longest]


def _where(file: str, line: int, function: str) -> str:
    path = Path(file)
    if path.is_relative_to(ROOT):
        return f"{path.relative_to(ROOT)}:{line} {function}"
    return f"{path.parent.name}/{path.name} {function}" if path.suffix == ".py" else function
