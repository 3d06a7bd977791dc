"""Import: somebody's files become a dataset folder, or nothing changes.

Files (CSV, Excel, Parquet) and tables of databases are read as text, mapped, checked, then prepared and counted in a folder beside the target, which takes
its place in one step at the end.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from analysis.datasets import checks
from analysis.datasets.appending import Earlier
from analysis.datasets.checks import TableReport
from analysis.datasets.engines import DUCKDB, EMPTY, Engine, Frame, collected, engine_named, number_of_rows
from analysis.datasets.folders import written_aside
from analysis.datasets.importing_tables import import_table
from analysis.datasets.mapping import ImportMapping, TableMapping
from analysis.datasets.preparing import finish_dataset
from analysis.datasets.reading import SourceTable
from analysis.datasets.sources import Given, files_among, given_sources, shown_sources
from analysis.datasets.vocabularies import reference_table, reference_vocabularies
from analysis.errors import AnalysisError, nearest
from analysis.schema import REFERENCE_TABLES, TABLES

Progress = Callable[[str], None]
_ORDER = (
    "criteria", "applicability", "field_offices", "members", "validations", "findings", "incidents",
    "incident_causes", "feedback",
)  # fmt: skip


@dataclass
class ImportReport:
    """What an import did: counts by table, the rejected rows, and where the dataset is (if written)."""

    tables: dict[str, TableReport] = field(default_factory=dict)
    rejects: pd.DataFrame = field(default_factory=checks.empty_rejects)
    dataset: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis import --json``."""
        return {
            "tables": {name: report.to_dict() for name, report in self.tables.items()},
            "dataset": str(self.dataset) if self.dataset else None,
        }


def import_dataset(
    sources: Sequence[Path | str],
    mapping: ImportMapping,
    out: Path,
    *,
    append: bool = False,
    dry_run: bool = False,
    engine: str = DUCKDB,
    progress: Progress = lambda step: None,
) -> ImportReport:
    """Import files or tables of a database through a mapping into a dataset folder.

    Parameters
    ----------
    sources : sequence of Path or str
        CSV, Excel or Parquet files, DuckDB files, ``postgresql://`` addresses (``?schema=…``). A table's ``file``
        pattern in the mapping says which files, or tables of a database, feed it.
    mapping : ImportMapping
    out : Path
        Dataset folder; replaced as a whole once everything is ready.
    append : bool
        Keep what the dataset `out` holds, but for the months of validations and incidents that the files bring.
        Tables without a file stay as they are.
    dry_run : bool
        Read and check only.
    engine : str
        What touches the rows: see `engine_named`.
    progress : callable
        Told each step in words.

    Raises
    ------
    AnalysisError
        When nothing is usable; `out` is then as it was and nothing is left beside it.
    """
    if not dry_run and any(_within(path, out) for path in files_among(sources)):
        raise AnalysisError(
            f"{out} holds a source file and would replace it: choose another place to write to."
        )
    worker = engine_named(engine, beside=None if dry_run else out)
    try:
        earlier = Earlier(worker, out, mapping) if append else None
        report, tables = _read_and_check(worker, sources, mapping, progress, earlier)
        if dry_run:
            return report
        with written_aside(out) as folder:
            for name, frame in tables.items():
                progress(f"Writing {name}")
                worker.write_parquet(
                    frame, folder / "source" / f"{name}.parquet", order_by=_order_of(name, mapping)
                )
            worker.write_parquet(
                worker.from_pandas(report.rejects),
                folder / "rejects.parquet",
                order_by=["table", "file", "row"],
            )
            worker.forget()
            finish_dataset(
                folder,
                _manifest(mapping),
                engine=worker,
                progress=progress,
                earlier=out if append else None,
            )
        report.dataset = out
        return report
    finally:
        worker.close()


def _order_of(name: str, mapping: ImportMapping) -> list[str]:
    """What a table is sorted by: its key, which no two rows share; all columns where they may."""
    table = TABLES[name]
    if name != "findings" or mapping.completeness["criteria_asked"]:
        return list(table.key)
    return list(dict.fromkeys((*table.key, *table.names)))


def _within(path: Path, folder: Path) -> bool:
    # Not Path.resolve(), which raises where links lead in a circle.
    return Path(os.path.realpath(folder)) in Path(os.path.realpath(path)).parents


def _manifest(mapping: ImportMapping) -> dict[str, Any]:
    return {
        "name": mapping.name,
        "synthetic": mapping.synthetic,
        "source_note": mapping.source_note,
        "as_of": mapping.as_of,
        "fiscal_year_start_month": mapping.fiscal_year_start_month,
        "completeness": dict(mapping.completeness),
        "modes": dict(mapping.modes),
        "vocabulary": dict(mapping.vocabulary),
        "margins": dict(mapping.margins),
    }


def _read_and_check(
    engine: Engine,
    sources: Sequence[Path | str],
    mapping: ImportMapping,
    progress: Progress,
    earlier: Earlier | None = None,
) -> tuple[ImportReport, dict[str, Frame]]:
    report = ImportReport()
    tables: dict[str, Frame] = {}
    vocabularies = reference_vocabularies()
    for name in REFERENCE_TABLES:
        if _uses_reference(name, mapping):
            tables[name] = engine.kept(reference_table(engine, name))
    given = given_sources(sources)
    read: dict[tuple[Given, str | None], SourceTable] = {}
    rejects: list[pd.DataFrame] = []
    brought = [name for name in _ORDER if name in mapping.tables]
    if earlier:
        brought = _brought(mapping, given)
        earlier.check(brought, list(mapping.tables))
    for name in (name for name in _ORDER if name in mapping.tables):
        if name not in brought:
            stayed = earlier.without(name, None) if earlier else None
            tables |= {} if stayed is None else {name: stayed}
            continue
        progress(f"Reading {name}")
        spec = mapping.tables[name]
        raws = []
        for source in _sources_of(spec, given):
            if (source, spec.sheet) not in read:
                read[source, spec.sheet] = source.read(engine, sheet=spec.sheet)
            raws.append(read[source, spec.sheet])
            _check_columns(spec.with_names(engine.held_name), source.shown, raws[-1].columns)
        progress(f"Checking {name}")
        kept, table_report, rejected = import_table(engine, TABLES[name], mapping, raws, tables, vocabularies)
        if earlier:
            kept, replaced = earlier.joined(name, kept)
            table_report.repaired |= replaced
        tables[name] = kept
        report.tables[name] = table_report
        rejects.append(rejected)
    _derive(engine, mapping, tables, report)
    wanted = brought if earlier else ("validations", "incidents")
    usable = [n for n in wanted if n in report.tables and report.tables[n].kept]
    report.rejects = pd.concat([checks.empty_rejects(), *rejects], ignore_index=True)
    if earlier:
        report.rejects = earlier.all_rejects(report.rejects, [table.file for table in read.values()])
    if not usable:
        raise AnalysisError(_nothing_usable(report, sources))
    return report, tables


def _uses_reference(name: str, mapping: ImportMapping) -> bool:
    if name in mapping.tables:
        return False
    own_criteria = mapping.vocabulary.get("criterion_id") == "from_source"
    if name in ("criteria", "applicability"):
        return not own_criteria and not (name == "applicability" and "criteria" in mapping.tables)
    return mapping.vocabulary.get("field_office") != "from_source"


def _brought(mapping: ImportMapping, given: Sequence[Given]) -> list[str]:
    """Tables that the files given feed; the others are not spoken of."""
    return [
        name
        for name in _ORDER
        if name in mapping.tables
        and any(fnmatch.fnmatch(source.name, mapping.tables[name].file) for source in given)
    ]


def _sources_of(table: TableMapping, given: Sequence[Given]) -> list[Given]:
    found = [source for source in given if fnmatch.fnmatch(source.name, table.file)]
    if not found:
        names = ", ".join(source.name for source in given)
        raise AnalysisError(
            f"no source file matches '{table.file}' for table {table.table}; given were: {names}."
        )
    return found


def _check_columns(table: TableMapping, shown: str, names: Sequence[str]) -> None:
    wanted = [
        (f"{table.table}.{ours}", theirs) for ours, feed in table.feeds.items() for theirs in feed.sources
    ]
    wanted += [(f"{table.table}.leave_out", rule.column) for rule in table.leave_out]
    if table.one_row_per:
        wanted.append((f"{table.table}.one_row_per", table.one_row_per))
    if table.overlap:
        wanted += [(f"{table.table}.overlap", column) for column in table.overlap.columns]
    for ours, theirs in wanted:
        if theirs not in names:
            raise AnalysisError(
                f"{shown} has no column '{theirs}', which {ours} is mapped to; {nearest(theirs, names)}"
            )


def _derive(engine: Engine, mapping: ImportMapping, tables: dict[str, Frame], report: ImportReport) -> None:
    """Tables a source implies without bringing them: members, its own criteria, its own offices."""
    if "members" not in tables and "validations" in tables:
        tables["members"] = _derived_members(engine, tables["validations"], report)
    if "criteria" not in tables:
        tables["criteria"] = _derived_criteria(engine, tables.get("findings"))
    if "applicability" not in tables:
        tables["applicability"] = engine.typed_empty(
            {c.name: c.type for c in TABLES["applicability"].columns}
        )
    if "field_offices" not in tables:
        offices = [tables[n].select("field_office") for n in ("validations", "incidents") if n in tables]
        distinct = nw.concat(offices).unique().filter(~nw.col("field_office").is_null())
        tables["field_offices"] = engine.kept(
            distinct.with_columns(opened_on=nw.lit(None, nw.Date), closed_on=nw.lit(None, nw.Date))
        )


def _derived_members(engine: Engine, validations: Frame, report: ImportReport) -> Frame:
    ordered = validations.with_columns(
        _latest=nw.col("conducted_on") == nw.col("conducted_on").max().over("member_id"),
        _kinds=nw.col("entity_type").min().over("member_id") != nw.col("entity_type").max().over("member_id"),
    ).filter(nw.col("_latest"))
    # Two validations on one day: the larger identifier is the later one.
    last = engine.kept(
        ordered.filter(nw.col("validation_id") == nw.col("validation_id").max().over("member_id"))
    )
    conflicting = number_of_rows(last.filter(nw.col("_kinds")))
    members = TABLES["members"]
    made = [
        nw.col(c.name)
        if c.name in ("member_id", "entity_type", "field_office")
        else EMPTY[c.type].alias(c.name)
        for c in members.columns
    ]
    kept = engine.kept(last.select(*made))
    n = number_of_rows(kept)
    repaired = {"members derived from validations": n}
    if conflicting:
        repaired["conflicting entity types: the latest kept"] = conflicting
    report.tables["members"] = TableReport(read=n, kept=n, repaired=repaired)
    return kept


def _derived_criteria(engine: Engine, findings: Frame | None) -> Frame:
    columns = {c.name: c.type for c in TABLES["criteria"].columns}
    if findings is None:
        return engine.typed_empty(columns)
    seen = collected(findings.group_by("criterion_id", "category").agg(n=nw.len()))
    seen["category"] = seen["category"].fillna("Not recorded")
    # A criterion seen under several categories is listed under its most frequent one; findings keep their own.
    seen = seen.sort_values(["criterion_id", "n", "category"], ascending=[True, False, True])
    first = seen.drop_duplicates("criterion_id").reset_index(drop=True)
    names = sorted(seen["category"].unique())
    frame = pd.DataFrame(
        {
            "criterion_id": first["criterion_id"],
            "category_no": first["category"].map({name: i for i, name in enumerate(names, start=1)}),
            "category": first["category"],
        }
    )
    extra = [nw.lit(None, nw.String).alias(c) for c in columns if c not in frame.columns]
    return engine.kept(engine.from_pandas(frame).with_columns(*extra).select(*columns))


def _nothing_usable(report: ImportReport, sources: Sequence[Path | str]) -> str:
    names = shown_sources(sources)
    read = sum(table.read for table in report.tables.values())
    if not read:
        return f"{names} has a header but no rows: nothing to import."
    rules: dict[str, int] = {}
    for table in report.tables.values():
        for rule, n in table.rejected.items():
            rules[rule] = rules.get(rule, 0) + n
    worst = max(rules, key=lambda rule: rules[rule]) if rules else "all rows were left out by the mapping"
    return f"{names}: no row is usable, most often because {worst}; mend the file or the mapping."
