"""Work shared between metrics and methods: the app's pure functions, not asked twice about the same program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from analysis.questions import arms, before_after, models
from analysis.selection import Selection
from analysis.stats import estimating, g_computation
from tests.bench.truth.held import Held

_Function = Callable[..., Any]


@contextmanager
def shared() -> Iterator[None]:
    """While this lasts, repeated questions are answered from memory, with the very same numbers.

    The methods of one metric share their design; metrics with the same denominators share their propensity.
    Frames must not be changed meanwhile.
    """
    logit, without_repeats = _by_value(estimating.logit), _by_value(estimating.without_repeats)
    with ExitStack() as stack:
        for module, name, remembered in (
            (models, "design_of", _by_identity(models.design_of)),
            (models, "in_shared_strata", _by_identity(models.in_shared_strata)),
            (models, "effective_sizes", _by_identity(models.effective_sizes)),
            (models, "smallness_of", _by_identity(models.smallness_of)),
            (arms, "counts", _ungrouped),
            (before_after, "counts", _ungrouped),
            (estimating, "without_repeats", without_repeats),
            *((module, "logit", logit) for module in (estimating, g_computation)),
        ):
            stack.enter_context(patch.object(module, name, remembered))
        yield


def _by_identity(function: _Function) -> _Function:
    known: dict[Any, Any] = {}

    def answer(*things: Any, **options: Any) -> Any:
        key = (*map(id, things), *sorted(options.items()))
        if key not in known:
            # The things are kept, so that their identity is not given to others.
            known[key] = things, function(*things, **options)
        return known[key][1]

    return answer


def _by_value(function: _Function) -> _Function:
    known: dict[Any, Any] = {}

    def answer(*arrays: Any) -> Any:
        key = tuple((np.shape(array), np.asarray(array, float).tobytes()) for array in arrays)
        if key not in known:
            known[key] = function(*arrays)
        return known[key]

    return answer


def _ungrouped(
    held: Held,
    table: str,
    by: Any,
    selection: Selection = Selection(),
    *,
    sums: Any = ("n",),
    via: str = "",
    only: Mapping[str, Any] = MappingProxyType({}),
    categories: bool = False,
) -> pd.DataFrame:
    assert selection == Selection(), "the bench asks about whole programs"
    return held.ungrouped(table, by, sums, only)
