"""What did an import do, or what would it do? In words, and as a table of counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording

if TYPE_CHECKING:
    from analysis.datasets.checks import TableReport
    from analysis.datasets.importing import ImportReport

_KINDS = {"rejected": "Rejected", "left_out": "Left out", "repaired": "Repaired"}


def import_sentence(report: ImportReport) -> str:
    """The outcome in one sentence."""
    parts = [
        f"{wording.number(table.kept)} of {wording.counted(table.read, 'row')} as {name.replace('_', ' ')}"
        for name, table in report.tables.items()
        if not _derived(table)
    ]
    verb = "The import keeps" if report.dataset is None else "The import kept"
    refused = len(report.rejects)
    rejected = f"{wording.counted(refused, 'row')} rejected" if refused else "no row is rejected"
    return f"{verb} {wording.listed(parts)}; {rejected}."


def import_counts(report: ImportReport) -> pd.DataFrame:
    """One row a table: read, kept, rejected, left out, repaired."""
    return pd.DataFrame(
        [
            {
                "Table": _title(name),
                "Read": wording.number(table.read),
                "Kept": wording.number(table.kept),
                "Rejected": wording.number(sum(table.rejected.values())),
                "Left out": wording.number(sum(table.left_out.values())),
                "Repaired": wording.number(sum(table.repaired.values())),
            }
            for name, table in report.tables.items()
        ]
    )


def import_reasons(report: ImportReport) -> tuple[str, ...]:
    """Every reason with its count, e.g. ``"Findings, left out: 296 × no finding in this row"``."""
    return tuple(
        f"{_title(name)}, {words.lower()}: {wording.number(n)} × {reason}"
        for name, table in report.tables.items()
        for kind, words in _KINDS.items()
        for reason, n in getattr(table, kind).items()
    )


def _derived(table: TableReport) -> bool:
    return any("derived" in kind for kind in table.repaired)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
