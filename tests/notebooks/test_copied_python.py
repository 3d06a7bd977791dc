"""What *Copy as Python* gives, run in a fresh kernel, is the figure of the page: for every figure of every page."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from streamlit.testing.v1 import AppTest

from analysis import Dataset, Selection, figure
from analysis.charts.figure import Figure
from analysis.figures import registry
from pages._ui.figure import Source
from tests.notebooks.kernels import ROOT, executed

PAGES = sorted({name.split(".")[0] for name in registry()})
ADDRESS = {
    "office": ["Miami", "Houston", "New York", "Newark"],
    "risk": ["low", "medium"],
    "from": "2020-01-01",
    # Choices of the pages, each another than its first.
    "metric": "any_deficiency",
    "by": "risk",
    "leave": "quarter",
    "order": "count",
    "basis": "fiscal_year",
    "cause": "internal_conspiracy",
    "respondent": "member",
    "compare": "deficiency_rate",
    "technology": "tour",
    "column": "hours",
}


@dataclass(frozen=True)
class Drawn:
    """A figure as a page drew it, and what the page asked it for."""

    figure: Figure
    settings: dict[str, Any]


@pytest.fixture(scope="module")
def drawn() -> Iterator[dict[str, list[Drawn]]]:
    """Page → what it draws under an address with filters and choices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.delenv("CTPAT_DATASETS", raising=False)
        seen: list[Drawn] = []

        def kept(record: Figure, source: Source, name: str) -> None:
            seen.append(Drawn(record, dict(source.settings)))

        patch.setattr("pages._ui.figure.draw", kept)
        app = AppTest.from_file(str(ROOT / "pages" / "_shell.py"), default_timeout=120)
        for name, value in ADDRESS.items():
            app.query_params[name] = value
        app.run()
        found = {}
        for page in PAGES:
            seen.clear()
            app.switch_page(f"{page}.py").run()
            assert not app.exception
            found[page] = list(seen)
        yield found


PROBE = """
import pickle
with open({to!r}, "wb") as file:
    pickle.dump((_.id, _.title, _.caption, _.data, _.table), file)
"""


def run(snippets: Sequence[str], folder: Path) -> list[tuple[Any, ...]]:
    """What each snippet shows, in a new kernel, each with an empty namespace."""
    cells = []
    for place, snippet in enumerate(snippets):
        cells += [new_code_cell(snippet), new_code_cell(PROBE.format(to=str(folder / f"{place}")))]
        cells.append(new_code_cell("%reset -f"))
    notebook = executed(new_notebook(cells=cells))
    for cell in notebook.cells[::3]:
        assert [output.output_type for output in cell.outputs] == ["execute_result"], cell.source
    return [pickle.loads((folder / f"{place}").read_bytes()) for place in range(len(snippets))]


def assert_same(shown: tuple[Any, ...], expected: Figure) -> None:
    name, title, caption, data, table = shown
    assert (name, title, caption) == (expected.id, expected.title, expected.caption)
    pd.testing.assert_frame_equal(data, expected.data, check_exact=True)
    pd.testing.assert_frame_equal(table, expected.table, check_exact=True)


def test_every_figure_is_on_a_page_and_the_choices_are_in_its_lines(drawn: dict[str, list[Drawn]]) -> None:
    everything = [each for found in drawn.values() for each in found]
    # Where no group turns a comparison round, there is no such table to show; and a whole dataset is no part of one.
    missing = set(registry()) - {each.figure.id for each in everything}
    assert missing <= {"virtual_vs_in_person.mix", "overview.program"}
    asked = {(name, value) for each in everything for name, value in each.settings.items()}
    choices = ADDRESS.keys() - {"office", "risk", "from", "compare", "technology"}
    assert {(name, ADDRESS[name]) for name in choices} <= asked
    assert {("metric", ADDRESS["compare"]), ("by", ADDRESS["technology"])} <= asked
    for each in everything:
        for name, value in each.settings.items():
            assert value is None or f"{name}={value!r}" in each.figure.code


def test_the_lines_of_every_figure_give_its_numbers(drawn: dict[str, list[Drawn]], tmp_path: Path) -> None:
    # A figure that says why there is nothing to show has no menu.
    there = [each.figure for found in drawn.values() for each in found if each.figure.state is None]
    assert len(there) >= len(registry()) - 5
    for shown, expected in zip(run([made.code for made in there], tmp_path), there, strict=True):
        assert_same(shown, expected)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("virtual_vs_in_person.mix", {}),
        ("virtual_vs_in_person.ways", {"metric": "hours", "margin": 1.2, "suppress": True}),
    ],
)
def test_one_alone_in_its_kernel(
    name: str, settings: dict[str, Any], demo: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    expected = figure(name, demo, Selection(risks=("low", "medium")), **settings)
    (shown,) = run([expected.code], tmp_path)
    assert_same(shown, expected)
    assert ("suppress=True" in expected.code) is settings.get("suppress", False)
