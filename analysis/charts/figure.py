"""A figure: one picture with everything that travels with it.

Chart or table, the finding as its title, caption, text alternative, numbers behind it, the same numbers as
a person reads them, and the Python that rebuilds it. Pages, notebooks and briefings show the same record.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from textwrap import wrap
from typing import Any, Literal

import pandas as pd
from altair import Chart, LayerChart

from analysis.charts.marks import Role as Role
from analysis.charts.markup import caption_line, tag_box, text
from analysis.charts.vega_lite import vega_lite
from analysis.charts.verdict import VerdictCard

MOST_ALT_WORDS = 40

NOTEBOOK_TYPE = "application/vnd.vegalite.v5+json"
"""JupyterLab 4 bundles this renderer; what Altair emits by itself would fetch scripts from elsewhere."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One entry of a legend: the mark of a role and its name, e.g. ``KeyEntry("virtual", "Virtual")``."""

    role: Role
    label: str


@dataclass(frozen=True, slots=True)
class State:
    """Why there is nothing to draw: a fact in one sentence, and what to do next.

    `kind` is ``empty`` (nothing matches), ``too_small`` (too little to compare) or ``error``.
    """

    kind: Literal["empty", "too_small", "error"]
    fact: str
    next_step: str = ""


@dataclass(frozen=True)
class Figure:
    """One picture and what belongs to it.

    Exactly one of `chart`, `html` and `state` is shown: a state wins over a picture.

    Parameters
    ----------
    id : str
        Page and name, e.g. ``"virtual_vs_in_person.ways"``.
    title : str
        The finding; empty where the page says it in its own words above the figure.
    measure : str
        What is measured: the line under the title.
    caption : str
        Plain words after the tag: how to read the marks, unit and n, what is left out, period.
    alt : str
        Text alternative of at most 40 words.
    chart : altair chart or None
    html : str or None
        Markup of a table or card made by this package (every text in it escaped).
    key : tuple of KeyEntry
        Legend, in reading order.
    data : pandas.DataFrame
        Tidy raw numbers (fractions, not points) for download.
    table : pandas.DataFrame
        The same as display strings under headings a person reads: the twin of the picture.
    state : State or None
    tag : str
        ``"SYNTHETIC"``, or the dataset's name.
    synthetic : bool
    code : str
        Lines of Python that rebuild this figure in a notebook.
    finding : str
        The finding where there is no title: what a slide of this figure alone is called.
    card : VerdictCard or None
        The verdict this figure belongs to, which a slide sets beside the picture.
    drawn : dict or None
        The specification of a figure that has given its chart away, see `lighter`.
    """

    id: str
    title: str
    measure: str = ""
    caption: str = ""
    alt: str = ""
    chart: LayerChart | Chart | None = None
    html: str | None = None
    key: tuple[KeyEntry, ...] = ()
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    state: State | None = None
    tag: str = "SYNTHETIC"
    synthetic: bool = True
    code: str = ""
    finding: str = ""
    card: VerdictCard | None = None
    drawn: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if (words := len(self.alt.split())) > MOST_ALT_WORDS:
            raise ValueError(f"{self.id}: a text alternative of {words} words; at most {MOST_ALT_WORDS}")
        if not self.has_picture and self.html is None and self.state is None:
            raise ValueError(f"{self.id}: neither a chart nor a table nor a state to show")

    @property
    def name(self) -> str:
        """The id as one word for keys and file names: ``virtual_vs_in_person-ways``."""
        return self.id.replace(".", "-")

    @property
    def has_picture(self) -> bool:
        """Whether there is a chart to draw, as an object or as its specification."""
        return self.chart is not None or self.drawn is not None

    def lighter(self) -> Figure:
        """The same figure with the specification in place of the chart, which takes three times the memory."""
        return self if self.chart is None else replace(self, chart=None, drawn=self.specification)

    @cached_property
    def specification(self) -> dict[str, Any]:
        """The chart as Vega-Lite, each mark with its own data; read, never changed, because it is made once.

        Raises
        ------
        ValueError
            For a figure without a chart.
        """
        if self.drawn is not None:
            return self.drawn
        if self.chart is None:
            raise ValueError(f"{self.id} has no chart to draw")
        return vega_lite(self.chart) | {"description": self.alt}

    def to_csv(self) -> str:
        """The numbers behind the picture, each row saying which dataset it is from; without any, why there are none."""
        if self.state is not None and self.data.empty:
            words = f"{self.state.fact} {self.state.next_step}"
            return csv_of(pd.DataFrame({"note": [words], "dataset": [self.tag]}))
        return csv_of(self.data.assign(dataset=self.tag))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        if not self.has_picture or self.state is not None:
            return {"text/html": self._repr_html_(), "text/plain": f"{self.tag}: {self.title}. {self.alt}"}
        return {NOTEBOOK_TYPE: self._notebook_spec(), "text/plain": f"{self.tag}: {self.title}. {self.alt}"}

    def _notebook_spec(self) -> dict[str, object]:
        """The chart as JupyterLab draws it without the network; finding, tag and caption travel along."""
        spec = self.specification
        lines = [self.measure, *wrap(f"{self.tag} · {self.caption}", width=110)]
        return spec | {
            "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
            "title": {"text": self.title, "subtitle": lines, "anchor": "start", "offset": 12},
            "width": spec.get("width", 680),
        }

    def _repr_html_(self) -> str:
        body = self.html or ""
        if self.state is not None:
            body = f"<p><b>{text(self.state.fact)}</b> {text(self.state.next_step)}</p>"
        elif not body:
            body = self.table.to_html(index=False)
        head = f"<h4>{text(self.title)}</h4><p>{text(self.measure)}</p>"
        return head + body + caption_line(tag_box(self.tag, synthetic=self.synthetic), self.caption)


def csv_of(frame: pd.DataFrame) -> str:
    """A frame as CSV; text that a spreadsheet would take for a formula is led by an apostrophe."""
    return str(frame.map(_no_formula).rename(columns=_no_formula).to_csv(index=False))


def _no_formula(value: object) -> object:
    """A cell that no spreadsheet evaluates; numbers stay numbers."""
    if not isinstance(value, str):
        return value
    led = f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else value
    # A bare carriage return is not quoted, and what follows it would begin a row of its own.
    return led.replace("\r\n", "\n").replace("\r", "\n")
