"""Where virtual and in person differ: single criteria by evidence, with both ways of allowing for many looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, State
from analysis.charts.intervals import interval_rows
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import (
    caption,
    empty_state,
    left_out,
    state_of_dataset,
    state_suppressed,
    state_without_rates,
    when,
)
from analysis.figures.comparison_words import at_most
from analysis.figures.deficiency_modes import detectable_words
from analysis.figures.deficiency_words import adjusted_p, of_words, placed, q_words
from analysis.questions.differences_criteria import (
    CriteriaEvidence,
    CriterionEvidence,
    criteria_evidence,
)
from analysis.questions.window import MODES

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

SHOWN = 12


def criteria(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Differences by single criterion, the strongest evidence first: q-value and max-T p beside each."""
    figure_id, heading = "virtual_vs_in_person.criteria", "By single criterion"
    v, p = (dataset.modes[mode].lower() for mode in MODES)
    measure = f"Deficient, of those assessed: {v} minus {p}, like for like"
    if state := state_of_dataset(dataset) or state_without_rates(dataset):
        return Figure(figure_id, heading, measure, state=state)
    answer = asked(criteria_evidence, dataset, selection)
    found = answer.criteria
    if not found.n and not found.left_out:
        return Figure(figure_id, heading, measure, state=empty_state(dataset, selection))
    shown = [row for row in answer.rows if row.interval and row.criterion.status == "ok"][:SHOWN]
    if not shown:
        return Figure(figure_id, heading, measure, state=_nothing(answer))
    frame = pd.DataFrame([_mark(row, dataset) for row in shown])
    title = _title(answer)
    first = frame.iloc[0]
    alt = at_most(
        f"{len(shown)} rows of differences by single criterion. {title}. First: {first['label']}, {first['result']}."
    )
    return Figure(
        id=figure_id,
        title=title,
        measure=f"{measure}; at the right: points and q; the {len(shown)} smallest p of {found.tested} tested",
        caption=caption(
            detectable_words(found),
            "Bold, “Differs”: called at a false-discovery rate of 5% (q, from the Cochran–Mantel–Haenszel test by risk, kind of "
            "validation and location)",
            _max_t_words(answer),
            _intervals_words(answer),
            f"Too few deficiencies to test: {wording.counted(len(found.rows) - found.tested, 'criterion', 'criteria')}"
            if len(found.rows) > found.tested
            else "",
            *[reasons.words(code) for code in answer.caveats],
            reasons.words("suppressed") if any(r.criterion.status == "suppressed" for r in answer.rows) else "",
            f"n = {wording.counted(found.n, 'validation')} in quarters with both modes",
            left_out(found.left_out),
            when(dataset, selection),
        ),
        alt=alt,
        chart=interval_rows(
            frame, alt_text=alt, title=f"{v[0].upper()}{v[1:]} minus {p}, percentage points", unit="points",
            tooltip={"result": "Difference", "together": "Max-T", "counts": "Recorded"}, palette=palette,
        ),
        data=answer.to_frame(),
        table=pd.DataFrame([_texts(row, dataset) for row in answer.rows]),
    )  # fmt: skip


def _nothing(answer: CriteriaEvidence) -> State:
    if any(row.criterion.status == "suppressed" for row in answer.rows):
        return state_suppressed()
    why = "Too few validations or deficiencies in both modes to compare any single criterion."
    return State("too_small", why, "The classes of criteria may still be comparable.")


def _mark(row: CriterionEvidence, dataset: Dataset) -> dict[str, object]:
    criterion = row.criterion
    assert criterion.estimate is not None
    said = f"{wording.points(criterion.estimate)}, {q_words(criterion.q_value)}"
    counts = ", ".join(f"{dataset.modes[m].lower()} {_of(row, m)}" for m in MODES)
    return {
        "label": criterion.label, "arm": "other", **placed(criterion.estimate, row.interval),
        "result": f"Differs: {said}" if criterion.differs else said, "strong": criterion.differs, "counts": counts,
        "together": "–" if row.max_t_p is None else wording.p_value(row.max_t_p),
        "description": f"{criterion.label}: {said}; recorded {counts}",
    }  # fmt: skip


def _title(answer: CriteriaEvidence) -> str:
    tested = answer.criteria.tested
    called, strong = ([row.criterion.criterion_id for row in rows] for rows in (answer.called, answer.strong))
    if not called:
        said = f"None of {tested} criteria is called at a false-discovery rate of 5%"
    else:
        verb = "differs" if len(called) == 1 else "differ"
        said = f"{len(called)} of {tested} criteria {verb} at a false-discovery rate of 5%: {_some(called)}"
    if not answer.draws:
        return said
    return f"{said}; no false call allowed: {_some(strong) if strong else 'none'}"


def _some(names: list[str]) -> str:
    return f"{wording.listed(names[:5])}{'…' if len(names) > 5 else ''}"


def _max_t_words(answer: CriteriaEvidence) -> str:
    """How the strong claims were made."""
    if not answer.draws:
        return ""
    among = (
        f" among {wording.number(answer.shuffled)} validations" if answer.shuffled else " among validations"
    )
    how = "normal limit of shuffling the modes" if answer.normal else "modes shuffled"
    times = f"{wording.number(answer.draws)} {'draws' if answer.normal else 'times'}"
    return (
        f"Max-T p (in the table): the chance of so large a difference in any criterion; {how}, {times} (seed {answer.seed}),{among} of "
        "the same office, quarter, risk, kind and location, whole validations at a time. It compares within finer groups than q, "
        "so it may be the smaller of the two"
    )


def _intervals_words(answer: CriteriaEvidence) -> str:
    called = answer.called
    if not called or called[0].interval is None:
        return "Lines: 95% intervals (Sato), of one look each"
    level = called[0].interval.level * 100
    return (
        f"Lines: 95% intervals (Sato); of those called {wording.number(level, 2)}%, so that of all intervals of called criteria "
        "5% are expected to miss. Made wider, an interval may include no difference"
    )


def _texts(row: CriterionEvidence, dataset: Dataset) -> dict[str, str]:
    criterion = row.criterion
    hidden = criterion.status == "suppressed"
    cells = {"Criterion": criterion.label}
    cells |= {dataset.modes[m]: wording.NOT_ESTIMABLE if hidden else _of(row, m) for m in MODES}
    cells["Difference, points"] = wording.amount(criterion.estimate, "difference")
    cells["Interval"] = (
        wording.interval(row.interval, "difference") if row.interval else wording.NOT_ESTIMABLE
    )
    too_few = "too few" if criterion.status == "too_small" else wording.NOT_ESTIMABLE
    cells["q"] = (
        too_few
        if criterion.q_value is None
        else q_words(criterion.q_value).removeprefix("q ").removeprefix("= ")
    )
    cells["Max-T p"] = too_few if row.max_t_p is None else adjusted_p(row.max_t_p)
    return cells


def _of(row: CriterionEvidence, mode: str) -> str:
    return of_words(row.criterion.counts[mode], row.criterion.totals[mode])
