"""What a simulated program's estimates should have been: both potential outcomes of the same validations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.datasets.demo.catalogue import SEEN_BY, Bools, Ints
from analysis.datasets.demo.contrasts import ByArm, Contrast, Window, contrasts, ratio_of_sums
from analysis.datasets.demo.members import IN_PERSON, VIRTUAL
from analysis.datasets.demo.outcomes import ARMS
from analysis.datasets.demo.world import World
from analysis.metrics import Metric, Tally, metric


def _of_class(seen: str) -> Metric:
    tally = Tally("validations", f"n_deficient_{seen}", f"n_assessed_{seen}")
    return dataclasses.replace(metric("deficiency_rate"), label=seen, counted_by=tally)


METRICS: dict[str, Metric] = {
    "any_must_deficiency": metric("any_must_deficiency"),
    "any_deficiency": metric("any_deficiency"),
    "deficiency_rate": metric("deficiency_rate"),
    "physical_rate": _of_class("physical"),
    "document_rate": _of_class("document"),
}
"""What is judged; the rates by way of seeing are counted as `analysis.questions.deficiency_modes` does."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A metric's numerators and denominators in both modes, for every validation of a program."""

    value: ByArm
    size: ByArm

    def of(self, rows: Ints) -> Contrast:
        """Their contrast over some validations."""
        value, size = ({arm: each[arm][rows] for arm in ARMS} for each in (self.value, self.size))
        return Contrast(value, size)


def outcome(world: World, name: str) -> Outcome:
    """The potential outcomes of one metric."""
    make = _OUTCOMES[name]
    both = {arm: make(world, arm) for arm in ARMS}
    return Outcome(*({arm: both[arm][i].astype(float) for arm in ARMS} for i in (0, 1)))


def _any_must(world: World, arm: str) -> tuple[Bools, Bools]:
    asked = world.answers[arm].must_assessed > 0
    return (world.answers[arm].must_deficient > 0) & asked, asked


def _any(world: World, arm: str) -> tuple[Bools, Bools]:
    found, assessed = _rate(world, arm)
    return (found > 0) & (assessed > 0), assessed > 0


def _rate(world: World, arm: str, seen: str | None = None) -> tuple[Ints, Ints]:
    which = slice(None) if seen is None else [SEEN_BY.index(seen)]
    answers = world.answers[arm]
    tables = (answers.deficient, world.assessable - answers.not_verified)
    found, assessed = (table[:, which].sum(axis=1) for table in tables)
    return found, assessed


_OUTCOMES: Mapping[str, Callable[[World, str], tuple[np.ndarray, np.ndarray]]] = {
    "any_must_deficiency": _any_must,
    "any_deficiency": _any,
    "deficiency_rate": _rate,
    "physical_rate": lambda world, arm: _rate(world, arm, "physical"),
    "document_rate": lambda world, arm: _rate(world, arm, "document"),
}


def truths(window: Window, potential: Outcome) -> dict[str, float]:
    """Differences over all, overlap-weighted, virtual and Mantel–Haenszel-weighted, and the ratio over all."""
    contrast = potential.of(window.rows)
    found = contrasts(window, contrast)
    ratio = contrasts(window, dataclasses.replace(contrast, scale="ratio"), prefix="ratio")
    own = {arm: contrast.value[arm] / np.maximum(contrast.size[arm], 1) for arm in ARMS}
    counted = {arm: (contrast.size[arm] > 0).astype(float) for arm in ARMS}
    mean = contrasts(window, Contrast(own, counted), prefix="mean")
    return {
        "difference_all": found["difference_all"],
        "difference_mh": found["difference_mh"],
        "difference_overlap": found["difference_overlap"],
        "mean_overlap": mean["mean_overlap"],
        "ratio_all": ratio.get("ratio_all", np.nan),
    }


def difference_over(potential: Outcome, rows: Ints) -> float:
    """Virtual minus in person over some validations, each of them in both modes."""
    contrast = potential.of(rows)
    even = np.ones(len(rows))
    virtual, in_person = (ratio_of_sums(contrast.value[arm], contrast.size[arm], even) for arm in ARMS)
    return virtual - in_person


def virtual_pairs(world: World, quarters: set[int]) -> tuple[Ints, int]:
    """Virtual validations after one in person that a control pair stands beside, and the number of pairs used.

    Pairs are of the quarters given; controls are two validations in person of members of the same risk,
    location and first kind.
    """
    schedule = world.schedule
    month = schedule.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1970 * 12
    first = schedule.previous
    two_way = np.isin(schedule.mode, (VIRTUAL, IN_PERSON))
    pair = (first >= 0) & two_way & (schedule.mode[first] == IN_PERSON) & np.isin(month // 3, list(quarters))
    foreign = world.members.foreign[schedule.member]
    stratum = 4 * schedule.risk + 2 * foreign + schedule.initial[first]
    virtual = schedule.mode == VIRTUAL
    shared = np.intersect1d(stratum[pair & virtual], stratum[pair & ~virtual])
    used = pair & np.isin(stratum, shared)
    return np.flatnonzero(used & virtual), int(used.sum())
