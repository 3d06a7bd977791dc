"""Control charts of the Anomalies page: a share of validations, and the days to report, by month."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording
from analysis.charts.control import control_chart
from analysis.charts.figure import Figure, State
from analysis.charts.theme import PaletteName
from analysis.figures.anomalies_words import HIDDEN, WIDEN, remembered, state_of
from analysis.figures.asking import asked
from analysis.figures.captions import caption, when
from analysis.figures.comparison_words import at_most
from analysis.questions.anomalies_months import (
    FEWEST_A_MONTH,
    MonthChart,
    MonthRow,
    days_by_month,
    share_by_month,
)
from analysis.selection import month_start

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

FEWEST_DRAWN = 6
"""A chart of fewer months shows no usual variation."""
_OUTSIDE = {"above_limits", "below_limits"}
_RUNS = {"run_of_months", "zigzag_of_months"}
_WHAT = {
    "any_deficiency": "Validations with any deficiency",
    "any_must_deficiency": "Validations with a Must deficiency",
    "deficiency_rate": "Deficiencies per 100 criteria assessed",
}


def months(
    dataset: Dataset, selection: Selection, *, metric: str = "any_deficiency", palette: PaletteName = "light"
) -> Figure:
    """Laney's p′ chart by month."""
    answer = asked(share_by_month, dataset, metric, selection)
    return _chart(
        "anomalies.months", f"{_WHAT[metric]}, per month", "p′ chart", answer, dataset, selection, palette
    )


def days(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Chart of individual values of the median days to report, by month."""
    answer = asked(days_by_month, dataset, selection)
    what = "Days from validation to report, median of each month"
    return _chart("anomalies.days", what, "XmR chart", answer, dataset, selection, palette)


def _chart(
    figure_id: str,
    what: str,
    method: str,
    answer: MonthChart,
    dataset: Dataset,
    selection: Selection,
    palette: PaletteName,
) -> Figure:
    heading = what.split(",")[0]
    if not answer.rows:
        return Figure(figure_id, heading, state=state_of(answer.n, answer.caveats, dataset, selection))
    drawn = [row for row in answer.rows if row.drawn]
    if len(drawn) < FEWEST_DRAWN:
        few = (
            f"{wording.counted(len(drawn), 'month')} {'has' if len(drawn) == 1 else 'have'}"
            if drawn
            else "No month has"
        )
        fact = f"{few} {FEWEST_A_MONTH} validations: too few for a chart by month."
        return Figure(figure_id, heading, state=State("too_small", fact, WIDEN))
    title = _title(answer)
    reset = f", average reset in {_month(answer.phases[1].first)}" if len(answer.phases) > 1 else ""
    ends = f"from {_value(answer, drawn[0].value)} in {_month(drawn[0].month)} to {_value(answer, drawn[-1].value)} in {_month(drawn[-1].month)}"
    alt = at_most(f"Control chart of {len(drawn)} months, {what.split(',')[0].lower()}, {ends}. {title}.")
    frame = _frame(answer)
    return Figure(
        figure_id,
        title,
        f"{what} ({method}{reset})",
        caption(
            "Shaded: three-sigma limits of each month; line: average of the phase" + _averages(answer),
            "▲ outside the limits; ● nine or more in a row on one side, or fourteen up and down in turn: reasons to look, not "
            "findings",
            _not_drawn(answer),
            *remembered(answer.caveats),
            f"n = {wording.counted(answer.n, 'validation')}" if answer.n else "",
            when(dataset, selection),
        ),
        alt,
        chart=control_chart(
            frame, alt_text=alt, gap_words=_gap(answer), unit="share" if answer.kind == "share" else "days", palette=palette
        ),
        data=answer.to_frame(),
        table=_table(answer),
    )  # fmt: skip


def _frame(answer: MonthChart) -> pd.DataFrame:
    centres = {number: phase.centre for number, phase in enumerate(answer.phases)}
    rows = []
    for row in answer.rows:
        codes = {reason.code for reason in row.reasons}
        words = _value(answer, row.value)
        counted = f"{words}, {wording.counted(row.n or 0, 'validation')}" if row.drawn else words
        limits = f"{_value(answer, row.low)} to {_value(answer, row.high)}" if row.low is not None else "none"
        rows.append(
            {
                "month": row.month, "value": row.value if row.drawn else None, "low": row.low, "high": row.high,
                "centre": centres.get(row.phase) if row.drawn else None, "phase": row.phase, "outside": bool(codes & _OUTSIDE),
                "run": bool(codes & _RUNS), "name": _month(row.month), "words": counted, "limits": limits,
                "description": f"{_month(row.month)}: {counted}" + ("; worth a look" if row.flagged else ""),
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows)
    numbers = ["value", "low", "high", "centre"]
    return frame.astype(dict.fromkeys(numbers, "float64"))


def _title(answer: MonthChart) -> str:
    outside = [row for row in answer.rows if {reason.code for reason in row.reasons} & _OUTSIDE]
    runs = [row for row in answer.rows if any(reason.code == "run_of_months" for reason in row.reasons)]
    turns = [row for row in answer.rows if any(reason.code == "zigzag_of_months" for reason in row.reasons)]
    parts = []
    if len(outside) == 1:
        side = "above" if outside[0].reasons[0].code == "above_limits" else "below"
        parts.append(f"{wording.month_long(month_start(outside[0].month))} lies {side} its limits")
    elif outside:
        parts.append(f"{len(outside)} months lie outside their limits")
    if runs:
        parts.append(f"{len(runs)} months belong to a run on one side of the average")
    if turns:
        parts.append(f"{len(turns)} months go up and down in turn")
    return "; ".join(parts) if parts else "No month stands out beyond the usual variation"


def _value(answer: MonthChart, value: float | None) -> str:
    if value is None:
        return "not drawn"
    return wording.percent(value) if answer.kind == "share" else f"{wording.number(value, 1)} days"


def _averages(answer: MonthChart) -> str:
    known = [phase for phase in answer.phases if phase.centre is not None]
    if len(known) < 2:
        return f" ({_value(answer, known[0].centre)})" if known else ""
    before, after = known[0], known[-1]
    return f" ({_value(answer, before.centre)} to {_month(before.last)}, {_value(answer, after.centre)} from {_month(after.first)})"


def _not_drawn(answer: MonthChart) -> str:
    if not answer.undrawn:
        return ""
    why = f"fewer than {FEWEST_A_MONTH} validations" + (
        ", or most reports still open," if answer.kind == "days" else ""
    )
    return f"{wording.counted(answer.undrawn, 'month')} with {why} {'is' if answer.undrawn == 1 else 'are'} not drawn"


def _gap(answer: MonthChart) -> str:
    """What the longest stretch of months that are not drawn is, in two short lines."""
    best: list[MonthRow] = []
    current: list[MonthRow] = []
    for row in answer.rows:
        current = [] if row.drawn else [*current, row]
        best = current if len(current) > len(best) else best
    few = [row for row in best if row.n is not None and row.n < FEWEST_A_MONTH]
    if len(best) < 2 or len(few) < len(best):
        return ""
    return f"{_month(best[0].month)} – {_month(best[-1].month)}: under {FEWEST_A_MONTH}\nvalidations a month, not drawn"


def _table(answer: MonthChart) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Month": _month(row.month),
                "Validations": wording.number(row.n) if row.n is not None else HIDDEN,
                "Value": _value(answer, row.value),
                "Limits": f"{_value(answer, row.low)} to {_value(answer, row.high)}"
                if row.low is not None
                else "",
                "Worth a look": "; ".join(reason.words for reason in row.reasons),
            }
            for row in answer.rows
        ]
    )


def _month(key: int) -> str:
    return wording.month(month_start(key))
