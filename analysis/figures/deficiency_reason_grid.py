"""Reasons within each category, as a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, State
from analysis.charts.heat_map import heat_map
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import (
    caption,
    state_of_dataset,
    state_of_deficiencies,
    state_suppressed,
    when,
)
from analysis.figures.comparison_words import at_most
from analysis.figures.deficiency_words import WIDEN, of_words
from analysis.questions.deficiency_categories import category_numbers
from analysis.questions.deficiency_reasons import deficiencies_by_reason, reasons_by_category

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

FEWEST_IN_CELL = 30


def reason_categories(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Reasons within each category as a heat map."""
    figure_id, heading = "msc_deficiencies.reason_categories", "Reasons by category"
    if state := state_of_dataset(dataset):
        return Figure(figure_id, heading, state=state)
    answer = asked(deficiencies_by_reason, dataset, selection)
    if state := state_of_deficiencies(answer, dataset, selection):
        return Figure(figure_id, heading, state=state)
    mix = asked(reasons_by_category, dataset, selection)
    frame = mix.to_frame().astype({"count": "Int64", "n": "Int64", "share": float})
    measure = "Share of each reason within a category's deficiencies, %"
    known = frame[(frame["n"] >= FEWEST_IN_CELL).fillna(False) & frame["share"].notna()]
    if known.empty and "suppressed" in mix.caveats:
        return Figure(figure_id, heading, measure, state=state_suppressed())
    if known.empty:
        fact = f"Every category has fewer than {FEWEST_IN_CELL} deficiencies with a reason."
        return Figure(figure_id, heading, measure, state=State("too_small", fact, WIDEN))
    by_reason = {reason: i for i, reason in enumerate(mix.reasons)}
    # Stable, so that categories keep the order of the catalogue within each reason.
    ordered = frame.sort_values("reason", key=lambda column: column.map(by_reason), kind="stable")
    numbers = category_numbers(dataset)
    cells = pd.DataFrame(
        [
            _cell(row.category, numbers[row.category], row.reason, _known(row.k), _known(row.n), dataset)
            for row in ordered.rename(columns={"count": "k"}).itertuples()
        ]
    ).astype({"value": float})
    top = known.loc[known["share"].idxmax()]
    peak, where = dataset.label("reason", top["reason"]), dataset.label("category", top["category"])
    title = (
        f"“{peak}” stands behind {wording.percent(top['share'], int(top['n']))} of deficiencies in {where}"
    )
    alt = at_most(f"Grid of {len(mix.reasons)} reasons by {len(mix.categories)} categories. {title}.")
    wide = frame.assign(
        Reason=[dataset.label("reason", r) for r in frame["reason"]],
        Category=[dataset.label("category", c) for c in frame["category"]],
        words=[
            wording.NOT_ESTIMABLE if pd.isna(s) else f"{wording.percent(s, int(n))} ({wording.number(int(k))})"
            for s, n, k in zip(frame["share"], frame["n"], frame["count"], strict=True)
        ],
    ).pivot(index="Category", columns="Reason", values="words")  # fmt: skip
    labels = [dataset.label("category", c) for c in mix.categories]
    table = wide.loc[labels, [dataset.label("reason", r) for r in mix.reasons]].reset_index()
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Columns: categories by the numbers of the table above. Each column adds up to 100",
            f"·: fewer than {FEWEST_IN_CELL} deficiencies with a reason in the category",
            *[reasons.words(code) for code in mix.caveats],
            f"n = {wording.number(mix.n)} deficiencies with a reason" if mix.n is not None else "",
            when(dataset, selection),
        ),
        alt=alt,
        chart=heat_map(
            cells,
            alt_text=alt,
            tooltip={"label": "Reason", "category": "Category", "said": "Share"},
            palette=palette,
        ),
        data=frame,
        table=table,
    )


def _known(count: object) -> int | None:
    return None if pd.isna(count) else int(str(count))


def _cell(
    category: str, number: int, reason: str, count: int | None, n: int | None, dataset: Dataset
) -> dict[str, object]:
    share = count / n if count is not None and n is not None and n >= FEWEST_IN_CELL else None
    label, name = dataset.label("reason", reason), dataset.label("category", category)
    said = of_words(count, n)
    return {
        "label": label,
        "column": str(number),
        "category": name,
        "value": share,
        "words": "·" if share is None else f"{share * 100:.0f}",
        "said": f"{'' if count is None else 'too few: '}{said}"
        if share is None
        else f"{wording.percent(share, n)}, {said}",
        "description": f"{label}, {name}: {said}",
    }
