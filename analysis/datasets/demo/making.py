"""The synthetic demo as a dataset folder: simulated, prepared and counted like anybody's data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.datasets.checks import empty_rejects
from analysis.datasets.demo.effects_reading import read_effects
from analysis.datasets.demo.source import DEFAULT_SEED, DEFAULT_VALIDATIONS, write_demo_source
from analysis.datasets.engines import DUCKDB, engine_named
from analysis.datasets.folders import written_aside
from analysis.datasets.preparing import finish_dataset

NAME = "Synthetic CTPAT demo"
NOTE = (
    "Invented by a simulation whose effects are known (truth.toml). No record describes a real company, specialist "
    "or validation. Category 8 has one known criterion, so 8.1 tops every ranking: an artefact of the catalogue."
)


def make_demo(
    out: Path,
    *,
    seed: int = DEFAULT_SEED,
    validations: int = DEFAULT_VALIDATIONS,
    effects: Path | None = None,
    engine: str = DUCKDB,
    progress: Callable[[str], None] = lambda step: None,
) -> dict[str, Any]:
    """Write a synthetic dataset and its truth; `out` takes its new content in one step.

    Parameters
    ----------
    out : Path
    seed : int
        The same seed gives the same bytes.
    validations : int
        How many validations to simulate.
    effects : Path, optional
        TOML file of effects; what it leaves out is as shipped.
    engine : str
        What prepares and counts the rows: see `engine_named`.
    progress : callable
        Told each step in words.

    Returns
    -------
    dict
        ``seed``, ``validations`` and ``row_counts`` by table.

    Raises
    ------
    AnalysisError
        For an effects file that is not understood, or an `out` that would be lost.
    """
    chosen = read_effects(effects)
    # One thread of DuckDB makes the bytes reproducible.
    worker = engine_named(engine, beside=out, threads=1)
    try:
        with written_aside(out) as folder:
            made = write_demo_source(
                folder, seed=seed, validations=validations, effects=chosen, progress=progress
            )
            empty_rejects().to_parquet(folder / "rejects.parquet", index=False)
            manifest = {
                "name": NAME,
                "synthetic": True,
                "as_of": made["as_of"],
                "source_note": NOTE,
                "fiscal_year_start_month": 10,
                "completeness": {"clean_validations": True, "criteria_asked": True},
            }
            finish_dataset(folder, manifest, engine=worker, progress=progress)
    finally:
        worker.close()
    return {key: made[key] for key in ("seed", "validations", "row_counts")}
