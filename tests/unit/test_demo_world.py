"""The simulated program: shaped as asked, and every effect acts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from analysis.datasets.demo.calibration import category_counts
from analysis.datasets.demo.catalogue import CATEGORY_COUNTS
from analysis.datasets.demo.contrasts import comparison_window
from analysis.datasets.demo.effects import VIRTUAL_FROM
from analysis.datasets.demo.effects_reading import effects_from, read_effects
from analysis.datasets.demo.members import VIRTUAL, day_number
from analysis.datasets.demo.planting import planted
from analysis.datasets.demo.source import SOURCE_TABLES, source_chunks
from analysis.datasets.demo.truth import truth, truth_toml
from analysis.datasets.demo.world import World, simulate
from analysis.errors import AnalysisError

SHIPPED = read_effects()


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(SHIPPED, seed=1, validations=9_000)


def test_volumes_follow_the_quarters(world: World) -> None:
    month = world.schedule.day.astype("datetime64[D]").astype("datetime64[M]").astype(int)
    quarters = np.bincount((month - month.min()) // 3)
    volume = np.array(SHIPPED.program.volume_by_quarter)
    assert np.abs(quarters - 9_000 * volume / volume.sum()).max() <= 1


def test_nothing_is_virtual_before_july_2020(world: World) -> None:
    first = world.schedule.day[world.schedule.mode == VIRTUAL].min()
    assert first >= day_number(VIRTUAL_FROM)
    assert not world.schedule.propensity[world.schedule.day < day_number(VIRTUAL_FROM)].any()


def test_members_come_back_after_about_four_years_and_never_as_initial(world: World) -> None:
    schedule = world.schedule
    again = schedule.previous >= 0
    gap = (schedule.day[again] - schedule.day[schedule.previous[again]]) / 365.25
    assert again.sum() > 1_000
    assert (gap.min(), gap.max()) == pytest.approx((4.0, 4.5), abs=0.5)
    assert not schedule.initial[again].any()
    assert schedule.initial.mean() == pytest.approx(SHIPPED.program.initial_share, abs=0.015)


def test_level_and_category_shares_are_near_the_published_ones(world: World) -> None:
    counts = category_counts(world)
    shares = counts / counts.sum()
    assert np.abs(shares - np.array(CATEGORY_COUNTS) / sum(CATEGORY_COUNTS)).max() < 0.012
    must = world.happened(world.answers["virtual"].must_deficient, world.answers["in_person"].must_deficient)
    assert 1.2 < counts.sum() / 9_000 < 1.5
    assert (must > 0).mean() == pytest.approx(0.51, abs=0.05)


def test_virtual_never_writes_down_more_and_misses_no_less(world: World) -> None:
    virtual, in_person = world.answers["virtual"], world.answers["in_person"]
    assert (virtual.deficient <= in_person.deficient).all()
    assert (virtual.missed_physical >= in_person.missed_physical).all()


def test_crude_is_biased_and_randomised_is_not() -> None:
    none = dict.fromkeys(
        ("risk_medium", "risk_high", "initial", "foreign", "maritime", "per_year", "specialist_sd"), 0.0
    )
    drawn = simulate(effects_from({"assignment": none}), seed=3, validations=60_000)
    chosen = simulate(SHIPPED, seed=3, validations=60_000)
    error = {name: _crude_error(one) for name, one in (("drawn", drawn), ("chosen", chosen))}
    assert abs(error["drawn"][0]) < 4 * error["drawn"][1]
    assert error["chosen"][0] < -0.06


def _crude_error(world: World) -> tuple[float, float]:
    window = comparison_window(world)
    must = world.happened(world.answers["virtual"].must_deficient, world.answers["in_person"].must_deficient)
    found = must[window.rows] > 0
    arms = [found[window.virtual], found[~window.virtual]]
    error = np.sqrt(sum(arm.mean() * (1 - arm.mean()) / len(arm) for arm in arms))
    crude = arms[0].mean() - arms[1].mean()
    return float(crude - truth(world)["metric"]["any_must_deficiency"]["difference_all"]), float(error)


def test_the_hidden_trait_moves_mode_and_prevalence_together() -> None:
    world = simulate(effects_from({"unmeasured": {"strength": 1.0}}), seed=5, validations=20_000)
    rows = comparison_window(world).rows
    hidden = world.members.hidden[world.schedule.member[rows]]
    deficient = world.answers["in_person"].deficient.sum(axis=1)[rows]
    assert np.corrcoef(hidden, world.schedule.mode[rows] == VIRTUAL)[0, 1] < -0.2
    assert np.corrcoef(hidden, deficient)[0, 1] > 0.1


def _leaves(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _changed(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    moved: Any
    if path[-1] == "volume_by_quarter":
        moved = [*value[:-1], 2 * value[-1]]
    elif isinstance(value, str):
        moved = "any"
    elif isinstance(value, int):
        moved = value - 1 if value else 6
    else:
        moved = 0.8 * value if value else 0.7
    for key in reversed(path):
        moved = {key: moved}
    return dict(moved)


def _fingerprint(effects: Any) -> str:
    world, _ = planted(simulate(effects, seed=11, validations=1_500))
    digest = hashlib.sha256()
    for name in SOURCE_TABLES:
        for chunk in source_chunks(world, name):
            digest.update(chunk.to_pandas().to_csv(index=False).encode())
    digest.update(truth_toml(truth(world)).split("[effects]")[0].encode())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def shipped_fingerprint() -> str:
    return _fingerprint(SHIPPED)


@pytest.mark.parametrize(("path", "value"), list(_leaves(SHIPPED.to_dict())), ids=lambda x: str(x)[:40])
def test_every_effect_acts(path: tuple[str, ...], value: Any, shipped_fingerprint: str) -> None:
    assert _fingerprint(effects_from(_changed(path, value))) != shipped_fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"assignment": {"base": -20, "risk_high": -20, "initial": -20, "foreign": -20}},
        {"prevalence": {"risk_high": 20, "initial": 20, "foreign": 20}, "spread": {"member": 5}},
        {"close_days": {"log_sd": 3}, "report_days": {"log_sd": 3, "in_person_median": 10_000}},
        {"not_verified": {"virtual": {"document": 1, "interview": 1, "physical": 1}}},
        {"feedback": {"response": {"virtual": 0, "in_person": 0}}},
        {"later_incidents": {"base": 0}},
        {"program": {"members_per_validation": 0.05, "specialists": 1_000, "initial_share": 1}},
        {"program": {"first_year": 2021, "volume_by_quarter": [1]}},
    ],
)
def test_extreme_programs_are_simulated_all_the_same(changes: dict[str, Any]) -> None:
    world = simulate(effects_from(changes), seed=3, validations=400)
    rows = {name: sum(chunk.num_rows for chunk in source_chunks(world, name)) for name in SOURCE_TABLES}
    assert rows["validations"] == 400
    assert "nan" not in {str(value) for _, value in _leaves(truth(world)["metric"])}


@pytest.mark.parametrize(("seed", "validations", "word"), [(-1, 100, "seed"), (1, 10, "validations")])
def test_an_impossible_request_is_refused(seed: int, validations: int, word: str) -> None:
    with pytest.raises(AnalysisError, match=word):
        simulate(SHIPPED, seed=seed, validations=validations)


def test_too_few_specialists_are_refused() -> None:
    with pytest.raises(AnalysisError, match="specialists must be at least 6"):
        simulate(effects_from({"program": {"specialists": 3}}), seed=1, validations=100)
