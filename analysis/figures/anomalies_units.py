"""Funnels of the Anomalies page: offices and specialists beside their case mix, and how much records vary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording
from analysis.charts.figure import Figure, State
from analysis.charts.funnel import funnel
from analysis.charts.theme import PaletteName
from analysis.figures.anomalies_words import (
    HIDDEN,
    NO_FINDING,
    WIDEN,
    case_mix_words,
    remembered,
    so_many,
    state_of,
)
from analysis.figures.asking import asked
from analysis.figures.captions import caption, when
from analysis.figures.comparison_words import at_most
from analysis.questions.anomalies_units import (
    COUNTED,
    SMALLEST_UNIT,
    UnitKind,
    UnitRow,
    Units,
    units_compared,
)
from analysis.questions.anomalies_variation import VariationRow, lack_of_variation

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

_NAMES: dict[UnitKind, str] = {"office": "field office", "specialist": "specialist"}
_WHAT = {
    "any_deficiency": "Validations with any deficiency",
    "any_must_deficiency": "Validations with a Must deficiency",
    COUNTED: "Deficiencies per 100 criteria assessed",
}


def offices(
    dataset: Dataset, selection: Selection, *, metric: str = "any_deficiency", palette: PaletteName = "light"
) -> Figure:
    """Offices by size, adjusted for case mix."""
    return _funnel("anomalies.offices", "office", dataset, selection, metric, palette)


def specialists(
    dataset: Dataset, selection: Selection, *, metric: str = "any_deficiency", palette: PaletteName = "light"
) -> Figure:
    """Specialists, under pseudonyms, by size, adjusted for case mix."""
    return _funnel("anomalies.specialists", "specialist", dataset, selection, metric, palette)


def _funnel(
    figure_id: str, kind: UnitKind, dataset: Dataset, selection: Selection, metric: str, palette: PaletteName
) -> Figure:
    name = _NAMES[kind]
    heading = f"{name.capitalize()}s beside their case mix"
    answer = asked(units_compared, dataset, kind, metric, selection)
    shown = [row for row in answer.rows if row.adjusted is not None]
    if not shown or answer.average is None:
        return Figure(figure_id, heading, state=state_of(answer.n, answer.caveats, dataset, selection))
    title = _title(answer, name)
    measure = f"{_WHAT[metric]}, adjusted for case mix, by {name}"
    measure += " (pseudonyms)" if kind == "specialist" else ""
    alt = at_most(
        f"Funnel of {wording.counted(len(shown), name)} by size, {_WHAT[metric].lower()}. {title}. {_spread(shown)}"
    )
    counted = metric == COUNTED
    points = pd.DataFrame([_point(row, answer) for row in shown])
    limits = pd.DataFrame(
        [(x.size, x.low_95, x.high_95, x.low_998, x.high_998) for x in answer.limits],
        columns=["x", "low_95", "high_95", "low_998", "high_998"],
    )
    pooled = answer.pooled_units or 0
    return Figure(
        figure_id,
        title,
        measure,
        caption(
            f"{NO_FINDING}: beyond chance and the usual spread after {wording.number(len(answer.rows))} looks (false-discovery "
            "rate 5%)" if answer.limits else "",
            f"Zones: limits widened for the usual spread between {name}s (φ = {wording.number(answer.phi or 0, 2)})"
            if answer.limits else "",
            case_mix_words(answer.columns),
            f"{name.capitalize()}s stand in order of size, never ranked"
            + ("; pseudonyms are shuffled" if kind == "specialist" else ""),
            f"{wording.counted(pooled, name)} with fewer than {SMALLEST_UNIT} validations {'is' if pooled == 1 else 'are'} not drawn"
            if pooled else "",
            *remembered(answer.caveats),
            f"n = {wording.counted(answer.n, 'validation')}" if answer.n else "",
            when(dataset, selection),
        ),
        alt,
        chart=funnel(
            points, limits, centre=answer.average, centre_words=f"{wording.percent(answer.average)} average",
            x_title=f"Deficiencies expected of the {name}" if counted else f"Validations of the {name}",
            alt_text=alt, tooltip={"observed": "Recorded", "expected": "Expected", "adjusted": "Adjusted", "looks": "After all looks"},
            palette=palette,
        ),
        data=answer.to_frame(),
        table=_table(answer, name),
    )  # fmt: skip


def _title(answer: Units, name: str) -> str:
    if answer.tau2 is None:
        return f"Too few {name}s to say what is usual: {wording.counted(len(answer.rows), name)}"
    flagged = answer.flagged
    chosen = [row for row in answer.rows if row.chosen]
    if len(chosen) == 1 and not flagged and len(answer.rows) > 1:
        return f"{chosen[0].name} lies within what case mix, chance and the usual spread explain"
    if not flagged:
        return f"No {name} stands out beyond chance, case mix and the usual spread"
    if len(flagged) == 1:
        row = flagged[0]
        return f"{row.name} lies {'below' if (row.z or 0) < 0 else 'above'} what its case mix leads to expect"
    below = sum((row.z or 0) < 0 for row in flagged)
    parts = [f"{n} {word}" for n, word in ((below, "below"), (len(flagged) - below, "above")) if n]
    return f"{so_many(len(flagged), len(chosen), name)} lie outside what case mix leads to expect: {wording.listed(parts)}"


def _spread(rows: list[UnitRow]) -> str:
    values = [row.adjusted for row in rows if row.adjusted is not None]
    return f"Adjusted figures run from {wording.percent(min(values))} to {wording.percent(max(values))}."


def _point(row: UnitRow, answer: Units) -> dict[str, object]:
    counted = answer.metric == COUNTED
    assert row.adjusted is not None and row.n is not None and row.observed is not None
    observed = (
        f"{wording.counted(row.observed, 'deficiency', 'deficiencies')} in {wording.counted(row.n, 'validation')}"
        if counted
        else f"{wording.number(row.observed)} of {wording.counted(row.n, 'validation')}"
    )
    adjusted = f"{wording.percent(row.adjusted)} ({wording.interval(row.interval, 'share')})"
    return {
        "x": answer.size(row), "y": row.adjusted, "name": row.name, "flagged": row.flagged, "observed": observed,
        "expected": wording.number(row.expected or 0), "adjusted": adjusted, "looks": wording.p_value(row.q_value, "q"),
        "description": f"{row.name}: {observed}, {wording.number(row.expected or 0)} expected, {adjusted}"
        + ("; worth a look" if row.flagged else ""),
    }  # fmt: skip


def _table(answer: Units, name: str) -> pd.DataFrame:
    rows = [*answer.rows, *([answer.pooled] if answer.pooled else [])]
    out = []
    for row in rows:
        known = row.n is not None and row.observed is not None
        out.append(
            {
                name.capitalize(): row.name,
                "Validations": wording.number(row.n or 0) if known else HIDDEN,
                "Deficiencies" if answer.metric == COUNTED else "With one": wording.number(row.observed or 0) if known else "",
                "Expected": wording.number(row.expected or 0) if known else "",
                "Adjusted (95% interval)": f"{wording.percent(row.adjusted)} ({wording.interval(row.interval, 'share')})"
                if known and row.adjusted is not None else "",
                "q": wording.p_value(row.q_value, "q").removeprefix("q ").removeprefix("= ") if row.q_value is not None else "",
                "Worth a look": "; ".join(reason.words for reason in row.reasons),
            }
        )  # fmt: skip
    return pd.DataFrame(out)


def variation(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """How much the number of deficiencies varies from validation to validation, by specialist."""
    figure_id, heading = "anomalies.variation", "How much records vary"
    answer = asked(lack_of_variation, dataset, selection)
    shown = [row for row in answer.rows if row.index is not None]
    if not answer.rows:
        return Figure(figure_id, heading, state=state_of(answer.n, answer.caveats, dataset, selection))
    if not shown:
        return Figure(
            figure_id, heading, state=State("too_small", "Every count is too small to show.", WIDEN)
        )
    title = _variation_title(answer.rows)
    alt = at_most(
        f"{wording.counted(len(shown), 'specialist')} by number of validations and variation of deficiencies, 1 being chance. {title}."
    )
    points = pd.DataFrame([_variation_point(row) for row in shown])
    nothing = pd.DataFrame(columns=["x", "low_95", "high_95", "low_998", "high_998"], dtype=float)
    pooled = answer.pooled_units or 0
    return Figure(
        figure_id,
        title,
        "Variation of the number of deficiencies from validation to validation, by specialist (pseudonyms)",
        caption(
            "1 is what chance alone would make; members differ, so more is usual and only less is odd",
            f"{NO_FINDING}: hardly any variation, answers that repeat at different members, or hours that are round too often, "
            f"each after {wording.number(len(answer.rows))} looks (false-discovery rate 5%)",
            f"{wording.counted(pooled, 'specialist')} with fewer than {SMALLEST_UNIT} validations {'is' if pooled == 1 else 'are'} not drawn"
            if pooled else "",
            *remembered(answer.caveats),
            f"n = {wording.counted(answer.n, 'validation')}" if answer.n else "",
            when(dataset, selection),
        ),
        alt,
        chart=funnel(
            points, nothing, centre=1.0, centre_words="chance", x_title="Validations of the specialist", alt_text=alt,
            unit="number", tooltip={"variation": "Variation", "copied": "Repeated answers", "hours": "Whole hours"},
            height=240, palette=palette,
        ),
        data=answer.to_frame(),
        table=_variation_table(answer.rows),
    )  # fmt: skip


def _variation_title(rows: tuple[VariationRow, ...]) -> str:
    flagged = [row for row in rows if row.flagged]
    if not flagged:
        return "No specialist's records are more alike than chance allows"
    if len(flagged) == 1:
        return f"{flagged[0].name}: {_first_lower(flagged[0].reasons[0].words)}"
    return f"Records of {so_many(len(flagged), len(rows), 'specialist').lower()} are more alike than chance allows"


def _first_lower(words: str) -> str:
    return words[0].lower() + words[1:]


def _variation_point(row: VariationRow) -> dict[str, object]:
    said = f"{wording.number(row.index or 0, 2)} times chance"
    round_hours = f"{row.round_hours} of {row.timed}" if row.timed is not None else HIDDEN
    copied = f"{row.copied} of {row.n}" if row.copied is not None else HIDDEN
    return {
        "x": row.n, "y": row.index, "name": row.name, "flagged": row.flagged, "variation": said, "copied": copied,
        "hours": round_hours,
        "description": f"{row.name}: {row.n} validations, variation {said}" + ("; worth a look" if row.flagged else ""),
    }  # fmt: skip


def _variation_table(rows: tuple[VariationRow, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Specialist": row.name,
                "Validations": wording.number(row.n or 0),
                "Variation": wording.number(row.index, 2) if row.index is not None else HIDDEN,
                "Repeated answers": f"{row.copied}" if row.copied is not None else HIDDEN,
                "Whole hours": f"{row.round_hours} of {row.timed}" if row.timed is not None else HIDDEN,
                "Worth a look": "; ".join(reason.words for reason in row.reasons),
            }
            for row in rows
        ]
    )
