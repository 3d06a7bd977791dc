"""Answers that look copied: the same criteria not met, again and again, by one specialist at different members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.questions.anomalies_records import LEVEL, Reason, Records
from analysis.stats.answer_patterns import log_same_set, log_set_totals, mean_log, repeats_p
from analysis.stats.multiplicity import benjamini_hochberg

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST_SET = 3
"""Sets of fewer deficiencies and criteria not verified are alike too easily to be looked at."""


@dataclass(frozen=True, slots=True)
class _Sets:
    """Sets of answers worth looking at: one row a validation with its ``key`` (which answers), size and class."""

    rows: pd.DataFrame
    items: dict[int, tuple[int, ...]]
    log_odds: dict[tuple[str, str], NDArray[np.float64]]
    log_totals: dict[tuple[str, str], NDArray[np.float64]]


def copied_answers(records: Records) -> dict[int, Reason]:
    """Validations whose answers other validations of the same specialist repeat exactly, by ``validation_row``.

    What counts is which criteria were deficient and which not verified, where there were three or more. Given how many
    there were, which ones is taken as chance with the odds each has in that mode among the criteria that entity type
    is ever asked, or, where more, with the share of everybody else's sets of that size that are the same. Repeats at
    the same member are no repeats. One test a set and specialist, false-discovery rate 5 %.
    """
    return records.known.once("copied answers", lambda: _copied(records))


def _copied(records: Records) -> dict[int, Reason]:
    sets = _sets(records)
    if sets is None:
        return {}
    members = sets.rows.groupby(["specialist", "key"])["member"].nunique()
    # Most sets occur once: they are part of the family, but there is nothing to reckon.
    p = pd.Series(1.0, members.index)
    repeated = sets.rows.groupby(["specialist", "key"])["member"].transform("nunique") > 1
    groups = dict(list(sets.rows[repeated].groupby(["specialist", "key"])))
    for pair, rows in groups.items():
        p[pair] = _chance(sets, rows)
    out: dict[int, Reason] = {}
    for pair in p.index[benjamini_hochberg(p.to_numpy()) < LEVEL]:
        rows = groups[pair]
        said = (
            f"The same {int(rows['size'].iloc[0])} answers other than met in {len(rows):,} validations of one specialist, at "
            f"{rows['member'].nunique():,} members"
        )
        out |= dict.fromkeys(
            (int(row) for row in rows["validation_row"]), Reason("copied_answers", said, float(p[pair]))
        )
    return out


def _chance(sets: _Sets, group: pd.DataFrame) -> float:
    """Probability of as many repeats among the specialist's validations with as many answers not met."""
    size, specialist = int(group["size"].iloc[0]), int(group["specialist"].iloc[0])
    alike = sets.rows[sets.rows["size"] == size]
    own = alike[alike["specialist"] == specialist].drop_duplicates("member")
    items = list(sets.items[int(group["key"].iloc[0])])
    classes = list(zip(own["entity_type"], own["mode"], strict=True))
    by_odds = mean_log(
        [log_same_set(sets.log_odds[c][items], float(sets.log_totals[c][size])) for c in classes]
    )
    others = alike[alike["specialist"] != specialist]
    elsewhere = int((others["key"] == group["key"].iloc[0]).sum())
    by_others = np.log(elsewhere / len(others)) if elsewhere else -np.inf
    return repeats_p(group["member"].nunique() - 1, len(own) - 1, max(by_odds, float(by_others)))


def _sets(records: Records) -> _Sets | None:
    answers = records.answers.sort_values(["validation_row", "criterion_id"])
    known = records.validations[records.validations["specialist"] >= 0]
    answers = answers[answers["validation_row"].isin(known["validation_row"])]
    if answers.empty:
        return None
    criterion, names = pd.factorize(answers["criterion_id"], sort=True)
    # One item a criterion and answer; those of one criterion exclude each other.
    item = 2 * criterion + (answers["answer"] == "not_verified").to_numpy()
    by_row: dict[int, list[int]] = {}
    for row, one in zip(answers["validation_row"], item, strict=True):
        by_row.setdefault(int(row), []).append(int(one))
    patterns = {row: tuple(sorted(own)) for row, own in by_row.items() if len(own) >= SMALLEST_SET}
    if not patterns:
        return None
    numbered = {pattern: key for key, pattern in enumerate(dict.fromkeys(patterns.values()))}
    rows = known.set_index("validation_row").loc[list(patterns)].reset_index()
    rows = rows.assign(
        key=[numbered[patterns[int(row)]] for row in rows["validation_row"]],
        size=[len(patterns[int(row)]) for row in rows["validation_row"]],
        mode=rows["mode"].fillna(""),
        entity_type=rows["entity_type"].fillna(""),
    )
    log_odds, log_totals = _odds(known, answers.assign(item=item), 2 * len(names), rows)
    return _Sets(rows, {key: pattern for pattern, key in numbered.items()}, log_odds, log_totals)


def _odds(
    validations: pd.DataFrame, answers: pd.DataFrame, items: int, rows: pd.DataFrame
) -> tuple[dict[tuple[str, str], NDArray[np.float64]], dict[tuple[str, str], NDArray[np.float64]]]:
    """Log-odds of every item, and totals over all sets of each size, by entity type and mode."""
    kinds = validations.set_index("validation_row")[["entity_type", "mode"]].fillna("")
    of = kinds.loc[answers["validation_row"]]
    criterion = answers["item"].to_numpy() // 2
    asked = pd.Series(criterion).groupby(of["entity_type"].to_numpy()).unique()
    largest = int(rows["size"].max())
    log_odds, log_totals = {}, {}
    for mode in rows["mode"].unique():
        n = int((kinds["mode"] == mode).sum())
        seen = np.bincount(answers["item"].to_numpy()[(of["mode"] == mode).to_numpy()], minlength=items)
        odds = seen / np.maximum(n - seen, 0.5)
        for entity in rows.loc[rows["mode"] == mode, "entity_type"].unique():
            applies = np.zeros(items // 2, bool)
            applies[asked[entity]] = True
            own = np.where(np.repeat(applies, 2), odds, 0.0)
            with np.errstate(divide="ignore"):
                log_odds[entity, mode] = np.log(own)
            log_totals[entity, mode] = log_set_totals(own.reshape(-1, 2).sum(axis=1), largest)
    return log_odds, log_totals
