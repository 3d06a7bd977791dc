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
    routes, insiders = answer.breakdown("route_origin"), answer.breakdown("internal_conspiracy")
    told, hide = _insiders(insiders, routes)
    forced = [i for i, row in enumerate(routes) if row.value in hide]
    rows = list(suppressed_parts(routes, n, forced))
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


def _insiders(rows: tuple[ShareRow, ...], routes: tuple[ShareRow, ...]) -> tuple[list[ShareRow], set[str]]:
    """Insiders overall and by route, and the routes hidden, which must be hidden wherever routes are counted.

    A route's n here is its number of incidents there, so one list of hidden routes serves both; companions are added
    until those hidden are safe by incidents, by insiders, and without.
    """
    if not rows:
        return [], set()
    whole, parts = rows[0], list(rows[1:])
    names = [row.of["route_origin"] for row in parts]
    of_route = {row.value: row.count or 0 for row in routes}
    unknown = [is_small(of_route.get(name, 0) - (row.n or 0)) for name, row in zip(names, parts, strict=True)]
    rest = (whole.n or 0) - sum(row.n or 0 for row in parts)
    if _is_small(whole) or any(unknown) or is_small(rest):
        # Nothing by route, where it would tell how many did not say.
        return [_hidden(whole) if _is_small(whole) else whole, *map(_hidden, parts)], set()
    hide = {i for i, row in enumerate(parts) if _is_small(row)}
    views = [
        [row.n or 0 for row in parts],
        [row.count or 0 for row in parts],
        [(row.n or 0) - (row.count or 0) for row in parts],
    ]
    before = -1
    while len(hide) != before:
        before = len(hide)
        for view in views:
            hide = hidden_parts(view, hide)
    kept = [_hidden(row) if i in hide else row for i, row in enumerate(parts)]
    kept.sort(key=lambda row: (row.count is None, row.label if row.count is None else ""))
    return [whole, *kept], {names[i] for i in hide}


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
