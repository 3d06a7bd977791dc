"""How strong would something unmeasured have to be? E-values, and recorded factors as a yardstick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis import wording
from analysis.metrics import Tally
from analysis.questions.arms import tally_rows
from analysis.questions.designs import LEVEL_EVENTS, LEVEL_VALIDATIONS, MODEL_COLUMNS
from analysis.questions.robustness import Grounds, as_dict, effect, grounds, size_of
from analysis.results import Comparison, Estimate, Interval
from analysis.schema import LABELS
from analysis.selection import Selection
from analysis.stats.sensitivity import bias_factor, e_value, needed_strength

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

_STRENGTHS = tuple(float(x) for x in np.geomspace(1.02, 400.0, 90))
"""How far beyond the needed factor the association with the mode lies, in multiples of what that factor exceeds 1 by."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """How strongly one recorded column goes with the mode, and with the outcome: ratios of at least 1.

    `with_mode` is the largest ratio of its values' shares in the two modes, `with_outcome` that of the outcome between
    two of its values within a mode, each as recorded; values too rare to say are passed over.
    """

    column: str
    label: str
    with_mode: float
    with_outcome: float

    @property
    def bias(self) -> float:
        """The most by which such a factor, left out, could have moved a ratio."""
        return bias_factor(self.with_mode, self.with_outcome)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "column": self.column, "with_mode": self.with_mode, "with_outcome": self.with_outcome, "bias": self.bias,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """Where an unmeasured factor would have to move the ratio to (``nothing`` or ``margin``), and how strong it must be.

    `ratio` is the ratio moved to, `factor` the one by which the estimate must move; `e_value` the strength that does it
    when it goes with mode and outcome alike. `limit` is the same for the limit of the interval, 1 where the interval is
    there already.
    """

    name: str
    ratio: float
    factor: float
    e_value: float
    limit: float

    def pairs(self) -> list[tuple[float, float]]:
        """Associations with the mode, and the associations with the outcome that must go with them."""
        strengths = [1 + (self.factor - 1) * step for step in _STRENGTHS]
        found = [(a, needed_strength(self.factor, a)) for a in strengths]
        return [(a, b) for a, b in found if b is not None]


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """What an unmeasured factor would need, beyond all that is adjusted for, to change an answer.

    `ratio` is the standardised ratio the E-value is of, with its interval. `targets` are no difference and, where one is
    judged against, the margin; `benchmarks` the recorded columns, the strongest first; `behind` the counts of both arms.
    """

    whole: Comparison
    ratio: Estimate | None
    targets: tuple[Target, ...]
    benchmarks: tuple[Benchmark, ...]
    behind: tuple[int, ...]
    caveats: tuple[str, ...]
    sentence: str

    def target(self, name: str) -> Target | None:
        """The target of that name."""
        return next((target for target in self.targets if target.name == name), None)

    def to_frame(self) -> pd.DataFrame:
        """One row per benchmark and target."""
        rows: list[dict[str, Any]] = [
            {"row": t.name, "ratio": t.ratio, "e_value": t.e_value, "limit_e_value": t.limit}
            for t in self.targets
        ]
        return pd.DataFrame([*rows, *({"row": b.column} | b.to_dict() for b in self.benchmarks)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        rows: list[dict[str, Any]] = [
            {"target": t.name, "ratio": t.ratio, "e_value": t.e_value, "limit_e_value": t.limit}
            for t in self.targets
        ]
        return as_dict(
            [*rows, *(b.to_dict() for b in self.benchmarks)], size_of(self.whole), self.caveats, self.sentence
        )


def unmeasured(
    dataset: Dataset, metric_id: str, selection: Selection = Selection(), *, margin: float | None = None
) -> Unmeasured:
    """How strongly a factor nobody recorded must go with mode and outcome to account for an answer.

    For shares and rates; times and incidents have no ratio of shares (``no_risk_ratio``). To the margin means: to the
    edge on the side that would be bad news, the in-person share staying where it is.

    Parameters
    ----------
    dataset : Dataset
    metric_id : str
    selection : Selection
    margin : float, optional
        Another margin than the one set beforehand.

    Raises
    ------
    AnalysisError
        As `compare`.

    References
    ----------
    VanderWeele & Ding (2017), Ann. Intern. Med. 167, 268–274; Ding & VanderWeele (2016), Epidemiology 27, 368–377.
    """
    ground = grounds(dataset, metric_id, selection, margin=margin)
    whole = ground.whole
    if ground.window is None or not ground.stands:
        return Unmeasured(whole, None, (), (), (), whole.reasons, whole.sentence)
    ratio = whole.estimate(whole.primary, "ratio")
    shares = isinstance(ground.definition.counted_by, Tally)
    if not shares or ratio is None or not ratio.estimate or ratio.interval is None:
        code = "no_risk_ratio" if not shares else "ratio_needs_events"
        return Unmeasured(
            whole, None, (), (), (), (code,), "No E-value: it needs a ratio of two shares or rates."
        )
    found = _targets(whole, ratio)
    yardsticks = _benchmarks(ground)
    sentence = _sentence(whole, found, yardsticks)
    return Unmeasured(whole, ratio, found, yardsticks, ground.behind(), ("one_at_a_time",), sentence)


def _targets(whole: Comparison, ratio: Estimate) -> tuple[Target, ...]:
    out = [_target("nothing", 1.0, ratio)]
    edge = _edge(whole)
    if edge is not None:
        out.append(_target("margin", edge, ratio))
    return tuple(out)


def _edge(whole: Comparison) -> float | None:
    """The margin on the side that would be bad news, as a ratio; the nearer one where both would be."""
    if (
        whole.margin is None
        or whole.verdict == "described"
        or whole.harmful not in ("lower", "higher", "two_sided")
    ):
        return None
    assert whole.answer is not None and whole.answer.estimate is not None
    if whole.margin_scale == "ratio":
        low, high = sorted((whole.margin, 1 / whole.margin))
    else:
        base = whole.adjusted_arms["in_person"].estimate if whole.adjusted_arms else None
        if not base:
            return None
        low, high = (base - whole.margin) / base, (base + whole.margin) / base
    below = whole.harmful == "lower" or (
        whole.harmful == "two_sided" and whole.answer.estimate < (1.0 if whole.measure == "ratio" else 0.0)
    )
    edge = low if below else high
    return edge if edge > 0 and edge != 1.0 else None


def _target(name: str, to: float, ratio: Estimate) -> Target:
    assert ratio.estimate is not None and ratio.interval is not None
    scaled = Interval(ratio.interval.low / to, ratio.interval.high / to)
    found = e_value(ratio.estimate / to, scaled)
    factor = max(ratio.estimate / to, to / ratio.estimate)
    assert found.limit is not None
    return Target(name, to, factor, found.estimate, found.limit)


def _benchmarks(ground: Grounds) -> tuple[Benchmark, ...]:
    rows = tally_rows(ground.definition, ground.inside).rows
    found = [
        _benchmark(rows, column) for column in MODEL_COLUMNS if column in rows and rows[column].notna().any()
    ]
    return tuple(sorted((b for b in found if b is not None), key=lambda b: -b.bias))


def _benchmark(rows: pd.DataFrame, column: str) -> Benchmark | None:
    """A column's strength over its values that are common enough to say; None with fewer than two of them."""
    sums = rows.groupby([column, "arm"], dropna=False)[["n", "y", "d"]].sum().unstack("arm", fill_value=0)
    n, y, d = (sums[name].reindex(columns=[1, 0], fill_value=0).to_numpy(float) for name in ("n", "y", "d"))
    common = (
        (n >= LEVEL_VALIDATIONS).all(axis=1)
        & (y >= LEVEL_EVENTS).all(axis=1)
        & (d - y >= LEVEL_EVENTS).all(axis=1)
    )
    if common.sum() < 2:
        return None
    share, risk = n[common] / n.sum(axis=0), y[common] / d[common]
    with_mode = float(np.exp(np.abs(np.log(share[:, 0] / share[:, 1])).max()))
    with_outcome = float((risk.max(axis=0) / risk.min(axis=0)).max())
    return Benchmark(column, LABELS[column], with_mode, with_outcome)


def _sentence(whole: Comparison, found: tuple[Target, ...], yardsticks: tuple[Benchmark, ...]) -> str:
    assert whole.answer is not None
    nothing = found[0]
    limit = (
        "the interval includes it already"
        if nothing.limit == 1
        else f"{wording.ratio(nothing.limit)} for the interval"
    )
    said = (
        f"A factor nobody recorded would bring {effect(whole.answer.estimate, whole)} to no difference if associated "
        f"**{wording.ratio(nothing.e_value)} times** with both mode and outcome ({limit})"
    )
    margin = next((target for target in found if target.name == "margin"), None)
    if margin is not None:
        said += f", to the margin {wording.ratio(margin.e_value)} times"
    if not yardsticks:
        return f"{said}."
    best = yardsticks[0]
    if best.bias >= nothing.factor:
        return f"{said}. One as strong as {best.label.lower()} would be enough."
    return f"{said}. Not even one as strong as {best.label.lower()} would be enough."
