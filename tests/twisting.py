"""A demo made difficult: nulls, same-day records, left members, weights, dated applicability, own categories."""

from __future__ import annotations

import datetime as dt
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.datasets.preparing import finish_dataset
from tests.recount import Recount


def twisted(folder: Path, out: Path, *, seed: int = 7) -> Path:
    """Write a difficult copy of a demo folder and finish it as a dataset."""
    (out / "source").mkdir(parents=True)
    tables = {
        path.stem: pd.read_parquet(path).astype("object") for path in (folder / "source").glob("*.parquet")
    }
    draw = np.random.default_rng(seed)
    _validations(tables["validations"], draw)
    _members(tables["members"], tables["validations"], draw)
    tables["incidents"] = _incidents(tables["incidents"], tables["validations"], draw)
    tables["applicability"] = _applicability(tables["applicability"])
    findings = tables["findings"]
    own = draw.random(len(findings)) < 0.1
    findings.loc[own, "category"] = draw.choice(tables["criteria"]["category"].unique(), own.sum())
    for name, frame in tables.items():
        _write(frame, folder, out, name)
    shutil.copy(folder / "dataset.toml", out / "dataset.toml")
    # Findings of criteria that no longer apply cannot be there: import would have rejected them.
    recount = Recount(out)
    by_id = {row["validation_id"]: row for row in recount.validations}
    applies = [
        recount.level(f.criterion_id, by_id[f.validation_id]["entity_type"], by_id[f.validation_id]["day"])[0]
        for f in findings.itertuples()
    ]
    _write(findings[applies], folder, out, "findings")
    with open(folder / "dataset.toml", "rb") as file:
        manifest = tomllib.load(file)
    finish_dataset(out, manifest, threads=1)
    return out


def _write(frame: pd.DataFrame, folder: Path, out: Path, name: str) -> None:
    schema = pq.read_schema(folder / "source" / f"{name}.parquet").remove_metadata()
    clean = frame.where(frame.notna(), None)
    pq.write_table(
        pa.Table.from_pandas(clean, schema=schema, preserve_index=False), out / "source" / f"{name}.parquet"
    )


def _validations(frame: pd.DataFrame, draw: np.random.Generator) -> None:
    for column, share in (
        ("risk", 0.1), ("kind", 0.1), ("location", 0.1), ("specialist_id", 0.2), ("hours", 0.1),
        ("outcome", 0.1), ("closed_on", 0.2), ("entity_type", 0.2), ("validation_due_on", 0.2),
    ):  # fmt: skip
        frame.loc[draw.random(len(frame)) < share, column] = None
    open_reports = draw.random(len(frame)) < 0.1
    frame.loc[open_reports, ["reported_on", "closed_on"]] = None
    frame.loc[draw.random(len(frame)) < 0.1, "mode"] = "hybrid"
    # A third of all validations go to another validation's member, some on its very day or in its month.
    moved = np.flatnonzero(draw.random(len(frame)) < 0.35)
    for row in moved:
        other = int(draw.integers(len(frame)))
        frame.loc[row, "member_id"] = frame.loc[other, "member_id"]
        choice = draw.random()
        if choice < 0.3:
            frame.loc[row, "conducted_on"] = frame.loc[other, "conducted_on"]
        elif choice < 0.5:
            frame.loc[row, "conducted_on"] = frame.loc[other, "conducted_on"].replace(
                day=int(draw.integers(1, 28))
            )
        if (
            frame.loc[row, "reported_on"] is not None
            and frame.loc[row, "reported_on"] < frame.loc[row, "conducted_on"]
        ):
            frame.loc[row, ["reported_on", "closed_on"]] = None


def _members(frame: pd.DataFrame, validations: pd.DataFrame, draw: np.random.Generator) -> None:
    last = validations.groupby("member_id")["conducted_on"].max()
    for row in np.flatnonzero(draw.random(len(frame)) < 0.2):
        day = last.get(frame.loc[row, "member_id"])
        if day is not None:
            frame.loc[row, "left_on"] = day + dt.timedelta(days=int(draw.integers(-100, 300)))
    frame.loc[draw.random(len(frame)) < 0.3, "next_due_on"] = None


def _incidents(frame: pd.DataFrame, validations: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    frame = pd.concat([frame] * 6, ignore_index=True)
    frame["incident_id"] = [f"I{i:05d}" for i in range(len(frame))]
    frame["weight"] = draw.choice([None, 1, 2, 7], len(frame))
    for row in range(len(frame)):
        visit = validations.iloc[int(draw.integers(len(validations)))]
        if draw.random() < 0.8:
            frame.loc[row, "member_id"] = visit["member_id"]
            frame.loc[row, "occurred_on"] = visit["conducted_on"] + dt.timedelta(
                days=int(draw.choice([-40, -1, 0, 0, 1, 30, 300]))
            )
    frame.loc[draw.random(len(frame)) < 0.1, "field_office"] = None
    return frame


def _applicability(frame: pd.DataFrame) -> pd.DataFrame:
    def day(text: str | None) -> dt.date | None:
        return dt.date.fromisoformat(text) if text else None

    rows = [
        ("1.1", "importer", "must", None, "2020-06-30"),
        ("1.1", "importer", None, "2020-07-01", None),
        ("1.1", "highway_carrier", None, "2019-03-15", "2021-03-15"),
        ("2.1", "foreign_manufacturer", "should", "2019-01-01", None),
        ("2.1", "importer", None, None, None),
    ]
    more = pd.DataFrame(
        [(c, e, level, day(a), day(b)) for c, e, level, a, b in rows], columns=list(frame.columns)
    )
    return pd.concat([frame.astype("object"), more.astype("object")], ignore_index=True)
