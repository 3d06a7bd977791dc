"""What could not be seen: how far an answer could move if every criterion left unverified were deficient, or none."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis import wording
from analysis.metrics import Metric, Tally, metric
from analysis.questions.arms import Arms, tally_rows
from analysis.questions.counted_windows import window_of
from analysis.questions.models import standardised
from analysis.questions.robustness import (
    Grounds,
    against,
    as_dict,
    effect,
    grounds,
    judged,
    read_off,
    size_of,
    unit_of,
)
from analysis.questions.sentences import arm_names, scale_of
from analysis.questions.terms import checked_margin, counted_selection
from analysis.questions.window import MODES, Window
from analysis.results import Comparison, Estimate, Interval, Verdict
from analysis.selection import Selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

READ_FIRST = ("mostly_unseen", "rarely_assessed")
"""Reasons of an answer for which its bounds are read before its estimate."""

ORDERS = ((True, False), (True, True), (False, False), (False, True))
"""Whether all that was not verified is taken to be deficient: virtual, in person; the largest contrast first."""

_FLAGS = {
    "any_deficiency": "possibly_deficient",
    "any_must_deficiency": "possibly_must_deficient",
    "critical_findings": "possibly_critical",
}
_HIDDEN = {
    "any_deficiency": "deficiency",
    "any_must_deficiency": "Must deficiency",
    "critical_findings": "critical finding",
}
_RATES = {
    "deficiency_rate": ("n_not_verified", "n_verifiable"),
    "must_deficiency_rate": ("n_must_not_verified", "n_must_verifiable"),
}


@dataclass(frozen=True, slots=True)
class ArmBounds:
    """One arm of the comparison window, as recorded and at both ends.

    Proportions: `unseen` of `n` validations have no such deficiency recorded but a criterion left unverified. Rates:
    `unseen` of `n` criteria were not verified. `recorded` is the figure as it stands, which for rates leaves the
    unseen out. `not_verified` is the share of all criteria that could not be verified.
    """

    mode: str
    label: str
    n: int
    events: int
    unseen: int
    low: float | None
    recorded: float | None
    high: float | None
    not_verified: float | None


@dataclass(frozen=True, slots=True)
class Order:
    """The like-for-like effect with what was not verified taken as all deficient, or none, in each arm."""

    virtual: bool
    in_person: bool
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Bounded:
    """Bounds of an answer that assume nothing about what could not be seen.

    `orders` are those of `ORDERS`, empty where nothing can be bounded; `low` and `high` the smallest and the largest
    estimate among them, `reach` from the lower limit of the one to the upper limit of the other: with sampling error as
    well. `crude` are the bounds of the unadjusted difference, from counts alone. `settled` is the verdict that holds
    whatever the unseen hides. `first` says that bounds are to be read before the estimate.
    """

    whole: Comparison
    arms: Mapping[str, ArmBounds]
    orders: tuple[Order, ...]
    low: float | None
    high: float | None
    reach: Interval | None
    crude: tuple[float, float] | None
    settled: Verdict
    first: bool
    caveats: tuple[str, ...]
    sentence: str

    def against(self, margin: float | None) -> Bounded:
        """The same bounds judged against another margin; themselves for None."""
        if margin is None:
            return self
        whole = against(self.whole, margin)
        return dataclasses.replace(self, whole=whole, settled=_settled(whole, self.reach))

    def to_frame(self) -> pd.DataFrame:
        """One row per arm, then one per order."""
        rows: list[dict[str, Any]] = [
            {"row": mode} | dataclasses.asdict(arm) for mode, arm in self.arms.items()
        ]
        rows += [_order_row(order) for order in self.orders]
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: both arms, then the four orders."""
        return as_dict(
            [*(dataclasses.asdict(arm) for arm in self.arms.values()), *map(_order_row, self.orders)],
            size_of(self.whole), self.caveats, self.sentence,
        )  # fmt: skip


def bounds(
    dataset: Dataset, metric_id: str, selection: Selection = Selection(), *, margin: float | None = None
) -> Bounded:
    """Bound a deficiency metric by what could not be verified, in quarters in which both modes were in use.

    Nothing is assumed: every criterion answered "not verified" is taken to be deficient, or none, in each arm by
    itself. The contrast is asked again, adjusted as ever, in all four orders.

    Parameters
    ----------
    dataset : Dataset
    metric_id : str
        A metric that counts deficiencies; others have nothing to bound (``nothing_to_bound``).
    selection : Selection
    margin : float, optional
        Another margin than the one set beforehand.

    Raises
    ------
    AnalysisError
        As `compare`.
    """
    checked_margin(metric(metric_id), margin)
    ground = grounds(dataset, metric_id, selection)
    return _bounded(ground).against(margin)


def _bounded(ground: Grounds) -> Bounded:
    whole = ground.whole
    if ground.window is None:
        return _nothing(whole, whole.reasons, whole.sentence)
    if ground.definition.id not in (*_FLAGS, *_RATES):
        return _nothing(
            whole, ("nothing_to_bound",), "What could not be verified is not counted by this metric."
        )
    window, low, high = _both_ends(ground)
    if not low.validations(1) or not low.validations(0):
        return _nothing(whole, whole.reasons or ("no_comparison_window",), whole.sentence)
    arms = _arms(ground, window, low, high)
    orders = tuple(Order(v, p, _estimate(ground, window, _mixed(low, high, v, p))) for v, p in ORDERS)
    span, reach = _region([order.estimate for order in orders])
    first = tuple(code for code in whole.reasons if code in READ_FIRST)
    if "rarely_assessed" in first and "not_assessed" in ground.dataset.present("answer"):
        first = (*first, "not_assessed_outside")
    return Bounded(
        whole, arms, orders, span[0] if span else None, span[1] if span else None, reach, _crude(arms),
        _settled(whole, reach), bool(first), (*first, *(() if span else orders[0].estimate.caveats)),
        _sentence(ground, arms, span, reach),
    )  # fmt: skip


def _region(orders: list[Estimate]) -> tuple[tuple[float, float] | None, Interval | None]:
    """The smallest and largest estimate, and the outermost limits; None unless every order can be estimated."""
    values = [row.estimate for row in orders if row.estimate is not None and row.status == "ok"]
    limits = [row.interval for row in orders if row.interval is not None]
    if not len(values) == len(limits) == len(orders):
        return None, None
    return (min(values), max(values)), Interval(min(i.low for i in limits), max(i.high for i in limits))


def _nothing(whole: Comparison, reasons: tuple[str, ...], sentence: str) -> Bounded:
    return Bounded(whole, {}, (), None, None, None, None, whole.verdict, False, reasons, sentence)


def _both_ends(ground: Grounds) -> tuple[Window, Arms, Arms]:
    """The rows of the window with nothing unseen deficient, and with all of it: same rows, same denominators."""
    definition = ground.definition
    tally = definition.counted_by
    assert isinstance(tally, Tally)

    def told(numerator: str, denominator: str) -> Metric:
        return dataclasses.replace(definition, counted_by=Tally(tally.table, numerator, denominator))

    if flag := _FLAGS.get(definition.id):
        # Where nothing at all was verified there is nothing assessed either, and yet something to find.
        wanted = [
            told(tally.numerator, "n"),
            told(flag, tally.denominator),
            told(f"{flag}*{tally.denominator}", "n"),
        ]
    else:
        unseen_criteria, verifiable = _RATES[definition.id]
        wanted = [told(tally.numerator, verifiable), told(unseen_criteria, verifiable)]
    everything = [*wanted, metric("not_verified_rate")]
    window = window_of(ground.dataset, everything, counted_selection(definition, ground.selection))
    if flag:
        low = tally_rows(wanted[0], window.rows)
        possible, assessed, both = (
            window.rows[name] for name in (flag, tally.denominator, f"{flag}*{tally.denominator}")
        )
        # Assessed, or possibly deficient, or both: those that could count either way.
        low = Arms(low.rows.assign(d=assessed + possible - both), low.clustered)
        kept = low.rows[low.rows["d"] > 0]
        return window, Arms(kept, low.clustered), Arms(kept.assign(y=possible.loc[kept.index]), low.clustered)
    low, other = (tally_rows(m, window.rows) for m in wanted)
    return window, low, Arms(low.rows.assign(y=low.rows["y"] + other.rows["y"]), low.clustered)


def _mixed(low: Arms, high: Arms, virtual: bool, in_person: bool) -> Arms:
    """Rows in which the unseen is all deficient in the arms told, and not at all in the others."""
    taken = low.rows["arm"].map({1: virtual, 0: in_person}).to_numpy(bool)
    return Arms(low.rows.assign(y=high.rows["y"].where(taken, low.rows["y"])), low.clustered)


def _estimate(ground: Grounds, window: Window, arms: Arms) -> Estimate:
    found, _ = standardised(ground.definition, arms, ground.dataset.modes, window.strata)
    return next(row for row in found if row.measure == ground.whole.measure)


def _arms(ground: Grounds, window: Window, low: Arms, high: Arms) -> dict[str, ArmBounds]:
    definition = ground.definition
    criteria = tally_rows(metric("not_verified_rate"), window.rows)
    inside = ground.counted["quarter"].isin(set(window.rows["quarter"]))
    recorded = tally_rows(definition, ground.part(ground.counted[inside]).rows)
    out = {}
    for mode in MODES:
        code = int(mode == "virtual")
        (y, n), (most, _), (events, d) = low.total(code), high.total(code), recorded.total(code)
        unverified, verifiable = criteria.total(code)
        out[mode] = ArmBounds(
            mode, ground.dataset.modes[mode], n, y, most - y,
            y / n if n else None, events / d if d else None, most / n if n else None,
            unverified / verifiable if verifiable else None,
        )  # fmt: skip
    return out


def _crude(arms: Mapping[str, ArmBounds]) -> tuple[float, float] | None:
    v, p = (arms[mode] for mode in MODES)
    if v.low is None or v.high is None or p.low is None or p.high is None:
        return None
    return v.low - p.high, v.high - p.low


def _settled(whole: Comparison, reach: Interval | None) -> Verdict:
    return whole.verdict if reach is None or not judged(whole) else read_off(reach, whole)


def _sentence(
    ground: Grounds, arms: Mapping[str, ArmBounds], span: tuple[float, float] | None, reach: Interval | None
) -> str:
    whole = ground.whole
    v, p = (arms[mode] for mode in MODES)
    shares = [wording.percent(arm.unseen / arm.n) if arm.n else wording.NOT_ESTIMABLE for arm in (v, p)]
    what = "criteria were not verified"
    if ground.definition.id in _FLAGS:
        what = f"validations could hide a {_HIDDEN[ground.definition.id]}"
    hidden = f"{shares[0]} of {arm_names(whole)[0]} and {shares[1]} of {arm_names(whole)[1]} {what}"
    if span is None or reach is None:
        return f"{hidden}; the like-for-like bounds cannot be estimated."
    compared = "ratio" if scale_of(whole) == "ratio" else "difference"
    return (
        f"Whatever the unverified criteria hide, the like-for-like {compared} lies between "
        f"**{effect(span[0], whole, unit=False)}** and **{effect(span[1], whole, unit=False)}** {unit_of(whole)} "
        f"({wording.interval(reach, scale_of(whole))} with sampling error): {hidden}."
    )


def _order_row(order: Order) -> dict[str, Any]:
    row = order.estimate
    ends = {
        "low": row.interval.low if row.interval else None,
        "high": row.interval.high if row.interval else None,
    }
    return {
        "row": "difference" if row.measure == "difference" else row.measure,
        "virtual_all_deficient": order.virtual, "in_person_all_deficient": order.in_person,
        "estimate": row.estimate, **ends, "n": row.n, "status": row.status,
    }  # fmt: skip
