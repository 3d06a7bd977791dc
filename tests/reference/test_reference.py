"""Every reference case agrees with numbers that nobody in this project made up."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from adapters import ADAPTERS, NOT_YET, number
from collection import HERE, dataset


def agrees(got: Any, expected: Any, tolerance: float) -> bool:
    """Whether a value agrees: lists and records element by element, NaN only with NaN."""
    if isinstance(expected, dict):
        return all(key in got and agrees(got[key], wanted, tolerance) for key, wanted in expected.items())
    if isinstance(expected, list):
        return len(got) == len(expected) and all(
            agrees(g, e, tolerance) for g, e in zip(got, expected, strict=True)
        )
    value, wanted = number(got), number(expected)
    if math.isnan(wanted) or math.isinf(wanted):
        return value == wanted or (math.isnan(value) and math.isnan(wanted))
    return abs(value - wanted) <= tolerance * max(1.0, abs(wanted))


def test_case(case_file: Path, case: dict[str, Any]) -> None:
    kind, given = case["kind"], dict(case["input"])
    assert kind in ADAPTERS, f"no adapter for kind {kind!r}"
    if "dataset" in given:
        found = dataset(case_file, given["dataset"])
        if found is None:
            pytest.skip(f"CTPAT_SHARED: data set {given['dataset']} is not there ({case['id']})")
        given["dataset"] = found
    got = ADAPTERS[kind](given)
    wrong = {
        key: (got.get(key), wanted)
        for key, wanted in case["expected"].items()
        if key not in got or not agrees(got[key], wanted, case["tolerance"])
    }
    assert not wrong, f"{case['id']} (got, expected): {wrong}; source: {case['source']}"


def test_not_yet_lists_only_what_is_missing() -> None:
    kinds = {case["kind"] for case in json.loads((HERE / "cases" / "cases.json").read_text(encoding="utf-8"))}
    assert not NOT_YET & ADAPTERS.keys(), "these kinds have an adapter: take them off NOT_YET"
    assert kinds >= NOT_YET, "these kinds do not occur: take them off NOT_YET"
    assert ADAPTERS.keys() >= kinds - NOT_YET


def test_every_kind_is_built() -> None:
    assert not NOT_YET


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (1.0, 1.0, True),
        (1.1, 1.0, False),
        (1e6 + 0.5, 1e6, True),
        (math.nan, "nan", True),
        (0.0, "nan", False),
        (math.nan, 0.0, False),
        (math.inf, "inf", True),
        (math.inf, "-inf", False),
        (None, "nan", True),
        ([1.0, math.inf], [1, "inf"], True),
        ([1.0], [1, 2], False),
        ({"low": [1.0]}, {"low": [1]}, True),
        ({"low": [1.1]}, {"low": [1]}, False),
        ({}, {"low": 1}, False),
    ],
)
def test_agreement_can_fail(got: Any, expected: Any, same: bool) -> None:
    assert agrees(got, expected, 1e-6) is same
