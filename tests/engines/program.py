"""A small program as files of text, with rows that break every kind of rule, and what must be equal of two datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from pandas.testing import assert_frame_equal

from analysis.datasets.importing import ImportReport
from analysis.schema import TABLES

BROUGHT = ("members", "validations", "findings", "incidents", "incident_causes", "feedback")
AWKWARD = "No. `1`"
"""A column name that a query language would trip over."""


def written_program(demo: Path, folder: Path) -> list[Path]:
    """The source tables of a demo as CSV, with blank and broken lines and rows to be refused or repaired."""
    files = []
    for name in BROUGHT:
        frame = pd.read_parquet(demo / "source" / f"{name}.parquet").astype("object")
        frame = frame.where(frame.notna(), None)
        if name == "validations":
            frame = _spoilt(frame)
        path = folder / f"{name}.csv"
        frame.to_csv(path, index=False)
        files.append(path)
    lines = files[1].read_text(encoding="utf-8").splitlines(keepends=True)
    # A blank line keeps its number, a line of too few columns is refused by it.
    lines[5:5] = ["\n", "V-short,M\n"]
    files[1].write_text("".join(lines), encoding="utf-8")
    return files


def _spoilt(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.rename(columns={"validation_id": AWKWARD})
    for row, column, value in (
        (2, "conducted_on", "2021-02-30"), (3, "hours", "-4"), (4, "field_office", "Atlantis"), (5, "mode", "by mail"),
        (7, "member_id", "nobody"), (8, "hours", "nan"), (9, "hours", " 3.5 "), (10, "reported_on", "1999-01-01"),
        (11, "risk", "HIGH"), (12, "sites", "2.5"), (13, AWKWARD, None), (14, "conducted_on", "31/12/2020"),
    ):  # fmt: skip
        frame.loc[row, column] = value
    return pd.concat([frame, frame.iloc[[20]], frame.iloc[[21]].assign(hours=1.25)], ignore_index=True)


def mapping_of_program(**files: str) -> dict[str, Any]:
    """The mapping of the program's files, or of other files or tables under other names."""
    tables = {}
    for name in BROUGHT:
        columns = {column: column for column in TABLES[name].names}
        if name == "validations":
            columns["validation_id"] = AWKWARD
        tables[name] = {"file": files.get(name, f"{name}.csv"), "columns": columns}
    return {"name": "Program", "tables": tables}


def same_reports(one: ImportReport, other: ImportReport) -> None:
    assert one.to_dict()["tables"] == other.to_dict()["tables"]
    assert_frame_equal(one.rejects, other.rejects, check_dtype=False)


def same_datasets(one: Path, other: Path) -> None:
    """Source, prepared rows, cells and vocabularies: every table there, every value equal."""
    names = {path.relative_to(one) for path in one.rglob("*.parquet")}
    assert len(names) > 20 and names == {path.relative_to(other) for path in other.rglob("*.parquet")}
    for name in sorted(names):
        expected, found = pd.read_parquet(one / name), pd.read_parquet(other / name)
        # Sums are whole numbers of another width by engine: values are compared, not widths.
        assert_frame_equal(expected, found, check_dtype=False, obj=str(name))
