"""Figures of the page Methods: how every number is made, in words and tables. None of them counts anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.drawn_tables import Cell, Head, drawn_table
from analysis.charts.entries import Entry, entries, word_list, words_with_meaning
from analysis.charts.figure import Figure
from analysis.charts.markup import element, text
from analysis.charts.ruler import Ruler, ruler_bar
from analysis.charts.tables import plain_table
from analysis.charts.verdict import VERDICTS, verdict_words
from analysis.figures.captions import caption
from analysis.figures.comparison import METHODS, POPULATIONS
from analysis.methods.definitions import Definition, definitions
from analysis.methods.glossary import glossary as terms
from analysis.methods.guardrails import guardrails as all_guardrails
from analysis.methods.limits import CHALLENGES, LIMITS
from analysis.methods.statistics import TOPICS
from analysis.methods.statistics import statistics as all_statistics
from analysis.methods.verdicts import MARGIN, RULES, Example, Rule, rule_references
from analysis.methods.ways import Way
from analysis.methods.ways import ways as all_ways

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

TAG = "DEFINITIONS"
"""What stands where other figures name their dataset: nothing here is counted."""


def challenges(dataset: Dataset, selection: Selection) -> Figure:
    """Which number will be challenged, and where it comes from."""
    frame = pd.DataFrame(
        [(c.number, c.challenge, c.answer, c.comes_from, c.see) for c in CHALLENGES],
        columns=["Number", "Challenge", "Answer", "Comes from", "See"],
    )
    items = (
        Entry(
            f"challenge-{c.id}",
            c.number,
            f"“{c.challenge}”",
            (("Answer", c.answer), ("Comes from", f"{c.comes_from}. See {c.see}")),
        )
        for c in CHALLENGES
    )
    return _words(
        "methods.challenges",
        f"{len(CHALLENGES)} questions to have an answer to",
        "The number, what will be said of it, and where it comes from",
        "Where a number comes from is a file, a column or a part of the answer that exports carry",
        html=entries(items),
        data=frame,
        table=frame,
    )


def metrics(dataset: Dataset, selection: Selection) -> Figure:
    """Every success metric: what is counted, of what, against which margin, how judged, and how to read it."""
    defined = definitions(dataset)
    frame = pd.DataFrame(
        [(d.label, d.group, d.counts, d.out_of, d.bad_news, d.margin) for d in defined],
        columns=["Metric", "About", "Counts", "Out of", "Bad news", "Margin"],
    )
    items = (
        Entry(
            f"metric-{d.id}",
            d.label,
            d.question,
            (
                ("Counts", d.counts),
                ("Out of", d.out_of),
                ("Compared as", d.compared),
                ("Judged", _judged(d)),
                ("To read it", d.reading),
            ),
        )
        for d in defined
    )
    own = sum(1 for d in defined if "set on" in d.margin)
    return _words(
        "methods.metrics",
        f"{len(defined)} metrics, each defined once",
        "Pages, notebooks, command line and exports read the same definitions: data/metrics.toml",
        "Differences are virtual minus in person, ratios virtual over in person",
        f"{wording.counted(own, 'margin')} set by the program" if own else "Every margin is illustrative",
        html=entries(items),
        data=frame,
        table=frame,
    )


def ways(dataset: Dataset, selection: Selection) -> Figure:
    """Every way of asking: what it asks, of whom, what it assumes, when it is refused, and its source."""
    known = all_ways()
    frame = pd.DataFrame(
        [(_named(w), w.asks, POPULATIONS[w.population], "; ".join(w.references)) for w in known.values()],
        columns=["Way", "Asks", "Of whom", "Source"],
    )
    items = (
        Entry(
            f"way-{w.method.replace('_', '-')}",
            _named(w),
            w.asks,
            (
                ("Of whom", POPULATIONS[w.population][0].upper() + POPULATIONS[w.population][1:]),
                ("Does", w.does),
                ("Formula", w.formula),
                ("Assumes", w.assumes),
                ("Refused when", _refusals(w)),
                ("Source", "; ".join(w.references)),
                ("In Python", f"analysis.{w.made_by}"),
            ),
        )
        for w in known.values()
    )
    return _words(
        "methods.ways",
        f"{len(known)} ways of asking the same question",
        "They fail for different reasons: what they agree on does not rest on one of them",
        f"The verdict is read from “{METHODS['standardised', 'difference']}”, of times from "
        f"“{METHODS['mantel_haenszel', 'difference']}”",
        "Errors are clustered by specialist in all but the crude one",
        html=entries(items),
        data=frame,
        table=frame,
    )


def verdicts(dataset: Dataset, selection: Selection) -> Figure:
    """When each verdict is given, with intervals that show it."""
    heads = (Head("Verdict"), Head("Given when"), Head("For example", short="For example"))
    rows = [
        (Cell(drawing=verdict_words(r.verdict)), Cell(r.when, _because(r)), Cell(drawing=_drawn(r)))
        for r in RULES
    ]
    frame = pd.DataFrame(
        [
            (VERDICTS[r.verdict].words, r.when, _because(r) or "; ".join(map(_example, r.examples)))
            for r in RULES
        ],
        columns=["Verdict", "Given when", "For example"],
    )
    return _words(
        "methods.verdicts",
        "A verdict is read off one interval and one margin, never off a p-value",
        f"In the order in which the rules are tried; examples in points against a margin of {wording.margin_size(MARGIN)}",
        "Point and line: estimate and 95% interval; shaded: within the margin; right is good news for virtual",
        f"After {'; '.join(rule_references())}",
        html=drawn_table(heads, rows, caption="When each verdict is given"),
        data=frame,
        table=frame,
    )


def statistics(dataset: Dataset, selection: Selection, *, topic: str) -> Figure:
    """The statistics of one topic that answers are made of, with their sources; the topic is the figure's name."""
    used = [each for each in all_statistics() if each.topic == topic]
    frame = pd.DataFrame(
        [(s.what, s.how, "; ".join(s.references), f"analysis.stats.{s.name}") for s in used],
        columns=["Statistic", "How", "Source", "In Python"],
    )
    return _words(
        f"methods.{topic}",
        wording.counted(len(used), "published method"),
        "What each is, how it is made, and who published it",
        "Words and formulas are those written beside the function",
        html=plain_table(
            frame, caption=TOPICS[topic], numbers=(), second={"Statistic": "How", "Source": "In Python"}
        ),
        data=frame,
        table=frame,
    )


def guardrails(dataset: Dataset, selection: Selection) -> Figure:
    """Every reason why a number does not exist or should be read with care, by group."""
    known = all_guardrails()
    frame = pd.DataFrame(
        [(g.group, g.words, g.code) for g in known], columns=["About", "What is said", "Code in exports"]
    )
    groups = dict.fromkeys(g.group for g in known)
    parts = (
        element("h3", text(group)) + word_list(g.words for g in known if g.group == group) for group in groups
    )
    return _words(
        "methods.guardrails",
        f"{len(known)} reasons why a number is missing, or to be read with care",
        "A number that does not exist is never 0: one of these sentences stands in its place or beside it",
        "The table and the download name the codes that exports and the command line carry",
        html=element("div", "".join(parts), class_="terms"),
        data=frame,
        table=frame,
    )


def limits(dataset: Dataset, selection: Selection) -> Figure:
    """What the numbers cannot say, and what follows for a reader."""
    frame = pd.DataFrame(
        [(each.name, each.means, each.so) for each in LIMITS], columns=["Limit", "Means", "So"]
    )
    items = (Entry(f"limit-{e.id}", e.name, "", (("Means", e.means), ("So", e.so))) for e in LIMITS)
    return _words(
        "methods.limits",
        f"{len(LIMITS)} things these numbers cannot say",
        "What each means, and what to do about it",
        "They hold on every page, whatever the filters",
        html=entries(items),
        data=frame,
        table=frame,
    )


def glossary(dataset: Dataset, selection: Selection) -> Figure:
    """Every word explained once."""
    known = terms()
    frame = pd.DataFrame([(t.group, t.term, t.means) for t in known], columns=["About", "Word", "Means"])
    parts = (
        element("h3", text(group))
        + words_with_meaning((f"term-{t.id}", t.term, t.means) for t in known if t.group == group)
        for group in dict.fromkeys(t.group for t in known)
    )
    return _words(
        "methods.glossary",
        f"{len(known)} words, each explained once",
        "Find a word with the search of your browser",
        "In our own words: data/reference/glossary.toml",
        html=element("div", "".join(parts), class_="terms"),
        data=frame,
        table=frame,
    )


def _words(
    figure_id: str, title: str, measure: str, *said: str, html: str, data: pd.DataFrame, table: pd.DataFrame
) -> Figure:
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(*said),
        alt=f"{title}. {measure}.",
        html=html,
        data=data.rename(columns=str.lower),
        table=table,
        tag=TAG,
        synthetic=False,
    )


def _named(way: Way) -> str:
    return METHODS[way.method, "difference"]


def _refusals(way: Way) -> str | tuple[str, ...]:
    first = next(each for each in all_ways().values() if each.refused == way.refused)
    return tuple(map(reasons.words, way.refused)) if first is way else f"As “{_named(first)}”"


def _judged(definition: Definition) -> str:
    if not definition.primary:
        return definition.judged
    read_from = METHODS[definition.primary, "difference"]
    return f"{definition.bad_news}. Margin: {definition.margin}. Read from “{read_from}”."


def _because(rule: Rule) -> str:
    return " ".join(reasons.words(code) for code in rule.reasons)


def _drawn(rule: Rule) -> str:
    return "".join(
        _ruler(each) + element("span", text(_example(each)), class_="second") for each in rule.examples
    )


def _ruler(example: Example) -> str:
    return ruler_bar(Ruler(example.estimate, example.low, example.high, MARGIN, harmful=example.harmful))


def _example(example: Example) -> str:
    bounds = f"{wording.points(example.low)} to {wording.points(example.high)}"
    note = {
        "or_better": ": or finding more",
        "slightly_fewer": ": slightly fewer",
        "slightly_more": ": slightly more",
    }
    lower = ", where lower is good news" if example.harmful == "higher" else ""
    return f"{wording.points(example.estimate)} ({bounds}){lower}{note.get(example.nuance or '', '')}"
