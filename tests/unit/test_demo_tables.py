"""The demo's source tables keep the rules that imported data must keep."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.datasets.demo.catalogue import read_catalogue, vocabulary
from analysis.datasets.demo.effects_reading import read_effects
from analysis.datasets.demo.members import VIRTUAL
from analysis.datasets.demo.source import SOURCE_TABLES, source_tables
from analysis.datasets.demo.world import World, simulate

COLUMNS = {
    "members": "*member_id *entity_type tier certified_on next_due_on left_on field_office country region",
    "validations": "*validation_id *member_id *field_office *mode *conducted_on entity_type kind risk "
    "location specialist_id msc_version validation_due_on scheduled_on reported_on closed_on hours sites "
    "outcome platform tour minutes_lost",
    "findings": "*validation_id *criterion_id *answer category level reason evidence due_on corrected_on",
    "incidents": "*incident_id *occurred_on *transport_mode weight date_precision member_id field_office "
    "reported_on concealment_method contraband seal_issue internal_conspiracy breach_point route_origin "
    "terminal self_reported analysis_opened_on analysis_closed_on",
    "incident_causes": "*incident_id *cause",
    "feedback": "*response_id *validation_id *respondent *item *score theme comment",
    "criteria": "*criterion_id *category_no *category focus_area title level seen_by",
    "applicability": "*criterion_id *entity_type level from to",
    "field_offices": "*field_office opened_on closed_on",
}
KEYS = {
    "members": ["member_id"],
    "validations": ["validation_id"],
    "findings": ["validation_id", "criterion_id"],
    "incidents": ["incident_id"],
    "incident_causes": ["incident_id", "cause"],
    "feedback": ["response_id"],
}
VOCABULARIES = {
    "members": ["entity_type", "tier"],
    "validations": ["entity_type", "mode", "kind", "risk", "location", "outcome", "tour"],
    "findings": ["answer", "level", "reason", "evidence"],
    "incidents": ["transport_mode", "concealment_method", "contraband", "seal_issue", "date_precision"],
    "incident_causes": ["cause"],
    "feedback": ["respondent", "item"],
}


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(read_effects(), seed=2, validations=6_000)


@pytest.fixture(scope="module")
def tables(world: World) -> dict[str, pd.DataFrame]:
    return source_tables(world)


@pytest.mark.parametrize("name", list(SOURCE_TABLES))
def test_columns_are_the_public_ones_and_required_ones_are_full(
    tables: dict[str, pd.DataFrame], name: str
) -> None:
    wanted = COLUMNS[name].split()
    assert list(tables[name].columns) == [column.removeprefix("*") for column in wanted]
    required = [column.removeprefix("*") for column in wanted if column.startswith("*")]
    assert tables[name][required].notna().all(axis=None)


@pytest.mark.parametrize("name", list(KEYS))
def test_rows_are_unique_and_in_order_of_their_key(tables: dict[str, pd.DataFrame], name: str) -> None:
    keys = tables[name][KEYS[name]]
    assert not keys.duplicated().any()
    assert keys.equals(keys.sort_values(KEYS[name], ignore_index=True))


@pytest.mark.parametrize(("name", "column"), [(t, c) for t, columns in VOCABULARIES.items() for c in columns])
def test_values_are_in_the_vocabulary(tables: dict[str, pd.DataFrame], name: str, column: str) -> None:
    assert set(tables[name][column].dropna()) <= set(vocabulary(column))


def test_references_resolve(tables: dict[str, pd.DataFrame]) -> None:
    validations = tables["validations"]
    assert validations["member_id"].isin(tables["members"]["member_id"]).all()
    assert tables["findings"]["validation_id"].isin(validations["validation_id"]).all()
    assert tables["feedback"]["validation_id"].isin(validations["validation_id"]).all()
    assert tables["findings"]["criterion_id"].isin(tables["criteria"]["criterion_id"]).all()
    incidents = tables["incidents"]
    assert incidents["member_id"].dropna().isin(tables["members"]["member_id"]).all()
    assert set(tables["incident_causes"]["incident_id"]) == set(incidents["incident_id"])
    assert tables["incident_causes"].groupby("incident_id").size().max() <= 3
    assert validations["field_office"].isin(tables["field_offices"]["field_office"]).all()
    assert "Laredo" not in set(validations["field_office"])


def test_dates_run_forward_and_not_beyond_the_as_of_date(
    tables: dict[str, pd.DataFrame], world: World
) -> None:
    validations = tables["validations"]
    for earlier, later in (
        ("scheduled_on", "conducted_on"),
        ("conducted_on", "reported_on"),
        ("reported_on", "closed_on"),
    ):
        both = validations[[earlier, later]].dropna()
        assert (both[earlier] <= both[later]).all()
        assert validations[later].dropna().max() <= world.as_of
    incidents = tables["incidents"]
    assert (incidents["occurred_on"] <= incidents["reported_on"]).all()
    for column in ("reported_on", "analysis_opened_on", "analysis_closed_on"):
        assert incidents[column].dropna().max() <= world.as_of
    assert validations["closed_on"].notna().any()
    assert validations["reported_on"].isna().any()


def test_findings_belong_to_their_validation(tables: dict[str, pd.DataFrame]) -> None:
    findings = tables["findings"].merge(tables["validations"], on="validation_id")
    catalogue = read_catalogue()
    where = (
        findings["entity_type"].map(catalogue.entity_types.index),
        findings["criterion_id"].map(catalogue.criterion_id.index),
    )
    assert catalogue.applies[where].all()
    assert (catalogue.must[where] == (findings["level"] == "must")).all()
    deficient = findings["answer"] == "deficient"
    for column in ("reason", "evidence"):
        assert (findings[column].notna() == deficient).all()
    assert (findings["due_on"].notna() == (deficient & findings["reported_on"].notna())).all()
    fixed = findings[findings["corrected_on"].notna()]
    assert (fixed["corrected_on"] >= fixed["reported_on"]).all()
    closed = fixed[fixed["closed_on"].notna()]
    assert (closed["corrected_on"] <= closed["closed_on"]).all()


def test_closing_and_outcome_follow_from_what_was_written_down(tables: dict[str, pd.DataFrame]) -> None:
    validations, findings = tables["validations"].set_index("validation_id"), tables["findings"]
    deficient = findings[findings["answer"] == "deficient"]
    any_deficient = validations.index.isin(deficient["validation_id"])
    any_must = validations.index.isin(deficient.loc[deficient["level"] == "must", "validation_id"])
    assert not (validations["closed_on"].notna() & ~any_deficient).any()
    judged = validations["outcome"].notna()
    assert (judged == validations["reported_on"].notna()).all()
    assert ((validations["outcome"] == "passed") == (judged & ~any_must)).all()


def test_virtual_only_columns_are_empty_in_person(tables: dict[str, pd.DataFrame]) -> None:
    validations = tables["validations"]
    in_person = validations[validations["mode"] == "in_person"]
    assert in_person[["platform", "tour", "minutes_lost"]].isna().all(axis=None)
    assert validations.loc[validations["mode"] == "virtual", "platform"].notna().all()
    assert {"hybrid", "mutual_recognition"} <= set(validations["mode"])


def test_feedback_scores_and_who_is_asked_what(tables: dict[str, pd.DataFrame]) -> None:
    feedback = tables["feedback"].merge(tables["validations"][["validation_id", "mode"]], on="validation_id")
    assert feedback["score"].between(1, 5).all()
    again = feedback[feedback["item"] == "would_repeat_virtual"]
    assert set(again["mode"]) == {"virtual"}
    assert set(again["score"]) == {1, 5}
    assert not feedback.duplicated(["validation_id", "respondent", "item"]).any()
    assert (feedback["comment"].notna() <= feedback["theme"].notna()).all()


def test_findings_agree_with_the_potential_outcome_that_happened(
    tables: dict[str, pd.DataFrame], world: World
) -> None:
    counts = tables["findings"].groupby(["validation_id", "answer"]).size().unstack(fill_value=0)
    counts = counts.reindex(tables["validations"]["validation_id"], fill_value=0)
    chose = world.schedule.mode == VIRTUAL
    for answer, column in (("deficient", "deficient"), ("not_verified", "not_verified")):
        happened = [getattr(world.answers[arm], column).sum(axis=1) for arm in ("virtual", "in_person")]
        assert (counts[answer].to_numpy() == pd.Series(happened[0]).where(chose, happened[1])).all()


def test_incidents_of_members_stay_within_their_membership(tables: dict[str, pd.DataFrame]) -> None:
    incidents = tables["incidents"].merge(tables["members"], on="member_id", how="inner")
    departed = incidents[incidents["left_on"].notna()]
    assert (departed["occurred_on"] <= departed["left_on"]).all()
    assert tables["incidents"]["member_id"].isna().any()
    assert 100 < len(tables["incidents"]) < 500
