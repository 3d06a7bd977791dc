"""How unevenly incidents fall: on how few members, field offices and terminals, beside chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis import wording
from analysis.counts import counts
from analysis.questions.incident_exposure import exposure
from analysis.questions.incident_records import ConcentrationRow, Incidents
from analysis.questions.incident_shares import caveats_of, population
from analysis.schema import LABELS
from analysis.selection import Selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset


def concentration(dataset: Dataset, selection: Selection = Selection()) -> Incidents:
    """On how few members, field offices and terminals incidents fall; beside chance where time at risk is known."""
    who = population(dataset, selection)
    rows = []
    by_member = counts(dataset, "incidents", ["member_id"], selection, via="rows").dropna(
        subset=["member_id"]
    )
    if len(by_member):
        rows.append(
            _members(dataset, selection, by_member["n"].to_numpy(np.int64), aggregated=who.aggregated)
        )
    for column in ("field_office", "terminal"):
        if not dataset.records(column):
            continue
        amounts = (
            counts(dataset, "incidents", [column], selection).dropna(subset=[column])["n"].to_numpy(np.int64)
        )
        # Offices filtered away are no places where nothing happened.
        units = (
            len(selection.offices)
            if column == "field_office" and selection.offices
            else len(dataset.present(column))
        )
        if units > 1 and amounts.sum():
            label = f"{LABELS[column]}s"
            rows.append(
                ConcentrationRow(
                    column, label, units, int(amounts.sum()), int((amounts > 0).sum()), _half(amounts)
                )
            )
    caveats = tuple(c for c in caveats_of(who, selection) if c != "aggregated")
    answer = tuple(rows)
    return Incidents("concentration", answer, who.n, who.n, who.unlinked, _spread_sentence(answer), caveats)


def _members(
    dataset: Dataset, selection: Selection, amounts: NDArray[np.int64], *, aggregated: bool
) -> ConcentrationRow:
    repeat = amounts[amounts > 1]
    at_risk = exposure(dataset, selection)
    units, hit, again = None, None, None
    if at_risk.missing is None:
        members, days = at_risk.rows["n"].to_numpy(float), at_risk.days()
        units = int(members[days > 0].sum())
        total = float((members * days).sum())
        if total and not aggregated:
            # Incidents that fall by chance: each member's number is Poisson, in proportion to its time at risk.
            mean = int(amounts.sum()) * days / total
            hit = float((members * -np.expm1(-mean)).sum())
            again = hit - float((members * mean * np.exp(-mean)).sum())
    return ConcentrationRow(
        "member", "Members", units, int(amounts.sum()), int(amounts.size), _half(amounts), int(repeat.size),
        int(repeat.sum()), hit, again,
    )  # fmt: skip


def _half(amounts: NDArray[np.int64]) -> int:
    """The smallest number of units on which half of the incidents fall."""
    running = np.sort(amounts)[::-1].cumsum()
    return int(np.searchsorted(running, amounts.sum() / 2) + 1)


def _spread_sentence(rows: tuple[ConcentrationRow, ...]) -> str:
    if not rows:
        return "No incidents match these filters."
    first = rows[0]
    if first.unit != "member":
        return (
            f"Half of {wording.counted(first.incidents or 0, 'incident')} fall on "
            f"**{wording.number(first.half_on or 0)}** of {wording.number(first.units or 0)} {first.label.lower()}."
        )
    share = (
        f", {wording.percent((first.hit or 0) / first.units)} of {wording.number(first.units)}"
        if first.units
        else ""
    )
    text = (
        f"{wording.counted(first.incidents or 0, 'incident')} fall on {wording.number(first.hit or 0)} "
        f"{first.label.lower()}{share}"
    )
    if first.expected_hit is not None and first.repeat is not None and first.expected_repeat is not None:
        text += (
            f"; **{wording.number(first.repeat)}** had two or more, where chance alone would give about "
            f"{wording.number(first.expected_repeat, 1)}"
        )
    return f"{text}."
