"""What somebody of one office may see: the office's part of a dataset, with totals of the whole program beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.datasets.engines import DUCKDB
from analysis.datasets.opening import open_dataset
from analysis.datasets.parts import write_part
from analysis.questions.program_totals import write_program_totals

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset


def make_part(
    whole: Dataset,
    offices: Sequence[str],
    out: Path,
    *,
    engine: str = DUCKDB,
    progress: Callable[[str], None] = lambda step: None,
) -> None:
    """Write the part of a dataset that belongs to some field offices, and totals of the whole program into it.

    Takes and raises what `analysis.datasets.parts.write_part` does; `progress` is told each step in words.
    """
    write_part(
        whole, offices, out, engine=engine, progress=progress,
        beside=lambda folder: write_program_totals(whole, open_dataset(folder)),
    )  # fmt: skip
