"""Records of feedback: who answered, how items were scored, whether two people agreed, what was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.results import Comparison, Interval

SCORES = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """Validations of one mode after which a kind of respondent answered anything: `count` of `n`."""

    respondent: str
    label: str
    mode: str
    count: int | None
    n: int | None
    share: float | None
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """One arm's response rate."""
        return {
            "respondent": self.respondent, "label": self.label, "mode": self.mode, "count": self.count, "n": self.n,
            "share": self.share, **_ends(self.interval),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item as one kind of respondent scored it.

    `scores` are counts of the scores 1 to 5 by mode, whole selection. `contrast` compares the two highest scores like
    for like (None for an item asked after one mode only), `adjusted_p` its p-value after Holm's correction for all
    items. `higher` is the chance that an answer about a virtual validation scores above one about an in-person one,
    ties counted half (Brunner and Munzel), with its interval.
    """

    respondent: str
    item: str
    label: str
    scores: Mapping[str, tuple[int | None, ...]]
    contrast: Comparison | None
    adjusted_p: float | None
    higher: float | None
    higher_interval: Interval | None

    def n(self, mode: str) -> int | None:
        """How many answered after validations of a mode; None where that may not be shown."""
        counts = self.scores.get(mode, ())
        return None if any(count is None for count in counts) else sum(count or 0 for count in counts)

    def top_two(self, mode: str) -> int | None:
        """How many gave one of the two highest scores."""
        n = self.n(mode)
        return None if n is None or mode not in self.scores else sum(c or 0 for c in self.scores[mode][3:])

    def median(self, mode: str) -> int | None:
        """The middle score of a mode."""
        n = self.n(mode)
        if not n:
            return None
        reached = 0
        for score, count in zip(SCORES, self.scores[mode], strict=True):
            reached += count or 0
            if 2 * reached >= n:
                return score
        return None


@dataclass(frozen=True, slots=True)
class Feedback:
    """Feedback of a selection: response rates, then items. `n` counts validations in the comparison's two modes."""

    responses: tuple[ResponseRow, ...]
    items: tuple[ItemRow, ...]
    n: int | None
    sentence: str
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row per respondent, item, mode and score."""
        rows = [
            {
                "respondent": row.respondent, "item": row.item, "label": row.label, "mode": mode, "score": score,
                "count": count, "n": row.n(mode),
            }
            for row in self.items
            for mode, counts in row.scores.items()
            for score, count in zip(SCORES, counts, strict=True)
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis feedback --json``: response rates, then the two highest scores of each item."""
        rows = [{"what": "response", **row.to_dict()} for row in self.responses]
        rows += [row for item in self.items for row in item_rows(item)]
        return {"rows": rows, "n": self.n, "caveats": list(self.caveats), "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class PairRow:
    """Specialist and member on the same item of the same validation.

    `same` of `n` pairs gave the same score; `kappa` is weighted by the squared distance, `gwet` is its counterpart
    that stays sensible where nearly all answers are alike, `alpha` Krippendorff's for ordered scores; `shift` the mean
    of specialist minus member.
    """

    item: str
    label: str
    n: int | None
    same: int | None
    share: float | None
    interval: Interval | None
    kappa: float | None
    kappa_interval: Interval | None
    gwet: float | None
    alpha: float | None
    shift: float | None

    def to_dict(self) -> dict[str, Any]:
        """One item's agreement."""
        return {
            "item": self.item, "label": self.label, "count": self.same, "n": self.n, "share": self.share,
            **_ends(self.interval), "kappa": self.kappa, "gwet": self.gwet, "alpha": self.alpha, "shift": self.shift,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Agreement of specialist and member, one row an item, over `n` validations on which both answered."""

    rows: tuple[PairRow, ...]
    n: int | None
    sentence: str
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row per item."""
        return pd.DataFrame([row.to_dict() for row in self.rows])


@dataclass(frozen=True, slots=True)
class ThemeRow:
    """What comments are about: counts by mode, the share that scored 4 or 5, and some comments as they were written."""

    theme: str
    counts: Mapping[str, int | None]
    n: int | None
    favourable: int | None
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Themes:
    """Themes of the comments, most frequent first; `n` answers carry one."""

    rows: tuple[ThemeRow, ...]
    n: int | None
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row per theme; comments are not exported."""
        return pd.DataFrame(
            [{"theme": row.theme, **row.counts, "count": row.favourable, "n": row.n} for row in self.rows]
        )


def item_rows(item: ItemRow) -> list[dict[str, Any]]:
    """One row per mode: who gave one of the two highest scores, and the difference on the row of virtual."""
    rows = []
    for mode in item.scores:
        n, top = item.n(mode), item.top_two(mode)
        row: dict[str, Any] = {
            "what": "item", "respondent": item.respondent, "item": item.item, "label": item.label, "mode": mode,
            "count": top, "n": n, "share": top / n if top is not None and n else None, "median": item.median(mode),
        }  # fmt: skip
        found = item.contrast.answer if item.contrast is not None else None
        if mode == "virtual" and item.contrast is not None:
            ends = _ends(found.interval if found else None)
            row |= {
                "difference": found.estimate if found else None, **ends, "p_value": found.p_value if found else None,
                "adjusted_p": item.adjusted_p, "higher": item.higher,
            }  # fmt: skip
        rows.append(row)
    return rows


def _ends(bounds: Interval | None) -> dict[str, float | None]:
    return {"low": bounds.low if bounds else None, "high": bounds.high if bounds else None}
