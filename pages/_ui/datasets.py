"""Which dataset is shown: named by the environment, chosen in the sidebar when there are several."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

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
    return _opened(folder, description.stat().st_mtime_ns if description.exists() else 0)


@lru_cache(maxsize=8)
def _opened(folder: Path, changed: int) -> Dataset:
    from analysis.datasets.opening import open_dataset

    return open_dataset(folder)


def chosen(*, on_change: Callable[[], None] | None = None) -> Path:
    """The folder to show; draws the choice only where there is one."""
    found = folders()
    if len(found) == 1:
        return next(iter(found.values()))
    name = st.selectbox("Dataset", list(found), key="dataset", bind="query-params", on_change=on_change)
    return found[name]
