"""Counts from cubes are those of a plain group-by of the same cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from analysis.datasets.cells import CellTable
from analysis.datasets.cubes import Cube, Measure, read_cube

STRATA = ["field_office", "mode", "month", "risk"]
KINDS = ["criterion_id", "left_month"]
TABLE = CellTable("cells", "rows", (*STRATA, *KINDS), ("n", "events", "n_a0", "n_a1"))


def cells_of(seed: int, *, size: int = 4_000, rare: bool = False) -> pd.DataFrame:
    """Sorted cells; `left_month` is not always recorded, events may add up to nothing, a cell may count nothing."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "field_office": rng.integers(-1, 6, size), "mode": rng.integers(0, 3, size),
            "month": rng.integers(24_200, 24_260, size), "risk": rng.integers(0, 3, size),
            "criterion_id": rng.integers(0, 10**6, size) if rare else rng.integers(0, 97, size),
            "left_month": np.where(rng.random(size) < 0.4, np.nan, rng.integers(24_000, 24_020, size)),
            "n": rng.integers(0 if rare else 1, 9, size), "events": rng.integers(0, 2, size),
            "n_a0": rng.integers(0, 3, size), "n_a1": np.where(rng.random(size) < 0.1, np.nan, 2),
        }
    )  # fmt: skip
    return rows.groupby([*STRATA, *KINDS], dropna=False, as_index=False).sum()


def cube_of(cells: pd.DataFrame, folder: Path) -> Cube:
    cells.to_parquet(folder / "cells.parquet", index=False)
    return read_cube(folder / "cells.parquet", TABLE)


def plainly(cells: pd.DataFrame, by: list[str], sums: list[str]) -> pd.DataFrame:
    return cells.groupby(by, dropna=False, as_index=False)[sums].sum().sort_values(by, ignore_index=True)


def same(found: dict[str, NDArray[Any]], expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(pd.DataFrame(found), expected, check_dtype=False)


@pytest.mark.parametrize(
    "by",
    [["mode"], ["criterion_id"], ["left_month", "mode"], ["criterion_id", "field_office", "left_month"], ["month", "risk"],
     [*STRATA, *KINDS]],
)  # fmt: skip
@pytest.mark.parametrize("rare", [False, True])
def test_any_grouping_of_any_strata_and_kinds(by: list[str], rare: bool, tmp_path: Path) -> None:
    cells = cells_of(1, rare=rare)
    whole = cube_of(cells, tmp_path)
    measures = {name: Measure((name,)) for name in ("n", "events")}
    cube = whole.holding({*by, "month", "mode", "criterion_id"})
    same(cube.counted(by, measures), plainly(cells, by, list(measures)))
    kept, kinds = cube.strata["mode"] == 1, cube.kinds["criterion_id"] % 3 == 0
    inside = cells[(cells["mode"] == 1) & (cells["criterion_id"] % 3 == 0)]
    same(cube.counted(by, measures, kept, kinds), plainly(inside, by, list(measures)))


def test_without_groups_there_is_one_row_even_of_nothing(tmp_path: Path) -> None:
    cells = cells_of(2)
    cube = cube_of(cells, tmp_path)
    measures = {"n": Measure(("n",)), "both": Measure(("n_a0", "n_a1"))}
    expected = {"n": [cells["n"].sum()], "both": [cells["n_a0"].sum() + cells["n_a1"].sum()]}
    same(cube.counted([], measures), pd.DataFrame(expected))
    nothing = cube.counted([], measures, np.zeros(len(cube.strata["mode"]), bool))
    assert [values.tolist() for values in nothing.values()] == [[0], [0]]
    empty = cube_of(cells.head(0), tmp_path)
    assert len(empty.counted(["mode"], measures)["n"]) == 0 and empty.counted([], measures)["n"].tolist() == [
        0
    ]


def test_a_measure_of_some_kinds_keeps_the_groups_of_all(tmp_path: Path) -> None:
    cells = cells_of(3)
    cube = cube_of(cells, tmp_path)
    marked = cube.kinds["criterion_id"] == 5
    found = cube.counted(["risk", "criterion_id"], {"n": Measure(("n",), marked)})
    expected = plainly(
        cells.assign(n=cells["n"].where(cells["criterion_id"] == 5, 0)), ["risk", "criterion_id"], ["n"]
    )
    same(found, expected)
    assert (found["n"] == 0).any()


def test_smaller_tables_are_kept_and_hold_the_same_sums(tmp_path: Path) -> None:
    cells = cells_of(4)
    cube = cube_of(cells, tmp_path)
    coarse, bare = cube.holding({"mode", "criterion_id"}), cube.holding({"risk"})
    assert coarse is cube.holding({"month", "left_month"}) and "risk" not in coarse.strata
    assert not bare.kinds and cube.holding({"risk", "criterion_id"}) is cube
    for each in (coarse, bare, cube.holding(set())):
        assert each.sums("n").sum() == cells["n"].sum() and len(each.sums("n")) <= len(cells)
    same(bare.counted(["risk"], {"n": Measure(("n",))}), plainly(cells, ["risk"], ["n"]))


def test_cells_out_of_order_are_counted_all_the_same(tmp_path: Path) -> None:
    cells = cells_of(5)
    cube = cube_of(cells.sample(frac=1, random_state=1), tmp_path)
    for by in (["risk", "mode"], ["criterion_id"]):
        same(cube.holding({*by}).counted(by, {"n": Measure(("n",))}), plainly(cells, by, ["n"]))
