"""Records of where the modes differ: effects of groups with their spread, and the mix behind a crude difference."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis import wording
from analysis.results import Comparison, Estimate, Interval
from analysis.schema import LABELS

LEVEL = 0.05
CHANGED = ("reversal", "sign_turned", "attenuation")
"""What adjusting may have done to a crude difference so that its mix has to be shown."""


@dataclass(frozen=True, slots=True)
class GroupEffect:
    """The effect in one group: as estimated (in `answer`), and shrunken; ``None`` where it takes no part."""

    value: str
    label: str
    answer: Comparison
    shrunken: float | None = None
    shrunken_interval: Interval | None = None
    own_weight: float | None = None

    @property
    def row(self) -> Estimate | None:
        """The group's own estimate, where it may enter a comparison of groups."""
        row = self.answer.answer
        if self.answer.verdict in ("too_few", "not_comparable") or row is None:
            return None
        return row if row.interval is not None and row.estimate is not None else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values: the estimate with its interval, shrunken beside raw."""
        row, shrunken = self.row, self.shrunken_interval
        arms = {f"{mode}_{k}": v for mode, arm in self.answer.arms.items() for k, v in arm.to_dict().items()}
        return {
            "value": self.value, "label": self.label, **arms,
            "estimate": row.estimate if row else None,
            "low": row.interval.low if row and row.interval else None,
            "high": row.interval.high if row and row.interval else None,
            "shrunken": self.shrunken,
            "shrunken_low": shrunken.low if shrunken else None,
            "shrunken_high": shrunken.high if shrunken else None,
            "own_weight": self.own_weight,
            "verdict": self.answer.verdict,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spread:
    """How far groups' effects lie apart, on the scale of the estimate (`tau` of a ratio is one of logarithms).

    `q` on `df` degrees of freedom is Cochran's statistic of equal effects; `adjusted_p` allows for `looks` columns
    to group by. `mean`, `prediction` (where a further group is expected), `tau` and `i2` need three groups.
    """

    q: float
    df: int
    p_value: float | None
    adjusted_p: float | None
    looks: int
    i2: float | None = None
    tau: float | None = None
    mean: float | None = None
    mean_interval: Interval | None = None
    prediction: Interval | None = None

    @property
    def beyond_chance(self) -> bool:
        """Whether the effects differ, all looks allowed for."""
        return self.adjusted_p is not None and self.adjusted_p < LEVEL


@dataclass(frozen=True, slots=True)
class Differences:
    """One metric's effect over the values of a column.

    `effects` are sorted by estimate, those without one last. `odds_ratio_p` is Breslow, Day and Tarone's test on
    odds ratios, unadjusted within a group: groups with other rates may differ on one scale and agree on the other.
    `n` is ``None`` where it is hidden.
    """

    comparison: Comparison
    by: str
    effects: tuple[GroupEffect, ...]
    spread: Spread | None
    odds_ratio_p: float | None
    n: int | None
    caveats: tuple[str, ...] = ()
    sentence: str = ""

    @property
    def ratio(self) -> bool:
        """Whether effects are ratios."""
        return self.comparison.measure == "ratio"

    def to_dict(self) -> dict[str, Any]:
        """Plain values: a row a group, and the spread over them."""
        spread = dataclasses.asdict(self.spread) if self.spread else None
        return {
            "rows": [effect.to_dict() for effect in self.effects],
            "n": self.n,
            "spread": spread,
            "odds_ratio_p": self.odds_ratio_p,
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a group."""
        return pd.DataFrame([effect.to_dict() for effect in self.effects]).rename(columns={"value": self.by})


@dataclass(frozen=True, slots=True)
class MixLevel:
    """One value of a column (or of two): how much of each mode's work it is, and how often there was an event in it.

    Counts and what is made of them are ``None`` where hidden. `by_rate` and `by_mix` are what the level adds to the
    two parts of the crude difference.
    """

    values: tuple[str, ...]
    label: str
    n_virtual: int | None
    n_in_person: int | None
    events_virtual: int | None
    events_in_person: int | None
    share_virtual: float | None
    share_in_person: float | None
    rate_virtual: float | None
    rate_in_person: float | None
    by_rate: float | None
    by_mix: float | None


@dataclass(frozen=True, slots=True)
class MixOf:
    """The crude difference in two parts, by the values of some columns taken together.

    `n_dropped` are in values that only one mode has; the parts add up to the difference over the others.
    """

    columns: tuple[str, ...]
    difference: float | None
    rate_effect: float | None
    mix_effect: float | None
    levels: int
    n_dropped: int

    @property
    def words(self) -> str:
        """The columns as people read them."""
        return wording.listed([LABELS[column].lower() for column in self.columns])


@dataclass(frozen=True, slots=True)
class Mix:
    """What part of a crude difference is who was validated how.

    `crude` is the difference in quarters with both modes, among validations with a counterpart; `whole` that of the whole
    selection. `parts` hold every column, every pair, and the adjustment columns together; `leading` is the
    column whose mix takes most of the way from crude to like for like (two of the adjustment columns where their
    joint mix takes much more of it), `levels` its table.
    """

    comparison: Comparison
    whole: float | None
    crude: float | None
    adjusted: float | None
    parts: tuple[MixOf, ...]
    leading: MixOf | None
    levels: tuple[MixLevel, ...]
    n: int | None
    reasons: tuple[str, ...] = ()
    sentence: str = ""

    @property
    def change(self) -> str | None:
        """What adjusting did, as a reason code; ``None`` where the mix is only part of the story."""
        return next((code for code in self.comparison.reasons if code in CHANGED), None)

    @property
    def together(self) -> MixOf | None:
        """The adjustment columns taken together."""
        most = max((len(part.columns) for part in self.parts), default=0)
        return next((part for part in self.parts if most > 2 and len(part.columns) == most), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: a row a value of the leading column, and the parts by column."""
        parts = [dataclasses.asdict(part) | {"columns": list(part.columns)} for part in self.parts]
        return {
            "rows": [dataclasses.asdict(level) | {"values": list(level.values)} for level in self.levels],
            "columns": list(self.leading.columns) if self.leading else [],
            "parts": parts,
            "whole": self.whole,
            "crude": self.crude,
            "adjusted": self.adjusted,
            "n": self.n,
            "caveats": list(self.reasons),
            "sentence": self.sentence,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a value of the leading columns."""
        rows = [dataclasses.asdict(level) | {"values": ", ".join(level.values)} for level in self.levels]
        return pd.DataFrame(rows)
