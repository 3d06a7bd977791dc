"""How much of what applied was never looked at, by mode: above a share, findings are read with bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    sums = rows.groupby("arm")[list(COUNTED)].sum()
    skipped = dict.fromkeys((0, 1), 0)
    if "not_assessed" in dataset.present("answer"):
        skipped = _not_assessed(dataset, selection, window, group)
    reasons: tuple[str, ...] = ()
    seen = sums["n_verifiable"] > 0
    if (sums["n_not_verified"] > MOST_NOT_VERIFIED * sums["n_verifiable"])[seen].any():
        reasons += ("mostly_unseen",)
    for arm, (unverified, verifiable) in zip(sums.index, sums.to_numpy(), strict=True):
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
    by = ["mode", "month", "answer", *([group[0]] if group else [])]
    found = counts(dataset, "findings", by, selection.without("modes"))
    found = found[found["answer"] == "not_assessed"]
    if group:
        found = found[found[group[0]] == group[1]]
    found = found[(found["month"] // 3).isin(window.rows["quarter"].unique())]
    return {
        arm: int(found.loc[found["mode"] == mode, "n"].sum())
        for arm, mode in ((1, "virtual"), (0, "in_person"))
    }
