"""Figure of the Incidents page: what members were deficient in at their last validation before an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording
from analysis.charts.figure import Figure, State
from analysis.charts.intervals import interval_rows
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, when
from analysis.figures.comparison_words import at_most
from analysis.figures.deficiency_words import adjusted_p, share_words
from analysis.figures.incident_words import NOTHING_HERE, of_words_shown, said, state_of_incidents
from analysis.questions.incident_lift import LEVEL, earlier_deficiencies
from analysis.questions.incident_records import LiftRow
from analysis.reasons import words

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection


def earlier(
    dataset: Dataset, selection: Selection, *, cause: str | None = None, palette: PaletteName = "light"
) -> Figure:
    """What members with an incident were deficient in at their last validation before it."""
    figure_id, heading = "incidents.earlier_deficiencies", "Deficient at the last validation before"
    measure = "Share deficient before an incident, over the share of all validated members"
    answer = asked(earlier_deficiencies, dataset, selection, cause=cause)
    if state := state_of_incidents(answer.n, dataset, selection):
        return Figure(figure_id, heading, measure, state=state)
    rows = [row for row in answer.rows if isinstance(row, LiftRow)]
    told = [row for row in rows if row.lift is not None]
    if not told:
        hidden = "suppressed" in answer.caveats
        fact = "Every count is too small to show." if hidden else answer.sentence.replace("**", "")
        step = NOTHING_HERE if rows else "Other figures of this page do not need it."
        return Figure(figure_id, heading, measure, state=State("too_small", fact, step))
    told.sort(key=lambda row: -(row.lift or 0))
    ordered = [*told, *[row for row in rows if row.lift is None]]
    found = [row for row in told if row.adjusted_p is not None and row.adjusted_p < LEVEL]
    title = _lift_title(told, found)
    alt = at_most(
        f"{len(rows)} rows of categories. {title}. Furthest above: {told[0].label}, {wording.ratio(told[0].lift or 0)} times as often."
    )
    n = max(row.n or 0 for row in told)
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            f"Bold, “Differs”: holds after Holm's correction for {len(rows)} categories. Lines: 95% intervals. A member counts once, "
            "with its last validation before the incident, or before the end of the period",
            words("association_only"),
            *said(answer.caveats, "suppressed"),
            f"n = up to {wording.number(n)} members with such an incident after a validation",
            when(dataset, selection),
        ),
        alt=alt,
        chart=interval_rows(
            _lift_frame(ordered), alt_text=alt, title="Times as often as among all validated members", unit="ratio",
            include=(1.0,), tooltip={"words": "Times as often", "counts": "With an incident", "whole": "All members"},
            palette=palette,
        ),
        data=answer.to_frame(),
        table=_lift_table(ordered),
    )  # fmt: skip


def _lift_title(told: list[LiftRow], found: list[LiftRow]) -> str:
    if not found:
        return f"No category differs from all validated members after allowing for {len(told)} looks"
    names = wording.listed([row.label for row in found])
    return f"{names} {'differs' if len(found) == 1 else 'differ'} from all validated members"


def _lift_words(row: LiftRow) -> str:
    if row.lift is None:
        return wording.NOT_ESTIMABLE
    return f"{wording.ratio(row.lift)} ({wording.interval(row.interval, 'ratio')})"


def _lift_frame(rows: list[LiftRow]) -> pd.DataFrame:
    out = []
    for row in rows:
        differs = row.adjusted_p is not None and row.adjusted_p < LEVEL
        # On a scale of ratios nought has no place: the row keeps its counts.
        shown = row.lift is not None and row.lift > 0 and row.interval is not None
        counts, whole = of_words_shown(row.count, row.n), of_words_shown(row.all_count, row.all_n)
        result = counts
        if row.lift is not None and row.interval is not None:
            result = f"{wording.ratio(row.lift)} {wording.interval(row.interval, 'ratio', compact=True)}"
        out.append(
            {
                "label": row.label, "arm": "other", "estimate": row.lift if shown else None,
                "low": row.interval.low if shown and row.interval else None,
                "high": row.interval.high if shown and row.interval else None, "strong": differs,
                "result": f"Differs: {result}" if differs else result, "words": _lift_words(row), "counts": counts,
                "whole": whole, "description": f"{row.label}: {_lift_words(row)} times as often; {counts} against {whole}",
            }
        )  # fmt: skip
    return pd.DataFrame(out).astype({"estimate": float, "low": float, "high": float})


def _lift_table(rows: list[LiftRow]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Category": row.label,
                "With an incident": f"{of_words_shown(row.count, row.n)} ({share_words(row.share, row.n)})",
                "All validated members": f"{of_words_shown(row.all_count, row.all_n)} ({share_words(row.all_share, row.all_n)})",
                "Times as often (95% interval)": _lift_words(row),
                "p, Holm": adjusted_p(row.adjusted_p),
            }
            for row in rows
        ]
    )
