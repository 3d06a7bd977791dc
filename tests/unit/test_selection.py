"""Selections: values that know their URL and their words."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.counts import counts
from analysis.datasets.opening import Dataset
from analysis.errors import AnalysisError
from analysis.selection import LISTS, Selection, day_number, month_number, month_start

days = st.none() | st.dates(dt.date(2017, 1, 1), dt.date(2024, 12, 31))


@given(st.data(), days, days)
def test_a_url_gives_the_selection_back(
    small_demo: Dataset, data: st.DataObject, one: dt.date | None, other: dt.date | None
) -> None:
    if one and other and one > other:
        one, other = other, one
    lists = {
        name: tuple(data.draw(st.lists(st.sampled_from(small_demo.vocabulary(column)), max_size=3)))
        for name, (_, column) in LISTS.items()
    }
    chosen = Selection(start=one, end=other, **lists)
    again, ignored = Selection.from_query(chosen.to_query(), small_demo)
    assert (again, ignored) == (chosen, ())
    assert hash(again) == hash(chosen) and chosen.checked(small_demo) is chosen
    assert chosen.words(small_demo)


def test_nothing_chosen_has_no_url() -> None:
    assert Selection().to_query() == {}
    assert Selection(offices=("Miami", "Miami")).to_query() == {"office": ["Miami"]}


def test_order_and_repeats_do_not_matter() -> None:
    assert Selection(offices=("Newark", "Miami", "Miami")) == Selection(offices=("Miami", "Newark"))


def test_what_a_url_says_beyond_the_dataset_is_ignored_and_named(small_demo: Dataset) -> None:
    query = {"office": ["Atlantis", "Miami"], "risk": ["lowish"], "from": ["yesterday"], "to": ["2020-13-40"],
             "mode": ["virtual"], "unknown": ["x"]}  # fmt: skip
    chosen, ignored = Selection.from_query(query, small_demo)
    assert chosen == Selection(offices=("Miami",), modes=("virtual",))
    assert ignored == ("office Atlantis", "risk lowish", "from yesterday", "to 2020-13-40")


def test_a_url_whose_period_ends_before_it_starts_loses_its_end(small_demo: Dataset) -> None:
    chosen, ignored = Selection.from_query({"from": ["2021-05-01"], "to": ["2020-05-01"]}, small_demo)
    assert chosen == Selection(start=dt.date(2021, 5, 1)) and ignored == ("to 2020-05-01",)


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(AnalysisError, match=r"ends .* before it starts .*swap --from and --to"):
        Selection(start=dt.date(2021, 1, 2), end=dt.date(2021, 1, 1))
    assert Selection(start=dt.date(2021, 1, 1), end=dt.date(2021, 1, 1)).whole_months() is False


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"offices": ("Maimi",)},
            "Field office 'Maimi' (--office) is not in this dataset; did you mean 'Miami'?",
        ),
        ({"modes": ("virtul",)}, "(--mode) is not in this dataset; did you mean 'virtual'?"),
        ({"entity_types": ("importr",)}, "(--entity-type) is not in this dataset; did you mean 'importer'?"),
        ({"focus_areas": ("corporate security",)}, "did you mean 'Corporate Security'?"),
        ({"risks": ("'; DROP TABLE x; --",)}, "allowed are: high, low, medium."),
    ],
)
def test_unknown_values_are_named_with_the_nearest(
    small_demo: Dataset, change: dict[str, tuple[str, ...]], words: str
) -> None:
    with pytest.raises(AnalysisError) as caught:
        Selection(**change).checked(small_demo)
    assert words in str(caught.value)


def test_words_name_period_offices_and_the_rest(small_demo: Dataset) -> None:
    assert Selection().words(small_demo) == "Jan 2018 – Dec 2022 (calendar) · all 6 field offices"
    chosen = Selection(
        offices=("Miami", "Newark"), start=dt.date(2020, 7, 1), end=dt.date(2021, 6, 30), risks=("low", "high"),
        modes=("virtual",),
    )  # fmt: skip
    words = chosen.words(small_demo)
    assert words.startswith("Jul 2020 – Jun 2021 (calendar) · Miami and Newark · ")
    assert "validation mode: Virtual" in words and "risk: " in words
    assert "outside the data" in Selection(start=dt.date(2035, 1, 1)).words(small_demo)
    assert "5 Jul 2020 – 31 Dec 2022" in Selection(start=dt.date(2020, 7, 5)).words(small_demo)


@given(st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31)))
def test_keys_of_days_and_months_follow_the_calendar(day: dt.date) -> None:
    assert dt.date(1970, 1, 1) + dt.timedelta(days=day_number(day)) == day
    assert month_start(month_number(day)) == day.replace(day=1)
    first = Selection(start=day.replace(day=1), end=day)
    tomorrow = day + dt.timedelta(days=1) if day < dt.date.max else None
    assert first.whole_months() == (tomorrow is None or tomorrow.day == 1)


def test_several_values_of_a_filter_are_all_kept_in_rows(small_demo: Dataset) -> None:
    one, other = (
        counts(small_demo, "validations", (), Selection(offices=(office,)), via="rows")["n"].iloc[0]
        for office in ("Miami", "Houston")
    )
    both = counts(small_demo, "validations", (), Selection(offices=("Miami", "Houston")), via="rows")
    assert one and other and both["n"].iloc[0] == one + other
