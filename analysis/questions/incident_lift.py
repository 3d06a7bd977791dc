"""What members with an incident had been deficient in: lift of each category, by cause of the incident."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from analysis import wording
from analysis.counts import available, counts
from analysis.datasets.cells import WORD, words_of
from analysis.questions.incident_records import Incidents, LiftRow
from analysis.questions.incident_shares import caveats_of, population
from analysis.results import Interval, finite_or_none
from analysis.selection import LISTS, Selection
from analysis.stats.multiplicity import holm
from analysis.stats.proportions import ratio_mover_r
from analysis.stats.tables import mid_p

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

ANY_CAUSE = "Any cause"
FEWEST_CASES = 10
FEWEST_SPOKEN_OF = 5
LEVEL = 0.05
_ON_THE_VALIDATION = ("offices", "modes", "entity_types", "risks", "kinds", "locations")


@dataclass(frozen=True, slots=True, eq=False)
class _Validated:
    """Validations up to the end of a period, sorted by member, day and row.

    `member` has shape (validations,), as have the codes of each of `filters`; `place` is where the validation of a
    row number stands, −1 for none; `last` marks the last validation of a member; `deficient` and `assessed` have
    shape (validations, categories).
    """

    end: date | None
    member: NDArray[np.int64]
    place: NDArray[np.int64]
    filters: dict[str, NDArray[np.int16]]
    last: NDArray[np.bool_]
    deficient: NDArray[np.bool_]
    assessed: NDArray[np.bool_]


_read_last: WeakKeyDictionary[Dataset, _Validated] = WeakKeyDictionary()
"""What was read of a dataset last: of the filters only the end of the period has it read again."""


def earlier_deficiencies(
    dataset: Dataset, selection: Selection = Selection(), *, cause: str | None = None
) -> Incidents:
    """How often each category was deficient at the last validation before an incident, against all validated members.

    The unit is a member. A case is a member with an incident in the period after a validation; its last validation is
    the last before the first such incident. Everybody else's is the last by the end of the period. The lift of a
    category is the share of cases deficient in it over the share of all validated members, cases among them:
    ``L = r/(w r + 1 − w)`` with r the ratio of cases to others and w the share of cases, so that limits of r
    (MOVER-R) are limits of L.

    Parameters
    ----------
    dataset : Dataset
    selection : Selection
        Office and period of cases are those of the incident, of the others those of the validation.
    cause : str, optional
        Only incidents of this cause make a case; by default any incident does.
    """
    who = population(dataset, selection)
    caveats = (
        *(c for c in caveats_of(who, selection) if c not in ("aggregated", "focus_area_of_criteria")),
        "association_only",
    )
    if not available(dataset, "validations") or not available(dataset, "findings"):
        return _nothing(
            who.n, who.unlinked, "The dataset has no findings before incidents.", (*caveats, "table_absent")
        )
    if not dataset.clean_validations:
        text = "The source lists only validations with findings, so members deficient cannot be told from others."
        return _nothing(who.n, who.unlinked, text, (*caveats, "clean_validations_unknown"))
    validated = _validated(dataset, selection.end)
    rows = _rows(dataset, selection, validated, cause)
    if rows and (rows[0].n or 0) < FEWEST_CASES and all(row.lift is None for row in rows):
        caveats += ("too_few_cases",)
    answer = Incidents("last_deficient_category", tuple(rows), who.n, None, who.unlinked, "", caveats)
    return dataclasses.replace(answer, sentence=_sentence(rows, who.n))


def earlier_deficiencies_by_cause(dataset: Dataset, selection: Selection = Selection()) -> Incidents:
    """The same for any cause and then for every cause the dataset records, Holm's correction within each cause."""
    first = earlier_deficiencies(dataset, selection)
    if not first.rows or not available(dataset, "causes"):
        return first
    validated = _validated(dataset, selection.end)
    rows = list(first.rows)
    for cause in dataset.present("cause"):
        rows += _rows(dataset, selection, validated, cause)
    return dataclasses.replace(first, rows=tuple(rows))


def _nothing(n: int, unlinked: int, text: str, caveats: tuple[str, ...]) -> Incidents:
    return Incidents("last_deficient_category", (), n, None, unlinked, text, caveats)


def _validated(dataset: Dataset, end: date | None) -> _Validated:
    """Every validation by the end of the period: filters are applied to the last of a member, not before."""
    read = _read_last.get(dataset)
    if read is None or read.end != end:
        read = _read_last[dataset] = _read(dataset, end)
    return read


def _read(dataset: Dataset, end: date | None) -> _Validated:
    categories = len(dataset.vocabulary("category"))
    columns = [LISTS[name][1] for name in _ON_THE_VALIDATION]
    sets = [f"{what}_{word}" for what in ("deficient", "assessed") for word in range(words_of(categories))]
    by = ["member", "day", "validation_row", *(f"{column}_code" for column in columns), *sets]
    rows = counts(dataset, "categorised", by, Selection(end=end), via="rows")
    member, row = (rows[name].to_numpy(np.int64) for name in ("member", "validation_row"))
    place = np.full(row.max(initial=-1) + 1, -1)
    place[row] = np.arange(len(row))
    deficient, assessed = (
        _flags([rows[name].to_numpy(np.int64) for name in sets if name.startswith(what)], categories)
        for what in ("deficient", "assessed")
    )
    return _Validated(
        end,
        member,
        place,
        {column: rows[f"{column}_code"].to_numpy(np.int16) for column in columns},
        np.append(member[1:] != member[:-1], True)[: len(member)],
        deficient,
        # Where nobody knows which criteria were asked, every validation counts: "any deficiency" needs no more.
        # A source's own name for a finding's category may be one of which the catalogue lists nothing as assessed.
        deficient | assessed if dataset.criteria_asked else np.ones_like(deficient),
    )


def _flags(words: list[NDArray[np.int64]], flags: int) -> NDArray[np.bool_]:
    """Bit sets as flags, shape (rows, flags)."""
    return np.column_stack([(words[place // WORD] >> (place % WORD)) & 1 > 0 for place in range(flags)])


def _cases(dataset: Dataset, selection: Selection, cause: str | None) -> NDArray[np.int64]:
    """For each incident in order of time, the row of the member's last validation before it."""
    table, by = (
        ("incidents", ["day", "last_validation"])
        if cause is None
        else ("causes", ["day", "last_validation", "cause"])
    )
    rows = counts(dataset, table, by, selection, via="rows")
    if cause is not None:
        rows = rows[rows["cause"] == cause]
    return np.asarray(rows["last_validation"].dropna(), np.int64)


def _of_cases(validated: _Validated, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of the validations before incidents, one for each member: the first incident makes the case."""
    place = validated.place[rows[rows < len(validated.place)]]
    place = place[place >= 0]
    _, first = np.unique(validated.member[place], return_index=True)
    return np.asarray(place[first])


def _among(member: NDArray[np.int64], chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which members are among the chosen: a place for each number, the last one for nobody (−1)."""
    wanted = np.zeros(member.max(initial=-1) + 2, bool)
    wanted[chosen] = True
    return np.asarray(wanted[member])


def _rows(dataset: Dataset, selection: Selection, validated: _Validated, cause: str | None) -> list[LiftRow]:
    index = _of_cases(validated, _cases(dataset, selection, cause))
    kept = selection.kept(dataset, validated.filters)
    others = validated.last if kept is None else validated.last & kept
    not_cases = np.flatnonzero(others & ~_among(validated.member, validated.member[index]))
    sums = [
        flags[who].sum(axis=0)
        for who in (index, not_cases)
        for flags in (validated.deficient, validated.assessed)
    ]
    label = dataset.label("cause", cause) if cause else ANY_CAUSE
    names = [
        (code, name) for code, name in enumerate(dataset.vocabulary("category"))
        if not selection.focus_areas or name in _in_areas(dataset, selection.focus_areas)
    ]  # fmt: skip
    rows = []
    for code, name in names:
        x1, n1, x0, n0 = (int(of_category[code]) for of_category in sums)
        if n1 + n0:
            lift, bounds, p = _lift(x1, n1, x0, n0)
            rows.append(
                LiftRow(
                    cause,
                    label,
                    name,
                    dataset.label("category", name),
                    x1,
                    n1,
                    x1 / n1 if n1 else None,
                    x1 + x0,
                    n1 + n0,
                    (x1 + x0) / (n1 + n0),
                    lift,
                    bounds,
                    p,
                )
            )
    adjusted = holm([np.nan if row.p_value is None else row.p_value for row in rows])
    return [
        dataclasses.replace(row, adjusted_p=finite_or_none(float(p)))
        for row, p in zip(rows, adjusted, strict=True)
    ]


def _lift(x1: int, n1: int, x0: int, n0: int) -> tuple[float | None, Interval | None, float | None]:
    """Share of cases over share of everybody, its limits, and the mid-p of no association."""
    if n1 < FEWEST_CASES or not n0 or not x1 + x0:
        return None, None, None
    weight = n1 / (n1 + n0)
    lift = (x1 / n1) / ((x1 + x0) / (n1 + n0))
    ratio = ratio_mover_r(x1, n1, x0, n0)
    low, high = (_of_all(float(limit), weight) for limit in (ratio.low, ratio.high))
    return lift, Interval(low, high, 0.95, "MOVER-R"), mid_p([[x1, n1 - x1], [x0, n0 - x0]]).p()


def _of_all(ratio: float, weight: float) -> float:
    """A ratio of cases to others as a ratio of cases to everybody."""
    return 1 / weight if np.isinf(ratio) else ratio / (weight * ratio + 1 - weight)


def _in_areas(dataset: Dataset, areas: tuple[str, ...]) -> set[str]:
    """Categories with a criterion in one of the focus areas."""
    listed = dataset.applicability()
    codes = [dataset.code("focus_area", area) for area in areas]
    names = dataset.vocabulary("category")
    return {
        names[int(code)]
        for code in listed.loc[listed["focus_area"].isin(codes), "category"].unique()
        if code >= 0
    }


def _sentence(rows: list[LiftRow], n: int) -> str:
    if not n:
        return "No incidents match these filters."
    told = [row for row in rows if row.lift is not None]
    if not told:
        return f"Fewer than {FEWEST_CASES} validated members had such an incident."
    what = "an incident" if told[0].cause is None else f"an incident of cause “{told[0].cause_label}”"
    spoken = [row for row in told if (row.count or 0) >= FEWEST_SPOKEN_OF] or told
    first = min(spoken, key=lambda row: row.p_value if row.p_value is not None else 1.0)
    found = [row for row in told if row.adjusted_p is not None and row.adjusted_p < LEVEL]
    said = (
        f"{first.label}, **{wording.ratio(first.lift or 0)} times** as often ({wording.interval(first.interval, 'ratio')}; "
        f"{wording.number(first.count or 0)} of {wording.number(first.n or 0)})"
    )
    if not found:
        return (
            f"Before {what}, no category was deficient more or less often than among all validated members, allowing for "
            f"{len(told)} looks. Furthest apart: {said}."
        )
    held = "1 category differs" if len(found) == 1 else f"{len(found)} categories differ"
    return f"Before {what}, {held} from all validated members, allowing for {len(told)} looks. Furthest apart: {said}."
