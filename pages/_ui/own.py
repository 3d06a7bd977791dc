"""A session's own datasets: a temporary folder that belongs to one browser session and goes with it."""

from __future__ import annotations

import atexit
import re
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir

import streamlit as st

from analysis.files import Aside

_NAME = "validation-analysis-own"
_PREFIX = f".{_NAME}."
_DATASETS, _FRESH = "own-datasets", "own-just-loaded"
LONGEST_NAME = 120


def _remove(folder: Aside) -> None:
    folder.close()
    atexit.unregister(folder.close)


@st.cache_resource(scope="session", on_release=_remove, show_spinner=False)
def _folder() -> Aside:
    made = Aside(Path(gettempdir()) / _NAME)
    # A session that never says goodbye ends with the server; what a killed server left is removed here, by the next.
    atexit.register(made.close)
    return made


def folder() -> Path:
    """The session's folder, made when first asked for; readable by nobody else."""
    return _folder().path


def shortened(words: str) -> str:
    """Words without the place of sessions' own files: what is in it is known to the reader by its name."""
    return re.sub(rf"[^\s']*{re.escape(_PREFIX)}\w+-\w+/(?:files/|datasets/)?", "", words)


def folders() -> dict[str, Path]:
    """The session's own datasets by the name the address uses."""
    known: dict[str, Path] = st.session_state.get(_DATASETS, {})
    return {name: path for name, path in known.items() if (path / "dataset.toml").is_file()}


def holds(path: Path | None) -> bool:
    """Whether a dataset is a session's own, told by where it lies: asked outside of any session too."""
    return path is not None and any(part.startswith(_PREFIX) for part in path.parts)


def just_loaded() -> str | None:
    """The dataset to show next, once."""
    name: str | None = st.session_state.pop(_FRESH, None)
    return name


def load(name: str, taken: set[str], write: Callable[[Path], None]) -> str:
    """Have a dataset written into the session's folder and shown next.

    Parameters
    ----------
    name : str
        Its name in words; the folder and the address get a short form of it.
    taken : set of str
        Names that others use; one of the session's own of that name is replaced.
    write : callable
        Writes the dataset folder it is given; what it raises leaves everything as it was.
    """
    short = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "dataset"
    while short in taken:
        short += "-own"
    path = folder() / "datasets" / short
    write(path)
    st.session_state[_DATASETS] = {**st.session_state.get(_DATASETS, {}), short: path}
    st.session_state[_FRESH] = short
    return short


def received(files: list[tuple[str, bytes]]) -> list[Path]:
    """Write uploaded files into the session's folder, in place of those of before."""
    place = folder() / "files"
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    paths: list[Path] = []
    for given, content in files:
        path = place / _safe(given)
        number = 2
        while path in paths:
            path = place / f"{Path(_safe(given)).stem} ({number}){path.suffix}"
            number += 1
        path.write_bytes(content)
        paths.append(path)
    return paths


def _safe(name: str) -> str:
    """A file name that is only a name: no folders, nothing that cannot be written."""
    last = re.split(r"[\\/]", name)[-1]
    plain = re.sub(r"[\x00-\x1f\x7f]", "_", last).lstrip(".") or "file"
    stem, suffix = Path(plain).stem, Path(plain).suffix
    return stem[: LONGEST_NAME - len(suffix)] + suffix
