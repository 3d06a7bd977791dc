"""A dataset whose virtual validations were in person, and the other way round."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.datasets.preparing import finish_dataset


def swapped(folder: Path, out: Path) -> Path:
    """Write a copy of a dataset folder with the two modes exchanged."""
    shutil.copytree(folder / "source", out / "source")
    path = out / "source" / "validations.parquet"
    table = pq.read_table(path)
    modes = table["mode"]
    other = pc.if_else(
        pc.equal(modes, "virtual"), "in_person", pc.if_else(pc.equal(modes, "in_person"), "virtual", modes)
    )
    table = table.set_column(table.column_names.index("mode"), "mode", other.cast(pa.string()))
    pq.write_table(table, path)
    with open(folder / "dataset.toml", "rb") as file:
        finish_dataset(out, tomllib.load(file))
    return out
