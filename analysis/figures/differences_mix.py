"""The table behind a crude difference that shrinks or turns: who was validated how, and how often something was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.drawn_tables import Cell, Head, drawn_table
from analysis.charts.figure import Figure, State
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, state_suppressed, when
from analysis.figures.comparison_words import HEADLINE, at_most, contrast
from analysis.questions.differences_mix import counted_in, mix
from analysis.questions.differences_records import CHANGED, Mix, MixLevel

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection


def mix_table(dataset: Dataset, selection: Selection, *, metric: str = HEADLINE) -> Figure:
    """Share and rate of both modes in each group, and what rates and mix add to the crude difference."""
    answer = asked(mix, dataset, metric, selection)
    figure_id, label = "virtual_vs_in_person.mix", answer.comparison.label
    heading = "Who was validated how"
    if answer.leading is None:
        return Figure(figure_id, heading, label, state=_nothing(answer, dataset, selection))
    decimals = _decimals(answer)
    v, p = dataset.modes["virtual"], dataset.modes["in_person"]
    measure = f"{label}, by {answer.leading.words}: {contrast(answer.comparison)}, percentage points"
    title = _title(answer)
    noun = counted_in(answer.comparison)
    heads = [
        Head(answer.leading.words[0].upper() + answer.leading.words[1:]),
        Head(f"{v}: share", number=True), Head(f"{p}: share", number=True),
        Head(f"{v}: rate", number=True), Head(f"{p}: rate", number=True),
        Head("From rates", number=True), Head("From mix", number=True),
    ]  # fmt: skip
    rows = [_cells(level, decimals) for level in answer.levels]
    rows.append(_total(answer, v, p))
    table = pd.DataFrame(
        [[cell.words for cell in row] for row in rows], columns=[head.words for head in heads]
    )
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            f"Share: part of a mode's {noun} in the group. Rate: {label[0].lower()}{label[1:]} among them. From rates, from "
            "mix: what the group adds to the crude difference because rates differ in it, and because it is a larger or smaller "
            "part of one mode (Kitagawa)",
            _paradox(answer),
            _parts_words(answer),
            _whole_words(answer),
            _dropped(answer, noun),
            *[reasons.words(code) for code in answer.reasons],
            f"n = {wording.number(answer.n)} {noun} in quarters with both modes" if answer.n else "",
            when(dataset, selection),
        ),
        alt=at_most(
            f"Table of {len(answer.levels)} groups by {answer.leading.words} with share and rate of both modes. {title}."
        ),
        html=drawn_table(heads, rows, caption=title, total=True),
        data=answer.to_frame(),
        table=table,
    )


def _nothing(answer: Mix, dataset: Dataset, selection: Selection) -> State:
    if "suppressed" in answer.reasons:
        return state_suppressed()
    if "empty_selection" in answer.reasons:
        return empty_state(dataset, selection)
    why = answer.reasons[0] if answer.reasons else "nothing_to_adjust_for"
    return State("too_small", reasons.words(why), "Other metrics may have a mix to show.")


def _decimals(answer: Mix) -> int:
    return 2 if answer.comparison.kind == "rate" else 1


def _points(value: float | None, decimals: int) -> str:
    return wording.NOT_ESTIMABLE if value is None else wording.points(value, decimals)


def _rate(value: float | None, decimals: int) -> str:
    return wording.NOT_ESTIMABLE if value is None else f"{wording.number(value * 100, decimals)}%"


def _share(value: float | None) -> str:
    return wording.NOT_ESTIMABLE if value is None else wording.percent(value)


def _of(events: int | None, n: int | None) -> str:
    return "" if n is None or events is None else f"{wording.number(events)} of {wording.number(n)}"


def _cells(level: MixLevel, decimals: int) -> list[Cell]:
    return [
        Cell(level.label),
        Cell(_share(level.share_virtual)),
        Cell(_share(level.share_in_person)),
        Cell(_rate(level.rate_virtual, decimals), second=_of(level.events_virtual, level.n_virtual)),
        Cell(_rate(level.rate_in_person, decimals), second=_of(level.events_in_person, level.n_in_person)),
        Cell(_points(level.by_rate, decimals)),
        Cell(_points(level.by_mix, decimals)),
    ]


def _total(answer: Mix, v: str, p: str) -> list[Cell]:
    """All groups together: the crude rates, and the two parts of their difference."""
    decimals, leading = _decimals(answer), answer.leading
    assert leading is not None
    known = [level for level in answer.levels if level.n_virtual is not None]
    whole = len(known) == len(answer.levels)
    arms = [
        (sum(e or 0 for e in events), sum(n or 0 for n in ns))
        for events, ns in (
            ([x.events_virtual for x in known], [x.n_virtual for x in known]),
            ([x.events_in_person for x in known], [x.n_in_person for x in known]),
        )
    ]
    rates = [
        Cell(_rate(y / n, decimals), second=_of(y, n)) if whole and n else Cell(wording.NOT_ESTIMABLE)
        for y, n in arms
    ]
    return [
        Cell(f"Crude difference {_points(leading.difference, decimals)}"),
        Cell("100%"), Cell("100%"), *rates,
        Cell(_points(leading.rate_effect, decimals), strong=True),
        Cell(_points(leading.mix_effect, decimals), strong=True),
    ]  # fmt: skip


def _title(answer: Mix) -> str:
    """Crude, like for like, and how much of the first is mix."""
    decimals, leading = _decimals(answer), answer.leading
    assert leading is not None
    said = f"{_points(answer.crude, decimals)} points crude"
    if answer.adjusted is not None:
        said += f", {_points(answer.adjusted, decimals)} like for like"
    if answer.change in ("reversal", "sign_turned"):
        said += ": Simpson's paradox, the sign reverses"
    if leading.mix_effect is None:
        return said
    return f"{said}; the mix of {leading.words} makes {_points(leading.mix_effect, decimals)} of it"


def _paradox(answer: Mix) -> str:
    change = answer.change
    return reasons.words(change) if change in CHANGED else ""


def _parts_words(answer: Mix) -> str:
    """Which other columns carry mix, one at a time and together."""
    decimals = _decimals(answer)
    singles = [part for part in answer.parts if len(part.columns) == 1 and part.mix_effect is not None]
    if not singles:
        return ""
    listed = wording.listed([f"{part.words} {_points(part.mix_effect, decimals)}" for part in singles])
    said = f"Mix of one column at a time: {listed}; the parts do not add up, as columns go together"
    together = answer.together
    if together is not None and together.mix_effect is not None:
        said += f". {together.words[0].upper()}{together.words[1:]} together: {_points(together.mix_effect, decimals)}"
    return said


def _whole_words(answer: Mix) -> str:
    if answer.whole is None or answer.crude is None:
        return ""
    decimals = _decimals(answer)
    if _points(answer.whole, decimals) == _points(answer.crude, decimals):
        return ""
    return f"Over the whole selection, other quarters included, the crude difference is {_points(answer.whole, decimals)}"


def _dropped(answer: Mix, noun: str) -> str:
    if answer.leading is None or not answer.leading.n_dropped:
        return ""
    return f"Left out: {wording.number(answer.leading.n_dropped)} {noun} in groups that only one mode has"
