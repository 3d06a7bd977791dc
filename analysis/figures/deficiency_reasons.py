"""Figures of the MSC deficiencies page: why criteria were deficient, by mode and by category."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording
from analysis.charts.figure import Figure, State
from analysis.charts.intervals import interval_rows
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import (
    caption,
    left_out,
    state_of_dataset,
    state_of_deficiencies,
    state_suppressed,
    when,
)
from analysis.figures.comparison_words import arm_key, at_most
from analysis.figures.deficiency_words import (
    WIDEN,
    adjusted_p,
    estimable,
    of_words,
    placed,
    share_words,
    with_interval,
)
from analysis.questions.deficiency_modes import reasons_both_ways
from analysis.questions.deficiency_records import ReasonRow
from analysis.questions.sentences import arm_names
from analysis.questions.window import MODES
from analysis.reasons import words
from analysis.results import Comparison, Family

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

LEVEL = 0.05
OWN_LIST = "The list of reasons is ours (none is published)"


def reasons(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Reasons as shares of deficiencies, virtual against in person where both can be compared."""
    figure_id, heading = "msc_deficiencies.reasons", "Reasons for deficiencies"
    if state := state_of_dataset(dataset):
        return Figure(figure_id, heading, state=state)
    both = asked(reasons_both_ways, dataset, selection)
    answer, family = both.pooled, both.by_mode
    if state := state_of_deficiencies(answer, dataset, selection):
        return Figure(figure_id, heading, state=state)
    rows = [row for row in answer.rows if isinstance(row, ReasonRow)]
    recorded = rows[0].n
    if recorded is None:
        return Figure(figure_id, heading, state=state_suppressed())
    if not recorded:
        return Figure(figure_id, heading, state=State("too_small", answer.sentence, WIDEN))
    compared = [a for a in family.comparisons if a.adjusted_arms and a.answer and a.answer.interval]
    two = bool(compared)
    frame = _by_mode(rows, family, dataset) if two else _pooled(rows)
    # With small counts hidden the arms on a common mix are not told, yet what differs by mode is.
    apart = [a for a in family.comparisons if a.answer and a.answer.interval]
    title = _title(rows, family, dataset) if apart else _leading(rows)
    measure = f"Reasons for a deficiency, share {'within each validation mode, like for like' if two else 'of deficiencies with a reason'}"
    alt = at_most(
        f"{len(rows)} rows of reasons for deficiencies. {title}. Most frequent: {rows[0].label}, {wording.percent(rows[0].share or 0)}."
    )
    missing = answer.total - recorded if answer.total is not None else 0
    hidden = "suppressed" in answer.caveats or any("suppressed" in a.reasons for a in family.comparisons)
    first = compared[0] if two else None
    counted = ""
    if first:
        arms = [
            f"{wording.number(first.arms[m].n)} {name}"
            for m, name in zip(MODES, arm_names(first), strict=True)
        ]
        counted = f"n = {' and '.join(arms)} deficiencies with a reason"
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            f"Bold, “Differs”: holds after Holm's correction for {len(family.comparisons)} reasons. Unit: a deficiency; "
            f"{_clustered(first)}. Marks: both modes on the same mix, with 95% intervals; at the right their difference"
            if first else "Lines: Goodman's simultaneous 95% intervals",
            "Differences by mode, like for like, are in the table" if apart and not first else "",
            OWN_LIST if dataset.synthetic else "",
            counted or f"n = {wording.number(recorded)} deficiencies with a reason",
            f"{wording.number(missing)} without one are left out" if missing else "",
            words("suppressed") if hidden else "",
            words("mode_filter_ignored") if first and selection.modes else "",
            left_out(first.left_out) if first else "",
            when(dataset, selection),
        ),
        alt=alt,
        chart=interval_rows(
            frame, alt_text=alt, title="Share of deficiencies, %", arms=dict(dataset.modes),
            tooltip={"words": "Share", "counts": "Recorded"}, palette=palette,
        ),
        key=arm_key(dataset) if two else (),
        data=_data(answer.to_frame(), family),
        table=_table(rows, family, dataset),
    )  # fmt: skip


def _by_mode(rows: list[ReasonRow], family: Family, dataset: Dataset) -> pd.DataFrame:
    by_reason = {
        a.group["reason"]: (a, p) for a, p in zip(family.comparisons, family.adjusted_p, strict=True)
    }
    out = []
    for row in rows:
        answer, p = by_reason[row.reason]
        differs = _differs(answer, p)
        found = estimable(answer.answer)
        gap = f"{wording.points(found[0])} points" if found else "too few"
        if "suppressed" in answer.reasons:
            gap = "not shown"
        for mode in MODES:
            arm = answer.adjusted_arms.get(mode)
            value, bounds = (arm.estimate, arm.interval) if arm else (None, None)
            said = with_interval(value, bounds)
            counted = answer.arms.get(mode)
            counts = of_words(counted.events, counted.n) if counted else of_words(None, None)
            out.append(
                {
                    "label": row.label, "arm": mode, **placed(value, bounds), "strong": differs,
                    "result": f"Differs: {gap}" if differs else gap, "words": said, "counts": counts,
                    "description": f"{row.label}, {dataset.modes[mode]}: {said}; recorded {counts}",
                }
            )  # fmt: skip
    return pd.DataFrame(out)


def _pooled(rows: list[ReasonRow]) -> pd.DataFrame:
    out = []
    for row in rows:
        said, counts = with_interval(row.share, row.interval, row.n), of_words(row.count, row.n)
        out.append(
            {
                "label": row.label, "arm": "other", **placed(row.share, row.interval),
                "result": counts, "strong_result": True, "words": said, "counts": counts,
                "description": f"{row.label}: {said}, {counts}",
            }
        )  # fmt: skip
    return pd.DataFrame(out)


def _differs(answer: Comparison, adjusted: float | None) -> bool:
    return adjusted is not None and adjusted < LEVEL and answer.verdict not in ("not_comparable", "too_few")


def _title(rows: list[ReasonRow], family: Family, dataset: Dataset) -> str:
    found = [
        (a, a.answer.estimate)
        for a, p in zip(family.comparisons, family.adjusted_p, strict=True)
        if _differs(a, p) and a.answer and a.answer.estimate is not None
    ]
    count = len(family.comparisons)
    if not found:
        return f"No reason differs by mode after allowing for {count} looks"
    name = dataset.modes["virtual"].lower()
    parts = []
    for amount, chosen in (
        ("less", [a for a, e in found if e < 0]),
        ("more", [a for a, e in found if e > 0]),
    ):
        if chosen:
            named = wording.listed([f"“{a.label}”" for a in chosen])
            parts.append(f"{named} {'is' if len(chosen) == 1 else 'are'} recorded {amount} often")
    return f"{'; '.join(parts)} on {name} validations"


def _leading(rows: list[ReasonRow]) -> str:
    return f"“{rows[0].label}” is recorded most often: {wording.percent(rows[0].share or 0, rows[0].n)}"


def _clustered(answer: Comparison | None) -> str:
    row = answer.answer if answer else None
    clusters = row.settings.get("clusters") if row else None
    if row and row.settings.get("clustered_by") == "specialist_id":
        return f"errors are clustered by specialist ({clusters})"
    return "deficiencies are treated as independent, so intervals are too narrow"


def _table(rows: list[ReasonRow], family: Family, dataset: Dataset) -> pd.DataFrame:
    by_reason = {
        a.group["reason"]: (a, p) for a, p in zip(family.comparisons, family.adjusted_p, strict=True)
    }
    out = []
    for row in rows:
        cells = {
            "Reason": row.label,
            "Deficiencies": of_words(row.count, row.n),
            "Share (95% interval)": with_interval(row.share, row.interval, row.n),
        }
        if row.reason in by_reason:
            answer, p = by_reason[row.reason]
            for mode, arm in answer.arms.items():
                share = share_words(arm.estimate, arm.n)
                cells[dataset.modes[mode]] = f"{share} ({of_words(arm.events, arm.n)})"
            found = estimable(answer.answer)
            gap = f"{wording.points(found[0])} ({wording.interval(found[1], 'difference')})" if found else ""
            cells["Difference, points"] = gap or wording.NOT_ESTIMABLE
            cells["p, Holm"] = adjusted_p(p)
        out.append(cells)
    return pd.DataFrame(out)


def _data(frame: pd.DataFrame, family: Family) -> pd.DataFrame:
    compared = family.to_frame()
    if compared.empty:
        return frame
    named = compared.rename(
        columns={c: f"compared_{c}" for c in ("estimate", "low", "high", "n", "p_value", "status")}
    )
    return frame.merge(
        named.drop(columns=["method", "measure", "population"], errors="ignore"), on="reason", how="left"
    )
