"""What came before and after a validation: the member's earlier validation, and follow-up to the next incident."""

from __future__ import annotations

import narwhals as nw

from analysis.datasets.calendar import epoch_day
from analysis.datasets.engines import Frame

_PREVIOUS = ("mode", "any_deficiency", "any_must_deficiency", "n_deficient", "n_assessed", "hours")


def previous_validations(
    validations: Frame, findings: Frame, applies: Frame, *, deficient: int, asked: bool
) -> Frame:
    """Per validation, the member's previous one and how many of its deficiencies came back.

    ``n_repeatable`` counts criteria deficient last time that still apply and were assessed this time;
    ``n_repeat`` those deficient again. Both are null where nobody knows which criteria were asked. `deficient`
    is the code of that answer.
    """
    previous = [
        nw.col(name).shift(1).over("member", order_by=("day", "validation_row")).alias(f"previous_{name}")
        for name in (*_PREVIOUS, "validation_row", "day")
    ]
    paired = validations.select("validation_row", "day", "entity_type", "catalogue_period", *previous)
    added = [
        nw.col("previous_mode").fill_null(-1).cast(nw.Int16),
        *[nw.col(f"previous_{name}") for name in (*_PREVIOUS[1:], "validation_row")],
        ((nw.col("day") - nw.col("previous_day")) // 30).cast(nw.Int32).alias("months_since_previous"),
    ]
    if not asked:
        nothing = nw.lit(None, nw.Int32)
        return paired.select("validation_row", *added, n_repeatable=nothing, n_repeat=nothing)
    pairs = paired.filter(~nw.col("previous_validation_row").is_null()).select(
        "validation_row", "previous_validation_row", "entity_type", "catalogue_period"
    )
    earlier = findings.filter(nw.col("answer") == deficient).select(
        "criterion_id", previous_validation_row=nw.col("validation_row")
    )
    now = findings.select("validation_row", "criterion_id", "answer")
    still = applies.select("criterion_id", "entity_type", "catalogue_period")
    repeatable = (
        pairs.join(earlier, on="previous_validation_row", how="inner")
        .join(still, on=["criterion_id", "entity_type", "catalogue_period"], how="inner")
        .join(now, on=["validation_row", "criterion_id"], how="left")
        .filter(nw.col("answer").is_null() | (nw.col("answer") == deficient))
    )
    counted = (
        repeatable.select(
            "validation_row",
            n_repeatable=nw.lit(1),
            n_repeat=nw.when(nw.col("answer") == deficient).then(1).otherwise(0),
        )
        .group_by("validation_row")
        .agg(nw.col("n_repeatable", "n_repeat").sum())
    )
    again = [nw.col(name).fill_null(0).cast(nw.Int32) for name in ("n_repeatable", "n_repeat")]
    return paired.join(counted, on="validation_row", how="left").select("validation_row", *added, *again)


def followed_up(validations: Frame, incidents: Frame | None, as_of_day: int) -> Frame:
    """Per validation, the days followed after it, and whether they ended with an incident of the member.

    Followed to the first of: next incident on a later day, next validation, leaving the program, as-of date.
    Null where the dataset has no incidents.
    """
    if incidents is None:
        nothing = nw.lit(None, nw.Int32)
        return validations.select("validation_row", followup_incident=nothing, followup_days=nothing)
    events = incidents.filter(~nw.col("member_id").is_null()).select(
        "member_id",
        # On one day an incident sorts before a validation, so that only later days count as afterwards.
        order=(epoch_day("occurred_on").cast(nw.Int64) * 2),
        incident_day=epoch_day("occurred_on"),
        validation_row=nw.lit(None, nw.Int64),
    )
    visits = validations.select(
        "member_id",
        order=nw.col("day").cast(nw.Int64) * 2 + 1,
        incident_day=nw.lit(None, nw.Int32),
        validation_row=nw.col("validation_row"),
    )
    nearest = (
        nw.concat([visits, events])
        .with_columns(
            next_incident=nw.col("incident_day")
            .fill_null(strategy="backward")
            .over("member_id", order_by=("order", "validation_row"))
        )
        .filter(~nw.col("validation_row").is_null())
        .select("validation_row", "next_incident")
    )
    joined = validations.select(
        "validation_row",
        "day",
        "left_day",
        next_day=nw.col("day").shift(-1).over("member", order_by=("day", "validation_row")),
    ).join(nearest, on="validation_row", how="left")
    # Coalesced so that a missing end never wins; min_horizontal treats nulls differently by engine.
    end = nw.min_horizontal(
        nw.col("next_day").fill_null(as_of_day),
        nw.col("left_day").fill_null(as_of_day),
        nw.lit(as_of_day, nw.Int32),
    )
    seen = nw.col("next_incident") <= end
    days = nw.when(seen).then(nw.col("next_incident")).otherwise(end) - nw.col("day")
    return joined.select(
        "validation_row",
        followup_incident=nw.when(seen).then(1).otherwise(0).cast(nw.Int32),
        followup_days=nw.when(days > 0).then(days).otherwise(0).cast(nw.Int32),
    )
