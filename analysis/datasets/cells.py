"""Cells: grouped counts from which every question is answered without touching rows."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import reduce

import narwhals as nw

from analysis.datasets.engines import Frame
from analysis.schema import FILTER_COLUMNS

F = FILTER_COLUMNS


@dataclass(frozen=True, slots=True)
class CellTable:
    """One table of cells: the prepared table it counts, its keys, and what is summed.

    `sums` ending in ``*`` stand for every column that begins so.
    """

    name: str
    counts: str
    keys: tuple[str, ...]
    sums: tuple[str, ...] = ("n",)


CELLS: dict[str, CellTable] = {
    table.name: table
    for table in (
        CellTable(
            "validation_cells",
            "validations",
            (*F, "catalogue_period", "deficient_areas", "must_deficient_areas", "assessed_areas", "must_assessed_areas"),
            (
                "n", "any_*", "has_*", "passed", "critical", "n_deficient*", "n_must_deficient*", "n_assessed*",
                "n_must_assessed*", "n_not_verified*", "n_verifiable*", "n_due", "n_closed_on_time",
            ),
        ),
        CellTable(
            "finding_cells",
            "findings",
            (*F, "criterion_id", "category", "focus_area", "seen_by", "level", "answer", "reason"),
        ),
        CellTable(
            "pair_cells",
            "pairs",
            (*F, "previous_mode", "previous_any_deficiency", "previous_any_must_deficiency",
             "any_deficiency", "any_must_deficiency"),
            ("n", "n_repeatable", "n_repeat"),
        ),
        CellTable("value_cells", "values", (*F, "metric", "value", "event")),
        CellTable(
            "incident_cells",
            "incidents",
            ("field_office", "month", "transport_mode", "entity_type", "mode", "risk", "kind", "location",
             "maritime", "internal_conspiracy", "has_cause"),
            ("n", "records", "n_at_risk"),
        ),
        CellTable(
            "concealment_cells",
            "incidents",
            ("field_office", "month", "transport_mode", "entity_type", "mode", "concealment_method"),
        ),
        CellTable(
            "seal_cells", "incidents",
            ("field_office", "month", "transport_mode", "entity_type", "mode", "seal_issue"),
        ),
        CellTable(
            "contraband_cells", "incidents",
            ("field_office", "month", "transport_mode", "entity_type", "mode", "contraband"),
        ),
        CellTable(
            "cause_cells", "causes",
            ("field_office", "month", "transport_mode", "entity_type", "mode", "cause"),
        ),
        CellTable(
            "feedback_cells", "feedback", (*F, "respondent", "item", "score", "theme"), ("n", "top_two")
        ),
        CellTable("agreement_cells", "agreement", (*F, "item", "specialist_score", "member_score")),
        CellTable("backlog_cells", "backlog", ("field_office", "entity_type", "due_month", "done_month", "left_month")),
    )
}  # fmt: skip

DURATIONS = ("days_to_report", "days_to_close", "hours", "followup", "sites", "minutes_lost")
"""Times and amounts whose values are counted: the position is their code. Hours are counted in tenths."""


WORD = 32
"""Flags in one whole number of a bit set."""

FEW, MANY = 1_000_000, 25_000_000
"""Up to few cells are held whatever they count; more than many are never held: each takes some thirty bytes."""

FINE = 0.8
"""Share of the rows they count from which on cells bring nothing: the rows are counted as quickly."""


@dataclass(frozen=True, slots=True)
class TooFine:
    """A table of cells that is not held, since it would have this many cells for this many rows."""

    cells: int
    rows: int


def too_fine(cells: int, rows: int) -> bool:
    """Whether cells are so many, by themselves or for the rows they count, that the engine counts the rows instead."""
    return cells > FEW and (cells > MANY or cells > FINE * rows)


def tables_of(prepared: Container[str]) -> list[CellTable]:
    """The tables of cells that the prepared tables allow."""
    return [table for table in CELLS.values() if prepared_for(table.counts) in prepared]


def prepared_for(table: str) -> str:
    """The prepared table that a counted one is, or is a view of."""
    return VIEWS[table][0] if table in VIEWS else table


def grouped(rows: Frame, table: CellTable) -> Frame:
    """Rows grouped into cells."""
    keys, sums = grouping(rows, table)
    return rows.group_by(*keys).agg(*[nw.col(name).sum() for name in sums])


def grouping(rows: Frame, table: CellTable) -> tuple[list[str], list[str]]:
    """Keys and sums of a table of cells that the rows have."""
    names = rows.collect_schema().names()
    keys = [key for key in table.keys if key in names]
    sums = {name for name in names if any(_matches(name, pattern) for pattern in table.sums)}
    return keys, sorted(sums - set(keys))


def build(prepared: Mapping[str, Frame]) -> dict[str, Frame]:
    """All cell tables that the prepared tables allow."""
    return {table.name: grouped(counted_rows(prepared, table), table) for table in tables_of(prepared)}


def counted_rows(prepared: Mapping[str, Frame], table: CellTable) -> Frame:
    """The rows that a table of cells counts."""
    return viewed(prepared[prepared_for(table.counts)], table.counts)


def viewed(prepared: Frame, table: str) -> Frame:
    """Prepared rows as the table that is counted."""
    return VIEWS[table][1](prepared) if table in VIEWS else prepared


def _matches(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _values(validations: Frame) -> Frame:
    """One row per validation and time or amount: in whole units (hours in tenths), and whether the end was seen."""
    return nw.concat([_values_of(metric)(validations) for metric in DURATIONS])


def _values_of(metric: str) -> Callable[[Frame], Frame]:
    """The rows of one time or amount, with who is behind them: specialists and members are in no cell."""
    value, event, present = _DURATION[metric]

    def view(validations: Frame) -> Frame:
        return validations.filter(present).select(
            *F,
            "day",
            "quarter",
            "specialist",
            "member",
            metric=nw.lit(DURATIONS.index(metric), nw.Int16),
            value=value.cast(nw.Int32),
            event=event.cast(nw.Int16),
            n=nw.lit(1, nw.Int32),
        )

    return view


_SEEN = nw.lit(1, nw.Int16)
_DURATION: dict[str, tuple[nw.Expr, nw.Expr, nw.Expr]] = {
    "days_to_report": (nw.col("report_days"), nw.col("reported"), ~nw.col("report_days").is_null()),
    "days_to_close": (
        nw.col("close_days"),
        nw.col("closed"),
        ~nw.col("close_days").is_null() & (nw.col("n_deficient") > 0),
    ),
    "hours": ((nw.col("hours") * 10).round(0), _SEEN, ~nw.col("hours").is_null()),
    "followup": (nw.col("followup_days"), nw.col("followup_incident"), ~nw.col("followup_days").is_null()),
    "sites": (nw.col("sites"), _SEEN, ~nw.col("sites").is_null()),
    "minutes_lost": (nw.col("minutes_lost").round(0), _SEEN, ~nw.col("minutes_lost").is_null()),
}


def _agreement(feedback: Frame) -> Frame:
    """Pairs of scores a specialist and a member gave to one item after one validation."""
    keys = ["validation_id", "item"]
    # Code 0 is the specialist and 1 the member: the order of the shipped vocabulary.
    one = feedback.filter(nw.col("respondent") == 0)
    two = feedback.filter(nw.col("respondent") == 1)
    first = one.group_by(*keys, *F, "day").agg(specialist_score=nw.col("score").min())
    second = two.group_by(*keys).agg(member_score=nw.col("score").min())
    return first.join(second, on=keys, how="inner").with_columns(n=nw.lit(1, nw.Int32))


def _pairs(validations: Frame) -> Frame:
    return validations.filter(nw.col("previous_mode") >= 0)


def _changes(validations: Frame) -> Frame:
    """Pairs with the kind of their first validation, and whether either had a deficiency."""
    flags = ("any_deficiency", "any_must_deficiency")
    earlier = (f"previous_{name}" for name in ("mode", "validation_row", *flags))
    pairs = _pairs(validations).select(*F, "day", "quarter", "specialist", *flags, *earlier, "n")
    first = validations.select(previous_validation_row=nw.col("validation_row"), previous_kind=nw.col("kind"))
    return pairs.join(first, on="previous_validation_row", how="left")


def _categorised(validations: Frame) -> Frame:
    """Validations with what filters ask about as codes, and categories deficient and assessed as bit sets."""
    names = validations.collect_schema().names()
    sets = {
        f"{what}_{word}": _bits(names, flag, word)
        for what, flag in (("deficient", "any_deficiency_c"), ("assessed", "has_assessed_c"))
        for word in range(words_of(sum(name.startswith("any_deficiency_c") for name in names)))
    }
    codes = {f"{name}_code": nw.col(name) for name in F if name in names}
    return validations.select("member", "day", "validation_row", n=nw.lit(1, nw.Int32), **codes, **sets)


def _bits(names: Container[str], flag: str, word: int) -> nw.Expr:
    places = (bit for bit in range(WORD) if f"{flag}{word * WORD + bit}" in names)
    shifted = [(nw.col(f"{flag}{word * WORD + bit}") > 0).cast(nw.Int64) * 2**bit for bit in places]
    return reduce(lambda a, b: a + b, shifted, nw.lit(0, nw.Int64))


def words_of(flags: int) -> int:
    """How many whole numbers hold so many flags as bits."""
    return -(-flags // WORD)


VIEWS: dict[str, tuple[str, Callable[[Frame], Frame]]] = {
    "values": ("validations", _values),
    "agreement": ("feedback", _agreement),
    "pairs": ("validations", _pairs),
    "changes": ("validations", _changes),
    "categorised": ("validations", _categorised),
    **{metric: ("validations", _values_of(metric)) for metric in DURATIONS},
}
"""Counted tables that are a view of prepared rows: which rows, and how they are seen.

Each time or amount is also a table of its own, for what is asked by specialist or member.
"""
