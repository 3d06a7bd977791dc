"""Small programs that break things: one arm empty, everything an event, one specialist, nothing verified …

All are in one dataset, each in a year of its own, so that they are prepared once and chosen by their period.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.datasets.preparing import finish_dataset
from analysis.selection import Selection

N = 400
MUST = "1.3"
FIRST_YEAR = 2001
EVEN = np.arange(N) % 2 == 0
QUARTERS = np.arange(N) % 4

Programs = Mapping[str, Mapping[str, Any]]

PROGRAMS: Programs = {
    "ordinary": {},
    "one arm empty": {"mode": "in_person"},
    "everything an event": {"deficient": True},
    "no events": {"deficient": False},
    "one stratum": {"risk": "low", "kind": "initial", "location": "domestic", "field_office": "Miami", "day": 100},
    "the event is the mode": {"deficient": EVEN},
    "the event is the risk": {"deficient": QUARTERS < 2, "risk": np.where(QUARTERS < 2, "high", "low")},
    "the mode is the risk": {"risk": np.where(EVEN, "low", "high")},
    "one specialist": {"specialist_id": "s00"},
    "no specialists": {"specialist_id": None},
    "one specialist in an arm": {"specialist_id": [f"s{i % 20}" if i % 2 else "v" for i in range(N)]},
    "an office each": {"field_office": [f"Office {i}" for i in range(N)]},
    "nothing verified": {"deficient": False, "unverified": True},
    "a tenth not verified": {"unverified": EVEN & (np.arange(N) % 10 == 0)},
    "nothing recorded": {
        "risk": None, "kind": None, "location": None, "specialist_id": None, "hours": None, "outcome": None,
        "reported_on": None, "closed_on": None,
    },
    "hours of zero": {"hours": 0.0},
    "a quarter not assessed": {"unassessed": np.where(EVEN, 0.25, 0.0)},
}  # fmt: skip
"""What each program changes; everything else is at random, always the same."""


def period_of(name: str, programs: Programs = PROGRAMS) -> Selection:
    """The year in which a program happened."""
    year = FIRST_YEAR + list(programs).index(name)
    return Selection(start=dt.date(year, 1, 1), end=dt.date(year, 12, 31))


def hostile_programs(folder: Path, out: Path, programs: Programs = PROGRAMS) -> Path:
    """Write all programs as one dataset, with the catalogue and the column types of the demo in `folder`."""
    tables: dict[str, list[pd.DataFrame]] = {"validations": [], "findings": []}
    asked = _asked(folder)
    for number, changes in enumerate(programs.values()):
        validations, findings = _program(number, dict(changes), asked)
        tables["validations"].append(validations)
        tables["findings"].append(findings)
    frames = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    frames["members"] = frames["validations"][["member_id", "entity_type", "field_office"]]
    (out / "source").mkdir(parents=True)
    for name in ("criteria", "applicability", "field_offices"):
        shutil.copy(folder / "source" / f"{name}.parquet", out / "source")
    for name, frame in frames.items():
        schema = pq.read_schema(folder / "source" / f"{name}.parquet").remove_metadata()
        whole = frame.reindex(columns=schema.names).astype("object")
        table = pa.Table.from_pandas(whole.where(whole.notna(), None), schema=schema, preserve_index=False)
        pq.write_table(table, out / "source" / f"{name}.parquet")
    with open(folder / "dataset.toml", "rb") as file:
        manifest = tomllib.load(file)
    finish_dataset(out, manifest | {"name": "Hostile", "as_of": dt.date(2022, 6, 30)})
    return out


def _program(number: int, changes: dict[str, Any], asked: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    draw = np.random.default_rng(1)
    unverified = np.broadcast_to(changes.pop("unverified", False), N)
    unassessed = np.broadcast_to(changes.pop("unassessed", 0.0), N)
    deficient = np.broadcast_to(changes.pop("deficient", draw.random(N) < 1 / 3), N)
    day = np.broadcast_to(changes.pop("day", draw.integers(0, 360, N)), N)
    done = [dt.date(FIRST_YEAR + number, 1, 1) + dt.timedelta(int(d)) for d in day]
    ids = [f"v{number:02}{i:04}" for i in range(N)]
    base: dict[str, Any] = {
        "validation_id": ids, "member_id": [f"m{number:02}{i:04}" for i in range(N)],
        "field_office": draw.choice(["Miami", "Newark", "Houston"], N), "mode": np.where(EVEN, "virtual", "in_person"),
        "conducted_on": done, "entity_type": "importer", "kind": draw.choice(["initial", "revalidation"], N),
        "risk": draw.choice(["low", "high"], N), "location": draw.choice(["domestic", "foreign"], N),
        "specialist_id": draw.choice([f"s{i:02}" for i in range(20)], N),
        "reported_on": [one + dt.timedelta(int(t)) for one, t in zip(done, draw.integers(1, 30, N), strict=True)],
        "closed_on": [one + dt.timedelta(40) for one in done], "hours": np.round(draw.uniform(2, 9, N), 1),
        "outcome": np.where(deficient, "actions_required", "passed"),
    }  # fmt: skip
    rows = [
        (i, MUST, "deficient", dt.date(2022, 1, 1))
        for i, has in zip(ids, deficient & ~unverified, strict=True)
        if has
    ]
    rows += [(i, c, "not_verified", None) for i, un in zip(ids, unverified, strict=True) if un for c in asked]
    others = [c for c in asked if c != MUST]
    rows += [
        (i, c, "not_assessed", None)
        for i, share in zip(ids, unassessed, strict=True)
        for c in others[: round(share * len(asked))]
    ]
    findings = pd.DataFrame(rows, columns=["validation_id", "criterion_id", "answer", "due_on"])
    return pd.DataFrame(base | changes), findings


def _asked(folder: Path) -> list[str]:
    """Criteria that apply to an importer."""
    listed = pd.read_parquet(folder / "source" / "applicability.parquet")
    criteria = pd.read_parquet(folder / "source" / "criteria.parquet")["criterion_id"]
    own = set(listed.loc[listed["entity_type"] == "importer", "criterion_id"])
    return [c for c in criteria if c in own or c not in set(listed["criterion_id"])]
