"""The synthetic program as source tables: members, validations and findings, in the public columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import ndtr

from analysis.datasets.demo.catalogue import Bools, Floats, Ints, vocabulary
from analysis.datasets.demo.members import (
    HYBRID,
    MODES,
    MUTUAL_RECOGNITION,
    NO_DAY,
    RISKS,
    VIRTUAL,
    add_months,
    choose,
    day_number,
    offices,
)
from analysis.datasets.demo.outcomes import CHUNK, EXCEPTIONS
from analysis.datasets.demo.places import COUNTRIES
from analysis.datasets.demo.world import OUTCOMES, World

CYCLE_MONTHS = 48
FIRST_DUE_MONTHS = 12

_NEW_CRITERIA_FROM = "2020-01-01"
_ON_SITE_WORK_STOPS = "2020-04-01"
_CATCHING_UP_DAYS = 540
_LATE_DAYS = (20, 45)  # mean and standard deviation
_TOURS = {"livestream": 0.45, "recorded": 0.15, "photos": 0.3, "none": 0.1}
_PLATFORMS = {"Platform A": 0.55, "Platform B": 0.3, "Platform C": 0.15}
_REASON_WEIGHTS = {  # in the order of the vocabulary
    "document": (22, 22, 16, 8, 6, 11, 5, 4, 2, 4),
    "interview": (5, 8, 4, 20, 12, 8, 24, 2, 2, 15),
    "physical": (3, 6, 3, 18, 9, 11, 4, 0, 44, 2),
    "partners": (10, 12, 8, 7, 8, 10, 2, 40, 0, 3),
    "training": (8, 8, 8, 6, 10, 10, 42, 0, 0, 8),
}
_EVIDENCE_WEIGHTS = {  # document, interview, photo, video, livestream, observation
    "virtual": ((85, 5, 10, 0, 0, 0), (5, 85, 0, 10, 0, 0), (0, 0, 30, 20, 50, 0)),
    "on site": ((93, 0, 2, 0, 0, 5), (5, 90, 0, 0, 0, 5), (0, 0, 15, 0, 0, 85)),
}


def ids(letter: str, numbers: Ints, *, total: int, width: int) -> pa.Array:
    """Text keys such as ``V000001`` for 0-based numbers; -1 is null. Wide enough to sort as text."""
    text = pa.array(numbers + 1, pa.int64()).cast(pa.string())
    keys = pc.binary_join_element_wise(letter, pc.utf8_lpad(text, max(width, len(str(total))), "0"), "")
    return pc.if_else(pa.array(numbers >= 0), keys, pa.scalar(None, pa.string()))


def coded(codes: Ints, names: Sequence[str]) -> pa.Array:
    """Text from positions in `names`; -1 is null."""
    absent = codes < 0
    indices = pa.array(np.where(absent, 0, codes).astype(np.int32), mask=absent)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string())).cast(pa.string())


def dates(days: Ints) -> pa.Array:
    """Dates from whole days since 1970-01-01; `NO_DAY` is null."""
    return pa.array(days.astype(np.int32), mask=days == NO_DAY).cast(pa.date32())


def pick(uniform: Floats, weights: Mapping[str, float]) -> Ints:
    """Positions in `weights` drawn in proportion to them."""
    return choose(uniform, np.array([list(weights.values())], float), np.zeros(len(uniform), np.int64))


def member_ids(world: World, numbers: Ints) -> pa.Array:
    """Keys of members."""
    return ids("M", numbers, total=len(world.members), width=5)


def validation_ids(world: World, numbers: Ints) -> pa.Array:
    """Keys of validations."""
    return ids("V", numbers, total=len(world.schedule), width=6)


def member_tables(world: World) -> Iterator[pa.Table]:
    """All members, in order of their key."""
    members, schedule = world.members, world.schedule
    rng = np.random.default_rng([world.seed, 9])
    last = np.full(len(members), NO_DAY)
    np.maximum.at(last, schedule.member, schedule.day)
    validated = last != NO_DAY
    due = np.where(
        validated,
        add_months(np.where(validated, last, 0), CYCLE_MONTHS),
        add_months(world.certified, FIRST_DUE_MONTHS),
    )
    exceeds = rng.random(len(members)) < 0.12
    countries = tuple(COUNTRIES)
    regions = tuple(COUNTRIES.values())
    yield pa.table(
        {
            "member_id": member_ids(world, np.arange(len(members))),
            "entity_type": coded(members.entity, world.catalogue.entity_types),
            "tier": coded(np.where(validated, 1 + exceeds, 0), ("1", "2", "3")),
            "certified_on": dates(world.certified),
            "next_due_on": dates(np.where(world.left == NO_DAY, due, NO_DAY)),
            "left_on": dates(world.left),
            "field_office": coded(members.office, offices()),
            "country": coded(members.country, countries),
            "region": coded(members.country, regions),
        }
    )


def validation_tables(world: World) -> Iterator[pa.Table]:
    """Validations in order of their key, a chunk at a time."""
    for number, start in enumerate(range(0, len(world.schedule), CHUNK)):
        rows = np.arange(start, min(start + CHUNK, len(world.schedule)))
        yield _validations(world, rows, np.random.default_rng([world.seed, 10, number]))


def _validations(world: World, rows: Ints, rng: np.random.Generator) -> pa.Table:
    schedule, members = world.schedule, world.members
    member, day, mode = schedule.member[rows], schedule.day[rows], schedule.mode[rows]
    virtual = mode == VIRTUAL
    reported = world.reported[rows]
    hours = world.happened(world.clocks["virtual"].hours, world.clocks["in_person"].hours)[rows]
    timed = world.hours_recorded[rows] & (mode != MUTUAL_RECOGNITION)
    lead, late = rng.integers(14, 91, len(rows)), np.rint(rng.normal(*_LATE_DAYS, len(rows))).astype(np.int64)
    tour, platform = pick(rng.random(len(rows)), _TOURS), pick(rng.random(len(rows)), _PLATFORMS)
    trouble = np.where(rng.random(len(rows)) < 0.4, np.rint(rng.lognormal(2.3, 0.8, len(rows))), 0.0)
    sites = 1 + (rng.random(len(rows)) < 0.25).astype(np.int64) + (rng.random(len(rows)) < 0.07)
    return pa.table(
        {
            "validation_id": validation_ids(world, rows),
            "member_id": member_ids(world, member),
            "field_office": coded(members.office[member], offices()),
            "mode": coded(mode, MODES),
            "conducted_on": dates(day),
            "entity_type": coded(members.entity[member], world.catalogue.entity_types),
            "kind": coded(schedule.initial[rows].astype(np.int64), ("revalidation", "initial")),
            "risk": coded(schedule.risk[rows], RISKS),
            "location": coded(members.foreign[member].astype(np.int64), ("domestic", "foreign")),
            "specialist_id": ids(
                "S", schedule.specialist[rows], total=world.effects.program.specialists, width=3
            ),
            "msc_version": coded(
                (day >= np.datetime64(_NEW_CRITERIA_FROM, "D").astype(np.int64)).astype(np.int64),
                ("before 2020", "2020"),
            ),
            "validation_due_on": dates(_due(world, rows, late)),
            "scheduled_on": dates(day - lead),
            "reported_on": dates(reported),
            "closed_on": dates(_closed(world, rows, reported)),
            "hours": pa.array(hours, mask=~timed),
            "sites": pa.array(sites),
            "outcome": coded(np.where(reported == NO_DAY, -1, world.outcome[rows]), OUTCOMES),
            "platform": coded(np.where(virtual | (mode == HYBRID), platform, -1), tuple(_PLATFORMS)),
            "tour": coded(np.where(virtual, tour, -1), tuple(_TOURS)),
            "minutes_lost": pa.array(trouble.astype(np.int64), mask=~virtual),
        }
    )


def _due(world: World, rows: Ints, late: Ints) -> Ints:
    schedule = world.schedule
    previous, member, day = schedule.previous[rows], schedule.member[rows], schedule.day[rows]
    # What falls due does not stop with the work: who is late anyway waits longest while it is caught up.
    since = np.clip(day - np.datetime64(_ON_SITE_WORK_STOPS, "D").astype(np.int64), 0, _CATCHING_UP_DAYS)
    share = ndtr((late - _LATE_DAYS[0]) / _LATE_DAYS[1])
    waited = np.rint(2 * share * since * (1 - since / _CATCHING_UP_DAYS)).astype(np.int64)
    revalidated = day - late - waited
    due = np.where(schedule.initial[rows], add_months(world.certified[member], FIRST_DUE_MONTHS), revalidated)
    return np.where(previous >= 0, add_months(schedule.day[previous], CYCLE_MONTHS), due)


def _closed(world: World, rows: Ints, reported: Ints) -> Ints:
    found = world.happened(world.answers["virtual"].deficient, world.answers["in_person"].deficient)[rows]
    close = world.happened(world.clocks["virtual"].days_to_close, world.clocks["in_person"].days_to_close)[
        rows
    ]
    when = reported + np.where(np.isfinite(close), close, 0).astype(np.int64)
    done = (found.sum(axis=1) > 0) & (reported != NO_DAY) & np.isfinite(close)
    return np.where(done & (when <= day_number(world.as_of)), when, NO_DAY)


def finding_tables(world: World) -> Iterator[pa.Table]:
    """Findings in order of validation and criterion (as text), a chunk of validations at a time."""
    findings = world.findings
    happened = np.where(
        (world.schedule.mode == VIRTUAL)[findings.validation], findings.virtual, findings.in_person
    )
    for number, start in enumerate(range(0, len(world.schedule), CHUNK)):
        stop = min(start + CHUNK, len(world.schedule))
        near = slice(*np.searchsorted(findings.validation, (start, stop)))
        far = slice(*np.searchsorted(findings.exception_validation, (start, stop)))
        kept = happened[near]
        yield _findings(
            world,
            np.concatenate([findings.validation[near][kept], findings.exception_validation[far]]),
            np.concatenate([findings.criterion[near][kept], findings.exception_criterion[far]]),
            np.concatenate([np.zeros(kept.sum(), np.int64), 1 + findings.exception[far]]),
            np.concatenate([findings.correction_share[near][kept], np.zeros(far.stop - far.start)]),
            np.random.default_rng([world.seed, 11, number]),
        )


def _findings(
    world: World, validation: Ints, criterion: Ints, answer: Ints, share: Floats, rng: np.random.Generator
) -> pa.Table:
    catalogue = world.catalogue
    as_text = np.argsort(np.argsort(np.array(catalogue.criterion_id)))
    order = np.lexsort((as_text[criterion], validation))
    validation, criterion, answer = (column[order] for column in (validation, criterion, answer))
    share = share[order]
    deficient = answer == 0
    entity = world.members.entity[world.schedule.member[validation]]
    reported = world.reported[validation]
    due = np.where(deficient & (reported != NO_DAY), reported + world.effects.close_days.due_days, NO_DAY)
    names = ("deficient", *EXCEPTIONS)
    return pa.table(
        {
            "validation_id": validation_ids(world, validation),
            "criterion_id": coded(criterion, catalogue.criterion_id),
            "answer": coded(answer, names),
            "category": pa.nulls(len(validation), pa.string()),
            "level": coded(catalogue.must[entity, criterion].astype(np.int64), ("should", "must")),
            "reason": coded(np.where(deficient, _reasons(world, criterion, rng), -1), vocabulary("reason")),
            "evidence": coded(
                np.where(deficient, _evidence(world, validation, criterion, rng), -1), vocabulary("evidence")
            ),
            "due_on": dates(due),
            "corrected_on": dates(_corrected(world, validation, reported, share, deficient)),
        }
    )


def _reasons(world: World, criterion: Ints, rng: np.random.Generator) -> Ints:
    category = world.catalogue.category_no[criterion]
    kind = np.select([category == 3, category == 12], [3, 4], world.catalogue.seen[criterion])
    return choose(rng.random(len(criterion)), np.array(list(_REASON_WEIGHTS.values()), float), kind)


def _evidence(world: World, validation: Ints, criterion: Ints, rng: np.random.Generator) -> Ints:
    on_site = (world.schedule.mode[validation] != VIRTUAL).astype(np.int64)
    weights = np.array([row for rows in _EVIDENCE_WEIGHTS.values() for row in rows], float)
    return choose(rng.random(len(criterion)), weights, 3 * on_site + world.catalogue.seen[criterion])


def _corrected(world: World, validation: Ints, reported: Ints, share: Floats, deficient: Bools) -> Ints:
    clocks = world.clocks
    close = world.happened(clocks["virtual"].days_to_close, clocks["in_person"].days_to_close)[validation]
    done = deficient & (reported != NO_DAY) & np.isfinite(close)
    when = reported + np.ceil(np.where(done, close, 0) * share).astype(np.int64)
    return np.where(done & (when <= day_number(world.as_of)), when, NO_DAY)
