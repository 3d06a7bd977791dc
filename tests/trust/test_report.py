"""The report of ``make trust``: what is done is kept, and some of it can be run again."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.trust import killing, report


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills without killing: each half of an act leaves one old and one new."""

    def kill_often(act: str, kills: int, seed: int) -> killing.Killed:
        return killing.Killed(act, kills=2, running=1, states=Counter(old=1, new=1), leftovers=1)

    monkeypatch.setattr(killing, "kill_often", kill_often)


def run(monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setattr(sys, "argv", ["report", *options])
    return report.main()


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.usefixtures("killed")
def test_parts_are_added_to_the_report_that_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "trust.json"
    assert run(monkeypatch, "--to", str(to), "--parts", "kills") == 0
    assert [each["states"] for each in read(to)["kills"]] == [{"old": 2, "new": 2}] * len(killing.ACTS)
    monkeypatch.setitem(report.PARTS, "accessibility", lambda options: {"/": ["color-contrast"], "/data": []})
    assert run(monkeypatch, "--to", str(to), "--parts", "accessibility") == 1
    both = read(to)
    assert {"kills", "accessibility"} <= set(both) and set(both["seconds"]) == {"kills", "accessibility"}
    assert both["findings"] == ["/: ['color-contrast']"]
    assert "kill -9: import" in capsys.readouterr().out
    # Another seed is another report.
    run(monkeypatch, "--to", str(to), "--parts", "kills", "--seed", "2")
    assert "accessibility" not in read(to)


@pytest.mark.usefixtures("killed")
def test_what_was_done_is_kept_when_the_next_part_goes_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(options: object) -> None:
        raise TimeoutError

    to = tmp_path / "trust.json"
    monkeypatch.setitem(report.PARTS, "fuzz", broken)
    with pytest.raises(TimeoutError):
        run(monkeypatch, "--to", str(to), "--parts", "kills,fuzz")
    assert len(read(to)["kills"]) == len(killing.ACTS)


def test_a_part_that_there_is_not_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, "--parts", "kills,rain")
    assert "there is no part 'rain'" in capsys.readouterr().err
