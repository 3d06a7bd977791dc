"""Which seed the demo ships, and how wrong the crude comparison is on average.

``python -m tests.bench.seeds`` simulates programs in memory, compares them crude and stratified, and sets
both against the truth of each program. It writes ``tests/bench/reports/seeds.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from analysis.datasets.demo.calibration import category_counts
from analysis.datasets.demo.catalogue import CATEGORY_COUNTS
from analysis.datasets.demo.contrasts import comparison_window
from analysis.datasets.demo.effects import VIRTUAL_FROM
from analysis.datasets.demo.effects_reading import read_effects
from analysis.datasets.demo.members import day_number
from analysis.datasets.demo.source import DEFAULT_SEED, DEFAULT_VALIDATIONS
from analysis.datasets.demo.truth import truth
from analysis.datasets.demo.world import World, simulate

REPORT = Path(__file__).parent / "reports" / "seeds.json"
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class SeedReport:
    """How the headline comparison (any Must deficiency, from 1 July 2020) goes for one seed."""

    seed: int
    validations: int
    virtual: int
    in_person: int
    starts_on_time: bool
    deficiencies_per_validation: float
    any_deficiency: float
    any_must: float
    share_error_points: float
    crude: tuple[float, float, float]
    mantel_haenszel: tuple[float, float, float]
    difference_all: float
    difference_mh: float
    physical_ratio: float

    @property
    def crude_error(self) -> float:
        """Crude estimate minus its truth."""
        return self.crude[0] - self.difference_all

    @property
    def mantel_haenszel_error(self) -> float:
        """Stratified estimate minus its truth."""
        return self.mantel_haenszel[0] - self.difference_mh

    @property
    def shows_the_trap(self) -> bool:
        """Crude excludes the truth, stratified contains it and is less than half as far off."""
        return (
            not self.crude[1] <= self.difference_all <= self.crude[2]
            and self.mantel_haenszel[1] <= self.difference_mh <= self.mantel_haenszel[2]
            and abs(self.mantel_haenszel_error) < abs(self.crude_error) / 2
        )


def evaluate(world: World) -> SeedReport:
    """Compare one program crude (Newcombe) and stratified (Greenland-Robins) with its truth."""
    window = comparison_window(world)
    must = (
        world.happened(world.answers["virtual"].must_deficient, world.answers["in_person"].must_deficient) > 0
    )
    found = world.happened(world.answers["virtual"].deficient, world.answers["in_person"].deficient).sum(
        axis=1
    )
    outcome = must[window.rows]
    counts = category_counts(world)
    published = np.array(CATEGORY_COUNTS) / sum(CATEGORY_COUNTS)
    metrics: Mapping[str, Mapping[str, float]] = truth(world)["metric"]
    physical: Mapping[str, float] = metrics["deficiency_rate"]["physical"]
    return SeedReport(
        seed=world.seed,
        validations=len(world.schedule),
        virtual=int(window.virtual.sum()),
        in_person=int((~window.virtual).sum()),
        starts_on_time=bool(world.schedule.day[window.rows].min() == day_number(VIRTUAL_FROM)),
        deficiencies_per_validation=float(found.mean()),
        any_deficiency=float((found > 0).mean()),
        any_must=float(must.mean()),
        share_error_points=float(100 * np.abs(counts / counts.sum() - published).max()),
        crude=newcombe(outcome[window.virtual], outcome[~window.virtual]),
        mantel_haenszel=mantel_haenszel(outcome, window.virtual, window.stratum),
        difference_all=metrics["any_must_deficiency"]["difference_all"],
        difference_mh=metrics["any_must_deficiency"]["difference_mh"],
        physical_ratio=physical["ratio_all"],
    )


def newcombe(virtual: np.ndarray, in_person: np.ndarray) -> tuple[float, float, float]:
    """Difference of two shares with Newcombe's hybrid score limits."""
    (p1, low1, high1), (p0, low0, high0) = (_wilson(arm.sum(), len(arm)) for arm in (virtual, in_person))
    low = math.hypot(p1 - low1, high0 - p0)
    high = math.hypot(high1 - p1, p0 - low0)
    return p1 - p0, p1 - p0 - low, p1 - p0 + high


def _wilson(events: float, n: int) -> tuple[float, float, float]:
    p = float(events) / n
    middle = p + _Z**2 / (2 * n)
    half = _Z * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
    return p, (middle - half) / (1 + _Z**2 / n), (middle + half) / (1 + _Z**2 / n)


def mantel_haenszel(
    outcome: np.ndarray, virtual: np.ndarray, stratum: np.ndarray
) -> tuple[float, float, float]:
    """Stratified risk difference with Greenland-Robins limits."""
    n1, n0 = np.bincount(stratum, virtual), np.bincount(stratum, ~virtual)
    a, b = np.bincount(stratum, outcome & virtual), np.bincount(stratum, outcome & ~virtual)
    use = (n1 > 0) & (n0 > 0)
    n1, n0, a, b = n1[use], n0[use], a[use], b[use]
    weight = n1 * n0 / (n1 + n0)
    estimate = float((weight * (a / n1 - b / n0)).sum() / weight.sum())
    variance = (weight**2 * (a * (n1 - a) / n1**3 + b * (n0 - b) / n0**3)).sum() / weight.sum() ** 2
    half = _Z * math.sqrt(float(variance))
    return estimate, estimate - half, estimate + half


def summary(reports: Sequence[SeedReport], shipped: SeedReport) -> dict[str, object]:
    """Root mean square errors over seeds, and the shipped seed beside them."""
    crude = np.array([report.crude_error for report in reports])
    stratified = np.array([report.mantel_haenszel_error for report in reports])
    rms_crude, rms_stratified = (float(np.sqrt((errors**2).mean())) for errors in (crude, stratified))
    return {
        "metric": "any_must_deficiency",
        "seeds": len(reports),
        "validations": reports[0].validations,
        "rms_error_crude": rms_crude,
        "rms_error_mantel_haenszel": rms_stratified,
        "ratio": rms_stratified / rms_crude,
        "mean_error_crude": float(crude.mean()),
        "mean_error_mantel_haenszel": float(stratified.mean()),
        "share_of_seeds_showing_the_trap": float(np.mean([report.shows_the_trap for report in reports])),
        "mean_true_difference": float(np.mean([report.difference_all for report in reports])),
        "mean_physical_ratio": float(np.mean([report.physical_ratio for report in reports])),
        "largest_share_error_points": max(report.share_error_points for report in reports),
        "shipped_seed": asdict(shipped),
    }


def main() -> None:
    """Write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--validations", type=int, default=DEFAULT_VALIDATIONS)
    asked = parser.parse_args()
    effects = read_effects()
    # The shipped seed was picked for what it shows, so it stands beside the consecutive ones, not among them.
    shipped, *reports = (
        evaluate(simulate(effects, seed=seed, validations=asked.validations))
        for seed in (DEFAULT_SEED, *range(1, asked.seeds + 1))
    )
    text = json.dumps(summary(reports, shipped), indent=2) + "\n"
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
