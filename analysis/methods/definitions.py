"""The success metrics in words: what is counted, of what, against which margin, and how it is judged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis import reasons, wording
from analysis.metrics import Metric, Tally, margin_of, metrics
from analysis.questions.terms import primary_of

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

_ROLES = {
    "detection": "What was written down",
    "service": "Time and effort",
    "safety": "What happened afterwards",
    "voice": "What people say",
    "data": "What could be seen",
}
_BAD_NEWS = {
    "lower": "Virtual lower than in person",
    "higher": "Virtual higher than in person",
    "two_sided": "Neither direction",
    "none": "Nothing to compare: asked after virtual validations only",
}


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric as a person reads it; `primary` is the method its verdict is read from, empty where none is judged."""

    id: str
    label: str
    group: str
    question: str
    counts: str
    out_of: str
    compared: str
    bad_news: str
    margin: str
    judged: str
    reading: str
    primary: str = ""


def definitions(dataset: Dataset) -> tuple[Definition, ...]:
    """Every metric, with the margins of this dataset.

    Parameters
    ----------
    dataset : Dataset
        Its ``dataset.toml`` may hold the program's own margins; others are illustrative.
    """
    return tuple(_of(each, dataset) for each in metrics().values())


def _of(metric: Metric, dataset: Dataset) -> Definition:
    two_arms = len(metric.arms) == 2
    judged = two_arms and metric.judged and metric.margin_scale is not None
    return Definition(
        id=metric.id,
        label=metric.label,
        group=_ROLES[metric.role],
        question=metric.question,
        counts=in_words(metric.numerator),
        out_of=in_words(metric.denominator),
        compared=_compared(metric) if two_arms else "One proportion with its interval",
        bad_news=_BAD_NEWS[metric.harmful],
        margin=_margin(metric, dataset),
        judged="" if judged else _not_judged(metric),
        reading=in_words(metric.reading),
        primary=primary_of(metric) if judged else "",
    )


def in_words(definition: str) -> str:
    """A definition without the names of columns and metrics, its signs as a person writes them.

    >>> in_words("reported_on - conducted_on")
    'Day reported − day conducted'
    """
    plain = re.sub(r"\b([a-z]+)_on\b", r"day \1", definition)
    for known in metrics().values():
        plain = re.sub(rf"\b{known.id}\b", f"“{known.label}”", plain) if "_" in known.id else plain
    plain = plain.replace("_", " ").replace(" - ", f" {wording.MINUS} ").replace("<=", "≤")
    return plain[0].upper() + plain[1:]


def _compared(metric: Metric) -> str:
    counted = metric.counted_by
    if isinstance(counted, Tally):
        words = (
            "Ratio of the two modes" if metric.margin_scale == "ratio" else "Difference, in percentage points"
        )
        apart = {
            "respondent": "specialists and members apart",
            "mode": "apart for each mode of the later validation",
        }
        return f"{words}, {apart[metric.by]}" if metric.by else words
    return {
        "geometric": "Ratio of geometric means, and the difference of medians",
        "restricted": f"Ratio of mean days up to day {counted.horizon}, open ones counting as still waiting",
        "risk": f"Difference of the share with an event by day {counted.horizon}, followed as long as possible",
    }[counted.summary]


def _margin(metric: Metric, dataset: Dataset) -> str:
    margin, source = margin_of(metric, dataset)
    if margin is None:
        return "No margin"
    if metric.margin_scale == "ratio":
        size = "any worsening counts (1.00 times)" if margin == 1 else f"{wording.ratio(margin)} times"
    else:
        size = f"{wording.margin_size(margin)} percentage points"
    return f"{size[0].upper()}{size[1:]}; {source}"


def _not_judged(metric: Metric) -> str:
    if len(metric.arms) == 1:
        return reasons.words("no_counterpart_arm")
    return reasons.words("described_only" if metric.margin_scale else "no_margin")
