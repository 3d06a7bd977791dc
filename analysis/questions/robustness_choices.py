"""The choices behind an answer that others could have made otherwise: adjustment, period, who is left out, errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.datasets.preparing_incidents import MARITIME_TYPES
from analysis.questions.robustness import Grounds
from analysis.questions.window import in_shared_strata, with_strata
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.stats.linearised import MIN_CLUSTERS

AS_ASKED = "as_asked"
"""The choice that the answer itself made."""

DIMENSIONS: dict[str, str] = {
    "adjustment": "Adjusted for",
    "period": "Period",
    "without": "Left out",
    "method": "Method",
    "errors": "Errors",
}
"""Kinds of choices, in the order in which they are drawn."""

CHOICES: dict[tuple[str, str], str] = {
    ("adjustment", "no_places"): "Not adjusted for office and entity type",
    ("adjustment", "core"): "Adjusted for risk, kind and location only",
    ("adjustment", "quarter"): "Adjusted for the quarter as well",
    ("adjustment", "risk"): "Adjusted for risk only",
    ("period", "first_half"): "First half of the quarters",
    ("period", "second_half"): "Second half of the quarters",
    ("period", "settled"): "Without the first two quarters",
    ("without", "maritime"): "Without maritime entity types",
    ("without", "initial"): "Without initial validations",
    ("without", "one_mode"): "Without offices nearly all of one mode",
    ("method", "mantel_haenszel"): "Stratified (Mantel–Haenszel)",
    ("method", "overlap_weighted"): "Overlap-weighted",
    ("method", "doubly_robust"): "Doubly robust",
    ("method", "aipw"): "Inverse-probability weighted",
    ("errors", "office"): "Errors clustered by office",
    ("errors", "independent"): "Errors as of independent validations",
}
"""Departures from the answer as asked, in words; in the order in which they are drawn."""

MODEL_ADJUSTMENTS: dict[str, tuple[str, ...]] = {
    AS_ASKED: (),
    "no_places": ("field_office", "entity_type"),
    "core": ("field_office", "entity_type", "quarter"),
}
"""Choice → columns that the model does not get."""

STRATA: dict[str, tuple[str, ...]] = {
    AS_ASKED: ADJUSTMENT_COLUMNS,
    "quarter": (*ADJUSTMENT_COLUMNS, "quarter"),
    "risk": ("risk",),
}
"""Choice → columns that times are stratified by."""

NEARLY_ALL = 0.9
"""An office with a larger share of one mode tells more of the office than of the mode."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Part of the counted rows: a period, and somebody left out."""

    period: str
    without: str
    rows: pd.DataFrame


def samples(ground: Grounds) -> list[Sample]:
    """Every period with every group left out; what leaves out nobody, or everybody, is no choice and is not there."""
    counted = ground.counted[ground.counted["quarter"].isin(set(ground.inside["quarter"]))]
    quarters = sorted(set(ground.inside["quarter"]))
    groups = {AS_ASKED: np.ones(len(counted), bool)}
    groups |= {
        name: ~leave
        for name, leave in _left_out(counted, ground.inside).items()
        if 0 < leave.sum() < len(leave)
    }
    return [
        Sample(period, without, counted[keep & counted["quarter"].isin(within).to_numpy()])
        for without, keep in groups.items()
        for period, within in _periods(quarters).items()
    ]


def _periods(quarters: list[int]) -> dict[str, list[int]]:
    periods = {AS_ASKED: quarters}
    if len(quarters) >= 4:
        half = len(quarters) // 2
        periods |= {"first_half": quarters[:half], "second_half": quarters[half:], "settled": quarters[2:]}
    return periods


def _left_out(counted: pd.DataFrame, window: pd.DataFrame) -> dict[str, np.ndarray]:
    sizes = window.groupby("field_office")["n"].sum()
    virtual = window[window["arm"] == 1].groupby("field_office")["n"].sum().reindex(sizes.index, fill_value=0)
    share = virtual / sizes
    one_mode = share.index[(share > NEARLY_ALL) | (share < 1 - NEARLY_ALL)]
    return {
        "maritime": counted["entity_type"].isin(MARITIME_TYPES).to_numpy(),
        "initial": (counted["kind"] == "initial").to_numpy(),
        "one_mode": counted["field_office"].isin(one_mode).to_numpy(),
    }


def offices_as_clusters(rows: pd.DataFrame) -> np.ndarray | None:
    """Codes of field offices for clustering, None with fewer than 5 in one of the arms."""
    offices = rows["field_office"]
    codes, names = pd.factorize(offices, use_na_sentinel=False)
    shared = in_shared_strata(rows)
    fewest = min((shared.loc[shared["arm"] == arm, "field_office"].nunique() for arm in (0, 1)), default=0)
    return codes if len(names) and fewest >= MIN_CLUSTERS else None


def restratified(rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows of a window with other strata."""
    return with_strata(rows, tuple(c for c in columns if c in rows and rows[c].notna().any()))
