"""Write aside, then swap."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from analysis import files
from analysis.datasets.folders import written_aside
from analysis.errors import AnalysisError


def dataset_at(folder: Path, text: str = "old") -> Path:
    folder.mkdir(parents=True)
    (folder / "dataset.toml").write_text(text)
    return folder


def test_a_new_folder_appears_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "er" / "out"
    with written_aside(out) as folder:
        assert folder.parent == out.parent and not out.exists()
        (folder / "dataset.toml").write_text("new")
    assert [p.name for p in out.parent.iterdir()] == ["out"] and (out / "dataset.toml").read_text() == "new"
    assert out.stat().st_mode & 0o777 == 0o755


def test_a_dataset_is_replaced_whole(tmp_path: Path) -> None:
    out = dataset_at(tmp_path / "out")
    (out / "leftover").write_text("x")
    with written_aside(out) as folder:
        (folder / "dataset.toml").write_text("new")
        assert (out / "dataset.toml").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert [p.name for p in out.iterdir()] == ["dataset.toml"] and (out / "dataset.toml").read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_everything_as_it_was(tmp_path: Path, error: type[BaseException]) -> None:
    out = dataset_at(tmp_path / "out")
    with pytest.raises(error), written_aside(out) as folder:
        (folder / "dataset.toml").write_text("new")
        raise error
    assert [p.name for p in tmp_path.iterdir()] == ["out"] and (out / "dataset.toml").read_text() == "old"


def test_a_swap_that_fails_puts_the_old_dataset_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = dataset_at(tmp_path / "out")
    rename = Path.rename

    def refused(self: Path, target: Path) -> Path:
        if self.name.startswith(".out.") and not self.name.endswith(".old"):
            raise PermissionError(errno.EACCES, "no")
        return rename(self, target)

    monkeypatch.setattr(files, "_exchanged", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(AnalysisError, match=r"out cannot be written \(no\)"), written_aside(out) as folder:
        (folder / "dataset.toml").write_text("new")
    assert [p.name for p in tmp_path.iterdir()] == ["out"] and (out / "dataset.toml").read_text() == "old"


@pytest.mark.parametrize("kind", ["file", "folder with other things"])
def test_what_would_be_lost_is_refused(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "file":
        out.write_text("x")
    else:
        out.mkdir()
        (out / "photo.jpg").write_text("x")
    with pytest.raises(AnalysisError, match="is not a dataset folder"), written_aside(out):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with written_aside(tmp_path / "out") as folder:
        (folder / "dataset.toml").write_text("new")
    assert (tmp_path / "out" / "dataset.toml").exists()


def test_a_place_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(AnalysisError, match="cannot be written"), written_aside(tmp_path / "file" / "sub"):
        pass
