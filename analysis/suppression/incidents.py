"""Incidents without small counts: by value, period, entity type and category; in time; crossed."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from analysis.questions.incident_records import (
    ConcentrationRow,
    ExposureRow,
    IncidentGrid,
    Incidents,
    IncidentSeries,
    LiftRow,
    PeriodRow,
    Row,
    ShareRow,
)
from analysis.suppression.small import SUPPRESSED, is_small

NOT_SHOWN = "Some counts are too small to show."


def suppressed_incidents(answer: Incidents) -> Incidents:
    """Incidents without small counts; rows that stand in order of size lose their place when they are hidden."""
    hidden = (
        _hidden_answer(answer)
        if is_small(answer.n)
        else _BY_ROW.get(type(next(iter(answer.rows), None)), _as_is)(answer)
    )
    if is_small(hidden.unlinked) or (
        hidden.n and hidden.unlinked is not None and is_small(hidden.n - hidden.unlinked)
    ):
        hidden = dataclasses.replace(hidden, unlinked=None)
    if hidden == answer:
        return answer
    return dataclasses.replace(hidden, sentence=NOT_SHOWN, caveats=(*answer.caveats, SUPPRESSED))


def suppressed_series(answer: IncidentSeries) -> IncidentSeries:
    """A series without small counts. Limits are made of all points, so they go where one goes."""
    if answer.kind == "gaps" and answer.points:
        return dataclasses.replace(
            answer, points=(), spread=None, n=None if is_small(answer.n) else answer.n,
            caveats=(*answer.caveats, "single_incidents", SUPPRESSED),
        )  # fmt: skip
    hide = hidden_parts([round(point.value or 0) for point in answer.points])
    if not hide:
        return answer
    points = tuple(
        dataclasses.replace(
            point, value=None if i in hide else point.value, expected=None, low=None, high=None, outside=False
        )
        for i, point in enumerate(answer.points)
    )
    n = None if is_small(answer.n) else answer.n
    return dataclasses.replace(
        answer, points=points, spread=None, widened=False, n=n, caveats=(*answer.caveats, SUPPRESSED)
    )


def suppressed_grid(answer: IncidentGrid) -> IncidentGrid:
    """A grid without small cells; each column has a total, so none hides alone in its column."""
    totals = [total or 0 for total in answer.totals]
    outside = (answer.n or 0) - sum(totals)
    gone = hidden_parts([*totals, outside])
    lines = [list(line) for line in answer.counts]
    for i in range(len(totals)):
        column = [line[i] or 0 for line in answer.counts]
        for j in range(len(lines)) if i in gone else hidden_parts(column):
            lines[j][i] = None
    shown = tuple(None if i in gone else total for i, total in enumerate(answer.totals))
    n = None if is_small(answer.n) else answer.n
    counts = tuple(tuple(line) for line in lines)
    if (counts, shown, n) == (answer.counts, answer.totals, answer.n):
        return answer
    return dataclasses.replace(
        answer, counts=counts, totals=shown, n=n, caveats=(*answer.caveats, SUPPRESSED)
    )


def hidden_parts(counts: Sequence[int], forced: Collection[int] = ()) -> set[int]:
    """Which parts of a known total to hide: small ones, `forced` ones, and companions until they are safe together.

    Hidden parts are safe when more than one of them is above zero and together they are not small.

    Examples
    --------
    >>> sorted(hidden_parts([3, 40, 12]))
    [0, 2]
    >>> sorted(hidden_parts([2, 1, 30, 7]))
    [0, 1, 3]
    """
    hide = {i for i, count in enumerate(counts) if is_small(count)} | set(forced)
    if not hide:
        return hide
    for companion in sorted(set(range(len(counts))) - hide, key=lambda i: (counts[i] == 0, counts[i])):
        several = sum(1 for i in hide if counts[i])
        # Where all of them are zero, that is all there is to tell.
        if not several or (several > 1 and not is_small(sum(counts[i] for i in hide))):
            break
        hide.add(companion)
    return hide


def suppressed_parts(
    rows: Sequence[ShareRow], whole: int, forced: Collection[int] = ()
) -> tuple[ShareRow, ...]:
    """Rows of the parts of `whole` (which may have a part nobody recorded) without small counts; hidden ones last."""
    counts = [row.count or 0 for row in rows]
    hide = hidden_parts([*counts, whole - sum(counts)], forced)
    # The part nobody recorded is the whole less n, and n can be had from a count and its share.
    no_n = len(rows) in hide
    out = [_hidden_share(row, n=not no_n) if i in hide else row for i, row in enumerate(rows)]
    if no_n:
        out = [dataclasses.replace(row, n=None, share=None, interval=None) for row in out]
    return tuple(sorted(out, key=lambda row: (row.count is None, row.value if row.count is None else "")))


def _as_is(answer: Incidents) -> Incidents:
    return answer


def _shares(answer: Incidents) -> Incidents:
    rows = [row for row in answer.rows if isinstance(row, ShareRow)]
    n, recorded = answer.n or 0, answer.recorded or 0
    if answer.by == "cause":
        # Causes of one incident overlap: they add up to at least the incidents, which bounds a hidden one from below.
        counts = [row.count or 0 for row in rows]
        hide = hidden_parts(counts, [i for i, count in enumerate(counts) if is_small(recorded - count)])
        shown = [_hidden_share(row, n=True) if i in hide else row for i, row in enumerate(rows)]
        if is_small(n - recorded):
            shown = [dataclasses.replace(row, n=None, share=None, interval=None) for row in shown]
        kept = tuple(
            sorted(shown, key=lambda row: (row.count is None, row.value if row.count is None else ""))
        )
    else:
        kept = suppressed_parts(rows, n)
    unsaid = any(row.n is None for row in kept) or is_small(recorded)
    return dataclasses.replace(answer, rows=kept, recorded=None if unsaid else answer.recorded)


def _hidden_share(row: ShareRow, *, n: bool) -> ShareRow:
    return dataclasses.replace(row, count=None, n=row.n if n else None, share=None, interval=None)


def _periods(answer: Incidents) -> Incidents:
    rows = [row for row in answer.rows if isinstance(row, PeriodRow)]
    hide = hidden_parts([row.count or 0 for row in rows])
    kept: list[Row] = []
    for i, row in enumerate(rows):
        within = hidden_parts([count or 0 for _, count in row.parts])
        parts = tuple(
            (mode, None if i in hide or j in within else count) for j, (mode, count) in enumerate(row.parts)
        )
        gone = {"count": None, "share": None} if i in hide else {}
        kept.append(dataclasses.replace(row, parts=parts, **gone))  # type: ignore[arg-type]  # names of its own fields
    return dataclasses.replace(answer, rows=tuple(kept))


def _exposures(answer: Incidents) -> Incidents:
    rows = [row for row in answer.rows if isinstance(row, ExposureRow)]
    forced = [
        i for i, row in enumerate(rows)
        if is_small(row.events) or is_small(row.members) or is_small((row.count or 0) - (row.events or 0))
    ]  # fmt: skip
    hide = hidden_parts([*[row.count or 0 for row in rows], answer.unlinked or 0], forced)
    if not hide:
        return answer
    # Incidents that name no member are the whole less those that do.
    no_n = len(rows) in hide
    kept = [
        dataclasses.replace(
            row,
            count=None,
            share=None,
            events=None,
            members=None,
            member_years=None,
            rate=None,
            interval=None,
        )
        if i in hide
        else row
        for i, row in enumerate(rows)
    ]
    if no_n:
        kept = [dataclasses.replace(row, n=None, share=None) for row in kept]
    kept.sort(key=lambda row: (row.count is None, row.label if row.count is None else ""))
    return dataclasses.replace(
        answer, rows=tuple(kept), recorded=None if no_n else answer.recorded,
        unlinked=None if no_n else answer.unlinked, dispersion=None, p_value=None,
    )  # fmt: skip


def _concentrations(answer: Incidents) -> Incidents:
    kept: list[Row] = []
    for row in answer.rows:
        assert isinstance(row, ConcentrationRow)
        incidents, hit = row.incidents or 0, row.hit or 0
        if row.unit != "member":
            small = is_small(incidents) or is_small((answer.n or 0) - incidents)
        else:
            told = (
                incidents,
                hit,
                row.repeat,
                row.repeat_incidents,
                row.half_on,
                incidents - hit,
                (row.units or 0) - hit,
            )
            small = any(is_small(n) for n in told)
        gone = ConcentrationRow(row.unit, row.label, row.units, None, None, None)
        kept.append(gone if small else row)
    return dataclasses.replace(answer, rows=tuple(kept))


def _lifts(answer: Incidents) -> Incidents:
    kept: list[Row] = []
    for row in answer.rows:
        assert isinstance(row, LiftRow)
        x1, n1, x, n = (value or 0 for value in (row.count, row.n, row.all_count, row.all_n))
        small = any(is_small(value) for value in (x1, n1, n1 - x1, x - x1, n - n1, n - x, n - n1 - (x - x1)))
        gone = LiftRow(
            row.cause,
            row.cause_label,
            row.category,
            row.label,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
        )
        kept.append(gone if small else row)
    return dataclasses.replace(answer, rows=tuple(kept))


def _hidden_answer(answer: Incidents) -> Incidents:
    """Of one to four incidents nothing is told but that they are few."""
    return dataclasses.replace(
        answer, rows=(), n=None, recorded=None, unlinked=None, dispersion=None, p_value=None
    )


_BY_ROW = {
    ShareRow: _shares,
    PeriodRow: _periods,
    ExposureRow: _exposures,
    ConcentrationRow: _concentrations,
    LiftRow: _lifts,
}
