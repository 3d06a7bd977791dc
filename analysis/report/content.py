"""A briefing asked of a dataset: what every format writes, made once, so that all of them say the same."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis import wording
from analysis.charts.figure import Figure
from analysis.errors import AnalysisError
from analysis.figures import figure, registry
from analysis.questions.asking import keeping
from analysis.questions.sharing import sharing
from analysis.report.briefing import Briefing, Entry
from analysis.report.changes import Change, changes, numbers_of
from analysis.selection import Selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset


@dataclass(frozen=True, slots=True)
class Sheet:
    """One figure of a briefing as it is on this dataset, with the title to print and what changed since it was saved."""

    entry: Entry
    figure: Figure
    title: str
    selection: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """A briefing on a dataset.

    `problems` are sentences on what was asked for and is not there (a figure, a filter); `changed` says that the
    data are others than those it was saved on, empty where they are the same or none are named. `scope` is the line
    under the title: period, offices, further filters, as-of date.
    """

    briefing: Briefing
    sheets: tuple[Sheet, ...]
    dataset: str
    fingerprint: str
    as_of: dt.date
    tag: str
    synthetic: bool
    scope: str
    problems: tuple[str, ...] = ()
    changed: str = ""


@keeping()
@sharing()
def content_of(
    briefing: Briefing, dataset: Dataset, *, progress: Callable[[int, int, str], None] | None = None
) -> Content:
    """Ask a briefing of a dataset.

    A figure or filter that is gone is named in `problems`, and the rest is made.

    Parameters
    ----------
    briefing : Briefing
    dataset : Dataset
    progress : callable, optional
        Called before each figure with how many are done, how many there are, and what comes next.

    Raises
    ------
    AnalysisError
        When none of its figures can be made.
    """
    common, ignored = Selection.from_query(briefing.selection, dataset)
    problems = [f"The filter {each} is not in this dataset and was not applied." for each in ignored]
    sheets = []
    for place, entry in enumerate(briefing.entries):
        if progress:
            progress(place, len(briefing.entries), entry.title or entry.figure)
        selection = common
        if entry.selection is not None:
            selection, ignored = Selection.from_query(entry.selection, dataset)
            problems += [
                f"{entry.figure}: the filter {each} is not in this dataset and was not applied."
                for each in ignored
            ]
        try:
            made = _made(entry, dataset, selection, suppress=briefing.suppress)
        except AnalysisError as error:
            problems.append(f"{entry.figure} was left out: {error}")
            continue
        since = changes(entry.numbers, numbers_of(made)) if entry.numbers else ()
        words = selection.words(dataset) if selection != common else ""
        sheets.append(Sheet(entry, made, entry.title or made.title or made.finding, words, since))
    if briefing.entries and not sheets:
        raise AnalysisError(f"none of its {len(briefing.entries)} figures can be made. {' '.join(problems)}")
    return Content(
        briefing=briefing,
        sheets=tuple(sheets),
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        as_of=dataset.as_of,
        tag=dataset.tag,
        synthetic=dataset.synthetic,
        scope=f"{common.words(dataset)} · data as of {wording.date(dataset.as_of)}",
        problems=tuple(dict.fromkeys(problems)),
        changed=_changed(briefing, dataset),
    )


def saved(briefing: Briefing, content: Content, dataset: Dataset) -> Briefing:
    """The briefing with what it shows now, to be compared with later data."""
    shown = {id(sheet.entry): numbers_of(sheet.figure) for sheet in content.sheets}
    entries = tuple(
        dataclasses.replace(entry, numbers=shown.get(id(entry), entry.numbers)) for entry in briefing.entries
    )
    return dataclasses.replace(
        briefing, entries=entries, dataset=dataset.name, fingerprint=dataset.fingerprint, as_of=dataset.as_of
    )


def _made(entry: Entry, dataset: Dataset, selection: Selection, *, suppress: bool) -> Figure:
    if entry.figure not in registry():
        raise AnalysisError("there is no figure of this name.")
    try:
        return figure(entry.figure, dataset, selection, palette="light", suppress=suppress, **entry.settings)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        # A setting the figure does not take: the file is of another version, or was edited by hand.
        if entry.settings:
            given = ", ".join(f"{name} {value!r}" for name, value in entry.settings.items())
            raise AnalysisError(f"it cannot be asked for {given}.") from error
        raise


def _changed(briefing: Briefing, dataset: Dataset) -> str:
    if not briefing.fingerprint or briefing.fingerprint == dataset.fingerprint:
        return ""
    then = f", as of {wording.date(briefing.as_of)}" if briefing.as_of else ""
    other = f"on other data ({briefing.dataset}{then})" if briefing.dataset else f"on other data{then}"
    return f"This briefing was saved {other}; the numbers here are of {dataset.name}, as of {wording.date(dataset.as_of)}."
