"""A briefing without anybody at the screen: the nightly job."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import AnalysisError, nearest
from analysis.report.briefing import Briefing, read_briefing, tidy_query
from analysis.report.content import Content, content_of, saved
from analysis.report.templates import TEMPLATES
from analysis.report.writing import FORMATS, Progress, write_briefing, write_file
from analysis.selection import Selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset


def brief(
    dataset: Dataset,
    to: Path,
    *,
    file: Path | None = None,
    template: str = "leadership",
    selection: Selection = Selection(),
    progress: Progress | None = None,
) -> Content:
    """Make a briefing of a dataset and write it.

    Parameters
    ----------
    dataset : Dataset
    to : Path
        Its suffix chooses the format; ``.toml`` saves the briefing itself, with what it shows now.
    file : Path, optional
        A saved briefing; without it `template`.
    template : str
        One of `analysis.report.templates.TEMPLATES`.
    selection : Selection
        Filters in place of those of the briefing; a figure's own stay.
    progress : callable, optional
        Told of every figure while it is asked and drawn.

    Raises
    ------
    AnalysisError
        For a file that is no briefing, an unknown template or format, or a place that cannot be written to.
    """
    if to.suffix.lower() not in (*FORMATS, ".toml"):
        raise AnalysisError(f"'{to.name}' names no format; {nearest(to.suffix, (*FORMATS, '.toml'))}")
    if not to.absolute().parent.is_dir():
        raise AnalysisError(f"there is no folder {to.parent} to write {to.name} to: make it first.")
    selection = selection.checked(dataset)
    briefing = _asked_for(dataset, file, template)
    if query := tidy_query(selection.to_query()):
        briefing = dataclasses.replace(briefing, selection=query)
    content = content_of(briefing, dataset, progress=progress)
    if to.suffix.lower() == ".toml":
        write_file(to, saved(briefing, content, dataset).to_toml().encode("utf-8"))
    else:
        write_briefing(content, to, progress=progress)
    return content


def _asked_for(dataset: Dataset, file: Path | None, template: str) -> Briefing:
    if file is not None:
        return read_briefing(file)
    if template not in TEMPLATES:
        raise AnalysisError(f"--template '{template}' is not known; {nearest(template, TEMPLATES)}")
    return TEMPLATES[template][1](dataset, {})
