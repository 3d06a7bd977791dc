"""The catalogue the synthetic program is asked by: criteria, whom they apply to, how often they fail."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.datasets.demo.effects import BySeen, Effects
from analysis.errors import AnalysisError
from analysis.schema import DATA_FOLDER

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

REFERENCE = DATA_FOLDER / "reference"
SEEN_BY = ("document", "interview", "physical")
DEFICIENCIES_CALIBRATED_AT = 1.3
"""The deficiencies_per_validation for which ``demo_prevalence.csv`` was calibrated."""

CATEGORY_COUNTS = (200, 188, 212, 248, 243, 99, 157, 107, 136, 89, 51, 201)
"""Published deficiencies by category 1-12, 1,931 in all (program deck, 16 June 2021)."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Criteria as columns; `applies` and `must` are entity type x criterion.

    `base` is the share of validations in which a criterion's category fails before anything is known of
    the member, `spread_z` the criterion's own standard-normal place in its category, `not_applicable`
    the share of validations whose member does not have what the criterion is about.
    """

    criterion_id: tuple[str, ...]
    category_no: Ints
    seen: Ints
    entity_types: tuple[str, ...]
    applies: Bools
    must: Bools
    base: Floats
    spread_z: Floats
    not_applicable: Floats

    def __len__(self) -> int:
        return len(self.criterion_id)


def read_reference(name: str) -> list[dict[str, str]]:
    """The rows of a shipped reference table, e.g. ``"criteria"``, as text."""
    path = REFERENCE / f"{name}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise AnalysisError(f"{path} cannot be read ({error.strerror}); restore the shipped file.") from error


@cache
def vocabulary(name: str) -> tuple[str, ...]:
    """The shipped values of one vocabulary, in their order."""
    return tuple(row["value"] for row in read_reference("vocabularies") if row["vocabulary"] == name)


def read_catalogue() -> Catalogue:
    """The shipped criteria, applicability and demo prevalence. Dates of applicability are not simulated.

    Raises
    ------
    AnalysisError
        When a criterion has no row in ``demo_prevalence.csv``.
    """
    criteria = read_reference("criteria")
    ids = tuple(row["criterion_id"] for row in criteria)
    rates = {row["criterion_id"]: row for row in read_reference("demo_prevalence")}
    missing = [one for one in ids if one not in rates]
    if missing:
        raise AnalysisError(f"demo_prevalence.csv has no row for criterion {missing[0]}; add one.")
    entity_types = vocabulary("entity_type")
    must = np.array([row["level"] == "must" for row in criteria])
    applies, must_by_type = _applicability(ids, entity_types, must)
    return Catalogue(
        criterion_id=ids,
        category_no=np.array([int(row["category_no"]) for row in criteria]),
        seen=np.array([SEEN_BY.index(row["seen_by"]) for row in criteria]),
        entity_types=entity_types,
        applies=applies,
        must=must_by_type & applies,
        base=np.array([float(rates[one]["base_percent"]) / 100 for one in ids]),
        spread_z=np.array([float(rates[one]["spread_z"]) for one in ids]),
        not_applicable=np.array([float(rates[one]["not_applicable_percent"]) / 100 for one in ids]),
    )


def _applicability(ids: tuple[str, ...], entity_types: tuple[str, ...], must: Bools) -> tuple[Bools, Bools]:
    rows = read_reference("applicability")
    applies = np.ones((len(entity_types), len(ids)), bool)
    level = np.tile(must, (len(entity_types), 1))
    for one in {row["criterion_id"] for row in rows}:
        applies[:, ids.index(one)] = False
    for row in rows:
        place = entity_types.index(row["entity_type"]), ids.index(row["criterion_id"])
        applies[place] = True
        if row["level"]:
            level[place] = row["level"] == "must"
    return applies, level


def base_odds(catalogue: Catalogue, effects: Effects) -> Floats:
    """Odds of each criterion failing before anything is known of member, office or specialist.

    ``p_c = base_k * D / 1.3 * m_c / mean_k(m)`` with ``m_c = exp(criterion_sd * z_c) * w_c``, where `w_c`
    is `physical_weight` for physical criteria and 1 otherwise: weights move criteria within a category
    and leave its mean where it was.

    Raises
    ------
    AnalysisError
        When the effects ask for a probability of 1 or more.
    """
    prevalence = effects.prevalence
    weight = np.where(catalogue.seen == SEEN_BY.index("physical"), prevalence.physical_weight, 1.0)
    multiplier = weight * np.exp(prevalence.criterion_sd * catalogue.spread_z)
    sums = np.bincount(catalogue.category_no, multiplier)
    sizes = np.bincount(catalogue.category_no)
    mean = (sums / np.maximum(sizes, 1))[catalogue.category_no]
    volume = effects.program.deficiencies_per_validation / DEFICIENCIES_CALIBRATED_AT
    chance: Floats = catalogue.base * volume * multiplier / mean
    if chance.max() >= 0.95:
        worst = catalogue.criterion_id[int(np.argmax(chance))]
        raise AnalysisError(
            f"program.deficiencies_per_validation makes criterion {worst} fail with probability "
            f"{chance.max():.2f}; lower it, prevalence.criterion_sd or prevalence.physical_weight."
        )
    return chance / (1 - chance)


def by_criterion(catalogue: Catalogue, value: BySeen) -> NDArray[np.float32]:
    """A value per way of seeing, spread over the criteria (single precision, as the draws are)."""
    per_class = np.array([value.document, value.interview, value.physical], np.float32)
    return per_class[catalogue.seen]
