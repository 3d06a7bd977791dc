"""Who may see what: the operator's list of people and groups, read anew whenever it changes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError
from analysis.toml import read_toml

HOURS = 12
_KEYS = {"groups_claim", "hours", "everything", "office"}
_ENTRY = {"emails", "groups"}


@dataclass(frozen=True, slots=True)
class Entry:
    """People and groups, and the field offices they see; all of the program where `offices` is None."""

    emails: frozenset[str]
    groups: frozenset[str]
    offices: tuple[str, ...] | None

    def names(self, email: str, groups: Collection[str]) -> bool:
        """Whether somebody is meant, by address or by a group."""
        return email.casefold() in self.emails or bool(self.groups & set(groups))


@dataclass(frozen=True, slots=True)
class AccessList:
    """The list as a whole: which claim of the ID token holds groups, and how long a sign-in lasts."""

    entries: tuple[Entry, ...]
    groups_claim: str = "groups"
    hours: float = HOURS

    def offices(self, email: str, groups: Collection[str]) -> tuple[str, ...] | None:
        """The field offices somebody sees, those of all entries together; None for the whole program.

        Raises
        ------
        PermissionError
            When the list does not name them.
        """
        meant = [entry for entry in self.entries if entry.names(email, groups)]
        if not meant:
            raise PermissionError(email)
        if any(entry.offices is None for entry in meant):
            return None
        return tuple(sorted({office for entry in meant for office in entry.offices or ()}))


def read_access_list(path: Path) -> AccessList:
    """Read the list.

    Raises
    ------
    AnalysisError
        When it cannot be understood: then nobody is let in.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise AnalysisError(f"the access list {path} cannot be read ({error.strerror}).") from error
    return _read(path, changed)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> AccessList:
    try:
        values = read_toml(path)
    except (OSError, ValueError) as error:
        raise AnalysisError(f"the access list {path} cannot be read: {error}.") from error
    _only(values, _KEYS, path)
    claim, hours = values.get("groups_claim", "groups"), values.get("hours", HOURS)
    if not isinstance(claim, str) or not claim:
        raise AnalysisError(f'{path}: groups_claim is the name of a claim, e.g. groups_claim = "groups".')
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours <= 24 * 30:
        raise AnalysisError(f"{path}: hours is how long a sign-in lasts, e.g. hours = {HOURS}.")
    entries = [_entry(given, path, None) for given in _tables(values, "everything", path)]
    for given in _tables(values, "office", path):
        offices = given.pop("offices", None)
        if not _texts(offices) or not offices:
            raise AnalysisError(f'{path}: an [[office]] needs its offices, e.g. offices = ["Miami"].')
        entries.append(_entry(given, path, tuple(offices)))
    if not entries:
        raise AnalysisError(f"{path} names nobody: add [[everything]] or [[office]] with emails or groups.")
    return AccessList(tuple(entries), claim, float(hours))


def _entry(given: dict[str, Any], path: Path, offices: tuple[str, ...] | None) -> Entry:
    _only(given, _ENTRY, path)
    emails, groups = given.get("emails", []), given.get("groups", [])
    if not _texts(emails) or not _texts(groups) or not (emails or groups):
        raise AnalysisError(f'{path}: an entry needs emails = ["…"] or groups = ["…"].')
    return Entry(frozenset(email.casefold() for email in emails), frozenset(groups), offices)


def _tables(values: dict[str, Any], name: str, path: Path) -> list[dict[str, Any]]:
    tables = values.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise AnalysisError(f"{path}: write [[{name}]], with two brackets.")
    return [dict(table) for table in tables]


def _only(values: dict[str, Any], known: set[str], path: Path) -> None:
    for key in values:
        if key not in known:
            raise AnalysisError(f"{path}: '{key}' is not understood; known are {', '.join(sorted(known))}.")


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)
