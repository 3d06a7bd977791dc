"""What deserves a second look, without small counts. Single validations are counts of one: they are not listed."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from analysis.questions.anomalies import Anomalies, gathered
from analysis.questions.anomalies_months import MonthChart, MonthRow
from analysis.questions.anomalies_records import Reason
from analysis.questions.anomalies_seals import ClonedSeals, SealCluster
from analysis.questions.anomalies_technology import Technology, TechnologyRow
from analysis.questions.anomalies_units import COUNTED, UnitRow, Units
from analysis.questions.anomalies_validations import OddValidations
from analysis.questions.anomalies_variation import Variation, VariationRow
from analysis.selection import month_start
from analysis.suppression.incidents import hidden_parts
from analysis.suppression.small import SUPPRESSED, is_small
from analysis.wording import month


def suppressed_anomalies(answer: Anomalies) -> Anomalies:
    """All parts without small counts, and the sentence that they leave."""
    hidden = gathered(
        answer.metric, suppressed_units(answer.offices), suppressed_units(answer.specialists),
        suppressed_units(answer.offices_counted) if answer.offices_counted else None,
        suppressed_variation(answer.variation), tuple(suppressed_months(chart) for chart in answer.months),
        suppressed_seals(answer.seals), suppressed_validations(answer.validations),
    )  # fmt: skip
    small = hidden.n is None or hidden.validations.flagged is None
    return dataclasses.replace(hidden, sentence="Some counts are too small to show.") if small else hidden


def suppressed_units(answer: Units) -> Units:
    """Offices or specialists without small counts, nor figures made of them."""
    if is_small(answer.pooled_units):
        answer = dataclasses.replace(answer, pooled_units=None)
    parts = [*answer.rows, *([answer.pooled] if answer.pooled else [])]
    views = [[row.n or 0 for row in parts], [row.observed or 0 for row in parts]]
    if answer.metric != COUNTED:
        views.append([(row.n or 0) - (row.observed or 0) for row in parts])
    hide = _hidden_in_all(views)
    if not hide:
        return answer
    if len(hide) == len(parts):
        # Where every part is hidden the figure of all is one of them.
        answer = dataclasses.replace(answer, n=None, average=None, phi=None, tau2=None, limits=())
    kept = [_no_unit(row) if i in hide else row for i, row in enumerate(parts)]
    return dataclasses.replace(
        answer, rows=tuple(kept[: len(answer.rows)]), pooled=kept[-1] if answer.pooled else None,
        n=None if is_small(answer.n) else answer.n, caveats=(*answer.caveats, SUPPRESSED),
    )  # fmt: skip


def _no_unit(row: UnitRow) -> UnitRow:
    return UnitRow(row.name, None, None, None, None, None)


def suppressed_variation(answer: Variation) -> Variation:
    """Specialists without small counts; no totals stand beside theirs, so each is hidden for itself."""
    rows = tuple(_variation(row) for row in answer.rows)
    n = None if is_small(answer.n) else answer.n
    pooled = None if is_small(answer.pooled_units) else answer.pooled_units
    if (rows, n, pooled) == (answer.rows, answer.n, answer.pooled_units):
        return answer
    return dataclasses.replace(
        answer, rows=rows, n=n, pooled_units=pooled, caveats=(*answer.caveats, SUPPRESSED)
    )


def _variation(row: VariationRow) -> VariationRow:
    gone: set[str] = set()
    if is_small(row.deficiencies) or is_small(row.n):
        # An index of dispersion gives so small a sum away.
        row = dataclasses.replace(row, deficiencies=None, index=None, p_value=None, q_value=None)
        gone.add("little_variation")
    timed, whole = row.timed or 0, row.round_hours or 0
    if is_small(timed) or is_small(whole) or is_small(timed - whole) or is_small((row.n or 0) - timed):
        row = dataclasses.replace(row, timed=None, round_hours=None, usual_round=None, round_q_value=None)
        gone.add("round_hours")
    if is_small(row.copied) or is_small((row.n or 0) - (row.copied or 0)):
        row = dataclasses.replace(row, copied=None)
        gone.add("copied_answers")
    return dataclasses.replace(
        row, reasons=tuple(reason for reason in row.reasons if reason.code not in gone)
    )


def suppressed_months(answer: MonthChart) -> MonthChart:
    """Months without small counts; a month's limits tell its number, so they go with it."""
    rows = answer.rows
    views = [[row.n or 0 for row in rows]]
    if answer.kind == "share" and answer.measure != COUNTED:
        views += [[row.count or 0 for row in rows], [(row.total or 0) - (row.count or 0) for row in rows]]
    elif answer.kind == "share":
        views.append([row.count or 0 for row in rows])
    hide: set[int] = set()
    # Each phase has an average of its own, which is a total.
    for phase in {row.phase for row in rows}:
        places = [i for i, row in enumerate(rows) if row.phase == phase]
        hide |= {places[j] for j in _hidden_in_all([[view[i] for i in places] for view in views])}
    if not hide:
        return answer
    kept = tuple(_no_month(row) if i in hide else row for i, row in enumerate(rows))
    n = None if is_small(answer.n) else answer.n
    return dataclasses.replace(answer, rows=kept, n=n, caveats=(*answer.caveats, SUPPRESSED))


def _no_month(row: MonthRow) -> MonthRow:
    return MonthRow(row.month, None, None, None, None, None, None, row.phase, False)


def suppressed_seals(answer: ClonedSeals) -> ClonedSeals:
    """Cloned seals without small counts; a cluster keeps its place and its p-value only.

    The count of a cluster less that of its terminal is the count outside it, which may be small.
    """
    rest = (answer.n or 0) - sum(row.n or 0 for row in answer.rows)
    rest_cloned = (answer.cloned or 0) - sum(row.count or 0 for row in answer.rows)
    views = [
        [*((row.n or 0) for row in answer.rows), rest],
        [*((row.count or 0) for row in answer.rows), rest_cloned],
        [*((row.n or 0) - (row.count or 0) for row in answer.rows), rest - rest_cloned],
    ]
    hide = _hidden_in_all(views)
    rows = tuple(
        dataclasses.replace(row, count=None, n=None, interval=None) if i in hide else row
        for i, row in enumerate(answer.rows)
    )
    cloned, n = answer.cloned, answer.n
    whole_small = is_small(cloned) or is_small(n) or is_small((n or 0) - (cloned or 0))
    return dataclasses.replace(
        answer, rows=rows, cluster=_no_counts(answer.cluster), cloned=None if whole_small else cloned,
        n=None if whole_small else n, caveats=(*answer.caveats, SUPPRESSED) if hide or answer.cluster else answer.caveats,
    )  # fmt: skip


def _no_counts(cluster: SealCluster | None) -> SealCluster | None:
    if cluster is None:
        return None
    first, last = month_start(cluster.first), month_start(cluster.last)
    when = month(first) if first == last else f"{month(first)} to {month(last)}"
    said = f"Cloned seals crowd at or on the way from {cluster.place} in {when} beyond chance"
    reasons = (Reason("cloned_seals", said, cluster.p_value),) if cluster.reasons else ()
    return dataclasses.replace(cluster, count=None, n=None, expected=None, reasons=reasons)


def suppressed_validations(answer: OddValidations) -> OddValidations:
    """No single validation, and how many there are only where they are not few."""
    codes = list(answer.by_reason)
    hide = hidden_parts([answer.by_reason[code] for code in codes])
    flagged, n = answer.flagged or 0, answer.n or 0
    known = not is_small(flagged) and not is_small(n - flagged)
    return dataclasses.replace(
        answer, rows=(), flagged=flagged if known else None, n=None if is_small(n) else answer.n,
        by_reason={code: answer.by_reason[code] for i, code in enumerate(codes) if i not in hide},
        caveats=(*answer.caveats, SUPPRESSED) if answer.rows else answer.caveats,
    )  # fmt: skip


def suppressed_technology(answer: Technology) -> Technology:
    """Virtual validations by platform, tour or office without small counts."""
    rows = answer.rows
    views = [
        [row.n or 0 for row in rows],
        [row.timed or 0 for row in rows],
        [(row.n or 0) - (row.timed or 0) for row in rows],
        [row.lost or 0 for row in rows],
        [(row.timed or 0) - (row.lost or 0) for row in rows],
        [row.unseen or 0 for row in rows],
    ]
    hide = _hidden_in_all(views)
    whole = answer.whole
    small = whole is not None and bool(_hidden_in_all([[view_of] for view_of in _counts(whole)]))
    if not hide and not small:
        return answer
    return dataclasses.replace(
        answer, rows=tuple(_no_row(row) if i in hide or small else row for i, row in enumerate(rows)),
        whole=_no_row(whole) if whole and small else whole, n=None if small else answer.n,
        caveats=(*answer.caveats, SUPPRESSED),
    )  # fmt: skip


def _counts(row: TechnologyRow) -> list[int]:
    n, timed, lost = row.n or 0, row.timed or 0, row.lost or 0
    return [n, timed, n - timed, lost, timed - lost, row.unseen or 0]


def _no_row(row: TechnologyRow) -> TechnologyRow:
    return TechnologyRow(row.value, row.label, None, None, None, None, None, None, None, None)


def _hidden_in_all(views: Sequence[Sequence[int]], forced: Collection[int] = ()) -> set[int]:
    """Parts to hide so that none is small, nor recoverable from a total, in any of the views of the same parts."""
    hide, before = set(forced), -1
    while len(hide) != before:
        before = len(hide)
        for view in views:
            hide = hidden_parts(view, hide)
    # What is hidden beside the parts of a whole (a remainder) has no row of its own.
    return hide
