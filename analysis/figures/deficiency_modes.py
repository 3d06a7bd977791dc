"""Figures of the MSC deficiencies page: what is written down by mode, by way of seeing and by single criterion."""

from __future__ import annotations

import math
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
from analysis.figures.comparison_words import arm_words, at_most
from analysis.figures.deficiency_words import adjusted_p, estimable, of_words, placed, q_words
from analysis.questions.deficiency_modes import CriteriaByMode, CriterionByMode, criteria_by_mode
from analysis.questions.deficiency_seen import CONTROL, WaysOfSeeing, seen_by_mode
from analysis.questions.window import MODES
from analysis.results import Comparison
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

SHOWN = 12
LEVEL = 0.05
_NO_CAUSE = "A ratio below 1 can mean fewer problems or fewer seen"


def seen_by(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Deficiency rates by how a criterion is seen, virtual over in person; documents as negative control."""
    figure_id, heading = "msc_deficiencies.seen_by", "By how a criterion is seen"
    measure = (
        f"Deficiencies per criterion assessed, {_arms(dataset)[0]} over {_arms(dataset)[1]}, like for like"
    )
    if state := state_of_dataset(dataset) or state_without_rates(dataset):
        return Figure(figure_id, heading, measure, state=state)
    answer = asked(seen_by_mode, dataset, selection)
    pairs = [
        (a, p) for a, p in zip(answer.family.comparisons, answer.family.adjusted_p, strict=True)
        if any(arm.n for arm in a.arms.values())
    ]  # fmt: skip
    hidden = any("suppressed" in a.reasons for a in answer.family.comparisons)
    if not pairs:
        if hidden:
            return Figure(figure_id, heading, measure, state=state_suppressed())
        if answer.family.comparisons:
            return Figure(figure_id, heading, measure, state=empty_state(dataset, selection))
        why = State("too_small", reasons.words(answer.caveats[0]), "See the criteria instead.")
        return Figure(figure_id, heading, measure, state=why)
    frame = pd.DataFrame([_way(a, p, dataset) for a, p in pairs])
    title = _seen_title(pairs, dataset)
    alt = at_most(
        f"{len(frame)} rows of ratios by how a criterion is seen. "
        + " ".join(f"{r.label}: {r.result}." for r in frame.itertuples())
    )
    table = pd.DataFrame([_way_texts(a, p, dataset) for a, p in pairs])
    first = pairs[0][0]
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Bold, “Differs”: the ratio is not 1 after Holm's correction. Lines: 95% intervals with errors clustered by specialist",
            "Document criteria are the negative control: a camera shows a document as well as a visit does; they are "
            "shown beside the others and never used to correct them",
            _contrast_words(answer, dataset),
            _NO_CAUSE,
            *[reasons.words(code) for code in answer.caveats],
            reasons.words("suppressed") if hidden else "",
            left_out(first.left_out),
            when(dataset, selection),
        ),
        alt=alt,
        chart=interval_rows(
            frame, alt_text=alt, title="Ratio of deficiency rates", unit="ratio", include=(1.0,),
            tooltip={"result": "Ratio", "counts": "Recorded"}, palette=palette,
        ),
        data=answer.family.to_frame(),
        table=table,
    )  # fmt: skip


def criteria_modes(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Single criteria, virtual minus in person, with the false-discovery rate controlled and what could be seen."""
    figure_id, heading = "msc_deficiencies.criteria_modes", "Single criteria by mode"
    v, p = _arms(dataset)
    measure = f"Deficient, of those assessed: {v} minus {p}, like for like"
    if state := state_of_dataset(dataset) or state_without_rates(dataset):
        return Figure(figure_id, heading, measure, state=state)
    answer = asked(criteria_by_mode, dataset, selection)
    if not answer.n and not answer.left_out:
        return Figure(figure_id, heading, measure, state=empty_state(dataset, selection))
    shown = [row for row in answer.rows if row.interval and row.status == "ok"][:SHOWN]
    hidden = any(row.status == "suppressed" for row in answer.rows)
    if not shown and hidden:
        return Figure(figure_id, heading, measure, state=state_suppressed())
    if not shown:
        why = "Too few validations or deficiencies in both modes to compare any single criterion."
        return Figure(
            figure_id,
            heading,
            measure,
            state=State("too_small", why, "The classes of criteria may still be comparable."),
        )
    frame = pd.DataFrame([_single(row, dataset) for row in shown])
    title = _single_title(answer)
    untested = len(answer.rows) - answer.tested
    alt = at_most(
        f"{len(shown)} rows of differences by single criterion. {title}. Smallest p: {frame['label'].iloc[0]}, {frame['result'].iloc[0]}."
    )
    return Figure(
        id=figure_id,
        title=title,
        measure=f"{measure}: the {len(shown)} smallest p-values of {answer.tested} criteria tested",
        caption=caption(
            detectable_words(answer),
            "Bold, “Differs”: holds at a false-discovery rate of 5% over all criteria tested. Lines: 95% intervals "
            "(Sato); q from the Cochran–Mantel–Haenszel test",
            f"Too few deficiencies to test: {wording.counted(untested, 'criterion', 'criteria')}" if untested else "",
            *[reasons.words(code) for code in answer.caveats],
            reasons.words("suppressed") if hidden else "",
            f"n = {wording.counted(answer.n, 'validation')} in quarters with both modes",
            left_out(answer.left_out),
            when(dataset, selection),
        ),
        alt=alt,
        chart=interval_rows(
            frame, alt_text=alt, title=f"{v[0].upper()}{v[1:]} minus {p}, percentage points", unit="points",
            tooltip={"result": "Difference", "counts": "Recorded"}, palette=palette,
        ),
        data=answer.to_frame(),
        table=pd.DataFrame([_single_texts(row, dataset) for row in answer.rows]),
    )  # fmt: skip


def _arms(dataset: Dataset) -> tuple[str, str]:
    return dataset.modes["virtual"].lower(), dataset.modes["in_person"].lower()


def _way(answer: Comparison, adjusted: float | None, dataset: Dataset) -> dict[str, object]:
    found = estimable(answer.answer) if answer.verdict != "too_few" else None
    ratio = (
        f"{wording.ratio(found[0])} {wording.interval(found[1], 'ratio', compact=True)}"
        if found
        else "too few"
    )
    differs = found is not None and adjusted is not None and adjusted < LEVEL
    counts = ", ".join(f"{dataset.modes[m].lower()} {arm_words(a, answer)}" for m, a in answer.arms.items())
    label = f"{answer.label}{', negative control' if answer.group['seen_by'] == CONTROL else ''}"
    return {
        "label": label, "arm": "other", **(placed(*found) if found else placed(None, None)),
        "result": f"Differs: {ratio}" if differs else ratio, "strong": differs, "counts": counts,
        "description": f"{label}: {ratio}; recorded {counts}",
    }  # fmt: skip


def _seen_title(pairs: list[tuple[Comparison, float | None]], dataset: Dataset) -> str:
    """The ratio that differs and is farthest from 1, and the negative control beside it."""
    ratios = [(a, p, found[0]) for a, p in pairs if a.verdict != "too_few" and (found := estimable(a.answer))]
    if not ratios:
        return "Too few to compare by how a criterion is seen"
    differing = [(a, ratio) for a, p, ratio in ratios if p is not None and p < LEVEL]
    if not differing:
        low, high = (wording.ratio(end(r for *_, r in ratios)) for end in (min, max))
        return f"No way of seeing differs by mode beyond chance: ratios from {low} to {high}"
    far, ratio = max(differing, key=lambda pair: abs(math.log(pair[1])))
    control = [
        f", {a.label.lower()} ones {wording.ratio(r)}"
        for a, _, r in ratios
        if a.group["seen_by"] == CONTROL and a is not far
    ]
    name = dataset.modes["virtual"].lower()
    return f"{far.label} criteria were recorded {wording.ratio(ratio)} times as often on {name} validations{''.join(control)}"


def _contrast_words(answer: WaysOfSeeing, dataset: Dataset) -> str:
    found = estimable(answer.contrast)
    if found is None or answer.contrast is None:
        return ""
    physical, control = (dataset.label("seen_by", how).lower() for how in ("physical", CONTROL))
    return (
        f"The ratio of {physical} criteria is {wording.ratio(found[0])} times that of {control} ones "
        f"({wording.interval(found[1], 'ratio')}; {wording.p_value(answer.contrast.p_value)})"
    )


def _way_texts(answer: Comparison, adjusted: float | None, dataset: Dataset) -> dict[str, str]:
    found = estimable(answer.answer)
    cells = {LABELS["seen_by"]: answer.label}
    for mode, arm in answer.arms.items():
        cells[dataset.modes[mode]] = f"{arm_words(arm, answer)} ({of_words(arm.events, arm.n)})"
    cells["Adjusted ratio"] = wording.ratio(found[0]) if found else wording.NOT_ESTIMABLE
    cells["95% interval"] = wording.interval(found[1], "ratio") if found else wording.NOT_ESTIMABLE
    cells["p, Holm"] = adjusted_p(adjusted)
    return cells


def _single(row: CriterionByMode, dataset: Dataset) -> dict[str, object]:
    assert row.interval is not None and row.estimate is not None
    gap = f"{wording.points(row.estimate)}, {q_words(row.q_value)}"
    counts = ", ".join(f"{dataset.modes[m].lower()} {_of(row, m)}" for m in MODES)
    return {
        "label": row.label, "arm": "other", **placed(row.estimate, row.interval),
        "result": f"Differs: {gap}" if row.differs else gap, "strong": row.differs, "counts": counts,
        "description": f"{row.label}: {gap}; recorded {counts}",
    }  # fmt: skip


def _single_title(answer: CriteriaByMode) -> str:
    differing = [row for row in answer.rows if row.differs]
    if not differing:
        return f"None of {answer.tested} criteria differs after allowing for {answer.tested} looks"
    verb = "differs" if len(differing) == 1 else "differ"
    names = wording.listed([row.criterion_id for row in differing[:5]])
    return f"{len(differing)} of {answer.tested} criteria {verb} after allowing for all looks: {names}{'…' if len(differing) > 5 else ''}"


def detectable_words(answer: CriteriaByMode) -> str:
    """Which difference a single criterion would need to be called, after so many looks."""
    if answer.detectable is None or answer.typical_rate is None:
        return ""
    return (
        "Single criteria are rare: in one of the middle rate "
        f"({wording.percent(answer.typical_rate)}) only a difference of {wording.number(answer.detectable * 100, 1)} points or more "
        "would be called four times in five, so lead with the class"
    )


def _single_texts(row: CriterionByMode, dataset: Dataset) -> dict[str, str]:
    hidden = row.status == "suppressed"
    cells = {"Criterion": row.label}
    cells |= {dataset.modes[m]: wording.NOT_ESTIMABLE if hidden else _of(row, m) for m in MODES}
    cells["Difference, points"] = wording.amount(row.estimate, "difference")
    cells["95% interval"] = (
        wording.interval(row.interval, "difference") if row.interval else wording.NOT_ESTIMABLE
    )
    cells["q"] = (
        "too few" if row.status == "too_small" else q_words(row.q_value).removeprefix("q ").removeprefix("= ")
    )
    return cells


def _of(row: CriterionByMode, mode: str) -> str:
    return of_words(row.counts[mode], row.totals[mode])
