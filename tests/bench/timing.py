"""How everything here is timed: in turns, so that what else the machine does falls on everybody alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

Row = dict[str, Any]


def in_turns(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Row]:
    """Median seconds of each piece of work, by the clock and of the processor; who begins moves on every round."""
    names = list(works)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            wall, cpu = time.perf_counter(), time.process_time()
            works[name]()
            taken[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {
        name: {
            "wall_s": statistics.median(wall for wall, _ in each),
            "cpu_s": statistics.median(cpu for _, cpu in each),
            "rounds": rounds,
        }
        for name, each in taken.items()
    }


def faster(ours: float, peer: float, wanted: float, **more: Any) -> Row:
    """The peer's time over ours: higher is better."""
    return {"reached": peer / ours, "wanted": wanted, "a_s": ours, "b_s": peer, "reason": ""} | more


def within(ours: float, yardstick: float, wanted: float, **more: Any) -> Row:
    """Our time over the yardstick's: lower is better."""
    return {"reached": ours / yardstick, "wanted": wanted, "a_s": ours, "b_s": yardstick, "reason": ""} | more
