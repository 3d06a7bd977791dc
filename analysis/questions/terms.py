"""The terms of a comparison: which method decides, what it can be grouped by, and which margins make sense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.counts import AREA_COUNTS, AREA_FLAGS
from analysis.errors import AnalysisError
from analysis.metrics import Metric, Tally, metrics, missing_reason
from analysis.results import Measure
from analysis.schema import FILTER_COLUMNS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

PRIMARY = "standardised"
"""The method the verdict is read from, for everything but times: those have no model and are stratified."""

STRATIFIED = "mantel_haenszel"
"""The method of times, of families of tests, and of groups whose model is refused."""

GROUP_COLUMNS = tuple(column for column in FILTER_COLUMNS if column not in ("mode", "month"))


def primary_of(definition: Metric) -> str:
    """The method the verdict on a metric is read from."""
    return PRIMARY if isinstance(definition.counted_by, Tally) else STRATIFIED


def measure_of(definition: Metric) -> Measure:
    """The scale of a metric's own answer."""
    return "ratio" if definition.kind == "duration" or definition.margin_scale == "ratio" else "difference"


def answerable(dataset: Dataset) -> tuple[str, ...]:
    """Metrics that this dataset can compare as one pooled contrast, in the order of ``data/metrics.toml``."""
    return tuple(
        m.id
        for m in metrics().values()
        if not m.by and len(m.arms) == 2 and missing_reason(m, dataset) is None
    )


def checked_margin(definition: Metric, margin: float | None) -> None:
    """Refuse a margin that makes no sense on the metric's scale.

    Raises
    ------
    AnalysisError
        For a metric that takes none, or a value outside its scale.
    """
    if margin is None:
        return
    if definition.margin_scale is None:
        raise AnalysisError(f"metric '{definition.id}' is described, not judged: it takes no margin.")
    if not margin >= 0 or margin == float("inf"):
        raise AnalysisError(f"margin {margin!r} must be a number of at least 0.")
    if definition.margin_scale == "ratio" and margin == 0:
        raise AnalysisError(
            "margin 0 is no ratio: give the smallest or largest acceptable virtual / in person."
        )
    if definition.margin_scale == "difference" and margin >= 1 and definition.kind != "duration":
        raise AnalysisError(f"margin {margin:g} is a fraction, not points: write 0.05 for five points.")


def counted_selection(definition: Metric, selection: Selection) -> Selection:
    """What a comparison of the metric counts: both modes, and all focus areas where it is not about single criteria.

    Not even its denominator is narrowed then: it speaks of whole validations.
    """
    without = selection.without("modes")
    return without if narrowed_by_area(definition) else without.without("focus_areas")


def narrowed_by_area(definition: Metric) -> bool:
    """Whether a metric counts criteria, so that a focus area changes it."""
    counted = definition.counted_by
    return isinstance(counted, Tally) and counted.numerator in (*AREA_FLAGS, *AREA_COUNTS)
