"""What a model of two modes adjusts for: counted rows as a design of dummy columns, no finer than events allow.

Rows are grouped by arm, covariates and specialist first: a model of grouped counts is the model of single
validations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.questions.window import varying
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.stats.bounds import Floats
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
    """Rows ready for a model: arm, dummy columns, events, totals, validations and specialists.

    `covariates` has shape (rows, q); `columns` are the covariates it stands for (with two recorded values at least),
    `left_out` those recorded that events were too few for; `alone` marks rows of a level that only one of the two modes has.
    """

    arm: Codes
    covariates: Floats
    events: Codes
    n: Codes
    validations: Codes
    cluster: Codes | None
    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    alone: np.ndarray
    reasons: tuple[str, ...] = ()


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
    present = [c for c in MODEL_COLUMNS if c in rows.columns and rows[c].notna().any()]
    keys = ["arm", *present, *(["cluster"] if clustered else [])]
    cells = rows.groupby(keys, dropna=False, sort=True, observed=True)[["n", "y", "d"]].sum().reset_index()
    pooled = {column: _levels(cells, column) for column in present}
    levels = {column: codes for column, (codes, _) in pooled.items()}
    # Values that had to be counted with the commonest are not adjusted for: a few may be, most of a column may not.
    lost = [column for column, (_, share) in pooled.items() if share > MOST_LOST]
    used = [column for column in present if levels[column].max(initial=0) > 0]
    events = min(int(cells["y"].sum()), int((cells["d"] - cells["y"]).sum()))
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
            ("separated",)
            if any(_decided(cells, c) for c in lost if c in ADJUSTMENT_COLUMNS)
            else REFUSED[:1]
        )
    dummies = [levels[c][:, None] == np.arange(1, levels[c].max() + 1) for c in used]
    arm = cells["arm"].to_numpy(np.int64)
    return Design(
        arm=arm,
        covariates=np.column_stack([np.empty((len(cells), 0)), *dummies]).astype(float),
        events=cells["y"].to_numpy(np.int64),
        n=cells["d"].to_numpy(np.int64),
        validations=cells["n"].to_numpy(np.int64),
        cluster=cells["cluster"].to_numpy(np.int64) if clustered else None,
        columns=varying(cells, tuple(used)),
        left_out=tuple(left_out),
        alone=_alone([levels[c] for c in used], arm),
        reasons=reasons,
    )


def _decided(cells: pd.DataFrame, column: str) -> bool:
    """Whether a common value of a column has only events or only non-events."""
    sums = cells.groupby(column, dropna=False)[["n", "y", "d"]].sum()
    common = sums[sums["n"] >= LEVEL_VALIDATIONS]
    return bool(((common["y"] == 0) | (common["y"] == common["d"])).any())


def _parameters(levels: dict[str, Codes], used: list[str]) -> int:
    return 2 + sum(int(levels[column].max()) for column in used)


def _levels(cells: pd.DataFrame, column: str) -> tuple[Codes, float]:
    """Values of a column as codes, the commonest 0, rare ones together; and the share counted with the commonest."""
    codes, _ = pd.factorize(cells[column], sort=True, use_na_sentinel=False)
    count = int(codes.max(initial=-1)) + 1
    n, y, d = (np.bincount(codes, cells[name], count) for name in ("n", "y", "d"))

    def rare(of: np.ndarray) -> bool:
        return bool(n[of].sum() < LEVEL_VALIDATIONS or min(y[of].sum(), (d - y)[of].sum()) < LEVEL_EVENTS)

    order = [int(i) for i in np.lexsort((np.arange(count), -n))]
    own = [i for i in order if not rare(np.array([i]))]
    others = np.array([i for i in order if i not in own], dtype=np.int64)
    place = {level: k for k, level in enumerate(own)}
    together = 0 if not others.size or rare(others) else len(own)
    lost = float(n[others].sum() / n.sum()) if own and others.size and together == 0 else 0.0
    if not own and count > 1:
        # Nothing stands on its own: the commonest holds the others, whatever they are.
        lost = float(1 - n.max() / n.sum())
    return np.array([place.get(level, together) for level in range(count)], np.int64)[codes], lost


def _alone(levels: list[Codes], arm: Codes) -> np.ndarray:
    """Rows of a level that one arm does not have, looked for again until none is left."""
    kept = np.ones(arm.size, bool)
    while True:
        before = int(kept.sum())
        for codes in levels:
            count = int(codes.max(initial=0)) + 1
            seen = [np.bincount(codes[kept & (arm == a)], minlength=count) > 0 for a in (1, 0)]
            kept &= (seen[0] & seen[1])[codes]
        if int(kept.sum()) == before:
            return np.asarray(~kept)
