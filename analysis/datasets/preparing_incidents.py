"""Prepare incidents with the member's last validation before each, members at risk, the backlog of due validations."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals as nw

from analysis.datasets.calendar import epoch_day, fiscal_year, month_key
from analysis.datasets.engines import Engine, Frame
from analysis.datasets.vocabularies import MISSING, Vocabulary, encoded

REVALIDATION_MONTHS = 48
FIRST_VALIDATION_MONTHS = 12
MARITIME_TYPES = ("sea_carrier", "mpto", "consolidator")
_NEVER = 10_000_000
"""A day after every day."""

_CODED = (
    "field_office", "entity_type", "transport_mode", "concealment_method", "contraband", "seal_issue",
    "route_origin", "terminal",
)  # fmt: skip


def prepare_incidents(
    engine: Engine,
    sources: Mapping[str, Frame],
    validations: Frame | None,
    vocabularies: Mapping[str, Vocabulary],
    fiscal_start: int,
) -> tuple[Frame, Frame | None]:
    """Incidents, coded, with what was known of the member at its last validation; and their causes.

    ``n`` is the weight: how many incidents a row stands for; ``records`` counts rows. Filters of the last validation
    are −1 where there was none; ``member_id`` is null where no company is named. ``n_at_risk`` is n where the member
    was in the program at the time (`prepare_members`), else 0.
    """
    month = month_key("occurred_on")
    incidents = sources["incidents"]
    if "members" in sources:
        known = prepare_members(sources).select("member_id", "entity_type", "entered_day", "left_day")
        incidents = incidents.join(known, on="member_id", how="left")
    else:
        incidents = incidents.with_columns(
            entity_type=nw.lit(None, nw.String),
            entered_day=nw.lit(None, nw.Int32),
            left_day=nw.lit(None, nw.Int32),
        )
    weight = nw.col("weight").fill_null(1).cast(nw.Int32)
    monthly = (nw.col("date_precision") == "month").fill_null(False)
    selected = incidents.select(
        "incident_id",
        "member_id",
        *_CODED,
        day=epoch_day("occurred_on"),
        month=month,
        quarter=(month // 3).cast(nw.Int32),
        fiscal_year=fiscal_year(month, fiscal_start),
        internal_conspiracy=nw.col("internal_conspiracy").cast(nw.Int32),
        self_reported=nw.col("self_reported").cast(nw.Int32),
        opened_day=epoch_day("analysis_opened_on"),
        analysed_day=epoch_day("analysis_closed_on"),
        month_only=nw.when(monthly).then(1).otherwise(0).cast(nw.Int32),
        records=nw.lit(1, nw.Int32),
        n=weight,
        n_at_risk=nw.when(_in_program(monthly)).then(weight).otherwise(0).cast(nw.Int32),
    )
    coded = encoded(engine, selected, _CODED, vocabularies)
    codes = [
        vocabularies["entity_type"].code(t) for t in MARITIME_TYPES if t in vocabularies["entity_type"].values
    ]
    sea = vocabularies["transport_mode"]
    by_sea = nw.col("transport_mode") == (sea.code("sea") if "sea" in sea.values else MISSING - 1)
    coded = engine.kept(
        coded.with_columns(
            maritime=nw.when(by_sea | nw.col("entity_type").is_in(codes)).then(1).otherwise(0).cast(nw.Int32)
        )
    )
    linked = engine.kept(_with_last_validation(coded, validations))
    causes = sources.get("incident_causes")
    if causes is None:
        return linked, None
    coded_causes = encoded(engine, causes, ("cause",), vocabularies)
    joined = coded_causes.join(linked.drop("member_id"), on="incident_id", how="inner")
    known = causes.select("incident_id", _cause=nw.lit(1)).unique()
    linked = linked.join(known, on="incident_id", how="left").with_columns(
        has_cause=nw.col("_cause").fill_null(0).cast(nw.Int32)
    )
    return linked.drop("_cause"), joined


def prepare_members(sources: Mapping[str, Frame]) -> Frame:
    """Members with the days between which they were in the program, still in text values.

    A member enters on the day it was certified; where that is not recorded (``certified`` 0), on the day of its first
    validation [A]; else nobody knows since when it was at risk, and ``entered_day`` is null.
    """
    members = sources["members"].select(
        "member_id", "entity_type", "field_office",
        certified_day=epoch_day("certified_on"), left_day=epoch_day("left_on"),
    )  # fmt: skip
    if "validations" in sources:
        first = sources["validations"].select("member_id", day=epoch_day("conducted_on"))
        members = members.join(
            first.group_by("member_id").agg(first_day=nw.col("day").min()), on="member_id", how="left"
        )
    else:
        members = members.with_columns(first_day=nw.lit(None, nw.Int32))
    return members.select(
        "member_id", "entity_type", "field_office", "left_day",
        entered_day=nw.coalesce(nw.col("certified_day"), nw.col("first_day")).cast(nw.Int32),
        certified=nw.when(nw.col("certified_day").is_null()).then(0).otherwise(1).cast(nw.Int32),
        n=nw.lit(1, nw.Int32),
    )  # fmt: skip


def _in_program(monthly: nw.Expr) -> nw.Expr:
    """Whether the member was in the program; where only the month is known, at some time in that month."""
    day = epoch_day("occurred_on")
    # No month is longer: the first of the month and the day thirty days on bound what may be meant.
    latest = nw.when(monthly).then(day + 30).otherwise(day)
    return (nw.col("entered_day") <= latest) & (nw.col("left_day").fill_null(_NEVER) >= day)


_LAST = ("mode", "risk", "kind", "location")


def _with_last_validation(incidents: Frame, validations: Frame | None) -> Frame:
    if validations is None:
        return incidents.with_columns(
            *[nw.lit(MISSING, nw.Int16).alias(name) for name in _LAST],
            days_since_validation=nw.lit(None, nw.Int32),
            last_validation=nw.lit(None, nw.Int64),
        )
    visits = validations.select(
        "member_id",
        # On one day an incident sorts before a validation, so that only earlier days count as before.
        order=nw.col("day").cast(nw.Int64) * 2 + 1,
        validation_row=nw.col("validation_row"),
        incident_id=nw.lit(None, nw.String),
    )
    events = incidents.filter(~nw.col("member_id").is_null()).select(
        "member_id",
        order=nw.col("day").cast(nw.Int64) * 2,
        validation_row=nw.lit(None, nw.Int64),
        incident_id=nw.col("incident_id"),
    )
    # An as-of join that every engine can do: one ordered stream, last validation carried forward.
    last = (
        nw.concat([visits, events])
        .with_columns(
            last_validation=nw.col("validation_row")
            .fill_null(strategy="forward")
            .over("member_id", order_by=("order", "validation_row"))
        )
        .filter(~nw.col("incident_id").is_null())
        .select("incident_id", "last_validation")
    )
    known = validations.select(*_LAST, last_validation=nw.col("validation_row"), last_day=nw.col("day"))
    joined = incidents.join(last, on="incident_id", how="left").join(known, on="last_validation", how="left")
    return joined.with_columns(
        *[nw.col(name).fill_null(MISSING).cast(nw.Int16) for name in _LAST],
        days_since_validation=(nw.col("day") - nw.col("last_day")).cast(nw.Int32),
    ).drop("last_day")


def prepare_backlog(
    engine: Engine, sources: Mapping[str, Frame], vocabularies: Mapping[str, Vocabulary]
) -> Frame:
    """One row per due validation: when it was due, when it was done (null: not yet), when the member left.

    Done ones carry their own due date where recorded. The open one of each member is due on its next due date,
    else 48 months after its last validation, else 12 months after certification.
    """
    members = sources["members"].select(
        "member_id", "entity_type", _office=nw.col("field_office"),
        next_due=month_key("next_due_on"), certified=month_key("certified_on"), left_month=month_key("left_on"),
    )  # fmt: skip
    validations = sources["validations"].select(
        "member_id", "field_office", "validation_id", "conducted_on",
        due=month_key("validation_due_on"), done=month_key("conducted_on"),
    )  # fmt: skip
    # Two validations on one day: the larger identifier is the later one.
    latest = validations.filter(
        nw.col("conducted_on") == nw.col("conducted_on").max().over("member_id")
    ).filter(nw.col("validation_id") == nw.col("validation_id").max().over("member_id"))
    open_due = nw.coalesce(
        nw.col("next_due"),
        nw.col("done") + REVALIDATION_MONTHS,
        nw.col("certified") + FIRST_VALIDATION_MONTHS,
    )
    waiting = members.join(latest.drop("due", "conducted_on"), on="member_id", how="left").select(
        "member_id", "entity_type", "left_month",
        field_office=nw.coalesce(nw.col("field_office"), nw.col("_office")),
        due_month=open_due.cast(nw.Int32),
        done_month=nw.lit(None, nw.Int32),
    )  # fmt: skip
    done = validations.join(members.select("member_id", "entity_type", "left_month"), on="member_id", how="inner").select(
        "member_id", "entity_type", "left_month", "field_office",
        due_month=nw.col("due").cast(nw.Int32),
        done_month=nw.col("done").cast(nw.Int32),
    )  # fmt: skip
    both = nw.concat([waiting, done]).filter(~nw.col("due_month").is_null())
    both = both.with_columns(n=nw.lit(1, nw.Int32), left_month=nw.col("left_month").cast(nw.Int32))
    return engine.kept(encoded(engine, both, ("field_office", "entity_type"), vocabularies))
