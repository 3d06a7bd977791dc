"""Where things crowd: cloned seals at terminals, minutes lost and criteria not verified by platform, tour or office."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording
from analysis.charts.figure import Figure, State
from analysis.charts.intervals import interval_rows
from analysis.charts.theme import PaletteName
from analysis.figures.anomalies_words import HIDDEN, WIDEN, remembered, state_of
from analysis.figures.asking import asked
from analysis.figures.captions import caption, when
from analysis.figures.comparison_words import at_most
from analysis.figures.deficiency_words import of_words, placed, with_interval
from analysis.figures.incident_words import state_of_incidents
from analysis.questions.anomalies_seals import ClonedSeals, PlaceRow, cloned_seals
from analysis.questions.anomalies_technology import Technology, TechnologyColumn, TechnologyRow, technology
from analysis.results import Interval
from analysis.selection import month_start

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

COLUMN_WORDS: dict[str, str] = {
    "platform": "video platform",
    "tour": "way of showing the site",
    "field_office": "field office",
}
NO_RATES = "Other figures of this page do not need it."


def seals(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Cloned seals by terminal, and whether they crowd anywhere."""
    figure_id, heading = "anomalies.seals", "Cloned seals"
    answer = asked(cloned_seals, dataset, selection)
    if not answer.n or not answer.rows:
        if "no_incidents" in answer.caveats:
            return Figure(figure_id, heading, state=state_of_incidents(0, dataset, selection))
        fact = "No incident has a terminal and a seal recorded." if answer.n else ""
        state = (
            State("too_small", fact, NO_RATES)
            if fact
            else state_of(answer.n, answer.caveats, dataset, selection)
        )
        return Figure(figure_id, heading, state=state)
    title = _seals_title(answer)
    alt = at_most(f"{len(answer.rows)} rows of incidents with a cloned seal by terminal. {title}.")
    frame = pd.DataFrame([_place(row) for row in answer.rows])
    return Figure(
        figure_id,
        title,
        "Incidents with a cloned seal, of those whose seal is recorded, by terminal",
        caption(
            "Lines: 95% intervals (Wilson)",
            f"The search looks at terminals and route origins over one to three months and the whole period, "
            f"{wording.number(answer.windows)} places and spans in all, and reshuffles which incidents had a cloned seal within each "
            "transport mode; its p-value allows for all of them",
            _likeliest(answer),
            *remembered(answer.caveats),
            f"{wording.number(answer.cloned or 0)} cloned of n = {wording.counted(answer.n, 'incident')} with a seal recorded, with or "
            "without a terminal" if answer.cloned is not None else "",
            when(dataset, selection),
        ),
        alt,
        chart=interval_rows(
            frame, alt_text=alt, title="Share with a cloned seal, %", tooltip={"words": "Share", "counts": "Incidents"}, palette=palette
        ),
        data=answer.to_frame(),
        table=pd.DataFrame([_place_words(row) for row in answer.rows]),
    )  # fmt: skip


def _seals_title(answer: ClonedSeals) -> str:
    cluster = answer.cluster
    if cluster is not None and cluster.flagged:
        return cluster.reasons[0].words
    return "Cloned seals do not crowd at any terminal, route or month beyond chance"


def _likeliest(answer: ClonedSeals) -> str:
    cluster = answer.cluster
    if cluster is None:
        return ""
    first, last = (wording.month(month_start(key)) for key in (cluster.first, cluster.last))
    when_words = first if first == last else f"{first} – {last}"
    return f"Likeliest: {cluster.place}, {when_words} ({wording.p_value(cluster.p_value)})"


def _place(row: PlaceRow) -> dict[str, object]:
    known = row.count is not None and row.n is not None
    share = row.count / row.n if known and row.n and row.count is not None else None
    counts = of_words(row.count, row.n) if known else HIDDEN
    words = with_interval(share, row.interval, row.n)
    return {
        "label": row.name, "arm": "other", **placed(share, row.interval), "result": counts, "strong_result": True,
        "words": words, "counts": counts, "description": f"{row.name}: {words}, {counts}",
    }  # fmt: skip


def _place_words(row: PlaceRow) -> dict[str, str]:
    drawn = _place(row)
    return {"Terminal": row.name, "Cloned": str(drawn["counts"]), "Share (95% interval)": str(drawn["words"])}


def minutes_lost(
    dataset: Dataset,
    selection: Selection,
    *,
    by: TechnologyColumn = "platform",
    palette: PaletteName = "light",
) -> Figure:
    """Virtual validations on which technology cost time."""
    return _technology("anomalies.minutes_lost", dataset, selection, by, palette, lost=True)


def not_verified(
    dataset: Dataset,
    selection: Selection,
    *,
    by: TechnologyColumn = "platform",
    palette: PaletteName = "light",
) -> Figure:
    """Criteria that could not be verified on virtual validations."""
    return _technology("anomalies.not_verified", dataset, selection, by, palette, lost=False)


def _technology(
    figure_id: str,
    dataset: Dataset,
    selection: Selection,
    by: TechnologyColumn,
    palette: PaletteName,
    *,
    lost: bool,
) -> Figure:
    heading = "Minutes lost to technology" if lost else "Criteria not verified"
    answer = asked(technology, dataset, by, selection)
    whole = answer.whole
    if whole is None or not answer.rows:
        return Figure(figure_id, heading, state=state_of(answer.n, answer.caveats, dataset, selection))
    shown = [row for row in answer.rows if _figure_of(row, lost)[0] is not None]
    if not shown:
        hidden = "suppressed" in answer.caveats
        fact = "Every count is too small to show." if hidden else "The dataset does not record this."
        return Figure(figure_id, heading, state=State("too_small", fact, WIDEN))
    name = dataset.modes["virtual"].lower()
    title = _technology_title(answer, shown, lost, name)
    what = (
        f"{name.capitalize()} validations with minutes lost to technology"
        if lost
        else f"Criteria not verified on {name} validations"
    )
    alt = at_most(f"{len(shown)} rows of {what[0].lower()}{what[1:]}, by {COLUMN_WORDS[by]}. {title}.")
    frame = pd.DataFrame([_technology_row(row, lost) for row in answer.rows])
    return Figure(
        figure_id,
        title,
        f"{what}, by {COLUMN_WORDS[by]}",
        caption(
            "Lines: 95% intervals (Wilson)" if lost else "Lines: 95% intervals, clustered by specialist",
            f"Bold, “Differs”: an interval that allows for {len(answer.rows)} rows leaves out the figure of all",
            *remembered(answer.caveats),
            f"All: {_words(whole, lost)}" if _figure_of(whole, lost)[0] is not None else "",
            f"n = {wording.number(answer.n)} {name} validations" if answer.n else "",
            when(dataset, selection),
        ),
        alt,
        chart=interval_rows(
            frame, alt_text=alt, title=f"{'Validations' if lost else 'Criteria'}, %", tooltip={"words": "Share", "counts": "Counted"},
            # Counts are written at the right edge, where most of these intervals would end.
            include=(0.0, 1.5 * max(_figure_of(row, lost)[0] or 0.0 for row in shown)), palette=palette,
        ),
        data=answer.to_frame(),
        table=pd.DataFrame([_technology_words(row, by) for row in answer.rows]),
    )  # fmt: skip


def _figure_of(
    row: TechnologyRow, lost: bool
) -> tuple[float | None, Interval | None, bool, int | None, int | None]:
    if lost:
        return row.lost_share, row.lost_interval, row.lost_apart, row.lost, row.timed
    return row.unseen_rate, row.unseen_interval, row.unseen_apart, row.unseen, row.verifiable


def _words(row: TechnologyRow, lost: bool) -> str:
    value, interval, _, count, n = _figure_of(row, lost)
    if value is None:
        return HIDDEN
    return f"{with_interval(value, interval)}, {of_words(count, n)}"


def _technology_title(answer: Technology, shown: list[TechnologyRow], lost: bool, name: str) -> str:
    value = _figure_of(answer.whole, lost)[0] if answer.whole else None
    start = "" if value is None else wording.percent(value)
    what = (
        f"Minutes were lost on {start} of {name} validations"
        if lost
        else f"{start} of criteria were not verified"
    )
    apart = [row.label for row in shown if _figure_of(row, lost)[2]]
    unit = COLUMN_WORDS[answer.column]
    if apart:
        verb = "differs" if len(apart) == 1 else "differ"
        return f"{what}; {wording.listed(apart)} {verb} beyond chance"
    return f"{what}; no {unit} differs beyond chance"


def _technology_row(row: TechnologyRow, lost: bool) -> dict[str, object]:
    value, interval, apart, count, n = _figure_of(row, lost)
    counts = of_words(count, n) if value is not None else HIDDEN
    words = with_interval(value, interval) if value is not None else HIDDEN
    result = f"Differs: {counts}" if apart else counts
    return {
        "label": row.label, "arm": "virtual", **placed(value, interval), "result": result, "strong": apart, "words": words,
        "counts": counts, "description": f"{row.label}: {words}, {counts}",
    }  # fmt: skip


def _technology_words(row: TechnologyRow, by: str) -> dict[str, str]:
    minutes = f"{wording.number(row.minutes)} minutes" if row.minutes is not None else wording.NOT_ESTIMABLE
    unit = COLUMN_WORDS[by]
    return {
        f"{unit[0].upper()}{unit[1:]}": row.label,
        "Validations": wording.number(row.n) if row.n is not None else HIDDEN,
        "Minutes lost on": _words(row, lost=True),
        "Lost in the middle": minutes,
        "Criteria not verified": _words(row, lost=False),
    }
