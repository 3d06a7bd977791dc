"""Feedback: counted again in plain pandas on the source rows, compared with row-level libraries, and suppressed."""

from __future__ import annotations

import datetime as dt
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from analysis.charts.diverging import diverging_bars
from analysis.datasets.engines import collected
from analysis.datasets.opening import Dataset, open_dataset
from analysis.datasets.preparing import finish_dataset
from analysis.errors import AnalysisError
from analysis.figures import figure
from analysis.questions.comparison import compare, compare_all
from analysis.questions.feedback import feedback
from analysis.questions.feedback_pairs import pair_agreement, themes
from analysis.selection import Selection
from analysis.suppression import suppressed
from analysis.suppression.small import is_small

MODES = ("virtual", "in_person")


def answers(dataset: Dataset, *offices: str) -> pd.DataFrame:
    """Source rows of feedback with the mode and office of their validation."""
    given = collected(dataset.rows("feedback"))
    validations = collected(dataset.rows("validations"))
    both = given.merge(validations[["validation_id", "mode", "field_office"]], on="validation_id")
    return both[both["field_office"].isin(offices)] if offices else both


def test_scores_are_those_of_the_rows(small_demo: Dataset) -> None:
    rows = answers(small_demo, "Miami", "Houston")
    answer = feedback(small_demo, Selection(offices=("Miami", "Houston")))
    expected = rows[rows["mode"].isin(MODES)].groupby(["respondent", "item", "mode", "score"]).size()
    seen = 0
    for item in answer.items:
        for mode, counts in item.scores.items():
            assert counts == tuple(
                expected.get((item.respondent, item.item, mode, score), 0) for score in range(1, 6)
            )
            seen += sum(counts)
    assert seen == expected.sum() > 0


def test_response_rates_are_those_of_the_rows(small_demo: Dataset) -> None:
    validations = collected(small_demo.rows("validations"))
    given = collected(small_demo.rows("feedback"))
    for row in feedback(small_demo).responses:
        of = validations[validations["mode"] == row.mode]
        who = given.loc[given["respondent"] == row.respondent, "validation_id"]
        assert (row.count, row.n) == (int(of["validation_id"].isin(who).sum()), len(of))


def test_the_chance_to_score_higher_is_brunner_and_munzels(demo: Dataset) -> None:
    rows = answers(demo)
    item = next(r for r in feedback(demo).items if (r.respondent, r.item) == ("specialist", "confidence"))
    mine = rows[(rows["respondent"] == "specialist") & (rows["item"] == "confidence")]
    virtual, in_person = (mine.loc[mine["mode"] == mode, "score"].to_numpy() for mode in MODES)
    above = (virtual[:, None] > in_person).mean() + (virtual[:, None] == in_person).mean() / 2
    assert item.higher == pytest.approx(above, abs=1e-12)
    p = stats.brunnermunzel(virtual, in_person).pvalue
    assert item.higher_interval is not None
    assert (p < 0.05) == (not item.higher_interval.contains(0.5))


def test_the_demo_says_what_was_put_in(demo: Dataset) -> None:
    """Specialists were made less confident after virtual validations, by −0.30 on a latent scale."""
    item = next(r for r in feedback(demo).items if (r.respondent, r.item) == ("specialist", "confidence"))
    assert (
        item.contrast is not None
        and item.contrast.answer is not None
        and item.contrast.answer.interval is not None
    )
    assert item.contrast.answer.interval.high < 0
    assert item.adjusted_p is not None and item.adjusted_p < 0.05
    again = {r.respondent: r for r in feedback(demo).items if r.item == "would_repeat_virtual"}
    for respondent, truth in (("specialist", 0.55), ("member", 0.80)):
        row = again[respondent]
        assert set(row.scores) == {"virtual"} and row.contrast is None
        assert (row.top_two("virtual") or 0) / (row.n("virtual") or 1) == pytest.approx(truth, abs=0.05)


def test_agreement_is_that_of_pairs_of_rows(demo: Dataset) -> None:
    rows = answers(demo)
    wide = rows.pivot_table(
        index=["validation_id", "item"], columns="respondent", values="score", aggfunc="first"
    ).dropna()
    row = next(r for r in pair_agreement(demo).rows if r.item == "technology")
    pairs = wide.xs("technology", level="item")
    assert row.n == len(pairs)
    assert row.same == int((pairs["specialist"] == pairs["member"]).sum())
    assert row.shift == pytest.approx((pairs["specialist"] - pairs["member"]).mean())
    table = pd.crosstab(pairs["specialist"], pairs["member"]).reindex(
        index=range(1, 6), columns=range(1, 6), fill_value=0
    )
    assert row.kappa == pytest.approx(cohens_kappa(table.to_numpy(), wt="quadratic").kappa, abs=1e-12)


def test_themes_are_those_of_the_rows(small_demo: Dataset) -> None:
    rows = answers(small_demo).dropna(subset=["theme"])
    answer = themes(small_demo)
    assert answer.n == len(rows)
    for row in answer.rows:
        mine = rows[rows["theme"] == row.theme]
        assert row.n == len(mine)
        assert {mode: (mine["mode"] == mode).sum() for mode in MODES} == dict(row.counts)
        assert set(row.quotes) <= set(mine["comment"].dropna())


def test_quotes_are_the_first_of_their_selection(small_demo: Dataset, tmp_path: Path) -> None:
    """Every comment another one, so that a quote tells which response it is of."""
    folder = tmp_path / "commented"
    shutil.copytree(small_demo.path, folder)
    given = pd.read_parquet(folder / "source" / "feedback.parquet")
    given["comment"] = "I say " + given["response_id"] + " " + given["item"]
    given.to_parquet(folder / "source" / "feedback.parquet", index=False)
    finish_dataset(folder, tomllib.loads((folder / "dataset.toml").read_text(encoding="utf-8")))
    office = pd.read_parquet(folder / "source" / "validations.parquet").set_index("validation_id")[
        "field_office"
    ]
    for engine in ("duckdb", "pandas"):
        dataset = open_dataset(folder, engine=engine)
        for chosen in (None, "Miami"):
            mine = given.dropna(subset=["theme"]).sort_values(["response_id", "item"])
            mine = mine[(mine["validation_id"].map(office) == chosen) | (chosen is None)]
            answer = themes(dataset, Selection(offices=(chosen,)) if chosen else Selection())
            assert len(answer.rows) == mine["theme"].nunique()
            for row in answer.rows:
                assert list(row.quotes) == mine.loc[mine["theme"] == row.theme, "comment"].head(3).tolist()


def test_an_item_nobody_was_asked_about_has_no_answers(small_demo: Dataset, tmp_path: Path) -> None:
    """Not all answers to other items."""
    folder = tmp_path / "own_items"
    shutil.copytree(small_demo.path, folder)
    given = pd.read_parquet(folder / "source" / "feedback.parquet")
    given["item"] = "our own " + given["item"]
    given.to_parquet(folder / "source" / "feedback.parquet", index=False)
    finish_dataset(folder, tomllib.loads((folder / "dataset.toml").read_text(encoding="utf-8")))
    dataset = open_dataset(folder)
    alone = compare(dataset, "feedback_confidence")
    together = [answer for answer in compare_all(dataset) if answer.metric == "feedback_confidence"]
    assert together
    for answer in (alone, *alone.groups, *together):
        assert answer.verdict in ("too_few", "described")
        assert not any(arm.n for arm in answer.arms.values())
        assert not {"denominator_missing", "outside_comparison_window"} & answer.left_out.keys()


def test_the_mode_filter_is_not_applied_and_said(small_demo: Dataset) -> None:
    narrowed = feedback(small_demo, Selection(modes=("virtual",)))
    assert "mode_filter_ignored" in narrowed.caveats
    assert [r.scores for r in narrowed.items] == [r.scores for r in feedback(small_demo).items]


def test_nothing_to_say_is_said(small_demo: Dataset) -> None:
    import datetime as dt

    nowhen = Selection(start=dt.date(2030, 1, 1))
    assert feedback(small_demo, nowhen).sentence == "No validations match these filters."
    for name in ("scores", "response", "again", "agreement", "themes"):
        assert figure(f"feedback.{name}", small_demo, nowhen).state is not None


def test_another_office_is_refused(small_demo: Dataset) -> None:
    with pytest.raises(AnalysisError, match="Atlantis"):
        feedback(small_demo, Selection(offices=("Atlantis",)))


@pytest.mark.parametrize("office", ["Miami", "Newark"])
def test_small_counts_are_hidden(small_demo: Dataset, office: str) -> None:
    selection = Selection(offices=(office,))
    hidden = suppressed(feedback(small_demo, selection))
    assert any(count is None for row in hidden.items for counts in row.scores.values() for count in counts)
    for row in hidden.items:
        for counts in row.scores.values():
            assert not any(is_small(count) for count in counts)
            assert all(count is None for count in counts) or all(count is not None for count in counts)
    for row in hidden.responses:
        assert (
            not is_small(row.count) and not is_small(row.n) and not is_small((row.n or 0) - (row.count or 0))
        )
    about = suppressed(themes(small_demo, selection))
    assert not any(row.quotes for row in about.rows)
    assert not any(
        is_small(count) for row in about.rows for count in (row.n, row.favourable, *row.counts.values())
    )
    pairs = suppressed(pair_agreement(small_demo, selection))
    assert not any(is_small(row.same) or is_small(row.n) for row in pairs.rows)


def test_comments_are_on_the_screen_and_in_no_export(demo: Dataset) -> None:
    shown = figure("feedback.themes", demo)
    assert shown.table["As it was written"].str.contains("“").all()
    assert "“" not in shown.to_csv()
    assert "As it was written" not in figure("feedback.themes", demo, suppress=True).table


def test_bars_meet_in_the_middle_of_the_middle_score() -> None:
    shares = np.array([0.1, 0.2, 0.2, 0.3, 0.2])
    frame = pd.DataFrame(
        {"label": "Effort", "arm": 0, "arm_label": "Virtual", "score": range(1, 6), "share": shares, "result": "+1.0",
         "strong": False, "said": "…"}
    )  # fmt: skip
    chart = diverging_bars(frame, alt_text="Bars.", palette="light").to_dict()
    rows = next(data for data in chart["datasets"].values() if len(data) == 1 and data[0].get("score") == 3)
    assert rows[0]["start"] == pytest.approx(-0.1) and rows[0]["end"] == pytest.approx(0.1)


def test_what_cannot_be_tested_is_not_called_alike(small_demo: Dataset) -> None:
    """Before virtual validations began there is nothing to compare, and so no score that 'does not differ'."""
    before = Selection(end=dt.date(2019, 12, 31))
    answer = feedback(small_demo, before)
    assert answer.n and all(row.adjusted_p is None for row in answer.items)
    assert answer.sentence.endswith("No score can be compared between the modes.")
    whole = feedback(small_demo)
    tested = sum(row.adjusted_p is not None for row in whole.items)
    assert f" of {tested} score" in whole.sentence
