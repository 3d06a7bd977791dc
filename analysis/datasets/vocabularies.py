"""Vocabularies: the values a column may take, their order, their labels and their integer codes.

They begin as data in ``data/reference`` and belong to the dataset once it is made: replaced or extended by what
its source brings.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import narwhals as nw
import pandas as pd

from analysis.datasets.engines import Engine, Frame
from analysis.datasets.tables import read_table
from analysis.errors import AnalysisError
from analysis.schema import DATA_FOLDER, TABLES

MISSING = -1
"""Code of a value that is not recorded."""

CODED = (
    "field_office", "mode", "entity_type", "risk", "kind", "location", "outcome", "tour",
    "answer", "level", "seen_by", "reason", "evidence", "category", "focus_area", "criterion_id",
    "transport_mode", "concealment_method", "contraband", "seal_issue", "route_origin", "terminal", "cause",
    "respondent", "item", "theme",
)  # fmt: skip
"""Columns that prepared tables and cells hold as integer codes."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Values of one column in their order; the position of a value is its code.

    `present` says which of them occur in the dataset: only those are offered as filters.
    """

    column: str
    values: tuple[str, ...]
    labels: tuple[str, ...]
    present: tuple[bool, ...] = ()

    def code(self, value: str) -> int:
        """The integer code of a value."""
        return self.values.index(value)

    def label(self, value: str) -> str:
        """The value as people read it."""
        return self.labels[self.values.index(value)] if value in self.values else value


@cache
def reference_vocabularies() -> dict[str, Vocabulary]:
    """The shipped vocabularies, by name."""
    rows: dict[str, list[tuple[str, str]]] = {}
    with open(DATA_FOLDER / "reference" / "vocabularies.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["vocabulary"], []).append((row["value"], row["label"]))
    return {
        name: Vocabulary(name, tuple(v for v, _ in pairs), tuple(label for _, label in pairs))
        for name, pairs in rows.items()
    }


def reference_table(engine: Engine, name: str) -> Frame:
    """A shipped reference table (criteria, applicability, field offices) in our columns and types."""
    table = TABLES[name]
    frame, broken = engine.read_csv(DATA_FOLDER / "reference" / f"{name}.csv")
    if broken:
        raise AnalysisError(f"data/reference/{name}.csv: row {broken[0][0]}: {broken[0][1]}.")
    typed = {c.name: c.type for c in table.columns if c.type != "text"}
    return engine.parsed(frame, typed).select(*table.names)


def dataset_vocabularies(
    seen: Mapping[str, Iterable[str]],
    criteria: pd.DataFrame,
    offices: pd.DataFrame,
    modes: Mapping[str, str],
) -> dict[str, Vocabulary]:
    """The vocabularies of one dataset.

    Parameters
    ----------
    seen : mapping
        Column → values that occur in its source tables.
    criteria, offices : DataFrame
        Its catalogue and field offices, which give order and labels.
    modes : mapping
        Names of the arms where they are stand-ins.
    """
    reference = reference_vocabularies()
    catalogue = criteria.sort_values(["category_no", "criterion_id"], key=_natural)
    out: dict[str, Vocabulary] = {}
    for column in CODED:
        occurring = set(seen.get(column, ()))
        pairs: list[tuple[str, str]]
        if column == "field_office":
            pairs = [(office, office) for office in sorted(offices["field_office"].dropna())]
        elif column == "category":
            pairs = [(name, name) for name in catalogue["category"].dropna().unique()]
        elif column == "focus_area":
            pairs = [(name, name) for name in catalogue["focus_area"].dropna().unique()]
        elif column == "criterion_id":
            pairs = [
                (
                    row.criterion_id,
                    f"{row.criterion_id} {row.title}" if isinstance(row.title, str) else row.criterion_id,
                )
                for row in catalogue.itertuples()
            ]
        elif column in reference and (not occurring or occurring & set(reference[column].values)):
            pairs = list(zip(reference[column].values, reference[column].labels, strict=True))
        else:
            pairs = []
        known = {value for value, _ in pairs}
        pairs += [(value, value) for value in sorted(occurring - known)]
        if column == "mode":
            pairs = [(value, modes.get(value, label)) for value, label in pairs]
        values = tuple(value for value, _ in pairs)
        out[column] = Vocabulary(
            column, values, tuple(label for _, label in pairs), tuple(v in occurring for v in values)
        )
    return out


def vocabulary_frame(vocabularies: Mapping[str, Vocabulary]) -> pd.DataFrame:
    """All vocabularies as one table: column, code, value, label, present."""
    return pd.DataFrame(
        [
            (name, code, value, label, int(present))
            for name, vocabulary in vocabularies.items()
            for code, (value, label, present) in enumerate(
                zip(vocabulary.values, vocabulary.labels, vocabulary.present, strict=True)
            )
        ],
        columns=["column", "code", "value", "label", "present"],
    )


def read_vocabularies(path: Path) -> dict[str, Vocabulary]:
    """The vocabularies of a dataset folder, by column."""
    frame = read_table(path).sort_values(["column", "code"])
    out = {
        str(name): Vocabulary(
            str(name), tuple(rows["value"]), tuple(rows["label"]), tuple(bool(p) for p in rows["present"])
        )
        for name, rows in frame.groupby("column")
    }
    return {name: out.get(name, Vocabulary(name, (), ())) for name in CODED}


def encoded(
    engine: Engine, frame: Frame, columns: Iterable[str], vocabularies: Mapping[str, Vocabulary]
) -> Frame:
    """Text columns replaced by their integer codes; what is not recorded becomes −1."""
    names = frame.collect_schema().names()
    coded = tuple(columns)
    for column in coded:
        values = vocabularies[column].values
        codes = {
            "_value": pd.Series(values, dtype="str"),
            f"_code_{column}": pd.Series(range(len(values)), dtype="int16"),
        }
        frame = frame.join(
            engine.from_pandas(pd.DataFrame(codes)), left_on=column, right_on="_value", how="left"
        )
    kept = [nw.col(name) for name in names if name not in coded]
    made = [nw.col(f"_code_{column}").fill_null(MISSING).cast(nw.Int16).alias(column) for column in coded]
    return frame.select(*kept, *made)


def _natural(values: pd.Series) -> pd.Series:
    # "2.10" comes after "2.9": numbers inside identifiers sort as numbers.
    if values.name != "criterion_id":
        return values
    return values.str.replace(r"\d+", lambda m: m.group().zfill(6), regex=True)
