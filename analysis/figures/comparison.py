"""The verdict on one metric, and the ways of asking behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.axes import Unit
from analysis.charts.figure import Figure
from analysis.charts.forest import forest
from analysis.charts.theme import PaletteName
from analysis.charts.verdict import VERDICTS, ArmLine, VerdictCard, verdict_card
from analysis.figures.asking import asked
from analysis.figures.captions import caption, left_out, state_of_comparison, when
from analysis.figures.comparison_words import (
    HEADLINE,
    adjustment,
    arm_counts,
    arm_words,
    at_most,
    axis_title,
    band,
    clustering,
    contrast,
    coverage_words,
    effect_words,
    margin_size,
    ruler_of,
)
from analysis.questions import sentences
from analysis.questions.agreement import agreement_words
from analysis.questions.comparison import compare
from analysis.questions.sentences import arm_names, margin_words, scale_of
from analysis.results import Arm, Comparison, Estimate, Measure

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection


METHODS: dict[tuple[str, Measure], str] = {
    ("crude", "difference"): "Crude, whole selection",
    ("crude", "ratio"): "Crude, whole selection",
    ("mantel_haenszel", "difference"): "Stratified (Mantel–Haenszel)",
    ("mantel_haenszel", "ratio"): "Stratified (Mantel–Haenszel)",
    ("mantel_haenszel", "difference_sato"): "Stratified, specialists ignored",
    ("standardised", "difference"): "Standardised (regression)",
    ("standardised", "ratio"): "Standardised (regression)",
    ("overlap_weighted", "difference"): "Overlap-weighted",
    ("overlap_weighted", "ratio"): "Overlap-weighted",
    ("doubly_robust", "difference"): "Doubly robust, overlap",
    ("doubly_robust", "ratio"): "Doubly robust, overlap",
    ("aipw", "difference"): "Doubly robust, everyone",
    ("aipw", "ratio"): "Doubly robust, everyone",
    ("paired", "difference"): "Same member, before and after",
}
ORDER = ("crude", "standardised", "mantel_haenszel", "overlap_weighted", "doubly_robust", "aipw", "paired")
POPULATIONS = {
    "selection": "whole selection",
    "comparison_window": "quarters with both modes",
    "overlap": "those for whom both modes were plausible",
    "propensity_05_95": "propensity between 0.05 and 0.95",
    "pairs": "members validated in person, then again",
}
"""Whom an estimate speaks of."""


def verdict(
    dataset: Dataset, selection: Selection, *, metric: str = HEADLINE, margin: float | None = None
) -> Figure:
    """The verdict card of one metric."""
    answer = asked(compare, dataset, metric, selection, margin=margin)
    card = card_of(answer)
    return Figure(
        id="virtual_vs_in_person.verdict",
        title="",
        caption=caption(
            "Counts of the two modes: whole selection, unadjusted",
            "" if answer.verdict == "not_comparable" else adjustment(answer),
            coverage_words(answer),
            left_out(answer.left_out),
            when(dataset, selection),
        ),
        alt=at_most(f"Verdict: {VERDICTS[answer.verdict].words}. {answer.sentence}"),
        html=verdict_card(card),
        data=answer.to_frame(),
        table=_card_table(answer),
        finding=_finding(answer, card),
        card=card,
    )


def _card_table(answer: Comparison) -> pd.DataFrame:
    """The card in rows: what the verdict is read from, and the unadjusted effect, which is never judged."""
    scale = scale_of(answer)
    unit = "times" if scale == "ratio" else "points"
    withheld = answer.verdict in ("too_few", "not_comparable")
    rows = []
    for row in (answer.answer, answer.estimate("crude")):
        if row is None:
            continue
        judged = row is answer.answer
        way = _way(row, answer, scale)
        estimable = row.interval is not None and not (judged and withheld)
        rows.append(
            {
                "Way of asking": way["label"],
                "Effect": f"{effect_words(row, scale)} {unit}" if estimable else wording.NOT_ESTIMABLE,
                "95% interval": wording.interval(row.interval, scale) if estimable else wording.NOT_ESTIMABLE,
                "Margin": "none set" if answer.margin is None else margin_words(answer),
                "n": way["n_words"],
                "Verdict": VERDICTS[answer.verdict].short if judged else "Not judged",
            }
        )
    return pd.DataFrame(rows)


def card_of(answer: Comparison) -> VerdictCard:
    """The verdict of an answer, as the card that opens the page and stands beside the picture on a slide."""
    unadjusted = answer.verdict == "not_comparable"
    row = answer.estimate("crude") if unadjusted else answer.answer
    scale = scale_of(answer)
    said = row is not None and row.interval is not None and answer.verdict != "too_few"
    p = arm_names(answer)[1]
    return VerdictCard(
        verdict=answer.verdict,
        heading=f"{answer.label} · {margin_words(answer)}" if answer.margin is not None else answer.label,
        reason=sentences.verdict_reason(answer),
        settle=sentences.verdict_settles(answer),
        measure=f"{'Unadjusted' if unadjusted else 'Adjusted'} {'ratio' if scale == 'ratio' else 'difference'}, {contrast(answer)}",
        value=effect_words(row, scale) if said else "",
        unit="times" if scale == "ratio" else "percentage points",
        interval=f"95% interval {wording.interval(row.interval, scale)}" if said and row else "",
        ruler=ruler_of(answer) if said and not unadjusted else None,
        ends=_ends(answer),
        zone=f"shaded: within {margin_size(answer)}",
        arms=tuple(_arm_line(arm, answer) for arm in answer.arms.values()),
        words=_verdict_in_words(answer, p),
    )


def _finding(answer: Comparison, card: VerdictCard) -> str:
    said = f", {card.value} {'points' if card.unit.endswith('points') else card.unit}" if card.value else ""
    return f"{card.words}: {answer.label[0].lower()}{answer.label[1:]}{said}"


def ways_of_asking(
    dataset: Dataset,
    selection: Selection,
    *,
    metric: str = HEADLINE,
    margin: float | None = None,
    palette: PaletteName = "light",
) -> Figure:
    """Every way of asking side by side, against the margin, and whether they agree."""
    answer = asked(compare, dataset, metric, selection, margin=margin)
    scale = scale_of(answer)
    measure = f"{answer.label}: {contrast(answer)}, {'times' if scale == 'ratio' else 'percentage points'}"
    if state := state_of_comparison(answer, dataset, selection):
        return Figure("virtual_vs_in_person.ways", "Several ways of asking", measure, state=state)
    shown = [r for r in answer.estimates if r.measure in (answer.measure, "difference_sato")]
    if answer.measure == "ratio":
        shown = [r for r in shown if r.measure == "ratio"]
    shown.sort(key=lambda r: (ORDER.index(r.method), r.measure == "difference_sato"))
    frame = pd.DataFrame([_way(row, answer, scale) for row in shown])
    title = _ways_title(answer, scale)
    agree = agreement_words(answer)
    alt = at_most(f"{len(frame)} ways of asking about {answer.label.lower()}. {title}. {agree}")
    unit: Unit = "ratio" if scale == "ratio" else "points"
    chart = forest(
        frame, alt_text=alt, title=axis_title(answer, scale), unit=unit, margin=band(answer), palette=palette
    )
    table = frame[["label", "result", "population", "n_words", "said"]].rename(
        columns={
            "label": "Method", "result": "Estimate", "population": "Of whom", "n_words": "n", "said": "To keep in mind"
        }
    )  # fmt: skip
    return Figure(
        id="virtual_vs_in_person.ways",
        title=title,
        measure=measure,
        caption=caption(
            agree,
            "Lines: 95% intervals; black: the one the verdict is read from",
            adjustment(answer),
            "Stratified: by risk, kind of validation and location only"
            if answer.primary != "mantel_haenszel"
            else "",
            clustering(answer),
            coverage_words(answer),
            f"Shaded: {margin_words(answer)}" if answer.margin is not None else "",
            left_out(answer.left_out),
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        data=answer.to_frame(),
        table=table,
        card=card_of(answer),
    )


def _arm_line(arm: Arm, answer: Comparison) -> ArmLine:
    return ArmLine(arm.mode, arm.label, arm_words(arm, answer), arm_counts(arm))


def _ends(answer: Comparison) -> tuple[str, str]:
    if answer.role == "detection" and answer.harmful == "lower":
        return ("finds fewer", "finds more")
    return ("lower", "higher") if answer.harmful in ("two_sided", "none") else ("worse", "better")


def _verdict_in_words(answer: Comparison, in_person: str) -> str:
    words = VERDICTS[answer.verdict].words
    return words if in_person == "in-person" else words.replace("in person", in_person)


def _way(row: Estimate, answer: Comparison, scale: str) -> dict[str, object]:
    role = "primary" if row.method == answer.primary and row.measure == answer.measure else "alternative"
    if row.method == "crude":
        role = "crude"
    estimable = row.interval is not None
    words = (
        f"{effect_words(row, scale)} {wording.interval(row.interval, scale, compact=True)}"
        if estimable
        else "not estimable"
    )
    label = METHODS[(row.method, row.measure)]
    if row.method == "mantel_haenszel" and not row.settings.get("adjusted_for"):
        label = label.replace("Stratified (Mantel–Haenszel)", "Quarters with both modes").replace(
            "Stratified", "The same"
        )
    unit = "pair" if row.method == "paired" else "criterion" if answer.kind == "rate" else "validation"
    counted = wording.counted(row.n, unit, "criteria" if unit == "criterion" else None)
    if "suppressed" in row.caveats:
        counted = wording.NOT_ESTIMABLE
    return {
        "label": label,
        "role": role,
        "estimate": row.estimate if estimable else None,
        "low": row.interval.low if row.interval else None,
        "high": row.interval.high if row.interval else None,
        "result": words,
        "n_words": counted,
        "population": POPULATIONS[row.population],
        "said": " ".join(dict.fromkeys(reasons.words(code) for code in row.caveats)),
        "description": f"{label}: {words}, n = {counted}",
    }


def _ways_title(answer: Comparison, scale: str) -> str:
    crude, adjusted = answer.estimate("crude"), answer.answer
    if crude is None or crude.interval is None:
        return "Several ways of asking"
    if adjusted is None or adjusted.interval is None:
        return f"Crude {effect_words(crude, scale)}; no like-for-like answer"
    unit = "times" if scale == "ratio" else "points"
    if "nothing_to_adjust_for" in answer.reasons:
        return f"{effect_words(crude, scale)} {unit} crude; nothing is recorded to compare like with like"
    title = f"{effect_words(crude, scale)} {unit} crude, {effect_words(adjusted, scale)} like for like"
    if {"reversal", "sign_turned"} & set(answer.reasons):
        return f"{title}: adjusting reverses the sign (Simpson's paradox)"
    return f"{title}: most of the gap is who was validated how" if "attenuation" in answer.reasons else title
