"""Oddities hidden in a finished synthetic program, so that the search for them can be tried.

They are planted after both potential outcomes and the truth are settled: the truth stays that of the program
without them, and says beside it what was hidden where. Nothing planted breaks a rule of the import.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from analysis.datasets.demo.catalogue import SEEN_BY, Bools, Ints
from analysis.datasets.demo.incident_tables import TERMINALS
from analysis.datasets.demo.incidents import Cluster, Incidents
from analysis.datasets.demo.members import ANY, NO_DAY, VIRTUAL, day_number, offices, specialists
from analysis.datasets.demo.outcomes import ARMS, EXCEPTIONS, Answers, Findings
from analysis.datasets.demo.tables import ids, validation_ids
from analysis.datasets.demo.world import OUTCOMES, World

UNWRITTEN = 0.75
"""Share of its deficiencies that an under-recording office does not write down."""

PATTERN_SIZE = 5
"""A copied set of answers has about this many deficiencies and criteria not verified."""

DATE_KINDS = ("closed_before_corrected", "reported_same_day", "conducted_on_sunday")
"""What is impossible, or nearly so, about planted dates: in turn, in this order."""

_FEWEST_COPIED = 3
_LATE = 1.5
_WEEK, _SUNDAY = 7, 3
"""Days since 1970 that leave this remainder are Sundays."""


def planted(world: World) -> tuple[World, dict[str, Any]]:
    """The program with its oddities, and what was hidden where; the program itself where nothing is to be.

    Parameters
    ----------
    world : World
        Its effects say what to plant.
    """
    wanted, hidden = world.effects.plant, dict[str, Any]()
    # One stream each: an oddity stays where it is when another one comes or goes.
    copying, silent, dates, seals = (np.random.default_rng([world.seed, 14, number]) for number in range(4))
    if wanted.under_recording_office:
        world, hidden["under_recording_office"] = _under_recorded(
            world, wanted.under_recording_office, silent
        )
    # After the office: what is copied stands as it was copied, wherever the specialist works.
    if wanted.copying_specialist:
        world, hidden["copying_specialist"] = _copied(world, wanted.copying_specialist, copying)
    if wanted.impossible_dates:
        world, hidden["impossible_dates"] = _impossible(world, wanted.impossible_dates, dates)
    if wanted.cloned_seals:
        world, hidden["cloned_seals"] = _cloned(world, wanted.cloned_seals, seals)
    return world, hidden


def _copied(world: World, name: str, rng: np.random.Generator) -> tuple[World, dict[str, Any]]:
    """Give every validation of one specialist the deficiencies and criteria not verified of one of them."""
    busy = np.bincount(world.schedule.specialist, minlength=world.effects.program.specialists)
    names = specialists(world.effects.program)
    # One with an ordinary number of validations: a copier of two is nobody's discovery.
    chosen = int(rng.choice(np.flatnonzero(busy >= np.median(busy)))) if name == ANY else names.index(name)
    rows = np.flatnonzero(world.schedule.specialist == chosen)
    if not len(rows):
        return world, {"specialist": names[chosen], "validations": []}
    template = _template(world, rows)
    copies = rows[rows != template]
    world = dataclasses.replace(world, findings=_repeated(world, template, copies))
    held = validation_ids(world, np.append(template, copies)).to_pylist()
    return _recounted(world), {"specialist": names[chosen], "template": held[0], "validations": sorted(held)}


def _template(world: World, rows: Ints) -> int:
    """The validation to copy: of about `PATTERN_SIZE` answers other than met, most of which apply to the others too."""
    f, applies = world.findings, world.catalogue.applies[world.members.entity[world.schedule.member[rows]]]
    happened, unseen = _happened(world), f.exception == EXCEPTIONS.index("not_verified")
    best, chosen = (-1.0, 0.0), int(rows[0])
    for row in rows:
        mine = f.criterion[(f.validation == row) & happened]
        blind = f.exception_criterion[(f.exception_validation == row) & unseen]
        kept = applies[:, np.append(mine, blind)].sum(axis=1)
        reach = (float((kept >= _FEWEST_COPIED).mean()), -abs(len(mine) + len(blind) - PATTERN_SIZE))
        if reach > best:
            best, chosen = reach, int(row)
    return chosen


def _happened(world: World) -> Bools:
    virtual = (world.schedule.mode == VIRTUAL)[world.findings.validation]
    return np.where(virtual, world.findings.virtual, world.findings.in_person)


def _repeated(world: World, template: int, copies: Ints) -> Findings:
    """Findings in which the copies hold what the template holds, as far as it applies to their entity type."""
    f, unseen = world.findings, EXCEPTIONS.index("not_verified")
    mine = (f.validation == template) & _happened(world)
    blind = (f.exception_validation == template) & (f.exception == unseen)
    entity = world.members.entity[world.schedule.member[copies]]
    which, what = np.nonzero(world.catalogue.applies[entity][:, f.criterion[mine]])
    which_blind, what_blind = np.nonzero(world.catalogue.applies[entity][:, f.exception_criterion[blind]])
    taken = np.append(f.criterion[mine], f.exception_criterion[blind])
    stays = ~np.isin(f.validation, copies)
    # Nothing of a copy's own stands where the template has an answer, and nothing of its own is left unverified.
    stays_exception = ~(
        np.isin(f.exception_validation, copies)
        & ((f.exception == unseen) | np.isin(f.exception_criterion, taken))
    )
    written = np.ones(len(which), bool)
    validation = np.append(f.validation[stays], copies[which])
    criterion = np.append(f.criterion[stays], f.criterion[mine][what])
    order = np.lexsort((criterion, validation))
    other_validation = np.append(f.exception_validation[stays_exception], copies[which_blind])
    other_criterion = np.append(
        f.exception_criterion[stays_exception], f.exception_criterion[blind][what_blind]
    )
    exception = np.append(f.exception[stays_exception], np.full(len(which_blind), unseen))
    other_order = np.lexsort((other_criterion, other_validation))
    return Findings(
        validation=validation[order],
        criterion=criterion[order],
        virtual=np.append(f.virtual[stays], written)[order],
        in_person=np.append(f.in_person[stays], written)[order],
        correction_share=np.append(f.correction_share[stays], f.correction_share[mine][what])[order],
        exception_validation=other_validation[other_order],
        exception_criterion=other_criterion[other_order],
        exception=exception[other_order],
    )


def _under_recorded(world: World, name: str, rng: np.random.Generator) -> tuple[World, dict[str, Any]]:
    names = offices()
    chosen = int(rng.integers(len(names))) if name == ANY else names.index(name)
    f = world.findings
    there = (world.members.office[world.schedule.member] == chosen)[f.validation]
    kept = ~there | (rng.random(len(f.validation)) >= UNWRITTEN)
    findings = dataclasses.replace(f, virtual=f.virtual & kept, in_person=f.in_person & kept)
    world = dataclasses.replace(world, findings=findings)
    return _recounted(world), {"field_office": names[chosen], "share_not_written_down": UNWRITTEN}


def _recounted(world: World) -> World:
    """Counts and outcomes that follow what is written down now."""
    f, n = world.findings, len(world.schedule)
    entity = world.members.entity[world.schedule.member[f.validation]]
    must = world.catalogue.must[entity, f.criterion]
    answers: dict[str, Answers] = {}
    for arm in ARMS:
        written = f.written(arm)
        deficient = np.zeros((n, len(SEEN_BY)), np.int64)
        np.add.at(deficient, (f.validation[written], world.catalogue.seen[f.criterion[written]]), 1)
        found = np.bincount(f.validation[written & must], minlength=n)
        answers[arm] = dataclasses.replace(world.answers[arm], deficient=deficient, must_deficient=found)
    any_must = world.happened(answers["virtual"].must_deficient, answers["in_person"].must_deficient) > 0
    passed, required = OUTCOMES.index("passed"), OUTCOMES.index("actions_required")
    outcome = np.where(any_must, np.where(world.outcome == passed, required, world.outcome), passed)
    return dataclasses.replace(world, answers=answers, outcome=outcome)


def _impossible(world: World, wanted: int, rng: np.random.Generator) -> tuple[World, dict[str, Any]]:
    """Take validations at random and give each one of `DATE_KINDS`, in turn."""
    order, taken = rng.permutation(len(world.schedule)), dict[int, str]()
    waiting = {kind: iter(order[_could_be(world, kind)[order]].tolist()) for kind in DATE_KINDS}
    for number in range(wanted):
        kind = DATE_KINDS[number % len(DATE_KINDS)]
        row = next((row for row in waiting[kind] if row not in taken), None)
        if row is not None:
            taken[row] = kind
    world = _with_dates(world, {kind: [row for row, k in taken.items() if k == kind] for kind in DATE_KINDS})
    names = dict(zip(taken, validation_ids(world, np.array([*taken], np.int64)).to_pylist(), strict=True))
    return world, {kind: sorted(names[row] for row, k in taken.items() if k == kind) for kind in DATE_KINDS}


def _could_be(world: World, kind: str) -> Bools:
    as_of, day = day_number(world.as_of), world.schedule.day
    if kind == "conducted_on_sunday":
        return np.asarray((day % _WEEK != _SUNDAY) & (day + _WEEK <= as_of))
    if kind == "reported_same_day":
        return np.asarray(world.reported != NO_DAY)
    close = world.happened(*(world.clocks[arm].days_to_close for arm in ARMS))
    found = world.happened(*(world.answers[arm].deficient for arm in ARMS)).sum(axis=1)
    late = np.ceil(np.where(np.isfinite(close), close, 0) * _LATE)
    done = np.isfinite(close) & (close >= 2) & (world.reported + late <= as_of)
    return np.asarray((world.reported != NO_DAY) & (found > 0) & done)


def _with_dates(world: World, rows: dict[str, list[int]]) -> World:
    closed, same_day, sunday = (np.array(rows[kind], np.int64) for kind in DATE_KINDS)
    share = np.where(np.isin(world.findings.validation, closed), _LATE, world.findings.correction_share)
    clocks = {}
    for arm in ARMS:
        report = world.clocks[arm].days_to_report.copy()
        report[same_day] = 0
        clocks[arm] = dataclasses.replace(world.clocks[arm], days_to_report=report)
    day = world.schedule.day.copy()
    day[sunday] += (_SUNDAY - day[sunday]) % _WEEK
    return dataclasses.replace(
        world,
        findings=dataclasses.replace(world.findings, correction_share=share),
        clocks=clocks,
        schedule=dataclasses.replace(world.schedule, day=day),
    )


def _cloned(world: World, size: int, rng: np.random.Generator) -> tuple[World, dict[str, Any]]:
    """Add incidents of nobody in particular with cloned seals at one terminal in one month."""
    first, last = (np.datetime64(day, "M") for day in (world.start, world.as_of))
    month = first + int(rng.integers(int((last - first).astype(int)) + 1))
    begins = int(month.astype("datetime64[D]").astype(np.int64))
    length = int((month + 1).astype("datetime64[D]").astype(np.int64)) - begins
    cluster = Cluster(size, int(rng.integers(len(TERMINALS))))
    day = np.append(world.incidents.day, begins + np.sort(rng.integers(0, length, size)))
    member = np.append(world.incidents.member, np.full(size, -1))
    held = ids("I", np.arange(len(day) - size, len(day)), total=len(day), width=4).to_pylist()
    hidden = {"terminal": TERMINALS[cluster.terminal], "month": str(month), "incidents": held}
    return dataclasses.replace(world, incidents=Incidents(day, member, cluster)), hidden
