"""Where technology cost time, and where criteria could not be verified: virtual validations by platform, tour, office."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from analysis.counts import counts
from analysis.results import Interval
from analysis.schema import NOT_RECORDED
from analysis.selection import Selection
from analysis.stats.durations import quantile_from_counts
from analysis.stats.proportions import wilson
from analysis.stats.rates import arm_rate

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

TechnologyColumn = Literal["platform", "tour", "field_office"]
COLUMNS: tuple[TechnologyColumn, ...] = ("platform", "tour", "field_office")
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class TechnologyRow:
    """Virtual validations of one platform, way of showing the site, or office.

    Minutes were lost on `lost` of `timed` validations, `minutes` in the middle of those; `unseen` of `verifiable`
    criteria could not be verified. An interval is 95 %; `lost_apart` and `unseen_apart` say whether the figure of all
    lies outside one that allows for the number of rows (Bonferroni).
    """

    value: str
    label: str
    n: int | None
    timed: int | None
    lost: int | None
    lost_interval: Interval | None
    minutes: float | None
    unseen: int | None
    verifiable: int | None
    unseen_interval: Interval | None
    lost_apart: bool = False
    unseen_apart: bool = False

    @property
    def lost_share(self) -> float | None:
        """Share of validations on which minutes were lost."""
        return self.lost / self.timed if self.timed and self.lost is not None else None

    @property
    def unseen_rate(self) -> float | None:
        """Share of criteria not verified."""
        return self.unseen / self.verifiable if self.verifiable and self.unseen is not None else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        lost, unseen = self.lost_interval, self.unseen_interval
        return {
            "value": self.value, "n": self.n, "timed": self.timed, "lost": self.lost, "lost_share": self.lost_share,
            "lost_low": lost.low if lost else None, "lost_high": lost.high if lost else None, "minutes": self.minutes,
            "not_verified": self.unseen, "verifiable": self.verifiable, "not_verified_rate": self.unseen_rate,
            "low": unseen.low if unseen else None, "high": unseen.high if unseen else None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Technology:
    """Virtual validations by `column`, in the order of its values; `whole` is all of them together."""

    column: TechnologyColumn
    rows: tuple[TechnologyRow, ...]
    whole: TechnologyRow | None
    n: int | None
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a value."""
        return pd.DataFrame([row.to_dict() for row in self.rows]).rename(columns={"value": self.column})


def technology(
    dataset: Dataset, column: TechnologyColumn = "platform", selection: Selection = Selection()
) -> Technology:
    """Minutes lost and criteria not verified on virtual validations.

    Intervals of a share of validations are Wilson's; those of criteria are clustered by specialist.

    Parameters
    ----------
    dataset : Dataset
    column : {"platform", "tour", "field_office"}
    selection : Selection
        Its modes are not applied: only virtual validations have a platform.
    """
    selection = selection.checked(dataset)
    caveats = ("virtual_alone",) if selection.modes else ()
    virtual = dataclasses.replace(selection, modes=("virtual",))
    if "virtual" not in dataset.vocabulary("mode"):
        return Technology(column, (), None, 0, ("arm_empty", *caveats))
    # The focus area narrows which criteria are counted, as everywhere.
    by = [column, "specialist", "minutes_lost"]
    rows = counts(
        dataset, "validations", by, virtual, sums=["n", "n_not_verified", "n_verifiable"], via="rows"
    )
    if rows.empty or not rows["n"].sum():
        return Technology(column, (), None, 0, ("empty_selection", *caveats))
    asked = dataset.criteria_asked
    values = [value for value in _ordered(dataset, column, rows) if (rows[column] == value).any()]
    whole = _row(rows, "", "All", asked)
    level = 1 - LEVEL / max(len(values), 1)
    made = []
    for value in values:
        own = rows[rows[column] == value]
        label = dataset.label(column, value) if column != "platform" else value
        made.append(_row(own, value, label, asked, whole, level))
    if rows[column].isna().any() and values:
        made.append(_row(rows[rows[column].isna()], "", NOT_RECORDED, asked, whole, level))
    return Technology(column, tuple(made), whole, int(rows["n"].sum()), caveats)


def _ordered(dataset: Dataset, column: TechnologyColumn, rows: pd.DataFrame) -> list[str]:
    if column == "platform":
        return sorted(str(value) for value in rows[column].dropna().unique())
    return list(dataset.vocabulary(column))


def _row(
    rows: pd.DataFrame,
    value: str,
    label: str,
    asked: bool,
    whole: TechnologyRow | None = None,
    level: float = 0.95,
) -> TechnologyRow:
    timed = rows[rows["minutes_lost"].notna()]
    lost = timed[timed["minutes_lost"] > 0]
    total, losing = int(timed["n"].sum()), int(lost["n"].sum())
    minutes = float(quantile_from_counts(lost["minutes_lost"], lost["n"], [0.5])[0]) if losing else None
    unseen, verifiable = int(rows["n_not_verified"].sum()), int(rows["n_verifiable"].sum()) if asked else 0
    interval = _clustered(rows, 0.95) if verifiable else None
    lost_apart = unseen_apart = False
    if whole is not None and whole.lost_share is not None and total:
        wide = wilson(losing, total, level=level).interval()
        lost_apart = wide is not None and not wide.contains(whole.lost_share)
    if whole is not None and whole.unseen_rate is not None and interval:
        wide = _clustered(rows, level)
        unseen_apart = wide is not None and not wide.contains(whole.unseen_rate)
    return TechnologyRow(
        value, label, int(rows["n"].sum()), total, losing, wilson(losing, total).interval() if total else None, minutes,
        unseen, verifiable, interval, lost_apart, unseen_apart,
    )  # fmt: skip


def _clustered(rows: pd.DataFrame, level: float) -> Interval | None:
    # A validation without a specialist is a cluster of its own, as nearly as its row allows.
    specialist = rows["specialist"].to_numpy()
    cluster = np.where(specialist >= 0, specialist, -1 - np.arange(len(rows)))
    _, codes = np.unique(cluster, return_inverse=True)
    return arm_rate(rows["n_not_verified"], rows["n_verifiable"], cluster=codes, level=level).interval
