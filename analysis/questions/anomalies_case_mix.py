"""What a validation's case mix leads to expect: a logistic model of all validations, without office or specialist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.stats.logit import logit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

CASE_MIX = ("risk", "kind", "location", "mode", "entity_type", "quarter")
"""What is allowed for, the most needed first: with few events the last ones are left out."""

LEVEL_VALIDATIONS = 20
LEVEL_EVENTS = 5
EVENTS_PER_PARAMETER = 5
MOSTLY_ONE = 0.95


@dataclass(frozen=True, slots=True)
class Expectation:
    """Events expected of each row, the columns allowed for, and why not all of them are."""

    expected: Numbers
    columns: tuple[str, ...]
    caveats: tuple[str, ...] = ()


def expectation(rows: pd.DataFrame, events: str, totals: str) -> Expectation:
    """Events that each row's case mix leads to expect.

    A binomial model with a logit link on `CASE_MIX`, fitted to grouped counts: the same as one row per chance. Values
    with fewer than 20 validations, or fewer than 5 events or non-events, are counted with the other rare ones of their
    column, and with the commonest where even those are rare. Columns are left out from the end until every parameter
    has 5 events and 5 non-events and the model can be fitted.

    Parameters
    ----------
    rows : DataFrame
        Validations (or groups of them, then with their number in ``n``) with the columns of `CASE_MIX`.
    events, totals : str
        Columns with events, and with the chances there were of one.
    """
    total = rows[totals].to_numpy(float)
    if not total.sum():
        return Expectation(np.zeros(len(rows)), ())
    columns = [c for c in CASE_MIX if c in rows and rows[c].notna().any()]
    count = rows.get("n", pd.Series(1, rows.index))
    cells = rows[columns].assign(_n=count, _y=np.minimum(rows[events], rows[totals]), _d=rows[totals])
    keys = (
        cells.groupby(columns, dropna=False, observed=True).ngroup().to_numpy()
        if columns
        else np.zeros(len(rows), int)
    )
    first = pd.Series(np.arange(len(rows))).groupby(keys).first().to_numpy()
    n, y, d = (np.asarray(np.bincount(keys, cells[c].to_numpy(float)), float) for c in ("_n", "_y", "_d"))
    levels = {c: _levels(cells[c].iloc[first], n, y, d) for c in columns}
    used = [c for c in columns if levels[c].max(initial=0) > 0]
    fewest = min(y.sum(), d.sum() - y.sum())
    while used and (1 + sum(levels[c].max() for c in used)) * EVENTS_PER_PARAMETER > fewest:
        used.pop()
    while True:
        dummies = [levels[c][:, None] == np.arange(1, levels[c].max() + 1) for c in used]
        fit = logit(np.column_stack([np.ones(len(y)), *dummies]).astype(float), y, d)
        if not fit.reasons or not used:
            break
        used.pop()
    # All or nothing has no model, and needs none.
    probability = fit.probability if not fit.reasons else np.full(len(y), y.sum() / d.sum())
    # A column of which almost everything is one value has nothing to allow for.
    varies = [c for c in columns if rows[c].value_counts(dropna=False, normalize=True).iloc[0] < MOSTLY_ONE]
    caveats = ("model_reduced",) if set(varies) - set(used) else ()
    if not {"risk", "kind", "location"} & set(columns):
        caveats = ("nothing_to_adjust_for", *caveats)
    return Expectation(probability[keys] * total, tuple(used), caveats)


def _levels(values: pd.Series, n: Numbers, y: Numbers, d: Numbers) -> NDArray[np.int64]:
    """Values as codes, the commonest 0 and rare ones together."""
    codes, _ = pd.factorize(values, sort=True, use_na_sentinel=False)
    size, events, chances = (np.bincount(codes, amount) for amount in (n, y, d))

    def rare(which: NDArray[np.int64]) -> bool:
        happened = events[which].sum()
        return bool(
            size[which].sum() < LEVEL_VALIDATIONS
            or min(happened, chances[which].sum() - happened) < LEVEL_EVENTS
        )

    order = np.argsort(-size, kind="stable")
    own = [int(level) for level in order if not rare(np.array([level]))]
    others = np.array([level for level in order if level not in own], np.int64)
    together = 0 if not others.size or rare(others) else len(own)
    place = {level: position for position, level in enumerate(own)}
    return np.asarray(np.array([place.get(level, together) for level in range(len(size))])[codes], np.int64)
