"""What would be written down in each mode: both potential outcomes of every validation.

One draw of what is there, one of detection and one of *not verified* per criterion serve both modes, and
one draw of each clock serves both, so that two modes with equal effects have equal outcomes, exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.datasets.demo.catalogue import SEEN_BY, Bools, Catalogue, Floats, Ints, base_odds, by_criterion
from analysis.datasets.demo.effects import Effects
from analysis.datasets.demo.members import VIRTUAL, Members, Schedule

Singles: TypeAlias = NDArray[np.float32]
Columns = TypeVar("Columns", "Answers", "Findings")

CHUNK = 50_000
"""Validations simulated, or written, at a time: it bounds memory and is part of what a seed means."""

ARMS = ("virtual", "in_person")
EXCEPTIONS = ("not_verified", "not_applicable", "not_assessed")
_NOT_ASSESSED = 0.004
_NEVER_CLOSED = 0.04


@dataclass(frozen=True, slots=True)
class Answers:
    """What the criteria of every validation would be answered in one mode.

    `deficient` and `not_verified` are validation x way of seeing (document, interview, physical);
    `missed_physical` counts physical deficiencies that are there and not written down.
    """

    deficient: Ints
    not_verified: Ints
    must_deficient: Ints
    must_assessed: Ints
    missed_physical: Ints


@dataclass(frozen=True, slots=True)
class Findings:
    """Single answers as columns, in order of validation and criterion.

    The first group is every deficiency written down in either mode (`virtual`, `in_person` say in which),
    with the share of the time to closing that its correction takes; the second every other exception in
    the mode that happened (`exception` indexes `EXCEPTIONS`).
    """

    validation: Ints
    criterion: Ints
    virtual: Bools
    in_person: Bools
    correction_share: Floats
    exception_validation: Ints
    exception_criterion: Ints
    exception: Ints

    def written(self, arm: str) -> Bools:
        """Which deficiencies would be written down in this mode."""
        return self.virtual if arm == "virtual" else self.in_person


@dataclass(frozen=True, slots=True)
class Clocks:
    """Hours (to a tenth) and whole days of every validation in one mode; never closed is infinite."""

    hours: Floats
    days_to_report: Ints
    days_to_close: Floats


def ask_criteria(
    catalogue: Catalogue,
    members: Members,
    schedule: Schedule,
    effects: Effects,
    *,
    seed: int,
    progress: Callable[[str], None] | None = None,
) -> tuple[Ints, dict[str, Answers], Findings]:
    """Ask every criterion of every validation in both modes.

    Returns
    -------
    assessable : Ints
        Validation x way of seeing: criteria applicable and neither not applicable nor not assessed.
    answers : dict
        `Answers` by arm.
    findings : Findings
        The single answers.
    """
    odds = base_odds(catalogue, effects).astype(np.float32)
    parts = []
    for number, start in enumerate(range(0, len(schedule), CHUNK)):
        rows = slice(start, min(start + CHUNK, len(schedule)))
        rng = np.random.default_rng([seed, 3, number])
        parts.append(_ask_chunk(catalogue, members, schedule, effects, odds, rows, rng))
        if progress:
            progress(f"simulated {rows.stop:,} of {len(schedule):,} validations")
    assessable = np.concatenate([part[0] for part in parts])
    answers = {arm: _joined(Answers, [part[1][arm] for part in parts]) for arm in ARMS}
    return assessable, answers, _joined(Findings, [part[2] for part in parts])


def _joined(kind: type[Columns], parts: list[Columns]) -> Columns:
    names = [field.name for field in fields(kind)]
    return kind(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _ask_chunk(
    catalogue: Catalogue,
    members: Members,
    schedule: Schedule,
    effects: Effects,
    odds: Singles,
    rows: slice,
    rng: np.random.Generator,
) -> tuple[Ints, dict[str, Answers], Findings]:
    entity = members.entity[schedule.member[rows]]
    shape = (len(entity), len(catalogue))
    skipped, there, unseen, detection = (rng.random(shape, np.float32) for _ in range(4))
    applies = catalogue.applies[entity]
    absent = (skipped < catalogue.not_applicable.astype(np.float32)) & applies
    not_assessed = (skipped > np.float32(1 - _NOT_ASSESSED)) & applies & ~absent
    asked = applies & ~absent & ~not_assessed
    # Beyond these odds a deficiency is there, or not, for certain; single precision ends not far behind.
    personal = np.exp(np.clip(schedule.log_odds[rows], -50, 50)).astype(np.float32)[:, None] * odds
    deficient = (there < personal / (1 + personal)) & applies & ~absent
    by_class = np.eye(len(SEEN_BY), dtype=np.float32)[catalogue.seen]
    must = catalogue.must[entity]
    physical = catalogue.seen == SEEN_BY.index("physical")
    answers: dict[str, Answers] = {}
    written: dict[str, Bools] = {}
    not_verified: dict[str, Bools] = {}
    for arm in ARMS:
        hidden = asked & (unseen < by_criterion(catalogue, getattr(effects.not_verified, arm)))
        chance = by_criterion(catalogue, effects.detection.in_person)
        if arm == "virtual":
            chance = chance * by_criterion(catalogue, effects.detection.virtual_ratio)
        found = deficient & asked & ~hidden & (detection < chance)
        written[arm], not_verified[arm] = found, hidden
        answers[arm] = Answers(
            deficient=_counted(found, by_class),
            not_verified=_counted(hidden, by_class),
            must_deficient=(found & must).sum(axis=1),
            must_assessed=(asked & ~hidden & must).sum(axis=1),
            missed_physical=(deficient & ~found)[:, physical].sum(axis=1),
        )
    virtual = (schedule.mode[rows] == VIRTUAL)[:, None]
    # Flat places keep memory in proportion to what was found, not to what was asked.
    pairs = np.flatnonzero(written["virtual"] | written["in_person"])
    exception = np.full(shape, -1, np.int8)
    exception[np.where(virtual, not_verified["virtual"], not_verified["in_person"])] = 0
    exception[absent] = 1
    exception[not_assessed] = 2
    others = np.flatnonzero(exception >= 0)
    findings = Findings(
        validation=pairs // shape[1] + rows.start,
        criterion=pairs % shape[1],
        virtual=written["virtual"].ravel()[pairs],
        in_person=written["in_person"].ravel()[pairs],
        correction_share=0.5 + 0.5 * rng.random(len(pairs)),
        exception_validation=others // shape[1] + rows.start,
        exception_criterion=others % shape[1],
        exception=exception.ravel()[others].astype(np.int64),
    )
    return _counted(asked, by_class), answers, findings


def _counted(flags: Bools, by_class: Singles) -> Ints:
    return np.asarray(np.rint(flags.astype(np.float32) @ by_class).astype(np.int64))


def run_clocks(effects: Effects, *, validations: int, seed: int) -> dict[str, Clocks]:
    """Hours, days to report and days to close of every validation in both modes, from shared draws."""
    rng = np.random.default_rng([seed, 4])
    effort, writing, closing = rng.standard_normal((3, validations))
    stuck = rng.random(validations) < _NEVER_CLOSED
    clocks = {}
    for arm in ARMS:
        hours, report, close = (
            clock.in_person_median
            * (clock.virtual_ratio if arm == "virtual" else 1.0)
            * np.exp(clock.log_sd * draw)
            for clock, draw in (
                (effects.hours, effort),
                (effects.report_days, writing),
                (effects.close_days, closing),
            )
        )
        clocks[arm] = Clocks(
            hours=np.maximum(np.rint(hours * 10), 1) / 10,
            days_to_report=np.maximum(np.rint(report), 1).astype(np.int64),
            days_to_close=np.where(stuck, np.inf, np.maximum(np.rint(close), 1)),
        )
    return clocks
