"""Random questions to `counts`, asked of cells and of rows."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from analysis.counts import counts
from analysis.datasets.opening import Dataset
from analysis.selection import Selection
from tests.property.test_counts_recounted import OTHERS, SUMS, VALUES, F, choices, selection_of

TABLES = {"validations": (F, SUMS), **OTHERS}


@dataclass(frozen=True)
class Asked:
    table: str
    by: tuple[str, ...]
    sums: tuple[str, ...]
    selection: Selection


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    table = draw(st.sampled_from(sorted(TABLES)))
    keys, sums = TABLES[table]
    by = tuple(sorted(draw(st.sets(st.sampled_from(keys), max_size=3))))
    columns = tuple(VALUES) if table in ("findings", "validations") else tuple(set(VALUES) - {"focus_area"})
    chosen = draw(choices(months=True, columns=tuple(sorted(columns))))
    return Asked(table, by, tuple(sums), selection_of(chosen))


def asked_of(dataset: Dataset, asked: Asked) -> None:
    """Cells and rows give the same frame."""
    cells, rows = (
        counts(dataset, asked.table, asked.by, asked.selection, sums=asked.sums, via=via)
        for via in ("cells", "rows")
    )
    assert_frame_equal(cells, rows, check_dtype=False)
