"""Oddities hidden in the demo: where the truth says, nowhere else, and never against a rule of the import."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.datasets.demo.effects_reading import effects_from
from analysis.datasets.demo.planting import UNWRITTEN, planted
from analysis.datasets.demo.source import source_tables, write_demo_source
from analysis.datasets.demo.truth import truth
from analysis.datasets.demo.world import World, simulate
from analysis.errors import AnalysisError

SEED, VALIDATIONS = 5, 2_500
ALL = {
    "under_recording_office": "Miami",
    "copying_specialist": "S012",
    "impossible_dates": 12,
    "cloned_seals": 6,
}
Tables = dict[str, pd.DataFrame]


def world_with(**plant: Any) -> World:
    return simulate(effects_from({"plant": plant}), seed=SEED, validations=VALIDATIONS)


@pytest.fixture(scope="module")
def clean() -> Tables:
    return source_tables(world_with())


def tables_with(**plant: Any) -> tuple[Tables, dict[str, Any]]:
    world, hidden = planted(world_with(**plant))
    return source_tables(world), hidden


def patterns(tables: Tables, validations: pd.DataFrame) -> pd.Series:
    rows = tables["findings"]
    rows = rows[
        rows["validation_id"].isin(validations["validation_id"])
        & rows["answer"].isin(["deficient", "not_verified"])
    ]
    both = rows["criterion_id"] + " " + rows["answer"]
    return both.groupby(rows["validation_id"]).agg(frozenset)


def test_nothing_is_planted_unless_asked_for() -> None:
    world = world_with()
    same, hidden = planted(world)
    assert same is world and hidden == {}
    assert "plant" not in truth(world)["effects"]


def test_the_truth_is_that_of_the_program_without_oddities(tmp_path: Path) -> None:
    for name, plant in (("plain", {}), ("odd", ALL)):
        write_demo_source(
            tmp_path / name, seed=SEED, validations=VALIDATIONS, effects=effects_from({"plant": plant})
        )
    plain, odd = (tomllib.loads((tmp_path / n / "truth.toml").read_text("utf-8")) for n in ("plain", "odd"))
    hidden = odd.pop("planted")
    assert odd == plain
    assert hidden["under_recording_office"] == {
        "field_office": "Miami",
        "share_not_written_down": UNWRITTEN,
    }
    assert hidden["copying_specialist"]["specialist"] == "S012"
    assert sum(len(ids) for ids in hidden["impossible_dates"].values()) == 12
    assert len(hidden["cloned_seals"]["incidents"]) == 6


def test_an_office_leaves_out_part_of_what_it_finds(clean: Tables) -> None:
    tables, _ = tables_with(under_recording_office="Miami")
    counts = []
    for source in (clean, tables):
        found = source["findings"][source["findings"]["answer"] == "deficient"]
        counts.append(
            found.merge(source["validations"], on="validation_id")["field_office"].value_counts().sort_index()
        )
    before, after = counts
    assert after["Miami"] / before["Miami"] == pytest.approx(1 - UNWRITTEN, abs=0.06)
    assert after.drop("Miami").equals(before.drop("Miami"))
    # What follows from findings follows: no Must deficiency, no action required.
    must = tables["findings"][
        (tables["findings"]["answer"] == "deficient") & (tables["findings"]["level"] == "must")
    ]
    rows = tables["validations"].dropna(subset="outcome")
    assert ((rows["outcome"] != "passed") == rows["validation_id"].isin(must["validation_id"])).all()


def test_a_specialist_repeats_the_answers_of_one_validation(clean: Tables) -> None:
    tables, hidden = tables_with(copying_specialist="S012")
    mine = tables["validations"][tables["validations"]["specialist_id"] == "S012"]
    assert set(hidden["copying_specialist"]["validations"]) == set(mine["validation_id"])
    copied = patterns(tables, mine)
    template = copied[hidden["copying_specialist"]["template"]]
    assert len(template) >= 3
    assert copied.reindex(mine["validation_id"]).map(lambda p: frozenset(p) <= template).all()
    assert (copied.map(len) >= 3).mean() > 0.9
    others = clean["validations"][clean["validations"]["specialist_id"] != "S012"]
    assert patterns(tables, others).equals(patterns(clean, others))


def test_impossible_dates_are_of_three_kinds_in_turn(clean: Tables) -> None:
    tables, hidden = tables_with(impossible_dates=7)
    dates = hidden["impossible_dates"]
    assert [len(ids) for ids in dates.values()] == [3, 2, 2]
    rows = tables["validations"].set_index("validation_id")
    last = tables["findings"].groupby("validation_id")["corrected_on"].max()
    closed = dates["closed_before_corrected"]
    assert (rows.loc[closed, "closed_on"] < last[closed]).all()
    same_day = rows.loc[dates["reported_same_day"]]
    assert (same_day["reported_on"] == same_day["conducted_on"]).all()
    assert (pd.to_datetime(rows.loc[dates["conducted_on_sunday"], "conducted_on"]).dt.day_of_week == 6).all()
    named = {one for ids in dates.values() for one in ids}
    before = clean["validations"].set_index("validation_id")
    assert rows.drop(named).equals(before.drop(named))


def test_cloned_seals_come_in_one_month_at_one_terminal(clean: Tables) -> None:
    tables, hidden = tables_with(cloned_seals=6)
    rows = tables["incidents"].set_index("incident_id").loc[hidden["cloned_seals"]["incidents"]]
    assert (rows["seal_issue"] == "cloned").all() and (rows["transport_mode"] == "sea").all()
    assert set(rows["terminal"]) == {hidden["cloned_seals"]["terminal"]}
    assert set(pd.to_datetime(rows["occurred_on"]).dt.strftime("%Y-%m")) == {hidden["cloned_seals"]["month"]}
    assert len(tables["incidents"]) == len(clean["incidents"]) + 6
    causes = tables["incident_causes"].groupby("incident_id")["cause"].agg(set)
    assert all("seal_compromised" in causes[one] for one in rows.index)


def test_what_is_planted_breaks_no_rule_of_the_import() -> None:
    tables, _ = tables_with(**ALL)
    rows, findings = tables["validations"], tables["findings"]
    ordered = ["scheduled_on", "conducted_on", "reported_on", "closed_on"]
    for earlier, later in pairwise(ordered):
        both = rows.dropna(subset=[earlier, later])
        assert (both[earlier] <= both[later]).all()
    assert not findings.duplicated(["validation_id", "criterion_id"]).any()
    assert findings["validation_id"].is_monotonic_increasing
    as_of = max(rows["conducted_on"].max(), rows["reported_on"].dropna().max())
    assert findings["corrected_on"].dropna().max() <= as_of
    applies = tables["applicability"].groupby("criterion_id")["entity_type"].agg(set)
    kinds = rows.set_index("validation_id")["entity_type"][findings["validation_id"]].to_numpy()
    assert all(
        c not in applies or k in applies[c] for c, k in zip(findings["criterion_id"], kinds, strict=True)
    )
    assert tables["incidents"]["incident_id"].is_monotonic_increasing


def test_the_seed_chooses_where_a_file_says_any() -> None:
    _, hidden = tables_with(under_recording_office="any", copying_specialist="any")
    assert tables_with(under_recording_office="any", copying_specialist="any")[1] == hidden
    offices = {
        planted(
            simulate(effects_from({"plant": {"under_recording_office": "any"}}), seed=s, validations=300)
        )[1]["under_recording_office"]["field_office"]
        for s in range(8)
    }
    assert len(offices) > 2


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        ({"copying_specialst": "any"}, "did you mean 'copying_specialist'?"),
        ({"copying_specialist": 3}, "plant.copying_specialist must be a text, not 3"),
        ({"copying_specialist": "S999"}, "'S999' is not a specialist of the program: 'any', or S001 to S090"),
        ({"under_recording_office": "Maimi"}, "did you mean 'Miami'?"),
        ({"under_recording_office": True}, "plant.under_recording_office must be a text"),
        ({"impossible_dates": 2.5}, "plant.impossible_dates must be a whole number"),
        ({"cloned_seals": -1}, "plant.cloned_seals must be 0 to 100000, not -1"),
    ],
)
def test_a_mistake_is_named(plant: dict[str, Any], message: str) -> None:
    with pytest.raises(AnalysisError) as caught:
        effects_from({"plant": plant})
    assert message in str(caught.value)


def test_more_dates_than_there_are_validations_are_as_many_as_can_be() -> None:
    world = simulate(effects_from({"plant": {"impossible_dates": 900}}), seed=1, validations=60)
    _, hidden = planted(world)
    ids = [one for kind in hidden["impossible_dates"].values() for one in kind]
    assert len(ids) == len(set(ids)) <= 60
    assert np.all([len(kind) > 0 for kind in hidden["impossible_dates"].values()])
