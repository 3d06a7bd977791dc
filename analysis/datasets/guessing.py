"""Guess a mapping from the names and values of somebody's columns: a first draft to edit, never a decision."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from analysis.datasets.engines import DuckDB, collected
from analysis.datasets.first_bytes import WORKBOOKS
from analysis.datasets.reading import read_source
from analysis.datasets.vocabularies import Vocabulary, reference_table, reference_vocabularies
from analysis.datasets.workbooks import sheet_names
from analysis.schema import REFERENCE_TABLES, TABLES, Table

MOST_VALUES = 40
"""A column with more different values than this is no list of codes."""

_LIKE_ENOUGH = 0.84
_EMPTY = ("NA", "N/A", "NULL", "null", "None", "-", "#N/A")
_MODES = {
    "virtual": {"virtual", "remote", "online", "video", "v", "livestream"},
    "in_person": {
        "in person",
        "inperson",
        "on site",
        "onsite",
        "physical",
        "ip",
        "p",
        "visit",
        "site visit",
        "planned",
    },
    "hybrid": {"hybrid", "mixed", "blended"},
}
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "member_id": ("member", "company", "account", "partner", "establishment", "site address", "company id", "member number"),
    "field_office": ("office", "field office name", "district", "reporting id", "area of responsibility", "port", "region"),
    "entity_type": ("business type", "owner type", "company type", "type of business", "entity"),
    "validation_id": ("validation", "validation number", "inspection id", "inspection number", "activity nr", "activity number", "audit id"),
    "criterion_id": ("criterion", "criteria", "standard", "requirement", "msc", "question"),
    "incident_id": ("incident", "breach id", "event id", "case id", "case number"),
    "conducted_on": ("validation date", "date conducted", "conducted date", "open date", "inspection date", "visit date", "date"),
    "occurred_on": ("incident date", "date occurred", "event date", "breach date", "date"),
    "mode": ("validation type", "validation mode", "method", "insp type", "inspection type", "type of validation"),
    "closed_on": ("close date", "date closed", "closed date", "close conf date", "closure date"),
    "reported_on": ("report date", "date reported", "report sent"),
    "scheduled_on": ("schedule date", "date scheduled"),
    "answer": ("result", "status", "finding"),
    "category": ("viol type", "violation type", "finding category", "focus"),
    "transport_mode": ("mode of transport", "transport", "conveyance mode", "land filter"),
    "weight": ("count", "count of event", "events", "number of events"),
    "contraband": ("drug type", "commodity"),
    "kind": ("type", "initial or revalidation"),
    "specialist_id": ("specialist", "scss", "validator", "inspector"),
}  # fmt: skip
_OPEN_LISTS = ("contraband", "concealment_method", "seal_issue", "cause", "reason", "item")
"""Vocabularies that a program writes in its own words: theirs are added to ours."""
_FISCAL, _MONTH = ("fy", "fiscal year", "fiscalyear"), ("month", "month abbv", "fiscal month", "month name")


@dataclass(frozen=True, slots=True)
class Look:
    """What a file looks like: its columns and, of those with few different values, the values."""

    file: str
    sheet: str | None
    rows: int
    columns: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    blanks: tuple[str, ...] = ()
    repeated: frozenset[str] = frozenset()


def look_at(path: Path) -> Look:
    """Read a file and describe it.

    Raises
    ------
    AnalysisError
        When it cannot be read.
    """
    sheet = None
    if path.suffix.lower() in WORKBOOKS:
        filled = sheet_names(path)
        sheet = filled[0] if len(filled) > 1 else None
    engine = DuckDB()
    try:
        source = read_source(engine, path, sheet=sheet)
        rows = collected(source.frame.select(*source.columns))
    finally:
        engine.close()
    values, repeated = {}, set()
    blanks: set[str] = set()
    for name in source.columns:
        texts = rows[name].dropna().str.strip()
        seen = texts.unique()
        blanks |= set(_EMPTY) & set(seen)
        if len(seen) <= MOST_VALUES:
            values[name] = tuple(sorted(set(seen) - {""} - set(_EMPTY)))
        if len(seen) < len(texts):
            repeated.add(name)
    blank = tuple(text for text in _EMPTY if text in blanks)
    return Look(path.name, sheet, len(rows), tuple(source.columns), values, blank, frozenset(repeated))


def guess_mapping(looks: Sequence[Look], *, name: str = "My data") -> dict[str, Any]:
    """A draft of a mapping, as the values of its TOML file.

    Parameters
    ----------
    looks : sequence of Look
        One a file. A file feeds the table whose columns it names best; one that lists findings of inspections
        feeds validations and findings. Required columns that nothing resembles are left open for a person.
    """
    tables: dict[str, Any] = {}
    for look in looks:
        for table in _tables_of(look):
            if table in tables:
                # Several files of one shape feed one table: all of them, by a pattern that fits them.
                tables[table]["file"] = _pattern_of(tables[table].get("file", "*"), look.file)
                continue
            tables[table] = _table(look, TABLES[table], alone=len(looks) == 1)
    if "findings" in tables and "validations" in tables and len(looks) == 1:
        key = tables["validations"]["columns"].get("validation_id")
        criterion = tables["findings"]["columns"].get("criterion_id")
        if key in looks[0].repeated:
            tables["validations"] = {"one_row_per": key} | tables["validations"]
        if criterion:
            # One row a finding: a row without a criterion is a validation without findings.
            without = {
                "column": criterion,
                "values": ["", *looks[0].blanks],
                "reason": "no finding in this row",
            }
            tables["findings"] = {"leave_out": [without]} | tables["findings"]
    blanks = list(dict.fromkeys(text for look in looks for text in look.blanks))
    draft: dict[str, Any] = {"name": name, "source_note": ""}
    if blanks:
        draft["empty"] = blanks
    own_criteria = (
        "findings" in tables
        and "criteria" not in tables
        and _unknown(looks, tables, "findings", "criterion_id")
    )
    draft["completeness"] = {"clean_validations": True, "criteria_asked": not own_criteria}
    draft["modes"] = {"virtual": "Virtual", "in_person": "In person"}
    draft["vocabulary"] = _vocabulary(looks, tables, own_criteria=own_criteria)
    draft["tables"] = {table: tables[table] for table in TABLES if table in tables}
    return draft


def draft_table(looks: Sequence[Look], table: str) -> dict[str, Any]:
    """A draft for one table, from the file whose columns name most of its columns."""
    best = max(looks, key=lambda look: len(_matches(look.columns, TABLES[table])))
    return _table(best, TABLES[table], alone=len(looks) == 1)


def mapping_text(raw: Mapping[str, Any]) -> str:
    """A mapping as the TOML file that the command line takes."""
    return tomli_w.dumps(dict(raw))


def template(table: str) -> str:
    """The header row of one of our tables as CSV."""
    return ",".join(TABLES[table].names) + "\n"


def _tables_of(look: Look) -> list[str]:
    stem = _plain(Path(look.file).stem)
    for name in TABLES:
        if stem == _plain(name) or stem.startswith(f"{_plain(name)} "):
            return [name]
    if _fiscal_month(look):
        return ["incidents"]
    scores = {}
    for name, table in TABLES.items():
        if name in REFERENCE_TABLES:
            continue
        found = _matches(look.columns, table)
        required = sum(1 for column in table.required if column in found)
        scores[name] = (required / len(table.required)) + 0.05 * len(found)
    best = max(scores, key=lambda name: scores[name])
    if best in ("validations", "findings"):
        both = _matches(look.columns, TABLES["validations"]), _matches(look.columns, TABLES["findings"])
        if "conducted_on" in both[0] and "criterion_id" in both[1]:
            return ["validations", "findings"]
    return [best]


def _table(look: Look, table: Table, *, alone: bool) -> dict[str, Any]:
    columns: dict[str, Any] = dict(_matches(look.columns, table))
    spec: dict[str, Any] = {} if alone else {"file": look.file}
    if look.sheet:
        spec["sheet"] = look.sheet
    if table.name == "findings" and "answer" not in columns:
        columns["answer"] = {"constant": "deficient"}
    if table.name == "incidents":
        counted = _fiscal_month(look)
        if counted:
            columns["occurred_on"] = {"fiscal_year": counted[0], "month": counted[1]}
            columns["date_precision"] = {"constant": "month"}
            spec["overlap"] = {"columns": [counted[0]], "keep": "latest"}
            if "weight" in columns:
                # A row that stands for counts: no count is no incident, where otherwise it would be one.
                blank = {
                    "column": columns["weight"],
                    "values": ["", *look.blanks],
                    "reason": "no count given",
                }
                none = {"column": columns["weight"], "values": ["0"], "reason": "no incident counted"}
                spec["leave_out"] = [blank, none]
        if "incident_id" not in columns:
            columns["incident_id"] = {"row": "row"}
    spec["columns"] = {name: columns[name] for name in table.names if name in columns}
    values = {
        ours: found
        for ours, theirs in columns.items()
        if isinstance(theirs, str) and (found := _translation(look, table, ours, theirs))
    }
    if values:
        spec["values"] = values
    return spec


def _matches(columns: Sequence[str], table: Table) -> dict[str, str]:
    """Our column → theirs: the same name, then a synonym, then a name much like ours; each of theirs once."""
    plain = {name: _plain(name) for name in columns}
    found: dict[str, str] = {}
    for rank in range(3):
        for ours in table.names:
            if ours in found:
                continue
            left = [name for name in columns if name not in found.values()]
            chosen = _match(ours, left, plain, rank)
            if chosen:
                found[ours] = chosen
    return found


def _match(ours: str, left: Sequence[str], plain: Mapping[str, str], rank: int) -> str | None:
    own = _plain(ours)
    if rank == 0:
        return next((name for name in left if plain[name] == own), None)
    if rank == 1:
        for synonym in _SYNONYMS.get(ours, ()):
            for name in left:
                if plain[name] == synonym:
                    return name
        return None
    likeness = {name: difflib.SequenceMatcher(None, own, plain[name]).ratio() for name in left}
    best = max(likeness, key=lambda name: likeness[name], default=None)
    return best if best and likeness[best] >= _LIKE_ENOUGH else None


def _translation(look: Look, table: Table, ours: str, theirs: str) -> dict[str, str]:
    seen = look.values.get(theirs)
    vocabulary = table.column(ours).vocabulary
    if not seen or not vocabulary:
        return {}
    if ours == "mode":
        return _modes(seen)
    known = reference_vocabularies().get(vocabulary)
    if known is None:
        return {}
    out = {}
    for text in unrecognised(seen, vocabulary):
        value = _nearest_value(text, known)
        if value:
            out[text] = value
    return out


def unrecognised(values: Sequence[str], vocabulary: str) -> list[str]:
    """Values that a vocabulary we ship does not have under any spelling; none where we ship no such list."""
    known = reference_vocabularies().get(vocabulary)
    if known is None:
        return []
    own = {text.lower() for text in (*known.values, *known.labels)}
    return [text for text in values if text.lower() not in own]


def _nearest_value(text: str, known: Vocabulary) -> str | None:
    """The value that reads the same but for punctuation, or whose name the text begins with."""
    plain = _plain(text)
    for value, label in zip(known.values, known.labels, strict=True):
        if plain in (_plain(value), _plain(label)):
            return value
    for value, label in zip(known.values, known.labels, strict=True):
        if plain.startswith((f"{_plain(value)} ", f"{_plain(label)} ")):
            return value
    return (
        "unknown" if plain == "other" and "other" not in known.values and "unknown" in known.values else None
    )


def _modes(seen: Sequence[str]) -> dict[str, str]:
    own = {"virtual", "in_person", "in person", "hybrid", "mutual_recognition", "other"}
    if all(text.lower() in own for text in seen):
        return {}
    out = {}
    for text in seen:
        names = [mode for mode, words in _MODES.items() if _plain(text) in words]
        out[text] = names[0] if names else "other"
    return out


def _fiscal_month(look: Look) -> tuple[str, str] | None:
    years = [name for name in look.columns if _plain(name) in _FISCAL]
    months = [name for name in look.columns if _plain(name) in _MONTH]
    return (years[0], months[0]) if years and months else None


def _unknown(looks: Sequence[Look], tables: Mapping[str, Any], table: str, column: str) -> bool:
    """Whether the source's values of a column are not those we ship."""
    theirs = tables[table]["columns"].get(column)
    if not isinstance(theirs, str):
        return False
    look = next(look for look in looks if theirs in look.columns)
    if column == "criterion_id" and theirs not in look.values:
        return not {_plain(theirs)} <= {"criterion id"}
    engine = DuckDB()
    try:
        if column == "criterion_id":
            known = set(collected(reference_table(engine, "criteria"))["criterion_id"])
        elif column == "field_office":
            known = set(collected(reference_table(engine, "field_offices"))["field_office"])
        else:
            vocabulary = reference_vocabularies()[column]
            known = {*vocabulary.values, *vocabulary.labels}
    finally:
        engine.close()
    folded = {text.lower() for text in known}
    seen = [text.lower() for text in look.values.get(theirs, ())]
    # A few misspelt values are for the checks to find; a list of another kind is the source's own.
    return not seen or sum(text in folded for text in seen) < len(seen) / 2


def _vocabulary(looks: Sequence[Look], tables: Mapping[str, Any], *, own_criteria: bool) -> dict[str, str]:
    out: dict[str, str] = {}
    for table in tables:
        for column in TABLES[table].columns:
            mapped = tables[table]["columns"].get(column.name)
            kind = column.vocabulary
            if not kind or kind in ("mode", "answer", "date_precision") or not isinstance(mapped, str):
                continue
            if kind in ("field_office", "entity_type") and _unknown(looks, tables, table, kind):
                out[kind] = "from_source"
            elif kind == column.name and kind in _OPEN_LISTS:
                out[kind] = "extended"
    if own_criteria:
        out["criterion_id"] = "from_source"
    return out


def _pattern_of(one: str, other: str) -> str:
    if one == other or one == "*":
        return one
    start = re.match(r"[^*?\[\]]*", one)
    prefix = ""
    for a, b in zip(start[0] if start else "", other, strict=False):
        if a != b:
            break
        prefix += a
    return prefix + "*"


def _plain(name: str) -> str:
    """A name without case, punctuation and the seams between words.

    >>> _plain("Month (abbv)"), _plain("conductedOn"), _plain("field_office")
    ('month abbv', 'conducted on', 'field office')
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", parted.lower()).split())
