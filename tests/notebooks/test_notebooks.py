"""Every notebook runs from top to bottom, from the project's folder, and is stored without output."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.notebooks.kernels import ROOT, executed

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_without_output(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    executed(notebook)
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert shown
    assert not [output for output in shown if output.output_type == "error" or output.get("name") == "stderr"]


def test_the_tour_shows_figures_and_the_truth_is_in_the_interval() -> None:
    notebook = nbformat.read(ROOT / "notebooks" / "01_tour.ipynb", as_version=4)
    executed(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert any("vegalite" in kind for kind in kinds)
    assert any(output.get("data", {}).get("text/plain") == "True" for output in outputs)
