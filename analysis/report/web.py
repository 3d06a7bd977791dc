"""A briefing as one web page: charts that answer the pointer, tables, and no request to anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import pandas as pd
import vl_convert

from analysis.charts.figure import KeyEntry
from analysis.charts.marks import MARKS
from analysis.charts.markup import element, text
from analysis.charts.tables import plain_table
from analysis.charts.theme import colour
from analysis.report.content import Content, Sheet
from analysis.report.pictures import specification, svg
from analysis.report.printed import (
    caption_of,
    changes_table,
    plain,
    remarks,
    sources,
    table_of,
    verdict_words,
)

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'unsafe-inline' 'unsafe-eval'"
)
"""Nothing is fetched from anywhere; the charts' expressions are compiled in the page."""
_STRETCHED = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}
_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 4rem; background: #fff; color: #15202B;
  font: 1rem/1.5 "Source Sans", "Source Sans 3", system-ui, sans-serif; font-variant-numeric: lining-nums tabular-nums; }
h1, h2, .verdict { font-family: "Source Serif", "Source Serif 4", Georgia, serif; line-height: 1.25; font-weight: 600; }
h1 { font-size: 2rem; margin: 0 0 .25rem; } h2 { font-size: 1.25rem; margin: 3rem 0 0; }
p { margin: .25rem 0; } .quiet, .caption, .measure { color: #4A5866; } .caption { font-size: .8125rem; max-width: 48rem; }
.tag { border: 1px solid #15202B; padding: .05rem .4rem; font-size: .6875rem; font-weight: 700; letter-spacing: .06em; color: #15202B; }
.tag.synthetic { border-left: .6rem solid; border-image: repeating-linear-gradient(135deg, #15202B 0 1px, #fff 1px 4px) 1; border-image-width: 1px 1px 1px .6rem; }
.verdict { font-size: 1.375rem; border-left: 6px solid; padding: .25rem 0 .25rem 1rem; margin: 1rem 0; }
.verdict p { font: 1rem/1.5 "Source Sans", system-ui, sans-serif; color: #15202B; }
.good { color: #0B6657; } .bad { color: #A3182F; } .unsure { color: #4A5866; }
.note { border-left: 2px solid #C3CDD6; padding-left: .75rem; white-space: pre-line; }
.chart { width: 100%; margin: .75rem 0; } .chart svg { max-width: 100%; height: auto; }
.table-box { overflow-x: auto; } table { border-collapse: collapse; font-size: .9375rem; margin: .75rem 0; }
caption { text-align: left; } .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #C3CDD6; font-weight: 400; vertical-align: top; }
thead th { border-bottom: 1.5px solid #15202B; font-weight: 600; color: #4A5866; } .number { text-align: right; }
@media print { .chart, h2, .verdict { break-inside: avoid; } }
"""


def html(content: Content, *, progress: Callable[[int, int, str], None] | None = None) -> str:
    """A briefing as one HTML file."""
    sections, specs = [], {}
    for place, sheet in enumerate(content.sheets):
        if progress:
            progress(place, len(content.sheets), sheet.title)
        name = f"chart-{place}"
        if sheet.figure.chart is not None and sheet.figure.state is None:
            # What is drawn takes its label from the description, in place of the one it had.
            specs[name] = specification(sheet.figure, 0) | _STRETCHED | {"description": sheet.figure.alt}
        sections.append(_section(content, sheet, name))
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{text(plain(content.briefing.title))}</title><style>{_STYLE}</style>"
    )
    body = (
        element("h1", text(plain(content.briefing.title)))
        + element("p", f"{_tag(content)} {text(content.scope)}", class_="quiet")
        + "".join(element("p", text(words)) for words in remarks(content))
        + "".join(sections)
        + _changes(content)
        + element("h2", "Where the numbers come from")
        + plain_table(pd.DataFrame(sources(content), columns=["What", "Which"]), caption="Sources")
    )
    scripts = f"<script>{_bundle()}</script><script>{_drawing(specs)}</script>" if specs else ""
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body><main>{body}</main>{scripts}</body></html>'
    )


def _section(content: Content, sheet: Sheet, name: str) -> str:
    made, numbers = sheet.figure, table_of(sheet.figure)
    parts = [element("h2", text(plain(sheet.title)))]
    if made.measure:
        parts.append(element("p", text(made.measure), class_="measure"))
    if sheet.entry.note:
        parts.append(element("p", text(sheet.entry.note), class_="note"))
    if said := verdict_words(made.card):
        lines = "".join(element("p", text(said[key])) for key in ("reason", "settle") if said[key])
        parts.append(element("div", text(said["words"]) + lines, class_=f"verdict {said['tone']}"))
    if made.key:
        parts.append(element("p", " ".join(_keyed(entry) for entry in made.key)))
    if made.state is not None:
        parts.append(element("p", text(f"{made.state.fact} {made.state.next_step}".strip())))
    elif made.chart is not None:
        # The drawn picture stands until the script replaces it: for print, and where scripts are off.
        parts.append(
            element("div", svg(made, width=860), id=name, class_="chart", role="img", aria_label=made.alt)
        )
    parts.append(
        element("p", f"{_tag(content)} {text(caption_of(sheet))} Figure {text(made.id)}.", class_="caption")
    )
    if not numbers.empty:
        table = plain_table(numbers, caption=sheet.title)
        opened = made.chart is None
        head = element("summary", f"The numbers ({len(numbers)} rows)")
        parts.append(table if opened else element("details", head + table))
    return element("section", "".join(parts))


def _keyed(entry: KeyEntry) -> str:
    drawn = MARKS[entry.role]
    shown = element(
        "span", drawn.character, style=f"color:{colour(drawn.shown, 'light')}", aria_hidden="true"
    )
    return f"{shown} {text(entry.label)}"


def _tag(content: Content) -> str:
    return element("span", text(content.tag), class_="tag synthetic" if content.synthetic else "tag")


def _changes(content: Content) -> str:
    moved = changes_table(content)
    if not content.changed:
        return ""
    body = (
        plain_table(moved, caption="What changed") if len(moved) else element("p", "No number of it changed.")
    )
    return element("h2", "What changed since this briefing was saved") + body


def _drawing(specs: dict[str, dict[str, object]]) -> str:
    # "</" would end the script wherever it stands in a text.
    given = json.dumps(specs).replace("</", "<\\/")
    return (
        f"const specs = {given};"
        "for (const [name, spec] of Object.entries(specs)) {"
        "const place = document.getElementById(name); place.replaceChildren();"
        "vegaEmbed(place, spec, {actions: false, renderer: 'svg'}); }"
    )


@cache
def _bundle() -> str:
    """The drawing library, as the chart converter brings it."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")).replace(
        "</script", "<\\/script"
    )
