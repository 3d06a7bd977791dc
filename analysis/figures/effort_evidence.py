"""What specialists looked at when they wrote a deficiency down, by mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, State
from analysis.charts.intervals import interval_rows
from analysis.charts.tables import plain_table
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, left_out, state_of_dataset, when
from analysis.figures.comparison_words import arm_counts, arm_key, at_most
from analysis.questions.amounts import filters_ignored
from analysis.questions.deficiency_modes import shares_by_mode
from analysis.questions.effort import mode_names
from analysis.questions.window import MODES
from analysis.results import Comparison

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

FIGURE = "virtual_vs_in_person.evidence"
LEVEL = 0.05
_WIDEN = "Widen the period or take filters off."


def evidence(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Evidence behind deficiencies as shares within each mode, like for like."""
    heading, measure = (
        "Evidence behind deficiencies",
        "Evidence looked at, share of deficiencies within each mode, like for like",
    )
    if state := state_of_dataset(dataset):
        return Figure(FIGURE, heading, measure, state=state)
    if not dataset.present("evidence"):
        fact = "The dataset does not record what evidence was looked at."
        return Figure(
            FIGURE, heading, measure, state=State("too_small", fact, "Import findings.evidence to see this.")
        )
    family = asked(shares_by_mode, dataset, "evidence", selection)
    if not family.comparisons:
        return Figure(FIGURE, heading, measure, state=empty_state(dataset, selection))
    if not any(a.adjusted_arms or a.arms for a in family.comparisons):
        return Figure(FIGURE, heading, measure, state=State("too_small", reasons.words("suppressed"), _WIDEN))
    compared = [a for a in family.comparisons if a.answer is not None and a.answer.interval is not None]
    if not compared:
        why = next((code for a in family.comparisons for code in a.reasons), "too_few_in_an_arm")
        return Figure(FIGURE, heading, measure, state=State("too_small", reasons.words(why), _WIDEN))
    order = sorted(family.comparisons, key=_gap)
    named = dict(zip((id(a) for a in family.comparisons), family.adjusted_p, strict=True))
    frame = pd.DataFrame([row for a in order for row in _rows(a, named[id(a)], dataset)])
    title = _title(order, named, dataset)
    alt = at_most(f"{len(order)} rows of evidence behind deficiencies, by mode. {title}.")
    first = compared[0]
    clusters = first.answer.settings.get("clusters") if first.answer else None
    table = _table(order, named, dataset)
    # Where every share is hidden the differences are left: a table, not a chart without marks.
    drawn = frame["estimate"].notna().any()
    return Figure(
        id=FIGURE,
        title=title,
        measure=measure,
        caption=caption(
            f"Bold, “Differs”: holds after Holm's correction for {family.tested} kinds of evidence. Unit: a deficiency "
            "with its evidence recorded; "
            + (f"errors clustered by specialist ({clusters})" if clusters else "taken as independent"),
            f"n = {wording.listed([f'{wording.number(first.arms[m].n)} {n}' for m, n in zip(MODES, mode_names(dataset), strict=True)])}"
            " in the whole selection"
            if first.arms else "",
            "What a camera cannot do, or a visit does not need, is no finding: on-site observation and video differ by "
            "what the modes are",
            *(reasons.words(code) for code in filters_ignored(selection) if code == "mode_filter_ignored"),
            left_out(first.left_out),
            when(dataset, selection),
        ),
        alt=alt,
        chart=interval_rows(
            frame, alt_text=alt, title="Share of deficiencies, %", arms=dict(dataset.modes),
            tooltip={"words": "Share", "counts": "Recorded"}, palette=palette,
        ) if drawn else None,
        html=None if drawn else plain_table(table, caption=title),
        key=arm_key(dataset) if drawn else (),
        data=family.to_frame(),
        table=table,
    )  # fmt: skip


def _gap(answer: Comparison) -> float:
    """Largest differences first, either way; what cannot be told last."""
    row = answer.answer
    return -abs(row.estimate) if row is not None and row.estimate is not None else 1.0


def _said(answer: Comparison, adjusted: float | None) -> tuple[str, bool]:
    row = answer.answer
    if row is None or row.estimate is None:
        return "too few", False
    differs = adjusted is not None and adjusted < LEVEL
    gap = f"{wording.points(row.estimate)} points"
    p = "" if adjusted is None else f", {wording.p_value(adjusted)}"
    return f"{'Differs: ' if differs else ''}{gap}{p}", differs


def _rows(answer: Comparison, adjusted: float | None, dataset: Dataset) -> list[dict[str, object]]:
    result, differs = _said(answer, adjusted)
    out: list[dict[str, object]] = []
    for mode in MODES:
        arm, whole = answer.adjusted_arms.get(mode), answer.arms.get(mode)
        value, bounds = (arm.estimate, arm.interval) if arm else (None, None)
        words = (
            "too few" if value is None else f"{wording.percent(value)} ({wording.interval(bounds, 'share')})"
        )
        out.append(
            {
                "label": answer.label, "arm": mode, "estimate": value, "low": bounds.low if bounds else None,
                "high": bounds.high if bounds else None, "result": result, "strong": differs, "words": words,
                "counts": arm_counts(whole) if whole else wording.NOT_ESTIMABLE,
                "description": f"{answer.label}, {dataset.modes[mode]}: {words}",
            }
        )  # fmt: skip
    return out


def _title(order: list[Comparison], named: dict[int, float | None], dataset: Dataset) -> str:
    differ = [a for a in order if _said(a, named[id(a)])[1]]
    if not differ:
        return "The modes rest on the same kinds of evidence, as far as can be told"
    words = []
    for answer in differ[:2]:
        assert answer.answer is not None and answer.answer.estimate is not None
        more = "more" if answer.answer.estimate > 0 else "less"
        words.append(f"{more} often on {answer.label[0].lower()}{answer.label[1:]}")
    v = mode_names(dataset)[0]
    return f"{v[0].upper()}{v[1:]} deficiencies rest {wording.listed(words)}"


def _table(order: list[Comparison], named: dict[int, float | None], dataset: Dataset) -> pd.DataFrame:
    lines = []
    for answer in order:
        one, other = (row["words"] for row in _rows(answer, named[id(answer)], dataset))
        row = answer.answer
        gap = wording.NOT_ESTIMABLE
        if row is not None and row.estimate is not None:
            gap = f"{wording.points(row.estimate)} ({wording.interval(row.interval, 'difference')})"
        lines.append(
            {
                "Evidence": answer.label, dataset.modes["virtual"]: one, dataset.modes["in_person"]: other,
                "Difference, points": gap, "p, Holm": wording.p_value(named[id(answer)]).removeprefix("p = ").removeprefix("p "),
            }
        )  # fmt: skip
    return pd.DataFrame(lines)
