"""Write aside, then swap: a dataset folder is whole or it is not there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.datasets.notes import NOTES
from analysis.errors import AnalysisError
from analysis.files import made_aside, swap


@contextmanager
def written_aside(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its place when the block ends well, and vanishes when it does not.

    Raises
    ------
    AnalysisError
        When `out` is a file, or a folder that is not a dataset: it would be lost; or when it cannot be written.
    """
    out = out.absolute()
    if out.exists() and not ((out / "dataset.toml").is_file() or (out.is_dir() and not any(out.iterdir()))):
        raise AnalysisError(f"{out} exists and is not a dataset folder: choose another place to write to.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with made_aside(out) as folder:
            yield folder
            folder.chmod(0o755)
            # Notes are people's own: new content of the dataset does not take them away.
            if (out / NOTES).is_file():
                shutil.copy2(out / NOTES, folder / NOTES)
            swap(folder, out)
    except OSError as error:
        raise AnalysisError(
            f"{out} cannot be written ({error.strerror or type(error).__name__}): make room there, or choose another place."
        ) from error
