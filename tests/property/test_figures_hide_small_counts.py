"""In a whole figure – picture, tooltips, table, download, words – no count of 1 to 4 is shown or can be had from the rest.

Nothing of the figures' own code is used: what they show is read as a reader would, and held against the same figure
with every count in it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.charts.figure import Figure
from analysis.datasets.opening import Dataset
from analysis.figures.registry import figure, registry
from analysis.questions.asking import answered_by
from analysis.selection import Selection

SMALL = range(1, 5)

NO_COUNTS = {
    # estimates, limits, p-values, ranks, codes
    "adjusted", "adjusted_p", "after", "alpha", "before", "by_mix", "by_rate", "change", "change_high", "change_low",
    "changed_in", "day", "difference", "dispersion", "estimate", "expected", "expected_repeat", "gwet", "high",
    "in_person_estimate", "in_top_ten", "kappa", "level", "load", "lost_high", "lost_low", "lost_share", "low", "max_t_p",
    "median", "minutes", "p_value", "q_value", "rank", "rank_high", "rank_low", "rate", "rate_in_person", "rate_virtual",
    "ratio", "risk", "round_q_value", "score", "share", "share_high", "share_in_person", "share_low", "share_virtual",
    "shift", "shrunken", "shrunken_high", "shrunken_low", "shrunken_rate", "tau", "virtual_estimate", "z", "half", "value",
    "compared_p_value", "compared_estimate", "compared_low", "compared_high", "margin", "median_days_to_close",
    # counts, of things that are nobody's records: criteria of the catalogue, offices, years, units that half lie on
    "criteria", "offices", "offices_above", "years", "years_above", "half_of_incidents_on",
    "months",
}  # fmt: skip
"""Columns of downloads in which 1 to 4 counts no records; any other number of 1 to 4 is a count."""

DISTRIBUTIONS = ("hours", "sites", "minutes_lost", "days_to_report", "days_to_close")
AMOUNTS = {f"virtual_vs_in_person.{name}": {"low", "high"} for name in DISTRIBUTIONS} | {
    "virtual_vs_in_person.effort": {"virtual", "in_person"},
    "virtual_vs_in_person.balance": {"virtual", "in_person"},
}
"""Columns that are hours, days or distances in some figures."""

PLACES = {
    "arm", "at", "base", "bottom", "centre", "column", "high", "left", "low", "right", "row", "score", "side", "start",
    "stretch", "top", "x", "y", "order", "middle", "named", "estimate", "value", "day", "lane", "tone", "depth", "low_95",
    "high_95", "low_998", "high_998", "year", "step", "end",
    # ranks, and percentages without their sign
    "place", "words",
}  # fmt: skip
"""Columns of charts that say where a mark is drawn, a rank, or a percentage without its sign."""

HEADINGS = {
    "Criteria", "Fiscal years above", "Offices above", "Half of incidents on", "In person, median", "Virtual, median",
    "Rank", "Rank range", "Rules", "Deficiencies per criterion", "Variation", "Months without any",
}  # fmt: skip
"""Headings of tables under which 1 to 4 counts no records."""

PARTS = [
    ("count", "n"), ("events", "n"), ("must_count", "must_n"), ("should_count", "should_n"), ("virtual_count", "virtual_n"),
    ("in_person_count", "in_person_n"), ("virtual_events", "virtual_n"), ("in_person_events", "in_person_n"),
    ("events_virtual", "n_virtual"), ("events_in_person", "n_in_person"), ("round_hours", "timed"), ("timed", "n"),
    ("lost", "timed"), ("not_verified", "verifiable"), ("overdue", "due"), ("filled", "n"), ("must_count", "count"),
    ("should_count", "count"), ("opened", "n"), ("closed", "opened"),
]  # fmt: skip
"""A count and what it is a part of, where both stand in one row."""

MADE_OF = {
    "count": ("share", "rate", "low", "high", "share_low", "share_high", "load"),
    "must_count": ("must_rate", "must_low", "must_high"),
    "should_count": ("should_rate", "should_low", "should_high"),
    "lost": ("lost_share", "lost_low", "lost_high"),
    "not_verified": ("not_verified_rate",),
    "filled": ("share",),
    "events_virtual": ("rate_virtual", "share_virtual"),
    "events_in_person": ("rate_in_person", "share_in_person"),
    "virtual_events": ("virtual_estimate", "virtual_low", "virtual_high"),
    "in_person_events": ("in_person_estimate", "in_person_low", "in_person_high"),
}
"""What a row may not tell when it hides a count."""

ADD_UP: dict[str, list[tuple[str, list[str]]]] = {
    "overview.months": [("n", [])],
    "msc_deficiencies.categories": [("count", [])],
    "msc_deficiencies.rates": [("count", []), ("n", [])],
    "msc_deficiencies.criteria": [("count", [])],
    "msc_deficiencies.reasons": [("count", [])],
    "msc_deficiencies.reason_categories": [("count", ["category"])],
    "msc_deficiencies.trends": [("count", ["category"])],
    "msc_deficiencies.repeats": [("count", []), ("n", [])],
    "incidents.seals": [("count", [])],
    "incidents.contraband": [("count", [])],
    "incidents.concealment": [("count", ["column"])],
    "incidents.rates": [("count", [])],
    "maritime.routes": [("count", [])],
    "maritime.terminals": [("count", [])],
    "maritime.seals": [("count", [])],
    "feedback.scores": [("count", ["respondent", "item", "mode"])],
    "virtual_vs_in_person.mix": [("n_virtual", []), ("n_in_person", []), ("events_virtual", [])],
    "virtual_vs_in_person.groups": [("virtual_n", []), ("in_person_n", []), ("virtual_events", [])],
    "anomalies.offices": [("n", []), ("count", [])],
    "anomalies.specialists": [("n", []), ("count", [])],
    "data.completeness": [("n", []), ("filled", []), ("n", ["field_office"]), ("filled", ["field_office"])],
} | {f"virtual_vs_in_person.{name}": [("count", ["mode"])] for name in DISTRIBUTIONS}  # fmt: skip
"""Columns whose rows add up, within the values of others, to a total that the figure tells."""

UNITS = (
    "validation|incident|deficien|finding|member|pair|answer|respon|analys|virtual|in person|in-person|hybrid|without|"
    "that do|outside|done by"
)
NOT_RECORDS = "recorded values|check|criteri|categor|office|field|quarter|route|group|way|metric|specialist"


def small(value: object) -> bool:
    """Whether something is a number from 1 to 4."""
    if isinstance(value, str):
        return bool(re.fullmatch(r"[1-4]", value))
    return isinstance(value, int | float) and not isinstance(value, bool) and value in SMALL


def number(text: str) -> int:
    """A number as people read it."""
    return int(text.replace(",", ""))


def told_in_words(text: str) -> list[str]:
    """Small counts that stand in a sentence: as n, before a unit, or as a part of a whole."""
    plain = re.sub(r"<[^>]+>", " ", text)
    if plain != text:
        # Cells of a table run together here; what is a part of what is read in the table itself.
        plain = plain.replace(" of ", " / ")
    found = re.findall(r"\bn = [1-4]\b(?![,.]\d)", plain)
    found += re.findall(rf"(?<![\d.,–−-])\b[1-4] (?:{UNITS})\w*", plain)
    for part, whole, unit in re.findall(
        r"(?<![\d.,])([\d,]*\d) of (?:the )?([\d,]*\d)(?![\d.,]*\d) ?([\w ]*)", plain
    ):
        k, n = number(part), number(whole)
        if (k in SMALL or n in SMALL or n - k in SMALL) and not re.match(NOT_RECORDS, unit):
            found.append(f"{part} of {whole} {unit[:20]}")
    return found


def told_in_frame(kind: str, figure_id: str, frame: pd.DataFrame) -> Iterator[str]:
    """Small counts that stand in a download, a table, or the data of a chart."""
    free = {"download": NO_COUNTS | AMOUNTS.get(figure_id, set()), "table": HEADINGS, "chart": PLACES}[kind]
    for column in frame:
        for value in frame[column]:
            if column not in free and small(value):
                yield f"{kind}, {column}: {value}"
            if isinstance(value, str) and column not in free:
                yield from (f"{kind}, {column}: {words}" for words in told_in_words(value))


def told_in_rows(figure_id: str, frame: pd.DataFrame) -> Iterator[str]:
    """Small counts that one row of a download gives by subtraction, or by what is made of a hidden count."""
    for row in frame.to_dict("records"):
        for part, whole in PARTS:
            k, n = row.get(part), row.get(whole)
            if k is not None and n is not None and not pd.isna(k) and not pd.isna(n) and n - k in SMALL:
                yield f"{whole} − {part}: {n} − {k}"
        for count, made in MADE_OF.items():
            if count in row and pd.isna(row[count]):
                ends = AMOUNTS.get(figure_id, set())
                told = [name for name in made if name not in ends and pd.notna(row.get(name))]
                yield from (f"{name} of a hidden {count}" for name in told)


def told_by_totals(shown: Figure, whole: Figure) -> Iterator[str]:
    """Small counts that a total gives, less the rows that are shown; the hidden ones are those of the whole figure."""
    for column, by in ADD_UP.get(shown.id, []):
        if column not in shown.data or column not in whole.data:
            continue
        true, left = (grouped(frame, column, by) for frame in (whole.data, shown.data))
        for key, values in true.items():
            hidden = Counter(values) - Counter(left.get(key, []))
            counts = [count for count in hidden.elements() if count]
            if not counts or not left.get(key) or not total_told(shown, key):
                continue
            if sum(counts) in SMALL or len(counts) == 1:
                yield f"{column} in {key}: {counts} by subtraction"


def total_told(shown: Figure, key: Any) -> bool:
    """Whether the figure tells the total of some rows: of a category by quarter, as its overall rate."""
    if shown.id != "msc_deficiencies.trends":
        return True
    overall = shown.table.set_index("Category")["Overall"]
    return bool(overall[key[0]] != "–")


def grouped(frame: pd.DataFrame, column: str, by: list[str]) -> dict[Any, list[int]]:
    """Numbers of a column within the values of others."""
    known = frame[frame[column].notna()]
    if not by:
        return {"all": [int(v) for v in known[column]]}
    return {key: [int(v) for v in part[column]] for key, part in known.groupby(by)}


def pictured(shown: Figure) -> Iterator[str]:
    """Small counts in the data behind the marks of a chart, their tooltips and descriptions, and what hides nothing."""
    if shown.chart is None:
        return
    for rows in shown.chart.to_dict().get("datasets", {}).values():
        frame = pd.DataFrame(rows)
        yield from told_in_frame("chart", shown.id, frame)
        for row in rows:
            if any(value == "not shown" for value in row.values()):
                drawn = [row[name] for name in ("estimate", "high", "value") if row.get(name) is not None]
                if drawn:
                    yield f"drawn although not shown: {row}"


def leaks(shown: Figure, whole: Figure) -> list[str]:
    """Everything by which a figure tells a small count."""
    words = [shown.title, shown.measure, shown.caption, shown.alt, shown.finding, shown.html or ""]
    if shown.state is not None:
        words += [shown.state.fact, shown.state.next_step]
        return [found for text in words for found in told_in_words(text)]
    out = [found for text in words for found in told_in_words(text)]
    download, table = shown.data, shown.table
    if shown.id == "incidents.concentration":
        # Offices and terminals are no records; members are.
        download, table = download[download["unit"] == "member"], table[table["Unit"] == "Members"]
    out += told_in_frame("download", shown.id, download)
    out += told_in_frame("table", shown.id, table)
    return [*out, *told_in_rows(shown.id, shown.data), *pictured(shown), *told_by_totals(shown, whole)]


@pytest.fixture(scope="module")
def remembered() -> Callable[..., Any]:
    """Answers shared by figures, and by the two drawings of each."""
    kept: dict[str, Any] = {}

    def ask(question: Callable[..., Any], *subject: Any, **settings: Any) -> Any:
        parts = [getattr(part, "identity", part) for part in subject]
        key = repr((question.__module__, question.__qualname__, parts, sorted(settings.items())))
        if key not in kept:
            kept[key] = question(*subject, **settings)
        return kept[key]

    return ask


FIGURES = [name for name, spec in registry().items() if spec.reads != "published"]
# Without models and bootstraps, so that many selections can be asked.
SLOW = (
    "msc_deficiencies.reasons", "msc_deficiencies.rates", "msc_deficiencies.seen_by", "feedback.scores", "incidents.rates",
    "overview.statistics",
)  # fmt: skip
QUICK = [
    name
    for name in FIGURES
    if name.startswith(("msc_deficiencies", "incidents", "maritime", "data", "overview", "feedback"))
    and name not in SLOW
]


def found_in(
    names: list[str], dataset: Dataset, selection: Selection, ask: Callable[..., Any]
) -> dict[str, list[str]]:
    out = {}
    for name in names:
        with answered_by(ask):
            shown = figure(name, dataset, selection, suppress=True)
            whole = figure(name, dataset, selection) if name in ADD_UP else shown
        if told := leaks(shown, whole):
            out[name] = sorted(set(told))[:6]
    return out


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(offices=("Miami",), modes=("virtual",), start=dt.date(2020, 7, 1)),
    ],
    ids=["everything", "Miami, virtual, since July 2020"],
)
def test_no_figure_tells_a_small_count(
    selection: Selection, small_demo: Dataset, remembered: Callable[..., Any]
) -> None:
    assert found_in(FIGURES, small_demo, selection, remembered) == {}


def test_nor_where_only_some_of_it_is_small(demo: Dataset, remembered: Callable[..., Any]) -> None:
    assert found_in(QUICK, demo, Selection(offices=("Newark", "Miami")), remembered) == {}


@given(
    office=st.sampled_from([(), ("Buffalo",), ("Houston", "Newark")]),
    mode=st.sampled_from([(), ("virtual",), ("in_person",)]),
    start=st.dates(dt.date(2018, 1, 1), dt.date(2022, 6, 1)),
    days=st.integers(20, 1200),
)
@settings(max_examples=3)
def test_nor_in_any_selection(
    office: tuple[str, ...], mode: tuple[str, ...], start: dt.date, days: int,
    small_demo: Dataset, remembered: Callable[..., Any],
) -> None:  # fmt: skip
    chosen = Selection(offices=office, modes=mode, start=start, end=start + dt.timedelta(days=days))
    assert found_in(QUICK, small_demo, chosen, remembered) == {}


def test_the_reader_sees_what_is_there(small_demo: Dataset, remembered: Callable[..., Any]) -> None:
    """With nothing hidden the same reading finds small counts: it can fail."""
    with answered_by(remembered):
        for name in ("msc_deficiencies.criteria", "msc_deficiencies.reason_categories", "data.completeness"):
            made = figure(name, small_demo)
            assert leaks(made, made), name
