"""Windows that figures share: the same answers with them as without, within bounds, and only where somebody holds them."""

from __future__ import annotations

import dataclasses
import threading
import time

import pandas as pd
import pytest

from analysis.counts import counts
from analysis.datasets.opening import Dataset
from analysis.metrics import metric
from analysis.questions import counted_windows as counting
from analysis.questions.afterwards import afterwards
from analysis.questions.comparison import compare, compare_all
from analysis.questions.counted_windows import window_of
from analysis.questions.differences import differences
from analysis.questions.differences_mix import mix
from analysis.questions.effort import effort
from analysis.questions.families import compare_categories
from analysis.questions.robustness_specifications import specifications
from analysis.questions.sharing import Shared, counted_once, sharing
from analysis.questions.tracking import tracking
from analysis.questions.window import Window
from analysis.schema import ADJUSTMENT_COLUMNS
from analysis.selection import Selection

HERE = Selection(offices=("Miami",))


@dataclasses.dataclass
class Held:
    nbytes: int


HEADLINE = metric("any_must_deficiency")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is counted for windows, as it happens."""
    seen: list[str] = []
    for name in ("tally_counts", "time_counts"):
        real = getattr(counting, name)

        def told(*arguments: object, _real=real, _name=name, **settings: object) -> pd.DataFrame:
            seen.append(_name)
            return _real(*arguments, **settings)

        monkeypatch.setattr(counting, name, told)
    return seen


@pytest.mark.parametrize("areas", [0, 1])
def test_shared_or_not_the_answers_are_the_same(demo: Dataset, areas: int) -> None:
    selection = dataclasses.replace(HERE, focus_areas=demo.vocabulary("focus_area")[:areas])

    def everything() -> list[str]:
        return [
            repr(compare(demo, "any_must_deficiency", selection)),
            repr(compare_all(demo, selection)),
            repr(tracking(demo, "any_must_deficiency", selection)),
            repr(specifications(demo, "any_must_deficiency", selection)),
            repr(differences(demo, "any_must_deficiency", selection, by="risk")),
            repr(effort(demo, selection)),
            repr(afterwards(demo, selection)),
        ]

    alone = everything()
    with sharing(Shared()):
        assert everything() == alone
        # Again, now that all windows are held, and have answers of their own.
        assert everything() == alone


def test_what_is_held_is_counted_once(demo: Dataset, counted: list[str]) -> None:
    window_of(demo, [HEADLINE], HERE)
    window_of(demo, [HEADLINE], HERE)
    assert len(counted) == 2, "nothing is held unless somebody says so"
    held = Shared()
    with sharing(held):
        first = window_of(demo, [HEADLINE], HERE)
        assert window_of(demo, [HEADLINE], HERE) is first
        assert window_of(demo, [HEADLINE], Selection()) is not first
        assert window_of(demo, [metric("deficiency_rate")], HERE) is not first
        assert window_of(demo, [HEADLINE], HERE, modelled=False) is not first
        assert window_of(demo, [metric("hours")], HERE) is window_of(demo, [metric("hours")], HERE)
    assert len(counted) == 2 + 5 and len(held) == 5


def test_another_dataset_is_another_window(demo: Dataset, small_demo: Dataset) -> None:
    with sharing(Shared()):
        one, other = (window_of(dataset, [HEADLINE], Selection()) for dataset in (demo, small_demo))
    assert one.counted["n"].sum() == demo.row_counts["validations"]
    assert other.counted["n"].sum() == small_demo.row_counts["validations"]


def test_few_are_held_and_the_longest_unasked_goes_first(demo: Dataset, counted: list[str]) -> None:
    selections = [Selection(offices=(office,)) for office in demo.present("field_office")[:4]]
    with sharing(Shared(most=2)) as _:
        for selection in selections[:2]:
            window_of(demo, [HEADLINE], selection)
        window_of(demo, [HEADLINE], selections[0])
        window_of(demo, [HEADLINE], selections[2])
        assert len(counted) == 3
        window_of(demo, [HEADLINE], selections[0])
        assert len(counted) == 3, "the one asked again stayed"
        window_of(demo, [HEADLINE], selections[1])
        assert len(counted) == 4


def test_no_more_memory_than_allowed(demo: Dataset) -> None:
    size = window_of(demo, [HEADLINE], Selection()).nbytes
    held = Shared(most_bytes=2 * size + size // 2)
    with sharing(held):
        for name in ("any_deficiency", "any_must_deficiency", "passed", "deficiency_rate", "repeat_rate"):
            newest = window_of(demo, [metric(name)], Selection())
            assert newest is window_of(demo, [metric(name)], Selection())
            assert newest.nbytes <= held.nbytes <= 2 * size + size // 2
    too_small = Shared(most_bytes=size - 1)
    with sharing(too_small):
        window_of(demo, [HEADLINE], Selection())
    assert len(too_small) == 0


def test_a_window_says_what_it_takes(demo: Dataset) -> None:
    window = window_of(demo, [HEADLINE], Selection())
    frames = (window.counted, window.selection, window.rows)
    apart = sum(int(frame.memory_usage(index=False).sum()) for frame in frames)
    assert 0.3 * apart < window.nbytes <= apart


@pytest.mark.parametrize("via", ["cells", "rows"])
def test_categories_are_the_same_values_in_less_room(demo: Dataset, via: str) -> None:
    by = ["mode", "month", *ADJUSTMENT_COLUMNS, "field_office", "entity_type"]
    values = counts(demo, "validations", by, via=via)
    categories = counts(demo, "validations", by, via=via, categories=True)
    for column in by:
        if column != "month":
            assert isinstance(categories[column].dtype, pd.CategoricalDtype)
            assert tuple(categories[column].cat.categories) == demo.vocabulary(column)
        pd.testing.assert_series_equal(categories[column].astype(object), values[column].astype(object))
    assert categories.memory_usage(index=False).sum() < values.memory_usage(index=False).sum() / 2


def test_two_visitors_who_ask_at_once_count_once() -> None:
    shared, counted_times, both = Shared(), [], threading.Barrier(2)

    def count() -> Held:
        counted_times.append(threading.current_thread().name)
        time.sleep(0.2)
        return Held(1)

    found = []

    def visit() -> None:
        both.wait(20)
        with sharing(shared):
            found.append(counted_once("rows", count))

    visitors = [threading.Thread(target=visit) for _ in range(2)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(20)
    assert len(counted_times) == 1
    assert found[0] is found[1]


def test_what_fails_is_counted_again_by_the_next() -> None:
    def broken() -> Held:
        raise OSError("disk gone")

    with sharing(Shared()):
        with pytest.raises(OSError):
            counted_once("rows", broken)
        assert counted_once("rows", lambda: Held(1)).nbytes == 1


def test_what_a_family_works_out_ends_with_it(demo: Dataset) -> None:
    """What is held is as large as it was when it was measured."""
    shared = Shared()
    with sharing(shared):
        compare_categories(demo, HERE)
    (window,) = (rows for rows, _ in shared._held.values())
    assert isinstance(window, Window)
    assert not any(isinstance(name, tuple) for name in window.known._known)


def test_in_a_focus_area_a_mix_and_its_groups_start_from_the_rows_of_the_comparison(
    demo: Dataset, counted: list[str]
) -> None:
    """Critical findings are about whole validations: not even their denominator is narrowed, whoever asks."""
    area = dataclasses.replace(HERE, focus_areas=demo.vocabulary("focus_area")[:1])
    with sharing(Shared()):
        compare(demo, "critical_findings", area)
        compare(demo, "critical_findings", area, by="risk")
        assert counted
        counted.clear()
        mix(demo, "critical_findings", area)
        differences(demo, "critical_findings", area, by="risk")
    assert counted == []
