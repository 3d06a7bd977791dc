"""Compare virtual with in-person validations: the names a notebook needs, and nothing else.

Counts and metric definitions are in the modules of their names: ``from analysis.counts import counts``.

>>> from analysis import Selection, compare, open_dataset
>>> dataset = open_dataset("data/demo")
>>> compare(dataset, "any_must_deficiency", Selection(offices=("Miami",))).metric
'any_must_deficiency'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.datasets.demo.making import make_demo as make_demo
    from analysis.datasets.opening import Dataset as Dataset
    from analysis.datasets.opening import open_dataset as open_dataset
    from analysis.errors import AnalysisError as AnalysisError
    from analysis.figures import figure as figure
    from analysis.questions.anomalies import anomalies as anomalies
    from analysis.questions.comparison import compare as compare
    from analysis.questions.comparison import compare_all as compare_all
    from analysis.questions.comparison import compare_categories as compare_categories
    from analysis.questions.deficiencies import deficiencies as deficiencies
    from analysis.questions.incidents import incidents as incidents
    from analysis.questions.maritime import maritime as maritime
    from analysis.questions.overview import overview as overview
    from analysis.questions.quality import quality as quality
    from analysis.selection import Selection as Selection

_PUBLIC = {
    "AnalysisError": "analysis.errors",
    "Dataset": "analysis.datasets.opening",
    "Selection": "analysis.selection",
    "anomalies": "analysis.questions.anomalies",
    "compare": "analysis.questions.comparison",
    "compare_all": "analysis.questions.comparison",
    "compare_categories": "analysis.questions.comparison",
    "deficiencies": "analysis.questions.deficiencies",
    "figure": "analysis.figures",
    "incidents": "analysis.questions.incidents",
    "make_demo": "analysis.datasets.demo.making",
    "maritime": "analysis.questions.maritime",
    "open_dataset": "analysis.datasets.opening",
    "overview": "analysis.questions.overview",
    "quality": "analysis.questions.quality",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    # Looked up on first use: charts and statistics take seconds to load, and most readers need only some.
    if name not in _PUBLIC:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
