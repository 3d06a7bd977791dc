"""Effects files: every key optional, every mistake named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.datasets.demo.effects_reading import SHIPPED_EFFECTS, effects_from, read_effects
from analysis.errors import AnalysisError


def test_an_empty_file_is_the_shipped_program(tmp_path: Path) -> None:
    file = tmp_path / "effects.toml"
    file.write_text("", encoding="utf-8")
    assert read_effects(file) == read_effects()


def test_one_key_changes_one_number(tmp_path: Path) -> None:
    file = tmp_path / "effects.toml"
    file.write_text("[program]\nrisk_high_share = { foreign = 0.3 }\n", encoding="utf-8")
    shares = read_effects(file).program.risk_high_share
    assert (shares.domestic, shares.foreign) == (0.10, 0.3)


def test_effects_survive_their_own_dictionary() -> None:
    effects = read_effects()
    assert effects_from(effects.to_dict()) == effects


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"detecton": {}}, "did you mean 'detection'?"),
        ({"detection": {"virtual_ratio": {"fysical": 0.5}}}, "detection.virtual_ratio.fysical"),
        ({"hours": {"log_sd": "wide"}}, "hours.log_sd must be a number, not 'wide'"),
        ({"hours": {"log_sd": True}}, "hours.log_sd must be a number"),
        ({"hours": {"log_sd": float("nan")}}, "hours.log_sd must be a number"),
        ({"hours": {"log_sd": 10**400}}, "hours.log_sd must be a number"),
        ({"hours": 3}, "hours must be a table"),
        ({"hours": {"virtual_ratio": 0}}, "hours.virtual_ratio must be 0.001 to 1000, not 0"),
        ({"spread": {"member": -1}}, "spread.member must be 0 to 5, not -1"),
        ({"program": {"specialists": 2.5}}, "program.specialists must be a whole number"),
        ({"program": {"initial_share": 1.5}}, "program.initial_share must be 0 to 1, not 1.5"),
        ({"program": {"volume_by_quarter": [1, "x"]}}, "must be a list of numbers"),
        ({"program": {"volume_by_quarter": []}}, "volume_by_quarter"),
        ({"program": {"first_year": 2000}}, "after 1 July 2020"),
        ({"program": {"risk_medium_share": 0.95}}, "must not exceed 1"),
        ({"program": {"members_per_validation": 3}}, "members_per_validation"),
        ({"detection": {"virtual_ratio": {"document": 1.5}}}, "detection.virtual_ratio.document"),
        ({"not_verified": {"virtual": {"physical": 2}}}, "not_verified.virtual.physical"),
    ],
)
def test_a_mistake_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AnalysisError) as caught:
        effects_from(changes)
    assert message in str(caught.value)


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(AnalysisError) as caught:
        effects_from({"hours": {"median": 8}, "spread": {"office": "x"}})
    assert "hours.median" in str(caught.value)
    assert "spread.office" in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"absent\.toml cannot be read"):
        read_effects(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[hours\n", encoding="utf-8")
    with pytest.raises(AnalysisError, match="is not valid TOML"):
        read_effects(broken)


def test_the_shipped_file_is_complete() -> None:
    assert SHIPPED_EFFECTS.is_file()
    assert read_effects().to_dict()["later_incidents"] == {"base": 6.0, "per_missed_physical": 1.6}
