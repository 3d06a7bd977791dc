"""Prepare validations: joined with their member, their answers, what came before and after; and their findings."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals as nw

from analysis.datasets.calendar import epoch_day, fiscal_year, month_key
from analysis.datasets.engines import Engine, Frame, collected, number_of_rows
from analysis.datasets.preparing_answers import (
    applicable_criteria,
    catalogue_periods,
    flag,
    period_of,
    with_answers,
)
from analysis.datasets.preparing_pairs import followed_up, previous_validations
from analysis.datasets.vocabularies import Vocabulary, encoded
from analysis.schema import TABLES


class PreparedValidations:
    """Prepared validations and what belongs to them.

    Validations have some two hundred columns, so what must be known of all of them at once (which came before, what
    came after) is worked out of few columns, and their counts of answers run by run of rows: memory stays bounded.

    Parameters
    ----------
    engine : Engine
    sources : mapping
        Source tables.
    vocabularies : mapping
    fiscal : int
        First month of the fiscal year.
    as_of_day : int
    asked : bool
        Whether the source says which criteria were asked.
    """

    def __init__(
        self,
        engine: Engine,
        sources: Mapping[str, Frame],
        vocabularies: Mapping[str, Vocabulary],
        fiscal: int,
        as_of_day: int,
        asked: bool,
    ) -> None:
        periods = catalogue_periods(collected(sources["applicability"]))
        self._engine, self._sources, self._vocabularies = engine, sources, vocabularies
        self._as_of_day, self._asked = as_of_day, asked
        self.base = engine.kept(_validation_base(engine, sources, vocabularies, fiscal, periods))
        self.applies = engine.kept(applicable_criteria(engine, sources, vocabularies, periods))
        self.findings = engine.kept(_findings(engine, sources, vocabularies, self.base, self.applies))

    def whole(self) -> list[Frame]:
        """Validations with all their columns, in runs of rows."""
        engine = self._engine
        runs = engine.runs(number_of_rows(self.base))
        answered = [self._with_answers(*run) for run in runs]
        counted = engine.kept_runs(answered)
        additions = [
            previous_validations(
                counted,
                self.findings,
                self.applies,
                deficient=self._vocabularies["answer"].code("deficient"),
                asked=self._asked,
            ),
            followed_up(counted, self._sources.get("incidents"), self._as_of_day),
            _answered(counted, self._sources.get("feedback")),
        ]
        held = [engine.kept(addition) for addition in additions]
        waiting = _waiting_times(self._sources, self._as_of_day)
        whole = [self._whole(counted, held, waiting, run) for run in runs]
        # Held first, a column that is never empty is written as such; parts must agree, so then none of them is.
        return [engine.kept(*whole)] if len(whole) == 1 else whole

    def _with_answers(self, first: int, end: int) -> Frame:
        base, findings = (_within(frame, first, end) for frame in (self.base, self.findings))
        return with_answers(base, findings, self.applies, self._vocabularies, self._as_of_day, self._asked)

    @staticmethod
    def _whole(
        counted: Frame, additions: list[Frame], waiting: Mapping[str, nw.Expr], run: tuple[int, int]
    ) -> Frame:
        whole = _within(counted, *run).with_columns(**waiting)
        for addition in additions:
            whole = whole.join(_within(addition, *run), on="validation_row", how="left")
        return whole


def _within(frame: Frame, first: int, end: int) -> Frame:
    row = nw.col("validation_row")
    return frame.filter((row >= first) & (row < end))


def _validation_base(
    engine: Engine,
    sources: Mapping[str, Frame],
    vocabularies: Mapping[str, Vocabulary],
    fiscal: int,
    periods: list[int],
) -> Frame:
    members = sources["members"].select(
        "member_id", nw.col("entity_type").alias("_type"), left_day=epoch_day("left_on")
    )
    joined = sources["validations"].join(members, on="member_id", how="left")
    numbered = engine.numbered(joined, "validation_row", order_by="validation_id")
    known = joined.select("specialist_id").unique().filter(~nw.col("specialist_id").is_null())
    specialists = engine.numbered(known, "specialist", order_by="specialist_id")
    members_seen = joined.select("member_id").unique()
    companies = engine.numbered(members_seen, "member", order_by="member_id")
    numbered = numbered.join(specialists, on="specialist_id", how="left").join(
        companies, on="member_id", how="left"
    )
    month = month_key("conducted_on")
    selected = numbered.select(
        nw.col("validation_row").cast(nw.Int64),
        "validation_id",
        "member_id",
        nw.col("member").cast(nw.Int32),
        nw.col("specialist").fill_null(-1).cast(nw.Int32),
        "field_office",
        "mode",
        "risk",
        "kind",
        "location",
        "outcome",
        entity_type=nw.coalesce(nw.col("entity_type"), nw.col("_type")),
        day=epoch_day("conducted_on"),
        month=month,
        quarter=(month // 3).cast(nw.Int32),
        fiscal_year=fiscal_year(month, fiscal),
        reported_day=epoch_day("reported_on"),
        closed_day=epoch_day("closed_on"),
        due_day=epoch_day("validation_due_on"),
        left_day=nw.col("left_day"),
        hours=nw.col("hours"),
        sites=nw.col("sites"),
        minutes_lost=nw.col("minutes_lost"),
        platform=nw.col("platform"),
        tour=nw.col("tour"),
        n=nw.lit(1, nw.Int32),
    )
    coded = ("field_office", "mode", "risk", "kind", "location", "outcome", "entity_type", "tour")
    return encoded(engine, selected, coded, vocabularies).with_columns(
        catalogue_period=period_of(nw.col("day"), periods)
    )


def _findings(
    engine: Engine,
    sources: Mapping[str, Frame],
    vocabularies: Mapping[str, Vocabulary],
    base: Frame,
    applies: Frame,
) -> Frame:
    if "findings" not in sources:
        types = {c.name: c.type for c in TABLES["findings"].columns}
        findings = engine.typed_empty(types)
    else:
        findings = sources["findings"]
    selected = findings.select(
        "validation_id", "criterion_id", "answer", "reason", "evidence", "category",
        due_day=epoch_day("due_on"), corrected_day=epoch_day("corrected_on"),
    )  # fmt: skip
    own = encoded(
        engine, selected, ("criterion_id", "answer", "reason", "evidence", "category"), vocabularies
    )
    own = own.with_columns(_own=nw.col("category")).drop("category")
    filters = base.select(
        "validation_id", "validation_row", "field_office", "mode", "day", "month", "entity_type", "risk", "kind",
        "location", "specialist", "catalogue_period",
    )  # fmt: skip
    joined = own.join(filters, on="validation_id", how="inner").join(
        applies, on=["criterion_id", "entity_type", "catalogue_period"], how="left"
    )
    category = nw.when(nw.col("_own") >= 0).then(nw.col("_own")).otherwise(nw.col("category").fill_null(-1))
    return joined.with_columns(
        category=category.cast(nw.Int16),
        n=nw.lit(1, nw.Int32),
        **{c: nw.col(c).fill_null(-1).cast(nw.Int16) for c in ("focus_area", "level", "seen_by")},
    ).drop("_own", "validation_id", "catalogue_period")


def _waiting_times(sources: Mapping[str, Frame], as_of_day: int) -> dict[str, nw.Expr]:
    """Days to report and to close; what is open at the as-of date counts as still waiting, not as missing.

    Null where the source never records that date: a column that is always empty is not a queue.
    """
    validations = sources["validations"]
    recorded = collected(
        validations.select(
            reported=(~nw.col("reported_on").is_null()).any(), closed=(~nw.col("closed_on").is_null()).any()
        )
    ).iloc[0]
    nothing = nw.lit(None, nw.Int32)
    out = {"report_days": nothing, "reported": nothing, "close_days": nothing, "closed": nothing}
    if recorded["reported"]:
        out["report_days"] = nw.col("reported_day").fill_null(as_of_day) - nw.col("day")
        out["reported"] = flag(~nw.col("reported_day").is_null())
        if recorded["closed"]:
            out["close_days"] = nw.col("closed_day").fill_null(as_of_day) - nw.col("reported_day")
            out["closed"] = flag(~nw.col("closed_day").is_null())
    return out


def _answered(validations: Frame, feedback: Frame | None) -> Frame:
    """Per validation, whether its specialist and its member gave feedback; null where nobody was asked."""
    if feedback is None:
        nothing = nw.lit(None, nw.Int32)
        return validations.select(
            "validation_row", has_specialist_feedback=nothing, has_member_feedback=nothing
        )
    who = {f"has_{one}_feedback": flag(nw.col("respondent") == one) for one in ("specialist", "member")}
    answers = feedback.select("validation_id", **who).group_by("validation_id").agg(nw.col(*who).max())
    joined = validations.select("validation_row", "validation_id").join(
        answers, on="validation_id", how="left"
    )
    flags = ("has_specialist_feedback", "has_member_feedback")
    return joined.select("validation_row", *[nw.col(flag).fill_null(0).cast(nw.Int32) for flag in flags])
