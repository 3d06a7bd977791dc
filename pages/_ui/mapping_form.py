"""The form in which a mapping is edited: tables, columns, modes, arms, what the source cannot know."""

from __future__ import annotations

import copy
import fnmatch
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from analysis.datasets.guessing import draft_table, unrecognised
from analysis.datasets.vocabularies import reference_vocabularies
from analysis.schema import LABELS, TABLES, Column

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from analysis.datasets.guessing import Look

MODES = {
    "virtual": "Virtual", "in_person": "In person", "hybrid": "Hybrid",
    "mutual_recognition": "Mutual recognition", "other": "Other: in neither arm",
}  # fmt: skip
DATES: dict[str, list[str] | None] = {
    "As they tell themselves (asked where they do not)": None,
    "Year first: 2022-12-31": ["%Y-%m-%d"],
    "Day first: 31/12/2022": ["%d/%m/%Y"],
    "Month first: 12/31/2022": ["%m/%d/%Y"],
}
OWN_LISTS = (
    "field_office",
    "entity_type",
    "criterion_id",
    "contraband",
    "reason",
    "cause",
    "concealment_method",
)
_HOW = {"": "The lists shipped here", "extended": "Ours and theirs", "from_source": "Theirs alone"}
_NOTHING = "(nothing)"


def edited(base: Mapping[str, Any], looks: Sequence[Look], version: int) -> dict[str, Any]:
    """Draw the form for a draft and read it.

    Parameters
    ----------
    base : mapping
        The draft, as the values of a TOML file: what the form begins with and what it does not show.
    looks : sequence of Look
        The files, for the columns and values to choose from.
    version : int
        Another draft, other widgets.
    """
    raw = copy.deepcopy(dict(base))
    key = f"own-{version}"
    left, right = st.columns(2, gap="large")
    raw["name"] = left.text_input(
        "Name of the dataset", base.get("name", ""), key=f"{key}-name", max_chars=80
    )
    raw["source_note"] = right.text_input("Where it is from", base.get("source_note", ""), key=f"{key}-note")
    _tables(raw, looks, key)
    for name in list(raw["tables"]):
        with st.expander(f"Columns of {name.replace('_', ' ')}", expanded=True):
            _columns(raw, name, looks, key)
    if "validations" in raw["tables"]:
        _modes(raw, looks, key)
    with st.expander("Dates, lists, and what the source cannot know"):
        _dates(raw, key)
        _lists(raw, key)
        _completeness(raw, key)
    _values(raw, looks, key)
    return raw


def _tables(raw: dict[str, Any], looks: Sequence[Look], key: str) -> None:
    known = raw.get("tables", {})
    names = [
        name for name in TABLES if name in known or name not in ("criteria", "applicability", "field_offices")
    ]
    chosen = st.multiselect(
        "Tables these files hold", names, default=list(known), format_func=lambda name: name.replace("_", " "),
        key=f"{key}-tables",
    )  # fmt: skip
    raw["tables"] = {
        name: known[name] if name in known else draft_table(looks, name) for name in TABLES if name in chosen
    }


def _columns(raw: dict[str, Any], table: str, looks: Sequence[Look], key: str) -> None:
    spec = raw["tables"][table]
    mapped: dict[str, Any] = spec.setdefault("columns", {})
    theirs = _theirs(spec, looks)
    shown = [c for c in TABLES[table].columns if c.required or c.name in mapped]
    rest = [c for c in TABLES[table].columns if c not in shown]
    _feeds(spec, table, shown, theirs, key)
    if rest:
        with st.popover(f"{len(rest)} more columns", type="tertiary"):
            _feeds(spec, table, rest, theirs, key)
    if table in ("validations",) and "one_row_per" in spec:
        identifier = mapped.get(TABLES[table].key[0])
        spec["one_row_per"] = identifier if isinstance(identifier, str) else spec["one_row_per"]
    if "values" in spec:
        spec["values"] = {name: values for name, values in spec["values"].items() if name in mapped}


def _feeds(
    spec: dict[str, Any], table: str, columns: Sequence[Column], theirs: Sequence[str], key: str
) -> None:
    mapped = spec["columns"]
    for column, place in zip(columns, _grid(len(columns), 3), strict=True):
        feed = mapped.get(column.name)
        special = _special(feed)
        options = [special or _NOTHING, *([_NOTHING] if special else []), *theirs]
        current = feed if isinstance(feed, str) else options[0]
        if current not in options:
            options.append(current)
        chosen = place.selectbox(
            f"{column.name}{' (required)' if column.required else ''}",
            options, index=options.index(current), key=f"{key}-{table}-{column.name}", help=column.meaning,
        )  # fmt: skip
        if chosen == _NOTHING:
            mapped.pop(column.name, None)
        elif chosen != special:
            mapped[column.name] = chosen


def _grid(n: int, width: int) -> list[DeltaGenerator]:
    """Places in rows, so that reading and tabbing go along them, on a narrow page too."""
    rows = [st.columns(width) for _ in range(-(-n // width))]
    return [place for row in rows for place in row][:n]


def _special(feed: Any) -> str | None:
    """A feed that is more than a column, in words; it is edited as text below."""
    if not isinstance(feed, Mapping):
        return None
    if "constant" in feed:
        return f"always “{feed['constant']}”"
    if "row" in feed:
        return "the number of the row"
    if "fiscal_year" in feed:
        return f"{feed['month']} of fiscal year {feed['fiscal_year']}"
    return f"{feed.get('column')}, cleaned"


def _theirs(spec: Mapping[str, Any], looks: Sequence[Look]) -> list[str]:
    fitting = [look for look in looks if fnmatch.fnmatch(look.file, spec.get("file", "*"))] or looks
    return list(dict.fromkeys(name for look in fitting for name in look.columns))


def _modes(raw: dict[str, Any], looks: Sequence[Look], key: str) -> None:
    spec = raw["tables"]["validations"]
    theirs = spec["columns"].get("mode")
    seen = (
        sorted({value for look in looks for value in look.values.get(theirs, ())})
        if isinstance(theirs, str)
        else []
    )
    translated = spec.get("values", {}).get("mode", {})
    with st.expander("What the validation modes mean", expanded=True):
        if seen:
            values = {}
            for value, place in zip(seen, _grid(len(seen), 4), strict=True):
                default = translated.get(value, translated.get("*", value if value in MODES else "other"))
                values[value] = place.selectbox(
                    f"“{value}” means", list(MODES), index=list(MODES).index(default) if default in MODES else len(MODES) - 1,
                    format_func=lambda mode: MODES[mode], key=f"{key}-mode-{theirs}-{value}",
                )  # fmt: skip
            kept = {"*": translated["*"]} if "*" in translated else {}
            spec.setdefault("values", {})["mode"] = values | kept
        modes = raw.setdefault("modes", {})
        left, right = st.columns(2, gap="large")
        modes["virtual"] = left.text_input(
            "Name of the virtual arm", modes.get("virtual", "Virtual"), key=f"{key}-arm-virtual"
        )
        modes["in_person"] = right.text_input(
            "Name of the in-person arm", modes.get("in_person", "In person"), key=f"{key}-arm-in-person"
        )


def _values(raw: dict[str, Any], looks: Sequence[Look], key: str) -> None:
    """Values of the files that our lists do not have: what each means, unless their own list is taken."""
    asked: list[tuple[str, str, str, str]] = []
    for table, spec in raw["tables"].items():
        for column in TABLES[table].columns:
            theirs = spec["columns"].get(column.name)
            if column.name == "mode" or not column.vocabulary or column.vocabulary in raw["vocabulary"]:
                continue
            if isinstance(theirs, str):
                seen = sorted({value for look in looks for value in look.values.get(theirs, ())})
                asked += [
                    (table, column.name, column.vocabulary, text)
                    for text in unrecognised(seen, column.vocabulary)
                ]
    if not asked:
        return
    with st.expander("Values that our lists do not have", expanded=True):
        for (table, name, vocabulary, text), place in zip(asked, _grid(len(asked), 3), strict=True):
            known = reference_vocabularies()[vocabulary]
            values = raw["tables"][table].setdefault("values", {}).setdefault(name, {})
            options = ["", *known.values]
            current = values.get(text, values.get("*", ""))
            chosen = place.selectbox(
                f"{name.replace('_', ' ').capitalize()} “{text}” means", options,
                index=options.index(current) if current in options else 0,
                format_func=lambda value, known=known: known.label(value) if value else "Not known: rows are rejected",
                key=f"{key}-value-{table}-{name}-{text}",
            )  # fmt: skip
            values.pop(text, None)
            if chosen:
                values[text] = chosen


def _dates(raw: dict[str, Any], key: str) -> None:
    current = raw.get("date_formats")
    options = [*DATES, *(["As the mapping says"] if current not in DATES.values() else [])]
    at = next((i for i, name in enumerate(options) if DATES.get(name, current) == current), 0)
    chosen = st.selectbox("How dates are written", options, index=at, key=f"{key}-dates")
    if chosen in DATES:
        raw.pop("date_formats", None)
        if (formats := DATES[chosen]) is not None:
            raw["date_formats"] = formats


def _lists(raw: dict[str, Any], key: str) -> None:
    current = raw.get("vocabulary", {})
    chosen = dict(current)
    for name, place in zip(OWN_LISTS, _grid(len(OWN_LISTS), 3), strict=True):
        how = place.selectbox(
            f"Values of {LABELS.get(name, name).lower().replace('_', ' ')}", list(_HOW), index=list(_HOW).index(current.get(name, "")),
            format_func=lambda code: _HOW[code], key=f"{key}-list-{name}",
        )  # fmt: skip
        chosen.pop(name, None)
        if how:
            chosen[name] = how
    raw["vocabulary"] = chosen


def _completeness(raw: dict[str, Any], key: str) -> None:
    switches = raw.setdefault("completeness", {})
    switches["clean_validations"] = st.checkbox(
        "Validations without findings are in the files (without them there is no rate)",
        switches.get("clean_validations", True), key=f"{key}-clean",
    )  # fmt: skip
    switches["criteria_asked"] = st.checkbox(
        "It is known which criteria were looked at (without it there is no rate per criterion)",
        switches.get("criteria_asked", True), key=f"{key}-asked",
    )  # fmt: skip
