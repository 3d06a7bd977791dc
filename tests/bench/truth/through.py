"""The same programs through the command line: written, prepared, opened and compared like anybody's data."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from analysis.cli import main
from analysis.datasets.demo.contrasts import comparison_window as true_window
from analysis.datasets.demo.world import simulate
from analysis.datasets.opening import Dataset, open_dataset
from analysis.errors import AnalysisError
from analysis.questions.answering import answer_of
from analysis.questions.arms import tally_rows
from analysis.questions.deficiency_modes import criteria_by_mode
from analysis.selection import Selection
from tests.bench.truth.held import Held
from tests.bench.truth.programs import METHODS, PAIRED, estimates, window_of
from tests.bench.truth.runs import shipped
from tests.bench.truth.truths import METRICS, outcome, truths

COMPARED = ("any_must_deficiency", "any_deficiency", "deficiency_rate")
"""Metrics of the command line; the rates by way of seeing are asked of the opened folder."""
TOLERANCE = 1e-8


class Through(NamedTuple):
    """How many numbers were set side by side, and the largest difference between them."""

    numbers: int
    largest: float


def through(seed: int, validations: int) -> Through:
    """One program both ways: in memory, and ``demo`` → ``compare --json``."""
    world = simulate(shipped(), seed=seed, validations=validations)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "demo"
        _said("demo", out, "--seed", seed, "--validations", validations)
        gaps = [abs(one - other) for one, other in _pairs(Held(world), out)]
    return Through(len(gaps), max(gaps))


def _said(command: str, out: Path, *options: object) -> dict[str, Any]:
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()) as trouble:
        status = main([command, str(out), *map(str, options), "--json"])
    if status:
        raise AnalysisError(f"`{command}` ended with {status}: {trouble.getvalue()}")
    return dict(json.loads(text.getvalue()))


def _pairs(held: Held, out: Path) -> Iterator[tuple[float, float]]:
    opened = open_dataset(out)
    here, there = window_of(held, list(METRICS)), window_of(opened, list(METRICS))
    written = tomllib.loads((out / "truth.toml").read_text(encoding="utf-8"))["metric"]
    for name, definition in METRICS.items():
        methods = {method for method in METHODS if method != "paired" or name in PAIRED} | {
            "standardised ratio"
        }
        mine = estimates(held, here, name, methods, tally_rows(definition, here.rows))
        if name in COMPARED:
            answer = _said("compare", out, "--metric", name)
            rows = {(row["method"], row["measure"]): row for row in answer["estimates"]}
            for row in mine.values():
                yield from _both(row.to_dict(), rows[row.method, row.measure])
            verdict = answer_of(definition, held, Selection(), None, here, track=False).verdict
            # A word that differs is as far off as a number can be.
            yield (0.0, 0.0 if verdict == answer["verdict"] else 1.0)
        else:
            theirs = estimates(opened, there, name, methods, tally_rows(definition, there.rows))
            for method, row in mine.items():
                yield from _both(row.to_dict(), theirs[method].to_dict())
        true = written[name] if name in COMPARED else written["deficiency_rate"][name.removesuffix("_rate")]
        for key, value in truths(true_window(held.world), outcome(held.world, name)).items():
            if key in true:
                yield value, true[key]
    yield from _screens(held, opened)


def _both(mine: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[float, float]]:
    for key in ("estimate", "low", "high", "p_value", "n"):
        one, other = mine[key], theirs[key]
        if (one is None) != (other is None):
            yield 0.0, 1.0
        elif one is not None:
            yield float(one), float(other)


def _screens(held: Held, opened: Dataset) -> Iterator[tuple[float, float]]:
    mine, theirs = ({row.criterion_id: row for row in criteria_by_mode(one).rows} for one in (held, opened))
    assert mine.keys() == theirs.keys()
    for criterion, row in mine.items():
        for name in ("estimate", "p_value", "q_value"):
            one, other = getattr(row, name), getattr(theirs[criterion], name)
            assert (one is None) == (other is None)
            if one is not None:
                yield one, other
