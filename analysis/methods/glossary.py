"""The words of this app, each explained once: ``data/reference/glossary.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from analysis.schema import DATA_FOLDER


@dataclass(frozen=True, slots=True)
class Term:
    """One word of the glossary: `id` for links, the word as it is written, what it means, and its group."""

    id: str
    term: str
    means: str
    group: str


@cache
def glossary() -> tuple[Term, ...]:
    """All terms in the order of the file."""
    with open(DATA_FOLDER / "reference" / "glossary.toml", "rb") as file:
        groups = tomllib.load(file)["group"]
    return tuple(Term(**term, group=group["name"]) for group in groups for term in group["term"])
