"""Time, effort and burden of the two modes: one amount, as two histograms above each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.distribution import Middle, stacked_histograms
from analysis.charts.figure import Figure, State
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, left_out, when
from analysis.figures.comparison_words import at_most
from analysis.figures.effort_words import amount_words, bare, contrast_words, in_unit, lowered
from analysis.questions.amounts import AmountArm, AmountByMode, Bin, amount_by_mode
from analysis.questions.effort import mode_names

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

_MOST_TICKS = 8
_TICK_STEPS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1_000, 5_000, 50_000)
_QUANTILES = {"quantile_25": "Lower quarter", "quantile_50": "Median", "quantile_75": "Upper quarter"}
_TITLES = {
    "hours": "A {v} validation took {one} at the median, an {p} one {other}",
    "days_to_report": "The report came after {one} at the median for {v}, {other} for {p} validations",
    "days_to_close": "Closing took {one} at the median after {v}, {other} after {p} validations",
}


def distribution(
    dataset: Dataset, selection: Selection, *, amount: str, palette: PaletteName = "light"
) -> Figure:
    """One amount in both modes: two histograms above each other with their medians."""
    answer = asked(amount_by_mode, dataset, amount, selection)
    figure_id, measure = (
        f"virtual_vs_in_person.{amount}",
        f"Share of validations by {lowered(answer.amount.label)}",
    )
    if state := _state(answer, dataset, selection):
        return Figure(figure_id, answer.amount.label, measure, state=state)
    arms = list(answer.arms.values())
    frame = pd.DataFrame([_column(answer, arm, part) for arm in arms for part in arm.bins])
    middles = [
        Middle(arm.mode, arm.label, arm.quartiles[1], _middle_words(arm, answer.amount.unit)) for arm in arms
    ]
    title = _title(answer, dataset)
    alt = at_most(f"{'Two histograms' if len(arms) > 1 else 'Histogram'}: {lowered(measure)}. {title}.")
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Vertical line: median",
            _beyond(answer),
            _sizes(answer),
            _zeros(answer),
            _unadjusted(answer, dataset),
            *(reasons.words(code) for code in answer.caveats if code not in ("independent", "small_numbers")),
            left_out(answer.left_out),
            when(dataset, selection),
        ),
        alt=alt,
        chart=stacked_histograms(
            frame,
            middles,
            alt_text=alt,
            title=_axis_title(answer),
            ticks=_ticks(frame["low"].min(), _last_edge(frame, arms)),
            palette=palette,
        ),
        data=answer.to_frame(),
        table=_twin(answer),
    )


def _state(answer: AmountByMode, dataset: Dataset, selection: Selection) -> State | None:
    codes = answer.caveats
    if "empty_selection" in codes:
        return empty_state(dataset, selection)
    if "column_absent" in codes:
        what = f"{answer.amount.label}: {lowered(reasons.words('column_absent'))}"
        return State("too_small", what, "Import them to see this.")
    if "suppressed" in codes and not any(arm.bins for arm in answer.arms.values()):
        return State("too_small", reasons.words("suppressed"), "Widen the period or take filters off.")
    why = next((c for c in ("nothing_recorded", "no_comparison_window", "arm_empty") if c in codes), None)
    if why is not None and not answer.arms:
        return State("too_small", reasons.words(why), "Widen the period or take filters off.")
    if not answer.amount.virtual_only and not answer.contrasts:
        sizes = [f"{wording.number(arm.n or 0)} {lowered(arm.label)}" for arm in answer.arms.values()]
        return State(
            "too_small",
            f"Too few to compare: {wording.listed(sizes)}.",
            "Widen the period or take filters off.",
        )
    return None if answer.n else empty_state(dataset, selection)


def _middle_words(arm: AmountArm, unit: str) -> str:
    low, middle, high = arm.quartiles
    if middle is None:
        return "median not reached"
    words = f"median {amount_words(middle, unit)}"
    if low is None or high is None:
        return words
    return f"{words} · middle half {wording.EN_DASH.join(bare([low, high], unit))}"


def _column(answer: AmountByMode, arm: AmountArm, part: Bin) -> dict[str, object]:
    unit, width = answer.amount.unit, _width(arm.bins)
    span = in_unit(_range_words(part, answer), unit)
    counted = "" if part.count is None else f" ({wording.number(part.count)} of {wording.number(arm.n or 0)})"
    share = wording.NOT_ESTIMABLE if part.share is None else wording.percent(part.share)
    words = share if answer.censored else f"{share}{counted}"
    # A whole number stands in the middle of its column, a range from its lower end.
    left = part.low - (0.5 if _whole(answer, width) else 0.0)
    return {
        "mode": arm.mode, "low": left, "high": left + width, "share": part.share, "range": span,
        "words": words, "description": f"{arm.label}, {span}: {words}",
    }  # fmt: skip


def _width(bins: Sequence[Bin]) -> float:
    return bins[1].low - bins[0].low if len(bins) > 1 else 1.0


def _whole(answer: AmountByMode, width: float) -> bool:
    return answer.amount.per_unit == 1 and width == 1


def _range_words(part: Bin, answer: AmountByMode) -> str:
    if part.high is None:
        return f"{wording.number(part.low)} and more"
    last = part.high - 1 / answer.amount.per_unit
    if last - part.low < 1e-9:
        return wording.number(part.low)
    decimals = 0 if answer.amount.per_unit == 1 else 1
    return f"{wording.number(part.low, decimals)}{wording.EN_DASH}{wording.number(last, decimals)}"


def _last_edge(frame: pd.DataFrame, arms: Sequence[AmountArm]) -> float:
    """Where the axis ends to be labelled: a column for all that lies beyond has no end."""
    beyond = [arm.bins[-1].low for arm in arms if arm.bins and arm.bins[-1].high is None]
    return float(beyond[0] if beyond else frame["high"].max())


def _ticks(low: float, high: float) -> list[float]:
    """Round values to label, never more than fit a narrow page."""
    step = next(s for s in _TICK_STEPS if (high - low) / s < _MOST_TICKS)
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _axis_title(answer: AmountByMode) -> str:
    unit = {"h": "hours", "min": "minutes"}.get(answer.amount.unit, answer.amount.unit)
    label = answer.amount.label
    return label if unit in label.lower() or unit == "sites" else f"{label}, {unit}"


def _title(answer: AmountByMode, dataset: Dataset) -> str:
    unit, arms, (v, p) = answer.amount.unit, answer.arms, mode_names(dataset)
    if answer.amount.virtual_only:
        arm = arms["virtual"]
        if arm.n and arm.n_zero is not None:
            return (
                f"{wording.percent(arm.n_zero / arm.n, arm.n)} of {v} validations lost no time to technology"
            )
        return answer.amount.label
    if answer.amount.id == "sites":
        return _more_than_one(answer, v, p) or answer.amount.label
    middle = answer.contrast("quantile_50")
    if middle is None or middle.virtual is None or middle.in_person is None:
        return answer.amount.label
    one, other = amount_words(middle.virtual, unit), amount_words(middle.in_person, unit)
    article = "an" if p[0].lower() in "aeiou" else "a"
    return (
        _TITLES[answer.amount.id].replace("an {p}", f"{article} {{p}}").format(v=v, p=p, one=one, other=other)
    )


def _more_than_one(answer: AmountByMode, v: str, p: str) -> str:
    """Most validations visit one site: what differs is how many visit more."""
    parts = []
    for mode, name in (("virtual", v), ("in_person", p)):
        arm = answer.arms[mode]
        above = [part.share for part in arm.bins if part.low > 1]
        if any(share is None for share in above) or _width(arm.bins) != 1:
            return ""
        parts.append(f"{wording.percent(sum(share or 0.0 for share in above), arm.n)} of {name}")
    return f"{wording.listed(parts)} validations visited more than one site"


def _beyond(answer: AmountByMode) -> str:
    lasts = [arm.bins[-1] for arm in answer.arms.values() if arm.bins]
    if not any(part.high is None for part in lasts):
        return ""
    return f"Last column: {wording.number(lasts[0].low)} {answer.amount.unit} and more"


def _sizes(answer: AmountByMode) -> str:
    parts = []
    for arm in answer.arms.values():
        if arm.n is None:
            continue
        words = f"{wording.number(arm.n)} {lowered(arm.label)}"
        if arm.of is not None and arm.of:
            missing = arm.of - arm.n
            share = f"{wording.percent(arm.n / arm.of, arm.of)} recorded, {wording.number(missing)} not"
            words += f" ({share if missing else 'all recorded'})"
        if arm.n_open:
            words += f" ({wording.number(arm.n_open)} still open)"
        parts.append(words)
    return f"n = {wording.listed(parts)}" if parts else ""


def _zeros(answer: AmountByMode) -> str:
    zeros = sum(arm.n_zero or 0 for arm in answer.arms.values())
    if not zeros or answer.amount.virtual_only:
        return ""
    unit = answer.amount.unit
    return f"{wording.counted(zeros, 'validation')} with 0 {unit}: in the medians, not in ratios of geometric means"


def _unadjusted(answer: AmountByMode, dataset: Dataset) -> str:
    if answer.amount.virtual_only:
        return f"Described: {mode_names(dataset)[1]} validations have none to lose"
    unit = answer.amount.unit
    gaps = [
        f"{lowered(_QUANTILES[c.measure])} {contrast_words(c, unit)}"
        for c in answer.contrasts
        if c.measure in _QUANTILES and c.estimate is not None
    ]
    if not gaps:
        return ""
    return f"Differences, unadjusted, quarters with both modes: {wording.listed(gaps)}"


def _twin(answer: AmountByMode) -> pd.DataFrame:
    """The columns of both histograms as a table, widest first the range."""
    arms = list(answer.arms.values())
    rows = []
    for place, part in enumerate(arms[0].bins if arms[0].bins else arms[-1].bins):
        row = {answer.amount.label: in_unit(_range_words(part, answer), answer.amount.unit)}
        for arm in arms:
            own = arm.bins[place] if arm.bins else None
            row[arm.label] = (
                wording.NOT_ESTIMABLE if own is None or own.share is None else wording.percent(own.share)
            )
        rows.append(row)
    return pd.DataFrame(rows)
