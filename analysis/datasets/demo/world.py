"""The synthetic program in memory: both potential outcomes, and the one that happened.

Every story draws from its own stream of the seed, so that an effect changes what it acts on and the
draws elsewhere stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from analysis.datasets.demo.catalogue import Bools, Catalogue, Floats, Ints, read_catalogue
from analysis.datasets.demo.effects import Effects
from analysis.datasets.demo.incidents import Incidents, first_incident_days, happen
from analysis.datasets.demo.members import (
    NO_DAY,
    VIRTUAL,
    Members,
    Schedule,
    day_number,
    make_members,
    make_schedule,
    period,
)
from analysis.datasets.demo.outcomes import ARMS, Answers, Clocks, Findings, ask_criteria, run_clocks
from analysis.errors import AnalysisError

RESPONDENTS = ("specialist", "member")
OUTCOMES = ("passed", "actions_required", "suspended", "removed")
SMALLEST = 50

_CONFIDENCE_MEAN = 0.1
_REMOVED_GIVEN_MUST = 0.002
_LEAVES = 0.03
_HOURS_RECORDED = 0.97


@dataclass(frozen=True, slots=True)
class Voices:
    """Feedback draws as validation x respondent (specialist, member).

    `confidence` is the latent normal answer by arm, `answered` whether a response came in the mode that
    happened, `repeat` whether the respondent would choose virtual again, if asked.
    """

    confidence: dict[str, Floats]
    answered: Bools
    repeat: Bools


@dataclass(frozen=True, slots=True)
class World:
    """A synthetic program and its counterfactual.

    `answers`, `clocks` and `incident_days` hold both potential outcomes by arm (``virtual``,
    ``in_person``); `schedule.mode` says which happened. Days are whole days since 1970-01-01, absent
    days `NO_DAY`.
    """

    seed: int
    effects: Effects
    catalogue: Catalogue
    start: date
    as_of: date
    members: Members
    schedule: Schedule
    assessable: Ints
    answers: dict[str, Answers]
    findings: Findings
    clocks: dict[str, Clocks]
    hours_recorded: Bools
    incident_days: dict[str, Floats]
    voices: Voices
    outcome: Ints
    certified: Ints
    left: Ints
    incidents: Incidents

    def happened(self, virtual: Ints | Floats | Bools, in_person: Ints | Floats | Bools) -> np.ndarray:
        """The outcome of the mode that happened; anything but virtual is done as in person."""
        chose = self.schedule.mode == VIRTUAL
        return np.where(chose.reshape(-1, *[1] * (virtual.ndim - 1)), virtual, in_person)

    @property
    def reported(self) -> Ints:
        """Day of each report, `NO_DAY` while it is open."""
        days = self.happened(*(self.clocks[arm].days_to_report for arm in ARMS)) + self.schedule.day
        return np.where(days <= day_number(self.as_of), days, NO_DAY)


def simulate(
    effects: Effects,
    *,
    seed: int,
    validations: int,
    progress: Callable[[str], None] | None = None,
) -> World:
    """Simulate a program with known effects.

    Parameters
    ----------
    effects : Effects
        See `read_effects`.
    seed : int
        The same seed gives the same world.
    validations : int
        Number of validations, at least 50.
    progress : callable, optional
        Called with a sentence after each chunk.

    Raises
    ------
    AnalysisError
        When the seed or the number cannot be used, or the effects ask for something impossible.
    """
    if seed < 0:
        raise AnalysisError(f"seed must be a whole number of at least 0, not {seed}.")
    if validations < SMALLEST:
        raise AnalysisError(f"validations must be at least {SMALLEST}, not {validations}.")
    catalogue = read_catalogue()
    start, as_of = period(effects.program)
    members = make_members(catalogue, effects, validations=validations, seed=seed)
    schedule = make_schedule(catalogue, members, effects, validations=validations, seed=seed)
    assessable, answers, findings = ask_criteria(
        catalogue, members, schedule, effects, seed=seed, progress=progress
    )
    clocks = run_clocks(effects, validations=validations, seed=seed)
    incident_days = first_incident_days(answers, effects, seed=seed)
    rng = np.random.default_rng([seed, 7])
    outcome = _outcome(schedule, answers, effects, rng)
    certified = _certified(members, schedule, day_number(as_of), rng)
    left = _left(members, schedule, outcome, clocks, day_number(as_of), rng)
    incidents = happen(
        members,
        schedule,
        answers,
        incident_days,
        effects,
        certified=certified,
        left=left,
        start=day_number(start),
        as_of=day_number(as_of),
        seed=seed,
    )
    return World(
        seed=seed,
        effects=effects,
        catalogue=catalogue,
        start=start,
        as_of=as_of,
        members=members,
        schedule=schedule,
        assessable=assessable,
        answers=answers,
        findings=findings,
        clocks=clocks,
        hours_recorded=rng.random(validations) < _HOURS_RECORDED,
        incident_days=incident_days,
        voices=_voices(schedule, effects, seed=seed),
        outcome=outcome,
        certified=certified,
        left=left,
        incidents=incidents,
    )


def _outcome(
    schedule: Schedule, answers: dict[str, Answers], effects: Effects, rng: np.random.Generator
) -> Ints:
    virtual = schedule.mode == VIRTUAL
    must = np.where(virtual, answers["virtual"].must_deficient, answers["in_person"].must_deficient) > 0
    luck = rng.random(len(schedule))
    suspended = luck < effects.outcome.suspended_given_must
    removed = luck > 1 - _REMOVED_GIVEN_MUST
    return np.asarray(np.where(must, np.select([removed, suspended], [3, 2], 1), 0))


def _certified(members: Members, schedule: Schedule, as_of: int, rng: np.random.Generator) -> Ints:
    soon, long_ago, recent = (
        rng.integers(low, high, len(members)) for low, high in ((120, 540), (1_200, 5_000), (20, 500))
    )
    first = np.full(len(members), as_of)
    certified = as_of - recent
    opening = schedule.previous < 0
    who = schedule.member[opening]
    first[who] = schedule.day[opening]
    certified[who] = first[who] - np.where(schedule.initial[opening], soon[who], long_ago[who])
    # The program began in November 2001.
    return np.asarray(np.maximum(certified, np.minimum(day_number(date(2002, 1, 1)), first - 30)))


def _left(
    members: Members,
    schedule: Schedule,
    outcome: Ints,
    clocks: dict[str, Clocks],
    as_of: int,
    rng: np.random.Generator,
) -> Ints:
    left = np.full(len(members), NO_DAY)
    last = schedule.following < 0
    who, day = schedule.member[last], schedule.day[last]
    goes = (rng.random(len(members)) < _LEAVES)[who]
    when = day + rng.integers(60, 900, len(members))[who]
    virtual = schedule.mode == VIRTUAL
    report = np.where(virtual, clocks["virtual"].days_to_report, clocks["in_person"].days_to_report)
    expelled = (outcome == OUTCOMES.index("removed"))[last]
    when = np.where(expelled, day + report[last] + 30, when)
    done = (goes | expelled) & (when <= as_of)
    left[who[done]] = when[done]
    return left


def _voices(schedule: Schedule, effects: Effects, *, seed: int) -> Voices:
    rng = np.random.default_rng([seed, 8])
    shape = (len(schedule), len(RESPONDENTS))
    answer, willing, fond = rng.standard_normal(shape), rng.random(shape), rng.random(shape)
    feedback = effects.feedback
    shift = np.array([feedback.confidence_shift.specialist, feedback.confidence_shift.member])
    rate = np.where(schedule.mode == VIRTUAL, feedback.response.virtual, feedback.response.in_person)
    return Voices(
        confidence={"virtual": _CONFIDENCE_MEAN + answer + shift, "in_person": _CONFIDENCE_MEAN + answer},
        answered=willing < rate[:, None],
        repeat=fond < np.array([feedback.would_repeat.specialist, feedback.would_repeat.member]),
    )
