"""Write the synthetic demo: source tables of a program whose truth is known, and that truth.

Everything is invented. The same seed and lock file give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.datasets.demo.catalogue import read_reference
from analysis.datasets.demo.effects import Effects
from analysis.datasets.demo.incident_tables import cause_tables, incident_tables
from analysis.datasets.demo.planting import planted
from analysis.datasets.demo.tables import finding_tables, member_tables, validation_tables
from analysis.datasets.demo.truth import truth, truth_toml
from analysis.datasets.demo.voice import feedback_tables
from analysis.datasets.demo.world import World, simulate

DEFAULT_SEED = 2022
"""Picked, not drawn: a program in which the crude comparison misleads as it does on average."""

DEFAULT_VALIDATIONS = 9_000

_REFERENCE_COLUMNS = {
    "criteria": ("criterion_id", "category_no", "category", "focus_area", "title", "level", "seen_by"),
    "applicability": ("criterion_id", "entity_type", "level", "from", "to"),
    "field_offices": ("field_office", "opened_on", "closed_on"),
}
_DATE_COLUMNS = frozenset({"from", "to", "opened_on", "closed_on"})


def source_chunks(world: World, table: str) -> Iterator[pa.Table]:
    """One source table of the program, in order of its key and in pieces that fit in memory.

    Parameters
    ----------
    world : World
        See `simulate`.
    table : str
        One of `SOURCE_TABLES`.
    """
    return SOURCE_TABLES[table](world)


def source_tables(world: World) -> dict[str, pd.DataFrame]:
    """All source tables as frames, for a notebook or a test; use `source_chunks` for millions of rows."""
    return {name: pa.concat_tables(source_chunks(world, name)).to_pandas() for name in SOURCE_TABLES}


def write_demo_source(
    out: Path,
    *,
    seed: int,
    validations: int,
    effects: Effects,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Simulate a program and write ``source/<table>.parquet`` and ``truth.toml`` into a folder.

    Parameters
    ----------
    out : Path
        Folder to write into; made when absent.
    seed, validations, effects
        See `simulate`.
    progress : callable, optional
        Called with a sentence now and then.

    Returns
    -------
    dict
        ``seed``, ``validations``, ``start`` and ``as_of`` (dates), ``row_counts`` by table.
    """
    world = simulate(effects, seed=seed, validations=validations, progress=progress)
    known = truth(world)
    world, hidden = planted(world)
    if hidden:
        known["planted"] = hidden
    (out / "source").mkdir(parents=True, exist_ok=True)
    rows = {}
    for name in SOURCE_TABLES:
        rows[name] = _write(source_chunks(world, name), out / "source" / f"{name}.parquet")
        if progress:
            progress(f"wrote {rows[name]:,} rows of {name}")
    (out / "truth.toml").write_text(truth_toml(known), encoding="utf-8", newline="\n")
    return {
        "seed": seed,
        "validations": validations,
        "start": world.start,
        "as_of": world.as_of,
        "row_counts": rows,
    }


def _write(chunks: Iterator[pa.Table], path: Path) -> int:
    first = next(chunks)
    rows = int(first.num_rows)
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for chunk in chunks:
            writer.write_table(chunk)
            rows += chunk.num_rows
    return rows


def _reference(table: str) -> Callable[[World], Iterator[pa.Table]]:
    def chunks(_: World) -> Iterator[pa.Table]:
        rows = read_reference(table)
        columns = {}
        for name in _REFERENCE_COLUMNS[table]:
            text = pa.array([row[name] or None for row in rows], pa.string())
            kind = (
                pa.date32() if name in _DATE_COLUMNS else pa.int64() if name == "category_no" else pa.string()
            )
            columns[name] = text.cast(kind)
        yield pa.table(columns)

    return chunks


SOURCE_TABLES: dict[str, Callable[[World], Iterator[pa.Table]]] = {
    "members": member_tables,
    "validations": validation_tables,
    "findings": finding_tables,
    "incidents": incident_tables,
    "incident_causes": cause_tables,
    "feedback": feedback_tables,
    "criteria": _reference("criteria"),
    "applicability": _reference("applicability"),
    "field_offices": _reference("field_offices"),
}
"""The source tables and what makes each."""
