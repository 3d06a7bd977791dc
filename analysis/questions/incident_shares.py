"""What incidents are made of: transport mode, concealment, seal, contraband, causes; and two of them crossed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis import wording
from analysis.counts import available, counts
from analysis.questions.incident_records import IncidentGrid, Incidents, ShareRow
from analysis.results import Interval
from analysis.schema import LABELS
from analysis.selection import Selection
from analysis.stats.composition import goodman_intervals
from analysis.stats.proportions import wilson

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

ONE_VALUED = (
    "transport_mode", "concealment_method", "seal_issue", "contraband", "route_origin", "terminal", "field_office",
)  # fmt: skip
"""Columns of which an incident has one value, so that their shares make up a whole."""
FEWEST_RANKED = 10
"""Incidents below which values are counted, but none is called the most frequent."""
NO_ISSUE = ("seal_issue", "none")
"""A value that says that there is nothing to name."""
LAST_VALIDATION = ("modes", "risks", "kinds", "locations")
"""Filters that speak of the member's last validation before the incident."""


@dataclass(frozen=True, slots=True)
class Population:
    """The incidents of a selection: `n`, rows (`records`) they stand in, `unlinked` without a member."""

    n: int
    records: int
    unlinked: int
    at_risk: int

    @property
    def aggregated(self) -> bool:
        """Whether rows stand for several incidents, which are then not independent of one another."""
        return self.n > self.records


def population(dataset: Dataset, selection: Selection) -> Population:
    """Count the incidents of a selection."""
    rows = counts(dataset, "incidents", ["entity_type"], selection, sums=["n", "records", "n_at_risk"])
    total = rows[["n", "records", "n_at_risk"]].sum()
    # Every member has an entity type, so an incident without one names no member.
    unlinked = int(rows.loc[rows["entity_type"].isna(), "n"].sum())
    return Population(int(total["n"]), int(total["records"]), unlinked, int(total["n_at_risk"]))


def caveats_of(who: Population, selection: Selection) -> tuple[str, ...]:
    """What to keep in mind about all incidents of a selection."""
    if not who.n:
        return ("no_incidents",)
    out = []
    if who.aggregated:
        out.append("aggregated")
    if who.unlinked:
        out.append("unlinkable")
    if selection.focus_areas:
        out.append("focus_area_of_criteria")
    return tuple(out)


def incidents_by_value(dataset: Dataset, column: str, selection: Selection = Selection()) -> Incidents:
    """Incidents by the values of a column, most frequent first, with simultaneous intervals of their shares."""
    who = population(dataset, selection)
    caveats = caveats_of(who, selection)
    if not dataset.records(column):
        text = f"The dataset does not record the {LABELS[column].lower()} of incidents."
        return Incidents(column, (), who.n, 0, who.unlinked, text, (*caveats, "column_absent"))
    counted = counts(dataset, "incidents", [column], selection)
    amounts = dict(zip(counted[column], counted["n"], strict=True))
    names = list(dataset.present(column))
    rows = share_rows(
        dataset, column, names, [int(amounts.get(name, 0)) for name in names], aggregated=who.aggregated
    )
    recorded = sum(row.count or 0 for row in rows)
    caveats += _about_column(recorded, who.n)
    return Incidents(
        column, rows, who.n, recorded, who.unlinked, leading(rows, column, recorded, who.n), caveats
    )


def share_rows(
    dataset: Dataset, column: str, names: Sequence[str], amounts: Sequence[int], *, aggregated: bool
) -> tuple[ShareRow, ...]:
    """Rows of the parts of a whole, largest first; without intervals where incidents are not independent."""
    total = sum(amounts)
    bounds = goodman_intervals(amounts) if amounts and total and not aggregated else None
    rows = [
        ShareRow(
            column, name, dataset.label(column, name), amount, total, amount / total if total else None,
            bounds.interval(i) if bounds else None,
        )
        for i, (name, amount) in enumerate(zip(names, amounts, strict=True))
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: -(row.count or 0)))


def incidents_by_cause(dataset: Dataset, selection: Selection = Selection()) -> Incidents:
    """Incidents by cause, most frequent first. An incident with several causes counts for each of them."""
    who = population(dataset, selection)
    caveats = caveats_of(who, selection)
    if not available(dataset, "causes") or not dataset.records("cause"):
        text = "The dataset does not record causes of incidents."
        return Incidents("cause", (), who.n, 0, who.unlinked, text, (*caveats, "column_absent"))
    explained = counts(dataset, "incidents", ["has_cause"], selection)
    recorded = int(explained.loc[explained["has_cause"] == 1, "n"].sum())
    counted = counts(dataset, "causes", ["cause"], selection)
    amounts = dict(zip(counted["cause"], counted["n"], strict=True))
    rows = []
    for name in dataset.present("cause"):
        amount = int(amounts.get(name, 0))
        # One row per cause of an incident: the same cause is not listed twice, so this is a share of incidents.
        bounds: Interval | None = None
        if recorded and not who.aggregated:
            bounds = wilson(amount, recorded).interval()
        share = amount / recorded if recorded else None
        rows.append(ShareRow("cause", name, dataset.label("cause", name), amount, recorded, share, bounds))
    rows.sort(key=lambda row: -(row.count or 0))
    if recorded:
        caveats += ("several_causes",)
    caveats += _about_column(recorded, who.n)
    said = leading(tuple(rows), "cause", recorded, who.n)
    return Incidents("cause", tuple(rows), who.n, recorded, who.unlinked, said, caveats)


def incident_grid(
    dataset: Dataset, row: str, column: str, selection: Selection = Selection()
) -> IncidentGrid:
    """Incidents by two columns of which each has one value, rows by size; incidents lacking either are left out."""
    who = population(dataset, selection)
    caveats = caveats_of(who, selection)
    if not dataset.records(row) or not dataset.records(column):
        return IncidentGrid((), (), (), (), who.n, (*caveats, "column_absent"))
    counted = counts(dataset, "incidents", [row, column], selection)
    wide = counted.pivot_table(index=row, columns=column, values="n", aggfunc="sum", fill_value=0)
    columns = tuple(name for name in dataset.vocabulary(column) if name in wide.columns)
    rows = sorted(wide.index, key=lambda name: (-int(wide.loc[name].sum()), str(name)))
    lines = [tuple(int(wide.loc[name, each]) for each in columns) for name in rows]
    totals = tuple(sum(line[i] for line in lines) for i in range(len(columns)))
    if sum(totals) < who.n:
        caveats += ("unknown_rows_left_out",)
    return IncidentGrid(tuple(map(str, rows)), columns, tuple(lines), totals, who.n, caveats)


def leading(rows: tuple[ShareRow, ...], column: str, recorded: int, n: int) -> str:
    """Which value is recorded most often, in a sentence."""
    if not n:
        return "No incidents match these filters."
    if not recorded:
        return f"None of {wording.counted(n, 'incident')} records its {LABELS[column].lower()}."
    if recorded < FEWEST_RANKED:
        return f"Too few to rank: {wording.counted(recorded, 'incident')} with a recorded {LABELS[column].lower()}."
    named = [row for row in rows if (row.by, row.value) != NO_ISSUE and row.count]
    if not named:
        return nothing_named(column, recorded)
    first = named[0]
    share = f"{wording.number(first.count or 0)} of {wording.number(recorded)} incidents ({wording.percent(first.share or 0, recorded)}"
    bounds = f"; 95% interval {wording.interval(first.interval, 'share')}" if first.interval else ""
    return f"{LABELS[column]} recorded most often: **{leaders(named)}**, {share}{bounds})."


def nothing_named(column: str, recorded: int) -> str:
    """That every incident says there is nothing to name."""
    return f"None of {wording.counted(recorded, 'incident')} had a {LABELS[column].lower()}."


def _about_column(recorded: int, n: int) -> tuple[str, ...]:
    """What to keep in mind about a column that not every incident records."""
    out = ("unknown_rows_left_out",) if 0 < recorded < n else ()
    return (*out, "small_numbers") if 0 < recorded < FEWEST_RANKED else out


def leaders(rows: Sequence[ShareRow]) -> str:
    """The label of the most frequent row, or of all that share the first place."""
    names = [spoken(row.label) for row in rows if row.count is not None and row.count == rows[0].count]
    return f"{wording.listed(names)} each" if len(names) > 1 else spoken(rows[0].label)


def spoken(label: str) -> str:
    """A label inside a sentence, without stars, which would be read as bold (sources mark footnotes with them)."""
    return label.replace("*", "").strip()
