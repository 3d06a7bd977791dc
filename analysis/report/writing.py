"""A briefing into a file, in the format its name asks for; written aside, then moved into place."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from analysis.errors import AnalysisError, nearest
from analysis.files import write_whole
from analysis.report.content import Content

FORMATS = {
    ".pptx": ("slides", "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ".pdf": ("paper", "pdf", "application/pdf"),
    ".html": ("web", "html", "text/html"),
    ".xlsx": ("workbook", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ".ipynb": ("notebook", "ipynb", "application/x-ipynb+json"),
}
"""Suffix → module and function that make it, and its media type."""

Progress = Callable[[int, int, str], None]


def rendered(content: Content, suffix: str, *, progress: Progress | None = None) -> bytes:
    """A briefing in one of the formats.

    Raises
    ------
    AnalysisError
        For a suffix that is none of `FORMATS`.
    """
    if suffix not in FORMATS:
        raise AnalysisError(f"'{suffix}' is no format of a briefing; {nearest(suffix, FORMATS)}")
    module, function, _ = FORMATS[suffix]
    # Each format loads its own library, and most readers want one.
    made = getattr(import_module(f"analysis.report.{module}"), function)(content, progress=progress)
    return made.encode("utf-8") if isinstance(made, str) else bytes(made)


def write_briefing(content: Content, path: Path, *, progress: Progress | None = None) -> None:
    """Write a briefing; what was there stays until the new file is whole.

    Raises
    ------
    AnalysisError
        For an unknown format, or a place that cannot be written to.
    """
    write_file(path, rendered(content, path.suffix.lower(), progress=progress))


def write_file(path: Path, content: bytes) -> None:
    """Write a file aside and move it into place.

    Raises
    ------
    AnalysisError
        For a place that cannot be written to.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise AnalysisError(f"{path} cannot be written ({error.strerror}): choose another place.") from error
