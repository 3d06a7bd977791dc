"""Incidents of the synthetic program: after a validation, before any, and of nobody in particular."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.datasets.demo.catalogue import Floats, Ints
from analysis.datasets.demo.effects import Effects
from analysis.datasets.demo.members import NO_DAY, VIRTUAL, Members, Schedule
from analysis.datasets.demo.outcomes import ARMS, Answers

_BEFORE_ANY = 2.0
"""Hazard of a member not yet validated, relative to one with nothing missed [A]."""
_UNLINKABLE_PER_VALIDATION = 0.008
_FAR = 1e7


@dataclass(frozen=True, slots=True)
class Cluster:
    """The last `size` incidents, planted: by sea, with a cloned seal, at the terminal of this number (from 0)."""

    size: int
    terminal: int


@dataclass(frozen=True, slots=True)
class Incidents:
    """Incidents as columns, in order of their day; `member` is -1 where nobody knows. A planted cluster comes last."""

    day: Ints
    member: Ints
    cluster: Cluster | None = None


def first_incident_days(answers: dict[str, Answers], effects: Effects, *, seed: int) -> dict[str, Floats]:
    """Whole days from each validation to the member's first incident, by arm, never censored.

    The waiting time is exponential with hazard ``base * per_missed_physical ** missed`` per 1,000
    member-years; one draw serves both modes.
    """
    rng = np.random.default_rng([seed, 5])
    patience = rng.standard_exponential(len(answers["virtual"].missed_physical))
    return {arm: _waits(patience, hazards(answers[arm], effects)) for arm in ARMS}


def hazards(answers: Answers, effects: Effects) -> Floats:
    """Incidents per day after each validation."""
    later = effects.later_incidents
    per_year = later.base / 1000 * later.per_missed_physical ** answers.missed_physical.astype(float)
    return np.asarray(per_year / 365.25)


def _waits(patience: Floats, hazard: Floats) -> Floats:
    # Without a hazard nothing happens within any lifetime; a finite day keeps the sums finite.
    waits = np.divide(patience, hazard, out=np.full(len(patience), _FAR), where=hazard > 0)
    return np.asarray(np.ceil(np.clip(waits, 1e-9, _FAR)))


def happen(
    members: Members,
    schedule: Schedule,
    answers: dict[str, Answers],
    first_days: dict[str, Floats],
    effects: Effects,
    *,
    certified: Ints,
    left: Ints,
    start: int,
    as_of: int,
    seed: int,
) -> Incidents:
    """The incidents that happen in the program as it went.

    After each validation the clock of the mode that happened runs until the next validation, the member's
    leaving or `as_of`; a second incident may follow the first. Days are whole days since 1970-01-01.
    """
    rng = np.random.default_rng([seed, 6])
    virtual = schedule.mode == VIRTUAL
    hazard = np.where(virtual, hazards(answers["virtual"], effects), hazards(answers["in_person"], effects))
    first = schedule.day + np.where(virtual, first_days["virtual"], first_days["in_person"])
    second = first + _waits(rng.standard_exponential(len(schedule)), hazard)
    departed = left[schedule.member]
    until = np.where(departed != NO_DAY, np.minimum(departed, as_of), as_of)
    has_next = schedule.following >= 0
    until = np.where(has_next, np.minimum(until, schedule.day[schedule.following] - 1), until)
    entered = np.maximum(certified, start)
    early = entered + _waits(
        rng.standard_exponential(len(members)),
        np.full(len(members), _BEFORE_ANY * effects.later_incidents.base / 365_250),
    )
    met = np.full(len(members), as_of + 1)
    np.minimum.at(met, schedule.member, schedule.day)
    days = [first[first <= until], second[second <= until], early[early < met]]
    who = [schedule.member[first <= until], schedule.member[second <= until], np.flatnonzero(early < met)]
    stray = rng.poisson(_UNLINKABLE_PER_VALIDATION * len(schedule))
    days.append(rng.integers(start, as_of + 1, stray).astype(float))
    who.append(np.full(stray, -1))
    day, member = np.concatenate(days).astype(np.int64), np.concatenate(who)
    order = np.lexsort((member, day))
    return Incidents(day=day[order], member=member[order])
