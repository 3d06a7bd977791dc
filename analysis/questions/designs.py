"""What a model of two modes adjusts for: counted rows as a design of dummy columns, no finer than events allow.

A model looks at patterns, the distinct combinations of arm and levels; specialists are known beside it by what each
observed of each pattern. A model of such counts is the model of single validations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.coding import numbered, plain
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.stats.bounds import Floats
from analysis.stats.clusters import Clusters, gathered
from analysis.stats.pooled import Codes

MODEL_COLUMNS = (*ADJUSTMENT_COLUMNS, "quarter", "field_office", "entity_type")
"""What models adjust for, the most needed first: with few events the last ones are left out first."""

EVENTS_PER_PARAMETER = 5
"""Fewer events (or non-events) than this per column of the model: it is made smaller, or refused."""
LEVEL_VALIDATIONS = 20
LEVEL_EVENTS = 5
REFUSED = ("model_too_large", "separated")
"""Reasons of a design that is not to be modelled."""
MOST_LOST = 0.05
"""Largest share of validations whose value of risk, kind or location may be counted with the commonest one."""


@dataclass(frozen=True, slots=True)
class Design:
    """Patterns ready for a model: arm, dummy columns, events, totals, and which specialist observed what.

    `covariates` has shape (patterns, q); `columns` are the covariates it stands for (with two recorded values at least),
    `left_out` those recorded that events were too few for; `alone` marks patterns of a level that only one of the two
    modes has. `place` is the pattern of each row that was counted.
    """

    arm: Codes
    covariates: Floats
    events: Codes
    n: Codes
    cluster: Clusters | None
    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    alone: np.ndarray
    place: Codes
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Levels:
    """A column's values as the levels of a model, by row.

    `codes` number the levels, 0 being the commonest; `lost` is the share of validations counted with it though theirs
    is another value, `recorded` the number of values there are.
    """

    codes: Codes
    lost: float
    recorded: int

    @property
    def dummies(self) -> int:
        """Columns it takes in a model."""
        return int(self.codes.max(initial=0))


def design_of(rows: pd.DataFrame, *, clustered: bool) -> Design:
    """The finest design that the events allow.

    A column enters if it has two values or more. A value with fewer than 20 validations, or fewer than 5 events or
    non-events, is counted with the other rare ones of its column (with the commonest value, if together they are
    still rare): on its own it would run off to infinity. Where that takes in more than 5 % of validations, the column
    is as good as left out. Columns are left out from the end of `MODEL_COLUMNS`
    until every column of the model has 5 events and 5 non-events; risk, kind and location may not be, and the
    model is refused instead (``model_too_large``, or ``separated`` where one of their values decides the event).

    Parameters
    ----------
    rows : DataFrame
        ``arm``, ``n`` (validations), ``y``, ``d``, ``cluster`` and columns of `MODEL_COLUMNS`, null where not
        recorded.
    clustered : bool
        Whether ``cluster`` says who belongs together.
    """
    n, y, d = (rows[name].to_numpy(np.int64) for name in ("n", "y", "d"))
    known = {c: _levels(plain(rows[c]), n, y, d) for c in MODEL_COLUMNS if c in rows.columns}
    levels = {column: of for column, of in known.items() if of.recorded}
    present = list(levels)
    # Values that had to be counted with the commonest are not adjusted for: a few may be, most of a column may not.
    lost = [column for column, of in levels.items() if of.lost > MOST_LOST]
    used = [column for column in present if levels[column].dummies > 0]
    events = min(int(y.sum()), int((d - y).sum()))
    left_out: list[str] = []
    while (
        _parameters(levels, used) * EVENTS_PER_PARAMETER > events
        and used
        and used[-1] not in ADJUSTMENT_COLUMNS
    ):
        left_out.insert(0, used.pop())
    reasons: tuple[str, ...] = ("model_reduced",) if left_out or lost else ()
    if _parameters(levels, used) * EVENTS_PER_PARAMETER > events or set(lost) & set(ADJUSTMENT_COLUMNS):
        reasons = (
            ("separated",) if any(_decided(rows, c) for c in lost if c in ADJUSTMENT_COLUMNS) else REFUSED[:1]
        )
    arms = rows["arm"].to_numpy(np.int64)
    place, first = numbered([arms, *(levels[c].codes for c in used)])
    # What a pattern is, read off the first row that has it.
    arm, codes = arms[first], [levels[c].codes[first] for c in used]
    dummies = [of[:, None] == np.arange(1, levels[c].dummies + 1) for c, of in zip(used, codes, strict=True)]
    return Design(
        arm=arm,
        covariates=np.column_stack([np.empty((len(first), 0)), *dummies]).astype(float),
        events=_summed(place, y, len(first)),
        n=_summed(place, d, len(first)),
        cluster=gathered(rows["cluster"].to_numpy(), place, y, d, len(first)) if clustered else None,
        columns=tuple(column for column in used if levels[column].recorded > 1),
        left_out=tuple(left_out),
        alone=_alone(codes, arm),
        place=place,
        reasons=reasons,
    )


def _summed(place: Codes, values: Codes, count: int) -> Codes:
    return np.bincount(place, values, count).astype(np.int64)


def _decided(cells: pd.DataFrame, column: str) -> bool:
    """Whether a common value of a column has only events or only non-events."""
    sums = cells.groupby(column, dropna=False)[["n", "y", "d"]].sum()
    common = sums[sums["n"] >= LEVEL_VALIDATIONS]
    return bool(((common["y"] == 0) | (common["y"] == common["d"])).any())


def _parameters(levels: dict[str, _Levels], used: list[str]) -> int:
    return 2 + sum(levels[column].dummies for column in used)


def _levels(values: np.ndarray | pd.Categorical, n: Codes, y: Codes, d: Codes) -> _Levels:
    """Values of a column as levels, the commonest first, rare ones together."""
    codes, known = pd.factorize(values, sort=True, use_na_sentinel=False)
    count = len(known)
    n, y, d = (np.bincount(codes, of, count) for of in (n, y, d))

    def rare(n: np.ndarray, y: np.ndarray, others: np.ndarray) -> np.ndarray:
        return np.asarray((n < LEVEL_VALIDATIONS) | (np.minimum(y, others) < LEVEL_EVENTS))

    order = np.lexsort((np.arange(count), -n))
    alone = rare(n, y, d - y)[order]
    own, others = order[~alone], order[alone]
    sums = (of[others].sum() for of in (n, y, d - y))
    together = 0 if not others.size or rare(*sums) else own.size
    lost = float(n[others].sum() / n.sum()) if own.size and others.size and together == 0 else 0.0
    if not own.size and count > 1:
        # Nothing stands on its own: the commonest holds the others, whatever they are.
        lost = float(1 - n.max() / n.sum())
    level_of = np.full(count, together, np.int64)
    level_of[own] = np.arange(own.size)
    return _Levels(level_of[codes], lost, int(pd.notna(known).sum()))


def _alone(levels: list[Codes], arm: Codes) -> np.ndarray:
    """Patterns of a level that one arm does not have, looked for again until none is left."""
    kept = np.ones(arm.size, bool)
    while True:
        before = int(kept.sum())
        for codes in levels:
            count = int(codes.max(initial=0)) + 1
            seen = [np.bincount(codes[kept & (arm == a)], minlength=count) > 0 for a in (1, 0)]
            kept &= (seen[0] & seen[1])[codes]
        if int(kept.sum()) == before:
            return np.asarray(~kept)
