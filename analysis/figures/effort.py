"""Time, effort and burden of the two modes: distributions, and every amount side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.distribution import Middle, stacked_histograms
from analysis.charts.drawn_tables import Cell, Head, drawn_table
from analysis.charts.figure import Figure, State
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, left_out, when
from analysis.figures.comparison_words import at_most
from analysis.questions.amounts import AmountArm, AmountByMode, Bin, amount_by_mode
from analysis.questions.contrasts import Contrast
from analysis.questions.effort import Effort, EffortRow, claim_of, effort, mode_names

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

_PAGE = "virtual_vs_in_person"
_MOST_TICKS = 8
_TICK_STEPS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1_000, 5_000, 50_000)
_QUANTILES = {"quantile_25": "Lower quarter", "quantile_50": "Median", "quantile_75": "Upper quarter"}
_TABLE = f"{_PAGE}.effort"
_WHY_NOT = ("suppressed", "no_comparison_window", "arm_empty", "too_few_in_an_arm", "nothing_recorded")


def distribution(
    dataset: Dataset, selection: Selection, *, amount: str, palette: PaletteName = "light"
) -> Figure:
    """One amount in both modes: two histograms above each other with their medians."""
    answer = asked(amount_by_mode, dataset, amount, selection)
    figure_id, measure = f"{_PAGE}.{amount}", f"Share of validations by {_lowered(answer.amount.label)}"
    if state := _state(answer, dataset, selection):
        return Figure(figure_id, answer.amount.label, measure, state=state)
    arms = list(answer.arms.values())
    frame = pd.DataFrame([_column(answer, arm, part) for arm in arms for part in arm.bins])
    middles = [
        Middle(arm.mode, arm.label, arm.quartiles[1], _middle_words(arm, answer.amount.unit)) for arm in arms
    ]
    title = _title(answer, dataset)
    alt = at_most(f"{'Two histograms' if len(arms) > 1 else 'Histogram'}: {_lowered(measure)}. {title}.")
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


def side_by_side(dataset: Dataset, selection: Selection) -> Figure:
    """Every amount in a row: both medians, their difference, the like-for-like ratio and what is recorded."""
    answer = asked(effort, dataset, selection)
    heading, measure = "Time, effort and burden", "What a validation takes, by mode; ratios like for like"
    if state := _state_of_all(answer, dataset, selection):
        return Figure(_TABLE, heading, measure, state=state)
    heads = [
        Head("What"), Head(dataset.modes["virtual"], number=True), Head(dataset.modes["in_person"], number=True),
        Head("Difference of medians", number=True, short="Difference"), Head("Shift", number=True),
        Head("Virtual longer" if dataset.modes["virtual"] == "Virtual" else "First longer", number=True, short="Longer"),
        Head("Ratio, like for like", number=True, short="Ratio"),
    ]  # fmt: skip
    title = _effort_title(answer, dataset)
    table = pd.DataFrame([_words_of(row, dataset) for row in answer.rows])
    return Figure(
        id=_TABLE,
        title=title,
        measure=measure,
        caption=caption(
            "Medians with their middle half, unadjusted, in quarters in which both modes were in use",
            "Shift: Hodges–Lehmann, the median of all differences between the modes; longer: how often a virtual "
            "validation exceeds an in-person one (Brunner–Munzel), 50% being no difference"
            if dataset.modes["virtual"] == "Virtual"
            else "",
            _ratio_words(answer),
            _recorded_words(answer),
            "Except the ratio, intervals take validations as independent",
            *(reasons.words(code) for code in answer.caveats if code not in ("independent", "small_numbers")),
            when(dataset, selection),
        ),
        alt=at_most(f"Table of {len(answer.rows)} amounts by mode. {title}."),
        html=drawn_table(heads, [_cells(row) for row in answer.rows], caption=title),
        data=answer.to_frame(),
        table=table,
    )


# -- distributions in words -------------------------------------------------------------------------------


def _state(answer: AmountByMode, dataset: Dataset, selection: Selection) -> State | None:
    codes = answer.caveats
    if "empty_selection" in codes:
        return empty_state(dataset, selection)
    if "column_absent" in codes:
        what = f"{answer.amount.label}: {_lowered(reasons.words('column_absent'))}"
        return State("too_small", what, "Import them to see this.")
    if "suppressed" in codes and not any(arm.bins for arm in answer.arms.values()):
        return State("too_small", reasons.words("suppressed"), "Widen the period or take filters off.")
    why = next((c for c in ("nothing_recorded", "no_comparison_window", "arm_empty") if c in codes), None)
    if why is not None and not answer.arms:
        return State("too_small", reasons.words(why), "Widen the period or take filters off.")
    if not answer.amount.virtual_only and not answer.contrasts:
        sizes = [f"{wording.number(arm.n or 0)} {_lowered(arm.label)}" for arm in answer.arms.values()]
        return State(
            "too_small",
            f"Too few to compare: {wording.listed(sizes)}.",
            "Widen the period or take filters off.",
        )
    return None if answer.n else empty_state(dataset, selection)


def _lowered(words: str) -> str:
    return words[0].lower() + words[1:]


def amount_words(value: float | None, unit: str, *, signed: bool = False) -> str:
    """A value in its unit: whole where values are whole, hours to a tenth.

    >>> amount_words(3.5, "h"), amount_words(-3.0, "days", signed=True), amount_words(1.0, "sites")
    ('3.5 h', '−3 days', '1 site')
    """
    if value is None:
        return wording.NOT_ESTIMABLE
    text = _bare([value], unit, signed=signed)[0]
    one = text.lstrip("+−") == "1" and unit.endswith("s")
    return f"{text} {unit[:-1] if one else unit}"


def _bare(values: Sequence[float], unit: str, *, signed: bool = False) -> list[str]:
    """Values without their unit, all to the same decimals."""
    tenths = unit == "h" or any(abs(value - round(value)) > 0.05 for value in values)
    write = wording.signed if signed else wording.number
    return [write(value, int(tenths)) for value in values]


def _middle_words(arm: AmountArm, unit: str) -> str:
    low, middle, high = arm.quartiles
    if middle is None:
        return "median not reached"
    words = f"median {amount_words(middle, unit)}"
    if low is None or high is None:
        return words
    return f"{words} · middle half {wording.EN_DASH.join(_bare([low, high], unit))}"


def _column(answer: AmountByMode, arm: AmountArm, part: Bin) -> dict[str, object]:
    unit, width = answer.amount.unit, _width(arm.bins)
    span = _range_words(part, answer)
    counted = "" if part.count is None else f" ({wording.number(part.count)} of {wording.number(arm.n or 0)})"
    share = wording.NOT_ESTIMABLE if part.share is None else wording.percent(part.share)
    words = share if answer.censored else f"{share}{counted}"
    # A whole number stands in the middle of its column, a range from its lower end.
    left = part.low - (0.5 if _whole(answer, width) else 0.0)
    return {
        "mode": arm.mode, "low": left, "high": left + width, "share": part.share, "range": f"{span} {unit}",
        "words": words, "description": f"{arm.label}, {span} {unit}: {words}",
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


_TITLES = {
    "hours": "A {v} validation took {one} at the median, an {p} one {other}",
    "days_to_report": "The report came after {one} at the median for {v}, {other} for {p} validations",
    "days_to_close": "Closing took {one} at the median after {v}, {other} after {p} validations",
}


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
        words = f"{wording.number(arm.n)} {_lowered(arm.label)}"
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
        f"{_lowered(_QUANTILES[c.measure])} {_contrast_words(c, unit)}"
        for c in answer.contrasts
        if c.measure in _QUANTILES and c.estimate is not None
    ]
    if not gaps:
        return ""
    return f"Differences, unadjusted, quarters with both modes: {wording.listed(gaps)}"


def _contrast_words(contrast: Contrast, unit: str) -> str:
    if contrast.estimate is None:
        return wording.NOT_ESTIMABLE
    value = amount_words(contrast.estimate, unit, signed=True)
    return f"{value} ({_limits(contrast, unit)})"


def _limits(contrast: Contrast, unit: str) -> str:
    bounds = contrast.interval
    if bounds is None:
        return "ties, no interval" if "tied_values" in contrast.caveats else "no interval"
    return " to ".join(_bare([bounds.low, bounds.high], unit, signed=True))


def _twin(answer: AmountByMode) -> pd.DataFrame:
    """The columns of both histograms as a table, widest first the range."""
    arms = list(answer.arms.values())
    rows = []
    for place, part in enumerate(arms[0].bins if arms[0].bins else arms[-1].bins):
        row = {answer.amount.label: f"{_range_words(part, answer)} {answer.amount.unit}"}
        for arm in arms:
            own = arm.bins[place] if arm.bins else None
            row[arm.label] = (
                wording.NOT_ESTIMABLE if own is None or own.share is None else wording.percent(own.share)
            )
        rows.append(row)
    return pd.DataFrame(rows)


# -- all amounts ------------------------------------------------------------------------------------------


def _state_of_all(answer: Effort, dataset: Dataset, selection: Selection) -> State | None:
    if not answer.rows:
        return State("too_small", reasons.words("column_absent"), "Import hours or dates to see this.")
    codes = [code for row in answer.rows for code in row.amount.caveats]
    if all("empty_selection" in row.amount.caveats for row in answer.rows):
        return empty_state(dataset, selection)
    if not any(row.amount.contrasts for row in answer.rows):
        why = next((code for code in _WHY_NOT if code in codes), "too_few_in_an_arm")
        return State("too_small", reasons.words(why), "Widen the period or take filters off.")
    return None


def _ratio_of(row: EffortRow) -> tuple[str, str]:
    found = row.ratio
    if found is None or found.estimate is None or found.interval is None:
        return wording.NOT_ESTIMABLE, ""
    return wording.ratio(found.estimate), wording.interval(found.interval, "ratio")


def _cells(row: EffortRow) -> list[Cell]:
    ratio, bounds = _ratio_of(row)
    return [
        Cell(row.amount.amount.label, second=_recorded(row)),
        *(Cell(words, second) for words, second in _numbers(row).values()),
        Cell(ratio, bounds, strong=bool(bounds)),
    ]


def _numbers(row: EffortRow) -> dict[str, tuple[str, str]]:
    """Words and second line of each number of one row."""
    unit, out = row.amount.amount.unit, {}
    for mode in ("virtual", "in_person"):
        arm = row.amount.arms.get(mode)
        low, middle, high = arm.quartiles if arm is not None else (None, None, None)
        half = wording.EN_DASH.join(_bare([low, high], unit)) if low is not None and high is not None else ""
        out[mode] = (amount_words(middle, unit), half)
    for measure in ("quantile_50", "shift", "probability"):
        found = row.amount.contrast(measure)
        if found is None or found.estimate is None:
            still_open = found is not None and "open_cases" in found.caveats
            out[measure] = (wording.NOT_ESTIMABLE, "some are open" if still_open else "")
        elif measure == "probability":
            out[measure] = (wording.percent(found.estimate), wording.interval(found.interval, "share"))
        else:
            out[measure] = (amount_words(found.estimate, unit, signed=True), _limits(found, unit))
    return out


def _recorded(row: EffortRow) -> str:
    parts = [
        f"{wording.percent(arm.n / arm.of, arm.of)} {_lowered(arm.label)}"
        for arm in row.amount.arms.values()
        if arm.of and arm.n is not None
    ]
    return f"recorded: {', '.join(parts)}" if parts else ""


def _words_of(row: EffortRow, dataset: Dataset) -> dict[str, str]:
    ratio, bounds = _ratio_of(row)
    numbers = {
        key: f"{words} ({second})" if second else words
        for key, (words, second) in {**_numbers(row), "ratio": (ratio, bounds)}.items()
    }
    return {
        "What": row.amount.amount.label,
        dataset.modes["virtual"]: numbers["virtual"],
        dataset.modes["in_person"]: numbers["in_person"],
        "Difference of medians": numbers["quantile_50"],
        "Shift": numbers["shift"],
        "Longer": numbers["probability"],
        "Ratio, like for like": numbers["ratio"],
        "Recorded": _recorded(row).removeprefix("recorded: ") or wording.NOT_ESTIMABLE,
    }


def _ratio_words(answer: Effort) -> str:
    found = [row.ratio for row in answer.rows if row.ratio is not None and row.ratio.interval is not None]
    if not found:
        return ""
    kinds = {row.settings["summary"] for row in found}
    means = wording.listed(
        [
            words
            for kind, words in (
                ("geometric", "geometric means"),
                ("restricted", "means up to 90 days (open ones still waiting)"),
            )
            if kind in kinds
        ]
    )
    clustered = {row.settings["clustered_by"] for row in found} == {"specialist_id"}
    columns = found[0].settings["adjusted_for"]
    adjusted = f", stratified by {wording.listed(columns)}" if columns else ""
    return f"Ratio: of {means}{adjusted}{'; errors clustered by specialist' if clustered else ''}"


def _recorded_words(answer: Effort) -> str:
    row = answer.row("minutes_lost")
    if row is None or not row.amount.n:
        return ""
    return "Minutes lost are recorded for virtual validations only, so nothing is compared"


def _effort_title(answer: Effort, dataset: Dataset) -> str:
    for row in answer.rows:
        if claim := claim_of(row, dataset):
            return f"{claim[0].upper()}{claim[1:]}, like for like"
    return "What a validation takes, by mode"
