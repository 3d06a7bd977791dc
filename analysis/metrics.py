"""The success metrics: their words from ``data/metrics.toml``, and which columns count them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import AnalysisError, nearest
from analysis.schema import DATA_FOLDER

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

Kind = Literal["proportion", "rate", "duration", "survival", "score"]
Harmful = Literal["lower", "higher", "two_sided", "none"]
MarginScale = Literal["difference", "ratio"]


@dataclass(frozen=True, slots=True)
class Tally:
    """A ratio of sums: the columns of one counted table to add up above and below the line."""

    table: str
    numerator: str
    denominator: str
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A time: which counted values, and how they are summarised.

    `summary` is ``geometric`` (ratio of geometric means), ``restricted`` (ratio of means restricted to
    `horizon` days) or ``risk`` (difference of cumulative incidence at `horizon` days). `per_unit` is how many
    counted units make one.
    """

    values: str
    summary: Literal["geometric", "restricted", "risk"]
    horizon: int | None = None
    per_unit: int = 1


@dataclass(frozen=True, slots=True)
class Metric:
    """One success metric, as ``data/metrics.toml`` defines it.

    `margin` is on `margin_scale`; `harmful` is the direction of virtual minus in person that would be bad
    news; metrics with `by` are answered for each value of that column apart, never pooled; those not `judged`
    are described. `counted_by` says how it is counted.
    """

    id: str
    label: str
    kind: Kind
    role: str
    unit: str
    numerator: str
    denominator: str
    harmful: Harmful
    question: str
    reading: str
    margin: float | None = None
    margin_scale: MarginScale | None = None
    cluster: str = "specialist_id"
    by: str | None = None
    arm_column: str = "mode"
    arms: tuple[str, ...] = ("virtual", "in_person")
    judged: bool = True
    counted_by: Tally | Waiting = field(default_factory=lambda: Tally("validations", "n", "n"))

    @property
    def scale(self) -> str:
        """How one arm's figure is written: ``share``, ``rate``, ``days`` or ``hours``."""
        if self.kind == "duration":
            return "hours" if self.id == "hours" else "days"
        return "rate" if self.kind == "rate" else "share"


_COUNTED: dict[str, Tally | Waiting] = {
    "any_must_deficiency": Tally("validations", "any_must_deficiency", "has_must_assessed"),
    "any_deficiency": Tally("validations", "any_deficiency", "has_assessed"),
    "critical_findings": Tally("validations", "critical", "has_must_assessed"),
    "deficiency_rate": Tally("validations", "n_deficient", "n_assessed"),
    "must_deficiency_rate": Tally("validations", "n_must_deficient", "n_must_assessed"),
    "not_verified_rate": Tally("validations", "n_not_verified", "n_verifiable"),
    "repeat_rate": Tally("validations", "n_repeat", "n_repeatable"),
    "closed_on_time": Tally("validations", "n_closed_on_time", "n_due"),
    "passed": Tally("validations", "passed", "has_outcome"),
    "feedback_confidence": Tally("feedback", "top_two", "n", item="confidence"),
    "would_repeat_virtual": Tally("feedback", "top_two", "n", item="would_repeat_virtual"),
    "days_to_report": Waiting("days_to_report", "restricted", horizon=90),
    "days_to_close": Waiting("days_to_close", "restricted", horizon=90),
    "hours": Waiting("hours", "geometric", per_unit=10),
    "incident_within_12_months": Waiting("followup", "risk", horizon=365),
}


_OF_LEVEL = ("any_must_deficiency", "must_deficiency_rate", "critical_findings")
"""Metrics that tell Must from Should."""


@cache
def metrics() -> dict[str, Metric]:
    """All metrics by id, in the order of ``data/metrics.toml``.

    Raises
    ------
    AnalysisError
        When the file defines a metric that nothing counts.
    """
    with open(DATA_FOLDER / "metrics.toml", "rb") as file:
        raw = tomllib.load(file)["metric"]
    for name in raw:
        if name not in _COUNTED:
            raise AnalysisError(
                f"data/metrics.toml: nothing counts metric '{name}'; {nearest(name, _COUNTED)}"
            )
    out = {}
    for name, values in raw.items():
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        out[name] = Metric(id=name, counted_by=_COUNTED[name], **fields)
    return out


def metric(name: str) -> Metric:
    """The metric of that id.

    Raises
    ------
    AnalysisError
        For an unknown one, naming the nearest.
    """
    known = metrics()
    if name not in known:
        raise AnalysisError(f"metric '{name}' is not defined; {nearest(name, known)}")
    return known[name]


def margin_of(definition: Metric, dataset: Dataset) -> tuple[float | None, str]:
    """The margin a verdict is read against, and where it comes from.

    Returns
    -------
    margin : float or None
    source : str
        ``"illustrative"``, or ``"set on <date>"`` where the dataset records the program's own.
    """
    own = dataset.margins.get(definition.id)
    if own is not None:
        return float(own), f"set on {dataset.margins.get('set_on', 'an unrecorded day')}"
    return definition.margin, "illustrative"


def missing_reason(definition: Metric, dataset: Dataset) -> str | None:
    """Why a dataset cannot answer a metric at all, as a reason code; None where it can."""
    counted = definition.counted_by
    if isinstance(counted, Waiting):
        return None if dataset.counts_amount(counted.values) else "column_absent"
    if counted.table == "feedback":
        return None if dataset.counts_by("feedback_cells") else "table_absent"
    if not dataset.counts_by("validation_cells"):
        return "table_absent"
    if not dataset.clean_validations:
        return "clean_validations_unknown"
    if definition.id in _OF_LEVEL and not dataset.catalogue_has_levels:
        return "level_unknown"
    if definition.kind == "rate" and definition.id != "closed_on_time" and not dataset.criteria_asked:
        return "criteria_asked_unknown"
    if definition.id == "passed" and not dataset.records("outcome"):
        return "column_absent"
    if definition.id == "closed_on_time" and not dataset.counts_any("n_due"):
        return "column_absent"
    return None
