"""The maritime part: incidents by route, terminal, seal and conspiracy, entity types, post-incident analyses.

An incident is maritime when it happened at sea or to a sea carrier, port authority or terminal operator, or consolidator.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis import wording
from analysis.counts import available, counts
from analysis.datasets.preparing_incidents import MARITIME_TYPES
from analysis.questions.asking import answer_to
from analysis.questions.incident_records import ShareRow
from analysis.questions.incident_shares import FEWEST_RANKED, caveats_of, leaders, population, share_rows
from analysis.questions.incidents import checked
from analysis.results import Interval
from analysis.selection import EPOCH, Selection
from analysis.stats.proportions import wilson
from analysis.stats.survival import SurvivalCurve, kaplan_meier

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

BREAKDOWNS = ("route_origin", "terminal", "seal_issue")
SOUTHERN = ("South America", "Central America")
"""Routes the program names as most exposed to internal conspiracies."""


@dataclass(frozen=True, slots=True)
class Analyses:
    """Post-incident analyses: `opened`, of them `closed`, and days to close, open ones counted as still waiting.

    `median_days` and `middle_half` are Kaplan–Meier quantiles, None where not reached; `by_year` are calendar years with
    how many were opened in them, and how many of those are closed.
    """

    opened: int | None
    closed: int | None
    median_days: float | None
    middle_half: tuple[float | None, float | None] = (None, None)
    by_year: tuple[tuple[int, int | None, int | None], ...] = ()

    @property
    def open(self) -> int | None:
        """How many are still open."""
        return self.opened - self.closed if self.opened is not None and self.closed is not None else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "opened": self.opened,
            "closed": self.closed,
            "open": self.open,
            "median_days_to_close": self.median_days,
            "middle_half": list(self.middle_half),
            "by_year": [{"year": y, "opened": o, "closed": c} for y, o, c in self.by_year],
        }


@dataclass(frozen=True, slots=True)
class Maritime:
    """Maritime incidents: rows by breakdown, `n` of all `of` incidents (`unlinked` name no member), and analyses.

    The rows of breakdown ``internal_conspiracy`` are incidents with insiders, overall and by route origin; those of
    ``entity_type`` are validations with a deficiency of the maritime entity types.
    """

    rows: tuple[ShareRow, ...]
    n: int | None
    of: int | None
    unlinked: int | None
    analyses: Analyses | None
    sentence: str = ""
    caveats: tuple[str, ...] = ()

    def breakdown(self, by: str) -> tuple[ShareRow, ...]:
        """The rows of one breakdown."""
        return tuple(row for row in self.rows if row.by == by)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis maritime --json``."""
        units = {"entity_type": "validation"}
        return {
            "rows": [
                {"by": row.by, **row.to_dict(), "unit": units.get(row.by, "incident")} for row in self.rows
            ],
            "n": self.n,
            "incidents": self.of,
            "unlinkable": self.unlinked,
            "analyses": self.analyses.to_dict() if self.analyses else None,
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a value of a breakdown."""
        return pd.DataFrame(self.to_dict()["rows"])


def maritime(dataset: Dataset, selection: Selection = Selection()) -> Maritime:
    """Maritime incidents of a selection, their post-incident analyses, and what maritime entity types are deficient in.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know, or a dataset without incidents.
    """
    checked(dataset)
    selection = selection.checked(dataset)
    who = population(dataset, selection)
    counted = counts(dataset, "incidents", ["maritime", "entity_type"], selection, sums=["n", "records"])
    here = counted[counted["maritime"] == 1]
    n, aggregated = int(here["n"].sum()), int(here["n"].sum()) > int(here["records"].sum())
    unlinked = int(here.loc[here["entity_type"].isna(), "n"].sum())
    rows: list[ShareRow] = []
    for column in BREAKDOWNS:
        rows += _parts(dataset, selection, column, aggregated=aggregated)
    rows += _conspiracies(dataset, selection, aggregated=aggregated)
    rows += _entity_types(dataset, selection)
    caveats = [c for c in caveats_of(who, selection) if c != "aggregated"] + (
        ["aggregated"] if aggregated else []
    )
    if 0 < n < FEWEST_RANKED:
        caveats.append("small_numbers")
    answer = Maritime(tuple(rows), n, who.n, unlinked, _analyses(dataset, selection), "", tuple(caveats))
    return dataclasses.replace(answer, sentence=_sentence(answer))


def headline(dataset: Dataset, selection: Selection = Selection()) -> Maritime:
    """What the page opens with: the same answer, or that there are no incidents.

    Raises
    ------
    AnalysisError
        For a filter value the dataset does not know.
    """
    if not available(dataset, "incidents"):
        return Maritime((), None, None, None, None, "This dataset has no incidents.")
    answer = answer_to(maritime, dataset, selection)
    return answer if answer.of else dataclasses.replace(answer, caveats=())


def maritime_selection(selection: Selection) -> Selection | None:
    """The selection among maritime entity types, None where it chose others only."""
    chosen = tuple(t for t in MARITIME_TYPES if not selection.entity_types or t in selection.entity_types)
    return dataclasses.replace(selection, entity_types=chosen, transport_modes=()) if chosen else None


def _parts(dataset: Dataset, selection: Selection, column: str, *, aggregated: bool) -> list[ShareRow]:
    if not dataset.records(column):
        return []
    counted = counts(dataset, "incidents", ["maritime", column], selection)
    mine = counted[(counted["maritime"] == 1) & counted[column].notna()]
    amounts = dict(zip(mine[column], mine["n"], strict=True))
    known = [name for name in dataset.present(column) if name in amounts]
    return list(
        share_rows(
            dataset, column, known, [int(amounts.get(name, 0)) for name in known], aggregated=aggregated
        )
    )


def _conspiracies(dataset: Dataset, selection: Selection, *, aggregated: bool) -> list[ShareRow]:
    """Incidents in which insiders took part: of all that say so either way, and by route origin."""
    counted = counts(dataset, "incidents", ["maritime", "route_origin", "internal_conspiracy"], selection)
    mine = counted[(counted["maritime"] == 1) & counted["internal_conspiracy"].notna()]
    if mine.empty:
        return []
    rows = [_proportion(mine, "any", "All routes", aggregated=aggregated)]
    by_route = [
        _proportion(
            mine[mine["route_origin"] == route],
            route,
            dataset.label("route_origin", route),
            aggregated=aggregated,
        )
        for route in dataset.present("route_origin")
        if (mine["route_origin"] == route).any()
    ]
    return rows + sorted(by_route, key=lambda row: -(row.share or 0))


def _proportion(rows: pd.DataFrame, route: str, label: str, *, aggregated: bool) -> ShareRow:
    n = int(rows["n"].sum())
    count = int(rows.loc[rows["internal_conspiracy"] == 1, "n"].sum())
    bounds: Interval | None = None if aggregated or not n else wilson(count, n).interval()
    return ShareRow(
        "internal_conspiracy",
        "yes",
        label,
        count,
        n,
        count / n if n else None,
        bounds,
        {"route_origin": route},
    )


def _entity_types(dataset: Dataset, selection: Selection) -> list[ShareRow]:
    """Validations of maritime entity types with a deficiency (a Must one where levels are known)."""
    narrowed = maritime_selection(selection)
    if not available(dataset, "validations") or not dataset.clean_validations or narrowed is None:
        return []
    event, below = (
        ("any_must_deficiency", "has_must_assessed")
        if dataset.catalogue_has_levels
        else ("any_deficiency", "has_assessed")
    )
    counted = counts(dataset, "validations", ["entity_type"], narrowed, sums=[event, below])
    rows = []
    for name, y, n in zip(counted["entity_type"], counted[event], counted[below], strict=True):
        bounds = wilson(int(y), int(n)).interval() if n else None
        label = dataset.label("entity_type", str(name))
        rows.append(
            ShareRow(
                "entity_type",
                str(name),
                label,
                int(y),
                int(n),
                y / n if n else None,
                bounds,
                {"event": event},
            )
        )
    return rows


def _analyses(dataset: Dataset, selection: Selection) -> Analyses | None:
    """Post-incident analyses of the maritime incidents; None where the dataset records none at all."""
    rows = counts(dataset, "incidents", ["maritime", "opened_day", "analysed_day"], selection, via="rows")
    mine = rows[(rows["maritime"] == 1) & rows["opened_day"].notna()]
    if mine.empty:
        anywhere = counts(dataset, "incidents", ["opened_day"], via="rows")["opened_day"]
        return None if anywhere.isna().all() else Analyses(0, 0, None)
    closed = mine["analysed_day"].notna()
    as_of = (dataset.as_of - EPOCH).days
    days = mine["analysed_day"].fillna(as_of) - mine["opened_day"]
    curve = kaplan_meier(days.clip(lower=0), closed.astype(int), mine["n"])
    year = (np.datetime64(EPOCH) + mine["opened_day"].to_numpy(np.int64)).astype("datetime64[Y]").astype(
        int
    ) + 1970
    years = pd.DataFrame(
        {"year": year, "opened": mine["n"].to_numpy(), "closed": (mine["n"] * closed).to_numpy()}
    )
    by_year = years.groupby("year").sum()
    low, median, high = (_quantile(curve, q) for q in (0.25, 0.5, 0.75))
    return Analyses(
        int(mine["n"].sum()), int(mine.loc[closed, "n"].sum()), median, (low, high),
        tuple((int(y), int(row["opened"]), int(row["closed"])) for y, row in by_year.iterrows()),
    )  # fmt: skip


def _quantile(curve: SurvivalCurve, q: float) -> float | None:
    """The first time by which the share `q` had the event, None where that was not reached."""
    reached = curve.survival <= 1 - q + 1e-9
    return float(curve.time[reached][0]) if reached.any() else None


def _sentence(answer: Maritime) -> str:
    if not answer.of:
        return "No incidents match these filters."
    if not answer.n:
        return f"None of {wording.counted(answer.of, 'incident')} is maritime."
    share = wording.percent(answer.n / answer.of, answer.of)
    said = (
        f"**{wording.counted(answer.n, 'maritime incident')}**, {share} of all {wording.number(answer.of)}."
    )
    routes = answer.breakdown("route_origin") if answer.n >= FEWEST_RANKED else ()
    if routes and routes[0].count:
        said += f" The largest part began in {leaders(routes)} ({wording.percent(routes[0].share or 0, routes[0].n)})."
    insiders = next(iter(answer.breakdown("internal_conspiracy")), None)
    if insiders and insiders.share is not None and (insiders.n or 0) >= FEWEST_RANKED:
        bounds = f" ({wording.interval(insiders.interval, 'share')})" if insiders.interval else ""
        said += f" Insiders took part in **{wording.percent(insiders.share, insiders.n)}**{bounds}."
    if answer.analyses and answer.analyses.opened:
        still = answer.analyses.open or 0
        verb = "is" if still == 1 else "are"
        said += f" {wording.number(still)} of {wording.counted(answer.analyses.opened, 'analysis', 'analyses')} {verb} open."
    return said
