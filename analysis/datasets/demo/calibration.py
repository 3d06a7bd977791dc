"""How ``data/reference/demo_prevalence.csv`` got its base rates: fitted to the published category counts.

Run ``python -m analysis.datasets.demo.calibration`` after a change of the world or of the shipped effects
and copy the printed rates; nothing reads this module when a demo is made.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from analysis.datasets.demo.catalogue import CATEGORY_COUNTS, Floats, Ints, read_catalogue
from analysis.datasets.demo.effects_reading import read_effects
from analysis.datasets.demo.members import VIRTUAL, make_members, make_schedule
from analysis.datasets.demo.outcomes import ask_criteria
from analysis.datasets.demo.world import World

RECORDED_PER_VALIDATION = 1.33
_WORLDS = 40
_VALIDATIONS = 20_000


def category_counts(world: World) -> Floats:
    """Deficiencies written down in the mode that happened, by category 1-12."""
    virtual = (world.schedule.mode == VIRTUAL)[world.findings.validation]
    written = np.where(virtual, world.findings.virtual, world.findings.in_person)
    return _by_category(world.catalogue.category_no[world.findings.criterion[written]])


def fitted_base_rates(*, rounds: int = 4) -> dict[int, float]:
    """Base rate of each category that makes the shipped demo expect the published shares.

    Each round multiplies a category's rate by wanted over found, the found being the mean of many worlds
    so that no one draw of offices and specialists is fitted.
    """
    effects, catalogue = read_effects(), read_catalogue()
    wanted = np.array(CATEGORY_COUNTS) / sum(CATEGORY_COUNTS) * RECORDED_PER_VALIDATION
    for _ in range(rounds):
        found = np.zeros(12)
        for seed in range(_WORLDS):
            members = make_members(catalogue, effects, validations=_VALIDATIONS, seed=seed)
            schedule = make_schedule(catalogue, members, effects, validations=_VALIDATIONS, seed=seed)
            _, _, findings = ask_criteria(catalogue, members, schedule, effects, seed=seed)
            virtual = (schedule.mode == VIRTUAL)[findings.validation]
            written = np.where(virtual, findings.virtual, findings.in_person)
            found += _by_category(catalogue.category_no[findings.criterion[written]])
        factor = wanted / (found / (_WORLDS * _VALIDATIONS))
        catalogue = replace(catalogue, base=catalogue.base * factor[catalogue.category_no - 1])
    return {int(no): float(rate) for no, rate in zip(catalogue.category_no, catalogue.base, strict=True)}


def _by_category(category_no: Ints) -> Floats:
    return np.bincount(category_no, minlength=13)[1:].astype(float)


if __name__ == "__main__":
    for category, rate in fitted_base_rates().items():
        sys.stdout.write(f"{category},{100 * rate:.3f}\n")
