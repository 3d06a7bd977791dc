"""Import one table: its source rows are mapped, checked against every rule, and kept or rejected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals as nw
import pandas as pd

from analysis.datasets import checks
from analysis.datasets.calendar import epoch_day
from analysis.datasets.checks import ORDER, PARSED, RULE, SAME, TableReport
from analysis.datasets.dates import ISO, DateForms, date_forms
from analysis.datasets.engines import EMPTY, ROW, Engine, Frame, collected, number_of_rows
from analysis.datasets.mapping import Feed, ImportMapping, TableMapping
from analysis.datasets.overlapping import without_overlap
from analysis.datasets.preparing_answers import catalogue_periods, period_of, spans_of, within_spans
from analysis.datasets.reading import SourceTable
from analysis.datasets.vocabularies import Vocabulary
from analysis.schema import TABLES, Table


def import_table(
    engine: Engine,
    table: Table,
    mapping: ImportMapping,
    raws: Sequence[SourceTable],
    tables: Mapping[str, Frame],
    vocabularies: Mapping[str, Vocabulary],
) -> tuple[Frame, TableReport, pd.DataFrame]:
    """Rows of one table that keep every rule, what became of the others, and the rejected ones.

    Parameters
    ----------
    raws : sequence of SourceTable
        Source files in the order given, as text, each with the rows that could not be split into columns.
    tables : mapping
        Tables imported so far: foreign keys point into them.
    """
    spec = mapping.tables[table.name].with_names(engine.held_name)
    report = TableReport()
    rejected = []
    for raw in raws:
        report.read += number_of_rows(raw.frame) + len(raw.broken)
        report.repaired |= {f"{raw.file}: {note}": n for note, n in raw.notes.items()}
        rows = [
            {
                "table": table.name,
                "file": raw.file,
                "row": row,
                "column": "",
                "value": "",
                "rule": rule,
                "hint": "",
            }
            for row, rule in raw.broken
        ]
        rejected.append(pd.DataFrame(rows, columns=checks.empty_rejects().columns))
    settled, report.left_out = without_overlap(engine, [(raw.file, raw.frame) for raw in raws], spec)
    frames = []
    for number, (raw, rest) in enumerate(zip(raws, settled, strict=True)):
        rest, left_out = _leave_out(engine, rest, spec)
        for reason, n in left_out.items():
            report.left_out[reason] = report.left_out.get(reason, 0) + n
        frames.append(_mapped(rest, spec, mapping, raw.file, number))
    # What only counts, or tells rows apart, is not held: texts of all columns cost more than the rows do.
    original = nw.concat(frames)
    report.repaired |= _cleaning_repairs(engine, original, spec)
    key = [name for name in table.key if name in spec.feeds]
    numbered_keys = any(spec.feeds[name].row is not None for name in key)
    same_if = _SOURCE_TEXT if numbered_keys or not key else _joined_text(key)
    original = original.with_columns(same_if.alias(SAME))
    named = [*spec.feeds, ROW, ORDER, "source_file", SAME]
    mapped = engine.kept(engine.fingerprinted(original, SAME).select(*named))
    if spec.one_row_per:
        mapped = _first_rows(engine, mapped, table, report)
    forms = _date_forms(mapped, table, spec, mapping, typed=any(raw.typed for raw in raws))
    report.repaired |= forms.notes
    typed = engine.parsed(
        mapped,
        {c.name: c.type for c in table.columns if c.name in spec.feeds and c.type != "text"},
        date_formats=forms.formats,
        suffix=PARSED,
    )
    typed, allowed, spelled = _with_vocabularies(engine, typed, table, spec, mapping, tables, vocabularies)
    unique_key = table.name != "findings" or mapping.completeness["criteria_asked"]
    same = _joined_text(key) if spec.one_row_per else nw.col("source_text")
    typed = checks.with_duplicates(engine, typed, original.with_columns(source_text=same), key)
    rules = checks.rules_of(table, set(spec.feeds), as_of=mapping.as_of, unique_key=unique_key)
    if not unique_key:
        rules.append(checks.Rule(key[0], "exact duplicate of an earlier row", nw.col("_duplicate") == 1))
    typed, references = _with_references(engine, typed, table, spec, tables)
    rules += references
    numbered = engine.kept(checks.with_first_broken(typed, rules))
    if spelled and (n := int(collected(numbered.select(*spelled)).iloc[0].fillna(0).sum())):
        report.repaired["values spelled another way (case or label) recognised"] = n
    rejects = checks.rejects_of(numbered, rules, table.name, allowed)
    kept = _final(engine, numbered.filter(nw.col(RULE).is_null()), table, spec)
    report.kept = number_of_rows(kept)
    everything = pd.concat([*rejected, rejects], ignore_index=True)
    report.rejected = {str(rule): int(n) for rule, n in everything["rule"].value_counts().items()}
    return kept, report, everything


_TOGETHER = 64
_BETWEEN = "\x1f"
_SOURCE_TEXT = nw.col("source_text")


def _joined_text(columns: Sequence[str]) -> nw.Expr:
    texts = [nw.col(name).fill_null("") for name in columns]
    # An engine goes one step deeper for every text: many are joined in groups, and the groups then.
    while len(texts) > _TOGETHER:
        groups = [texts[i : i + _TOGETHER] for i in range(0, len(texts), _TOGETHER)]
        texts = [nw.concat_str(group, separator=_BETWEEN) for group in groups]
    return nw.concat_str(texts, separator=_BETWEEN)


def _leave_out(engine: Engine, raw: Frame, spec: TableMapping) -> tuple[Frame, dict[str, int]]:
    counts: dict[str, int] = {}
    for rule in spec.leave_out:
        value = nw.col(rule.column).fill_null("").str.strip_chars()
        marked = raw.with_columns(_left_out=nw.when(value.is_in(list(rule.values))).then(1).otherwise(0))
        n = int(collected(marked.select(nw.col("_left_out").sum()))["_left_out"].fillna(0).iloc[0])
        if n:
            counts[rule.reason] = counts.get(rule.reason, 0) + n
        raw = engine.kept(marked.filter(nw.col("_left_out") == 0).drop("_left_out"))
    return raw, counts


def _mapped(raw: Frame, spec: TableMapping, mapping: ImportMapping, file: str, number: int) -> Frame:
    everything = [name for name in raw.collect_schema().names() if name != ROW]
    columns = [_fed(feed, mapping, number).alias(name) for name, feed in spec.feeds.items()]
    originals = [
        (nw.col(feed.column) if feed.column else nw.lit(feed.constant, nw.String)).alias(f"_raw_{name}")
        for name, feed in spec.feeds.items()
    ]
    text = _joined_text(everything)
    order = (nw.col(ROW) + number * 10**12).alias(ORDER)
    return raw.select(
        *columns, *originals, nw.col(ROW), order, nw.lit(file).alias("source_file"), text.alias("source_text")
    )


def _date_forms(
    mapped: Frame, table: Table, spec: TableMapping, mapping: ImportMapping, *, typed: bool
) -> DateForms:
    fed = {c.name: spec.feeds[c.name] for c in table.columns if c.name in spec.feeds and c.type == "date"}
    written = [name for name, feed in fed.items() if not feed.month]
    forms = date_forms(mapped, written, table=table.name, given=mapping.date_formats, typed=typed)
    made = {name: (ISO,) for name, feed in fed.items() if feed.month}
    return DateForms({**forms.formats, **made}, forms.notes)


def _fed(feed: Feed, mapping: ImportMapping, number: int) -> nw.Expr:
    empty = mapping.empty
    if feed.row is not None:
        # Unique over all files of the table: file and row, both counted from 1.
        return nw.concat_str([nw.lit(f"{feed.row}-{number + 1}-"), nw.col(ROW).cast(nw.String)])
    if feed.fiscal_year and feed.month:
        return _month_of_fiscal_year(feed.fiscal_year, feed.month, mapping)
    if feed.column is None:
        return nw.lit(feed.constant)
    value: nw.Expr = nw.col(feed.column).str.strip_chars()
    if feed.remove:
        value = value.str.replace_all(feed.remove, "", literal=False)
    value = nw.when(~value.is_in(["", *empty])).then(value)
    if feed.values:
        fallback = nw.lit(feed.values["*"]) if "*" in feed.values else value
        chosen: nw.Expr = nw.when(~value.is_null()).then(fallback)
        for theirs, ours in feed.values.items():
            if theirs != "*":
                chosen = nw.when(value == theirs).then(nw.lit(ours)).otherwise(chosen)
        value = chosen
    return value


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _month_of_fiscal_year(year: str, month: str, mapping: ImportMapping) -> nw.Expr:
    """The first day of a month as text; what is no year or no month stays as written, to be rejected by name."""
    start = mapping.fiscal_year_start_month
    texts = [
        nw.when(~t.is_in(["", *mapping.empty])).then(t)
        for t in (nw.col(c).str.strip_chars() for c in (year, month))
    ]
    digits = texts[0].str.replace_all(r"(?i)^FY\s*", "", literal=False)
    ending = nw.when(digits.str.contains(r"^\d{4}$")).then(digits)
    named = texts[1].str.to_lowercase()
    made = nw.concat_str([texts[0], texts[1]], separator=" ")
    for number, name in enumerate(_MONTHS, start=1):
        # A fiscal year is named by the calendar year it ends in.
        earlier = start > 1 and number >= start
        whole = (ending.cast(nw.Int64) - 1).cast(nw.String) if earlier else ending
        is_month = named.str.contains(rf"^(0?{number}|{name}[a-z]*\.?)$") & ~ending.is_null()
        made = nw.when(is_month).then(nw.concat_str([whole, nw.lit(f"-{number:02d}-01")])).otherwise(made)
    return made


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
    first = nw.col(ORDER) == nw.col(ORDER).min().over(key)
    conflicts = nw.lit(0)
    for name in others:
        filled = nw.col(name).fill_null("")
        differs = filled.min().over(key) != filled.max().over(key)
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
) -> tuple[Frame, dict[str, list[str]], list[nw.Expr]]:
    """Each coded column's value beside its text; the values allowed; counts of texts spelled another way."""
    allowed: dict[str, list[str]] = {}
    folded_repairs: list[nw.Expr] = []
    for column in table.columns:
        if not column.vocabulary or column.name not in spec.feeds:
            continue
        how = mapping.vocabulary.get(column.vocabulary)
        if how == "from_source":
            frame = frame.with_columns(nw.col(column.name).alias(column.name + PARSED))
            continue
        values = _allowed_values(column.vocabulary, tables, vocabularies)
        spellings = {
            text.lower(): (text, value) for value, label in reversed(values) for text in (label, value)
        }
        lookup = pd.DataFrame(spellings.values(), columns=["_spelling", column.name + PARSED], dtype="str")
        # The engine's own lower case on both sides: no two of them agree on every letter.
        known = engine.from_pandas(lookup).with_columns(_folded=nw.col("_spelling").str.to_lowercase())
        known = known.unique("_folded", keep="any").drop("_spelling")
        frame = (
            frame.with_columns(_folded=nw.col(column.name).str.to_lowercase())
            .join(known, on="_folded", how="left")
            .drop("_folded")
        )
        spelled = nw.col(column.name) != nw.col(column.name + PARSED)
        folded_repairs.append(nw.when(spelled).then(1).otherwise(0).sum().alias(column.name))
        if how == "extended":
            own = nw.coalesce(nw.col(column.name + PARSED), nw.col(column.name))
            frame = frame.with_columns(own.alias(column.name + PARSED))
        else:
            allowed[column.name] = [value for value, _ in values]
    return frame, allowed, folded_repairs


def _allowed_values(
    vocabulary: str, tables: Mapping[str, Frame], vocabularies: Mapping[str, Vocabulary]
) -> list[tuple[str, str]]:
    if vocabulary == "field_office":
        offices = collected(tables["field_offices"].select("field_office"))["field_office"]
        return [(office, office) for office in offices]
    known = vocabularies[vocabulary]
    return list(zip(known.values, known.labels, strict=True))


def _with_references(
    engine: Engine, frame: Frame, table: Table, spec: TableMapping, tables: Mapping[str, Frame]
) -> tuple[Frame, list[checks.Rule]]:
    rules = []
    for column, other in table.refers_to.items():
        if column not in spec.feeds or other not in tables or other == "field_offices":
            continue
        known = tables[other].select(nw.col(TABLES[other].key[0]).alias(column))
        missing = (
            frame.select(ORDER, column).filter(~nw.col(column).is_null()).join(known, on=column, how="anti")
        )
        words = f"{column} is not among the {other.replace('_', ' ')}"
        frame, broken = _marked(engine, frame, missing, f"_not_in_{other}")
        rules.append(checks.Rule(column, words, broken))
    if table.name == "findings" and "validations" in tables and "applicability" in tables:
        frame, broken = _marked(engine, frame, _not_applicable(engine, frame, tables), "_not_applicable")
        words = "the criterion does not apply to this entity type on that day"
        rules.append(checks.Rule("criterion_id", words, broken))
    return frame, rules


def _marked(engine: Engine, frame: Frame, broken: Frame, name: str) -> tuple[Frame, nw.Expr]:
    """Rows with a column that says which of them break a rule: few do, so that wide rows are joined with few."""
    held = engine.kept(broken.select(ORDER, nw.lit(1).alias(name)))
    if number_of_rows(held):
        frame = frame.join(held, on=ORDER, how="left")
    else:
        frame = frame.with_columns(nw.lit(0).alias(name))
    return frame, nw.col(name) == 1


def _types_and_periods(tables: Mapping[str, Frame]) -> Frame:
    """Each validation's entity type and catalogue period."""
    validations = tables["validations"].select(
        "validation_id",
        "member_id",
        nw.col("entity_type").alias("_own_type"),
        _period=period_of(epoch_day("conducted_on"), catalogue_periods(collected(tables["applicability"]))),
    )
    if "members" in tables:
        types = tables["members"].select("member_id", nw.col("entity_type").alias("_member_type"))
        validations = validations.join(types, on="member_id", how="left")
    else:
        validations = validations.with_columns(_member_type=nw.lit(None, nw.String))
    return validations.select(
        "validation_id", "_period", _type=nw.coalesce(nw.col("_own_type"), nw.col("_member_type"))
    )


def _not_applicable(engine: Engine, frame: Frame, tables: Mapping[str, Frame]) -> Frame:
    """Findings of criteria that did not apply to the entity type of their validation in its catalogue period."""
    limits = collected(tables["applicability"])
    listed = within_spans(limits, spans_of(catalogue_periods(limits)))
    listed = listed[["criterion_id", "entity_type", "catalogue_period"]].drop_duplicates()
    listed = listed.set_axis(["criterion_id", "_type", "_period"], axis="columns")
    listed = listed.astype({"criterion_id": "str", "_type": "str", "_period": "int16"})
    limited = engine.from_pandas(limits[["criterion_id"]].drop_duplicates().astype("str"))
    found = frame.select(ORDER, "validation_id", "criterion_id").join(limited, on="criterion_id", how="semi")
    typed = found.join(_types_and_periods(tables), on="validation_id", how="inner")
    return typed.filter(~nw.col("_type").is_null()).join(
        engine.from_pandas(listed), on=["criterion_id", "_type", "_period"], how="anti"
    )


def _final(engine: Engine, frame: Frame, table: Table, spec: TableMapping) -> Frame:
    made = []
    for column in table.columns:
        if column.name not in spec.feeds:
            made.append(EMPTY[column.type].alias(column.name))
        elif column.type != "text" or column.vocabulary:
            made.append(nw.col(column.name + PARSED).alias(column.name))
        else:
            made.append(nw.col(column.name))
    return frame.select(*made)
