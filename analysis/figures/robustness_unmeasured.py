"""How strong something unmeasured would have to be, beside what is recorded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.confounding import confounding_curves
from analysis.charts.figure import Figure, KeyEntry, State
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, state_of_hidden, when
from analysis.figures.comparison_words import HEADLINE, adjustment, at_most
from analysis.figures.robustness import n_words, state_without_estimate
from analysis.questions.robustness_unmeasured import Benchmark, Target, Unmeasured, unmeasured
from analysis.questions.sentences import margin_words
from analysis.results import Comparison

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

FIGURE = "virtual_vs_in_person.unmeasured"
_NEAR = 0.12
"""Marks closer than this, as ratios on both axes, would print their names over each other."""


def strength_needed(
    dataset: Dataset,
    selection: Selection,
    *,
    metric: str = HEADLINE,
    margin: float | None = None,
    palette: PaletteName = "light",
) -> Figure:
    """Curves of the strengths that would be enough, with recorded factors as a yardstick."""
    answer = asked(unmeasured, dataset, metric, selection, margin=margin)
    whole = answer.whole
    measure = (
        f"{whole.label}: associations a factor nobody recorded would need, beyond all that is adjusted for"
    )
    title = "Something unmeasured"
    if state := state_without_estimate(whole, dataset, selection):
        return Figure(FIGURE, title, measure, state=state)
    if not answer.targets:
        state = (
            state_of_hidden()
            if "suppressed" in answer.caveats
            else State("too_small", answer.sentence, reasons.words(answer.caveats[0]))
        )
        return Figure(FIGURE, title, measure, state=state)
    title = _title(answer)
    curves = pd.DataFrame([point for target in answer.targets for point in _points(target, whole)])
    marks = pd.DataFrame(
        [_mark(b) for b in answer.benchmarks],
        columns=["label", "with_mode", "with_outcome", "words", "description"],
    ).assign(side=_sides(answer.benchmarks, answer.targets))
    alt = at_most(
        f"Curves of the pairs of associations that would be enough, and {len(marks)} recorded factors. {answer.sentence}"
    )
    chart = confounding_curves(
        curves, marks, alt_text=alt, titles=("Association with the mode, times", "Association with the outcome, times"),
        palette=palette,
    )  # fmt: skip
    return Figure(
        id=FIGURE,
        title=title,
        measure=measure,
        caption=caption(
            answer.sentence.replace("**", ""),
            "On or beyond a curve a factor is strong enough. Circle: as strong with both (E-value)",
            f"Grey squares: recorded factors, as they go with mode and outcome. {reasons.words('one_at_a_time')}",
            n_words(whole),
            adjustment(whole),
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        key=(KeyEntry("primary", "To no difference"), KeyEntry("alternative", "Recorded factors")),
        data=answer.to_frame(),
        table=_table(answer),
    )


def _points(target: Target, whole: Comparison) -> list[dict[str, object]]:
    label = "to no difference" if target.name == "nothing" else "to the margin"
    rows: list[dict[str, object]] = [
        {"target": target.name, "label": label, "with_mode": a, "with_outcome": b, "equal": False}
        for a, b in target.pairs()
    ]
    both = f"{wording.ratio(target.e_value)} times with both: {label}"
    rows.append(
        {
            "target": target.name,
            "label": both,
            "with_mode": target.e_value,
            "with_outcome": target.e_value,
            "equal": True,
        }
    )
    return rows


def _mark(benchmark: Benchmark) -> dict[str, object]:
    words = f"{wording.ratio(benchmark.with_mode)} times with the mode, {wording.ratio(benchmark.with_outcome)} times with the outcome"
    return {
        "label": benchmark.label, "with_mode": benchmark.with_mode, "with_outcome": benchmark.with_outcome, "words": words,
        "description": f"{benchmark.label}: {words}",
    }  # fmt: skip


def _sides(benchmarks: tuple[Benchmark, ...], targets: tuple[Target, ...]) -> list[str]:
    """Names to the right of their marks, to the left at the end of the axis, below where another mark is near."""
    furthest = max((b.with_mode for b in benchmarks), default=1.0)
    sides: list[str] = []
    for i, one in enumerate(benchmarks):
        near = [(b.with_mode, b.with_outcome) for b in benchmarks[:i]] + [
            (t.e_value, t.e_value) for t in targets
        ]
        crowded = any(
            abs(math.log(one.with_mode / a)) < _NEAR and abs(math.log(one.with_outcome / b)) < _NEAR
            for a, b in near
        )
        sides.append("below" if crowded else "left" if one.with_mode > 0.8 * furthest > 1.2 else "right")
    return sides


def _title(answer: Unmeasured) -> str:
    nothing = answer.target("nothing")
    assert nothing is not None
    title = f"A factor tied {wording.ratio(nothing.e_value)} times to both mode and outcome would bring it to no difference"
    if answer.benchmarks:
        best = answer.benchmarks[0]
        title += f"; {best.label.lower()} is{'' if best.bias >= nothing.factor else ' not'} tied as strongly"
    return title


def _table(answer: Unmeasured) -> pd.DataFrame:
    rows = []
    for target in answer.targets:
        to = "No difference" if target.name == "nothing" else margin_words(answer.whole).capitalize()
        rows.append(
            {
                "Factor": f"Needed: {to[0].lower()}{to[1:]}", "With the mode": wording.ratio(target.e_value),
                "With the outcome": wording.ratio(target.e_value),
                "For the interval": "includes it already" if target.limit == 1 else wording.ratio(target.limit),
            }
        )  # fmt: skip
    for b in answer.benchmarks:
        rows.append(
            {
                "Factor": f"Recorded: {b.label.lower()}", "With the mode": wording.ratio(b.with_mode),
                "With the outcome": wording.ratio(b.with_outcome), "For the interval": "–",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
