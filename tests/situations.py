"""Situations in which a verdict is told, each a real comparison: every verdict, every kind of metric, and the edges."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from analysis import Selection, compare, open_dataset
from analysis.datasets.opening import Dataset
from analysis.metrics import metrics
from analysis.questions import arms, before_after, coverage, times
from analysis.results import Comparison
from tests.hostile import EVEN, PROGRAMS, N, Programs, period_of

PAIR = np.arange(N) // 2
LUCK = np.random.default_rng(7).random(N)
ALIKE = {
    "deficient": PAIR % 3 == 0, "risk": np.where(PAIR % 2, "low", "high"), "kind": "initial", "location": "domestic",
    "day": PAIR % 350, "field_office": "Miami",
}  # fmt: skip
"""Each virtual validation has a twin in person; specialists differ."""
# Virtual goes to low risk three times in four; there and elsewhere it finds more.
LOW = np.where(EVEN, LUCK < 0.8, LUCK < 0.2)
FATE = np.random.default_rng(8).random(N)
REVERSED = {"risk": np.where(LOW, "low", "high"), "deficient": np.where(LOW, 0.1, 0.7) + 0.2 * EVEN > FATE}

WORLD: Programs = {
    **{name: PROGRAMS[name] for name in (
        "ordinary", "one arm empty", "everything an event", "no events", "the event is the risk", "the mode is the risk",
        "one specialist", "nothing verified", "nothing recorded", "hours of zero",
    )},
    "exactly alike": ALIKE,
    "reversed": REVERSED,
    "virtual finds less": {"deficient": np.where(EVEN, 0.2, 0.5) > LUCK},
    "virtual finds more": {"deficient": np.where(EVEN, 0.5, 0.3) > LUCK},
    "virtual takes longer": {"hours": np.where(EVEN, 6.0, 4.0) + np.round(LUCK, 1)},
    "virtual takes less": {"hours": np.where(EVEN, 4.0, 6.0) + np.round(LUCK, 1)},
    "virtual sees less": {"unverified": np.where(EVEN, LUCK < 0.4, LUCK < 0.2)},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Situation:
    """What is asked of which data: `where` is ``demo``, ``small`` (demo) or a program of `WORLD`."""

    where: str
    metric: str
    margin: float | str | None = None
    """Another margin; ``touching`` puts it exactly on the harmful end of the interval."""
    program: float | None = None
    """The margin that the program set beforehand."""
    selection: Selection | None = None
    group: tuple[str, str] | None = None
    """One value of a column, by which the question is asked."""
    names: tuple[str, str] | None = None
    """What the arms are called, where they stand in for the two modes."""
    times: int = 1
    """How many times over every validation is counted."""


OSHA = ("Complaint", "Planned")

SITUATIONS: dict[str, Situation] = {
    # shares of validations
    "share, open": Situation("demo", "any_must_deficiency"),
    "share, inside the margin": Situation("demo", "any_deficiency", 0.1),
    "share, inside a margin of the program": Situation("demo", "any_deficiency", program=0.07),
    "share, as good or finding more": Situation("ordinary", "any_deficiency"),
    "share, finds more": Situation("virtual finds more", "any_must_deficiency"),
    "share, not as good": Situation("virtual finds less", "any_must_deficiency"),
    "share, fewer but perhaps inside": Situation("virtual finds less", "any_must_deficiency", 0.3),
    "share, slightly less often": Situation("virtual finds less", "any_must_deficiency", 0.5),
    "share, slightly more often": Situation("virtual finds more", "any_deficiency", 0.5),
    "share, touching the margin": Situation("demo", "any_must_deficiency", "touching"),
    "share, margin of no width": Situation("demo", "any_deficiency", 0.0),
    "share, no margin": Situation("demo", "critical_findings"),
    "share, exactly alike": Situation("exactly alike", "any_must_deficiency"),
    "share, reversed": Situation("reversed", "any_must_deficiency"),
    "share, one office and high risk": Situation(
        "demo", "any_must_deficiency", selection=Selection(offices=("Miami",), risks=("high",))
    ),
    "share, few": Situation("small", "any_deficiency", selection=Selection(offices=("Buffalo",))),
    "share, filtered to one mode": Situation(
        "demo", "any_must_deficiency", selection=Selection(modes=("virtual",))
    ),
    "share, a group": Situation("demo", "any_must_deficiency", group=("risk", "high")),
    "share, two hundred thousand times": Situation("small", "any_must_deficiency", times=200_000),
    "share, other arms": Situation("ordinary", "any_deficiency", names=OSHA),
    "share, arms with long names": Situation(
        "ordinary", "must_deficiency_rate", names=("By video call", "On the spot")
    ),
    "share, no better direction": Situation("demo", "passed"),
    "share, beyond without a direction": Situation("virtual finds less", "passed"),
    # rates
    "rate, perhaps beyond": Situation("demo", "deficiency_rate"),
    "rate, inside": Situation("demo", "must_deficiency_rate", 0.8),
    "rate, as good or finding more": Situation("ordinary", "must_deficiency_rate"),
    "rate, not as good": Situation("virtual finds less", "deficiency_rate"),
    "rate, finds more": Situation("virtual finds more", "must_deficiency_rate"),
    "rate, exactly alike": Situation("exactly alike", "deficiency_rate"),
    "rate, more unverified within the margin": Situation("demo", "not_verified_rate"),
    "rate, more unverified beyond the margin": Situation("virtual sees less", "not_verified_rate"),
    "rate, other arms": Situation("virtual finds less", "must_deficiency_rate", names=OSHA),
    "rate, of what was found": Situation("demo", "closed_on_time"),
    "rate, nothing found": Situation("no events", "closed_on_time"),
    # times
    "days, sooner": Situation("demo", "days_to_report"),
    "days, inside or better": Situation("small", "days_to_report"),
    "days, open": Situation("ordinary", "days_to_report"),
    "days, described": Situation("demo", "days_to_close"),
    "days, none reported": Situation("nothing recorded", "days_to_report"),
    "hours, fewer": Situation("virtual takes less", "hours"),
    "hours, more": Situation("virtual takes longer", "hours"),
    "hours, more but inside": Situation("virtual takes longer", "hours", 1.6),
    "hours, open": Situation("ordinary", "hours"),
    "hours, none above zero": Situation("hours of zero", "hours"),
    # incidents and scores
    "incidents, open": Situation("demo", "incident_within_12_months"),
    "incidents, wide margin": Situation("demo", "incident_within_12_months", 0.02),
    "incidents, too few": Situation("small", "incident_within_12_months"),
    "incidents, not recorded": Situation("ordinary", "incident_within_12_months"),
    "score, specialists": Situation("demo", "feedback_confidence", group=("respondent", "specialist")),
    "score, members": Situation("demo", "feedback_confidence", group=("respondent", "member")),
    "score, too few for a model": Situation("small", "feedback_confidence", group=("respondent", "member")),
    "answers of one arm": Situation("demo", "would_repeat_virtual", group=("respondent", "member")),
    "answers of one arm, under a hundred": Situation(
        "small", "would_repeat_virtual", group=("respondent", "member")
    ),
    # too few, or not comparable
    "nothing matches": Situation(
        "small", "any_must_deficiency", selection=Selection(start=dt.date(2030, 1, 1))
    ),
    "one arm empty": Situation("one arm empty", "deficiency_rate"),
    "everything an event": Situation("everything an event", "any_must_deficiency"),
    "the event is the risk": Situation("the event is the risk", "any_deficiency"),
    "the mode is the risk": Situation("the mode is the risk", "days_to_report"),
    "one specialist": Situation("one specialist", "any_must_deficiency"),
    "nothing verified": Situation("nothing verified", "any_must_deficiency"),
    "nothing recorded": Situation("nothing recorded", "any_must_deficiency"),
    "repeats, no successor": Situation("demo", "repeat_rate", group=("mode", "virtual")),
}


def answered(situation: Situation, data: Mapping[str, Dataset]) -> Comparison:
    """What `compare` answers; `data` are the demo, the small demo and the ``world`` of programs."""
    dataset = data.get(situation.where, data["world"])
    selection = situation.selection or Selection()
    if situation.where in WORLD:
        selection = period_of(situation.where, WORLD)
    if situation.names or situation.program:
        dataset = open_dataset(dataset.path)
    if situation.names:
        dataset.modes = dict(zip(("virtual", "in_person"), situation.names, strict=True))
    if situation.program:
        dataset.margins = {"set_on": "2021-06-16", situation.metric: situation.program}
    with counted(situation.times):
        by = situation.group[0] if situation.group and not metrics()[situation.metric].by else None
        margin = situation.margin
        if margin == "touching":
            row = compare(dataset, situation.metric, selection).answer
            assert row is not None and row.interval is not None
            margin = -row.interval.low
        assert not isinstance(margin, str)
        answer = compare(dataset, situation.metric, selection, margin=margin, by=by)
    if situation.group:
        answer = next(group for group in answer.groups if group.group == dict([situation.group]))
    return answer


@contextmanager
def counted(times_over: int) -> Iterator[None]:
    """Within this block every validation counts so many times."""
    with ExitStack() as stack:
        for module in (arms, before_after, coverage, times) if times_over > 1 else ():
            stack.enter_context(mock.patch.object(module, "counts", many(module.counts, times_over)))
        yield


def many(once: Callable[..., pd.DataFrame], times_over: int) -> Callable[..., pd.DataFrame]:
    """A way of counting in which every row is counted so many times."""

    def counted_often(*asked: Any, **how: Any) -> pd.DataFrame:
        rows = once(*asked, **how)
        for name in how.get("sums", ("n",)):
            rows[name] = rows[name] * times_over
        return rows

    return counted_often
