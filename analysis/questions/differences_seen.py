"""How a criterion is seen – in documents, in interviews, on site – and whether the mode matters more where eyes do.

The rates are those of `analysis.questions.deficiency_seen`; here they stand as both arms, ratio and difference.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis import wording
from analysis.questions.deficiency_seen import CONTROL, WaysOfSeeing, seen_by_mode
from analysis.questions.sentences import arm_names
from analysis.results import Comparison, Estimate, Measure, finite_or_none
from analysis.selection import Selection
from analysis.stats.exact_rates import rate_ratio_exact, rate_ratio_test

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

FEW_EVENTS = 20
"""Below this many deficiencies in both modes the exact ratio stands beside the one with clustered errors."""
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class SeenClass:
    """Criteria of one class: both arms, their ratio and difference (errors by specialist), `adjusted_p` of the ratio.

    `exact` is the unadjusted ratio with exact Poisson limits, where deficiencies are few.
    """

    how: str
    answer: Comparison
    adjusted_p: float | None
    exact: Estimate | None = None

    @property
    def is_control(self) -> bool:
        """Whether a camera shows these criteria as well as a visit does."""
        return self.how == CONTROL

    @property
    def ratio(self) -> Estimate | None:
        """The adjusted ratio, where it can be read."""
        return _readable(self.answer, "ratio")

    @property
    def difference(self) -> Estimate | None:
        """The adjusted difference, where it can be read."""
        return _readable(self.answer, "difference")

    @property
    def differs(self) -> bool:
        """Whether the ratio is not 1, all classes allowed for."""
        return self.ratio is not None and self.adjusted_p is not None and self.adjusted_p < LEVEL

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        arms = {f"{mode}_{k}": v for mode, arm in self.answer.arms.items() for k, v in arm.to_dict().items()}
        out: dict[str, Any] = {
            "seen_by": self.how,
            "label": self.answer.label,
            "control": self.is_control,
            **arms,
        }
        for name, row in (("ratio", self.ratio), ("difference", self.difference), ("exact", self.exact)):
            bounds = row.interval if row else None
            out |= {
                name: row.estimate if row else None,
                f"{name}_low": bounds.low if bounds else None,
                f"{name}_high": bounds.high if bounds else None,
            }
        return out | {"adjusted_p": self.adjusted_p}


@dataclass(frozen=True, slots=True)
class SeenByMode:
    """Classes of criteria by how they are seen; `contrast` is the ratio of physical over that of document criteria."""

    rows: tuple[SeenClass, ...]
    contrast: Estimate | None
    n: int
    caveats: tuple[str, ...] = ()
    sentence: str = ""

    @property
    def control(self) -> SeenClass | None:
        """The class in which no difference is expected of the mode itself."""
        return next((row for row in self.rows if row.is_control), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: a row a class."""
        return {
            "rows": [row.to_dict() for row in self.rows],
            "contrast": self.contrast.to_dict() if self.contrast else None,
            "n": self.n,
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a class."""
        return pd.DataFrame([row.to_dict() for row in self.rows])


def seen_classes(dataset: Dataset, selection: Selection = Selection()) -> SeenByMode:
    """Compare the modes in each class of criteria, like for like; ratios exact where deficiencies are few.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    found = seen_by_mode(dataset, selection)
    rows = tuple(
        SeenClass(answer.group["seen_by"], answer, p, _exact(found, answer.group["seen_by"]))
        for answer, p in zip(found.family.comparisons, found.family.adjusted_p, strict=True)
    )
    out = SeenByMode(rows, found.contrast, found.n, found.caveats)
    return dataclasses.replace(out, sentence=_sentence(out))


def _readable(answer: Comparison, measure: Measure) -> Estimate | None:
    row = answer.estimate(answer.primary, measure)
    if answer.verdict == "too_few" or row is None or row.interval is None or row.status == "too_small":
        return None
    return row


def _exact(found: WaysOfSeeing, how: str) -> Estimate | None:
    """The ratio of the summed counts with exact limits, where there are some deficiencies but few."""
    y1, d1, y0, d0 = found.sums.get(how, (0, 0, 0, 0))
    if not 0 < y1 + y0 < FEW_EVENTS or not d1 or not d0:
        return None
    limits = rate_ratio_exact(y1, d1, y0, d0)
    bounds = limits.interval()
    if bounds is None or not np.isfinite(bounds.high):
        return None
    settings = {"adjusted_for": (), "clustered_by": None}
    return Estimate(
        "crude", "ratio", "comparison_window", limits.value(), bounds,
        finite_or_none(float(rate_ratio_test(y1, d1, y0, d0).p_value)), d1 + d0, "ok", ("independent",), settings,
    )  # fmt: skip


def _sentence(found: SeenByMode) -> str:
    """The class whose ratio lies farthest from 1, and the negative control beside it."""
    known = [row for row in found.rows if row.ratio is not None]
    if not known:
        return ""
    far = max((row for row in known if not row.is_control), key=_distance, default=known[0])
    v, p = arm_names(far.answer)
    ratio, n = far.ratio, f"n = {wording.counted(found.n, 'validation')}"
    assert ratio is not None and ratio.estimate is not None
    said = (
        f"{far.answer.label} criteria were recorded deficient **{wording.ratio(ratio.estimate)} times** as often on {v} "
        f"as on {p} validations (95% interval {wording.interval(ratio.interval, 'ratio')}; {n})"
    )
    control = found.control
    if control is None or control is far or control.ratio is None or control.ratio.estimate is None:
        return f"{said}."
    return (
        f"{said}; {control.answer.label.lower()} criteria, the negative control, {wording.ratio(control.ratio.estimate)} times "
        f"({wording.interval(control.ratio.interval, 'ratio')})."
    )


def _distance(row: SeenClass) -> float:
    assert row.ratio is not None and row.ratio.estimate is not None
    return abs(float(np.log(row.ratio.estimate))) if row.ratio.estimate > 0 else np.inf
