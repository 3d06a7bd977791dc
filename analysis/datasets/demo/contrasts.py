"""Contrasts of potential outcomes: the same validations under both modes, over four sets of weights.

``all`` weighs every validation alike; ``overlap`` by e(1-e), e being the true probability of virtual;
``virtual`` takes those done virtually; ``mh`` takes each arm's mean over *all* validations of a stratum
of risk x kind x location and combines strata by the realised Mantel-Haenszel weights n1*n0/(n1+n0).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from analysis.datasets.demo.catalogue import Bools, Floats, Ints
from analysis.datasets.demo.members import IN_PERSON, VIRTUAL
from analysis.datasets.demo.outcomes import ARMS
from analysis.datasets.demo.world import World

POPULATIONS = ("all", "overlap", "virtual", "mh")

ByArm: TypeAlias = Mapping[str, Floats]
Numbers: TypeAlias = dict[str, float]


@dataclass(frozen=True, slots=True)
class Window:
    """The population judged: its rows in the world, their mode, their weights and strata."""

    rows: Ints
    virtual: Bools
    weights: Mapping[str, Floats]
    stratum: Ints


def comparison_window(world: World) -> Window:
    """Validations with mode virtual or in person from the first day both are in use."""
    schedule = world.schedule
    first = [schedule.day[schedule.mode == mode].min(initial=2**31) for mode in (VIRTUAL, IN_PERSON)]
    two_way = np.isin(schedule.mode, (VIRTUAL, IN_PERSON))
    rows = np.flatnonzero(two_way & (schedule.day >= max(first)))
    e = schedule.propensity[rows]
    virtual = schedule.mode[rows] == VIRTUAL
    foreign = world.members.foreign[schedule.member[rows]]
    return Window(
        rows=rows,
        virtual=virtual,
        weights={"all": np.ones(len(rows)), "overlap": e * (1 - e), "virtual": virtual.astype(float)},
        stratum=schedule.risk[rows] * 4 + schedule.initial[rows] * 2 + foreign,
    )


def ratio_of_sums(value: Floats, size: Floats, weight: Floats) -> float:
    """Weighted sum of values over weighted sum of sizes; NaN when nothing counts."""
    total = float(weight @ size)
    return float(weight @ value) / total if total > 0 else math.nan


def weighted_median(value: Floats, size: Floats, weight: Floats) -> float:
    """Smallest value at or below which half of the weight lies; NaN when nothing counts."""
    order = np.argsort(value, kind="stable")
    reached = np.cumsum((weight * size)[order])
    if not len(reached) or reached[-1] <= 0:
        return math.nan
    # A hair below one half, so that rounding in the sum cannot skip the value that reaches it exactly.
    return float(value[order][np.searchsorted(reached, reached[-1] * (0.5 - 1e-12))])


@dataclass(frozen=True, slots=True)
class Contrast:
    """What is averaged in each arm, and how the two averages are set against each other.

    Parameters
    ----------
    value, size : mapping of arm to array
        Numerators and denominators of a ratio of sums, or values and whether they count, per row.
    scale : {"difference", "ratio"}
        Virtual minus, or over, in person.
    mean : callable
        Weighted average of value, size and weight.
    finish : callable
        Brings an average to its own unit, e.g. ``math.exp`` for logarithms.
    kept : array, optional
        Which rows have a realised denominator at all (e.g. answered), for the Mantel-Haenszel weights.
    """

    value: ByArm
    size: ByArm
    scale: Literal["difference", "ratio"] = "difference"
    mean: Callable[[Floats, Floats, Floats], float] = ratio_of_sums
    finish: Callable[[float], float] = float
    kept: Floats | None = None


def contrasts(window: Window, contrast: Contrast, *, prefix: str = "difference") -> Numbers:
    """A contrast in every population: ``<prefix>_<population>`` and its two means beside it.

    What does not exist (an empty arm, a ratio to zero) is absent.
    """
    numbers: Numbers = {}
    for population in POPULATIONS:
        means = {arm: _mean(window, contrast, arm, population) for arm in ARMS}
        virtual, in_person = (contrast.finish(means[arm]) for arm in ARMS)
        name = f"{prefix}_{population}"
        if contrast.scale == "difference":
            numbers[name] = virtual - in_person
        else:
            numbers[name] = virtual / in_person if in_person else math.nan
        numbers |= {f"{name}_virtual": virtual, f"{name}_in_person": in_person}
    return {name: number for name, number in numbers.items() if math.isfinite(number)}


def rate_contrasts(window: Window, value: ByArm, size: ByArm) -> Numbers:
    """A rate: ratio of sums as difference and as ratio, and the mean of per-validation rates."""
    counted = {arm: (size[arm] > 0).astype(float) for arm in ARMS}
    own = {arm: value[arm] / np.maximum(size[arm], 1) for arm in ARMS}
    sums = Contrast(value, size)
    ratios = contrasts(window, replace(sums, scale="ratio"), prefix="ratio")
    return (
        contrasts(window, sums)
        | {name: ratios[name] for name in (f"ratio_{one}" for one in POPULATIONS) if name in ratios}
        | contrasts(window, Contrast(own, counted), prefix="mean_rate")
    )


def duration_contrasts(
    window: Window, value: ByArm, size: ByArm, *, horizon: int | None = None, kept: Floats | None = None
) -> Numbers:
    """A duration; infinite values never end.

    ``difference_*`` is the ratio `compare` reports: of means restricted to `horizon` days or, without a
    horizon, of geometric means. Beside it the ratio of geometric means of those that end, and the
    difference of medians.
    """
    ends = {arm: size[arm] * np.isfinite(value[arm]) for arm in ARMS}
    logs = {arm: ends[arm] * np.log(np.where(np.isfinite(value[arm]), value[arm], 1.0)) for arm in ARMS}
    geometric = Contrast(logs, ends, "ratio", finish=math.exp, kept=kept)
    numbers = contrasts(window, geometric, prefix="geometric_mean_ratio")
    main = geometric
    if horizon is not None:
        held = {arm: size[arm] * np.minimum(value[arm], horizon) for arm in ARMS}
        main = Contrast(held, size, "ratio", kept=kept)
        numbers = contrasts(window, main, prefix="restricted_mean_ratio") | numbers
    medians = Contrast(value, size, mean=weighted_median, kept=kept)
    return contrasts(window, main) | numbers | contrasts(window, medians, prefix="median_difference")


def _mean(window: Window, contrast: Contrast, arm: str, population: str) -> float:
    value, size = contrast.value[arm], contrast.size[arm]
    if population != "mh":
        return contrast.mean(value, size, window.weights[population])
    strata = _mantel_haenszel_weights(window, contrast)
    total = 0.0
    for stratum, weight in strata.items():
        here = window.stratum == stratum
        total += weight * contrast.mean(value[here], size[here], np.ones(int(here.sum())))
    return total / sum(strata.values()) if strata else math.nan


def _mantel_haenszel_weights(window: Window, contrast: Contrast) -> dict[int, float]:
    realised = np.where(window.virtual, contrast.size["virtual"], contrast.size["in_person"])
    if contrast.kept is not None:
        realised = realised * contrast.kept
    n1 = np.bincount(window.stratum, realised * window.virtual)
    n0 = np.bincount(window.stratum, realised * ~window.virtual)
    return {int(s): float(n1[s] * n0[s] / (n1[s] + n0[s])) for s in np.flatnonzero((n1 > 0) & (n0 > 0))}
