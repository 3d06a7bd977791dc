"""A simulated program as a dataset in memory: the prepared rows the app would count, without a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from analysis.datasets.cubes import Cube
from analysis.datasets.demo.catalogue import SEEN_BY, Ints, vocabulary
from analysis.datasets.demo.members import MODES, RISKS, VIRTUAL, offices
from analysis.datasets.demo.outcomes import ARMS, EXCEPTIONS
from analysis.datasets.demo.world import World
from analysis.datasets.engines import DuckDB, Frame, collected
from analysis.datasets.opening import Dataset, narwhal
from analysis.datasets.preparing_answers import applicable_criteria, catalogue_periods
from analysis.datasets.vocabularies import CODED, Vocabulary, dataset_vocabularies, reference_table

_PLACES = {
    "field_office": offices(),
    "mode": MODES,
    "entity_type": vocabulary("entity_type"),
    "risk": RISKS,
    "kind": ("revalidation", "initial"),
    "location": ("domestic", "foreign"),
    "answer": ("deficient", *EXCEPTIONS),
    "seen_by": SEEN_BY,
}
"""What the simulation numbers from 0, and the values it means."""


class Held(Dataset):
    """A world as an open dataset: `counts` answers from its validations and findings.

    Rows are what preparing the written demo gives, in the columns that comparisons look at.
    """

    def __init__(self, world: World) -> None:
        vocabularies, self._criteria_there = _catalogue()
        manifest = {
            "name": "Simulated program",
            "synthetic": True,
            "as_of": world.as_of,
            "period": [world.start, world.as_of],
            "fingerprint": f"{world.seed}",
            "fiscal_year_start_month": 10,
            "row_counts": {"validations": len(world.schedule)},
            "completeness": {},
        }
        super().__init__(None, manifest, vocabularies)
        self.world = world
        self._held: dict[str, pd.DataFrame] = {}

    def cube(self, name: str) -> Cube | None:
        """None: everything is counted from rows."""
        return None

    def prepared(self, name: str) -> Frame | None:
        """Validations or findings, made when first asked for."""
        return narwhal(self.frame(name))

    def frame(self, name: str) -> pd.DataFrame:
        """The same rows as they are held."""
        if name not in self._held:
            made = {"validations": _validations, "findings": _findings, "changes": _changes}
            self._held[name] = made[name](self)
        return self._held[name]

    def ungrouped(
        self, table: str, by: Sequence[str], sums: Sequence[str], only: Mapping[str, Sequence[int]]
    ) -> pd.DataFrame:
        """What `analysis.counts.counts` gives, each row a group of its own.

        Comparisons add up over whatever they do not look at, so grouping only costs time here.
        """
        frame = self.frame(table)
        for column, codes in only.items():
            frame = frame[frame[column].isin(codes)]
        out: dict[str, Any] = {}
        for column in by:
            values = frame[column].to_numpy()
            base = re.sub("^previous_", "", column)
            out[column] = (
                np.array([*self.vocabulary(base), None], object)[values] if base in CODED else values
            )
        for name in sums:
            out[name] = np.prod([frame[part].to_numpy() for part in name.split("*")], axis=0)
        return pd.DataFrame(out)

    def applicability(self) -> pd.DataFrame:
        """Which criteria apply, coded."""
        return self._criteria_there

    def coded(self, column: str, numbers: Ints) -> Ints:
        """Numbers of the simulation as codes of the vocabulary."""
        return np.array([self.code(column, value) for value in _PLACES[column]], np.int64)[numbers]


@cache
def _catalogue() -> tuple[dict[str, Vocabulary], pd.DataFrame]:
    engine = DuckDB(threads=1)
    sources = {name: reference_table(engine, name) for name in ("criteria", "applicability", "field_offices")}
    criteria = collected(sources["criteria"])
    seen: dict[str, Iterable[str]] = dict(_PLACES)
    seen |= {name: set(criteria[name].dropna()) for name in ("level", "seen_by", "criterion_id", "category")}
    open_offices = collected(sources["field_offices"])
    open_offices = open_offices[open_offices["field_office"].isin(offices())]
    vocabularies = dataset_vocabularies(seen, criteria, open_offices, {})
    periods = catalogue_periods(collected(sources["applicability"]))
    there = collected(applicable_criteria(engine, sources, vocabularies, periods))
    engine.close()
    return vocabularies, there


def _happened(world: World, name: str) -> Ints:
    return world.happened(*(getattr(world.answers[arm], name) for arm in ARMS))


def _filters(held: Held) -> dict[str, Ints]:
    """The columns that validations and findings share, by validation."""
    world, schedule = held.world, held.world.schedule
    month = schedule.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1970 * 12
    member = schedule.member
    return {
        "field_office": held.coded("field_office", world.members.office[member]),
        "mode": held.coded("mode", schedule.mode),
        "day": schedule.day,
        "month": month,
        "entity_type": held.coded("entity_type", world.members.entity[member]),
        "risk": held.coded("risk", schedule.risk),
        "kind": held.coded("kind", schedule.initial.astype(np.int64)),
        "location": held.coded("location", world.members.foreign[member].astype(np.int64)),
        # Numbered as preparing does: those who occur, in order.
        "specialist": np.unique(schedule.specialist, return_inverse=True)[1],
    }


def _validations(held: Held) -> pd.DataFrame:
    world, schedule = held.world, held.world.schedule
    shared = _filters(held)
    found, must = _happened(world, "deficient"), _happened(world, "must_deficient")
    unseen = _happened(world, "not_verified")
    counts = {
        "n_deficient": found,
        "n_assessed": world.assessable - unseen,
        "n_not_verified": unseen,
        "n_verifiable": world.assessable,
    }
    flags = {
        "any_deficiency": found.sum(axis=1) > 0,
        "any_must_deficiency": must > 0,
        "has_assessed": counts["n_assessed"].sum(axis=1) > 0,
        "has_must_assessed": _happened(world, "must_assessed") > 0,
    }
    own = {name: flag.astype(np.int64) for name, flag in flags.items()}
    before = schedule.previous
    earlier = {
        f"previous_{name}": np.where(before >= 0, values[before], -1)
        for name, values in (("mode", shared["mode"]), *list(own.items())[:2])
    }
    by_seen = {
        f"{name}_{seen}": table[:, i] for name, table in counts.items() for i, seen in enumerate(SEEN_BY)
    }
    return pd.DataFrame(
        {
            "validation_row": np.arange(len(schedule)),
            **shared,
            "quarter": shared["month"] // 3,
            "catalogue_period": 0,
            "n": 1,
            "n_must_deficient": must,
            "n_must_assessed": _happened(world, "must_assessed"),
            **{name: table.sum(axis=1) for name, table in counts.items()},
            **by_seen,
            **own,
            **earlier,
            "previous_validation_row": before,
        }
    )


def _changes(held: Held) -> pd.DataFrame:
    """Validations with one before them, and the kind of that."""
    rows = held.frame("validations")
    pairs = rows[rows["previous_mode"] >= 0]
    kinds = rows["kind"].to_numpy()[pairs["previous_validation_row"]]
    return pairs.assign(previous_kind=kinds)


def _findings(held: Held) -> pd.DataFrame:
    findings = held.world.findings
    virtual = held.world.schedule.mode[findings.validation] == VIRTUAL
    written = np.where(virtual, findings.virtual, findings.in_person)
    validation = np.concatenate([findings.validation[written], findings.exception_validation])
    criterion = np.concatenate([findings.criterion[written], findings.exception_criterion])
    answer = np.concatenate([np.zeros(int(written.sum()), np.int64), 1 + findings.exception])
    codes = np.array([held.code("criterion_id", one) for one in held.world.catalogue.criterion_id])
    return pd.DataFrame(
        {
            **{name: values[validation] for name, values in _filters(held).items()},
            "catalogue_period": 0,
            "criterion_id": codes[criterion],
            "answer": held.coded("answer", answer),
            "n": 1,
        }
    )
