"""The answer without each field office, or each quarter, in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, KeyEntry, State
from analysis.charts.forest import forest
from analysis.charts.theme import PaletteName
from analysis.charts.verdict import VERDICTS
from analysis.figures.asking import asked
from analysis.figures.captions import caption, state_of_hidden, when
from analysis.figures.comparison_words import HEADLINE, adjustment, at_most, axis_title, band
from analysis.figures.robustness import measure_of, n_words, state_without_estimate, unit_of_axis
from analysis.questions.robustness import effect
from analysis.questions.robustness_leave_out import Column, LeaveOneOut, LeftOut, leave_one_out
from analysis.questions.sentences import margin_words, scale_of
from analysis.results import Comparison, Estimate
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

FIGURE = "virtual_vs_in_person.leave_out"


def leave_out(
    dataset: Dataset,
    selection: Selection,
    *,
    metric: str = HEADLINE,
    leave: Column = "field_office",
    margin: float | None = None,
    palette: PaletteName = "light",
) -> Figure:
    """One row for the whole, and one without each value."""
    answer = asked(leave_one_out, dataset, metric, selection, column=leave).against(margin)
    whole, name = answer.whole, LABELS[leave].lower()
    measure, title = measure_of(whole, f"without each {name}"), f"Without one {name}"
    if state := state_without_estimate(whole, dataset, selection):
        return Figure(FIGURE, title, measure, state=state)
    if not answer.rows:
        state = state_of_hidden() if "suppressed" in answer.caveats else State("too_small", answer.sentence)
        return Figure(FIGURE, title, measure, state=state)
    assert whole.answer is not None
    frame = pd.DataFrame(
        [_row("Everybody", "primary", whole.answer, whole), *(_left_out(row, whole) for row in answer.rows)]
    )
    title = _title(answer)
    alt = at_most(f"{len(frame)} rows: everybody, then without each {name}. {title}. {answer.sentence}")
    chart = forest(
        frame, alt_text=alt, title=axis_title(whole, scale_of(whole)), unit=unit_of_axis(whole), margin=band(whole),
        palette=palette,
    )  # fmt: skip
    return Figure(
        id=FIGURE,
        title=title,
        measure=measure,
        caption=caption(
            answer.sentence.replace("**", ""),
            "Lines: 95% intervals",
            f"Shaded: {margin_words(whole)}" if whole.margin is not None else "",
            *(reasons.words(code) for code in answer.caveats),
            n_words(whole),
            adjustment(whole),
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        key=(KeyEntry("primary", "Everybody"), KeyEntry("alternative", "Without one")),
        data=answer.to_frame(),
        table=pd.DataFrame([_texts(row, answer) for row in answer.rows]),
    )


def _left_out(row: LeftOut, whole: Comparison) -> dict[str, object]:
    found = row.answer.answer if row.estimate is not None else None
    return _row(f"Without {row.label}", "alternative", found, whole)


def _row(label: str, role: str, found: Estimate | None, whole: Comparison) -> dict[str, object]:
    scale, interval = scale_of(whole), found.interval if found else None
    result = "not shown or too few"
    if found is not None and interval is not None:
        result = f"{wording.amount(found.estimate, scale)} {wording.interval(interval, scale, compact=True)}"
    return {
        "label": label, "role": role, "estimate": found.estimate if interval and found else None,
        "low": interval.low if interval else None, "high": interval.high if interval else None,
        "result": result, "n_words": wording.number(found.n) if found and found.n else "–",
        "description": f"{label}: {result}",
    }  # fmt: skip


def _title(answer: LeaveOneOut) -> str:
    most, whole = answer.most_influential, answer.whole
    if most is None:
        return f"Without any one {LABELS[answer.column].lower()} too little is left"
    changed = len(answer.changed)
    said = f"{most.label} moves it most: {effect(most.estimate, whole)} without it"
    return f"{said}; the verdict {'changes without ' + str(changed) if changed else 'stays'}"


def _texts(row: LeftOut, answer: LeaveOneOut) -> dict[str, str]:
    scale, found = scale_of(answer.whole), row.answer.answer
    shown = row.estimate is not None and found is not None
    lost = {mode: row.lost.get(mode) for mode in ("virtual", "in_person")}
    return {
        "Without": row.label,
        "Estimate": wording.amount(row.estimate, scale) if shown else "–",
        "95% interval": wording.interval(found.interval, scale) if shown and found else "–",
        "Verdict": VERDICTS[row.answer.verdict].short if "suppressed" not in row.answer.reasons else "–",
        "Left out, both modes": " + ".join(wording.number(n) for n in lost.values() if n is not None) or "–",
    }
