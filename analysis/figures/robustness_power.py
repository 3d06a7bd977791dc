"""What could have been seen at this size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, State
from analysis.charts.power_curve import power_curve
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, state_of_hidden, when
from analysis.figures.comparison_words import HEADLINE, adjustment, at_most, axis_title
from analysis.figures.robustness import measure_of, state_without_estimate, unit_of_axis
from analysis.questions.robustness import effect
from analysis.questions.robustness_power import POWER, Detectable, detectable
from analysis.questions.sentences import arm_names, margin_words, scale_of
from analysis.results import Comparison

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

FIGURE = "virtual_vs_in_person.power"


def power(
    dataset: Dataset,
    selection: Selection,
    *,
    metric: str = HEADLINE,
    margin: float | None = None,
    palette: PaletteName = "light",
) -> Figure:
    """Power over true effects, with the detectable one."""
    answer = asked(detectable, dataset, metric, selection, margin=margin)
    whole = answer.whole
    measure, title = (
        measure_of(whole, "chance to find a true effect of that size"),
        "What could have been found",
    )
    if state := state_without_estimate(whole, dataset, selection):
        return Figure(FIGURE, title, measure, state=state)
    if not answer.curve:
        state = state_of_hidden() if "suppressed" in answer.caveats else State("too_small", answer.sentence)
        return Figure(FIGURE, title, measure, state=state)
    title = _title(answer)
    alt = at_most(f"Power over true effects at this size. {answer.sentence}")
    found = (answer.detectable, effect(answer.detectable, whole)) if answer.detectable is not None else None
    chart = power_curve(
        answer.to_frame(), alt_text=alt, title=f"True effect: {axis_title(whole, scale_of(whole)).lower()}",
        unit=unit_of_axis(whole), power=POWER, found=found, margin=_margin(whole), palette=palette,
    )  # fmt: skip
    return Figure(
        id=FIGURE,
        title=title,
        measure=measure,
        caption=caption(
            answer.sentence.replace("**", ""),
            _half_width(answer),
            _sizes(answer),
            "Dashed: four times in five, and the margin" if _margin(whole) else "Dashed: four times in five",
            reasons.words("not_post_hoc"),
            adjustment(whole),
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        data=answer.to_frame(),
        table=_table(answer),
    )


def _margin(whole: Comparison) -> tuple[float, str] | None:
    """The margin on the side that would be bad news."""
    if whole.margin is None or whole.margin in (0.0, 1.0):
        return None
    size = f"margin {wording.ratio(whole.margin) if whole.margin_scale == 'ratio' else wording.margin_size(whole.margin)}"
    if whole.margin_scale == "ratio":
        low, high = sorted((whole.margin, 1 / whole.margin))
        return (high if whole.harmful == "higher" else low), size
    return (whole.margin if whole.harmful == "higher" else -whole.margin), size


def _title(answer: Detectable) -> str:
    if answer.detectable is None:
        return "Not even the largest difference would have been found"
    return f"At this size {effect(answer.detectable, answer.whole)} would have been found four times in five"


def _half_width(answer: Detectable) -> str:
    row = answer.whole.answer
    if row is None or row.interval is None or answer.half_width is None:
        return ""
    if scale_of(answer.whole) == "ratio":
        return f"The interval reaches from {wording.interval(row.interval, 'ratio')}"
    return f"The interval reaches {wording.points(answer.half_width).lstrip('+')} points to either side"


def _sizes(answer: Detectable) -> str:
    names = arm_names(answer.whole)
    unit = "criteria" if answer.whole.kind == "rate" else "validations"
    counts = [f"{wording.number(n)} {name}" for n, name in zip(answer.n.values(), names, strict=True)]
    said = f"n = {wording.listed(counts)} {unit}"
    if answer.design_effect is None:
        return said
    return f"{said}; specialists and adjustment make variances {wording.ratio(answer.design_effect)} times those of a plain comparison"


def _table(answer: Detectable) -> pd.DataFrame:
    whole = answer.whole
    rows = [
        (
            "Found four times in five",
            effect(answer.detectable, whole) if answer.detectable is not None else "–",
        )
    ]
    if answer.power_at_margin is not None:
        rows.append(
            (
                f"Chance to find a true effect as large as the {margin_words(whole)}",
                wording.percent(answer.power_at_margin),
            )
        )
    if answer.chance_within is not None:
        rows.append(("Chance of “as good”, were there no difference", wording.percent(answer.chance_within)))
    if answer.n_within is not None:
        rows.append(
            ("Validations at which that chance is four in five", f"about {wording.about(answer.n_within)}")
        )
    if whole.further_needed:
        rows.append(
            (
                "Further validations to settle it, if the estimate stayed",
                f"about {wording.about(whole.further_needed)}",
            )
        )
    return pd.DataFrame(rows, columns=["What", "Value"])
