"""Import: somebody's files become a dataset folder, or nothing changes.

Files are read as text, mapped, checked, then prepared and counted in a folder beside the target, which takes
its place in one step at the end.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from analysis.datasets import checks
from analysis.datasets.checks import PARSED, RULE, TableReport
from analysis.datasets.engines import ROW, Engine, Frame, collected, csv_columns, number_of_rows
from analysis.datasets.folders import written_aside
from analysis.datasets.mapping import Feed, ImportMapping, TableMapping
from analysis.datasets.preparing import finish_dataset
from analysis.datasets.vocabularies import Vocabulary, reference_table, reference_vocabularies
from analysis.errors import AnalysisError, nearest
from analysis.schema import REFERENCE_TABLES, TABLES, Table

Progress = Callable[[str], None]
_ORDER = ("criteria", "applicability", "field_offices", "members", "validations", "findings", "incidents")
_ORDER += ("incident_causes", "feedback")


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
    sources: Sequence[Path],
    mapping: ImportMapping,
    out: Path,
    *,
    dry_run: bool = False,
    progress: Progress = lambda step: None,
) -> ImportReport:
    """Import CSV files through a mapping into a dataset folder.

    Parameters
    ----------
    sources : sequence of Path
        CSV files; a table's ``file`` pattern in the mapping says which of them feed it.
    mapping : ImportMapping
    out : Path
        Dataset folder; replaced as a whole once everything is ready.
    dry_run : bool
        Read and check only.
    progress : callable
        Told each step in words.

    Raises
    ------
    AnalysisError
        When nothing is usable; `out` is then as it was and nothing is left beside it.
    """
    engine = Engine()
    try:
        report, tables = _read_and_check(engine, sources, mapping, progress)
        if dry_run:
            return report
        with written_aside(out) as folder:
            for name, frame in tables.items():
                progress(f"Writing {name}")
                engine.write_parquet(frame, folder / "source" / f"{name}.parquet", order_by=TABLES[name].key)
            engine.write_parquet(
                engine.from_pandas(report.rejects), folder / "rejects.parquet", order_by=["table", "file", "row"]
            )
            finish_dataset(folder, _manifest(mapping), progress=progress)
        report.dataset = out
        return report
    finally:
        engine.close()


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
    engine: Engine, sources: Sequence[Path], mapping: ImportMapping, progress: Progress
) -> tuple[ImportReport, dict[str, Frame]]:
    report = ImportReport()
    tables: dict[str, Frame] = {}
    vocabularies = reference_vocabularies()
    for name in REFERENCE_TABLES:
        if _uses_reference(name, mapping):
            tables[name] = engine.kept(reference_table(engine, name))
    raw_files: dict[Path, tuple[Frame, list[tuple[int, str]]]] = {}
    rejects: list[pd.DataFrame] = []
    for name in (name for name in _ORDER if name in mapping.tables):
        progress(f"Reading {name}")
        files = _files_of(mapping.tables[name], sources)
        _check_columns(mapping.tables[name], files)
        for path in files:
            if path not in raw_files:
                raw_files[path] = engine.read_csv(path)
        raws = {path: raw_files[path] for path in files}
        progress(f"Checking {name}")
        kept, table_report, rejected = _import_table(engine, TABLES[name], mapping, raws, tables, vocabularies)
        tables[name] = kept
        report.tables[name] = table_report
        rejects.append(rejected)
    _derive(engine, mapping, tables, report)
    usable = [n for n in ("validations", "incidents") if n in report.tables and report.tables[n].kept]
    report.rejects = pd.concat([checks.empty_rejects(), *rejects], ignore_index=True)
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


def _files_of(table: TableMapping, sources: Sequence[Path]) -> list[Path]:
    files = [path for path in sources if fnmatch.fnmatch(path.name, table.file)]
    if not files:
        names = ", ".join(path.name for path in sources)
        raise AnalysisError(
            f"no source file matches '{table.file}' for table {table.table}; given were: {names}."
        )
    return files


def _check_columns(table: TableMapping, files: Sequence[Path]) -> None:
    wanted = {f"{table.table}.{ours}": feed.column for ours, feed in table.feeds.items() if feed.column}
    wanted |= {f"{table.table}.leave_out": rule.column for rule in table.leave_out}
    if table.one_row_per:
        wanted[f"{table.table}.one_row_per"] = table.one_row_per
    for path in files:
        names = csv_columns(path)
        for ours, theirs in wanted.items():
            if theirs not in names:
                raise AnalysisError(
                    f"{path} has no column '{theirs}', which {ours} is mapped to; {nearest(theirs, names)}"
                )


def _import_table(
    engine: Engine,
    table: Table,
    mapping: ImportMapping,
    raws: Mapping[Path, tuple[Frame, list[tuple[int, str]]]],
    tables: Mapping[str, Frame],
    vocabularies: Mapping[str, Vocabulary],
) -> tuple[Frame, TableReport, pd.DataFrame]:
    spec = mapping.tables[table.name]
    report = TableReport()
    frames, rejected = [], []
    for path, (raw, broken) in raws.items():
        report.read += number_of_rows(raw) + len(broken)
        rows = [
            {"table": table.name, "file": path.name, "row": row, "column": "", "value": "", "rule": rule, "hint": ""}
            for row, rule in broken
        ]
        rejected.append(pd.DataFrame(rows, columns=checks.empty_rejects().columns))
        raw, left_out = _leave_out(engine, raw, spec)
        for reason, n in left_out.items():
            report.left_out[reason] = report.left_out.get(reason, 0) + n
        frames.append(_mapped(raw, spec, mapping, table, path.name))
    mapped = engine.kept(nw.concat(frames))
    report.repaired |= _cleaning_repairs(engine, mapped, spec)
    if spec.one_row_per:
        mapped = _first_rows(engine, mapped, table, report)
    typed = engine.parsed(
        mapped,
        {c.name: c.type for c in table.columns if c.name in spec.feeds and c.type != "text"},  # type: ignore[misc]
        date_formats=mapping.date_formats,
        suffix=PARSED,
    )
    typed, allowed = _with_vocabularies(engine, typed, table, spec, mapping, tables, vocabularies, report)
    unique_key = table.name != "findings" or mapping.completeness["criteria_asked"]
    key = [name for name in table.key if name in spec.feeds]
    raw_columns = ["source_text"] if not spec.one_row_per else [*key]
    typed = checks.with_duplicates(typed, key or ["source_text"], raw_columns)
    rules = checks.rules_of(table, set(spec.feeds), as_of=mapping.as_of, unique_key=unique_key)
    if not unique_key:
        rules.append(checks.Rule(key[0], "exact duplicate of an earlier row", nw.col("_duplicate") == 1))
    typed, references = _with_references(typed, table, spec, tables)
    rules += references
    numbered = engine.kept(checks.with_first_broken(typed, rules))
    rejects = checks.rejects_of(numbered, rules, table.name, allowed)
    kept = engine.kept(_final(engine, numbered.filter(nw.col(RULE).is_null()), table, spec))
    report.kept = number_of_rows(kept)
    everything = pd.concat([*rejected, rejects], ignore_index=True)
    report.rejected = {str(rule): int(n) for rule, n in everything["rule"].value_counts().items()}
    return kept, report, everything


def _leave_out(engine: Engine, raw: Frame, spec: TableMapping) -> tuple[Frame, dict[str, int]]:
    counts: dict[str, int] = {}
    for rule in spec.leave_out:
        value = nw.col(rule.column).fill_null("").str.strip_chars()
        marked = raw.with_columns(_left_out=nw.when(value.is_in(list(rule.values))).then(1).otherwise(0))
        n = int(collected(marked.select(nw.col("_left_out").sum()))["_left_out"].fillna(0).iloc[0])
        counts[rule.reason] = counts.get(rule.reason, 0) + n
        raw = engine.kept(marked.filter(nw.col("_left_out") == 0).drop("_left_out"))
    return raw, counts


def _mapped(raw: Frame, spec: TableMapping, mapping: ImportMapping, table: Table, file: str) -> Frame:
    everything = [name for name in raw.collect_schema().names() if name != ROW]
    columns = [_fed(feed, mapping.empty).alias(name) for name, feed in spec.feeds.items()]
    originals = [
        (nw.col(feed.column) if feed.column else nw.lit(feed.constant)).alias(f"_raw_{name}")
        for name, feed in spec.feeds.items()
    ]
    text = nw.concat_str([nw.col(name).fill_null("") for name in everything], separator="\x1f")
    return raw.select(*columns, *originals, nw.col(ROW), nw.lit(file).alias("source_file"), text.alias("source_text"))


def _fed(feed: Feed, empty: Sequence[str]) -> nw.Expr:
    if feed.column is None:
        return nw.lit(feed.constant)
    value = nw.col(feed.column).str.strip_chars()
    if feed.remove:
        value = value.str.replace_all(feed.remove, "", literal=False)
    value = nw.when(~value.is_in(["", *empty])).then(value)
    if feed.values:
        fallback = nw.lit(feed.values["*"]) if "*" in feed.values else value
        chosen = nw.when(~value.is_null()).then(fallback)
        for theirs, ours in feed.values.items():
            if theirs != "*":
                chosen = nw.when(value == theirs).then(nw.lit(ours)).otherwise(chosen)
        value = chosen
    return value


def _cleaning_repairs(engine: Engine, mapped: Frame, spec: TableMapping) -> dict[str, int]:
    repairs = checks.count_repairs(engine, mapped, [f"_raw_{n}" for n, f in spec.feeds.items() if f.column])
    for name, feed in spec.feeds.items():
        if feed.remove:
            raw = nw.col(f"_raw_{name}").str.strip_chars()
            changed = nw.when(raw.str.contains(feed.remove)).then(1).otherwise(0).sum()
            n = int(collected(mapped.select(changed.alias("n")))["n"].fillna(0).iloc[0])
            if n:
                repairs[f"{name}: characters removed as the mapping says"] = n
    return repairs


def _first_rows(engine: Engine, mapped: Frame, table: Table, report: TableReport) -> Frame:
    key = table.key[0]
    others = [c.name for c in table.columns if c.name != key and c.name in mapped.collect_schema().names()]
    first = nw.col(ROW) == nw.col(ROW).min().over("source_file", key)
    conflicts = nw.lit(0)
    for name in others:
        filled = nw.col(name).fill_null("")
        differs = filled.min().over("source_file", key) != filled.max().over("source_file", key)
        conflicts = nw.when(differs).then(1).otherwise(conflicts)
    marked = engine.kept(
        mapped.with_columns(
            _conflict=conflicts, _first=nw.when(first | nw.col(key).is_null()).then(1).otherwise(0)
        )
    )
    sums = collected(
        marked.select(
            further=(1 - nw.col("_first")).sum(),
            conflicts=nw.when(nw.col("_first") == 1).then(nw.col("_conflict")).otherwise(0).sum(),
        )
    ).iloc[0]
    if sums["further"]:
        report.left_out[f"further row of the same {key}"] = int(sums["further"])
    if sums["conflicts"]:
        report.repaired["differing values in further rows: the first row's kept"] = int(sums["conflicts"])
    return marked.filter(nw.col("_first") == 1).drop("_first", "_conflict")


def _with_vocabularies(
    engine: Engine,
    frame: Frame,
    table: Table,
    spec: TableMapping,
    mapping: ImportMapping,
    tables: Mapping[str, Frame],
    vocabularies: Mapping[str, Vocabulary],
    report: TableReport,
) -> tuple[Frame, dict[str, list[str]]]:
    allowed: dict[str, list[str]] = {}
    folded_repairs: list[nw.Expr] = []
    for column in table.columns:
        if not column.vocabulary or column.name not in spec.feeds:
            continue
        if column.vocabulary in mapping.vocabulary:
            frame = frame.with_columns(nw.col(column.name).alias(column.name + PARSED))
            continue
        values = _allowed_values(column.vocabulary, tables, vocabularies)
        allowed[column.name] = [value for value, _ in values]
        spellings = {text.casefold(): value for value, label in values for text in (label, value)}
        lookup = engine.from_pandas(
            pd.DataFrame({"_folded": list(spellings), column.name + PARSED: list(spellings.values())})
        )
        frame = (
            frame.with_columns(_folded=nw.col(column.name).str.to_lowercase())
            .join(lookup, on="_folded", how="left")
            .drop("_folded")
        )
        spelled = nw.col(column.name) != nw.col(column.name + PARSED)
        folded_repairs.append(nw.when(spelled).then(1).otherwise(0).sum().alias(column.name))
    frame = engine.kept(frame)
    if folded_repairs:
        n = int(collected(frame.select(*folded_repairs)).iloc[0].fillna(0).sum())
        if n:
            report.repaired["values spelled another way (case or label) recognised"] = n
    return frame, allowed


def _allowed_values(
    vocabulary: str, tables: Mapping[str, Frame], vocabularies: Mapping[str, Vocabulary]
) -> list[tuple[str, str]]:
    if vocabulary == "field_office":
        offices = collected(tables["field_offices"].select("field_office"))["field_office"]
        return [(office, office) for office in offices]
    known = vocabularies[vocabulary]
    return list(zip(known.values, known.labels, strict=True))


def _with_references(
    frame: Frame, table: Table, spec: TableMapping, tables: Mapping[str, Frame]
) -> tuple[Frame, list[checks.Rule]]:
    rules = []
    for column, other in table.refers_to.items():
        if column not in spec.feeds or other not in tables or other == "field_offices":
            continue
        known = tables[other].select(nw.col(TABLES[other].key[0]).alias(column), nw.lit(1).alias(f"_in_{other}"))
        frame = frame.join(known.unique(), on=column, how="left")
        missing = ~nw.col(column).is_null() & nw.col(f"_in_{other}").is_null()
        rules.append(checks.Rule(column, f"{column} is not among the {other.replace('_', ' ')}", missing))
    if table.name == "findings" and "validations" in tables and "applicability" in tables:
        frame, rule = _with_applicability(frame, tables)
        rules.append(rule)
    return frame, rules


def _with_applicability(frame: Frame, tables: Mapping[str, Frame]) -> tuple[Frame, checks.Rule]:
    validations = tables["validations"].select(
        "validation_id", "member_id", nw.col("entity_type").alias("_own_type")
    )
    if "members" in tables:
        types = tables["members"].select("member_id", nw.col("entity_type").alias("_member_type"))
        validations = validations.join(types, on="member_id", how="left")
    else:
        validations = validations.with_columns(_member_type=nw.lit(None, nw.String))
    validations = validations.select(
        "validation_id", _type=nw.coalesce(nw.col("_own_type"), nw.col("_member_type"))
    )
    rows = tables["applicability"].select("criterion_id", _type=nw.col("entity_type"), _applies=nw.lit(1)).unique()
    limited = tables["applicability"].select("criterion_id", _limited=nw.lit(1)).unique()
    frame = (
        frame.join(validations, on="validation_id", how="left")
        .join(limited, on="criterion_id", how="left")
        .join(rows, on=["criterion_id", "_type"], how="left")
    )
    broken = (nw.col("_limited") == 1) & ~nw.col("_type").is_null() & nw.col("_applies").is_null()
    return frame, checks.Rule("criterion_id", "the criterion does not apply to this entity type", broken)


def _final(engine: Engine, frame: Frame, table: Table, spec: TableMapping) -> Frame:
    made = []
    for column in table.columns:
        if column.name not in spec.feeds:
            kind = {"text": nw.String, "date": nw.Date, "integer": nw.Int64, "number": nw.Float64, "flag": nw.Int8}
            made.append(nw.lit(None, kind[column.type]).alias(column.name))
        elif column.type != "text" or column.vocabulary:
            made.append(nw.col(column.name + PARSED).alias(column.name))
        else:
            made.append(nw.col(column.name))
    return frame.select(*made)


def _derive(engine: Engine, mapping: ImportMapping, tables: dict[str, Frame], report: ImportReport) -> None:
    """Tables a source implies without bringing them: members, its own criteria, its own offices."""
    if "members" not in tables and "validations" in tables:
        tables["members"] = _derived_members(engine, tables["validations"], report)
    if "criteria" not in tables:
        tables["criteria"] = _derived_criteria(engine, tables.get("findings"))
    if "applicability" not in tables:
        tables["applicability"] = engine.typed_empty({c.name: c.type for c in TABLES["applicability"].columns})
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
    empty = {"text": nw.String, "date": nw.Date}
    made = [
        nw.col(c.name)
        if c.name in ("member_id", "entity_type", "field_office")
        else nw.lit(None, empty[c.type]).alias(c.name)
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


def _nothing_usable(report: ImportReport, sources: Sequence[Path]) -> str:
    names = ", ".join(str(path) for path in sources)
    read = sum(table.read for table in report.tables.values())
    if not read:
        return f"{names} has a header but no rows: nothing to import."
    rules: dict[str, int] = {}
    for table in report.tables.values():
        for rule, n in table.rejected.items():
            rules[rule] = rules.get(rule, 0) + n
    worst = max(rules, key=lambda rule: rules[rule]) if rules else "all rows were left out by the mapping"
    return f"{names}: no row is usable, most often because {worst}; mend the file or the mapping."

