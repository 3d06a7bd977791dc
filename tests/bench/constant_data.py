"""The app as any Streamlit page would be with constant data: answers are held, its figures are drawn at every look.

``uvicorn tests.bench.constant_data:app`` serves it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app import app as app
from pages._ui import cache

_held = cache._kept


def _kept_but_for_figures(key: str, answer: Callable[[], Any]) -> Any:
    return answer() if key.startswith("('pages._ui.figure', 'drawn'") else _held(key, answer)


cache._kept = _kept_but_for_figures
