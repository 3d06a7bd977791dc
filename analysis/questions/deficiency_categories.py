"""Deficiencies by category: share of all, rate among those assessed, load per criterion, Must and Should."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

from analysis import wording
from analysis.counts import counts
from analysis.criteria_counts import ClassTables, class_tables
from analysis.questions.deficiency_records import CategoryRow, Deficiencies, LevelRow, no_rate_reason
from analysis.schema import DATA_FOLDER
from analysis.selection import Selection
from analysis.stats.composition import goodman_intervals
from analysis.stats.pooled import Pooled
from analysis.stats.rates import arm_rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

LEVELS = ("must", "should")


def deficiencies_by_category(
    dataset: Dataset, selection: Selection = Selection(), *, rates: bool = True
) -> Deficiencies:
    """Deficiencies of every category, in catalogue order.

    Parameters
    ----------
    dataset : Dataset
    selection : Selection
    rates : bool
        Whether to estimate rates. Their errors are clustered by specialist, which cells do not hold; shares
        alone are answered from cells.
    """
    selection = selection.checked(dataset)
    n = int(counts(dataset, "validations", [], selection)["n"].iloc[0])
    missing = no_rate_reason(dataset)
    known = rates and missing is None
    by = ["specialist"] if known else []
    counted = class_tables(dataset, ("category", "level"), by, selection)
    of_category = counted.classes.groupby("category").indices
    sizes, places = _criteria(dataset, selection), category_numbers(dataset)
    names = [c for c in dataset.vocabulary("category") if c in sizes or c in of_category]
    nobody = np.array([], np.int64)
    classes = [of_category.get(name, nobody) for name in names]
    amounts = [int(counted.counts["deficient"][:, mine].sum()) for mine in classes]
    total = sum(amounts)
    shares = goodman_intervals(amounts) if names else None
    numbers, published = _published()
    comparable = not selection.focus_areas and set(names) == set(numbers)
    rows, caveats = [], {missing} if missing and rates else set()
    for i, (name, mine) in enumerate(zip(names, classes, strict=True)):
        found = _rate(counted, mine) if known else None
        if found is not None and found.interval is None:
            caveats.add("clusters_needed" if found.estimate is not None else "zero_denominator")
        count, criteria = amounts[i], sizes.get(name, 0)
        given = published.get(numbers[name]) if comparable else None
        rows.append(
            CategoryRow(
                category=name,
                label=dataset.label("category", name),
                number=places[name],
                count=count,
                n=int(counted.counts["assessed"][:, mine].sum()) if known else None,
                share=shares.value(i) if shares and total else None,
                share_interval=shares.interval(i) if shares and total else None,
                rate=found.estimate if found else None,
                interval=found.interval if found else None,
                criteria=criteria,
                load=count / criteria if criteria and dataset.criteria_asked else None,
                levels=_levels(counted, mine, known=known) if dataset.catalogue_has_levels else (),
                published=given,
                published_share=given / sum(published.values()) if given is not None else None,
            )
        )
    answer = Deficiencies("category", tuple(rows), n, total, "", tuple(sorted(c for c in caveats if c)))
    return Deficiencies(answer.by, answer.rows, n, total, _sentence(answer), answer.caveats)


def category_numbers(dataset: Dataset) -> dict[str, int]:
    """The program's number of every category, else its place in the catalogue."""
    numbers = _published()[0]
    names = dataset.vocabulary("category")
    own = set(names) <= set(numbers)
    return {name: numbers[name] if own else i for i, name in enumerate(names, start=1)}


def _rate(counted: ClassTables, classes: NDArray[np.int64]) -> Pooled | None:
    """Ratio of sums over specialists; validations without one are a cluster of their own."""
    y, d = (counted.counts[name][:, classes].sum(axis=1) for name in ("deficient", "assessed"))
    return arm_rate(y, d, cluster=counted.groups["specialist"]) if d.any() else None


def _levels(counted: ClassTables, classes: NDArray[np.int64], *, known: bool) -> tuple[LevelRow, ...]:
    out = []
    for level in LEVELS:
        mine = classes[(counted.classes["level"] == level).to_numpy()[classes]]
        found = _rate(counted, mine) if known else None
        out.append(
            LevelRow(
                level,
                int(counted.counts["deficient"][:, mine].sum()),
                int(counted.counts["assessed"][:, mine].sum()) if known else None,
                found.estimate if found else None,
                found.interval if found else None,
            )
        )
    return tuple(out)


def _criteria(dataset: Dataset, selection: Selection) -> dict[str, int]:
    """How many criteria of the catalogue each category has, within the focus areas chosen."""
    applies = dataset.applicability()
    if selection.focus_areas:
        applies = applies[
            applies["focus_area"].isin([dataset.code("focus_area", a) for a in selection.focus_areas])
        ]
    sizes = applies.groupby("category")["criterion_id"].nunique()
    return {
        dataset.vocabulary("category")[int(str(code))]: int(n)
        for code, n in sizes.items()
        if int(str(code)) >= 0
    }


def _published() -> tuple[dict[str, int], dict[int, int]]:
    """Number of each category of the program's own catalogue, and the deficiencies published for that number."""
    with open(DATA_FOLDER / "reference" / "criteria.csv", encoding="utf-8", newline="") as file:
        numbers = {row["category"]: int(row["category_no"]) for row in csv.DictReader(file)}
    with open(
        DATA_FOLDER / "published" / "deficiencies_by_category.csv", encoding="utf-8", newline=""
    ) as file:
        return numbers, {int(row["category_no"]): int(row["deficiencies"]) for row in csv.DictReader(file)}


def _sentence(answer: Deficiencies) -> str:
    if not answer.n:
        return "No validations match these filters."
    if not answer.total:
        return f"No deficiency was recorded in {wording.counted(answer.n, 'validation')}."
    first = max((row for row in answer.rows if isinstance(row, CategoryRow)), key=lambda row: row.count or 0)
    share = wording.percent(first.share or 0, answer.total)
    bounds = wording.interval(first.share_interval, "share")
    return (
        f"**{first.label}** has the largest share of {wording.counted(answer.total, 'deficiency', 'deficiencies')}: "
        f"**{share}** ({bounds})."
    )
