"""The program's own files as syntax trees."""

from __future__ import annotations

import ast
import gc
from functools import cache
from pathlib import Path


@cache
def tree_of(path: Path) -> ast.Module:
    """A file as a tree, read once: it is looked at, never changed.

    Without a collection of garbage on the way: what ends then may switch to the browser of other tests, and Python 3.11
    loses count of how deep it is in the tree ("AST constructor recursion depth mismatch").
    """
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        gc.enable()
