"""The pages Incidents and Maritime: filters from the address give the numbers of the command line and of plain pandas."""

from __future__ import annotations

import html
import json
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from analysis.cli import main
from tests.pages.conftest import ROOT, Open
from tests.pages.test_smoke import markup

DEMO = ROOT / "data" / "demo"
QUERIES: list[dict[str, str]] = [
    {},
    {"office": "Miami", "from_": "2019-07-01", "to": "2022-06-30"},
    {"mode": "in_person", "risk": "medium"},
    {"transport_mode": "sea"},
]
every_query = pytest.mark.parametrize(
    "query", QUERIES, ids=["all", "office and period", "last validation", "sea"]
)


def words(app: AppTest) -> str:
    """All a page says, without markup of emphasis."""
    return html.unescape(markup(app).replace("<strong>", "").replace("</strong>", ""))


def asked(capsys: pytest.CaptureFixture[str], *command: str, query: dict[str, str]) -> dict[str, Any]:
    options = [
        part for name, value in query.items() for part in (f"--{name.rstrip('_').replace('_', '-')}", value)
    ]
    assert main([command[0], str(DEMO), *command[1:], *options, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def selected(query: dict[str, str]) -> pd.DataFrame:
    """Source incidents of an address: office and period their own, the rest of the member's last validation."""
    rows = pd.read_parquet(DEMO / "source" / "incidents.parquet")
    visits = pd.read_parquet(DEMO / "source" / "validations.parquet")
    pairs = rows[["incident_id", "member_id", "occurred_on"]].merge(visits, on="member_id")
    before = pairs[pairs["conducted_on"] < pairs["occurred_on"]].sort_values(
        ["conducted_on", "validation_id"]
    )
    last = before.groupby("incident_id").tail(1)[["incident_id", "mode", "risk"]]
    rows = rows.merge(last, on="incident_id", how="left")
    day = pd.to_datetime(rows["occurred_on"])
    keep = pd.Series(True, rows.index)
    for name, value in query.items():
        if name == "from_":
            keep &= day >= value
        elif name == "to":
            keep &= day <= value
        else:
            keep &= rows["field_office" if name == "office" else name] == value
    return rows[keep]


@every_query
def test_incidents_shows_what_the_command_prints_and_plain_pandas_counts(
    query: dict[str, str], open_app: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    app = open_app("incidents.py", **query)
    shown, rows = words(app), selected(query)
    answer = asked(capsys, "incidents", "--by", "transport_mode", query=query)
    assert answer["sentence"].replace("**", "") in shown
    assert answer["n"] == len(rows) and f"{len(rows)} incidents" in shown
    assert {row["transport_mode"]: row["count"] for row in answer["rows"] if row["count"]} == rows[
        "transport_mode"
    ].value_counts().to_dict()
    assert answer["unlinkable"] == rows["member_id"].isna().sum()
    if answer["unlinkable"]:
        assert f"{answer['unlinkable']} name no member" in shown
    assert "last validation before the incident" in shown
    seals = asked(capsys, "incidents", "--by", "seal_issue", query=query)
    assert {row["seal_issue"]: row["count"] for row in seals["rows"] if row["count"]} == rows[
        "seal_issue"
    ].value_counts().to_dict()
    app.button(key="see-table-incidents-seals").click().run()
    table = words(app)
    for row in seals["rows"]:
        assert f"{row['count']:,} of {row['n']:,}" in table


@every_query
def test_maritime_shows_what_the_command_prints_and_plain_pandas_counts(
    query: dict[str, str], open_app: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    app = open_app("maritime.py", **query)
    rows = selected(query)
    kinds = pd.read_parquet(DEMO / "source" / "members.parquet").set_index("member_id")["entity_type"]
    types = ("sea_carrier", "mpto", "consolidator")
    mine = rows[(rows["transport_mode"] == "sea") | rows["member_id"].map(kinds).isin(types)]
    answer = asked(capsys, "maritime", query=query)
    assert (answer["n"], answer["incidents"]) == (len(mine), len(rows))
    assert answer["sentence"].replace("**", "") in words(app)
    opened = int(mine["analysis_opened_on"].notna().sum())
    assert answer["analyses"]["opened"] == opened
    assert answer["analyses"]["closed"] == mine["analysis_closed_on"].notna().sum()
    app.button(key="see-table-maritime-conspiracy").click().run()
    assert f"{int(mine['internal_conspiracy'].sum())} of {len(mine)}" in words(app)


def test_the_transport_mode_is_filtered_on_two_pages_and_carried_over_the_others(open_app: Open) -> None:
    app = open_app("incidents.py", transport_mode="sea")
    assert app.session_state["transport-mode-shown"] == ["sea"]
    assert "transport mode: Sea" in markup(app)
    app.switch_page("msc_deficiencies.py").run()
    assert not app.exception and "transport mode" not in markup(app)
    assert "transport-mode-shown" not in {box.key for box in app.multiselect}
    app.switch_page("maritime.py").run()
    assert "transport mode: Sea" in markup(app)
    assert app.session_state["transport-mode"] == ["sea"]
    app.button(key="reset").click().run()
    assert app.session_state["transport-mode"] == [] and "transport mode: Sea" not in markup(app)


def test_an_unknown_transport_mode_is_named(open_app: Open) -> None:
    assert "Ignored filter: transport-mode canoe" in markup(open_app("incidents.py", transport_mode="canoe"))


def test_years_and_causes_are_choices_in_the_address(
    open_app: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    app = open_app("incidents.py", basis="fiscal_year", cause="seal_compromised")
    assert not app.exception
    shown = words(app)
    years = asked(capsys, "incidents", "--by", "fiscal_year", query={})
    most = max((row for row in years["rows"] if row["whole"]), key=lambda row: row["count"])
    assert f"Most incidents in one whole year: {most['count']} in FY{most['fiscal_year'] % 100:02d}" in shown
    assert "fiscal year (October–September)" in shown
    sealed = asked(capsys, "incidents", "--by", "last_deficient_category", query={})
    cases = max(row["n"] for row in sealed["rows"] if row["cause"] == "seal_compromised")
    assert f"up to {cases} members" in shown


def test_without_incidents_the_pages_say_so(
    open_app: Open, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from analysis.datasets.importing import import_dataset
    from analysis.datasets.mapping import read_mapping

    mapping = read_mapping(ROOT / "data" / "mappings" / "osha_prisons.toml")
    import_dataset([ROOT / "tests" / "data" / "inspections.csv"], mapping, tmp_path / "inspections")
    assert open_app
    monkeypatch.setenv("CTPAT_DATASETS", str(tmp_path / "inspections"))
    app = AppTest.from_file(str(ROOT / "pages" / "_shell.py"), default_timeout=300).run()
    for page in ("incidents.py", "maritime.py"):
        app.switch_page(page).run()
        assert not app.exception
        assert "This dataset has no incidents." in markup(app) and "could not be drawn" not in markup(app)
