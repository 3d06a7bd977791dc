"""Notes on single validations: a small file beside the dataset's own, written only when somebody keeps a note."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from analysis.errors import AnalysisError
from analysis.files import write_whole
from analysis.toml import parsed_toml, toml_text

NOTES = "notes.toml"
LONGEST_NOTE = 500
MOST_NOTES = 5_000

# Two sessions of one server may keep a note at the same moment.
_WRITING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote about a validation, and when (UTC)."""

    validation_id: str
    text: str
    written: dt.datetime


def can_keep(folder: Path) -> bool:
    """Whether notes on a dataset can be kept in its folder."""
    return os.access(folder, os.W_OK)


def read_notes(folder: Path) -> dict[str, Note]:
    """The notes kept with a dataset, by validation; none where there is no file.

    Raises
    ------
    AnalysisError
        When the file is damaged.
    """
    path = folder / NOTES
    if not path.is_file():
        return {}
    try:
        return parsed_notes(toml_text(path))
    except (OSError, ValueError) as error:
        raise AnalysisError(
            f"{path} is damaged ({error}): mend it, or move it away and start anew."
        ) from error


def parsed_notes(text: str) -> dict[str, Note]:
    """Notes of a TOML text.

    Raises
    ------
    ValueError
        When it is no TOML, or not of this form.
    """
    out = {}
    for validation_id, entry in _noted(parsed_toml(text)).items():
        if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
            raise ValueError(f"the note on {validation_id} has no text")
        written = entry.get("written")
        if not isinstance(written, dt.datetime):
            raise ValueError(f"the note on {validation_id} has no time")
        out[validation_id] = Note(validation_id, entry["text"], written)
    return out


def _noted(values: Mapping[str, Any]) -> Mapping[str, Any]:
    noted = values.get("note", {})
    if not isinstance(noted, Mapping):
        raise ValueError("its notes are no tables")
    return noted


def notes_text(notes: Mapping[str, Note]) -> str:
    """Notes as TOML, in order of validation.

    >>> note = Note("V1", "Asked the office.", dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.timezone.utc))
    >>> parsed_notes(notes_text({"V1": note})) == {"V1": note}
    True
    """
    held = {key: {"text": notes[key].text, "written": notes[key].written} for key in sorted(notes)}
    return tomli_w.dumps({"note": held}, multiline_strings=False)


def with_note(notes: Mapping[str, Note], validation_id: str, text: str, now: dt.datetime) -> dict[str, Note]:
    """Notes with one more, or changed; an empty text takes it away.

    Raises
    ------
    AnalysisError
        When the text is longer than a note may be, or there are too many.
    """
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(plain) > LONGEST_NOTE:
        raise AnalysisError(f"the note has {len(plain):,} characters; at most {LONGEST_NOTE} are kept.")
    changed = {key: note for key, note in notes.items() if key != validation_id}
    if plain:
        if len(changed) >= MOST_NOTES:
            raise AnalysisError(f"there are {len(changed):,} notes; at most {MOST_NOTES:,} are kept.")
        changed[validation_id] = Note(validation_id, plain, now.replace(microsecond=0))
    return changed


def keep_note(folder: Path, validation_id: str, text: str, now: dt.datetime) -> dict[str, Note]:
    """Keep a note with a dataset: written aside, then swapped; an empty text takes it away.

    Returns
    -------
    dict
        All notes now kept.

    Raises
    ------
    AnalysisError
        When the note is too long, or the folder cannot be written.
    """
    with _WRITING:
        # Read anew: somebody else may have kept a note meanwhile.
        changed = with_note(read_notes(folder), validation_id, text, now)
        try:
            write_whole(folder / NOTES, notes_text(changed).encode("utf-8"))
        except OSError as error:
            raise AnalysisError(f"{folder / NOTES} cannot be written ({error.strerror}).") from error
    return changed
