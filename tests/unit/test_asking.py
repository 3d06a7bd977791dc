"""Questions that start from other questions: a page answers each of them once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from analysis.datasets.opening import Dataset
from analysis.figures import figure, registry
from analysis.questions import deficiencies, feedback, maritime
from analysis.questions.anomalies import anomalies
from analysis.questions.asking import answer_to, answered_by, keeping, key_of
from analysis.questions.effort import effort
from analysis.selection import Selection

HERE = Selection(offices=("Miami",))


class Page:
    """What is asked, and how often each question is answered."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._known: dict[str, Any] = {}

    def ask(self, question: Callable[..., Any], *subject: Any, **settings: Any) -> Any:
        key = key_of(question, *subject, **settings)
        self.asked.append(key)
        if key not in self._known:
            self._known[key] = question(*subject, **settings)
        return self._known[key]


@pytest.mark.parametrize(
    ("page", "opening"),
    [
        ("feedback", feedback.headline),
        ("maritime", maritime.headline),
        ("msc_deficiencies", deficiencies.headline),
        ("anomalies", lambda dataset, selection: anomalies(dataset, selection, metric="any_deficiency")),
        ("virtual_vs_in_person", effort),
    ],
)
def test_what_opens_a_page_is_made_of_what_its_figures_show(
    demo: Dataset, page: str, opening: Callable[[Dataset, Selection], Any]
) -> None:
    first, figures = Page(), Page()
    with answered_by(first.ask):
        opened = opening(demo, HERE)
    with answered_by(figures.ask):
        for name in registry():
            if name.startswith(f"{page}."):
                figure(name, demo, HERE)
    shared = set(first.asked) & set(figures.asked)
    assert first.asked and len(shared) >= len(set(first.asked)) - (page == "anomalies")
    assert repr(opened) == repr(opening(demo, HERE)), "alone it says the same"


def test_alone_a_question_is_asked_anew(demo: Dataset) -> None:
    times: list[Selection] = []

    def question(dataset: Dataset, selection: Selection) -> int:
        times.append(selection)
        return len(times)

    page = Page()
    assert [answer_to(question, demo, HERE) for _ in range(2)] == [1, 2]
    with answered_by(page.ask):
        assert [answer_to(question, demo, HERE) for _ in range(2)] == [3, 3]
    assert answer_to(question, demo, HERE) == 4


def test_whoever_keeps_answers_for_a_while_asks_once_and_leaves_others_to_theirs(demo: Dataset) -> None:
    times: list[Selection] = []

    def question(dataset: Dataset, selection: Selection, *, deep: bool = False) -> int:
        times.append(selection)
        return len(times)

    with keeping():
        assert [answer_to(question, demo, HERE) for _ in range(2)] == [1, 1]
        assert answer_to(question, demo, HERE, deep=True) == 2
        assert answer_to(question, demo, Selection()) == 3
    page = Page()
    with answered_by(page.ask), keeping():
        assert answer_to(question, demo, HERE) == 4
    assert len(page.asked) == 1
    assert answer_to(question, demo, HERE) == 5
