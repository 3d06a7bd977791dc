"""Answers: which criteria apply to each validation, and how many were answered how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import narwhals as nw
import pandas as pd

from analysis.datasets.engines import Engine, Frame, collected
from analysis.datasets.vocabularies import Vocabulary, encoded
from analysis.selection import day_number

SEEN_BY = ("document", "interview", "physical")


def catalogue_periods(applicability: pd.DataFrame) -> list[int]:
    """First days of the spans over which the set of applicable criteria does not change."""
    starts = {day_number(pd.Timestamp(day).date()) for day in applicability["from"].dropna()}
    ends = {day_number(pd.Timestamp(day).date()) + 1 for day in applicability["to"].dropna()}
    return sorted(starts | ends)


def period_of(day: nw.Expr, starts: list[int]) -> nw.Expr:
    """Number of the span of `catalogue_periods` that a day falls in; 0 before the first."""
    number = nw.lit(0, nw.Int16)
    for index, start in enumerate(starts, start=1):
        number = nw.when(day >= start).then(nw.lit(index, nw.Int16)).otherwise(number)
    return number


def applicable_criteria(
    engine: Engine, sources: Mapping[str, Frame], vocabularies: Mapping[str, Vocabulary], starts: list[int]
) -> Frame:
    """One row per entity type, catalogue period and criterion that applies: its category, area, level, seen_by.

    A criterion without rows of its own applies to all; an unrecorded entity type gets what applies to all.
    """
    criteria = collected(sources["criteria"])
    listed = collected(sources["applicability"])
    spans = spans_of(starts)
    types = pd.DataFrame({"entity_type": pd.Series([*vocabularies["entity_type"].values, None], dtype="str")})
    everywhere = criteria[~criteria["criterion_id"].isin(listed["criterion_id"])]
    unlimited = everywhere.merge(types, how="cross").merge(spans, how="cross")
    own = listed.rename(columns={"level": "_level"})
    limited = within_spans(own.merge(criteria, on="criterion_id"), spans)
    limited = limited.assign(level=limited["_level"].fillna(limited["level"]))
    names = ["criterion_id", "entity_type", "catalogue_period", "category", "focus_area", "level", "seen_by"]
    frame = pd.concat([unlimited[names], limited[names]], ignore_index=True)
    frame = frame.drop_duplicates(["criterion_id", "entity_type", "catalogue_period"])
    coded = ("criterion_id", "entity_type", "category", "focus_area", "level", "seen_by")
    texts = frame.astype(dict.fromkeys(coded, "str") | {"catalogue_period": "int16"})
    return encoded(engine, engine.from_pandas(texts), coded, vocabularies)


def spans_of(starts: list[int]) -> pd.DataFrame:
    """The catalogue periods that `period_of` numbers, each with its first day."""
    return pd.DataFrame({"first_day": [_BEFORE, *starts]}).rename_axis("catalogue_period").reset_index()


def within_spans(listed: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """Rows of the applicability table, once for each catalogue period they reach over."""
    dated = listed.assign(_first=_days(listed["from"], _BEFORE), _last=_days(listed["to"], _AFTER))
    crossed = dated.merge(spans, how="cross")
    return crossed[crossed["first_day"].between(crossed["_first"], crossed["_last"])]


_BEFORE, _AFTER = -(10**9), 10**9
"""Days before and after all others."""


def _days(dates: pd.Series, missing: int) -> pd.Series:
    numbers = [missing if pd.isna(day) else day_number(pd.Timestamp(day).date()) for day in dates]
    return pd.Series(numbers, dates.index, dtype="int64")


def with_answers(
    base: Frame,
    findings: Frame,
    applies: Frame,
    vocabularies: Mapping[str, Vocabulary],
    as_of_day: int,
    asked: bool,
) -> Frame:
    """Each validation with its counts of criteria by answer, level, focus area, way of seeing and category."""
    of_findings = _finding_counts(vocabularies, as_of_day)
    of_applicable = _applicable_counts(vocabularies)
    found = _summed(findings, ("validation_row",), of_findings)
    possible = _summed(applies, ("entity_type", "catalogue_period"), of_applicable)
    joined = base.join(found, on="validation_row", how="left").join(
        possible, on=["entity_type", "catalogue_period"], how="left"
    )
    counted = {name: nw.col(name).fill_null(0).cast(nw.Int32) for name in (*of_findings, *of_applicable)}
    counted |= _assessed(counted, vocabularies, asked)
    kept = {name: value for name, value in counted.items() if not name.startswith("_")}
    return joined.select(*base.collect_schema().names(), **kept, **_flags(counted, vocabularies, asked))


def _suffixes(vocabularies: Mapping[str, Vocabulary]) -> list[str]:
    """All, each focus area (a0, a1, …), each way of seeing, each category (c0, c1, …)."""
    areas = [f"a{i}" for i in range(len(vocabularies["focus_area"].values))]
    categories = [f"c{i}" for i in range(len(vocabularies["category"].values))]
    return ["", *areas, *SEEN_BY, *categories]


def _whole_or_area(suffix: str) -> bool:
    """What Must criteria left unverified are counted over: bounds are asked of all, or of focus areas."""
    return suffix == "" or (suffix[0] == "a" and suffix[1:].isdigit())


def _in(suffix: str, vocabularies: Mapping[str, Vocabulary]) -> nw.Expr:
    if suffix == "":
        return ~nw.col("criterion_id").is_null()
    if suffix in SEEN_BY:
        return nw.col("seen_by") == vocabularies["seen_by"].code(suffix)
    column = "focus_area" if suffix[0] == "a" else "category"
    return nw.col(column) == int(suffix[1:])


def _name(stem: str, suffix: str) -> str:
    return f"{stem}_{suffix}" if suffix else stem


def _finding_counts(vocabularies: Mapping[str, Vocabulary], as_of_day: int) -> dict[str, nw.Expr]:
    answer = vocabularies["answer"]
    deficient = nw.col("answer") == answer.code("deficient")
    unseen = nw.col("answer") == answer.code("not_verified")
    must = nw.col("level") == vocabularies["level"].code("must")
    due = deficient & (nw.col("due_day") <= as_of_day)
    counts: dict[str, nw.Expr] = {}
    for suffix in _suffixes(vocabularies):
        inside = _in(suffix, vocabularies)
        counts[_name("n_deficient", suffix)] = deficient & inside
        counts[_name("n_not_verified", suffix)] = unseen & inside
        counts[_name("n_must_deficient", suffix)] = deficient & must & inside
        if _whole_or_area(suffix):
            counts[_name("n_must_not_verified", suffix)] = unseen & must & inside
        counts[f"_x_{suffix}"] = ~deficient & inside
        counts[f"_mx_{suffix}"] = ~deficient & must & inside
    counts["n_due"] = due
    counts["n_closed_on_time"] = due & (nw.col("corrected_day") <= nw.col("due_day"))
    return counts


def _applicable_counts(vocabularies: Mapping[str, Vocabulary]) -> dict[str, nw.Expr]:
    must = nw.col("level") == vocabularies["level"].code("must")
    counts: dict[str, nw.Expr] = {}
    for suffix in _suffixes(vocabularies):
        inside = _in(suffix, vocabularies)
        counts[f"_p_{suffix}"] = inside
        counts[f"_mp_{suffix}"] = must & inside
    return counts


def _summed(frame: Frame, keys: Sequence[str], conditions: Mapping[str, nw.Expr]) -> Frame:
    """How many rows meet each condition, by key."""
    # Flags become columns before they are added up: a group-by that computes is slow, and wrong, on pandas.
    met = {name: nw.when(condition).then(1) for name, condition in conditions.items()}
    return frame.select(*keys, **met).group_by(*keys).agg(*[nw.col(name).count() for name in met])


def _assessed(
    counted: Mapping[str, nw.Expr], vocabularies: Mapping[str, Vocabulary], asked: bool
) -> dict[str, nw.Expr]:
    """Assessed = applicable − not applicable − not assessed − not verified; unknown where nobody knows."""
    unknown = nw.lit(None, nw.Int32)
    out: dict[str, nw.Expr] = {"n_applicable": counted["_p_"] if asked else unknown}
    for suffix in _suffixes(vocabularies):
        assessed = counted[f"_p_{suffix}"] - counted[f"_x_{suffix}"]
        must = counted[f"_mp_{suffix}"] - counted[f"_mx_{suffix}"]
        verifiable = assessed + counted[_name("n_not_verified", suffix)]
        out[_name("n_assessed", suffix)] = assessed.cast(nw.Int32) if asked else unknown
        out[_name("n_must_assessed", suffix)] = must.cast(nw.Int32) if asked else unknown
        out[_name("n_verifiable", suffix)] = verifiable.cast(nw.Int32) if asked else unknown
        if _whole_or_area(suffix):
            must_verifiable = must + counted[_name("n_must_not_verified", suffix)]
            out[_name("n_must_verifiable", suffix)] = must_verifiable.cast(nw.Int32) if asked else unknown
    return out


def _flags(
    counted: Mapping[str, nw.Expr], vocabularies: Mapping[str, Vocabulary], asked: bool
) -> dict[str, nw.Expr]:
    """0/1 columns and one bit per focus area."""
    one = nw.lit(1, nw.Int32)
    out: dict[str, nw.Expr] = {
        "any_deficiency": flag(counted["n_deficient"] > 0),
        "any_must_deficiency": flag(counted["n_must_deficient"] > 0),
        "has_assessed": flag(counted["n_assessed"] > 0) if asked else one,
        "has_must_assessed": flag(counted["n_must_assessed"] > 0) if asked else one,
        # Deficient, or for all anybody knows: with a criterion that could not be verified.
        "possibly_deficient": flag(counted["n_deficient"] + counted["n_not_verified"] > 0),
        "possibly_must_deficient": flag(counted["n_must_deficient"] + counted["n_must_not_verified"] > 0),
    }
    areas = range(len(vocabularies["focus_area"].values))
    for name, stem in _AREA_BITS.items():
        if asked or "assessed" not in name:
            bits = [flag(counted[f"{stem}_a{i}"] > 0) * 2**i for i in areas]
            out[name] = reduce(lambda a, b: a + b, bits, nw.lit(0, nw.Int32)).cast(nw.Int32)
        else:
            out[name] = nw.lit(2 ** len(areas) - 1, nw.Int32)
    for name, (seen, unseen) in _POSSIBLE_BITS.items():
        bits = [flag(counted[f"{seen}_a{i}"] + counted[f"{unseen}_a{i}"] > 0) * 2**i for i in areas]
        out[name] = reduce(lambda a, b: a + b, bits, nw.lit(0, nw.Int32)).cast(nw.Int32)
    for i in range(len(vocabularies["category"].values)):
        out[f"any_deficiency_c{i}"] = flag(counted[f"n_deficient_c{i}"] > 0)
        out[f"has_assessed_c{i}"] = flag(counted[f"n_assessed_c{i}"] > 0) if asked else one
    outcome = vocabularies["outcome"]
    out["has_outcome"] = flag(nw.col("outcome") >= 0)
    out["passed"] = flag(nw.col("outcome") == outcome.code("passed"))
    removed = nw.col("outcome").is_in([outcome.code("suspended"), outcome.code("removed")])
    out["critical"] = flag((counted["n_must_deficient"] > 0) | removed)
    out["possibly_critical"] = flag(
        (counted["n_must_deficient"] + counted["n_must_not_verified"] > 0) | removed
    )
    return out


_AREA_BITS = {
    "deficient_areas": "n_deficient",
    "must_deficient_areas": "n_must_deficient",
    "assessed_areas": "n_assessed",
    "must_assessed_areas": "n_must_assessed",
}

_POSSIBLE_BITS = {
    "possible_areas": ("n_deficient", "n_not_verified"),
    "possible_must_areas": ("n_must_deficient", "n_must_not_verified"),
}


def flag(condition: nw.Expr) -> nw.Expr:
    """A condition as 0 or 1; unknown is 0."""
    return nw.when(condition).then(1).otherwise(0).cast(nw.Int32)
