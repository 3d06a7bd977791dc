"""What happened afterwards? Time to a member's first incident after a validation, by mode."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis import wording
from analysis.counts import available
from analysis.metrics import metric, missing_reason
from analysis.questions.amounts import filters_ignored
from analysis.questions.contrasts import Contrast, contrast_of
from analysis.questions.counted_windows import window_of
from analysis.questions.effort import mode_names
from analysis.questions.smallness import smallness
from analysis.questions.times import time_effect
from analysis.questions.window import MODES, Window
from analysis.reasons import words
from analysis.results import Interval
from analysis.selection import Selection
from analysis.stats.pooled import Pooled
from analysis.stats.survival import SurvivalCurve, cumulative_incidence, kaplan_meier
from analysis.stats.survival_contrasts import restricted_mean_difference
from analysis.stats.survival_hazards import detectable_hazard_ratio, hazard_ratio
from analysis.stats.survival_tests import log_rank

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

METRIC = "incident_within_12_months"
YEAR = 365
CHECKPOINTS = tuple(round(month * 365.25 / 12) for month in (0, 6, 12, 18, 24))
"""Days at which those still followed are counted: every half year."""
A_YEAR = 2
"""Which of them is a year."""
FEWEST_FOLLOWED = 10
"""A curve ends where fewer are still followed: beyond, one event would be a cliff."""
MOST_POINTS = 150


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """Share with an incident by `day`, with its interval (None where nothing has happened yet)."""

    day: float
    risk: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class RiskArm:
    """One mode: `n` followed, `events` first incidents in all, the risk within a year, and its course.

    `at_risk` are those still followed at each of `CHECKPOINTS`, `events_by` the first incidents up to then; None where
    hidden.
    """

    mode: str
    label: str
    n: int | None
    events: int | None
    risk: float | None
    interval: Interval | None
    at_risk: tuple[int | None, ...]
    events_by: tuple[int | None, ...]
    points: tuple[RiskPoint, ...]

    @property
    def events_in_a_year(self) -> int | None:
        """First incidents within 12 months; None where hidden."""
        return self.events_by[A_YEAR] if self.events_by else None


@dataclass(frozen=True, slots=True)
class Afterwards:
    """Time to a first incident by mode, in quarters in which both modes were in use.

    `contrasts` are, in this order where they exist: ``risk_difference`` (as the metric is judged),
    ``restricted_mean_difference`` (days free of an incident in the first year), ``hazard_ratio`` (stratified),
    ``hazard_ratio_by_specialist`` (the same with other clusters), ``hazard_ratio_crude`` and ``log_rank`` (a test
    without an estimate). `detectable` is the hazard ratio above 1 that so few events would show four times in five.
    """

    arms: Mapping[str, RiskArm]
    contrasts: tuple[Contrast, ...]
    detectable: float | None
    margin: float | None
    n: int | None
    left_out: Mapping[str, int]
    sentence: str
    caveats: tuple[str, ...] = ()

    def contrast(self, measure: str) -> Contrast | None:
        """The contrast of that measure, if there is one."""
        return next((c for c in self.contrasts if c.measure == measure), None)

    @property
    def too_few(self) -> bool:
        """Whether there is too little to set the modes against each other."""
        return bool({"too_few_events", "too_few_in_an_arm"} & set(self.caveats))

    @property
    def events(self) -> int | None:
        """First incidents in both arms together; None where one is hidden."""
        known = [arm.events for arm in self.arms.values()]
        return None if None in known else sum(k for k in known if k is not None)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis afterwards --json``."""
        return {
            "rows": [contrast.to_dict() for contrast in self.contrasts],
            "arms": {
                mode: {
                    "n": arm.n,
                    "events": arm.events,
                    "events_within_12_months": arm.events_in_a_year,
                    "risk_at_12_months": arm.risk,
                    "low": arm.interval.low if arm.interval else None,
                    "high": arm.interval.high if arm.interval else None,
                    "at_risk": dict(zip(map(str, CHECKPOINTS), arm.at_risk, strict=False)),
                }
                for mode, arm in self.arms.items()
            },
            "detectable_hazard_ratio": self.detectable,
            "n": self.n,
            "left_out": dict(self.left_out),
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a mode and point of its curve."""
        rows = [
            {"mode": mode, "day": p.day, "risk": p.risk, "low": p.low, "high": p.high}
            for mode, arm in self.arms.items()
            for p in arm.points
        ]
        return pd.DataFrame(rows, columns=["mode", "day", "risk", "low", "high"])


def afterwards(dataset: Dataset, selection: Selection = Selection()) -> Afterwards:
    """Follow members from a validation to their first incident, by the mode of the validation.

    Everyone is followed to the first incident on a later day, the next validation, the day the member left or the
    as-of date, whichever comes first. Errors are clustered by member, as the metric says; the hazard ratio also by
    specialist.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    selection = selection.checked(dataset)
    caveats = filters_ignored(selection)
    selection = selection.without("modes", "focus_areas")
    definition = metric(METRIC)
    margin = definition.margin
    if not available(dataset, "values") or missing_reason(definition, dataset):
        return _nothing(("column_absent", *caveats), margin, {})
    window = window_of(dataset, [definition], selection)
    if window.rows.empty:
        code = "empty_selection" if window.counted.empty else "no_comparison_window"
        return _nothing((code, *caveats), margin, window.left_out)
    rows = window.rows
    arms = {mode: _arm(dataset.modes[mode], mode, _of(rows, mode)) for mode in MODES}
    events = int(rows.loc[rows["event"] == 1, "n"].sum())
    sizes = [arm.n or 0 for arm in arms.values()]
    codes, small = smallness(sizes[0], sizes[1], events, None)
    share = _share_of_time(rows)
    answer = Afterwards(
        arms=arms,
        contrasts=() if min(sizes) == 0 else _contrasts(dataset, window, small),
        detectable=None if share is None else detectable_hazard_ratio(events, share),
        margin=margin,
        n=sum(sizes),
        left_out={k: v for k, v in window.left_out.items() if k != "no_counterpart"},
        sentence="",
        caveats=tuple(dict.fromkeys([*codes, "censored", *caveats])),
    )
    return dataclasses.replace(answer, sentence=_sentence(answer, dataset))


def _nothing(caveats: tuple[str, ...], margin: float | None, left_out: Mapping[str, int]) -> Afterwards:
    return Afterwards({}, (), None, margin, 0, dict(left_out), words(caveats[0]), caveats)


def _of(rows: pd.DataFrame, mode: str) -> pd.DataFrame:
    return rows[rows["arm"] == int(mode == "virtual")]


def _share_of_time(rows: pd.DataFrame) -> float | None:
    """Share of the days followed that are virtual's."""
    days = (rows["value"] * rows["n"]).groupby(rows["arm"]).sum()
    total = float(days.sum())
    return float(days.get(1, 0.0)) / total if total else None


def _arm(label: str, mode: str, rows: pd.DataFrame) -> RiskArm:
    n = int(rows["n"].sum())
    if not n:
        return RiskArm(mode, label, 0, 0, None, None, (), (), ())
    curve = kaplan_meier(rows["value"], rows["event"], rows["n"])
    happened = rows[rows["event"] == 1]
    at_year = cumulative_incidence(curve, YEAR)
    return RiskArm(
        mode=mode,
        label=label,
        n=n,
        events=int(happened["n"].sum()),
        risk=at_year.estimate,
        interval=at_year.interval,
        at_risk=tuple(int(curve.followed(day)) for day in CHECKPOINTS),
        events_by=tuple(int(happened.loc[happened["value"] <= day, "n"].sum()) for day in CHECKPOINTS),
        points=_points(curve),
    )


def _points(curve: SurvivalCurve) -> tuple[RiskPoint, ...]:
    """The course of the risk up to where too few are followed, or two years: every step, thinned where there are many."""
    enough = curve.all_times[curve.all_at_risk >= FEWEST_FOLLOWED]
    end = min(float(enough[-1]), float(CHECKPOINTS[-1])) if enough.size else 0.0
    steps = curve.time[curve.time <= end]
    if steps.size > MOST_POINTS:
        steps = steps[np.linspace(0, steps.size - 1, MOST_POINTS).round().astype(int)]
    points = [RiskPoint(0.0, 0.0, None, None)]
    for day in [*steps, *([end] if not steps.size or steps[-1] < end else [])]:
        found = cumulative_incidence(curve, float(day))
        bounds = found.interval if found.estimate else None
        points.append(
            RiskPoint(float(day), found.estimate or 0.0, bounds.low if bounds else None, bounds.high if bounds else None)
        )  # fmt: skip
    return tuple(points)


def _contrasts(dataset: Dataset, window: Window, small: bool) -> tuple[Contrast, ...]:
    """Every way of setting the arms against each other; too few events leave the difference of risks only."""
    rows = window.rows
    judged = time_effect(metric(METRIC), window)
    adjusted = {"adjusted_for": window.strata}
    out = [
        Contrast(
            "risk_difference", judged.estimate, judged.interval, judged.p_value, judged.n, judged.caveats,
            settings=dict(judged.settings),
        )
    ]  # fmt: skip
    if small:
        return tuple(out)
    columns = (rows["value"], rows["event"], rows["n"], rows["arm"])
    members, stratum = rows["cluster"], rows["stratum"]
    specialist = rows["specialist"].to_numpy()
    by_member = adjusted | {"clustered_by": "member_id"}
    mean = restricted_mean_difference(*columns, tau=YEAR, stratum=stratum, cluster=members)
    out.append(contrast_of("restricted_mean_difference", mean, settings=by_member))
    ratio = hazard_ratio(*columns, stratum=stratum, cluster=members)
    out.append(contrast_of("hazard_ratio", _of_everyone(ratio, rows), settings=by_member))
    if (specialist >= 0).any():
        # A validation without a specialist is a cluster of its own, as nearly as its row allows.
        own = np.where(specialist >= 0, specialist, -1 - np.arange(len(rows)))
        again = hazard_ratio(*columns, stratum=stratum, cluster=own)
        settings = adjusted | {"clustered_by": "specialist_id"}
        out.append(contrast_of("hazard_ratio_by_specialist", _of_everyone(again, rows), settings=settings))
    crude = hazard_ratio(*columns, cluster=members)
    out.append(
        contrast_of("hazard_ratio_crude", _of_everyone(crude, rows), settings={"clustered_by": "member_id"})
    )
    test = log_rank(*columns[:2], rows["arm"], rows["n"])
    out.append(
        Contrast("log_rank", None, None, test.p_value, int(rows["n"].sum()), (*test.reasons, "independent"))
    )
    return tuple(out)


def _of_everyone(found: Pooled, rows: pd.DataFrame) -> Pooled:
    """The hazard ratio rests on strata with events, but it was asked of everyone; few members are said as few validations."""
    codes = tuple(code for code in found.reasons if code != "few_clusters")
    return dataclasses.replace(found, n=int(rows["n"].sum()), reasons=codes)


def _sentence(answer: Afterwards, dataset: Dataset) -> str:
    v, p = mode_names(dataset)
    one, other = (answer.arms[mode] for mode in MODES)
    if not one.n or not other.n:
        return "One of the two modes has no validations here."
    if one.risk is None or other.risk is None:
        return "Nobody was followed for 12 months in one of the modes."
    text = (
        f"Within 12 months **{wording.percent(one.risk, one.n)}** of members had a first incident after {v} "
        f"validations and **{wording.percent(other.risk, other.n)}** after {p} ones"
    )
    row = answer.contrast("risk_difference")
    if answer.too_few or row is None or row.interval is None or row.estimate is None:
        return f"{text}: too few to compare (n = {wording.number(answer.n or 0)})."
    bounds = wording.interval(row.interval, "difference")
    return (
        f"{text}; the adjusted difference, {wording.points(row.estimate)} points, lies between "
        f"{bounds.replace(' to ', ' and ')} (n = {wording.number(row.n or 0)})."
    )
