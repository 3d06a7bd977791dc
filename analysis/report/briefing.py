"""A briefing: which figures, of which selection, under which titles; a small TOML file that people can read.

What the figures showed when the briefing was saved is kept beside them, so that the same briefing on newer data
can say what changed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from analysis.errors import AnalysisError, nearest
from analysis.selection import LISTS
from analysis.toml import parsed_toml, toml_text

VERSION = 1
"""Version of the file's form."""
MOST_FIGURES = 200
MOST_WORDS = 2_000
"""Characters of a title or note: more is no title, and a file is not a place to store data."""

Query = Mapping[str, tuple[str, ...]]
"""A selection in the form of the address: option → values."""

_FILTERS = (*(option for option, _ in LISTS.values()), "from", "to")
_BRIEFING_KEYS = {"version", "title", "dataset", "fingerprint", "as_of", "suppress", "selection", "figures"}
_NO_SETTINGS = {"figure_id", "dataset", "selection", "palette", "suppress", "view", "key"}
"""What a figure is told by the briefing or the page, so that no file can tell it otherwise."""
_FIGURE_KEYS = {"id", "title", "note", "settings", "selection", "numbers"}


@dataclass(frozen=True, slots=True)
class Number:
    """One number a figure showed: what it is, its value, and its interval where it has one."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One figure of a briefing.

    `settings` are what the figure was asked for (a metric, an order); `selection` its own filters, or None for those
    of the briefing; `title` and `note` are the presenter's, empty for the figure's own title and none;
    `numbers` what it showed when the briefing was saved.
    """

    figure: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    selection: Query | None = None
    title: str = ""
    note: str = ""
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True, slots=True)
class Briefing:
    """Figures in order, with what they are asked of.

    `dataset`, `fingerprint` and `as_of` describe the data it was saved on, empty for a template. With `suppress`
    counts of 1 to 4 are hidden in every export.
    """

    title: str
    entries: tuple[Entry, ...] = ()
    selection: Query = field(default_factory=dict)
    dataset: str = ""
    fingerprint: str = ""
    as_of: dt.date | None = None
    suppress: bool = True

    def to_toml(self) -> str:
        """The briefing as a file; `parsed_briefing` reads it back."""
        out: dict[str, Any] = {"version": VERSION, "title": self.title}
        out |= {name: value for name in ("dataset", "fingerprint", "as_of") if (value := getattr(self, name))}
        out["suppress"] = self.suppress
        if self.selection:
            out["selection"] = _listed(self.selection)
        out["figures"] = [_entry_to_dict(entry) for entry in self.entries]
        return tomli_w.dumps(out)

    def with_entry(self, entry: Entry) -> Briefing:
        """The briefing with one more figure at its end."""
        return dataclasses.replace(self, entries=(*self.entries, entry))


def read_briefing(path: Path) -> Briefing:
    """Read a briefing from a file.

    Raises
    ------
    AnalysisError
        When it cannot be read or is no briefing: every problem in one sentence.
    """
    try:
        text = toml_text(path)
    except (OSError, ValueError) as error:
        raise AnalysisError(
            f"{path.name} cannot be read as a briefing: give a TOML file saved here before."
        ) from error
    return parsed_briefing(text, path.name)


def parsed_briefing(text: str, name: str = "the briefing") -> Briefing:
    """Read a briefing from the text of its file.

    Raises
    ------
    AnalysisError
        Naming the file and everything in it that is not as it should be.
    """
    try:
        raw = parsed_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise AnalysisError(f"{name} is not valid TOML ({error}): mend that line.") from error
    problems = _problems(raw)
    if problems:
        raise AnalysisError(f"{name}: {'; '.join(problems)}.")
    return Briefing(
        title=raw["title"],
        entries=tuple(_entry(each) for each in raw.get("figures", [])),
        selection=_query(raw.get("selection", {})),
        dataset=raw.get("dataset", ""),
        fingerprint=raw.get("fingerprint", ""),
        as_of=raw.get("as_of"),
        suppress=raw.get("suppress", True),
    )


def _entry(raw: Mapping[str, Any]) -> Entry:
    return Entry(
        figure=raw["id"],
        settings=dict(raw.get("settings", {})),
        selection=_query(raw["selection"]) if "selection" in raw else None,
        title=raw.get("title", ""),
        note=raw.get("note", ""),
        numbers=tuple(Number(**{"value": None, **each}) for each in raw.get("numbers", [])),
    )


def _entry_to_dict(entry: Entry) -> dict[str, Any]:
    out: dict[str, Any] = {"id": entry.figure}
    out |= {name: value for name in ("title", "note") if (value := getattr(entry, name))}
    if settings := {name: value for name, value in entry.settings.items() if value is not None}:
        out["settings"] = settings
    if entry.selection is not None:
        out["selection"] = _listed(entry.selection)
    if entry.numbers:
        out["numbers"] = [
            {name: value for name, value in dataclasses.asdict(number).items() if value is not None}
            for number in entry.numbers
        ]
    return out


def _listed(query: Query) -> dict[str, list[str]]:
    return {option: list(values) for option, values in query.items() if values}


def _query(raw: Mapping[str, Any]) -> Query:
    out = {}
    for option, values in raw.items():
        # A date may be written as a date, a single value without its list.
        many = values if isinstance(values, list) else [values]
        out[option] = tuple(value.isoformat() if isinstance(value, dt.date) else str(value) for value in many)
    return out


def _problems(raw: Mapping[str, Any]) -> list[str]:
    problems = [
        f"'{key}' is no part of a briefing, {nearest(key, _BRIEFING_KEYS)}"
        for key in raw.keys() - _BRIEFING_KEYS
    ]
    if raw.get("version", VERSION) != VERSION:
        problems.append(f"its version is {raw['version']!r} and this program reads {VERSION}")
    if not isinstance(raw.get("title"), str) or not raw["title"].strip():
        problems.append("it needs a title in words")
    for key, kind, words in (
        ("dataset", str, "text"), ("fingerprint", str, "text"), ("as_of", dt.date, "a date"), ("suppress", bool, "true or false"),
    ):  # fmt: skip
        if key in raw and not isinstance(raw[key], kind):
            problems.append(f"{key} must be {words}")
    problems += _selection_problems(raw.get("selection", {}), "its selection")
    figures = raw.get("figures", [])
    if not isinstance(figures, list):
        return [*problems, "figures must be a list: write [[figures]] before each"]
    if len(figures) > MOST_FIGURES:
        return [*problems, f"it names {len(figures)} figures, and {MOST_FIGURES} are the most"]
    for place, each in enumerate(figures, 1):
        problems += _figure_problems(each, f"figure {place}")
    return problems


def _figure_problems(raw: object, where: str) -> list[str]:
    if not isinstance(raw, dict):
        return [f"{where} must be a table: write [[figures]] before it"]
    problems = [
        f"{where}: '{key}' is not known, {nearest(key, _FIGURE_KEYS)}" for key in raw.keys() - _FIGURE_KEYS
    ]
    if not isinstance(raw.get("id"), str):
        problems.append(f'{where} needs an id such as "overview.statistics"')
    for key in ("title", "note"):
        if not isinstance(raw.get(key, ""), str):
            problems.append(f"{where}: its {key} must be text")
        elif len(raw.get(key, "")) > MOST_WORDS:
            problems.append(f"{where}: its {key} is longer than {MOST_WORDS:,} characters")
    settings = raw.get("settings", {})
    if not isinstance(settings, dict) or not all(
        isinstance(v, str | int | float | bool) for v in settings.values()
    ):
        problems.append(f"{where}: its settings must be names with plain values")
    elif taken := sorted(settings.keys() & _NO_SETTINGS):
        problems.append(f"{where}: '{taken[0]}' is no setting of a figure")
    if "selection" in raw:
        problems += _selection_problems(raw["selection"], f"{where}: its selection")
    numbers = raw.get("numbers", [])
    if not isinstance(numbers, list) or not all(_is_number(each) for each in numbers):
        problems.append(f"{where}: its numbers must each have a label and a value")
    return problems


def _selection_problems(raw: object, where: str) -> list[str]:
    if not isinstance(raw, dict):
        return [f"{where} must be a table of filters"]
    return [f"{where}: '{key}' is no filter, {nearest(key, _FILTERS)}" for key in raw.keys() - set(_FILTERS)]


def _is_number(raw: object) -> bool:
    if (
        not isinstance(raw, dict)
        or not isinstance(raw.get("label"), str)
        or raw.keys() - {"label", "value", "low", "high"}
    ):
        return False
    values = [raw[key] for key in ("value", "low", "high") if key in raw]
    return all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in values)


def tidy_query(query: Mapping[str, Sequence[str]]) -> Query:
    """A selection in the form of the address, as a briefing keeps it."""
    return {option: tuple(values) for option, values in query.items() if values}
