"""A filter change: all eight aggregates of a page, by us and by everybody else, the answers compared."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.datasets.opening import open_dataset
from tests.bench.peers.__main__ import WAYS
from tests.bench.peers.aggregates import EIGHT, WHICH, Limits, filters

ROOT = Path(__file__).resolve().parents[2]
FASTEST_PANDAS = ("pandas", "pandas through narwhals")
WARM = 999
"""Turn whose last filters, all at once, are asked before anything is timed, after a page without filters."""


class Peer:
    """A way in a process of its own."""

    def __init__(self, way: str, folder: Path) -> None:
        self.way = way
        self.first: dict[str, Any] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.peers", way, str(folder)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.opened = self._read()

    def ask(self, limits: Limits) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(limits)) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        self._process.communicate()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.way} ended before it answered")
        found: dict[str, Any] = json.loads(line)
        return found


def timed(
    folder: Path, rounds: int, tell: Callable[[str], None], ways: Sequence[str] = tuple(WAYS)
) -> dict[str, Any]:
    """Every way on one dataset.

    Returns
    -------
    dict
        Way → median seconds of a filter change (``wall_s``, ``cpu_s``), ``open_s`` until it could be asked, ``first_s``
        of its first answer, ``peak_mb``; `absent` where polars is not installed.

    Raises
    ------
    AssertionError
        When a way counts differently from us.
    """
    out: dict[str, Any] = {}
    peers: list[Peer] = []
    for way in ways:
        tell(f"  opening: {way}")
        try:
            peers.append(Peer(way, folder))
        except RuntimeError:
            if not way.startswith("polars"):
                raise
            out[way] = {"absent": "polars is not installed: pip install -r tests/bench/requirements.txt"}
    dataset = open_dataset(folder)
    try:
        for peer in peers:
            peer.first = peer.ask(Limits())
            peer.ask(filters(dataset, WARM)[-1])
        taken: dict[str, list[dict[str, Any]]] = {peer.way: [] for peer in peers}
        for turn in range(rounds):
            tell(f"  round {turn + 1} of {rounds}")
            asked = filters(dataset, turn)
            for peer in peers[turn % len(peers) :] + peers[: turn % len(peers)]:
                taken[peer.way].append([peer.ask(limits) for limits in asked])
            _agree({way: answers[-1] for way, answers in taken.items()})
    finally:
        for peer in peers:
            peer.close()
    for peer in peers:
        answers: Any = taken[peer.way]
        out[peer.way] = {
            **{
                key: statistics.median(statistics.fmean(one[key] for one in each) for each in answers)
                for key in ("wall_s", "cpu_s")
            },
            "by_filters": [
                {"filters": list(which), "wall_s": statistics.median(each[i]["wall_s"] for each in answers)}
                for i, which in enumerate(WHICH)
            ],
            "open_s": peer.opened["open_s"],
            "first_s": peer.first["wall_s"],
            "peak_mb": max(one["peak_mb"] for each in answers for one in each),
        }
    return out


def fastest_pandas(found: dict[str, Any]) -> str:
    """The quicker of the two ways with pandas."""
    return min((way for way in FASTEST_PANDAS if way in found), key=lambda way: float(found[way]["wall_s"]))


def worth_asking(smaller: dict[str, Any] | None) -> tuple[str, ...]:
    """All ways, without the slower one with pandas where a smaller size has told which that is."""
    if smaller is None:
        return tuple(WAYS)
    return tuple(way for way in WAYS if way not in FASTEST_PANDAS or way == fastest_pandas(smaller))


def _agree(answers: dict[str, list[dict[str, Any]]]) -> None:
    for way, theirs in answers.items():
        for i, (one, ours) in enumerate(zip(theirs, answers["ours"], strict=True)):
            for aggregate, a, b in zip(EIGHT, one["digests"], ours["digests"], strict=False):
                assert a == b, f"{way} and ours differ on {aggregate.name}, filters {WHICH[i]}"
