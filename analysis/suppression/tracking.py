"""A metric by quarter without small counts."""

from __future__ import annotations

import dataclasses

from analysis.questions.tracking import Tracking, TrackPoint
from analysis.suppression.small import SUPPRESSED, is_small


def suppressed_tracking(answer: Tracking) -> Tracking:
    """Quarters without counts of 1 to 4, in them or beside them; the total only where no quarter is hidden."""
    points = tuple(_hidden(point) if _small(point) else point for point in answer.points)
    if points == answer.points:
        return answer
    return dataclasses.replace(
        answer, points=points, n=None, sentence="Some counts are too small to show.",
        caveats=(*answer.caveats, SUPPRESSED),
    )  # fmt: skip


def _small(point: TrackPoint) -> bool:
    others = None if point.events is None or point.n is None else point.n - point.events
    return any(is_small(count) for count in (point.n, point.events, others, point.validations))


def _hidden(point: TrackPoint) -> TrackPoint:
    return dataclasses.replace(
        point, n=None, events=None, validations=None, estimate=None, interval=None, reason=SUPPRESSED
    )
