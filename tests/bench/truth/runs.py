"""The bench's runs over many programs, each a function of its seed, so that processes can share them."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np

from analysis.datasets.demo.catalogue import SEEN_BY
from analysis.datasets.demo.contrasts import comparison_window as true_window
from analysis.datasets.demo.effects import BySeen, Effects, Unmeasured
from analysis.datasets.demo.effects_reading import read_effects
from analysis.datasets.demo.world import simulate
from analysis.questions.answering import answer_of
from analysis.questions.deficiency_modes import LEVEL, criteria_by_mode
from analysis.questions.deficiency_seen import CONTROL
from analysis.results import Interval
from analysis.selection import Selection
from analysis.stats.multiplicity import benjamini_hochberg
from analysis.stats.power import power_two_proportions
from analysis.stats.sensitivity import e_value
from tests.bench.truth.held import Held
from tests.bench.truth.programs import METHODS, Line, answers, window_of
from tests.bench.truth.truths import METRICS, outcome, truths

VALIDATIONS = 6_000
HEADLINE = "any_must_deficiency"
FIRST_SEED = {"coverage": 1_000_000, "again": 2_000_000, "null": 3_000_000, "unmeasured": 4_000_000}
STRENGTH = 0.5
UNMEASURED = tuple((HEADLINE, method) for method in (*METHODS, "standardised ratio"))

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Crew:
    """Processes that work through seeds, and where to say how far they are."""

    processes: int = 2
    validations: int = VALIDATIONS
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)

    def work(self, name: str, task: Callable[[int, int], Result], seeds: Sequence[int]) -> list[Result]:
        """A task's results by seed, in the order of seeds."""
        began, out = time.monotonic(), []
        ask = partial(_asked, task, self.validations)
        pool = ProcessPoolExecutor(self.processes, multiprocessing.get_context("spawn")) if self.processes > 1 else None
        try:
            for result in pool.map(ask, seeds, chunksize=5) if pool else map(ask, seeds):
                out.append(result)
                if len(out) % 50 == 0 or len(out) == len(seeds):
                    self.say(f"{name}: {len(out):,} of {len(seeds):,} programs, {time.monotonic() - began:,.0f} s")
        finally:
            if pool:
                pool.shutdown(cancel_futures=True)
        return out


def _asked(task: Callable[[int, int], Result], validations: int, seed: int) -> Result:
    return task(seed, validations)


def seeds(run: str, programs: int) -> range:
    """The seeds of a run; no two runs share one."""
    return range(FIRST_SEED[run], FIRST_SEED[run] + programs)


def shipped() -> Effects:
    """The effects of the demo."""
    return read_effects()


def no_effect() -> Effects:
    """The demo, but virtual finds, and fails to verify, exactly what in person does."""
    effects = shipped()
    return replace(
        effects,
        detection=replace(effects.detection, virtual_ratio=BySeen(1.0, 1.0, 1.0)),
        not_verified=replace(effects.not_verified, virtual=effects.not_verified.in_person),
    )


def hidden_trait() -> Effects:
    """The demo with something unmeasured that moves assignment and prevalence."""
    return replace(shipped(), unmeasured=Unmeasured(STRENGTH))


def cover(lines: Sequence[Line], seed: int, validations: int) -> np.ndarray:
    """Truth, estimate, low and high of every line, shape (lines, 4)."""
    held = Held(simulate(shipped(), seed=seed, validations=validations))
    found = answers(held, lines)
    return np.array([found[one] for one in lines], float)


class Promise(NamedTuple):
    """A program without effects: the verdict on the headline metric, and the chance it had of being "as good"."""

    verdict: str
    power: float
    n: int


def without_effect(seed: int, validations: int) -> Promise:
    """The app's whole verdict, and the power of the actual numbers to see a difference as large as the margin."""
    world = simulate(no_effect(), seed=seed, validations=validations)
    held, definition = Held(world), METRICS[HEADLINE]
    answer = answer_of(definition, held, Selection(), None, window_of(held, [HEADLINE]), track=False)
    window = true_window(world)
    assert truths(window, outcome(world, HEADLINE))["difference_all"] == 0, "an effect where there should be none"
    n_1, n_0 = int(window.virtual.sum()), int((~window.virtual).sum())
    rate = answer.adjusted_arms["in_person"].estimate
    assert rate is not None and definition.margin is not None
    power = power_two_proportions(rate - definition.margin, rate, n_1, n_0)
    return Promise(answer.verdict, float(power or 0.0), n_1 + n_0)


class Screened(NamedTuple):
    """Criteria called different: those seen in documents (false, each of them), all, and with documents alone."""

    document: int
    called: int
    document_alone: int


def screen(seed: int, validations: int) -> Screened:
    """The app's screen of single criteria; documents show a camera what they show a visitor."""
    world = simulate(shipped(), seed=seed, validations=validations)
    seen = dict(zip(world.catalogue.criterion_id, np.array(SEEN_BY)[world.catalogue.seen], strict=True))
    rows = criteria_by_mode(Held(world)).rows
    documents = [row for row in rows if seen[row.criterion_id] == CONTROL]
    alone = benjamini_hochberg([np.nan if row.p_value is None else row.p_value for row in documents])
    return Screened(
        sum(row.differs for row in documents), sum(row.differs for row in rows), int(np.sum(np.asarray(alone) < LEVEL))
    )


class Unseen(NamedTuple):
    """A program with a hidden trait: answers by line, and E-values of the standardised ratio and its limit."""

    answers: np.ndarray
    needed: float
    needed_limit: float


def unmeasured(seed: int, validations: int) -> Unseen:
    """The headline metric where adjustment must fail, and how strong something unmeasured would have to be."""
    held = Held(simulate(hidden_trait(), seed=seed, validations=validations))
    found = answers(held, UNMEASURED)
    _, ratio, low, high = found[HEADLINE, "standardised ratio"]
    needed = e_value(ratio, Interval(low, high))
    assert needed.limit is not None
    return Unseen(np.array([found[one] for one in UNMEASURED], float), needed.estimate, needed.limit)
