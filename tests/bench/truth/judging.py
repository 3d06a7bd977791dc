"""When a line of the bench passes, and the Monte-Carlo error of every figure on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.metrics import Metric
from analysis.results import Interval, Verdict
from analysis.stats.equivalence import judge

COVERAGE = (0.93, 0.97)
MOST_BIAS = 0.1
"""Largest mean error, in mean standard errors, beside what chance allows."""
ERRORS = 3
"""Monte-Carlo errors that chance is allowed."""
LEAST_ESTIMATED = 0.99
"""Share of programs that a method has to answer: coverage of a chosen few says nothing."""
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and its Monte-Carlo error."""

    value: float
    error: float

    def to_dict(self) -> dict[str, float | None]:
        """Six significant digits of both; None where there is no such number."""
        return {"value": _six(self.value), "monte_carlo_error": _six(self.error)}


Numbers = Sequence[float] | Sequence[bool] | np.ndarray


def share(hits: Numbers) -> Figure:
    """How often something happened."""
    if not len(hits):
        return Figure(math.nan, math.nan)
    p = float(np.mean(hits))
    return Figure(p, math.sqrt(p * (1 - p) / len(hits)))


def mean(values: Numbers) -> Figure:
    """A mean of what there is."""
    there = _there(values)
    if there.size < 2:
        return Figure(math.nan, math.nan)
    return Figure(float(there.mean()), float(there.std(ddof=1) / math.sqrt(there.size)))


def spread(values: Numbers) -> Figure:
    """A standard deviation, its error from the fourth moment."""
    there = _there(values)
    if there.size < 2 or not there.std():
        return Figure(0.0 if there.size else math.nan, math.nan)
    variance, fourth = float(there.var(ddof=1)), float(((there - there.mean()) ** 4).mean())
    sd = math.sqrt(variance)
    return Figure(sd, math.sqrt(max(fourth - variance**2, 0.0) / there.size) / (2 * sd))


def _there(values: Numbers) -> np.ndarray:
    numbers = np.asarray(values, float)
    return numbers[np.isfinite(numbers)]


@dataclass(frozen=True, slots=True)
class Line:
    """A metric and a method over many programs."""

    metric: str
    method: str
    truth: str
    programs: int
    estimated: int
    coverage: Figure
    mean_error: Figure
    sd_error: Figure
    mean_se: Figure
    mean_truth: Figure
    judged: bool
    first: Mapping[str, Any] | None = None

    @property
    def bias_allowed(self) -> float:
        """0.1 mean standard errors, and three Monte-Carlo errors."""
        return MOST_BIAS * self.mean_se.value + ERRORS * self.mean_error.error

    def passes(self, *, few: bool = False) -> bool:
        """Whether coverage and bias are as they should be; a `few` programs are allowed chance in coverage too."""
        slack = ERRORS * self.coverage.error if few else 0.0
        low, high = COVERAGE
        return (
            self.estimated >= LEAST_ESTIMATED * self.programs
            and low - slack <= self.coverage.value <= high + slack
            and abs(self.mean_error.value) <= self.bias_allowed
        )

    def to_dict(self, *, few: bool = False) -> dict[str, Any]:
        """Plain values; `first` is what the line was before it was asked again of new seeds."""
        figures = ("coverage", "mean_error", "sd_error", "mean_se", "mean_truth")
        out = {
            "metric": self.metric,
            "method": self.method,
            "truth": self.truth,
            "programs": self.programs,
            "estimated": self.estimated,
            **{name: getattr(self, name).to_dict() for name in figures},
            "mean_error_allowed": _six(self.bias_allowed),
            "judged": self.judged,
            "passes": self.passes(few=few) if self.judged else None,
        }
        return out | ({"rerun_of": dict(self.first)} if self.first else {})


def line(metric: str, method: str, truth: str, answers: np.ndarray, *, first: Line | None = None) -> Line:
    """A line from its programs.

    Parameters
    ----------
    metric, method, truth : str
    answers : ndarray
        Truth, estimate, low and high of each program, shape (programs, 4); NaN where not estimated. Ratios are
        compared on the logarithm.
    first : Line, optional
        The line that was outside.
    """
    there = answers[np.isfinite(answers).all(axis=1)]
    if method.endswith(" ratio"):
        there = np.log(there)
    true, estimate, low, high = there.T
    error = estimate - true
    return Line(
        metric=metric,
        method=method,
        truth=truth,
        programs=len(answers),
        estimated=len(there),
        coverage=share((low <= true) & (true <= high)),
        mean_error=mean(error),
        sd_error=spread(error),
        mean_se=mean((high - low) / (2 * _Z)),
        mean_truth=mean(true),
        judged=method != "crude",
        first=first.to_dict() if first else None,
    )


def on_the_margin(definition: Metric, truth: float, interval: Interval) -> Verdict:
    """The verdict, had the truth lain exactly on the margin: the interval moved as far as the truth has to move."""
    assert definition.margin is not None
    moved = interval
    if definition.margin_scale == "ratio":
        away = definition.margin / truth
        moved = Interval(interval.low * away, interval.high * away)
    else:
        away = -definition.margin - truth
        moved = Interval(interval.low + away, interval.high + away)
    return judge(
        moved,
        harmful=definition.harmful,
        margin=definition.margin,
        margin_scale=definition.margin_scale,
        role=definition.role,
    )


def at_most(figure: Figure, limit: float) -> bool:
    """Whether a share is no larger than a limit, but for chance under that limit or its own."""
    return figure.value <= limit + ERRORS * figure.error


def _six(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
