"""How robust is the answer? Margins it would pass, and what could not be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.axes import Unit
from analysis.charts.figure import Figure, KeyEntry, State
from analysis.charts.ranges import ranges
from analysis.charts.theme import PaletteName
from analysis.charts.verdict import VERDICTS
from analysis.figures.asking import asked
from analysis.figures.captions import caption, state_of_comparison, state_of_hidden, when
from analysis.figures.comparison_words import HEADLINE, adjustment, at_most, axis_title, band, contrast
from analysis.questions.robustness import effect, stands
from analysis.questions.robustness_bounds import ORDERS, Bounded, Order, bounds
from analysis.questions.robustness_margin import MarginRow, Margins, margin_size, margins
from analysis.questions.sentences import arm_names, scale_of
from analysis.results import Comparison

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

_SOURCES = {
    "set": "Margin set beforehand",
    "moved": "Margin moved by the reader",
    "smallest": "Smallest margin that passes",
}


def margin_rows(
    dataset: Dataset,
    selection: Selection,
    *,
    metric: str = HEADLINE,
    margin: float | None = None,
    palette: PaletteName = "light",
) -> Figure:
    """The interval against the margin set beforehand, the reader's, and the smallest that would pass."""
    answer = asked(margins, dataset, metric, selection, margin=margin)
    whole, figure_id = answer.whole, "virtual_vs_in_person.margin"
    measure = measure_of(whole, "against margins")
    if state := state_without_estimate(whole, dataset, selection):
        return Figure(figure_id, "Which margins would it pass?", measure, state=state)
    if whole.margin is None:
        state = State("too_small", reasons.words("no_margin"), "This metric is described, not judged.")
        return Figure(figure_id, "Which margins would it pass?", measure, state=state)
    frame = pd.DataFrame([_estimate_row(whole), *(_margin_row(row, answer) for row in answer.rows)])
    title = _margin_title(answer)
    alt = at_most(f"The interval and {len(answer.rows)} margins as bars. {answer.sentence}")
    chart = ranges(
        frame, alt_text=alt, title=axis_title(whole, scale_of(whole)), unit=unit_of_axis(whole), line=_harmful_end(whole),
        palette=palette,
    )  # fmt: skip
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            answer.sentence.replace("**", ""),
            "Bars: within the margin. Dotted: the end of the interval that a margin has to hold"
            if _harmful_end(whole) is not None
            else "Bars: within the margin, which has to hold the whole interval",
            reasons.words("illustrative_margin")
            if whole.margin_source == "illustrative"
            else f"Margin {whole.margin_source}",
            n_words(whole),
            adjustment(whole),
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        data=answer.to_frame(),
        table=pd.DataFrame(
            [
                {
                    "Margin": _SOURCES[row.source],
                    "Size": margin_size(row.margin, whole),
                    "Verdict": VERDICTS[row.verdict].short,
                }
                for row in answer.rows
            ]
        ),
    )


def unseen(
    dataset: Dataset,
    selection: Selection,
    *,
    metric: str = HEADLINE,
    margin: float | None = None,
    palette: PaletteName = "light",
) -> Figure:
    """How far the answer could move if all that was not verified were deficient, or none of it, in each arm."""
    answer = asked(bounds, dataset, metric, selection).against(margin)
    whole, figure_id = answer.whole, "virtual_vs_in_person.unseen"
    measure = measure_of(whole, "with what could not be verified taken as deficient, or not")
    title = "What could not be seen"
    if state := state_without_estimate(whole, dataset, selection):
        return Figure(figure_id, title, measure, state=state)
    if answer.reach is None or answer.low is None or answer.high is None:
        state = (
            state_of_hidden()
            if "suppressed" in answer.caveats
            else State("too_small", answer.sentence.replace("**", ""))
        )
        return Figure(figure_id, title, measure, state=state)
    # Of flags, nothing unseen being deficient is what was recorded.
    drawn = [o for o in answer.orders if whole.answer is None or o.estimate.estimate != whole.answer.estimate]
    frame = pd.DataFrame([_estimate_row(whole), _region(answer), *(_order(order, whole) for order in drawn)])
    title = (
        f"Anything from {effect(answer.low, whole, unit=False)} to {effect(answer.high, whole)} is possible "
        "when nothing is assumed about the unseen"
    )
    alt = at_most(f"The estimate, the region that is possible, and {len(drawn)} extremes. {answer.sentence}")
    chart = ranges(
        frame, alt_text=alt, title=axis_title(whole, scale_of(whole)), unit=unit_of_axis(whole), margin=band(whole),
        palette=palette,
    )  # fmt: skip
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Nothing is assumed about what could not be seen: every criterion not verified is taken to be deficient, or none, "
            "in each mode by itself",
            answer.sentence.split(": ", 1)[-1].replace("**", ""),
            "Bar: every estimate in between; thin line: with sampling error",
            _settled(answer),
            *(reasons.words(code) for code in answer.caveats),
            n_words(whole),
            adjustment(whole),
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        key=(
            KeyEntry("primary", "As recorded"),
            KeyEntry("alternative", "At an extreme"),
            *([KeyEntry("margin", "Within the margin")] if band(whole) else []),
        ),
        data=answer.to_frame(),
        table=pd.concat([_arm_table(answer), _order_table(answer)], ignore_index=True).fillna("–"),
    )


def measure_of(whole: Comparison, what: str) -> str:
    """The line under the title of a figure about robustness."""
    unit = "times" if scale_of(whole) == "ratio" else "percentage points"
    return f"{whole.label}: {contrast(whole)}, {unit}, {what}"


def n_words(whole: Comparison) -> str:
    """The n behind the estimate, with its unit; empty where it is hidden."""
    row = whole.answer
    if row is None or not row.n:
        return ""
    unit = ("criterion", "criteria") if whole.kind == "rate" else ("validation", "validations")
    return f"n = {wording.counted(row.n, *unit)}"


def unit_of_axis(whole: Comparison) -> Unit:
    """The scale of an axis of effects."""
    return "ratio" if scale_of(whole) == "ratio" else "points"


def state_without_estimate(whole: Comparison, dataset: Dataset, selection: Selection) -> State | None:
    """Why an answer has nothing to vary; None where it has."""
    if "suppressed" in whole.reasons:
        return state_of_hidden()
    if state := state_of_comparison(whole, dataset, selection):
        return state
    if not stands(whole):
        return State("too_small", whole.sentence.replace("**", ""), "Widen the period or take filters off.")
    return None


def _estimate_row(whole: Comparison) -> dict[str, object]:
    row = whole.answer
    assert row is not None and row.interval is not None
    scale = scale_of(whole)
    result = f"{wording.amount(row.estimate, scale)} {wording.interval(row.interval, scale, compact=True)}"
    return {
        "label": "As recorded, like for like", "role": "primary", "estimate": row.estimate, "low": row.interval.low,
        "high": row.interval.high, "result": result, "description": f"Estimate with its interval: {result}",
    }  # fmt: skip


def _margin_row(row: MarginRow, answer: Margins) -> dict[str, object]:
    whole = answer.whole
    if whole.margin_scale == "ratio":
        low, high = sorted((row.margin, 1 / row.margin))
        size = wording.ratio(row.margin)
    else:
        low, high, size = -row.margin, row.margin, f"±{wording.margin_size(row.margin)}"
    verdict = VERDICTS[row.verdict].short.lower()
    return {
        "label": _SOURCES[row.source], "role": "bar", "estimate": None, "low": low, "high": high,
        "result": f"{size}: {verdict}", "description": f"{_SOURCES[row.source]}: {size}, {verdict}",
    }  # fmt: skip


def _harmful_end(whole: Comparison) -> float | None:
    row = whole.answer
    if row is None or row.interval is None:
        return None
    return {"lower": row.interval.low, "higher": row.interval.high}.get(whole.harmful)


def _margin_title(answer: Margins) -> str:
    whole, smallest = answer.whole, answer.smallest
    if answer.needless:
        return "It needs no margin: the whole interval lies on the side that is not bad news"
    if smallest is None:
        return "Described, not judged" if whole.verdict == "described" else "No margin would pass"
    size = margin_size(smallest, whole)
    if whole.verdict == "as_good":
        return f"It would still pass a margin of {size}"
    assert whole.margin is not None
    return f"It would take a margin of {size} to pass; the one set is {margin_size(whole.margin, whole)}"


def _region(answer: Bounded) -> dict[str, object]:
    whole = answer.whole
    assert answer.reach is not None
    scale = scale_of(whole)
    result = f"{wording.amount(answer.low, scale)} to {wording.amount(answer.high, scale)}"
    return {
        "label": "All that is possible", "role": "bar", "estimate": None, "low": answer.low, "high": answer.high,
        "from": answer.reach.low, "to": answer.reach.high, "result": result,
        "description": f"All that is possible: {result}, with sampling error {wording.interval(answer.reach, scale)}",
    }  # fmt: skip


def _order_label(order: Order, whole: Comparison) -> str:
    v, p = arm_names(whole)
    names = {
        (True, False): f"Deficient on {v} only",
        (True, True): "Deficient on both",
        (False, False): "Deficient on neither",
        (False, True): f"Deficient on {p} only",
    }
    return names[order.virtual, order.in_person]


def _order(order: Order, whole: Comparison) -> dict[str, object]:
    row, scale, label = order.estimate, scale_of(whole), _order_label(order, whole)
    assert row.interval is not None
    result = f"{wording.amount(row.estimate, scale)} {wording.interval(row.interval, scale, compact=True)}"
    return {
        "label": label, "role": "alternative", "estimate": row.estimate, "low": row.interval.low, "high": row.interval.high,
        "result": result, "description": f"{label}: {result}",
    }  # fmt: skip


def _settled(answer: Bounded) -> str:
    if answer.whole.verdict in ("described", "not_comparable") or answer.whole.margin is None:
        return ""
    if answer.settled == "cannot_tell":
        return "By itself this settles nothing: the answer rests on reading what was not verified as nothing found"
    return f"Whatever the unseen hides, the verdict is: {VERDICTS[answer.settled].words.lower()}"


def _arm_table(answer: Bounded) -> pd.DataFrame:
    rows = []
    for arm in answer.arms.values():
        low, recorded, high = (
            wording.percent(v) if v is not None else "–" for v in (arm.low, arm.recorded, arm.high)
        )
        rows.append(
            {
                "What": arm.label, "As recorded": recorded, "At least": low, "At most": high,
                "Could hide one": f"{wording.number(arm.unseen)} of {wording.number(arm.n)}",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _order_table(answer: Bounded) -> pd.DataFrame:
    scale = scale_of(answer.whole)
    rows = []
    for order in answer.orders:
        row = order.estimate
        said = f"{wording.amount(row.estimate, scale)} ({wording.interval(row.interval, scale)})"
        rows.append({"What": _order_label(order, answer.whole), "Like for like (95% interval)": said})
    assert len(rows) == len(ORDERS)
    return pd.DataFrame(rows)
