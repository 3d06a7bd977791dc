"""Groups come in the order of their keys, however large these are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from analysis.counts import _sorted

# Five columns of these together are far more than a number of 64 bits can tell apart.
CODES = st.one_of(st.integers(-1, 3), st.integers(0, 2**40), st.integers(-(2**30), 2**30))


@given(st.lists(st.tuples(CODES, CODES, CODES, CODES, CODES), min_size=1, max_size=60))
def test_groups_are_sorted_as_pandas_sorts_them(rows: list[tuple[int, ...]]) -> None:
    columns = list("abcde")
    frame = pd.DataFrame(rows, columns=columns).astype(np.int64).drop_duplicates(ignore_index=True)
    pd.testing.assert_frame_equal(_sorted(frame, columns), frame.sort_values(columns, ignore_index=True))
