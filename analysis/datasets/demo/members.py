"""Who is in the synthetic program, when each member is validated, by whom and in which mode."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from statistics import NormalDist

import numpy as np

from analysis.datasets.demo.catalogue import Bools, Catalogue, Floats, Ints, read_reference
from analysis.datasets.demo.effects import VIRTUAL_FROM, Effects, Program
from analysis.datasets.demo.places import COUNTRIES, ENTITY_COUNTS, HOMES, OFFICE_SHARES
from analysis.errors import AnalysisError

NO_DAY = np.iinfo(np.int32).min
"""Stands for an absent date among whole days since 1970-01-01."""

MODES = ("in_person", "virtual", "hybrid", "mutual_recognition")
IN_PERSON, VIRTUAL, HYBRID, MUTUAL_RECOGNITION = range(4)
RISKS = ("low", "medium", "high")
MARITIME_TYPES = ("sea_carrier", "mpto", "consolidator")

_NEVER_VALIDATED = 0.015
_RISK_PERSISTENCE = 0.6
_HYBRID_SHARE, _MUTUAL_SHARE_FOREIGN = 0.011, 0.02


@dataclass(frozen=True, slots=True)
class Members:
    """Members as columns; `hidden` is the unmeasured trait, `log_odds` the member's own prevalence."""

    entity: Ints
    country: Ints
    foreign: Bools
    office: Ints
    hidden: Floats
    log_odds: Floats
    risk_z: Floats

    def __len__(self) -> int:
        return len(self.entity)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Validations as columns, in order of their day.

    Days are whole days since 1970-01-01; `previous` and `following` point to the member's neighbouring
    validations (-1: none); `propensity` is the true probability of virtual, given that the validation is
    virtual or in person; `log_odds` all that moves prevalence but the criterion.
    """

    member: Ints
    day: Ints
    previous: Ints
    following: Ints
    initial: Bools
    risk: Ints
    specialist: Ints
    propensity: Floats
    mode: Ints
    log_odds: Floats

    def __len__(self) -> int:
        return len(self.member)


def period(program: Program) -> tuple[date, date]:
    """First and last day of the program simulated, whole quarters."""
    last = np.datetime64(f"{program.first_year}-01", "M") + 3 * len(program.volume_by_quarter)
    return date(program.first_year, 1, 1), (last.astype("datetime64[D]") - 1).astype(date)


def day_number(day: date) -> int:
    """Whole days since 1970-01-01."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def add_months(days: Ints, months: int) -> Ints:
    """Days moved by whole months, held to the last day of a shorter month."""
    full = days.astype("datetime64[D]")
    month = full.astype("datetime64[M]")
    within = (full - month.astype("datetime64[D]")).astype(np.int64)
    target = month + months
    longest = ((target + 1).astype("datetime64[D]") - target.astype("datetime64[D]")).astype(np.int64) - 1
    return np.asarray(target.astype("datetime64[D]").astype(np.int64) + np.minimum(within, longest))


def offices() -> tuple[str, ...]:
    """Field offices without an opening date: those open in the years simulated."""
    return tuple(row["field_office"] for row in read_reference("field_offices") if not row["opened_on"])


ANY = "any"
"""Lets the seed choose where an effects file could name an office or a specialist."""


def specialists(program: Program) -> tuple[str, ...]:
    """Pseudonyms of the specialists in order, wide enough to sort as text."""
    width = max(3, len(str(program.specialists)))
    return tuple(f"S{number:0{width}}" for number in range(1, program.specialists + 1))


def choose(uniform: Floats, weights: Floats, row: Ints) -> Ints:
    """A column index per draw, by the weights of the row it belongs to."""
    chosen = np.zeros(len(uniform), np.int64)
    for one in np.unique(row):
        here = row == one
        edges = np.cumsum(weights[one])
        # Without its last edge, which rounding may put just below a draw.
        chosen[here] = np.searchsorted(edges[:-1] / edges[-1], uniform[here], side="right")
    return chosen


def make_members(catalogue: Catalogue, effects: Effects, *, validations: int, seed: int) -> Members:
    """Draw the members that a number of validations needs."""
    n = max(1, round(effects.program.members_per_validation * validations))
    rng = np.random.default_rng([seed, 1])
    counts = np.array([[ENTITY_COUNTS[name] for name in catalogue.entity_types]], float)
    entity = choose(rng.random(n), counts, np.zeros(n, np.int64))
    names = tuple(COUNTRIES)
    homes = np.zeros((len(catalogue.entity_types), len(names)))
    for i, kind in enumerate(catalogue.entity_types):
        for place, share in HOMES.get(kind, {"United States": 100}).items():
            homes[i, names.index(place)] = share
    country = choose(rng.random(n), homes, entity)
    where = np.zeros((len(names), len(offices())))
    for i, (place, region) in enumerate(COUNTRIES.items()):
        shares = OFFICE_SHARES.get(place) or OFFICE_SHARES[region]
        for office_name, share in shares.items():
            where[i, offices().index(office_name)] = share
    hidden = rng.standard_normal(n)
    own = effects.spread.member * rng.standard_normal(n) + 0.3 * effects.unmeasured.strength * hidden
    return Members(
        entity=entity,
        country=country,
        foreign=country != names.index("United States"),
        office=choose(rng.random(n), where, country),
        hidden=hidden,
        log_odds=own,
        risk_z=rng.standard_normal(n),
    )


def make_schedule(
    catalogue: Catalogue, members: Members, effects: Effects, *, validations: int, seed: int
) -> Schedule:
    """Draw when each member is validated, of what kind and risk, by whom and in which mode."""
    rng = np.random.default_rng([seed, 2])
    program = effects.program
    day = _days(program, validations, rng)
    start, _ = period(program)
    # The queue moves on by one member per validation, so a member's turn comes back after one cycle.
    served = max(1, round(len(members) * (1 - _NEVER_VALIDATED)))
    turn = np.empty(validations, np.int64)
    turn[np.argsort(day + _jitter(program, served, validations) * rng.standard_normal(validations))] = (
        np.arange(validations)
    )
    member = rng.permutation(len(members))[:served][turn % served]
    previous, following = _neighbours(member, day)
    first_share = min(1.0, program.initial_share * validations / min(served, validations))
    initial = (previous < 0) & (rng.random(validations) < first_share)
    risk = _risk(program, members, member, rng)
    specialist, strictness, video = _specialists(effects, members, member, rng)
    years = (day - day_number(start)) / 365.25
    office_effect = effects.spread.office * rng.standard_normal(len(offices()))
    p, foreign = effects.prevalence, members.foreign[member]
    log_odds = (
        np.array([0.0, p.risk_medium, p.risk_high])[risk]
        + p.initial * initial
        + p.foreign * foreign
        + p.per_year * years
        + office_effect[members.office[member]]
        + strictness[specialist]
        + members.log_odds[member]
    )
    virtual_from = day_number(VIRTUAL_FROM)
    a = effects.assignment
    maritime = np.isin(members.entity, [catalogue.entity_types.index(name) for name in MARITIME_TYPES])
    leaning = (
        a.base
        + np.array([0.0, a.risk_medium, a.risk_high])[risk]
        + a.initial * initial
        + a.foreign * foreign
        + a.maritime * maritime[member]
        + a.per_year * (day - virtual_from) / 365.25
        + video[specialist]
        - effects.unmeasured.strength * members.hidden[member]
    )
    propensity = np.where(day >= virtual_from, 1 / (1 + np.exp(-np.clip(leaning, -50, 50))), 0.0)
    mode = np.where(rng.random(validations) < propensity, VIRTUAL, IN_PERSON)
    other = rng.random(validations)
    mode[(day >= virtual_from) & (other > 1 - _HYBRID_SHARE)] = HYBRID
    mode[foreign & (other < _MUTUAL_SHARE_FOREIGN)] = MUTUAL_RECOGNITION
    return Schedule(
        member=member,
        day=day,
        previous=previous,
        following=following,
        initial=initial,
        risk=risk,
        specialist=specialist,
        propensity=propensity,
        mode=mode,
        log_odds=log_odds,
    )


def _days(program: Program, validations: int, rng: np.random.Generator) -> Ints:
    volume = np.array(program.volume_by_quarter) / sum(program.volume_by_quarter)
    # Rounding the running total gives whole quarters that add up exactly.
    edges = np.rint(np.cumsum(volume) * validations).astype(np.int64)
    quarter = np.searchsorted(edges, np.arange(validations), side="right")
    first = np.datetime64(f"{program.first_year}-01", "M") + 3 * np.arange(len(volume) + 1)
    opens = first.astype("datetime64[D]")
    working = np.busday_count(opens[:-1], opens[1:])
    nth = (rng.random(validations) * working[quarter]).astype(np.int64)
    days = np.busday_offset(opens[quarter], nth, roll="forward").astype(np.int64)
    return np.asarray(np.sort(days))


def _jitter(program: Program, served: int, validations: int) -> float:
    cycle = 365.25 / 4 * len(program.volume_by_quarter) * served / validations
    return min(30.0, cycle / 8)


def _neighbours(member: Ints, day: Ints) -> tuple[Ints, Ints]:
    order = np.lexsort((np.arange(len(day)), day, member))
    same = member[order][1:] == member[order][:-1]
    previous = np.full(len(day), -1)
    following = np.full(len(day), -1)
    previous[order[1:][same]] = order[:-1][same]
    following[order[:-1][same]] = order[1:][same]
    return previous, following


def _risk(program: Program, members: Members, member: Ints, rng: np.random.Generator) -> Ints:
    fresh = np.sqrt(1 - _RISK_PERSISTENCE) * rng.standard_normal(len(member))
    z = np.sqrt(_RISK_PERSISTENCE) * members.risk_z[member] + fresh
    high_share = (program.risk_high_share.domestic, program.risk_high_share.foreign)
    place = members.foreign[member].astype(np.int64)
    high = np.array([_above(share) for share in high_share])[place]
    medium = np.array([_above(share + program.risk_medium_share) for share in high_share])[place]
    return np.asarray((z > medium).astype(np.int64) + (z > high))


def _above(share: float) -> float:
    if not 0 < share < 1:
        return -np.inf if share >= 1 else np.inf
    return NormalDist().inv_cdf(1 - share)


def _specialists(
    effects: Effects, members: Members, member: Ints, rng: np.random.Generator
) -> tuple[Ints, Floats, Floats]:
    count, places = effects.program.specialists, len(offices())
    if count < places:
        raise AnalysisError(
            f"program.specialists must be at least {places}, one per field office, not {count}."
        )
    share = np.bincount(members.office, minlength=places) / len(members)
    staff = 1 + np.floor(share * (count - places)).astype(np.int64)
    staff[np.argsort(-share, kind="stable")[: count - staff.sum()]] += 1
    home = np.repeat(np.arange(places), staff)
    workload = rng.gamma(4.0, size=count)
    weights = np.where(home[None, :] == np.arange(places)[:, None], workload, 0.0)
    specialist = choose(rng.random(len(member)), weights, members.office[member])
    strictness = effects.spread.specialist * rng.standard_normal(count)
    video = effects.assignment.specialist_sd * rng.standard_normal(count)
    return specialist, strictness, video
