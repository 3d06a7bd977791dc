"""All metrics at a glance: one row a metric, as a table on a wide page and as blocks on a narrow one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from analysis.charts.markup import element, text
from analysis.charts.ruler import Ruler, ruler_bar
from analysis.charts.sparkline import sparkline
from analysis.charts.verdict import verdict_words
from analysis.results import Verdict

NO_VALUE = "–"


@dataclass(frozen=True, slots=True)
class GlanceRow:
    """One metric. All texts are display strings; `ruler` and the series are what is drawn.

    Parameters
    ----------
    group : str
        Heading the row stands under, e.g. "What is found". Rows of a group follow one another.
    label, unit : str
        Metric; second line, e.g. "points · margin 5".
    virtual, in_person : str
        Crude values of the two arms.
    difference, interval : str
        Adjusted difference (or ratio) and its interval, e.g. "−1.9" and "−4.4 to +0.6".
    verdict : Verdict
    n : str
        With thousands commas.
    ruler : Ruler or None
        None where nothing is judged.
    virtual_series, in_person_series : tuple of float or None
        Quarterly values on one axis of quarters; None where a quarter has too few.
    note : str
        Replaces the ruler in words, e.g. why there is no comparison.
    """

    group: str
    label: str
    unit: str
    virtual: str
    in_person: str
    difference: str
    interval: str
    verdict: Verdict
    n: str
    ruler: Ruler | None = None
    virtual_series: tuple[float | None, ...] = ()
    in_person_series: tuple[float | None, ...] = ()
    note: str = ""


def glance_table(
    rows: Sequence[GlanceRow],
    *,
    caption: str,
    arms: tuple[str, str] = ("Virtual", "In person"),
    ends: tuple[str, str] = ("worse, finds fewer", "better, finds more"),
    trend: str = "By quarter",
) -> str:
    """Every metric in one table, grouped.

    Parameters
    ----------
    rows : sequence of GlanceRow
    caption : str
        Name of the table for screen readers.
    arms : (str, str)
        Names of the two arms.
    ends : (str, str)
        What left and right of the ruler mean.
    trend : str
        Heading of the sparklines: solid virtual, dashed in person.
    """
    low, high = (element("span", text(word)) for word in (f"◂ {ends[0]}", f"{ends[1]} ▸"))
    heads = [
        ("Metric", "", text("Metric")),
        (arms[0], "number", text(arms[0])),
        (arms[1], "number", text(arms[1])),
        ("Adjusted difference", "number", "Adjusted<br>difference"),
        ("Ruler", "ruler-head", low + high),
        ("Verdict", "", text("Verdict")),
        (trend, "trend", text(trend)),
        ("n", "number", "n"),
    ]
    names = tuple(name for name, *_ in heads)
    head = element(
        "tr",
        "".join(
            element("th", shown, scope="col", role="columnheader", class_=css) for _, css, shown in heads
        ),
        role="row",
    )
    bodies = []
    for group, members in groupby(rows, key=lambda row: row.group):
        title = element("th", text(group), scope="rowgroup", colspan=str(len(heads)), role="rowheader")
        lines = element("tr", title, class_="group", role="row") if group else ""
        lines += "".join(_row(row, names) for row in members)
        bodies.append(element("tbody", lines, role="rowgroup"))
    table = element(
        "table",
        element("caption", text(caption), class_="unseen")
        + element("thead", head, role="rowgroup")
        + "".join(bodies),
        class_="numbers glance",
        role="table",
    )
    legend = element(
        "p", low + element("span", "shaded: within the margin") + high, class_="ruler-ends narrow"
    )
    return element("div", legend + table, class_="table-box")


def _row(row: GlanceRow, names: tuple[str, ...]) -> str:
    if row.ruler is not None:
        drawing = ruler_bar(row.ruler)
    else:
        drawing = element("span", text(row.note), class_="second") if row.note else ""
    trend = sparkline(row.virtual_series, second=row.in_person_series, width=96, height=26)
    cells = [
        (text(row.virtual or NO_VALUE), "number virtual"),
        (text(row.in_person or NO_VALUE), "number in_person"),
        (element("strong", text(row.difference or NO_VALUE)) + _second(row.interval), "number difference"),
        (drawing, "drawing"),
        (verdict_words(row.verdict), "says"),
        (trend, "trend"),
        (text(row.n), "number n"),
    ]
    head = element("th", text(row.label) + _second(row.unit), scope="row", role="rowheader")
    body = "".join(
        element("td", content, {"data-label": name}, class_=css, role="cell")
        for name, (content, css) in zip(names[1:], cells, strict=True)
    )
    return element("tr", head + body, role="row")


def _second(words: str) -> str:
    return element("span", text(words), class_="second") if words else ""
