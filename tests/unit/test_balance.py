"""Is it fair: balance before and after weighting, against numpy, and what it does to the verdict."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from analysis import Selection, figure
from analysis.datasets.opening import Dataset
from analysis.questions import answering
from analysis.questions.balance import Balance, balance, unbalanced
from analysis.questions.comparison import compare

SINCE = Selection(start=dt.date(2020, 7, 1))


@pytest.fixture(scope="module")
def answer(demo: Dataset) -> Balance:
    return balance(demo, SINCE)


def test_differences_before_are_those_of_numpy(demo: Dataset, answer: Balance) -> None:
    frame = pd.read_parquet(demo.path / "prepared" / "validations.parquet")
    frame = frame[frame["quarter"] >= 2020 * 4 + 2]
    arms = [frame[frame["mode"] == demo.code("mode", mode)] for mode in ("virtual", "in_person")]
    assert list(answer.n.values()) == [len(arm) for arm in arms]
    for row in answer.rows:
        wanted = int(row.value) if row.column == "quarter" else demo.code(row.column, str(row.value))
        p1, p0 = ((arm[row.column] == wanted).mean() for arm in arms)
        assert (row.virtual, row.in_person) == pytest.approx((p1, p0))
        assert row.before == pytest.approx((p1 - p0) / np.sqrt((p1 * (1 - p1) + p0 * (1 - p0)) / 2))


def test_overlap_weights_balance_what_the_model_holds(answer: Balance) -> None:
    for row in answer.rows:
        if row.column != "entity_type":
            assert row.after == pytest.approx(0, abs=1e-8)
    before, after = answer.largest
    assert before > 0.5 and after is not None and after < 0.1 and answer.fair
    assert answer.positivity == 1 and answer.plausible is not None and answer.plausible > 0.99
    for mode, n in answer.n.items():
        worth = answer.effective[mode]
        assert worth is not None and n / 2 < worth < n


def test_what_is_apart_after_weighting_forbids_a_verdict(
    demo: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "unbalanced", lambda rows: True)
    found = compare(demo, "any_must_deficiency", SINCE)
    assert found.verdict == "not_comparable" and found.reasons[0] == "unbalanced"
    assert found.sentence.startswith("**Not comparable.** Even after weighting")


def test_only_what_assignment_depends_on_gates_the_verdict() -> None:
    # A tiny office whose validations are all virtual: apart by chance, shown in the picture, no reason to refuse.
    rows = pd.DataFrame(
        {
            "arm": [1, 0] * 200,
            "n": 1,
            "risk": "low",
            "kind": "initial",
            "location": "domestic",
            "quarter": 8082,
        }
    )
    assert not unbalanced(rows.assign(field_office="Miami"))
    assert not unbalanced(rows.head(0)) and not unbalanced(rows[rows["arm"] == 1])
    tiny = rows.assign(field_office=np.where((np.arange(400) < 18) & (rows["arm"] == 1), "Newark", "Miami"))
    assert not unbalanced(tiny)
    risky = rows.assign(risk=np.where((np.arange(400) < 18) & (rows["arm"] == 1), "high", "low"))
    assert unbalanced(risky)


def test_nobody_to_compare_with(demo: Dataset) -> None:
    early = balance(demo, Selection(end=dt.date(2019, 12, 31)))
    assert early.rows == () and early.reasons == ("no_comparison_window",) and not early.fair
    assert (
        figure("virtual_vs_in_person.balance", demo, Selection(end=dt.date(2019, 12, 31))).state is not None
    )


def test_the_picture_shows_the_largest_first(demo: Dataset, answer: Balance) -> None:
    made = figure("virtual_vs_in_person.balance", demo, SINCE)
    assert made.table["Before"].iloc[0] == "−0.79" and len(made.table) == len(answer.rows)
    sizes = [abs(row.before) for row in answer.rows]
    assert sizes == sorted(sizes, reverse=True)
