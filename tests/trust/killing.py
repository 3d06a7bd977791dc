"""Kill -9 at random moments: a dataset or a briefing is always the old or the new one, and whole.

``python -m tests.trust.killing 20`` kills each act twenty times and prints what it found.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import tomli_w

from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import read_mapping
from analysis.datasets.opening import open_dataset
from tests.trust.odd_files import MAPPING, sound_rows

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300.0
LATE = 0.35
"""Half of the kills come in this last part of an act, where things change places."""


@dataclass
class Killed:
    """What kills of one act left behind."""

    act: str
    kills: int = 0
    running: int = 0
    states: Counter[str] = field(default_factory=Counter)
    leftovers: int = 0
    findings: list[str] = field(default_factory=list)


class Act:
    """Something that writes, in a folder of its own: `out` before, `out` after, and the command between them.

    Parameters
    ----------
    name : str
        ``import``, ``import anew``, ``append``, ``demo`` or ``brief``.
    place : Path
        An empty folder.
    """

    def __init__(self, name: str, place: Path) -> None:
        self.name, self.place = name, place
        self.scratch, self.ground = place / "scratch", place / "ground"
        self.before = place / "before"
        for folder in (self.scratch, self.ground, self.before):
            folder.mkdir(parents=True)
        rows = sound_rows(60)
        self.old, self.new = place / "old.csv", place / "new.csv"
        rows.head(30).to_csv(self.old, index=False)
        # UTF-16, so that a copy is written aside on the way.
        rows.tail(30).to_csv(self.new, index=False, encoding="utf-16")
        mapping = place / "mapping.toml"
        mapping.write_text(tomli_w.dumps(MAPPING), encoding="utf-8")
        briefing = place / "briefing.toml"
        briefing.write_text(
            'version = 1\ntitle = "Kept"\n[[figures]]\nid = "overview.months"\n', encoding="utf-8"
        )
        self.out = self.ground / ("out.xlsx" if name == "brief" else "out")
        if name in ("import", "append", "demo", "brief"):
            import_dataset([self.old], read_mapping(mapping), self.before / "out")
        words = {
            "import": ["import", str(self.new), "--mapping", str(mapping), "--to", str(self.out)],
            "append": ["import", str(self.new), "--mapping", str(mapping), "--to", str(self.out), "--append"],
            "demo": ["demo", str(self.out), "--validations", "200"],
            "brief": ["brief", str(self.before / "out"), str(briefing), "--to", str(self.out)],
        }
        self.command = [
            sys.executable,
            "-m",
            "analysis",
            *words.get(name, words["import"]),
        ]
        self.dataset = name != "brief"
        self.reset()
        self.states = {self.state(): "old"} if self.out.exists() else {"absent": "absent"}
        start = time.monotonic()
        done = self.start()
        if done.wait(PATIENCE) != 0:
            raise RuntimeError(f"{name} ends with {done.returncode} when nobody kills it")
        self.lasts = time.monotonic() - start
        self.states[self.state()] = "new"
        self.unlike_bytes = name == "brief"

    def reset(self) -> None:
        """As it was before."""
        shutil.rmtree(self.ground)
        self.ground.mkdir()
        if self.name in ("import", "append", "demo"):
            shutil.copytree(self.before / "out", self.out)
        elif self.name == "brief":
            # What was exported before, recognised by its bytes.
            with zipfile.ZipFile(self.out, "w") as archive:
                archive.writestr("old", "old")

    def start(self) -> subprocess.Popen[bytes]:
        """The command as a process group of its own."""
        env = {**os.environ, "TMPDIR": str(self.scratch), "OPENBLAS_NUM_THREADS": "1"}
        return subprocess.Popen(
            self.command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )  # fmt: skip

    def state(self) -> str:
        """What stands there, told apart by its content; raises where it is not whole."""
        if not self.out.exists():
            return "absent"
        if not self.dataset:
            with zipfile.ZipFile(self.out) as archive:
                if archive.testzip() is not None:
                    raise ValueError("the file is damaged")
                return "|".join(sorted(archive.namelist()))
        return _whole(self.out)

    def kill(self, moment: float) -> tuple[bool, str]:
        """Start, kill the whole group after so many seconds; whether it was running, and what stands there then."""
        process = self.start()
        try:
            process.wait(moment)
            running = False
        except subprocess.TimeoutExpired:
            running = True
        # The group outlives its leader where a child is still at work.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            running = False
        process.wait()
        return running, self.states.get(self.state(), "another")


def _whole(folder: Path) -> str:
    """The fingerprint of a dataset whose every file can be read and has the rows its manifest speaks of."""
    dataset = open_dataset(folder)
    try:
        for path in sorted(folder.rglob("*.parquet")):
            rows = pq.read_table(path).num_rows
            if path.parent.name == "source" and rows != dataset.row_counts[path.stem]:
                raise ValueError(
                    f"{path.name} has {rows} rows, the manifest says {dataset.row_counts[path.stem]}"
                )
        if set(dataset.row_counts) != {path.stem for path in (folder / "source").glob("*.parquet")}:
            raise ValueError("the manifest speaks of other tables")
        return dataset.fingerprint
    finally:
        dataset.close()


def kill_often(name: str, kills: int, seed: int) -> Killed:
    """Kill an act so often, from a new start each time; then let it run to its end over what was left."""
    found = Killed(name)
    draw = random.Random(f"{name} {seed}")
    with TemporaryDirectory() as place:
        act = Act(name, Path(place))
        for number in range(kills):
            first = 1 - LATE if number % 2 else 0.0
            moment = act.lasts * draw.uniform(first, 1.02)
            # What kills left stays there: the next run has to live with it. Only what is whole starts anew.
            left = {path.name for path in act.ground.iterdir()} - {act.out.name}
            if not left or number % 3 == 0:
                act.reset()
            try:
                running, state = act.kill(moment)
            except Exception as error:
                # Not whole, or not to be opened: what this looks for.
                found.findings.append(
                    f"{name} killed after {moment:.2f} s (seed {seed}, kill {number}): {error}"
                )
                running, state = True, "broken"
                act.reset()
            if state in ("another", "absent") and state != act.states.get("absent"):
                found.findings.append(f"{name} killed after {moment:.2f} s: {state}")
            found.kills += 1
            found.running += running
            found.states[state] += 1
            found.leftovers += bool({path.name for path in act.ground.iterdir()} - {act.out.name})
        if act.start().wait(PATIENCE) != 0:
            found.findings.append(f"{name}: the next run does not succeed")
        left = sorted(
            path.name for path in (*act.ground.iterdir(), *act.scratch.iterdir()) if path != act.out
        )
        if left:
            found.findings.append(f"{name}: the next run leaves {left}")
        if act.states.get(act.state()) != "new":
            found.findings.append(f"{name}: the next run makes something else")
    return found


ACTS: Mapping[str, float] = {"import": 0.3, "import anew": 0.15, "append": 0.25, "demo": 0.1, "brief": 0.2}
"""Acts, and their shares of all kills."""


def main() -> None:
    """Kill every act and print what was found."""
    for name in ACTS:
        print(json.dumps(kill_often(name, int(sys.argv[1]), seed=1).__dict__), flush=True)


if __name__ == "__main__":
    main()
