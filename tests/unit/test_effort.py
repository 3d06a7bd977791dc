"""What a validation takes: distributions and contrasts against scipy, statsmodels and plain pandas on the source rows."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from analysis import Dataset, Selection, compare, figure
from analysis.errors import AnalysisError
from analysis.metrics import metric
from analysis.questions import counted_windows
from analysis.questions.amounts import AMOUNTS, AmountByMode, amount_by_mode
from analysis.questions.deficiency_modes import shares_by_mode
from analysis.questions.effort import effort
from analysis.questions.times import compare_times, time_counts
from analysis.questions.window import comparison_window
from analysis.results import Estimate
from analysis.schema import DATA_FOLDER
from analysis.stats.geometric_means import geometric_mean_ratio_from_sums
from analysis.stats.survival_contrasts import restricted_mean_ratio
from analysis.suppression import suppressed

DEMO = DATA_FOLDER / "demo"
BOTH = Selection(start=dt.date(2020, 7, 1))
SMALL = range(1, 5)


@pytest.fixture(scope="module")
def truth() -> dict[str, dict[str, float]]:
    with open(DEMO / "truth.toml", "rb") as file:
        return tomllib.load(file)["metric"]


@pytest.fixture(scope="module")
def rows(demo: Dataset) -> pd.DataFrame:
    """Validations of the two modes in quarters with both, from the source tables alone."""
    frame = pd.read_parquet(demo.path / "source" / "validations.parquet")
    found = pd.read_parquet(demo.path / "source" / "findings.parquet")
    deficient = set(found.loc[found["answer"] == "deficient", "validation_id"])
    for name in ("conducted_on", "reported_on", "closed_on"):
        frame[name] = pd.to_datetime(frame[name])
    frame = frame[frame["mode"].isin(["virtual", "in_person"]) & (frame["conducted_on"] >= "2020-07-01")]
    as_of = pd.Timestamp(demo.as_of)
    frame["days_to_report"] = (frame["reported_on"].fillna(as_of) - frame["conducted_on"]).dt.days
    frame["reported"] = frame["reported_on"].notna()
    with_findings = frame["validation_id"].isin(deficient) & frame["reported"]
    frame["days_to_close"] = (frame["closed_on"].fillna(as_of) - frame["reported_on"]).dt.days.where(
        with_findings
    )
    frame["closed"] = frame["closed_on"].notna()
    return frame


def of(rows: pd.DataFrame, column: str) -> tuple[pd.Series, pd.Series]:
    one, other = (rows.loc[rows["mode"] == mode, column].dropna() for mode in ("virtual", "in_person"))
    return one, other


# -- distributions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hours", "sites"])
def test_known_amounts_are_those_of_the_source_rows(demo: Dataset, rows: pd.DataFrame, name: str) -> None:
    answer = amount_by_mode(demo, name)
    one, other = of(rows, name)
    for arm, values in zip(answer.arms.values(), (one, other), strict=True):
        assert arm.quartiles == pytest.approx(np.quantile(values, [0.25, 0.5, 0.75]))
        assert (arm.n, arm.of) == (len(values), (rows["mode"] == arm.mode).sum())
        assert sum(part.count or 0 for part in arm.bins) == len(values)
        for part in arm.bins:
            inside = (values >= part.low) & (values < (part.high or math.inf))
            assert (part.count, part.share) == (inside.sum(), pytest.approx(inside.mean()))
    for q in (25, 50, 75):
        row = answer.contrast(f"quantile_{q}")
        assert row is not None
        assert row.estimate == pytest.approx(np.quantile(one, q / 100) - np.quantile(other, q / 100))
    shift, longer = answer.contrast("shift"), answer.contrast("probability")
    assert shift is not None and longer is not None
    assert shift.estimate == pytest.approx(
        np.median(np.subtract.outer(one.to_numpy(), other.to_numpy())), abs=1e-9
    )
    theirs = stats.brunnermunzel(other, one)
    more = np.sign(np.subtract.outer(one.to_numpy(), other.to_numpy()).round(6)).mean() / 2 + 0.5
    assert longer.estimate == pytest.approx(more, rel=1e-12)
    assert longer.p_value == pytest.approx(max(theirs.pvalue, 1e-300), rel=1e-6)


@pytest.mark.parametrize(("name", "seen"), [("days_to_report", "reported"), ("days_to_close", "closed")])
def test_open_cases_are_still_waiting(demo: Dataset, rows: pd.DataFrame, name: str, seen: str) -> None:
    answer = amount_by_mode(demo, name)
    assert answer.censored
    for arm in answer.arms.values():
        mine = rows[(rows["mode"] == arm.mode) & rows[name].notna()]
        curve = SurvfuncRight(mine[name], mine[seen].astype(int))
        assert (arm.n, arm.n_open) == (len(mine), (~mine[seen]).sum())
        for q, value in zip((0.25, 0.5, 0.75), arm.quartiles, strict=True):
            # Dropping what is open would make waiting look shorter.
            assert value == curve.quantile(q) >= np.quantile(mine.loc[mine[seen], name], q)
        before = np.interp(0, [0], [1.0])
        for part in arm.bins:
            after = float(
                np.append(1.0, curve.surv_prob)[
                    np.searchsorted(curve.surv_times, part.high or 1e9, side="left")
                ]
            )
            assert part.share == pytest.approx(before - after, abs=1e-12)
            before = after
    shift = answer.contrast("shift")
    assert shift is not None and shift.estimate is None and "open_cases" in shift.caveats


def test_minutes_lost_are_described_for_virtual_only(demo: Dataset) -> None:
    answer = amount_by_mode(demo, "minutes_lost")
    source = pd.read_parquet(demo.path / "source" / "validations.parquet")["minutes_lost"].dropna()
    (arm,) = answer.arms.values()
    assert (arm.mode, arm.n, arm.n_zero) == ("virtual", len(source), (source == 0).sum())
    assert answer.contrasts == ()
    made = figure("virtual_vs_in_person.minutes_lost", demo)
    assert f"{(source == 0).mean():.1%} of virtual validations lost no time" in made.title


def test_quantile_differences_lie_near_the_truth(demo: Dataset, truth: dict[str, dict[str, float]]) -> None:
    hours = amount_by_mode(demo, "hours", BOTH).contrast("quantile_50")
    report = amount_by_mode(demo, "days_to_report", BOTH).contrast("quantile_50")
    assert (
        hours is not None
        and hours.interval is not None
        and report is not None
        and report.interval is not None
    )
    assert hours.interval.low - 0.2 <= truth["hours"]["median_difference_all"] <= hours.interval.high + 0.2
    assert report.interval.contains(truth["days_to_report"]["median_difference_all"])


def test_a_filter_on_mode_is_not_applied_and_said_so(demo: Dataset) -> None:
    plain, filtered = (amount_by_mode(demo, "hours", s) for s in (Selection(), Selection(modes=("virtual",))))
    assert filtered.arms == plain.arms and "mode_filter_ignored" in filtered.caveats


def test_partial_months_are_counted_from_rows(demo: Dataset, rows: pd.DataFrame) -> None:
    days = Selection(start=dt.date(2021, 1, 10), end=dt.date(2021, 11, 20))
    answer = amount_by_mode(demo, "hours", days)
    inside = rows["conducted_on"].between("2021-01-10", "2021-11-20")
    assert answer.n == (inside & rows["hours"].notna()).sum()


def test_unknown_amounts_are_refused(small_demo: Dataset) -> None:
    with pytest.raises(AnalysisError, match="hours"):
        amount_by_mode(small_demo, "hour")


# -- ratios, clustered ------------------------------------------------------------------------------------


def test_hours_ratio_holds_the_truth_with_errors_by_specialist(
    demo: Dataset, truth: dict[str, dict[str, float]], rows: pd.DataFrame
) -> None:
    answer = effort(demo, BOTH)
    ratio = answer.row("hours").ratio
    assert ratio is not None and ratio.interval is not None
    assert ratio.interval.contains(truth["hours"]["difference_mh"])
    assert ratio.settings["clustered_by"] == "specialist_id"
    assert ratio.settings["clusters"] == rows.loc[rows["hours"].notna(), "specialist_id"].nunique()
    assert "independent" not in ratio.caveats
    assert ratio == compare(demo, "hours", BOTH).estimate("mantel_haenszel")
    report = answer.row("days_to_report").ratio
    assert report is not None and report.interval is not None
    assert report.interval.contains(truth["days_to_report"]["difference_mh"])


def strata_of(rows: pd.DataFrame) -> np.ndarray:
    return rows.groupby(["risk", "kind", "location"], dropna=False).ngroup().to_numpy()


def test_clustered_errors_are_those_of_the_source_rows(demo: Dataset, rows: pd.DataFrame) -> None:
    """The jackknife over specialists, made from source rows with the weights of the strata held."""
    row = compare(demo, "hours", BOTH).estimate("mantel_haenszel")
    known = rows[rows["hours"].notna()]
    arm, stratum = (known["mode"] == "virtual").to_numpy(), strata_of(known)
    logs = np.log(known["hours"].round(1)).to_numpy()
    specialist = known["specialist_id"].to_numpy()
    effect, contributions = 0.0, dict.fromkeys(np.unique(specialist), 0.0)
    sizes = np.array(
        [[(arm & (stratum == s)).sum(), (~arm & (stratum == s)).sum()] for s in range(stratum.max() + 1)]
    )
    weight = sizes.prod(axis=1) / sizes.sum(axis=1)
    weight = weight / weight.sum()
    for s, w in enumerate(weight):
        for side, sign in ((arm, 1), (~arm, -1)):
            here = side & (stratum == s)
            effect += sign * w * logs[here].mean()
            for one, value in zip(specialist[here], logs[here], strict=True):
                contributions[one] += sign * w * (value - logs[here].mean()) / here.sum()
    g = len(contributions)
    se = math.sqrt(g / (g - 1) * sum(u**2 for u in contributions.values()))
    assert row is not None and row.estimate is not None and row.interval is not None
    assert row.estimate == pytest.approx(math.exp(effect), rel=1e-9)
    fewest = min(np.unique(specialist[side]).size for side in (arm, ~arm))
    alone = geometric_mean_ratio_from_sums(
        arm=arm.astype(int), n=np.ones(arm.size), log_sum=logs, log_sum_squares=logs**2, stratum=stratum
    )
    # Never narrower than validations by themselves.
    widest = max(se, alone.se or 0.0)
    assert row.interval.high / row.estimate == pytest.approx(
        math.exp(stats.t.ppf(0.975, fewest - 1) * widest), rel=1e-6
    )


def test_restricted_means_are_those_of_the_source_rows(demo: Dataset, rows: pd.DataFrame) -> None:
    row = compare(demo, "days_to_report", BOTH).estimate("mantel_haenszel")
    codes = pd.factorize(rows["specialist_id"])[0]
    wanted = restricted_mean_ratio(
        rows["days_to_report"], rows["reported"].astype(int), np.ones(len(rows)), (rows["mode"] == "virtual").astype(int),
        tau=90, stratum=strata_of(rows), cluster=codes,
    )  # fmt: skip
    assert row is not None and row.interval is not None and wanted.interval is not None
    assert row.estimate == pytest.approx(wanted.estimate, rel=1e-9)
    assert row.interval.low <= wanted.interval.low + 1e-9 and row.interval.high >= wanted.interval.high - 1e-9
    assert row.settings["clusters"] == 90


def changed(demo: Dataset, change: dict[str, object]) -> list[Estimate]:
    """The estimates on hours of the window, some of its rows changed."""
    definition = metric("hours")
    counted = time_counts(demo, definition, BOTH).assign(**change)
    window = comparison_window(counted)
    return compare_times(definition, window, demo.modes)[1]


def test_a_value_of_zero_is_left_out_of_the_ratio_counted_and_said(demo: Dataset) -> None:
    definition = metric("hours")
    counted = time_counts(demo, definition, BOTH)
    zero = counted.index == counted.index[(counted["mode"] == "virtual") & (counted["n"] == 1)][0]
    with_zero = changed(demo, {"value": counted["value"].where(~zero, 0.0)})
    without = changed(demo, {"n": counted["n"].where(~zero, 0)})
    for one, other in zip(with_zero, without, strict=True):
        if one.measure == "ratio":
            assert one.estimate == pytest.approx(other.estimate, rel=1e-12) and one.n == other.n
            assert one.settings["n_zero"] == 1 and "zeros_left_out" in one.caveats and one.status == "ok"
        else:
            assert one.measure == "median_difference" and one.n == other.n + 1
    everywhere = changed(demo, {"value": counted["value"].where(counted["mode"] != "virtual", 0.0)})
    assert everywhere[0].estimate is None and everywhere[0].caveats[0] == "geometric_needs_positive"
    assert "arm_empty" not in everywhere[0].caveats


def test_few_specialists_are_not_clustered_and_decide_nothing(demo: Dataset) -> None:
    counted = time_counts(demo, metric("hours"), BOTH)
    few = changed(
        demo, {"cluster": np.where(counted["mode"] == "virtual", counted["cluster"] % 3, counted["cluster"])}
    )
    for row in few:
        if row.measure == "ratio":
            assert row.settings["clustered_by"] == "validation_id" and "too_few_clusters" in row.caveats
            assert row.interval is not None
    assert few[-1].status == "too_small" and few[0].status == "ok"
    unknown = changed(demo, {"cluster": -1 - np.arange(len(counted))})
    assert "clusters_unknown" in unknown[0].caveats and unknown[0].status == "ok"


def test_a_verdict_is_not_read_from_few_specialists(demo: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    real = counted_windows.time_counts

    def few(*arguments: object, **more: object) -> pd.DataFrame:
        frame = real(*arguments, **more)
        return frame.assign(cluster=frame["cluster"] % 4)

    monkeypatch.setattr(counted_windows, "time_counts", few)
    answer = compare(demo, "hours", BOTH)
    assert answer.verdict == "too_few" and "too_few_clusters" in answer.reasons


# -- evidence ---------------------------------------------------------------------------------------------


def test_evidence_is_that_of_the_source_findings(demo: Dataset) -> None:
    found = pd.read_parquet(demo.path / "source" / "findings.parquet")
    modes = pd.read_parquet(demo.path / "source" / "validations.parquet").set_index("validation_id")["mode"]
    found = found[(found["answer"] == "deficient") & found["evidence"].notna()]
    counted = found.groupby([found["validation_id"].map(modes), "evidence"]).size()
    for answer in shares_by_mode(demo, "evidence").comparisons:
        for mode, arm in answer.arms.items():
            assert arm.events == counted.get((mode, answer.group["evidence"]), 0)
            assert arm.n == counted[mode].sum()


def test_a_dataset_without_evidence_says_so(demo: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    present = type(demo).present
    monkeypatch.setattr(type(demo), "present", lambda self, c: () if c == "evidence" else present(self, c))
    state = figure("virtual_vs_in_person.evidence", demo).state
    assert state is not None and "does not record what evidence" in state.fact


# -- words, and small counts ------------------------------------------------------------------------------


def test_the_sentence_says_its_numbers(demo: Dataset) -> None:
    answer = effort(demo)
    ratio = answer.row("hours").ratio
    assert ratio is not None and ratio.estimate is not None and ratio.interval is not None
    words = answer.sentence.replace("**", "")
    assert f"{ratio.estimate:.2f} times the hours" in words
    assert f"{ratio.interval.low:.2f} to {ratio.interval.high:.2f}; n = {ratio.n:,}" in words
    assert len(words.split()) <= 45
    assert (
        effort(demo, Selection(start=dt.date(2035, 1, 1))).sentence == "No validations match these filters."
    )


def test_every_amount_is_a_row(demo: Dataset) -> None:
    answer = effort(demo)
    assert [row.amount.amount.id for row in answer.rows] == list(AMOUNTS)
    shown = figure("virtual_vs_in_person.effort", demo)
    assert list(shown.table["What"]) == [amount.label for amount in AMOUNTS.values()]
    assert "97.5% virtual, 98.0% in person" in set(shown.table["Recorded"])


def safe(answer: AmountByMode) -> None:
    for arm in answer.arms.values():
        missing = None if arm.of is None or arm.n is None else arm.of - arm.n
        assert not {arm.n, arm.n_open, arm.n_zero, missing} & set(SMALL)
        counts = [part.count for part in arm.bins]
        assert not set(counts) & set(SMALL)
        if arm.n is not None and arm.bins:
            remainder = arm.n - sum(k or 0 for k in counts) - (arm.n_open or 0)
            assert remainder not in SMALL
            gone = counts.count(None) + (arm.n_open is None)
            assert gone != 1
        assert all((part.count is None) == (part.share is None) for part in arm.bins)
    assert not set(answer.left_out.values()) & set(SMALL)


@pytest.mark.parametrize("name", list(AMOUNTS))
def test_small_counts_are_hidden(demo: Dataset, small_demo: Dataset, name: str) -> None:
    for dataset in (demo, small_demo):
        for selection in (
            Selection(),
            Selection(offices=("Miami",)),
            Selection(entity_types=("sea_carrier",)),
        ):
            safe(suppressed(amount_by_mode(dataset, name, selection)))


def test_small_counts_are_hidden_in_all_amounts(small_demo: Dataset) -> None:
    for selection in (
        Selection(),
        Selection(offices=("Miami",)),
        Selection(risks=("high",), locations=("foreign",)),
    ):
        answer = suppressed(effort(small_demo, selection))
        for row in answer.rows:
            safe(row.amount)
            assert row.ratio is None or row.ratio.p_value is None
            if row.amount.n is None:
                assert row.ratio is None and not row.amount.contrasts
        assert answer.n not in SMALL


def test_a_distribution_of_few_is_hidden_whole(small_demo: Dataset) -> None:
    answer = amount_by_mode(small_demo, "hours")
    arms = {mode: dataclasses.replace(arm, n=3) for mode, arm in answer.arms.items()}
    hidden = suppressed(dataclasses.replace(answer, arms=arms))
    assert hidden.n is None and not hidden.contrasts
    assert all(arm.quartiles == (None, None, None) and not arm.bins for arm in hidden.arms.values())


def test_an_old_dataset_is_refused_in_words(demo: Dataset, tmp_path: Path) -> None:
    from analysis import open_dataset

    text = (demo.path / "dataset.toml").read_text(encoding="utf-8")
    (tmp_path / "dataset.toml").write_text(
        re.sub(r"schema_version = \d+", "schema_version = 1", text), encoding="utf-8"
    )
    with pytest.raises(AnalysisError, match="import it again"):
        open_dataset(tmp_path)


def test_a_period_of_one_mode_is_told_from_an_empty_one(demo: Dataset) -> None:
    before, nothing = Selection(end=dt.date(2019, 6, 30)), Selection(start=dt.date(2035, 1, 1))
    for name in AMOUNTS:
        why = "arm_empty" if name == "minutes_lost" else "no_comparison_window"
        assert amount_by_mode(demo, name, before).caveats == (why,)
        assert amount_by_mode(demo, name, nothing).caveats == ("empty_selection",)
    assert "no quarter in which both modes" in effort(demo, before).sentence
    for name in ("effort", *AMOUNTS):
        made = [
            figure(f"virtual_vs_in_person.{name}", demo, selection).state for selection in (before, nothing)
        ]
        assert [state.kind for state in made if state is not None] == ["too_small", "empty"]
