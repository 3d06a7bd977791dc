"""Which dataset is shown: named by the environment, chosen in the sidebar when there are several."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages._ui import own

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

VARIABLE = "CTPAT_DATASETS"
DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


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
