"""The bench: simulated programs whose truth is known, asked in every way the app asks.

``python -m tests.bench.truth`` simulates 2,000 programs of 6,000 validations, writes
``tests/bench/reports/truth.json`` and ends with 1 when a line fails. Fewer programs (``--programs``, ``--quick``)
are allowed chance in coverage, and are printed instead.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.truth import reporting, runs
from tests.bench.truth.judging import Line, line
from tests.bench.truth.programs import LINES, TRUTH
from tests.bench.truth.through import through

REPORT = Path(__file__).parents[1] / "reports" / "truth.json"
PROGRAMS = 2_000
QUICK = 40
AGAIN = 4
"""New seeds of a line outside, in times the programs."""
SHARE = {"without_effects": 2, "screen": 4, "unmeasured": 4, "through": 100}
"""One in so many programs serves these checks."""


def bench(crew: runs.Crew, programs: int) -> dict[str, Any]:
    """The whole report."""
    few = programs < PROGRAMS
    lines, found = _covered(crew, programs, few)

    def some(name: str) -> int:
        return max(2, programs // SHARE[name])

    report: dict[str, Any] = {
        "programs": programs,
        "validations": crew.validations,
        "lines": [one.to_dict(few=few) for one in lines],
        "on_the_margin": reporting.margins(found),
        "without_effects": reporting.promise(
            crew.work("no effects", runs.without_effect, runs.seeds("null", some("without_effects"))), few=few
        ),
        "screen": reporting.screened(
            crew.work("screen", runs.screen, runs.seeds("coverage", some("screen")))
        ),
        "unmeasured": reporting.unseen(
            crew.work("unmeasured", runs.unmeasured, runs.seeds("unmeasured", some("unmeasured"))), few=few
        ),
        "through": reporting.passed_through(
            crew.work("through the command line", through, runs.seeds("coverage", some("through")))
        ),
    }
    return report | {"passes": not reporting.failures(report)}


def _covered(
    crew: runs.Crew, programs: int, few: bool
) -> tuple[list[Line], dict[tuple[str, str], np.ndarray]]:
    """Every line; those outside are asked once more of new programs, and that result stands."""
    table = np.array(crew.work("coverage", partial(runs.cover, LINES), runs.seeds("coverage", programs)))
    found = {one: table[:, i] for i, one in enumerate(LINES)}
    lines = {one: line(*one, TRUTH[one[1]], found[one]) for one in LINES}
    outside = [one for one in LINES if lines[one].judged and not lines[one].passes(few=few)]
    if outside:
        again = np.array(
            crew.work("again", partial(runs.cover, outside), runs.seeds("again", AGAIN * programs))
        )
        for i, one in enumerate(outside):
            lines[one] = line(*one, TRUTH[one[1]], again[:, i], first=lines[one])
    return list(lines.values()), found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; 0 when everything passes."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.truth", description=__doc__)
    parser.add_argument("--programs", type=int, default=PROGRAMS)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} programs")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args(arguments)
    # Many small models: one thread each is several times faster than two that wait for one another.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    programs = QUICK if asked.quick else asked.programs
    report = bench(runs.Crew(asked.processes), programs)
    text = json.dumps(report, indent=1) + "\n"
    if programs >= PROGRAMS:
        REPORT.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    for failure in reporting.failures(report):
        print(f"fails: {failure}", file=sys.stderr)
    return 0 if report["passes"] else 1


if __name__ == "__main__":
    sys.exit(main())
