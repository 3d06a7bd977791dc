"""Write aside, then swap: a dataset folder is whole or it is not there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.errors import AnalysisError


@contextmanager
def written_aside(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its place when the block ends well, and vanishes when it does not.

    Raises
    ------
    AnalysisError
        When `out` is a file, or a folder that is not a dataset: it would be lost.
    """
    if out.exists() and not ((out / "dataset.toml").is_file() or (out.is_dir() and not any(out.iterdir()))):
        raise AnalysisError(f"{out} exists and is not a dataset folder: choose another place to write to.")
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield folder
        folder.chmod(0o755)
        retired = folder.with_name(folder.name + ".old")
        if out.exists():
            out.rename(retired)
        folder.rename(out)
        shutil.rmtree(retired, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
