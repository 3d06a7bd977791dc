"""Entries to read and to link to: a name and a lead at the left, facts at the right; and words with their meaning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analysis.charts.markup import element, text


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing explained.

    `anchor` is what a link ends in; `facts` are pairs of a short heading and its words, empty words dropped. Several
    words under one heading are a list.
    """

    anchor: str
    name: str
    lead: str = ""
    facts: tuple[tuple[str, str | tuple[str, ...]], ...] = ()


def entries(items: Iterable[Entry]) -> str:
    """Entries one below the other; name above facts on a narrow page.

    >>> entries([Entry("way-crude", "Crude", "As counted", (("Source", "Newcombe (1998)"), ("Formula", "")))])[:60]
    '<div class="entries"><div class="entry" id="way-crude"><div>'
    """
    return element("div", "".join(_entry(each) for each in items), class_="entries")


def words_with_meaning(items: Iterable[tuple[str, str, str]]) -> str:
    """A list of (anchor, word, meaning) in two columns on a wide page."""
    pairs = "".join(
        element("div", element("dt", text(word)) + element("dd", text(meaning)), id=anchor)
        for anchor, word, meaning in items
    )
    return element("dl", pairs, class_="meanings")


def word_list(sentences: Iterable[str]) -> str:
    """Sentences as a list, in two columns on a wide page."""
    return element(
        "div", element("ul", "".join(element("li", text(each)) for each in sentences)), class_="sentences"
    )


def _entry(entry: Entry) -> str:
    head = element("h3", text(entry.name))
    if entry.lead:
        head += element("p", text(entry.lead), class_="quiet")
    facts = "".join(
        element("div", element("dt", text(name)) + element("dd", _words(words)))
        for name, words in entry.facts
        if words
    )
    return element(
        "div", element("div", head) + element("dl", facts, class_="facts"), class_="entry", id=entry.anchor
    )


def _words(words: str | tuple[str, ...]) -> str:
    if isinstance(words, str):
        return text(words)
    return element("ul", "".join(element("li", text(each)) for each in words))
