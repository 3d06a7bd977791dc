"""``python -m analysis bench``, or ``python -m tests.bench`` with ``--groups`` to measure some of it.

A run that gives every ratio replaces the kept report, ``tests/bench/reports/bench.json``, and the picture drawn from it; any
other run writes where ``--to`` says, or only prints.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError
from tests.bench.running import CACHE, GROUPS, RATIOS, REPORT, run, sentences, write
from tests.bench.sizes import VALIDATIONS

__all__ = ["bench", "sentences"]


def bench(
    *,
    sizes: Sequence[str],
    rounds: int,
    cache: Path | None = None,
    to: Path | None = None,
    groups: Sequence[str] = GROUPS,
) -> dict[str, Any]:
    """Measure, write and draw what was chosen.

    Raises
    ------
    AnalysisError
        For a size or a group there is not, or no rounds.
    """
    for chosen, known in ((sizes, tuple(VALIDATIONS)), (groups, GROUPS)):
        for each in chosen:
            if each not in known:
                raise AnalysisError(f"the benchmark has no '{each}': choose among {', '.join(known)}.")
    if rounds < 1:
        raise AnalysisError(f"{rounds} rounds measure nothing: take 5.")
    report = run(sizes, rounds, cache or CACHE, _say, groups)
    if set(report["ratios"]) == set(RATIOS):
        from tests.bench import picture

        write(report, to or REPORT)
        if to is None:
            picture.draw(report)
    elif to is not None:
        write(report, to)
    return report


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print each ratio."""
    parser = argparse.ArgumentParser(description="the benchmark, side by side in one run")
    parser.add_argument("--sizes", default=",".join(VALIDATIONS), metavar="S,M,L")
    parser.add_argument("--groups", default=",".join(GROUPS), metavar=",".join(GROUPS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cache", type=Path, metavar="FOLDER")
    parser.add_argument("--to", type=Path, metavar="FILE.json")
    chosen = parser.parse_args(arguments)
    report = bench(
        sizes=chosen.sizes.split(","), groups=chosen.groups.split(","), rounds=chosen.rounds, cache=chosen.cache,
        to=chosen.to,
    )  # fmt: skip
    print("\n".join(sentences(report)))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
