"""With ``CTPAT_REQUIRE=all`` a skip is a failure, unless data outside the repository are what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import pytest
def test_passes(): pass
def test_skips(): pytest.skip("no browser")
def test_lacks(shared_folder): pass
@pytest.mark.skip(reason="never")
def test_marked(): pass
@pytest.mark.xfail(reason="known")
def test_known(): assert False
"""


@pytest.mark.parametrize(("require", "summary"), [("", "1 passed, 3 skipped, 1 xfailed"),
                                                  ("all", "1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error")])  # fmt: skip
def test_a_skip_fails_where_everything_is_required(tmp_path: Path, require: str, summary: str) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        str(tmp_path),
    ]
    environment = {
        **os.environ,
        "CTPAT_REQUIRE": require,
        "CTPAT_SHARED": str(tmp_path / "nowhere"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert summary in done.stdout, done.stdout
    assert "CTPAT_SHARED" in done.stdout


def test_a_whole_file_that_is_skipped_fails_as_well(tmp_path: Path) -> None:
    (tmp_path / "test_file.py").write_text("import pytest\npytest.importorskip('nothing_of_that_name')\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        str(tmp_path),
    ]
    environment = {**os.environ, "CTPAT_REQUIRE": "all", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode != 0 and "CTPAT_REQUIRE=all, but skipped" in done.stdout
