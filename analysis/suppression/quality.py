"""What is loaded, checked, complete and rejected, without small counts."""

from __future__ import annotations

import dataclasses

import pandas as pd

from analysis.questions.completeness import Completeness
from analysis.questions.quality import Check, Held, Quality, Rejected
from analysis.suppression.incidents import NOT_SHOWN, hidden_parts
from analysis.suppression.small import SUPPRESSED, is_small


def suppressed_held(answer: Held) -> Held:
    """Numbers of rows without small ones; no total stands beside them."""
    return Held({name: None if is_small(n) else n for name, n in answer.rows.items()})


def suppressed_quality(answer: Quality) -> Quality:
    """Checks without small counts.

    What was looked at goes with a hidden count: of rejected rows it is the table and the count together.
    """
    checks = tuple(_hidden(check) if _is_small(check) else check for check in answer.checks)
    rejected = sum(check.count or 0 for check in answer.checks if check.id == "rejected")
    rows = suppressed_held(Held(answer.row_counts)).rows
    told = is_small(rejected) or rows != answer.row_counts
    if checks == answer.checks and not told:
        return answer
    return dataclasses.replace(
        answer, checks=checks, row_counts=rows, sentence=NOT_SHOWN if told else answer.sentence,
        caveats=(*answer.caveats, SUPPRESSED),
    )  # fmt: skip


def suppressed_rejected(answer: Rejected) -> Rejected:
    """Rejected rows by rule; single rows are counts of one, so they are not listed."""
    if not answer.n:
        return answer
    hide = hidden_parts([int(n) for n in answer.by_rule["count"]])
    counts = [None if i in hide else n for i, n in enumerate(answer.by_rule["count"])]
    by_rule = answer.by_rule.assign(count=pd.array(counts, dtype="Int64"))
    n = None if is_small(answer.n) else answer.n
    return Rejected(answer.rows.iloc[:0], by_rule, n, (*answer.caveats, SUPPRESSED))


def suppressed_completeness(answer: Completeness) -> Completeness:
    """Records by office and period without small counts, in an office, in a period of it, or in all together."""
    offices, cells = answer.offices, answer.cells
    gone = _hidden_rows(offices)
    hide: set[int] = set()
    for i, name in enumerate(offices["field_office"]):
        mine = cells[cells["field_office"] == name]
        hide |= set(mine.index) if i in gone else {mine.index[j] for j in _hidden_rows(mine)}
    whole = cells[["n", "filled"]].sum()
    few = any(is_small(int(n)) for n in (whole["n"], whole["filled"], whole["n"] - whole["filled"]))
    if not hide and not few:
        return answer
    shown = _without(cells, hide, ["n", "filled", "share"])
    kept = _without(offices, gone, ["n", "filled", "empty", "fewest", "most"])
    for i, name in enumerate(kept["field_office"]):
        left = shown.loc[shown["field_office"] == name, "n"]
        if i not in gone and left.isna().any():
            # The greatest of the hidden would be told by the most; of the fewest only that there are none.
            kept.loc[kept.index[i], "most"] = pd.NA
            kept.loc[kept.index[i], "fewest"] = 0 if (left == 0).any() else pd.NA
    return dataclasses.replace(
        answer, cells=shown, offices=kept, sentence=NOT_SHOWN if few else answer.sentence,
        caveats=(*answer.caveats, SUPPRESSED),
    )  # fmt: skip


def _hidden_rows(frame: pd.DataFrame) -> set[int]:
    """Places of the rows to hide: small by records, by those with a value, or by those without."""
    views = [list(frame["n"]), list(frame["filled"]), list(frame["n"] - frame["filled"])]
    hide: set[int] = set()
    before = -1
    while len(hide) != before:
        before = len(hide)
        for view in views:
            hide = hidden_parts(view, hide)
    return hide


def _without(frame: pd.DataFrame, hide: set[int], columns: list[str]) -> pd.DataFrame:
    out = frame.copy()
    for column in columns:
        if column != "share":
            out[column] = out[column].astype("Int64")
        out.loc[list(hide), column] = None if column == "share" else pd.NA
    return out


def _is_small(check: Check) -> bool:
    return any(is_small(n) for n in (check.count, check.n, (check.n or 0) - (check.count or 0)))


def _hidden(check: Check) -> Check:
    return dataclasses.replace(check, count=None, n=None)
