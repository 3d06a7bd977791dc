"""The statistics that answers are really made of: read off the questions that call them and their docstrings.

Sources are parsed, not imported: what is written beside a statistic is what the reader gets.
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TRIES = 20
ANALYSIS = Path(__file__).resolve().parent.parent

TOPICS: dict[str, str] = {
    "shares": "Shares, rates and what lies between two of them",
    "adjusting": "Like with like",
    "times": "Hours, days and time to an incident",
    "many": "Many at once",
    "series": "Series, limits and what stands out",
    "answers": "Answers and agreement",
}
"""Topic → its heading, in page order."""

_ELSEWHERE = ("equivalence",)
"""Modules that have a part of the page to themselves (`analysis.methods.verdicts`)."""

_TOPIC_OF = {
    "shares": ("proportions", "newcombe", "mover", "rates", "exact", "tables", "composition"),
    "adjusting": (
        "strata", "stratified_rates", "stratified_scores", "standardisation", "homogeneity", "random_effects", "logit",
        "clustered_logit", "bias_reduced", "g_computation", "weighting", "estimating", "paired", "power", "sensitivity",
    ),
    "times": ("durations", "geometric_means", "shift", "survival"),
    "many": ("multiplicity", "max_t", "stratified_max_t", "ranking", "shrinkage"),
    "series": ("trend", "change_points", "control_charts", "event_charts", "funnel", "scan", "surprise", "answer_patterns"),
    "answers": ("agreement", "rank_tests"),
}  # fmt: skip
"""Topic → modules, by the first part of their names."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """One statistic: where it is, what it is in a sentence, how it is made, and who published it."""

    module: str
    function: str
    what: str
    how: str
    references: tuple[str, ...]
    topic: str

    @property
    def name(self) -> str:
        """Module and function: ``strata.mh_difference``."""
        return f"{self.module}.{self.function}"


@cache
def statistics() -> tuple[Statistic, ...]:
    """Every statistic with a published source that some question calls, by topic, module and place in it."""
    wanted: dict[str, set[str]] = {}
    for path in sorted(ANALYSIS.rglob("*.py")):
        if path.parent.name not in ("stats", "methods"):
            for module, name in _called(path):
                wanted.setdefault(module, set()).add(name)
    found = [
        each
        for module, names in sorted(wanted.items())
        for each in _described(module)
        if each.function in names
    ]
    cited = [each for each in found if each.references and each.module not in _ELSEWHERE]
    order = list(TOPICS)
    return tuple(sorted(cited, key=lambda each: order.index(each.topic)))


def topics_used() -> dict[str, str]:
    """Topics of which an answer uses some statistic, with their headings, in page order."""
    used = {each.topic for each in statistics()}
    return {topic: heading for topic, heading in TOPICS.items() if topic in used}


@cache
def statistic(name: str) -> Statistic:
    """The statistic of that module and function, e.g. ``"strata.mh_difference"``.

    Raises
    ------
    KeyError
        When there is none: names are ours, so this is a mistake in the program.
    """
    module, function = name.split(".")
    for each in _described(module):
        if each.function == function:
            return each
    raise KeyError(name)


def plain(words: str) -> str:
    r"""Docstring text as a sentence on a page: one line, no markup.

    >>> plain("Limits are ``x / n``\nof `level`.")
    'Limits are x / n of level.'
    """
    return re.sub(r"`{1,2}([^`]+)`{1,2}", r"\1", " ".join(words.split()))


def _parsed(path: Path) -> ast.Module:
    """The syntax of a source file.

    Python 3.11 counts the depth of parsing for all threads together, and refuses a good source when two of them parse
    at once, as a server does while it starts.
    """
    source = path.read_text(encoding="utf-8")
    for _ in range(_TRIES):
        try:
            return ast.parse(source)
        except SystemError:
            time.sleep(0.05)
    return ast.parse(source)


def _called(path: Path) -> Iterator[tuple[str, str]]:
    """Modules of ``analysis.stats`` and the names that a file imports from them."""
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("analysis.stats."):
            yield from ((node.module.removeprefix("analysis.stats."), alias.name) for alias in node.names)


@cache
def _described(module: str) -> tuple[Statistic, ...]:
    topic = next(
        (t for t, modules in _TOPIC_OF.items() if any(f"{module}_".startswith(f"{m}_") for m in modules)),
        # Modules without a published source of their own stand under no topic.
        "",
    )
    tree = _parsed(ANALYSIS / "stats" / f"{module}.py")
    functions = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    return tuple(_of_docstring(module, node.name, ast.get_docstring(node) or "", topic) for node in functions)


def _of_docstring(module: str, function: str, text: str, topic: str) -> Statistic:
    prose = re.split(r"\n\n[A-Z][a-z]+\n-{3,}\n", text)[0].split("\n\n")
    cited = re.search(r"\nReferences\n-+\n(.*?)(?:\n\n|\Z)", text, re.DOTALL)
    # What follows a semicolon is a reference of its own only with an author and a year.
    parts = re.split(r";\s+(?=[A-Z][^;]*\((?:18|19|20)\d\d\))", cited[1]) if cited else ()
    references = tuple(plain(part) for part in parts)
    how = prose[1] if len(prose) > 1 else ""
    # A formula on lines of its own belongs to the sentence before it.
    for more in prose[2:]:
        if not how.endswith((",", ":")):
            break
        how = f"{how} {more}"
    return Statistic(module, function, plain(prose[0]), plain(how), references, topic)
