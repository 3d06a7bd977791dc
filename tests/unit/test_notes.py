"""Notes on validations: written aside and swapped, limited, safe, and never lost by new content."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from analysis.datasets import notes
from analysis.datasets.folders import written_aside
from analysis.datasets.notes import (
    LONGEST_NOTE,
    NOTES,
    can_keep,
    keep_note,
    notes_text,
    parsed_notes,
    read_notes,
    with_note,
)
from analysis.errors import AnalysisError

NOW = dt.datetime(2026, 3, 4, 5, 6, 7, 890, tzinfo=dt.UTC)


def test_a_note_is_kept_changed_and_taken_away(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == {}
    keep_note(tmp_path, "V000123", "Asked the office.", NOW)
    keep_note(tmp_path, "V.1 “odd”\n", "a]b=c", NOW)
    kept = keep_note(tmp_path, "V000123", "Answered: a typing error.", NOW)
    assert kept == read_notes(tmp_path)
    assert kept["V000123"].text == "Answered: a typing error." and kept["V000123"].written == NOW.replace(
        microsecond=0
    )
    assert set(kept) == {"V000123", "V.1 “odd”\n"}
    assert set(keep_note(tmp_path, "V000123", " \n ", NOW)) == {"V.1 “odd”\n"}
    assert [path.name for path in tmp_path.iterdir()] == [NOTES]


def test_text_is_one_plain_line_of_limited_length(tmp_path: Path) -> None:
    kept = keep_note(tmp_path, "V1", "two\nlines\x00\x1b[31m and a <script>", NOW)
    assert kept["V1"].text == "two lines [31m and a <script>"
    keep_note(tmp_path, "V2", "x" * LONGEST_NOTE, NOW)
    with pytest.raises(AnalysisError, match="501 characters; at most 500"):
        keep_note(tmp_path, "V3", "x" * (LONGEST_NOTE + 1), NOW)
    assert set(read_notes(tmp_path)) == {"V1", "V2"}


def test_there_are_not_endlessly_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "MOST_NOTES", 2)
    held = with_note(with_note({}, "a", "1", NOW), "b", "2", NOW)
    assert with_note(held, "a", "3", NOW)["a"].text == "3"
    with pytest.raises(AnalysisError, match="at most 2"):
        with_note(held, "c", "3", NOW)


@pytest.mark.parametrize("text", ["[note", "[note.V1]\ntext = 3\n", '[note.V1]\ntext = "x"\n', "\x00"])
def test_a_damaged_file_is_said_and_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / NOTES).write_text(text, encoding="utf-8")
    for call in (lambda: read_notes(tmp_path), lambda: keep_note(tmp_path, "V1", "x", NOW)):
        with pytest.raises(AnalysisError, match=r"notes\.toml is damaged"):
            call()
    assert (tmp_path / NOTES).read_text(encoding="utf-8") == text


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    assert can_keep(tmp_path) and not can_keep(tmp_path / "absent")
    with pytest.raises(AnalysisError, match="cannot be written"):
        keep_note(tmp_path / "absent", "V1", "x", NOW)


def test_notes_survive_as_text() -> None:
    held = with_note(with_note({}, "V2", 'a "quoted" \\ thing', NOW), "V1", "é – …", NOW)
    assert parsed_notes(notes_text(held)) == held
    assert notes_text(held).index("V1") < notes_text(held).index("V2")


def test_new_content_of_a_dataset_keeps_its_notes(tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    out.mkdir()
    (out / "dataset.toml").write_text("old", encoding="utf-8")
    keep_note(out, "V1", "Asked the office.", NOW)
    with written_aside(out) as folder:
        (folder / "dataset.toml").write_text("new", encoding="utf-8")
    assert (out / "dataset.toml").read_text(encoding="utf-8") == "new"
    assert read_notes(out)["V1"].text == "Asked the office."
