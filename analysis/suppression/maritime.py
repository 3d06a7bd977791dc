"""Maritime incidents without small counts."""

from __future__ import annotations

import dataclasses

from analysis.questions.incident_records import ShareRow
from analysis.questions.maritime import BREAKDOWNS, Analyses, Maritime
from analysis.suppression.incidents import NOT_SHOWN, hidden_parts, suppressed_parts
from analysis.suppression.small import SUPPRESSED, is_small


def suppressed_maritime(answer: Maritime) -> Maritime:
    """Maritime incidents without small counts, nor what would give them back by subtraction."""
    n, whole = answer.n or 0, answer.of or 0
    if is_small(n) or is_small(whole) or is_small(whole - n):
        return Maritime(_types(answer), None, None, None, None, NOT_SHOWN, (*answer.caveats, SUPPRESSED))
    told_routes, told = _by_route(
        answer.breakdown("route_origin"), answer.breakdown("internal_conspiracy"), n
    )
    rows = list(told_routes)
    for column in BREAKDOWNS[1:]:
        rows += suppressed_parts(answer.breakdown(column), n)
    rows += [*told, *_types(answer)]
    small = is_small(answer.unlinked) or is_small(n - (answer.unlinked or 0))
    hidden = dataclasses.replace(
        answer, rows=tuple(rows), unlinked=None if small else answer.unlinked,
        analyses=_analyses(answer.analyses, n),
    )  # fmt: skip
    if hidden == answer:
        return answer
    return dataclasses.replace(hidden, sentence=NOT_SHOWN, caveats=(*answer.caveats, SUPPRESSED))


def _types(answer: Maritime) -> tuple[ShareRow, ...]:
    """Validations by entity type: no total stands beside them, so each is hidden for itself."""
    return tuple(_hidden(row) if _is_small(row) else row for row in answer.breakdown("entity_type"))


def _by_route(
    routes: tuple[ShareRow, ...], insiders: tuple[ShareRow, ...], n: int
) -> tuple[list[ShareRow], list[ShareRow]]:
    """Routes, and insiders by route. How many incidents a route has stands in both, so one list of routes is hidden."""
    hide: set[str] = set()
    while True:
        forced = [i for i, row in enumerate(routes) if row.value in hide]
        shown = suppressed_parts(routes, n, forced)
        told, more = _insiders(insiders, routes, n, hide | {row.value for row in shown if row.count is None})
        if more <= hide:
            return list(shown), told
        hide |= more


def _insiders(
    rows: tuple[ShareRow, ...], routes: tuple[ShareRow, ...], n: int, hide: set[str]
) -> tuple[list[ShareRow], set[str]]:
    """Insiders overall and by route, and the routes hidden: those of `hide`, small ones, and their companions.

    Companions are added until those hidden are safe by incidents, by insiders, and without.
    """
    if not rows:
        return [], hide
    whole, parts = rows[0], list(rows[1:])
    if _is_small(whole) or is_small(n - (whole.n or 0)):
        return [_hidden(row) for row in rows], hide
    names = [row.of["route_origin"] for row in parts]
    of_route = {row.value: row.count or 0 for row in routes}
    silent = [is_small(of_route.get(name, 0) - (row.n or 0)) for name, row in zip(names, parts, strict=True)]
    if any(silent) or is_small((whole.n or 0) - sum(row.n or 0 for row in parts)):
        # Nothing by route, where it would tell how many did not say.
        return [whole, *map(_hidden, parts)], hide
    gone = {i for i, row in enumerate(parts) if _is_small(row) or names[i] in hide}
    views = [
        [row.n or 0 for row in parts],
        [row.count or 0 for row in parts],
        [(row.n or 0) - (row.count or 0) for row in parts],
    ]
    before = -1
    while len(gone) != before:
        before = len(gone)
        for view in views:
            gone = hidden_parts(view, gone)
    kept = [_hidden(row) if i in gone else row for i, row in enumerate(parts)]
    kept.sort(key=lambda row: (row.count is None, row.label if row.count is None else ""))
    return [whole, *kept], hide | {names[i] for i in gone}


def _is_small(row: ShareRow) -> bool:
    return is_small(row.count) or is_small(row.n) or is_small((row.n or 0) - (row.count or 0))


def _hidden(row: ShareRow) -> ShareRow:
    return dataclasses.replace(row, count=None, n=None, share=None, interval=None)


def _analyses(analyses: Analyses | None, incidents: int) -> Analyses | None:
    if analyses is None:
        return None
    opened = analyses.opened or 0
    if is_small(opened) or is_small(incidents - opened):
        return Analyses(None, None, None)
    if is_small(analyses.closed) or is_small(analyses.open):
        return Analyses(opened, None, None)
    told = [n for _, o, c in analyses.by_year for n in (o, c, (o or 0) - (c or 0))]
    return dataclasses.replace(analyses, by_year=()) if any(is_small(n) for n in told) else analyses
