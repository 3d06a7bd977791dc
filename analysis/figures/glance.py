"""All metrics at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure
from analysis.charts.glance import GlanceRow, glance_table
from analysis.charts.verdict import VERDICTS
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, state_of_hidden, when
from analysis.figures.comparison_words import (
    adjusted_for,
    arm_words,
    at_most,
    coverage_words,
    effect_words,
    ruler_of,
)
from analysis.questions.comparison import PRIMARY, compare_all
from analysis.questions.sentences import arm_names, scale_of
from analysis.results import Comparison

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection


_GROUP_WORDS = {"mode": "next one {}", "respondent": "{}s"}


_ROLES = {
    "detection": "What is found",
    "data": "What is found",
    "service": "Time and service",
    "safety": "Afterwards",
    "voice": "What people say",
}


def metrics_at_a_glance(dataset: Dataset, selection: Selection) -> Figure:
    """Every metric: both arms, adjusted difference, verdict, course over the quarters."""
    answers = asked(compare_all, dataset, selection)
    if all("empty_selection" in a.reasons or not a.arms for a in answers):
        hidden = any("suppressed" in a.reasons for a in answers)
        state = state_of_hidden() if hidden else empty_state(dataset, selection)
        return Figure("virtual_vs_in_person.metrics", "All metrics at a glance", state=state)
    order = list(dict.fromkeys(_ROLES.values()))
    answers = sorted(answers, key=lambda a: order.index(_ROLES[a.role]))
    rows = [_glance_row(a, dataset) for a in answers]
    v, p = dataset.modes["virtual"], dataset.modes["in_person"]
    data = pd.DataFrame([_plain(a, r) for a, r in zip(answers, rows, strict=True)])
    table = pd.DataFrame(
        [
            {
                "Metric": r.label, v: r.virtual, p: r.in_person, "Adjusted difference": r.difference,
                "95% interval": r.interval, "Verdict": VERDICTS[r.verdict].short, "n": r.n,
            }
            for r in rows
        ]
    )  # fmt: skip
    title, alt = _glance_in_words(answers)
    return Figure(
        id="virtual_vs_in_person.metrics",
        title=title,
        measure=_measure(answers),
        caption=caption(
            "Circle and line: adjusted difference with 95% interval, in multiples of the margin; open diamond: crude. "
            "Shaded: within the margin. The picture puts the better side on the right; the numbers keep their sign",
            f"Lines by quarter: solid {v}, dashed {p}",
            *(coverage_words(a) for a in answers if len(a.arms) == 2),
            "Margins are illustrative until the program records its own" if _illustrative(answers) else "",
            when(dataset, selection),
        ),
        alt=alt,
        html=glance_table(rows, caption=title, arms=(v, p)),
        data=data,
        table=table,
    )


def _measure(answers: list[Comparison]) -> str:
    known = [a for a in answers if len(a.arms) == 2]
    if not known:
        return "Each metric against its own margin"
    v, p = arm_names(known[0])
    columns = next((adjusted_for(a) for a in known if a.primary == PRIMARY and adjusted_for(a)), "")
    for_times = next((adjusted_for(a) for a in known if a.primary != PRIMARY and adjusted_for(a)), "")
    adjusted = f"adjusted for {columns or for_times}"
    if columns and for_times and for_times != columns:
        adjusted += f" (times and incidents for {for_times})"
    if not columns and not for_times:
        adjusted = "not adjusted: nothing is recorded to adjust for"
    return f"Each metric against its own margin, {v} minus {p} (times for ratios), {adjusted}"


def _glance_row(answer: Comparison, dataset: Dataset) -> GlanceRow:
    row, scale = answer.answer, scale_of(answer)
    label = answer.label
    if answer.group:
        ((column, value),) = answer.group.items()
        label = f"{label}: {_GROUP_WORDS[column].format(dataset.label(column, value).lower())}"
    unit = "times" if scale == "ratio" else "points"
    second = f"{unit} · margin {_margin_number(answer)}" if answer.margin is not None else unit
    said = row is not None and row.interval is not None and answer.verdict != "not_comparable"
    arms = {mode: arm_words(arm, answer) for mode, arm in answer.arms.items()}
    n = sum(arm.n for arm in answer.arms.values())
    if row is not None and row.n:
        n = row.n
    elif row is not None and "suppressed" in row.caveats:
        n = 0
    note = "" if said else reasons.words(answer.reasons[0]) if answer.reasons else ""
    return GlanceRow(
        group=_ROLES[answer.role],
        label=label,
        unit=second if answer.arms and len(answer.arms) == 2 else "",
        virtual=arms.get("virtual", ""),
        in_person=arms.get("in_person", ""),
        difference=effect_words(row, scale) if said else "",
        interval=wording.interval(row.interval, scale) if said and row else "",
        verdict=answer.verdict,
        n=wording.number(n) if n else "",
        ruler=ruler_of(answer) if said else None,
        virtual_series=answer.series.get("virtual", ()),
        in_person_series=answer.series.get("in_person", ()),
        note=note,
    )


def _plain(answer: Comparison, drawn: GlanceRow) -> dict[str, object]:
    """One metric as numbers: the row that is drawn, unrounded."""
    row = answer.answer if drawn.difference else None
    bounds = row.interval if row else None
    arms: dict[str, float | None] = {}
    for mode, arm in answer.arms.items():
        arms |= {f"{mode}_n": arm.n, f"{mode}_estimate": arm.estimate}
    return {
        "label": drawn.label, "metric": answer.metric, **answer.group, **arms,
        "method": answer.primary, "measure": answer.measure,
        "estimate": row.estimate if row else None,
        "low": bounds.low if bounds else None,
        "high": bounds.high if bounds else None,
        "n": row.n if row and "suppressed" not in row.caveats else None,
        "margin": answer.margin, "verdict": answer.verdict,
    }  # fmt: skip


def _margin_number(answer: Comparison) -> str:
    assert answer.margin is not None
    if answer.margin_scale == "ratio":
        return wording.ratio(answer.margin)
    return wording.margin_size(answer.margin)


def _glance_in_words(answers: list[Comparison]) -> tuple[str, str]:
    """The finding over all metrics: how many of those judged fall under each verdict."""
    judged = [
        a for a in answers if a.verdict in ("as_good", "better", "finds_more", "not_as_good", "cannot_tell")
    ]
    counts: dict[str, int] = {}
    for a in judged:
        counts[VERDICTS[a.verdict].short.lower()] = counts.get(VERDICTS[a.verdict].short.lower(), 0) + 1
    if not judged:
        return "No metric can be judged here", "Table of all metrics; none can be judged on this selection."
    parts = [f"{n} {words}" for words, n in sorted(counts.items(), key=lambda item: -item[1])]
    title = f"{len(judged)} metrics judged: {wording.listed(parts)}"
    return title, at_most(
        f"Table of {len(answers)} metrics with both arms, adjusted difference and verdict. {title}."
    )


def _illustrative(answers: list[Comparison]) -> bool:
    return any(a.margin_source == "illustrative" and a.margin is not None for a in answers)
