"""Asking for an engine: what is not there is said in one sentence, and nothing is written."""

from __future__ import annotations

import builtins
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pandas.testing import assert_frame_equal

from analysis.cli import main
from analysis.counts import counts
from analysis.datasets.engines.databases import is_database, shown_as
from analysis.datasets.opening import Dataset, open_dataset
from analysis.errors import AnalysisError

ROOT = Path(__file__).resolve().parents[2]
IMPORT = (
    "import", str(ROOT / "tests" / "data" / "inspections.csv"),
    "--mapping", str(ROOT / "data" / "mappings" / "osha_prisons.toml"),
)  # fmt: skip


@pytest.fixture
def nobody_there() -> Iterator[str]:
    """An address of this machine at which nobody answers."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        yield f"spark://127.0.0.1:{door.getsockname()[1]}"


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line]
    assert len(errors) == 1 and errors[0].startswith("error: ")
    return errors[0]


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("sparks", "there is no engine 'sparks'"),
        ("local[none]", "there is no engine 'local[none]'"),
        ("spark://nowhere", "is no address"),
        ("pandas", "there is no engine 'pandas': choose duckdb"),
    ],
)
def test_an_engine_that_does_not_exist(
    engine: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if engine.startswith(("spark:", "local")):
        pytest.importorskip(
            "pyspark", reason="engine tests need `pip install -r requirements-engines.txt` (pyspark)"
        )
    out = tmp_path / "out"
    assert said in refused([*IMPORT, "--to", str(out), "--engine", engine], capsys)
    assert said in refused(["demo", str(out), "--validations", "20", "--engine", engine], capsys)
    assert not list(tmp_path.iterdir())


def test_a_cluster_that_does_not_answer_leaves_the_dataset_as_it_was(
    nobody_there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(
        "pyspark", reason="engine tests need `pip install -r requirements-engines.txt` (pyspark)"
    )
    out = tmp_path / "out"
    out.mkdir()
    (out / "dataset.toml").write_text("old")
    assert "cannot be reached" in refused([*IMPORT, "--to", str(out), "--engine", nobody_there], capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and (
        out / "dataset.toml"
    ).read_text() == "old"


@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("pyspark", [*IMPORT, "--engine", "local[1]"]),
        ("adbc_driver_manager", ["import", "postgresql://a:b@localhost/c", *IMPORT[2:]]),
    ],
)
def test_packages_that_are_not_installed_are_named_with_the_mend(
    package: str,
    arguments: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == package:
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    error = refused([*arguments, "--to", str(tmp_path / "out")], capsys)
    assert "pip install -r requirements-engines.txt" in error and "a:b" not in error
    assert not list(tmp_path.iterdir())


def test_pandas_frames_give_the_same_counts(small_demo: Dataset) -> None:
    frames = open_dataset(small_demo.path, engine="pandas")
    for table, by, sums in (
        ("validations", ["mode", "risk"], ["n", "passed", "n_deficient*n_assessed"]),
        ("findings", ["criterion_id", "answer"], ["n"]),
        ("pairs", ["previous_mode", "any_deficiency"], ["n", "n_repeat"]),
        ("values", ["metric", "mode", "value"], ["n"]),
        ("agreement", ["item", "specialist_score", "member_score"], ["n"]),
    ):
        expected, found = (counts(one, table, by, sums=sums, via="rows") for one in (small_demo, frames))
        assert len(expected) > 1
        assert_frame_equal(expected, found)
    frames.close()
    with pytest.raises(AnalysisError, match="there is no engine 'dask'"):
        open_dataset(small_demo.path, engine="dask").rows("members")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("postgresql://ann:secret@db.example:5433/office?schema=x&password=other", "postgresql://ann@db.example:5433/office"),
        ("postgres://db/office", "postgresql://db/office"),
        ("postgresql://ann:se/cret@db/office", "postgresql://…"),
    ],
)  # fmt: skip
def test_addresses_are_shown_without_passwords(source: str, shown: str) -> None:
    assert is_database(source) and shown_as(source) == shown
