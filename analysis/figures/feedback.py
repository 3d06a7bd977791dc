"""Figures of the Feedback page: who answered, how items were scored, who agrees, what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.diverging import diverging_bars
from analysis.charts.figure import Figure, KeyEntry, State
from analysis.charts.intervals import interval_rows
from analysis.charts.tables import plain_table
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, when
from analysis.figures.comparison_words import arm_key, at_most
from analysis.questions.feedback import VIRTUAL_ONLY, feedback
from analysis.questions.feedback_pairs import FEWEST_PAIRS, pair_agreement, themes
from analysis.questions.feedback_records import SCORES, Feedback, ItemRow, PairRow, ResponseRow
from analysis.questions.window import MODES
from analysis.results import Interval

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

_SCORE_KEY = (
    KeyEntry("score_1", "1 lowest"),
    KeyEntry("score_2", "2"),
    KeyEntry("score_3", "3"),
    KeyEntry("score_4", "4"),
    KeyEntry("score_5", "5 highest"),
)
NOT_SHOWN = "not shown"


def response(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Response rates by validation mode."""
    figure_id, heading, measure = (
        "feedback.response",
        "Who answered",
        "Validations with feedback, by validation mode",
    )
    answer = asked(feedback, dataset, selection)
    if state := _state(answer, dataset, selection):
        return Figure(figure_id, heading, measure, state=state)
    frame = pd.DataFrame([_response_row(row, answer, dataset) for row in answer.responses])
    if frame["estimate"].isna().all():
        return Figure(
            figure_id,
            heading,
            measure,
            state=State("too_small", "Too few answers to show.", "Widen the period."),
        )
    title = _response_title(answer)
    alt = at_most(
        f"Response rates of {frame['label'].nunique()} kinds of respondent in both modes, with intervals. {title}."
    )
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Lines: 95% intervals. At the right: virtual minus in person, points",
            reasons.words("not_everyone_answered"),
            "Hybrid and mutual recognition validations are not counted",
            when(dataset, selection),
        ),
        alt=alt,
        chart=interval_rows(
            frame, alt_text=alt, title="Validations with feedback, %", arms=dict(dataset.modes),
            tooltip={"words": "Answered"}, palette=palette,
        ),
        key=arm_key(dataset),
        data=pd.DataFrame([row.to_dict() for row in answer.responses]),
        table=_response_table(answer, dataset),
    )  # fmt: skip


def scores(
    dataset: Dataset, selection: Selection, *, respondent: str = "specialist", palette: PaletteName = "light"
) -> Figure:
    """How one kind of respondent scored each item, by validation mode."""
    figure_id = "feedback.scores"
    who = dataset.label("respondent", respondent).lower()
    heading, measure = f"How {who}s scored", f"Scores 1 to 5 given by {who}s, by validation mode"
    answer = asked(feedback, dataset, selection)
    if state := _state(answer, dataset, selection):
        return Figure(figure_id, heading, measure, state=state)
    items = [row for row in answer.items if row.respondent == respondent and row.item != VIRTUAL_ONLY]
    shown = [row for row in items if all(row.n(mode) for mode in MODES)]
    if not shown:
        fact = f"Too few {who}s answered after validations of both modes."
        return Figure(
            figure_id,
            heading,
            measure,
            state=State("too_small", fact, "Widen the period or take filters off."),
        )
    frame = pd.DataFrame([part for row in shown for part in _bars(row, dataset)])
    title = _scores_title(shown, who)
    alt = at_most(
        f"Diverging bars of {len(shown)} items scored by {who}s after virtual and in-person validations. {title}."
    )
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Bars: whole selection, unadjusted. At the right: answers of 4 or 5, virtual minus in person in points, like for like "
            "(risk, kind and location; errors clustered by specialist), with its 95% interval",
            "Bold, “Differs”: holds after Holm's correction for all items of both kinds of respondent",
            reasons.words("not_everyone_answered"),
            when(dataset, selection),
        ),
        alt=alt,
        chart=diverging_bars(frame, alt_text=alt, palette=palette),
        key=_SCORE_KEY,
        data=answer.to_frame().loc[lambda rows: rows["respondent"] == respondent],
        table=pd.DataFrame([_score_line(row, dataset) for row in shown]),
    )


def again(dataset: Dataset, selection: Selection) -> Figure:
    """Whether respondents would choose virtual again; there is no in-person arm."""
    figure_id, heading = "feedback.again", "Would they choose virtual again?"
    measure = "Answered yes, after virtual validations"
    answer = asked(feedback, dataset, selection)
    if state := _state(answer, dataset, selection):
        return Figure(figure_id, heading, measure, state=state)
    rows = [row for row in answer.items if row.item == VIRTUAL_ONLY and row.n("virtual")]
    if not rows:
        return Figure(
            figure_id,
            heading,
            measure,
            state=State("too_small", "Nobody was asked this.", "It is asked after virtual validations."),
        )
    found = [(row, row.top_two("virtual") or 0, row.n("virtual") or 0) for row in rows]
    said = [
        f"{wording.percent(k / n, n)} of {dataset.label('respondent', row.respondent).lower()}s"
        for row, k, n in found
    ]
    title = f"{wording.listed(said)} would choose virtual again"
    table = pd.DataFrame(
        [
            {
                "Respondent": dataset.label("respondent", row.respondent),
                "Yes": wording.percent(k / n, n),
                "Counts": f"{wording.number(k)} of {wording.number(n)}",
            }
            for row, k, n in found
        ]
    )
    return Figure(
        id=figure_id, title=title, measure=measure,
        caption=caption(reasons.words("no_counterpart_arm"), reasons.words("not_everyone_answered"), when(dataset, selection)),
        alt=at_most(f"Table: {title}."), html=plain_table(table, caption=title), table=table,
        data=pd.DataFrame([{"respondent": row.respondent, "count": k, "n": n, "share": k / n} for row, k, n in found]),
    )  # fmt: skip


def agreement(dataset: Dataset, selection: Selection) -> Figure:
    """Whether specialist and member scored the same validation alike."""
    figure_id, heading = "feedback.agreement", "Do specialist and member agree?"
    measure = "Both scored the same validation"
    answer = asked(pair_agreement, dataset, selection)
    if "empty_selection" in answer.caveats:
        return Figure(figure_id, heading, measure, state=empty_state(dataset, selection))
    if not answer.n:
        fact = "No validation of this selection was scored by both." if answer.n == 0 else "Too few to show."
        return Figure(
            figure_id,
            heading,
            measure,
            state=State("too_small", fact, "Widen the period or take filters off."),
        )
    table = pd.DataFrame([_pair_line(row) for row in answer.rows])
    known = [row for row in answer.rows if row.kappa is not None]
    title = "Too few pairs to measure agreement beyond chance"
    if known:
        low, high = (wording.signed(f(row.kappa or 0.0 for row in known), 2) for f in (min, max))
        title = f"Agreement beyond chance lies between {low} and {high} (kappa; 1 is full, 0 is chance)"
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Kappa: weighted by squared distance. AC2: Gwet's, sensible where nearly all answer alike. Alpha: Krippendorff's, "
            "ordered scores. Shift: specialist minus member",
            f"Beyond chance only from {FEWEST_PAIRS} pairs",
            when(dataset, selection),
        ),
        alt=at_most(f"Table of {len(table)} items. {answer.sentence}"),
        html=plain_table(table, caption=title),
        data=answer.to_frame(),
        table=table,
    )


def written(dataset: Dataset, selection: Selection) -> Figure:
    """What comments are about, with some of them."""
    figure_id, heading, measure = (
        "feedback.themes",
        "What they wrote",
        "Themes of the comments, most frequent first",
    )
    answer = asked(themes, dataset, selection)
    rows = [row for row in answer.rows if row.n]
    if "empty_selection" in answer.caveats:
        return Figure(figure_id, heading, measure, state=empty_state(dataset, selection))
    if not rows:
        return Figure(
            figure_id,
            heading,
            measure,
            state=State(
                "too_small",
                "No comment of this selection has a theme.",
                "Themes come with the feedback table.",
            ),
        )
    title = (
        f"Most comments are about {rows[0].theme.lower()}: {wording.number(rows[0].n or 0)} of {wording.number(answer.n or 0)}"
        if answer.n
        else heading
    )
    table = pd.DataFrame(
        [
            {
                "Theme": row.theme,
                **{dataset.modes[mode]: NOT_SHOWN if row.counts[mode] is None else wording.number(row.counts[mode] or 0) for mode in MODES},
                "Scored 4 or 5": NOT_SHOWN if row.favourable is None else wording.percent(row.favourable / row.n, row.n) if row.n else "–",
                "As it was written": " · ".join(f"“{quote}”" for quote in row.quotes),
            }
            for row in rows
        ]
    )  # fmt: skip
    if not table["As it was written"].any():
        table = table.drop(columns="As it was written")
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Comments are shown as they were written, never in exports",
            f"n = {wording.counted(answer.n, 'answer')} with a theme" if answer.n else "",
            when(dataset, selection),
        ),
        alt=at_most(f"Table of {len(rows)} themes. {title}."),
        html=plain_table(table, caption=title),
        data=answer.to_frame(),
        table=table,
    )


def _state(answer: Feedback, dataset: Dataset, selection: Selection) -> State | None:
    if answer.n == 0:
        return empty_state(dataset, selection)
    return (
        State("too_small", "None of these validations has feedback.", "Widen the period.")
        if not answer.items
        else None
    )


def _response_row(row: ResponseRow, answer: Feedback, dataset: Dataset) -> dict[str, object]:
    shown = row.share is not None and row.interval is not None
    words = f"{wording.number(row.count or 0)} of {wording.number(row.n or 0)}" if shown else NOT_SHOWN
    return {
        "label": f"{row.label}s", "arm": row.mode, "estimate": row.share,
        "low": row.interval.low if row.interval else None, "high": row.interval.high if row.interval else None,
        "result": _gap(answer, row.respondent), "strong": False, "words": words,
        "description": f"{row.label}s, {dataset.modes[row.mode]}: {wording.percent(row.share or 0, row.n) if shown else NOT_SHOWN}",
    }  # fmt: skip


def _gap(answer: Feedback, respondent: str) -> str:
    shares = {row.mode: row.share for row in answer.responses if row.respondent == respondent}
    virtual, in_person = (shares.get(mode) for mode in MODES)
    return "too few" if virtual is None or in_person is None else wording.points(virtual - in_person)


def _response_title(answer: Feedback) -> str:
    rates = [row.share for row in answer.responses if row.share is not None]
    if not rates:
        return "Too few answers to show"
    low, high = wording.percent(min(rates)), wording.percent(max(rates))
    return (
        f"Between {low} and {high} of validations have feedback: most do not"
        if max(rates) < 0.5
        else f"Between {low} and {high} of validations have feedback"
    )


def _response_table(answer: Feedback, dataset: Dataset) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Respondent": row.label,
                "Validation mode": dataset.modes[row.mode],
                "Answered": NOT_SHOWN if row.share is None else wording.percent(row.share, row.n),
                "95% interval": wording.interval(row.interval, "share") if row.interval else "–",
                "Counts": NOT_SHOWN
                if row.count is None
                else f"{wording.number(row.count)} of {wording.number(row.n or 0)}",
            }
            for row in answer.responses
        ]
    )


def _bars(row: ItemRow, dataset: Dataset) -> list[dict[str, object]]:
    result, strong = _contrast_words(row)
    out: list[dict[str, object]] = []
    for place, mode in enumerate(MODES):
        n = row.n(mode) or 0
        for score, count in zip(SCORES, row.scores[mode], strict=True):
            share = (count or 0) / n
            said = f"{dataset.modes[mode]}, score {score}: {wording.percent(share, n)} ({wording.number(count or 0)} of {wording.number(n)})"
            out.append(
                {
                    "label": row.label, "arm": place, "arm_label": dataset.modes[mode], "score": score, "share": share,
                    "result": result, "strong": strong, "said": said,
                }
            )  # fmt: skip
    return out


def _contrast_words(row: ItemRow) -> tuple[str, bool]:
    found = row.contrast.answer if row.contrast is not None else None
    if row.contrast is None or found is None or found.estimate is None or found.interval is None:
        return "too few", False
    if row.contrast.verdict == "not_comparable":
        return "not comparable", False
    strong = row.adjusted_p is not None and row.adjusted_p < 0.05
    words = f"{wording.points(found.estimate)} {wording.interval(found.interval, 'difference', compact=True)}"
    return (f"Differs: {words}" if strong else words), strong


def _scores_title(rows: list[ItemRow], who: str) -> str:
    differs = [row for row in rows if _contrast_words(row)[1]]
    if not differs:
        tested = [row for row in rows if row.adjusted_p is not None]
        if not tested:
            return f"No score of {who}s can be compared between the modes"
        items = wording.counted(len(tested), "compared item")
        return f"{who.capitalize()}s' scores differ on none of {items}, after allowing for all looks"
    row = differs[0]
    found = row.contrast.answer if row.contrast else None
    lower = "lower" if found and found.estimate and found.estimate < 0 else "higher"
    names = wording.listed([each.label.lower() for each in differs])
    return (
        f"{who.capitalize()}s score {names} {lower} after virtual validations"
        if len(differs) == 1
        else f"{who.capitalize()}s score {names} differently after virtual validations"
    )


def _score_line(row: ItemRow, dataset: Dataset) -> dict[str, str]:
    cells = {"Item": row.label}
    for mode in MODES:
        n, top = row.n(mode) or 0, row.top_two(mode) or 0
        cells[f"{dataset.modes[mode]}, 4 or 5"] = (
            f"{wording.percent(top / n, n)} ({wording.number(top)} of {wording.number(n)})"
        )
        cells[f"{dataset.modes[mode]}, median"] = str(row.median(mode))
    cells["Like for like, points"] = _contrast_words(row)[0].removeprefix("Differs: ")
    cells["p, Holm"] = (
        wording.p_value(row.adjusted_p).removeprefix("p ").removeprefix("= ")
        if row.adjusted_p is not None
        else "–"
    )
    cells["Virtual scores higher"] = _chance(row.higher, row.higher_interval)
    return cells


def _chance(value: float | None, bounds: Interval | None) -> str:
    if value is None:
        return "–"
    return (
        f"{wording.percent(value)} ({wording.interval(bounds, 'share')})"
        if bounds
        else wording.percent(value)
    )


def _pair_line(row: PairRow) -> dict[str, str]:
    def two(value: float | None) -> str:
        return "–" if value is None else wording.signed(value, 2)

    return {
        "Item": row.label,
        "Same score": NOT_SHOWN
        if row.share is None
        else f"{wording.percent(row.share, row.n)} ({wording.interval(row.interval, 'share')})",
        "Pairs": NOT_SHOWN if row.n is None else wording.number(row.n),
        "Kappa": two(row.kappa),
        "AC2": two(row.gwet),
        "Alpha": two(row.alpha),
        "Shift": two(row.shift),
    }
