"""Incidents and their causes as source tables. All shares here are assumed [A]."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from analysis.datasets.demo.catalogue import Bools, Ints, vocabulary
from analysis.datasets.demo.members import NO_DAY, choose, day_number, offices
from analysis.datasets.demo.tables import coded, dates, ids, member_ids, pick
from analysis.datasets.demo.world import World

_TRANSPORT = ("highway", "sea", "rail", "air")
_TRANSPORT_WEIGHTS = {
    "importer": (45, 40, 5, 10),
    "exporter": (50, 35, 5, 10),
    "customs_broker": (50, 35, 5, 10),
    "consolidator": (15, 70, 2, 13),
    "air_carrier": (2, 0, 0, 98),
    "sea_carrier": (0, 100, 0, 0),
    "rail_carrier": (3, 0, 97, 0),
    "highway_carrier": (100, 0, 0, 0),
    "mexican_long_haul_carrier": (100, 0, 0, 0),
    "foreign_manufacturer": (50, 38, 5, 7),
    "mpto": (0, 100, 0, 0),
    "third_party_logistics": (60, 25, 5, 10),
}
_UNLINKED_TRANSPORT = (55, 33, 4, 8)
_CONCEALMENT_WEIGHTS = (  # by transport mode, in the order of the vocabulary
    (24, 10, 13, 12, 8, 15, 4, 3, 4, 5, 2),
    (20, 6, 8, 0, 0, 0, 12, 32, 16, 4, 2),
    (30, 14, 26, 2, 0, 0, 4, 8, 12, 0, 4),
    (70, 4, 8, 0, 0, 0, 0, 2, 4, 8, 4),
)
_CONTRABAND_WEIGHTS = (
    (26, 20, 22, 6, 8, 6, 10, 2),
    (70, 8, 6, 3, 2, 3, 5, 3),
    (20, 34, 18, 4, 6, 4, 10, 4),
    (36, 18, 18, 8, 8, 8, 0, 4),
)
_SEAL_WEIGHTS = (
    (62, 9, 6, 8, 6, 6, 3),
    (38, 7, 8, 12, 20, 10, 5),
    (58, 14, 8, 12, 2, 4, 2),
    (90, 4, 2, 2, 0, 1, 1),
)
_BREACH_POINTS = (
    "origin facility",
    "in transit",
    "border crossing",
    "foreign terminal",
    "vessel",
    "destination",
)
_BREACH_WEIGHTS = (
    (30, 40, 18, 0, 0, 12),
    (18, 10, 0, 46, 18, 8),
    (25, 55, 10, 5, 0, 5),
    (40, 15, 0, 30, 0, 15),
)
_ROUTES = ("Mexico", "Canada", "Central America", "South America", "Caribbean", "Asia", "Europe")
_ROUTE_WEIGHTS = (
    (76, 16, 8, 0, 0, 0, 0),
    (4, 0, 22, 40, 14, 12, 8),
    (70, 30, 0, 0, 0, 0, 0),
    (16, 4, 12, 30, 10, 18, 10),
)
TERMINALS = tuple(f"Terminal {number:02d}" for number in range(1, 9))
_OTHER_CAUSES = {
    "procedures_not_followed": 26,
    "neglected_access_control": 6,
    "seal_compromised": 14,
    "conveyance_inspection_missed": 24,
    "partner_not_screened": 11,
    "double_brokering": 6,
    "tracking_lapse": 10,
    "unknown": 9,
}
_ANALYSIS_SHARE = 0.45


def incident_tables(world: World) -> Iterator[pa.Table]:
    """All incidents, in order of their key."""
    yield _tables(world)[0]


def cause_tables(world: World) -> Iterator[pa.Table]:
    """One to three causes of every incident, in order of incident and cause."""
    yield _tables(world)[1]


def _tables(world: World) -> tuple[pa.Table, pa.Table]:
    rng = np.random.default_rng([world.seed, 12])
    day, member = world.incidents.day, world.incidents.member
    n, known, as_of = len(day), world.incidents.member >= 0, day_number(world.as_of)
    entity = np.where(known, world.members.entity[member], len(world.catalogue.entity_types))
    by_entity = [_TRANSPORT_WEIGHTS[name] for name in world.catalogue.entity_types]
    transport = choose(rng.random(n), np.array([*by_entity, _UNLINKED_TRANSPORT], float), entity)
    cluster = world.incidents.cluster
    planted = np.arange(n) >= n - (cluster.size if cluster else 0)
    transport[planted] = _TRANSPORT.index("sea")

    def drawn(weights: tuple[tuple[int, ...], ...]) -> Ints:
        return choose(rng.random(n), np.array(weights, float), transport)

    sea, route, breach = transport == _TRANSPORT.index("sea"), drawn(_ROUTE_WEIGHTS), drawn(_BREACH_WEIGHTS)
    concealment, contraband, seal = (
        drawn(_CONCEALMENT_WEIGHTS),
        drawn(_CONTRABAND_WEIGHTS),
        drawn(_SEAL_WEIGHTS),
    )
    seal[planted] = vocabulary("seal_issue").index("cloned")
    southern = np.isin(route, [_ROUTES.index("Central America"), _ROUTES.index("South America")])
    conspiracy = rng.random(n) < np.where(sea, np.where(southern, 0.55, 0.25), 0.1)
    reported = np.minimum(day + rng.integers(0, 31, n), as_of)
    opened = np.where(sea & (rng.random(n) < _ANALYSIS_SHARE), reported + rng.integers(3, 31, n), NO_DAY)
    opened = np.where(opened <= as_of, opened, NO_DAY)
    closed = np.where(opened != NO_DAY, opened + rng.integers(30, 151, n), NO_DAY)
    monthly = ~known & (rng.random(n) < 0.4) & ~planted
    first = day.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    office = np.where(known, world.members.office[member], rng.integers(0, len(offices()), n))
    self_reported, terminal = rng.random(n) < 0.35, rng.integers(0, len(TERMINALS), n)
    terminal[planted] = cluster.terminal if cluster else -1
    keys = ids("I", np.arange(n), total=n, width=4)
    incidents = pa.table(
        {
            "incident_id": keys,
            "occurred_on": dates(np.where(monthly, first, day)),
            "transport_mode": coded(transport, _TRANSPORT),
            "weight": pa.array(np.ones(n, np.int64)),
            "date_precision": coded(monthly.astype(np.int64), ("day", "month")),
            "member_id": member_ids(world, member),
            "field_office": coded(office, offices()),
            "reported_on": dates(reported),
            "concealment_method": coded(concealment, vocabulary("concealment_method")),
            "contraband": coded(contraband, vocabulary("contraband")),
            "seal_issue": coded(seal, vocabulary("seal_issue")),
            "internal_conspiracy": pa.array(conspiracy),
            "breach_point": coded(breach, _BREACH_POINTS),
            "route_origin": coded(route, _ROUTES),
            "terminal": coded(np.where(sea, terminal, -1), TERMINALS),
            "self_reported": pa.array(self_reported),
            "analysis_opened_on": dates(opened),
            "analysis_closed_on": dates(np.where(closed <= as_of, closed, NO_DAY)),
        }
    )
    named = _causes(conspiracy, seal, sea & (breach == _BREACH_POINTS.index("foreign terminal")), rng)
    which, cause = np.nonzero(named)
    causes = pa.table({"incident_id": keys.take(pa.array(which)), "cause": coded(cause, _cause_names())})
    return incidents, causes


def _causes(conspiracy: Bools, seal: Ints, at_terminal: Bools, rng: np.random.Generator) -> Bools:
    n, names = len(conspiracy), _cause_names()
    named = np.zeros((n, len(names)), bool)
    named[conspiracy, names.index("internal_conspiracy")] = True
    cloned = seal == vocabulary("seal_issue").index("cloned")
    named[cloned, names.index("seal_compromised")] = True
    named[at_terminal & (rng.random(n) < 0.6), names.index("neglected_access_control")] = True
    other = np.array([names.index(name) for name in _OTHER_CAUSES])[pick(rng.random(n), _OTHER_CAUSES)]
    adds = (named.sum(axis=1) == 0) | ((named.sum(axis=1) < 3) & (rng.random(n) < 0.35))
    unknown = other == names.index("unknown")
    # "Unknown" stands alone: it is not a further cause beside a known one.
    adds &= ~(unknown & named.any(axis=1))
    named[np.flatnonzero(adds), other[adds]] = True
    return named


def _cause_names() -> tuple[str, ...]:
    return tuple(sorted(vocabulary("cause")))
