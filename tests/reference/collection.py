"""Where reference cases and their data sets come from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def case_files() -> list[Path]:
    """Every case file: ours, then those of the folder named by REFERENCE_CASES."""
    folders = [HERE / "cases"]
    if named := os.environ.get("REFERENCE_CASES"):
        folders.append(Path(named))
    return [path for folder in folders for path in sorted(folder.glob("*.json"))]


def all_cases() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each case with the file it comes from."""
    for path in case_files():
        for case in json.loads(path.read_text(encoding="utf-8")):
            yield path, case


def dataset(path: Path, name: str) -> Path | None:
    """The data set of a case: beside its file, else among the shared reference cases."""
    shared = Path(os.environ.get("CTPAT_SHARED", HERE.parents[1] / ".." / "shared"))
    for folder in (path.parent, shared / "reference_cases"):
        if (folder / name).is_file():
            return folder / name
    return None
