"""The shipped reference files: complete, consistent and in the vocabulary."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.datasets.demo.catalogue import (
    CATEGORY_COUNTS,
    SEEN_BY,
    base_odds,
    read_catalogue,
    read_reference,
    vocabulary,
)
from analysis.datasets.demo.effects_reading import effects_from, read_effects
from analysis.errors import AnalysisError

CRITERIA = read_reference("criteria")
APPLICABILITY = read_reference("applicability")


def test_ninety_seven_criteria_in_twelve_categories() -> None:
    assert len(CRITERIA) == len({row["criterion_id"] for row in CRITERIA}) == 97
    assert list(CRITERIA[0]) == [
        "criterion_id",
        "category_no",
        "category",
        "focus_area",
        "title",
        "level",
        "seen_by",
        "status",
    ]
    assert {int(row["category_no"]) for row in CRITERIA} == set(range(1, 13))
    assert {row["level"] for row in CRITERIA} == {"must", "should"}
    assert {row["seen_by"] for row in CRITERIA} == set(SEEN_BY)
    assert all(row["criterion_id"].split(".")[0] == row["category_no"] for row in CRITERIA)


def test_applicability_names_known_criteria_and_entity_types_once() -> None:
    pairs = [(row["criterion_id"], row["entity_type"]) for row in APPLICABILITY]
    assert len(pairs) == len(set(pairs))
    assert {entity for _, entity in pairs} <= set(vocabulary("entity_type"))
    assert {criterion for criterion, _ in pairs} <= {row["criterion_id"] for row in CRITERIA}


@pytest.mark.parametrize(
    ("entity_type", "category", "asked"),
    [
        ("customs_broker", 5, False),
        ("third_party_logistics", 6, False),
        ("rail_carrier", 8, False),
        ("air_carrier", 8, False),
        ("sea_carrier", 8, True),
        ("importer", 5, True),
        ("customs_broker", 4, True),
    ],
)
def test_categories_apply_to_whom_they_should(entity_type: str, category: int, asked: bool) -> None:
    catalogue = read_catalogue()
    row = catalogue.applies[catalogue.entity_types.index(entity_type)]
    assert row[catalogue.category_no == category].any() == asked


def test_carrier_worded_criteria_are_for_carriers_only() -> None:
    catalogue = read_catalogue()
    for criterion in ("3.8", "5.16", "5.24", "10.7"):
        column = catalogue.applies[:, catalogue.criterion_id.index(criterion)]
        assert all("carrier" in catalogue.entity_types[i] for i in np.flatnonzero(column))


def test_field_offices_match_the_vocabulary_of_the_published_list() -> None:
    offices = {row["field_office"]: row["opened_on"] for row in read_reference("field_offices")}
    assert offices.pop("Laredo") == "2024-11-01"
    assert set(offices) == {"Buffalo", "Houston", "Los Angeles", "Miami", "Newark", "New York"}
    assert not any(offices.values())


def test_weights_within_a_category_leave_its_mean_where_it_was() -> None:
    catalogue, effects = read_catalogue(), read_effects()
    plain = effects_from({"prevalence": {"physical_weight": 1.0, "criterion_sd": 0.0}})
    weighted, even = base_odds(catalogue, effects), base_odds(catalogue, plain)
    for category in range(1, 13):
        here = catalogue.category_no == category
        assert (weighted / (1 + weighted))[here].mean() == pytest.approx((even / (1 + even))[here].mean())


def test_published_counts_add_up() -> None:
    assert sum(CATEGORY_COUNTS) == 1931


def test_an_impossible_volume_is_refused() -> None:
    with pytest.raises(AnalysisError, match="deficiencies_per_validation"):
        base_odds(read_catalogue(), effects_from({"program": {"deficiencies_per_validation": 60}}))
