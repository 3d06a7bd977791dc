"""Records of deficiencies: one row a criterion, category or reason, and the answer that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.results import Interval

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

MUST_AND_SHOULD = "must_and_should"
"""Level of a criterion that is a Must for some entity types and a Should for others."""


@dataclass(frozen=True, slots=True)
class Rank:
    """Place of a criterion among `of` by its shrunken rate, with its interval and the chance to be in the first ten."""

    rank: int
    low: int
    high: int
    in_top_ten: float
    of: int


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """Deficiencies of one criterion.

    `count` of `n` validations that assessed it; `share` of all deficiencies, with Goodman's simultaneous interval.
    `interval` is Wilson's of the rate (a validation answers a criterion once), `shrunken` the empirical-Bayes rate.
    ``None`` where it cannot be estimated.
    """

    criterion_id: str
    label: str
    category: str | None
    level: str | None
    seen_by: str | None
    count: int | None
    n: int | None
    share: float | None
    share_interval: Interval | None
    rate: float | None
    interval: Interval | None
    shrunken: float | None
    shrunken_interval: Interval | None
    rank: Rank | None
    not_verified: int | None

    def to_dict(self) -> dict[str, Any]:
        """A row of ``deficiencies --by criterion --json``."""
        given = {"category": self.category, "level": self.level, "seen_by": self.seen_by}
        return {
            "criterion_id": self.criterion_id,
            "label": self.label,
            **{key: value for key, value in given.items() if value is not None},
            "count": self.count,
            "n": self.n,
            "share": self.share,
            **_ends("share_", self.share_interval),
            "rate": self.rate,
            **_ends("", self.interval),
            "shrunken_rate": self.shrunken,
            **_ends("shrunken_", self.shrunken_interval),
            "rank": self.rank.rank if self.rank else None,
            "rank_low": self.rank.low if self.rank else None,
            "rank_high": self.rank.high if self.rank else None,
            "in_top_ten": self.rank.in_top_ten if self.rank else None,
            "not_verified": self.not_verified,
        }


@dataclass(frozen=True, slots=True)
class LevelRow:
    """Must (or Should) deficiencies of one category: `count` of `n` criteria assessed, with a clustered interval."""

    level: str
    count: int | None
    n: int | None
    rate: float | None
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"count": self.count, "n": self.n, "rate": self.rate, **_ends("", self.interval)}


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """Deficiencies of one category.

    `count` of `n` criteria assessed make the `rate`, whose `interval` is clustered by specialist; `share` of all
    deficiencies has Goodman's simultaneous interval. `number` is the program's, else its place in the catalogue. `criteria` is how many criteria the category has here, `load`
    deficiencies per criterion. `published` are the deficiencies of the 2021 deck, `published_share` their share.
    """

    category: str
    label: str
    number: int
    count: int | None
    n: int | None
    share: float | None
    share_interval: Interval | None
    rate: float | None
    interval: Interval | None
    criteria: int
    load: float | None
    levels: tuple[LevelRow, ...] = ()
    published: int | None = None
    published_share: float | None = None

    def level(self, name: str) -> LevelRow | None:
        """The row of a level, where the catalogue has levels."""
        return next((row for row in self.levels if row.level == name), None)

    def to_dict(self) -> dict[str, Any]:
        """A row of ``deficiencies --by category --json``; ``low`` and ``high`` belong to the rate."""
        out = {
            "category": self.category,
            "count": self.count,
            "n": self.n,
            "share": self.share,
            **_ends("share_", self.share_interval),
            "rate": self.rate,
            **_ends("", self.interval),
            "criteria": self.criteria,
            "load": self.load,
            **{row.level: row.to_dict() for row in self.levels},
        }
        if self.published is not None:
            out |= {"published_2021": {"count": self.published, "share": self.published_share}}
        return out


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """Deficiencies of one reason: `count` of `n` deficiencies with a reason recorded; Goodman's interval of the share."""

    reason: str
    label: str
    count: int | None
    n: int | None
    share: float | None
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """A row of ``deficiencies --by reason --json``; a reason has no rate, so ``low`` and ``high`` are the share's."""
        return {
            "reason": self.reason,
            "label": self.label,
            "count": self.count,
            "n": self.n,
            "share": self.share,
            **_ends("", self.interval),
        }


Row = CriterionRow | CategoryRow | ReasonRow


@dataclass(frozen=True, slots=True)
class Deficiencies:
    """Deficiencies of a selection: rows, `n` validations, `total` deficiencies, and the answer in a sentence."""

    by: str
    rows: tuple[Row, ...]
    n: int | None
    total: int | None
    sentence: str = ""
    caveats: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis deficiencies --json``."""
        return {
            "rows": [row.to_dict() for row in self.rows],
            "n": self.n,
            "deficiencies": self.total,
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a criterion, category or reason, for a notebook or a download."""
        return pd.json_normalize([row.to_dict() for row in self.rows], sep="_")


def no_rate_reason(dataset: Dataset) -> str | None:
    """Why a dataset has no rate per criterion, as a reason code; None where it has."""
    if not dataset.clean_validations:
        return "clean_validations_unknown"
    return None if dataset.criteria_asked else "criteria_asked_unknown"


def criterion_facts(dataset: Dataset) -> Mapping[str, tuple[str | None, str | None, str | None]]:
    """Category, level and way of seeing of every criterion of the catalogue."""
    out = {}
    ids = dataset.vocabulary("criterion_id")
    for code, rows in dataset.applicability().groupby("criterion_id"):
        levels = sorted({dataset.vocabulary("level")[c] for c in rows["level"] if c >= 0})
        first = rows.iloc[0]
        out[ids[int(str(code))]] = (
            _value(dataset, "category", first["category"]),
            levels[0] if len(levels) == 1 else MUST_AND_SHOULD if levels else None,
            _value(dataset, "seen_by", first["seen_by"]),
        )
    return out


def level_label(dataset: Dataset, level: str | None) -> str:
    """Must, Should, or both, as people read it."""
    if level is None:
        return "Not recorded"
    return "Must for some, Should for others" if level == MUST_AND_SHOULD else dataset.label("level", level)


def _value(dataset: Dataset, column: str, code: int) -> str | None:
    return dataset.vocabulary(column)[code] if code >= 0 else None


def _ends(prefix: str, interval: Interval | None) -> dict[str, float | None]:
    return {
        f"{prefix}low": interval.low if interval else None,
        f"{prefix}high": interval.high if interval else None,
    }
