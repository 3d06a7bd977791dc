"""Prepare: derived columns, joined once and integer-coded, so that counting never touches source tables."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import tomli_w

from analysis.datasets import cells
from analysis.datasets.engines import Engine, Frame, collected, engine_named, number_of_rows
from analysis.datasets.preparing_answers import flag
from analysis.datasets.preparing_incidents import prepare_backlog, prepare_incidents, prepare_members
from analysis.datasets.preparing_validations import PreparedValidations
from analysis.datasets.recounting import Recount
from analysis.datasets.vocabularies import (
    CODED,
    Vocabulary,
    dataset_vocabularies,
    encoded,
    vocabulary_frame,
)
from analysis.schema import REFERENCE_TABLES, SCHEMA_VERSION, TABLES
from analysis.selection import day_number

Progress = Callable[[str], None]


def finish_dataset(
    folder: Path,
    manifest: Mapping[str, Any],
    *,
    engine: Engine | None = None,
    progress: Progress = lambda step: None,
    threads: int | None = None,
    earlier: Path | None = None,
) -> None:
    """Make a dataset of a folder that holds ``source/*.parquet``: prepared tables, cells, vocabularies, manifest.

    Parameters
    ----------
    folder : Path
    manifest : mapping
        Name, synthetic, completeness, modes, … as known to whoever wrote the source tables; ``as_of`` may be
        None, then it is the latest date in any table.
    engine : Engine, optional
        What touches the rows: DuckDB where none is given.
    threads : int, optional
        Threads of that DuckDB; one makes the bytes reproducible.
    earlier : Path, optional
        A dataset of which most records are the same: months that did not change keep their cells.
    """
    if engine is not None:
        _finish(engine, folder, manifest, earlier, progress)
        return
    own = engine_named(threads=threads)
    try:
        _finish(own, folder, manifest, earlier, progress)
    finally:
        own.close()


def _finish(
    engine: Engine, folder: Path, manifest: Mapping[str, Any], earlier: Path | None, progress: Progress
) -> None:
    sources = {
        name: engine.read_parquet(folder / "source" / f"{name}.parquet")
        for name in TABLES
        if (folder / "source" / f"{name}.parquet").exists()
    }
    progress("Preparing")
    as_of = manifest.get("as_of") or _latest_date(sources)
    offices = collected(sources["field_offices"])
    opened = pd.to_datetime(offices["opened_on"])
    vocabularies = dataset_vocabularies(
        _values_seen(engine, sources),
        collected(sources["criteria"]),
        offices[opened.isna() | (opened <= pd.Timestamp(as_of))],
        manifest.get("modes", {}),
    )
    written = _prepare_and_write(engine, folder, sources, vocabularies, manifest, as_of, progress)
    progress("Counting")
    held = {name: engine.read_parquet(folder / "prepared" / f"{name}.parquet") for name in written}
    finer = _count(engine, folder, held, earlier, progress)
    engine.write_parquet(
        engine.from_pandas(vocabulary_frame(vocabularies)),
        folder / "vocabularies.parquet",
        order_by=["column", "code"],
    )
    rows = {name: _rows(engine, folder / "source" / f"{name}.parquet") for name in sources}
    _write_manifest(folder, manifest, as_of, _period(sources), rows, finer)


def _count(
    engine: Engine, folder: Path, prepared: Mapping[str, Frame], earlier: Path | None, progress: Progress
) -> dict[str, cells.TooFine]:
    """Write the tables of cells; which are too fine to be held."""
    finer = {}
    recount = Recount(engine, prepared, earlier)
    for table in cells.tables_of(prepared):
        path = folder / "cells" / f"{table.name}.parquet"
        frame, months = recount.cells(table)
        order = [key for key in table.keys if key in frame.collect_schema().names()]
        n = engine.write_parquet(frame, path, order_by=order)
        rows = number_of_rows(cells.counted_rows(prepared, table)) if n > cells.FEW else n
        words = f"Counted {n:,} {table.name.replace('_', ' ')}" + (
            f", {months} months as they were" if months else ""
        )
        if cells.too_fine(n, rows):
            finer[table.name] = cells.TooFine(n, rows)
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            words += ", too many to hold: the engine will count the rows"
        progress(words)
    return finer


def _prepare_and_write(
    engine: Engine,
    folder: Path,
    sources: Mapping[str, Frame],
    vocabularies: Mapping[str, Vocabulary],
    manifest: Mapping[str, Any],
    as_of: dt.date,
    progress: Progress,
) -> list[str]:
    """Prepare every table that the sources allow; which are written."""
    fiscal = int(manifest.get("fiscal_year_start_month", 10))
    written: list[str] = []

    def write(name: str, *runs: Frame) -> None:
        order = _order_of(name, runs[0].collect_schema().names())
        n = engine.write_runs(runs, folder / "prepared" / f"{name}.parquet", order_by=order)
        written.append(name)
        progress(f"Prepared {n:,} rows of {name}")

    base = None
    if "validations" in sources:
        asked = bool(manifest.get("completeness", {}).get("criteria_asked", True))
        progress("Preparing validations and findings")
        validations = PreparedValidations(engine, sources, vocabularies, fiscal, day_number(as_of), asked)
        base = validations.base
        write("findings", validations.findings)
        write("applicability", validations.applies)
        write("validations", *validations.whole())
        if "feedback" in sources:
            write("feedback", _feedback(engine, sources["feedback"], base, vocabularies))
            write("comments", _comments(engine, sources["feedback"], base, vocabularies))
        if _has_due_dates(sources):
            write("backlog", prepare_backlog(engine, sources, vocabularies))
    if "members" in sources:
        members = prepare_members(sources)
        coded = encoded(engine, members, ("field_office", "entity_type"), vocabularies)
        write("members", engine.kept(coded))
    if "incidents" in sources:
        incidents, causes = prepare_incidents(engine, sources, base, vocabularies, fiscal)
        write("incidents", incidents)
        if causes is not None:
            write("causes", causes)
    return written


_TELLS_ROWS_APART = {
    "validations": "validation_row", "members": "member_id", "incidents": "incident_id", "causes": "cause",
    "feedback": "item", "comments": "answer",
}  # fmt: skip
"""The column up to which a table's rows are in order: no two of them agree so far."""


def _order_of(table: str, columns: Sequence[str]) -> list[str]:
    """What a table is sorted by: the field office, then all its columns, as far as they are needed.

    Who asks for an office then reads its rows only. Validations are written run by run, in the order of their numbers.
    """
    last = _TELLS_ROWS_APART.get(table, columns[-1])
    order = list(columns[: columns.index(last) + 1])
    first = ["field_office"] if "field_office" in columns and table != "validations" else []
    return list(dict.fromkeys([*first, *order]))


def _has_due_dates(sources: Mapping[str, Frame]) -> bool:
    """Whether the source knows a validation cycle at all; without one nothing is overdue."""
    members = sources["members"].select(
        known=(~nw.col("next_due_on").is_null() | ~nw.col("certified_on").is_null()).any()
    )
    validations = sources["validations"].select(known=(~nw.col("validation_due_on").is_null()).any())
    return any(bool(collected(frame)["known"].fillna(False).iloc[0]) for frame in (members, validations))


_FEEDBACK_FILTERS = (
    "field_office", "mode", "day", "month", "quarter", "entity_type", "risk", "kind", "location",
    "specialist",
)  # fmt: skip


def _feedback(
    engine: Engine, feedback: Frame, validations: Frame, vocabularies: Mapping[str, Vocabulary]
) -> Frame:
    answers = encoded(engine, feedback.drop("comment"), ("respondent", "item", "theme"), vocabularies)
    return (
        answers.join(validations.select("validation_id", *_FEEDBACK_FILTERS), on="validation_id", how="inner")
        .with_columns(nw.col("score").cast(nw.Int16), n=nw.lit(1, nw.Int32))
        .with_columns(top_two=flag(nw.col("score") >= 4))
    )


def _comments(
    engine: Engine, feedback: Frame, validations: Frame, vocabularies: Mapping[str, Vocabulary]
) -> Frame:
    """What was written under a theme: few rows beside the answers, and the only ones with text."""
    written = feedback.filter(~nw.col("theme").is_null(), ~nw.col("comment").is_null()).select(
        "theme", "comment", "validation_id", answer=nw.concat_str("response_id", "item", separator="\t")
    )
    first = ("field_office", "theme", "answer")
    return (
        encoded(engine, written, ("theme",), vocabularies)
        .join(validations.select("validation_id", *_FEEDBACK_FILTERS), on="validation_id", how="inner")
        .select(*first, "comment", *(name for name in _FEEDBACK_FILTERS if name not in first))
    )


def _values_seen(engine: Engine, sources: Mapping[str, Frame]) -> dict[str, set[str]]:
    """Values that occur, by column; a list of what could occur (offices, applicability) is no occurrence."""
    seen: dict[str, set[str]] = {}
    for table, frame in sources.items():
        listed = (*TABLES[table].key, "entity_type") if table in REFERENCE_TABLES else ()
        coded = [name for name in frame.collect_schema().names() if name in CODED and name not in listed]
        if coded:
            # Rows are gone through once; then one question for all columns: a cluster takes its time for each.
            occurring = engine.kept(frame.select(*coded).unique())
            values = [occurring.select(column=nw.lit(name), value=nw.col(name)).unique() for name in coded]
            for name, value in collected(nw.concat(values)).dropna().itertuples(index=False):
                seen.setdefault(name, set()).add(str(value))
    return seen


def _latest_date(sources: Mapping[str, Frame]) -> dt.date:
    latest: list[dt.date] = []
    for name, frame in sources.items():
        columns = [c.name for c in TABLES[name].columns if c.type == "date" and not c.planned]
        if columns:
            row = collected(frame.select(*[nw.col(c).max() for c in columns])).iloc[0]
            latest += [pd.Timestamp(value).date() for value in row.dropna()]
    if "incidents" in sources:
        # Where only the month is known the record speaks of the whole of it.
        monthly = sources["incidents"].filter(nw.col("date_precision") == "month")
        last = collected(monthly.select(nw.col("occurred_on").max()))["occurred_on"].dropna()
        latest += [(pd.Timestamp(day) + pd.offsets.MonthEnd(0)).date() for day in last]
    return max(latest)


def _period(sources: Mapping[str, Frame]) -> tuple[dt.date, dt.date]:
    name, column = (
        ("validations", "conducted_on") if "validations" in sources else ("incidents", "occurred_on")
    )
    row = collected(sources[name].select(low=nw.col(column).min(), high=nw.col(column).max())).iloc[0]
    first, last = pd.Timestamp(row["low"]), pd.Timestamp(row["high"])
    return first.replace(day=1).date(), (last + pd.offsets.MonthEnd(0)).date()


def _rows(engine: Engine, path: Path) -> int:
    return int(collected(engine.read_parquet(path).select(nw.len().alias("n")))["n"].iloc[0])


def _write_manifest(
    folder: Path,
    manifest: Mapping[str, Any],
    as_of: dt.date,
    period: tuple[dt.date, dt.date],
    rows: Mapping[str, int],
    finer: Mapping[str, cells.TooFine],
) -> None:
    digest = hashlib.sha256()
    for path in sorted((folder / "source").rglob("*.parquet")):
        if path.is_file():
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    values = {
        "name": manifest["name"],
        "synthetic": bool(manifest["synthetic"]),
        "as_of": as_of,
        "period": list(period),
        "source_note": manifest.get("source_note", ""),
        "fiscal_year_start_month": int(manifest.get("fiscal_year_start_month", 10)),
        "schema_version": SCHEMA_VERSION,
        "fingerprint": digest.hexdigest()[:16],
        "row_counts": dict(rows),
        "completeness": dict(manifest.get("completeness", {})),
        "modes": dict(manifest.get("modes", {})),
        "vocabulary": dict(manifest.get("vocabulary", {})),
        "margins": dict(manifest.get("margins", {})),
    }
    if finer:
        values["too_fine"] = {name: {"cells": each.cells, "rows": each.rows} for name, each in finer.items()}
    if "part" in manifest:
        values["part"] = dict(manifest["part"])
    with open(folder / "dataset.toml", "wb") as file:
        tomli_w.dump(values, file)
