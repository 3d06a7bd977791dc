"""Which dataset is shown: named by the environment, chosen in the sidebar when there are several."""

from __future__ import annotations

import os
import re
import threading
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from analysis.errors import AnalysisError
from pages._ui import own

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from pages._ui.access import Viewer

PARTS = "CTPAT_PARTS"
VARIABLE = "CTPAT_DATASETS"
DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"

# One part is made at a time: they share the machine, and two sessions may want the same.
_MAKING = threading.Lock()


def folders() -> dict[str, Path]:
    """Dataset folders by the name the address uses, in the order given; the demo when none is named."""
    named = [Path(part) for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    found: dict[str, Path] = {}
    for folder in named or [DEMO]:
        name = folder.name
        while name in found:
            name += "-"
        found[name] = folder
    return found


def opened(folder: Path) -> Dataset:
    """The dataset of a folder, opened once and again when its content has changed.

    Raises
    ------
    AnalysisError
        When it cannot be used.
    """
    description = folder / "dataset.toml"
    changed = description.stat().st_mtime_ns if description.exists() else 0
    return _opened_here(folder, changed) if own.holds(folder) else _opened(folder, changed)


@lru_cache(maxsize=8)
def _opened(folder: Path, changed: int) -> Dataset:
    from analysis.datasets.opening import open_dataset

    return open_dataset(folder)


@st.cache_resource(scope="session", max_entries=8, show_spinner=False)
def _opened_here(folder: Path, changed: int) -> Dataset:
    from analysis.datasets.opening import open_dataset

    return open_dataset(folder)


def shown_to(who: Viewer, folder: Path) -> Dataset:
    """The dataset of a folder as somebody may see it: whole, or the part of their offices.

    The part is made when first asked for, and again when the dataset has changed; `python -m analysis part` makes it
    beforehand.

    Raises
    ------
    AnalysisError
        When the dataset cannot be used, or has no record of those offices.
    """
    if who.offices is None or own.holds(folder):
        return opened(folder)
    whole, place = opened(folder), part_folder(folder, who.offices)
    if unknown := sorted(set(who.offices) - set(whole.present("field_office"))):
        # The library names the offices there are; somebody who may see none of them is not told.
        raise AnalysisError(
            f"'{unknown[0]}' is no field office of {whole.name} with records. Ask whoever runs this server to correct the "
            "access list."
        )
    if part := _made(place, whole, who.offices):
        return part
    with _MAKING, st.spinner("Your office's part of the data is being made; this happens once."):
        # Somebody of the same office may have been waited for.
        if not _made(place, whole, who.offices):
            from analysis.office_parts import make_part

            make_part(whole, who.offices, place)
    return opened(place)


def _made(place: Path, whole: Dataset, offices: tuple[str, ...]) -> Dataset | None:
    """The part that lies there, if it was made of the dataset as it is now."""
    try:
        part = opened(place)
    except AnalysisError:  # There is none yet, or one of an older version: it is made anew.
        return None
    return part if part.is_part_of(whole, offices) else None


def part_folder(folder: Path, offices: tuple[str, ...]) -> Path:
    """Where the part of a dataset lies: in the folder named for parts, else beside the dataset."""
    place = (
        Path(os.environ[PARTS]) / folder.name
        if os.environ.get(PARTS)
        else folder.with_name(f"{folder.name}.parts")
    )
    short = "-".join(re.sub(r"[^a-z0-9]+", "-", office.lower()).strip("-") for office in offices)[:60]
    # Two offices may be short for the same.
    return place / f"{short}-{zlib.crc32(repr(offices).encode()):08x}"


def chosen(*, on_change: Callable[[], None] | None = None) -> Path:
    """The folder to show; draws the choice only where there is one.

    Besides what the operator named, a session sees the datasets it loaded itself; one just loaded is shown next.
    """
    found = folders() | own.folders()
    if len(found) == 1:
        return next(iter(found.values()))
    if (fresh := own.just_loaded()) in found:
        if "dataset" not in st.session_state:
            # A widget that was not there before does not write its value into the address.
            st.query_params["dataset"] = fresh
        st.session_state["dataset"] = fresh
        if on_change:
            on_change()
    name = st.selectbox("Dataset", list(found), key="dataset", bind="query-params", on_change=on_change)
    return found[name]
