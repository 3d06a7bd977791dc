"""How much of what applied was never looked at, by mode: above a share, findings are read with bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.counts import counts
from analysis.metrics import Metric, Tally
from analysis.questions.window import Window

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

MOST_NOT_VERIFIED = 0.05
"""Share of criteria that could not be verified above which findings are bounds rather than numbers."""
MOST_NOT_ASSESSED = 0.20
"""The same for criteria not looked at for whatever reason: not verified, or not assessed at all."""
COUNTED = ("n_not_verified", "n_verifiable")
"""Columns that `unseen` needs in a window's rows."""


def unseen(
    definition: Metric, dataset: Dataset, selection: Selection, window: Window, group: tuple[str, str] | None
) -> tuple[str, ...]:
    """Reason codes for a detection metric whose criteria were largely unseen in one of the modes.

    Shares are of the criteria that applied, in quarters in which both modes were in use.
    """
    rows = window.rows
    if not speaks_of_criteria(definition, dataset) or not set(COUNTED) <= set(rows):
        return ()
    arms = rows["arm"].to_numpy()
    sums = {
        arm: [int(rows[name].to_numpy()[arms == arm].sum()) for name in COUNTED] for arm in np.unique(arms)
    }
    skipped = dict.fromkeys((0, 1), 0)
    if "not_assessed" in dataset.present("answer"):
        skipped = _not_assessed(dataset, selection.without("modes"), window, group)
    reasons: tuple[str, ...] = ()
    if any(
        verifiable and unverified > MOST_NOT_VERIFIED * verifiable for unverified, verifiable in sums.values()
    ):
        reasons += ("mostly_unseen",)
    for arm, (unverified, verifiable) in sums.items():
        away = skipped[int(arm)]
        if verifiable + away and unverified + away > MOST_NOT_ASSESSED * (verifiable + away):
            return (*reasons, "rarely_assessed")
    return reasons


def speaks_of_criteria(definition: Metric, dataset: Dataset) -> bool:
    """Whether a metric is about what was found at the validation whose mode is compared."""
    tally = definition.counted_by
    return (
        isinstance(tally, Tally)
        and tally.table == "validations"
        and definition.role == "detection"
        and definition.arm_column == "mode"
        and dataset.criteria_asked
    )


def _not_assessed(
    dataset: Dataset, selection: Selection, window: Window, group: tuple[str, str] | None
) -> dict[int, int]:
    """Criteria answered "not assessed" within the window, by arm."""
    column = group[0] if group else None

    def all_of_them() -> pd.DataFrame:
        by = ["mode", "month", "answer", *([column] if column else [])]
        found = counts(dataset, "findings", by, selection)
        return found[(found["answer"] == "not_assessed").to_numpy()]

    # Every group of a column is read off one count.
    found = (window.whole or window).known.once(("not assessed", selection, column), all_of_them)
    inside = (found["month"] // 3).isin(window.rows["quarter"].unique()).to_numpy()
    if group:
        inside = inside & (found[group[0]] == group[1]).to_numpy()
    mode, n = found["mode"].to_numpy()[inside], found["n"].to_numpy()[inside]
    return {arm: int(n[mode == name].sum()) for arm, name in ((1, "virtual"), (0, "in_person"))}
