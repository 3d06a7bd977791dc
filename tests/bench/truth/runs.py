"""The bench's runs over many programs, each a function of its seed, so that processes can share them."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from analysis.stats.bounds import normal_quantile
from analysis.stats.multiplicity import benjamini_hochberg
from analysis.stats.power import power_two_proportions, power_within_margin
from analysis.stats.sensitivity import e_value
from tests.bench.truth import sharing
from tests.bench.truth.held import Held
from tests.bench.truth.programs import METHODS, Asked, answers, window_of
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
        ask = partial(_asked, task, self.validations)
        if self.processes == 1:
            return list(self._counted(name, map(ask, seeds), len(seeds)))
        with ProcessPoolExecutor(self.processes, multiprocessing.get_context("spawn")) as pool:
            return list(self._counted(name, pool.map(ask, seeds, chunksize=5), len(seeds)))

    def _counted(self, name: str, results: Iterable[Result], programs: int) -> Iterator[Result]:
        began = time.monotonic()
        for done, result in enumerate(results, start=1):
            if done % 50 == 0 or done == programs:
                self.say(f"{name}: {done:,} of {programs:,} programs, {time.monotonic() - began:,.0f} s")
            yield result


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


def cover(lines: Sequence[Asked], seed: int, validations: int) -> np.ndarray:
    """Truth, estimate, low and high of every line, shape (lines, 4)."""
    held = Held(simulate(shipped(), seed=seed, validations=validations))
    found = answers(held, lines)
    return np.array([found[one] for one in lines], float)


class Promise(NamedTuple):
    """A program without effects: the app's verdict on the headline metric, and the chance it had of "as good".

    `promised` is what the panel of detectable differences says, from the error there really was; `plain` is the
    power of two plain proportions of that size to show a difference as large as the margin.
    """

    verdict: str
    promised: float
    plain: float
    n: int


def without_effect(seed: int, validations: int) -> Promise:
    """The whole verdict, balance and positivity included, where virtual finds exactly what in person does."""
    world = simulate(no_effect(), seed=seed, validations=validations)
    held, definition, window = Held(world), METRICS[HEADLINE], true_window(world)
    assert truths(window, outcome(world, HEADLINE))["difference_all"] == 0, (
        "an effect where there should be none"
    )
    with sharing.shared():
        answer = answer_of(definition, held, Selection(), None, window_of(held, [HEADLINE]), track=False)
    row, margin = answer.answer, definition.margin
    n_1, n_0 = int(window.virtual.sum()), int((~window.virtual).sum())
    if row is None or row.interval is None or margin is None:
        return Promise(answer.verdict, 0.0, 0.0, n_1 + n_0)
    promised = power_within_margin(margin, row.interval.half_width / normal_quantile(row.interval.level))
    rate = answer.adjusted_arms["in_person"].estimate
    plain = (
        power_two_proportions(rate - margin, rate, n_1, n_0) if rate is not None and rate > margin else None
    )
    return Promise(answer.verdict, promised, plain or 0.0, n_1 + n_0)


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
        sum(row.differs for row in documents),
        sum(row.differs for row in rows),
        int(np.sum(np.asarray(alone) < LEVEL)),
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
    table = np.array([found[one] for one in UNMEASURED], float)
    if np.isnan(ratio):
        return Unseen(table, np.nan, np.nan)
    needed = e_value(ratio, Interval(low, high))
    return Unseen(table, needed.estimate, np.nan if needed.limit is None else needed.limit)
