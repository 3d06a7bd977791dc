"""The specification curve: every combination of choices, in order of its estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, KeyEntry, State
from analysis.charts.specification import specification_curve
from analysis.charts.theme import PaletteName
from analysis.charts.verdict import VERDICTS
from analysis.figures.asking import asked
from analysis.figures.captions import caption, when
from analysis.figures.comparison_words import HEADLINE, adjustment, at_most, band
from analysis.figures.robustness import measure_of, n_words, state_without_estimate, unit_of_axis
from analysis.questions.robustness import effect
from analysis.questions.robustness_choices import CHOICES, DIMENSIONS
from analysis.questions.robustness_specifications import Specification, Specifications, specifications
from analysis.questions.sentences import margin_words, scale_of
from analysis.results import Comparison

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

FIGURE = "virtual_vs_in_person.specifications"


def specification_figure(
    dataset: Dataset,
    selection: Selection,
    *,
    metric: str = HEADLINE,
    margin: float | None = None,
    palette: PaletteName = "light",
) -> Figure:
    """All specifications above the choices they made."""
    answer = asked(specifications, dataset, metric, selection).against(margin)
    whole = answer.whole
    measure = measure_of(whole, "under every combination of choices")
    if state := state_without_estimate(whole, dataset, selection):
        return Figure(FIGURE, "Under other choices", measure, state=state)
    known = answer.estimated
    if not known:
        hidden = reasons.words("suppressed") if "suppressed" in answer.caveats else answer.sentence
        return Figure(
            FIGURE, "Under other choices", measure, state=State("too_small", hidden.replace("**", ""))
        )
    frame = pd.DataFrame([_drawn(row, whole) for row in known])
    title = _title(answer)
    alt = at_most(
        f"{len(known)} estimates in order of size above the choices behind them. {title}. {_overlap(answer)}"
    )
    chart = specification_curve(
        frame, _dots(known), alt_text=alt, unit=unit_of_axis(whole), margin=band(whole), palette=palette
    )
    return Figure(
        id=FIGURE,
        title=title,
        measure=measure,
        caption=caption(
            answer.sentence.replace("**", ""),
            "Each column is one specification with its 95% interval; a dot marks a choice made otherwise than in the answer as "
            "asked (circle)",
            f"Shaded: {margin_words(whole)}" if whole.margin is not None else "",
            reasons.words("same_data"),
            _refused(answer),
            n_words(whole),
            adjustment(whole),
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        key=(KeyEntry("primary", "As asked"), KeyEntry("alternative", "Other choices")),
        data=answer.to_frame(),
        table=_table(answer),
    )


def _drawn(row: Specification, whole: Comparison) -> dict[str, object]:
    estimate, scale = row.estimate, scale_of(whole)
    assert estimate.interval is not None
    result = f"{wording.amount(estimate.estimate, scale)} {wording.interval(estimate.interval, scale, compact=True)}"
    return {
        "label": row.label, "estimate": estimate.estimate, "low": estimate.interval.low, "high": estimate.interval.high,
        "result": result, "as_asked": row.as_asked, "description": f"{row.label}: {result}",
    }  # fmt: skip


def _dots(known: tuple[Specification, ...]) -> pd.DataFrame:
    made = [
        {"place": place, "choice": CHOICES[kind, choice], "order": list(CHOICES).index((kind, choice))}
        for place, row in enumerate(known)
        for kind, choice in row.departures.items()
    ]
    return pd.DataFrame(made, columns=["place", "choice", "order"]).sort_values(
        ["order", "place"], ignore_index=True
    )


def _title(answer: Specifications) -> str:
    known, whole = answer.estimated, answer.whole
    span = f"from {effect(known[0].estimate.estimate, whole, unit=False)} to {effect(known[-1].estimate.estimate, whole)}"
    if all(row.verdict is None for row in known):
        return f"{len(known)} specifications: {span}"
    return f"{answer.counted()['inside']} of {len(known)} specifications lie within the margin; estimates run {span}"


def _overlap(answer: Specifications) -> str:
    nothing = 1.0 if scale_of(answer.whole) == "ratio" else 0.0
    holding = sum(
        bool(row.estimate.interval and row.estimate.interval.contains(nothing)) for row in answer.estimated
    )
    return f"{holding} intervals include no difference."


def _refused(answer: Specifications) -> str:
    parts = [f"{n} because: {reasons.words(code).rstrip('.').lower()}" for code, n in answer.refused.items()]
    return f"Not estimated: {wording.listed(parts)}" if parts else ""


def _table(answer: Specifications) -> pd.DataFrame:
    whole, scale = answer.whole, scale_of(answer.whole)
    rows = []
    for row in (*answer.estimated, *(row for row in answer.rows if not row.estimable)):
        cells = {"Specification": row.label}
        cells |= {
            title: CHOICES.get((kind, row.departures.get(kind, "")), "As asked")
            for kind, title in DIMENSIONS.items()
        }
        if row.estimable:
            cells["Estimate"] = wording.amount(row.estimate.estimate, scale)
            cells["95% interval"] = wording.interval(row.estimate.interval, scale)
        else:
            cells["Estimate"] = "not estimable"
            cells["95% interval"] = " ".join(reasons.words(code) for code in row.estimate.caveats[:1])
        if whole.margin is not None and any(other.verdict for other in answer.rows):
            cells["Against the margin"] = VERDICTS[row.verdict].short if row.verdict else "–"
        cells["n"] = wording.number(row.estimate.n) if row.estimate.n else "–"
        rows.append(cells)
    table = pd.DataFrame(rows).drop(columns="Specification")
    # A kind of choice that nobody could make otherwise says nothing.
    same = [title for title in DIMENSIONS.values() if (table[title] == "As asked").all()]
    return table.drop(columns=same)
