"""Prepare: derived columns, joined once and integer-coded, so that counting never touches source tables."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import tomli_w

from analysis.datasets import cells
from analysis.datasets.calendar import epoch_day, fiscal_year, month_key
from analysis.datasets.engines import Engine, Frame, collected, engine_named
from analysis.datasets.preparing_answers import (
    applicable_criteria,
    catalogue_periods,
    flag,
    period_of,
    with_answers,
)
from analysis.datasets.preparing_incidents import prepare_backlog, prepare_incidents, prepare_members
from analysis.datasets.preparing_pairs import followed_up, previous_validations
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
    """
    if engine is not None:
        _finish(engine, folder, manifest, progress)
        return
    own = engine_named(threads=threads)
    try:
        _finish(own, folder, manifest, progress)
    finally:
        own.close()


def _finish(engine: Engine, folder: Path, manifest: Mapping[str, Any], progress: Progress) -> None:
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
        _values_seen(sources),
        collected(sources["criteria"]),
        offices[opened.isna() | (opened <= pd.Timestamp(as_of))],
        manifest.get("modes", {}),
    )
    prepared = _prepare(engine, sources, vocabularies, manifest, as_of)
    for name, frame in prepared.items():
        progress(f"Writing prepared {name}")
        order = frame.collect_schema().names()
        engine.write_parquet(frame, folder / "prepared" / f"{name}.parquet", order_by=order)
    progress("Counting")
    held = {name: engine.read_parquet(folder / "prepared" / f"{name}.parquet") for name in prepared}
    for name, frame in cells.build(held).items():
        order = frame.collect_schema().names()
        engine.write_parquet(frame, folder / "cells" / f"{name}.parquet", order_by=order)
    engine.write_parquet(
        engine.from_pandas(vocabulary_frame(vocabularies)),
        folder / "vocabularies.parquet",
        order_by=["column", "code"],
    )
    rows = {name: _rows(engine, folder / "source" / f"{name}.parquet") for name in sources}
    _write_manifest(folder, manifest, as_of, _period(sources), rows)


def _prepare(
    engine: Engine,
    sources: Mapping[str, Frame],
    vocabularies: Mapping[str, Vocabulary],
    manifest: Mapping[str, Any],
    as_of: dt.date,
) -> dict[str, Frame]:
    as_of_day = day_number(as_of)
    fiscal = int(manifest.get("fiscal_year_start_month", 10))
    prepared: dict[str, Frame] = {}
    if "validations" in sources:
        periods = catalogue_periods(collected(sources["applicability"]))
        base = engine.kept(_validation_base(engine, sources, vocabularies, fiscal, periods))
        applies = engine.kept(applicable_criteria(engine, sources, vocabularies, periods))
        findings = engine.kept(_findings(engine, sources, vocabularies, base, applies))
        asked = bool(manifest.get("completeness", {}).get("criteria_asked", True))
        counted = engine.kept(with_answers(base, findings, applies, vocabularies, as_of_day, asked))
        # What is added stays narrow until the end: every step over the wide table costs more than the rows do.
        deficient = vocabularies["answer"].code("deficient")
        additions = [
            previous_validations(counted, findings, applies, deficient=deficient, asked=asked),
            followed_up(counted, sources.get("incidents"), as_of_day),
            _answered(counted, sources.get("feedback")),
        ]
        whole = counted.with_columns(**_waiting_times(sources, as_of_day))
        for addition in additions:
            whole = whole.join(engine.kept(addition), on="validation_row", how="left")
        prepared["validations"] = engine.kept(whole)
        prepared["findings"] = findings
        prepared["applicability"] = applies
        if "feedback" in sources:
            prepared["feedback"] = _feedback(
                engine, sources["feedback"], prepared["validations"], vocabularies
            )
        if _has_due_dates(sources):
            prepared["backlog"] = prepare_backlog(engine, sources, vocabularies)
    if "members" in sources:
        prepared["members"] = engine.kept(
            encoded(engine, prepare_members(sources), ("field_office", "entity_type"), vocabularies)
        )
    if "incidents" in sources:
        incidents, causes = prepare_incidents(
            engine, sources, prepared.get("validations"), vocabularies, fiscal
        )
        prepared["incidents"] = incidents
        if causes is not None:
            prepared["causes"] = causes
    return prepared


def _has_due_dates(sources: Mapping[str, Frame]) -> bool:
    """Whether the source knows a validation cycle at all; without one nothing is overdue."""
    members = sources["members"].select(
        known=(~nw.col("next_due_on").is_null() | ~nw.col("certified_on").is_null()).any()
    )
    validations = sources["validations"].select(known=(~nw.col("validation_due_on").is_null()).any())
    return any(bool(collected(frame)["known"].fillna(False).iloc[0]) for frame in (members, validations))


def _validation_base(
    engine: Engine,
    sources: Mapping[str, Frame],
    vocabularies: Mapping[str, Vocabulary],
    fiscal: int,
    periods: list[int],
) -> Frame:
    members = sources["members"].select(
        "member_id", nw.col("entity_type").alias("_type"), left_day=epoch_day("left_on")
    )
    joined = sources["validations"].join(members, on="member_id", how="left")
    numbered = engine.numbered(joined, "validation_row", order_by="validation_id")
    known = joined.select("specialist_id").unique().filter(~nw.col("specialist_id").is_null())
    specialists = engine.numbered(known, "specialist", order_by="specialist_id")
    members_seen = joined.select("member_id").unique()
    companies = engine.numbered(members_seen, "member", order_by="member_id")
    numbered = numbered.join(specialists, on="specialist_id", how="left").join(
        companies, on="member_id", how="left"
    )
    month = month_key("conducted_on")
    selected = numbered.select(
        nw.col("validation_row").cast(nw.Int64),
        "validation_id",
        "member_id",
        nw.col("member").cast(nw.Int32),
        nw.col("specialist").fill_null(-1).cast(nw.Int32),
        "field_office",
        "mode",
        "risk",
        "kind",
        "location",
        "outcome",
        entity_type=nw.coalesce(nw.col("entity_type"), nw.col("_type")),
        day=epoch_day("conducted_on"),
        month=month,
        quarter=(month // 3).cast(nw.Int32),
        fiscal_year=fiscal_year(month, fiscal),
        reported_day=epoch_day("reported_on"),
        closed_day=epoch_day("closed_on"),
        due_day=epoch_day("validation_due_on"),
        left_day=nw.col("left_day"),
        hours=nw.col("hours"),
        sites=nw.col("sites"),
        minutes_lost=nw.col("minutes_lost"),
        platform=nw.col("platform"),
        tour=nw.col("tour"),
        n=nw.lit(1, nw.Int32),
    )
    coded = ("field_office", "mode", "risk", "kind", "location", "outcome", "entity_type", "tour")
    return encoded(engine, selected, coded, vocabularies).with_columns(
        catalogue_period=period_of(nw.col("day"), periods)
    )


def _findings(
    engine: Engine,
    sources: Mapping[str, Frame],
    vocabularies: Mapping[str, Vocabulary],
    base: Frame,
    applies: Frame,
) -> Frame:
    if "findings" not in sources:
        types = {c.name: c.type for c in TABLES["findings"].columns}
        findings = engine.typed_empty(types)  # type: ignore[arg-type]
    else:
        findings = sources["findings"]
    selected = findings.select(
        "validation_id", "criterion_id", "answer", "reason", "evidence", "category",
        due_day=epoch_day("due_on"), corrected_day=epoch_day("corrected_on"),
    )  # fmt: skip
    own = encoded(
        engine, selected, ("criterion_id", "answer", "reason", "evidence", "category"), vocabularies
    )
    own = own.with_columns(_own=nw.col("category")).drop("category")
    filters = base.select(
        "validation_id", "validation_row", "field_office", "mode", "day", "month", "entity_type", "risk", "kind",
        "location", "specialist", "catalogue_period",
    )  # fmt: skip
    joined = own.join(filters, on="validation_id", how="inner").join(
        applies, on=["criterion_id", "entity_type", "catalogue_period"], how="left"
    )
    category = nw.when(nw.col("_own") >= 0).then(nw.col("_own")).otherwise(nw.col("category").fill_null(-1))
    return joined.with_columns(
        category=category.cast(nw.Int16),
        n=nw.lit(1, nw.Int32),
        **{c: nw.col(c).fill_null(-1).cast(nw.Int16) for c in ("focus_area", "level", "seen_by")},
    ).drop("_own", "validation_id", "catalogue_period")


def _waiting_times(sources: Mapping[str, Frame], as_of_day: int) -> dict[str, nw.Expr]:
    """Days to report and to close; what is open at the as-of date counts as still waiting, not as missing.

    Null where the source never records that date: a column that is always empty is not a queue.
    """
    validations = sources["validations"]
    recorded = collected(
        validations.select(
            reported=(~nw.col("reported_on").is_null()).any(), closed=(~nw.col("closed_on").is_null()).any()
        )
    ).iloc[0]
    nothing = nw.lit(None, nw.Int32)
    out = {"report_days": nothing, "reported": nothing, "close_days": nothing, "closed": nothing}
    if recorded["reported"]:
        out["report_days"] = nw.col("reported_day").fill_null(as_of_day) - nw.col("day")
        out["reported"] = flag(~nw.col("reported_day").is_null())
        if recorded["closed"]:
            out["close_days"] = nw.col("closed_day").fill_null(as_of_day) - nw.col("reported_day")
            out["closed"] = flag(~nw.col("closed_day").is_null())
    return out


def _answered(validations: Frame, feedback: Frame | None) -> Frame:
    """Per validation, whether its specialist and its member gave feedback; null where nobody was asked."""
    if feedback is None:
        nothing = nw.lit(None, nw.Int32)
        return validations.select(
            "validation_row", has_specialist_feedback=nothing, has_member_feedback=nothing
        )
    who = {f"has_{one}_feedback": flag(nw.col("respondent") == one) for one in ("specialist", "member")}
    answers = feedback.select("validation_id", **who).group_by("validation_id").agg(nw.col(*who).max())
    joined = validations.select("validation_row", "validation_id").join(
        answers, on="validation_id", how="left"
    )
    flags = ("has_specialist_feedback", "has_member_feedback")
    return joined.select("validation_row", *[nw.col(flag).fill_null(0).cast(nw.Int32) for flag in flags])


def _feedback(
    engine: Engine, feedback: Frame, validations: Frame, vocabularies: Mapping[str, Vocabulary]
) -> Frame:
    filters = validations.select(
        "validation_id", "field_office", "mode", "day", "month", "quarter", "entity_type", "risk", "kind",
        "location", "specialist",
    )  # fmt: skip
    answers = encoded(engine, feedback.drop("comment"), ("respondent", "item", "theme"), vocabularies)
    return (
        answers.join(filters, on="validation_id", how="inner")
        .with_columns(nw.col("score").cast(nw.Int16), n=nw.lit(1, nw.Int32))
        .with_columns(top_two=flag(nw.col("score") >= 4))
    )


def _values_seen(sources: Mapping[str, Frame]) -> dict[str, set[str]]:
    """Values that occur, by column; a list of what could occur (offices, applicability) is no occurrence."""
    seen: dict[str, set[str]] = {}
    for table, frame in sources.items():
        listed = (*TABLES[table].key, "entity_type") if table in REFERENCE_TABLES else ()
        coded = [name for name in frame.collect_schema().names() if name in CODED and name not in listed]
        if coded:
            # One question for all columns: a cluster takes its time for each.
            values = [frame.select(column=nw.lit(name), value=nw.col(name)).unique() for name in coded]
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
    with open(folder / "dataset.toml", "wb") as file:
        tomli_w.dump(values, file)
