"""Killed, out of room, read only, damaged: what is there is the old or the new, whole, and said in one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analysis import files
from analysis.cli import main
from analysis.datasets.folders import written_aside
from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import parsed_mapping
from analysis.datasets.opening import open_dataset
from analysis.errors import AnalysisError
from tests.trust.killing import ROOT, kill_often
from tests.trust.odd_files import MAPPING, sound_rows

CUT = """
import os, sys
from pathlib import Path
from analysis import files
from analysis.datasets import folders
out, step = Path(sys.argv[1]), sys.argv[2]
rename = Path.rename
def gone(*given, **more): os._exit(9)
def moved(self, target):
    rename(self, target)
    os._exit(9)
if step == "written": folders.swap = gone
if step == "swapped": files._remove = gone
if step == "moved":
    files._exchanged = lambda one, other: False
    Path.rename = moved
with folders.written_aside(out) as folder:
    (folder / "dataset.toml").write_text("new")
"""


@pytest.mark.parametrize(("act", "kills"), [("import", 9), ("brief", 3)])
def test_killed_at_any_moment(act: str, kills: int) -> None:
    found = kill_often(act, kills, seed=20)
    assert not found.findings
    assert found.kills == kills and found.running and set(found.states) <= {"old", "new"}


@pytest.mark.parametrize(
    ("step", "stands", "then"),
    # Where a system cannot exchange two folders in one step, the old one is away for a moment.
    [("written", "old", "old"), ("swapped", "new", "new"), ("moved", None, "old")],
)
def test_killed_at_the_worst_moment(step: str, stands: str | None, then: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "dataset.toml").write_text("old")
    assert subprocess.run([sys.executable, "-c", CUT, str(out), step], cwd=ROOT).returncode == 9
    assert ((out / "dataset.toml").read_text() if out.exists() else None) == stands
    assert len(list(tmp_path.iterdir())) > 1 or step == "moved"
    with pytest.raises(KeyError), written_aside(out):
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and (
        out / "dataset.toml"
    ).read_text() == then


def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from analysis.files import made_aside\n"
        "with made_aside(Path(sys.argv[1])) as place:\n    print(place, flush=True)\n    sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "out")], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdout
        theirs = Path(other.stdout.readline().strip())
        with files.made_aside(tmp_path / "out") as ours:
            assert theirs.is_dir() and ours.is_dir() and ours != theirs
        assert theirs.is_dir()
        other.kill()
    with files.made_aside(tmp_path / "out"):
        assert not theirs.exists()
    assert not list(tmp_path.iterdir())


MANY = """
import sys
from pathlib import Path
from analysis.files import made_aside
for number in range(150):
    with made_aside(Path(sys.argv[1])) as place:
        (place / "one").write_text("x")
        (place / "two").write_text((place / "one").read_text())
"""


def test_many_at_once_leave_one_another_alone(tmp_path: Path) -> None:
    """Each clears away what the dead left, never what another has just made."""
    command = [sys.executable, "-c", MANY, str(tmp_path / "out")]
    running = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(5)]
    assert [process.communicate()[1] for process in running] == [""] * 5
    assert not list(tmp_path.iterdir())


# -- no room, no permission ------------------------------------------------------------------------------


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset of thirty validations, and the file it came from."""
    sound_rows(30).to_csv(tmp_path / "rows.csv", index=False)
    out = tmp_path / "place" / "out"
    import_dataset([tmp_path / "rows.csv"], parsed_mapping(MAPPING), out)
    return out


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from analysis.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("room", [100, 2_000, 9_000])
@pytest.mark.parametrize("act", ["demo", "brief"])
def test_a_file_that_cannot_grow_changes_nothing(room: int, act: str, dataset: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for a disk without room: it needs no rights of the machine."""
    before = open_dataset(dataset).fingerprint
    written = dataset.parent / "out.xlsx"
    written.write_bytes(b"before")
    words = {
        "demo": ["demo", str(dataset), "--validations", "60"],
        "brief": ["brief", str(dataset), "--template", "leadership", "--to", str(written)],
    }[act]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(room), *words], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr[-600:]
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert open_dataset(dataset).fingerprint == before and written.read_bytes() == b"before"
    assert sorted(path.name for path in dataset.parent.iterdir()) == ["out", "out.xlsx"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A disk of one megabyte, where the machine lets us mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]).returncode
    ):
        pytest.skip("mounting a small disk needs root")
    return place


def test_a_full_disk_and_one_that_is_read_only(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound_rows(30).to_csv(tmp_path / "rows.csv", index=False)
    out = small_disk / "out"
    try:
        import_dataset([tmp_path / "rows.csv"], parsed_mapping(MAPPING), out)
        before = open_dataset(out).fingerprint
        (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free - 20_000))
        for remount in (False, True):
            if remount:
                subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
            for arguments in (
                ["demo", str(out), "--validations", "60"],
                ["brief", str(out), "--template", "leadership", "--to", str(small_disk / "out.pptx")],
            ):
                assert main(arguments) == 2
                said = capsys.readouterr().err.splitlines()[-1]
                assert said.startswith("error: ") and "annot be written" in said, said
            assert sorted(path.name for path in small_disk.iterdir()) == ["ballast", "out"]
            assert open_dataset(out).fingerprint == before and main(["check", str(out)]) == 0
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)


# -- damage ----------------------------------------------------------------------------------------------


def damage(content: bytes, how: str) -> bytes:
    middle = len(content) // 2
    return {
        "cut": content[:middle],
        "empty": b"",
        "flipped": content[:8] + bytes(byte ^ 0xFF for byte in content[8:middle]) + content[middle:],
        "other": b"PAR1 something else PAR1",
    }[how]


@pytest.mark.parametrize("how", ["cut", "empty", "flipped", "other"])
def test_a_damaged_file_of_a_dataset_is_one_sentence(
    how: str, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every file in turn; whoever does not need it answers, whoever does says so, nobody falls over."""
    refused = 0
    for path in sorted(path for path in dataset.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        path.write_bytes(damage(whole, how))
        for command in (["check", str(dataset)], ["overview", str(dataset)]):
            status = main(command)
            said = capsys.readouterr().err
            assert status in (0, 2) and "Traceback" not in said, path
            refused += status == 2
            assert status == 0 or (said.startswith("error: ") and said.count("\n") == 1), said
        path.write_bytes(whole)
    assert refused >= 6, refused


def test_a_dataset_of_another_version_is_refused_in_words(dataset: Path) -> None:
    manifest = dataset / "dataset.toml"
    text = manifest.read_text(encoding="utf-8")
    for version in ("0", "99", '"one"', "true", "[]", "1.5"):
        lines = [
            f"schema_version = {version}" if line.startswith("schema_version") else line
            for line in text.splitlines()
        ]
        manifest.write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(AnalysisError, match=r"import it again|is damaged"):
            open_dataset(dataset)
