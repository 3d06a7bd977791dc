"""The three programs everything is timed on: S, M and L, 30 thousand, a million and ten million validations.

S and M are the demo's own simulation; L is ten programs of a million side by side, their numbers kept apart. Each is
made by a process of its own, so that the time and the memory it took are its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

VALIDATIONS = {"S": 30_000, "M": 1_000_000, "L": 10_000_000}
PROGRAMS = 10
"""How many programs L is made of."""
ROOT = Path(__file__).resolve().parents[2]

Tell = Callable[[str], None]


def prepared(size: str, cache: Path, tell: Tell) -> Path:
    """The dataset of a size, made when the cache does not hold it; what preparing took is kept beside it."""
    folder = cache / size
    if not (folder / "dataset.toml").is_file():
        tell(f"making {size}: {VALIDATIONS[size]:,} validations")
        cache.mkdir(parents=True, exist_ok=True)
        sources = cache / f".{size}"
        shutil.rmtree(sources, ignore_errors=True)
        programs = PROGRAMS if size == "L" else 1
        for program in range(programs):
            tell(f"  simulating program {program + 1} of {programs}")
            _apart("simulate", sources / str(program), program, VALIDATIONS[size] // programs)
        whole = sources / "0"
        if programs > 1:
            whole = sources / "joined"
            tell("  joining them")
            _apart("join", sources, whole)
        tell("  preparing and counting")
        made = _apart("prepare", whole)
        whole.rename(folder)
        shutil.rmtree(sources, ignore_errors=True)
        (cache / f"{size}.json").write_text(json.dumps(made), encoding="utf-8")
    return folder


def described(size: str, cache: Path) -> dict[str, Any]:
    """Rows and megabytes of a size, and what it took to prepare it where this machine did."""
    from analysis.datasets.opening import open_dataset

    folder = cache / size
    noted = cache / f"{size}.json"
    took = json.loads(noted.read_text(encoding="utf-8")) if noted.is_file() else {}
    rows = open_dataset(folder).row_counts

    def megabytes(part: str) -> float:
        return sum(file.stat().st_size for file in (folder / part).rglob("*") if file.is_file()) / 1e6

    return {
        "validations": rows["validations"],
        "findings": rows["findings"],
        **{f"{part}_mb": round(megabytes(part), 1) for part in ("source", "prepared", "cells")},
        "prepared_s": took.get("wall_s"),
        "prepared_peak_mb": took.get("peak_mb"),
    }


def _apart(step: str, *arguments: object) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.sizes", step, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _simulate(out: Path, program: int, validations: int) -> None:
    from analysis.datasets.demo.effects_reading import read_effects
    from analysis.datasets.demo.source import write_demo_source

    write_demo_source(out, seed=100 + program, validations=validations, effects=read_effects(None))


def _join(programs: Path, out: Path) -> None:
    import duckdb

    (out / "source").mkdir(parents=True)
    parts = sorted(
        (path for path in programs.iterdir() if path.name.isdigit()), key=lambda path: int(path.name)
    )
    with duckdb.connect(
        config={"temp_directory": str(out / "spilled"), "preserve_insertion_order": False}
    ) as base:
        base.execute("SET memory_limit = '2GB'")
        for file in sorted((parts[0] / "source").glob("*.parquet")):
            columns = base.read_parquet(str(file)).columns
            same_everywhere = file.stem in ("criteria", "applicability", "field_offices")
            rows = " UNION ALL ".join(
                f"SELECT {', '.join(_apart_by(column, part.name) for column in columns)} FROM '{part / 'source' / file.name}'"
                for part in (parts[:1] if same_everywhere else parts)
            )
            base.execute(
                f"COPY ({rows}) TO '{out / 'source' / file.name}' (FORMAT parquet, COMPRESSION zstd)"
            )
    shutil.rmtree(out / "spilled", ignore_errors=True)


def _apart_by(column: str, program: str) -> str:
    named = column in ("validation_id", "member_id", "specialist_id", "incident_id", "response_id")
    return f"""'{program}-' || "{column}" AS "{column}\"""" if named else f'"{column}"'


def _prepare(folder: Path) -> None:
    from analysis.datasets.checks import empty_rejects
    from analysis.datasets.engines import engine_named
    from analysis.datasets.preparing import finish_dataset

    empty_rejects().to_parquet(folder / "rejects.parquet", index=False)
    manifest = {
        "name": "Synthetic program to measure by",
        "synthetic": True,
        "fiscal_year_start_month": 10,
        "completeness": {"clean_validations": True, "criteria_asked": True},
    }
    engine = engine_named(beside=folder)
    try:
        finish_dataset(folder, manifest, engine=engine, progress=lambda step: None)
    finally:
        engine.close()


def main() -> None:
    """One step, then what it took as JSON."""
    import resource

    step, *arguments = sys.argv[1:]
    start = time.perf_counter()
    if step == "simulate":
        _simulate(Path(arguments[0]), int(arguments[1]), int(arguments[2]))
    elif step == "join":
        _join(Path(arguments[0]), Path(arguments[1]))
    else:
        _prepare(Path(arguments[0]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall_s": round(time.perf_counter() - start, 1), "peak_mb": round(peak)}))


if __name__ == "__main__":
    main()
