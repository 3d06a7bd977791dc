"""Incidents: every number once more in plain pandas on source rows, and what is refused and why."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, geom, poisson

from analysis import AnalysisError, Dataset, Selection, figure, incidents, open_dataset
from analysis.counts import counts
from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import read_mapping
from analysis.questions.incident_concentration import concentration
from analysis.questions.incident_exposure import incidents_by_entity_type, overall_rate
from analysis.questions.incident_lift import earlier_deficiencies, earlier_deficiencies_by_cause
from analysis.questions.incident_records import ConcentrationRow, ExposureRow, LiftRow
from analysis.questions.incident_series import incident_series
from analysis.questions.incident_shares import incident_grid
from analysis.questions.incidents import headline
from analysis.selection import LISTS
from analysis.stats.event_charts import count_chart, gap_chart, poisson_dispersion
from analysis.stats.multiplicity import holm
from tests.recount import Recount, plain

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "data" / "demo"
CBP = ROOT / "data" / "mappings" / "cbp_drugs.toml"
NOTHING = Selection(start=dt.date(2035, 1, 1))
MIAMI = {"field_office": ["Miami"], "start": dt.date(2019, 3, 1), "end": dt.date(2022, 6, 30)}
LAST = {"mode": ["in_person"], "risk": ["low", "medium"], "kind": ["revalidation"]}
BY_SEA = {"transport_mode": ["sea"]}
CHOICES: list[dict[str, Any]] = [{}, MIAMI, LAST, BY_SEA]


def selection_of(chosen: dict[str, Any]) -> Selection:
    fields = {column: name for name, (_, column) in LISTS.items()}
    lists = {fields[c]: tuple(v) for c, v in chosen.items() if c not in ("start", "end")}
    return Selection(start=chosen.get("start"), end=chosen.get("end"), **lists)


@pytest.fixture(scope="module")
def again(twisted_demo: Dataset) -> Recount:
    return Recount(twisted_demo.path)


@pytest.fixture(scope="module")
def seizures(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Published counts: rows that stand for many incidents, by month, without members."""
    out = tmp_path_factory.mktemp("seizures") / "seizures"
    files = [ROOT / "tests" / "data" / f"seizures_{years}.csv" for years in ("fy20_fy21", "fy21_fy22")]
    import_dataset(files, read_mapping(CBP), out)
    return open_dataset(out)


# -- counts, shares and time ---------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", CHOICES, ids=["all", "Miami", "last validation", "sea"])
def test_counts_are_those_of_plain_pandas_with_weights(
    twisted_demo: Dataset, again: Recount, chosen: dict[str, Any]
) -> None:
    selection = selection_of(chosen)
    total = sum(group["n"] for group in plain(again, "incidents", [], chosen, ["n"]).values())
    for by in (
        "transport_mode",
        "concealment_method",
        "seal_issue",
        "contraband",
        "field_office",
        "route_origin",
        "terminal",
    ):
        answer = incidents(twisted_demo, by, selection).to_dict()
        expected = {
            key[0]: group["n"] for key, group in plain(again, "incidents", [by], chosen, ["n"]).items()
        }
        recorded = sum(n for value, n in expected.items() if value is not None)
        assert answer["n"] == total and answer["recorded"] == recorded
        assert {row[by]: row["count"] for row in answer["rows"] if row["count"]} == {
            value: n for value, n in expected.items() if value is not None
        }
        for row in answer["rows"]:
            assert row["n"] == recorded and row["share"] == (row["count"] / recorded if recorded else None)
            # Weights above one: rows stand for several incidents, which are not independent.
            assert row["low"] is None and row["high"] is None
    assert not total or "aggregated" in incidents(twisted_demo, "contraband", selection).caveats


def with_last_validation(folder: Path) -> pd.DataFrame:
    """Source incidents with the member's last validation on an earlier day."""
    source = pd.read_parquet(folder / "source" / "incidents.parquet")
    visits = pd.read_parquet(folder / "source" / "validations.parquet")
    pairs = source[["incident_id", "member_id", "occurred_on"]].merge(visits, on="member_id")
    before = pairs[pairs["conducted_on"] < pairs["occurred_on"]].sort_values(
        ["conducted_on", "validation_id"]
    )
    last = before.groupby("incident_id").tail(1)[["incident_id", "mode", "risk", "kind", "location"]]
    return source.merge(last, on="incident_id", how="left")


@pytest.mark.parametrize("chosen", CHOICES, ids=["all", "Miami", "last validation", "sea"])
def test_causes_are_shares_of_incidents_and_may_exceed_one(demo: Dataset, chosen: dict[str, Any]) -> None:
    source = with_last_validation(DEMO)
    for column, values in chosen.items():
        if column == "start":
            source = source[source["occurred_on"] >= values]
        elif column == "end":
            source = source[source["occurred_on"] <= values]
        else:
            source = source[source[column].isin(values)]
    causes = pd.read_parquet(DEMO / "source" / "incident_causes.parquet")
    causes = causes[causes["incident_id"].isin(source["incident_id"])]
    answer = incidents(demo, "cause", selection_of(chosen)).to_dict()
    assert {row["cause"]: row["count"] for row in answer["rows"] if row["count"]} == causes[
        "cause"
    ].value_counts().to_dict()
    assert answer["n"] == len(source) and answer["recorded"] == causes["incident_id"].nunique()
    assert sum(row["share"] for row in answer["rows"]) > 1
    assert "several_causes" in answer["caveats"]
    for row in answer["rows"]:
        assert row["low"] <= row["share"] <= row["high"]


def test_a_month_and_a_fiscal_year_hold_what_happened_in_them(twisted_demo: Dataset, again: Recount) -> None:
    chosen: dict[str, Any] = {"start": dt.date(2019, 2, 1), "end": dt.date(2021, 11, 30)}
    selection = selection_of(chosen)
    monthly = plain(again, "incidents", ["month", "transport_mode"], chosen, ["n"])
    rows = incidents(twisted_demo, "month", selection).to_dict()["rows"]
    assert [row["month"] for row in rows] == [
        f"{d:%Y-%m}" for d in pd.period_range("2019-02", "2021-11", freq="M")
    ]
    for row in rows:
        key = int(row["month"][:4]) * 12 + int(row["month"][5:]) - 1
        mine = {mode: group["n"] for (month, mode), group in monthly.items() if month == key}
        assert row["count"] == sum(mine.values())
        assert {mode: n for mode, n in row["transport_modes"].items() if n} == mine
    yearly = plain(again, "incidents", ["fiscal_year"], chosen, ["n"])
    rows = incidents(twisted_demo, "fiscal_year", selection).to_dict()["rows"]
    assert {row["fiscal_year"]: row["count"] for row in rows} == {key[0]: g["n"] for key, g in yearly.items()}
    assert [(row["fiscal_year"], row["months"], row["whole"]) for row in rows] == [
        (2019, 8, False), (2020, 12, True), (2021, 12, True), (2022, 2, False),
    ]  # fmt: skip


def test_concealment_crossed_with_transport_mode(twisted_demo: Dataset, again: Recount) -> None:
    grid = incident_grid(twisted_demo, "concealment_method", "transport_mode").to_frame()
    expected = plain(again, "incidents", ["concealment_method", "transport_mode"], {}, ["n"])
    found = {(row["row"], row["column"]): row["count"] for row in grid.to_dict("records") if row["count"]}
    assert found == {key: group["n"] for key, group in expected.items() if None not in key}


def test_incidents_that_name_no_member_are_counted(demo: Dataset) -> None:
    source = pd.read_parquet(DEMO / "source" / "incidents.parquet")
    answer = headline(demo)
    assert answer.unlinked == source["member_id"].isna().sum() and answer.n == len(source)
    assert f"{answer.unlinked} name no member" in answer.sentence
    # A filter on the last validation leaves only members with one.
    filtered = incidents(demo, "contraband", Selection(modes=("virtual", "in_person")))
    assert filtered.unlinked == 0 and 0 < (filtered.n or 0) < len(source)


def test_an_empty_selection_and_an_unknown_way_to_group(demo: Dataset) -> None:
    for by in ("transport_mode", "cause", "month", "entity_type", "concentration", "last_deficient_category"):
        answer = incidents(demo, by, NOTHING)
        assert answer.n == 0 and answer.sentence == "No incidents match these filters."
        assert all(row.get("share") is None for row in answer.to_dict()["rows"])
    with pytest.raises(AnalysisError, match="did you mean 'contraband'"):
        incidents(demo, "contrabant")


def test_fewer_than_ten_are_not_ranked(demo: Dataset) -> None:
    few = Selection(transport_modes=("rail",), start=dt.date(2021, 1, 1))
    answer = incidents(demo, "contraband", few)
    assert 0 < (answer.n or 0) < 10
    assert "small_numbers" in answer.caveats and answer.sentence.startswith("Too few to rank")
    assert figure("incidents.contraband", demo, few).title.startswith("Too few to rank")


# -- time at risk --------------------------------------------------------------------------------------


def member_years(folder: Path, start: dt.date, end: dt.date, office: str | None = None) -> pd.Series:
    """Member-years by entity type, from source rows."""
    members = pd.read_parquet(folder / "source" / "members.parquet")
    if office:
        members = members[members["field_office"] == office]
    entered = pd.to_datetime(members["certified_on"]).clip(lower=pd.Timestamp(start))
    left = pd.to_datetime(members["left_on"]).fillna(pd.Timestamp(end)).clip(upper=pd.Timestamp(end))
    days = ((left - entered).dt.days + 1).clip(lower=0)
    return days.groupby(members["entity_type"]).sum() / 365.25


@pytest.mark.parametrize("office", [None, "Miami"])
def test_rates_are_events_over_member_years(demo: Dataset, office: str | None) -> None:
    start, end = dt.date(2019, 1, 1), dt.date(2021, 12, 31)
    selection = Selection(offices=(office,) if office else (), start=start, end=end)
    source = pd.read_parquet(DEMO / "source" / "incidents.parquet")
    members = pd.read_parquet(DEMO / "source" / "members.parquet")
    happened = pd.to_datetime(source["occurred_on"])
    mine = source[(happened >= pd.Timestamp(start)) & (happened <= pd.Timestamp(end))]
    if office:
        mine = mine[mine["field_office"] == office]
    joined = mine.merge(members, on="member_id", suffixes=("", "_member"))
    events = joined["entity_type"].value_counts()
    years = member_years(DEMO, start, end, office)
    answer = incidents_by_entity_type(demo, selection)
    rows = [row for row in answer.rows if isinstance(row, ExposureRow)]
    assert {row.entity_type for row in rows} >= set(events.index)
    for row in rows:
        k = int(events.get(row.entity_type, 0))
        assert row.events == k and row.member_years == pytest.approx(years[row.entity_type], rel=1e-12)
        assert row.rate == pytest.approx(k / years[row.entity_type]) and row.interval
        # Exact limits: the Poisson tails beyond them hold 2.5% each.
        expected = row.interval.high * years[row.entity_type]
        assert poisson.cdf(k, expected) == pytest.approx(0.025, abs=1e-9)
        if k:
            assert poisson.sf(k - 1, row.interval.low * years[row.entity_type]) == pytest.approx(
                0.025, abs=1e-9
            )
    whole = overall_rate(demo, selection)
    assert whole and whole[0] == pytest.approx(len(joined) / years.sum())


def test_dispersion_is_that_of_months(demo: Dataset) -> None:
    answer = incidents_by_entity_type(demo)
    source = pd.read_parquet(DEMO / "source" / "incidents.parquet").dropna(subset=["member_id"])
    months = pd.period_range("2018-01", "2022-12", freq="M")
    events = (
        pd.to_datetime(source["occurred_on"]).dt.to_period("M").value_counts().reindex(months, fill_value=0)
    )
    years = np.array([member_years(DEMO, m.start_time.date(), m.end_time.date()).sum() for m in months])
    expected = years * events.sum() / years.sum()
    assert answer.dispersion == pytest.approx(
        float(((events.to_numpy() - expected) ** 2 / expected).sum()) / 59
    )


def test_without_time_at_risk_there_is_no_rate(demo: Dataset, seizures: Dataset) -> None:
    for dataset, selection, code in (
        (demo, Selection(modes=("virtual",)), "exposure_by_member"),
        (seizures, Selection(), "exposure_unknown"),
    ):
        answer = incidents_by_entity_type(dataset, selection)
        assert code in answer.caveats and overall_rate(dataset, selection) is None
        assert all(
            row["rate"] is row["low"] is row["member_years"] is None for row in answer.to_dict()["rows"]
        )
        assert "per 1,000" not in headline(dataset, selection).sentence
        assert figure("incidents.rates", dataset, selection).state is not None


def test_incidents_outside_membership_are_counted_but_not_in_the_rate(
    twisted_demo: Dataset, again: Recount
) -> None:
    answer = incidents_by_entity_type(twisted_demo)
    inside: dict[str, int] = {}
    for row in again.tables["incidents"].to_dict("records"):
        member = again.members.get(row["member_id"])
        if member is None or not dt.date(2018, 1, 1) <= row["day"] <= dt.date(2022, 12, 31):
            continue
        late = row["day"] + dt.timedelta(days=30 if row["date_precision"] == "month" else 0)
        if member["certified_on"] <= late and row["day"] <= (member["left_on"] or dt.date.max):
            inside[member["entity_type"]] = inside.get(member["entity_type"], 0) + row["n"]
    rows = {row.entity_type: row for row in answer.rows if isinstance(row, ExposureRow)}
    assert {name: row.events for name, row in rows.items() if row.events} == inside
    assert "outside_time_at_risk" in answer.caveats
    assert sum(row.count or 0 for row in rows.values()) > sum(inside.values())


def test_concentration_names_nobody_and_compares_with_chance(demo: Dataset) -> None:
    source = pd.read_parquet(DEMO / "source" / "incidents.parquet")
    members = pd.read_parquet(DEMO / "source" / "members.parquet").set_index("member_id")
    per_member = source["member_id"].value_counts()
    answer = concentration(demo)
    row = next(row for row in answer.rows if isinstance(row, ConcentrationRow) and row.unit == "member")
    assert (row.units, row.incidents, row.hit) == (len(members), per_member.sum(), len(per_member))
    assert (row.repeat, row.repeat_incidents) == ((per_member > 1).sum(), per_member[per_member > 1].sum())
    assert row.half_on == int((per_member.cumsum() < per_member.sum() / 2).sum()) + 1
    entered = pd.to_datetime(members["certified_on"]).clip(lower=pd.Timestamp("2018-01-01"))
    left = pd.to_datetime(members["left_on"]).fillna(pd.Timestamp("2022-12-31"))
    days = ((left - entered).dt.days + 1).clip(lower=0)
    mean = per_member.sum() * days / days.sum()
    assert row.expected_hit == pytest.approx(float(poisson.sf(0, mean).sum()))
    assert row.expected_repeat == pytest.approx(float(poisson.sf(1, mean).sum()))
    assert not set(members.index) & set(" ".join(map(str, answer.to_frame().to_numpy().ravel())).split())


# -- what members were deficient in before -------------------------------------------------------------


def test_lift_by_hand(demo: Dataset) -> None:
    """Per member one validation: the last before its first incident, else its last; then shares and their ratio."""
    read = {path.stem: pd.read_parquet(path) for path in (DEMO / "source").glob("*.parquet")}
    linked = with_last_validation(DEMO).dropna(subset=["mode"])
    first = linked.groupby("member_id")["occurred_on"].min()
    visits = read["validations"].sort_values(["conducted_on", "validation_id"])
    before = visits["member_id"].map(first)
    index = (
        visits[before.isna() | (visits["conducted_on"] < before)]
        .groupby("member_id")
        .tail(1)
        .set_index("validation_id")
    )
    case = index["member_id"].isin(first.index)
    kinds = read["members"].set_index("member_id")["entity_type"]
    entity = index["entity_type"].fillna(index["member_id"].map(kinds))
    criteria, limits = read["criteria"].set_index("criterion_id")["category"], read["applicability"]
    findings = read["findings"].assign(category=read["findings"]["criterion_id"].map(criteria))
    rows = [row for row in earlier_deficiencies(demo).rows if isinstance(row, LiftRow)]
    assert len(rows) == criteria.nunique()
    for row in rows:
        mine = criteria.index[criteria == row.category]
        limited = limits[limits["criterion_id"].isin(mine)]
        everywhere = len(set(mine) - set(limited["criterion_id"]))
        applies = everywhere + entity.map(limited.groupby("entity_type").size()).fillna(0)
        here = findings[findings["category"] == row.category]
        others = (
            here[here["answer"] != "deficient"]
            .groupby("validation_id")
            .size()
            .reindex(index.index, fill_value=0)
        )
        bad = index.index.isin(here.loc[here["answer"] == "deficient", "validation_id"])
        assessed = (applies - others) > 0
        assert (row.count, row.n) == ((bad & case).sum(), (assessed & case).sum())
        assert (row.all_count, row.all_n) == (bad.sum(), assessed.sum())
        share, everybody = (bad & case).sum() / (assessed & case).sum(), bad.sum() / assessed.sum()
        assert row.lift == pytest.approx(share / everybody) and row.interval
        assert row.interval.low <= share / everybody <= row.interval.high
    adjusted = holm([math.nan if row.p_value is None else row.p_value for row in rows])
    assert [row.adjusted_p for row in rows] == pytest.approx(list(adjusted))


def test_lift_of_a_cause_has_its_incidents_only(demo: Dataset) -> None:
    again = pd.read_parquet(DEMO / "source" / "incident_causes.parquet")
    source = pd.read_parquet(DEMO / "source" / "incidents.parquet").merge(again, on="incident_id")
    visits = pd.read_parquet(DEMO / "source" / "validations.parquet")[["member_id", "conducted_on"]]
    sealed = source[source["cause"] == "seal_compromised"].merge(visits, on="member_id")
    cases = sealed[sealed["conducted_on"] < sealed["occurred_on"]]["member_id"].nunique()
    rows = [
        row for row in earlier_deficiencies(demo, cause="seal_compromised").rows if isinstance(row, LiftRow)
    ]
    assert max(row.n or 0 for row in rows) == cases
    everything = earlier_deficiencies_by_cause(demo)
    found = [row for row in everything.rows if isinstance(row, LiftRow) and row.cause == "seal_compromised"]
    assert found == rows
    assert "association_only" in everything.caveats


def test_the_focus_area_narrows_the_categories(demo: Dataset) -> None:
    area = demo.vocabulary("focus_area")[0]
    catalogue = demo.catalogue()
    names = set(catalogue.loc[catalogue["focus_area"] == area, "category"])
    rows = earlier_deficiencies(demo, Selection(focus_areas=(area,))).rows
    assert {row.category for row in rows if isinstance(row, LiftRow)} == names


# -- rows that stand for many incidents ----------------------------------------------------------------


def test_published_fiscal_years(shared_folder: Path, tmp_path: Path) -> None:
    """Totals the agency publishes: 70,923 · 82,946 · 62,465 · 53,538."""
    files = sorted((shared_folder / "realdata" / "cbp_drugs").glob("*.csv"))
    import_dataset(files, read_mapping(CBP), tmp_path / "cbp")
    dataset = open_dataset(tmp_path / "cbp")
    rows = incidents(dataset, "fiscal_year", Selection(start=dt.date(2019, 10, 1))).to_dict()["rows"]
    assert [row["count"] for row in rows] == [70_923, 82_946, 62_465, 53_538]
    assert all(row["whole"] for row in rows)


def test_weighted_rows_have_counts_and_no_intervals(seizures: Dataset) -> None:
    source = pd.read_parquet(seizures.path / "source" / "incidents.parquet")
    for by in ("transport_mode", "contraband", "field_office"):
        answer = incidents(seizures, by)
        expected = source.groupby(by)["weight"].sum()
        assert {row[by]: row["count"] for row in answer.to_dict()["rows"]} == expected.to_dict()
        assert "aggregated" in answer.caveats and all(row["low"] is None for row in answer.to_dict()["rows"])
    series = incident_series(seizures)
    assert (
        series.kind == "counts" and sum(point.value or 0 for point in series.points) == source["weight"].sum()
    )


@pytest.mark.parametrize(
    "name", ["over_time", "limits", "concealment", "causes", "contraband", "rates", "concentration"]
)
def test_every_figure_draws_or_says_why_not(seizures: Dataset, name: str) -> None:
    made = figure(f"incidents.{name}", seizures)
    assert (made.state is None) == (name in ("over_time", "limits", "contraband", "concentration"))


# -- control limits ------------------------------------------------------------------------------------


def test_limits_of_counts_hold_chance_and_widen_beyond_it() -> None:
    rng = np.random.default_rng(5)
    outside = [count_chart(rng.poisson(6, 60), np.ones(60)).outside.mean() for _ in range(200)]
    assert np.mean(outside) < 0.006
    calm = count_chart([4, 6, 5, 7, 5, 4, 6, 5] * 3, [1.0] * 24)
    assert not calm.widened and calm.high[0] == poisson.ppf(1 - 0.00135, 5.25) and calm.reasons == ()
    wild = count_chart([100, 300, 90, 320] * 5, [1.0] * 20)
    assert wild.widened and not wild.outside.any() and wild.spread and wild.spread > 1.2
    # Laney by hand: mean distance of neighbours of z = (x − m)/√m, over 1.128.
    z = (np.array([100, 300, 90, 320] * 5) - 202.5) / math.sqrt(202.5)
    assert wild.spread == pytest.approx(np.abs(np.diff(z)).mean() / 1.128)
    assert wild.high[0] == pytest.approx(202.5 + 3 * wild.spread * math.sqrt(202.5))
    assert count_chart([3, 4], [1, 1]).reasons == ("few_periods",)
    assert count_chart([0, 0, 0], [1, 1, 1]).reasons == ("no_variation",)


def test_limits_of_gaps_are_geometric() -> None:
    chart = gap_chart([10] * 25)
    assert chart.high[0] == geom.ppf(1 - 0.00135, 1 / 11) - 1 and not chart.outside.any()
    assert gap_chart([10] * 24 + [200]).outside.tolist() == [False] * 24 + [True]
    assert gap_chart([3]).reasons == ("too_few_periods",) and gap_chart([0, 0]).reasons == ("no_variation",)


def test_dispersion_of_counts() -> None:
    test = poisson_dispersion([2, 4, 6], [1, 1, 1])
    assert float(test.statistic) == pytest.approx(1.0) and float(test.p_value) == pytest.approx(chi2.sf(2, 2))


def test_rare_incidents_are_charted_by_the_days_between_them(demo: Dataset) -> None:
    selection = Selection(offices=("Miami",), transport_modes=("sea",))
    series = incident_series(demo, selection)
    source = pd.read_parquet(DEMO / "source" / "incidents.parquet")
    mine = source[(source["field_office"] == "Miami") & (source["transport_mode"] == "sea")]
    days = pd.to_datetime(mine.loc[mine["date_precision"] != "month", "occurred_on"]).sort_values()
    assert series.kind == "gaps"
    assert [point.value for point in series.points] == days.diff().dt.days.dropna().tolist()
    assert ("few_periods" in series.caveats) == (len(days) - 1 < 20)
    assert ("months_left_out" in series.caveats) == (len(days) < len(mine))


def test_a_month_covered_in_part_expects_its_part(demo: Dataset) -> None:
    whole = incident_series(demo, Selection(end=dt.date(2020, 12, 31)))
    cut = incident_series(demo, Selection(end=dt.date(2020, 12, 10)))
    assert whole.points[-1].expected == whole.points[0].expected
    assert cut.points[-1].expected == pytest.approx((cut.points[0].expected or 0) * 10 / 31)


def test_cells_hold_how_many_rows_and_how_many_at_risk(twisted_demo: Dataset) -> None:
    sums = ["n", "records", "n_at_risk"]
    for by in ([], ["transport_mode"], ["entity_type", "month"]):
        cells = counts(twisted_demo, "incidents", by, sums=sums, via="cells")
        assert cells.equals(counts(twisted_demo, "incidents", by, sums=sums, via="rows"))
