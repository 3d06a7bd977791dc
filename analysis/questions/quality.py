"""How good are the data? What import rejected, what is missing, what contradicts itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pandas as pd

from analysis import wording
from analysis.counts import counts
from analysis.datasets.cells import CELLS
from analysis.datasets.checks import empty_rejects
from analysis.datasets.engines import collected
from analysis.datasets.tables import read_table
from analysis.schema import TABLES

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

_ALWAYS_ONE = ("criteria", "applicability", "field_offices")


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was looked for, in which table, how many rows of how many show it; None where not told."""

    id: str
    table: str
    words: str
    count: int | None
    n: int | None

    def to_dict(self) -> dict[str, Any]:
        """A row of ``check --json``."""
        share = self.count / self.n if self.n and self.count is not None else None
        return {
            "check": self.id,
            "table": self.table,
            "words": self.words,
            "count": self.count,
            "n": self.n,
            "share": share,
        }


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality report of a dataset."""

    checks: tuple[Check, ...]
    row_counts: dict[str, int | None]
    sentence: str
    caveats: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis check --json``."""
        return {
            "rows": [check.to_dict() for check in self.checks],
            "n": None if None in self.row_counts.values() else sum(n or 0 for n in self.row_counts.values()),
            "row_counts": self.row_counts,
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a check."""
        return pd.DataFrame([check.to_dict() for check in self.checks])


@dataclass(frozen=True, slots=True)
class Rejected:
    """Rows that import rejected, one by one; or only how many broke each rule, where single rows are not told.

    `by_rule` has the columns ``table``, ``rule`` and ``count`` (None where it is not told).
    """

    rows: pd.DataFrame
    by_rule: pd.DataFrame
    n: int | None
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """How many rows each table of a dataset holds, None where that is not told."""

    rows: dict[str, int | None]


def held(dataset: Dataset) -> Held:
    """Count the rows of the tables that are there."""
    return Held({name: n for name, n in dataset.row_counts.items() if n})


def rejected_rows(dataset: Dataset) -> Rejected:
    """What import rejected, row by row and by rule."""
    rows = rejects(dataset)
    by_rule = rows.groupby(["table", "rule"], as_index=False).size().rename(columns={"size": "count"})
    return Rejected(rows, by_rule, len(rows))


def quality(dataset: Dataset) -> Quality:
    """Check a dataset: rejects of its import, missing values, contradictions, what is not known by design."""
    checks = [*_rejected(dataset), *_missing(dataset), *_contradictions(dataset), *_too_fine(dataset)]
    rows: dict[str, int | None] = {
        name: n for name, n in dataset.row_counts.items() if name not in _ALWAYS_ONE
    }
    found = sum(check.count or 0 for check in checks if check.id.startswith("rejected"))
    odd = sum(
        1 for check in checks if not check.id.startswith(("rejected", "missing", "counted")) and check.count
    )
    told = wording.listed([_held(dataset, name, n) for name, n in rows.items() if n])
    rejected = "no row was rejected" if not found else f"{wording.counted(found, 'row')} rejected at import"
    oddities = (
        "nothing contradicts itself" if not odd else f"{wording.counted(odd, 'check')} found contradictions"
    )
    return Quality(tuple(checks), rows, f"The dataset holds {told}; {rejected}, and {oddities}.")


def rejects(dataset: Dataset) -> pd.DataFrame:
    """Rows that import rejected: table, file, row in the file, column, value, rule, hint."""
    path = dataset.path / "rejects.parquet"
    return read_table(path) if path.exists() else empty_rejects()


def _held(dataset: Dataset, table: str, n: int) -> str:
    unit = "answer to a feedback item" if table == "feedback" else table.replace("_", " ").removesuffix("s")
    words = wording.counted(n, unit, "answers to feedback items" if table == "feedback" else None)
    if table != "incidents":
        return words
    weighed = int(counts(dataset, "incidents", [], sums=["n"])["n"].iloc[0])
    return words if weighed == n else f"{wording.counted(weighed, 'incident')} in {wording.counted(n, 'row')}"


def _too_fine(dataset: Dataset) -> list[Check]:
    """Tables that are counted from their rows: no fault, but answers take longer."""
    return [
        Check(
            "counted_from_rows",
            CELLS[name].counts,
            "counted from rows by the engine: cells would be nearly as many as the records, or too many to hold",
            too_fine.cells,
            too_fine.rows,
        )
        for name, too_fine in dataset.too_fine.items()
    ]


def _rejected(dataset: Dataset) -> list[Check]:
    return [
        Check(
            "rejected",
            str(table),
            f"rejected at import: {rule}",
            len(rows),
            len(rows) + dataset.row_counts.get(str(table), 0),
        )
        for (table, rule), rows in rejects(dataset).groupby(["table", "rule"])
    ]


def _missing(dataset: Dataset) -> list[Check]:
    """Optional columns that are partly empty; wholly empty ones are not recorded at all."""
    out = []
    for name in ("members", "validations", "incidents"):
        if not dataset.row_counts.get(name):
            continue
        frame = dataset.rows(name)
        optional = [column.name for column in TABLES[name].columns if not column.required]
        empty = collected(frame.select(*[nw.col(c).is_null().sum().alias(c) for c in optional])).iloc[0]
        n = dataset.row_counts[name]
        virtual = TABLES[name].virtual_only
        for column in optional:
            count = int(empty[column])
            if 0 < count < n and column not in (*virtual, "left_on", "closed_on", "minutes_lost"):
                out.append(Check(f"missing_{column}", name, f"{column} is empty", count, n))
    return out


def _contradictions(dataset: Dataset) -> list[Check]:
    out = []
    if dataset.counts_by("validation_cells"):
        n = dataset.row_counts["validations"]
        twice = counts(dataset, "validations", ["member", "day"], via="rows")
        again = int((twice["n"] - 1).clip(lower=0).sum())
        out.append(
            Check(
                "same_day", "validations", "another validation of the same member on the same day", again, n
            )
        )
        rows = dataset.rows("validations")
        if dataset.records("outcome"):
            passed = counts(dataset, "validations", ["outcome", "any_must_deficiency"], via="rows")
            odd = passed[(passed["outcome"] == "passed") & (passed["any_must_deficiency"] == 1)]
            words = "outcome is passed although a Must was deficient"
            out.append(Check("passed_with_must", "validations", words, int(odd["n"].sum()), n))
        zero = int(collected(rows.select(n=(nw.col("hours") == 0).sum()))["n"].fillna(0).iloc[0])
        out.append(Check("zero_hours", "validations", "hours recorded as zero", zero, n))
    if dataset.row_counts.get("findings") and dataset.catalogue_has_levels:
        out.append(_level_conflicts(dataset))
    if dataset.row_counts.get("incidents") and dataset.row_counts.get("validations"):
        incidents = counts(dataset, "incidents", ["mode"], sums=["n"])
        unlinked = int(incidents.loc[incidents["mode"].isna(), "n"].sum())
        words = "no validation of the member before the incident, or no member named"
        out.append(Check("unlinkable", "incidents", words, unlinked, int(incidents["n"].sum())))
    return out


def _level_conflicts(dataset: Dataset) -> Check:
    findings, criteria = dataset.rows_together("findings", "criteria")
    catalogue = criteria.select("criterion_id", _level=nw.col("level"))
    joined = findings.join(catalogue, on="criterion_id", how="left")
    conflict = (~nw.col("level").is_null() & (nw.col("level") != nw.col("_level"))).sum()
    n = int(collected(joined.select(n=conflict))["n"].fillna(0).iloc[0])
    words = "level written down differs from the catalogue's (the catalogue's is used)"
    return Check("level_conflict", "findings", words, n, dataset.row_counts["findings"])
