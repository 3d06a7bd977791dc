"""Every number of the deficiencies page and command once more, in plain Python from the source rows."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections import Counter
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given, settings

from analysis import Dataset, figure, wording
from analysis.cli import main
from analysis.criteria_counts import class_counts, criterion_counts
from analysis.questions.candidates import FEWEST, candidates
from analysis.questions.deficiencies import deficiencies
from analysis.questions.deficiency_modes import criteria_by_mode, reasons_by_mode
from analysis.questions.deficiency_reasons import reasons_by_category
from analysis.questions.deficiency_seen import seen_by_mode
from analysis.questions.deficiency_trends import category_trends, repeat_findings
from analysis.selection import LISTS
from tests.property.test_counts_recounted import AREAS, Chosen, choices, selection_of
from tests.recount import Recount, Row

EVERYTHING: Chosen = {"start": None, "end": None}
SOME: Chosen = {"start": dt.date(2019, 2, 3), "end": dt.date(2021, 11, 20), "risk": ["low", "medium"]}
IN_AREA: Chosen = {"start": None, "end": None, "focus_area": [AREAS[0]], "mode": ["virtual"]}
Z = 1.959963984540054


class Plain:
    """A selection of a recount: its validations, and the answers to its criteria."""

    def __init__(self, again: Recount, chosen: Chosen) -> None:
        self.again = again
        self.areas = chosen.get("focus_area")
        self.rows = [row for row in again.validations if self._kept(row, chosen)]

    @staticmethod
    def _kept(row: Row, chosen: Chosen) -> bool:
        if chosen.get("start") and row["day"] < chosen["start"]:
            return False
        if chosen.get("end") and row["day"] > chosen["end"]:
            return False
        lists = {k: v for k, v in chosen.items() if k not in ("start", "end", "focus_area")}
        return all(row[column] in values for column, values in lists.items())

    def inside(self, criterion: str) -> bool:
        """Whether a criterion lies in the focus areas chosen."""
        return not self.areas or self.again.criteria[criterion]["focus_area"] in self.areas

    def deficient(self, row: Row) -> list[str]:
        """Criteria a validation wrote down as deficient."""
        return [c for c in sorted(row["deficient"]) if self.inside(c)]

    def assessed(self, row: Row) -> list[str]:
        """Criteria a validation assessed."""
        return [c for c in sorted(row["assessed"]) if self.inside(c)]

    def finding(self, row: Row, criterion: str) -> Row:
        """The finding of a validation on a criterion."""
        return self.again.answers[row["validation_id"]][criterion]

    def category(self, row: Row, criterion: str) -> str:
        """The category as written down, else the catalogue's."""
        own = self.finding(row, criterion)["category"] if criterion in row["deficient"] else None
        return str(own or self.again.criteria[criterion]["category"])

    def by(self, key: Any, rows: list[Row] | None = None) -> tuple[Counter[Any], Counter[Any]]:
        """Deficient and assessed criteria, counted by ``key(validation, criterion)``."""
        y: Counter[Any] = Counter()
        n: Counter[Any] = Counter()
        for row in self.rows if rows is None else rows:
            for criterion in self.assessed(row):
                n[key(row, criterion)] += 1
            for criterion in self.deficient(row):
                y[key(row, criterion)] += 1
        return y, n


def wilson(y: int, n: int, z: float = Z) -> tuple[float, float]:
    centre, half = y + z * z / 2, z * math.sqrt(y * (n - y) / n + z * z / 4)
    return max((centre - half) / (n + z * z), 0.0), min((centre + half) / (n + z * z), 1.0)


def same(found: float | None, expected: float | None) -> None:
    if expected is None:
        assert found is None
    else:
        assert found == pytest.approx(expected, abs=1e-9)


def rows_of(dataset: Dataset, by: str, chosen: Chosen) -> tuple[dict[str, Any], dict[str, Any]]:
    answer = deficiencies(dataset, by, selection_of(chosen)).to_dict()
    key = {"criterion": "criterion_id"}.get(by, by)
    rows = {row[key]: row for row in answer["rows"]}
    assert len(rows) == len(answer["rows"])
    return answer, rows


@pytest.fixture(scope="module")
def again(twisted_demo: Dataset) -> Recount:
    return Recount(twisted_demo.path)


@given(choices())
@example(EVERYTHING)
@example(SOME)
@example(IN_AREA)
@settings(max_examples=8)
def test_criteria(twisted_demo: Dataset, again: Recount, chosen: Chosen) -> None:
    plain = Plain(again, chosen)
    y, n = plain.by(lambda row, criterion: criterion)
    answer, rows = rows_of(twisted_demo, "criterion", chosen)
    assert answer["n"] == len(plain.rows) and answer["deficiencies"] == sum(y.values())
    assert set(rows) == {c for c in again.criteria if plain.inside(c)}
    k = len(rows)
    for criterion, row in rows.items():
        assert (row["count"], row["n"]) == (y[criterion], n[criterion])
        same(row["share"], y[criterion] / sum(y.values()) if y else None)
        same(row["rate"], y[criterion] / n[criterion] if n[criterion] else None)
        low, high = wilson(y[criterion], n[criterion]) if n[criterion] else (None, None)
        same(row["low"], low)
        same(row["high"], high)
        if n[criterion]:
            assert 1 <= row["rank_low"] <= row["rank_high"] <= k
            lower, upper = sorted((row["rate"], sum(y.values()) / sum(n.values())))
            # Shrinking moves a rate towards the common one, whose weights differ a little.
            assert lower - 0.02 <= row["shrunken_rate"] <= upper + 0.02
        else:
            assert row["rank"] is None and row["shrunken_rate"] is None
    unseen = Counter(
        c for row in plain.rows for c, a in again.answers.get(row["validation_id"], {}).items()
        if a["answer"] == "not_verified" and plain.inside(c)
    )  # fmt: skip
    assert {c: row["not_verified"] for c, row in rows.items() if row["not_verified"]} == dict(unseen)


@given(choices())
@example(EVERYTHING)
@example(SOME)
@example(IN_AREA)
@settings(max_examples=8)
def test_categories(twisted_demo: Dataset, again: Recount, chosen: Chosen) -> None:
    plain = Plain(again, chosen)
    y, n = plain.by(plain.category)
    level = {
        name: plain.by(lambda row, c, name=name: plain.category(row, c) if again.level(c, row["entity_type"], row["day"])[1] == name else None)
        for name in ("must", "should")
    }  # fmt: skip
    answer, rows = rows_of(twisted_demo, "category", chosen)
    total = sum(y.values())
    assert answer["n"] == len(plain.rows) and answer["deficiencies"] == total
    assert set(y) | set(n) <= set(rows)
    k = len(rows)
    # Goodman: score intervals at the level that leaves 5 % for all of them together.
    z = NormalDist().inv_cdf(1 - 0.05 / k / 2)
    for category, row in rows.items():
        assert (row["count"], row["n"]) == (y[category], n[category])
        same(row["share"], y[category] / total if total else None)
        low, high = wilson(y[category], total, z) if total else (None, None)
        same(row["share_low"], low)
        same(row["share_high"], high)
        same(row["rate"], y[category] / n[category] if n[category] else None)
        if row["low"] is not None:
            assert row["low"] <= row["rate"] <= row["high"]
        for name in ("must", "should"):
            ys, ns = level[name]
            assert (row[name]["count"], row[name]["n"]) == (ys[category], ns[category])
        mine = {c for c in again.criteria if again.criteria[c]["category"] == category and plain.inside(c)}
        assert row["criteria"] == len(mine)
        same(row["load"], y[category] / len(mine) if mine else None)


@given(choices())
@example(EVERYTHING)
@example(IN_AREA)
@settings(max_examples=6)
def test_reasons(twisted_demo: Dataset, again: Recount, chosen: Chosen) -> None:
    plain = Plain(again, chosen)
    found = [(row, c, plain.finding(row, c)["reason"]) for row in plain.rows for c in plain.deficient(row)]
    reasons = Counter(reason for _, _, reason in found if reason)
    answer, rows = rows_of(twisted_demo, "reason", chosen)
    assert answer["deficiencies"] == len(found)
    recorded = sum(reasons.values())
    for reason, row in rows.items():
        assert (row["count"], row["n"]) == (reasons[reason], recorded)
        same(row["share"], reasons[reason] / recorded if recorded else None)
        assert "rate" not in row
    cells = Counter((plain.category(row, c), reason) for row, c, reason in found if reason)
    mix = reasons_by_category(twisted_demo, selection_of(chosen)).to_frame()
    counted = {(r.category, r.reason): r.k for r in mix.rename(columns={"count": "k"}).itertuples() if r.k}
    assert counted == dict(cells)
    family = reasons_by_mode(twisted_demo, selection_of(chosen))
    both = Plain(again, {k: v for k, v in chosen.items() if k != "mode"})
    by_mode = Counter(
        (row["mode"], plain.finding(row, c)["reason"]) for row in both.rows for c in both.deficient(row)
    )
    for comparison in family.comparisons:
        for mode, arm in comparison.arms.items():
            assert arm.events in (by_mode[mode, comparison.group["reason"]], None)
            assert arm.n == sum(k for (m, reason), k in by_mode.items() if m == mode and reason)


@given(choices())
@example(EVERYTHING)
@example(IN_AREA)
@settings(max_examples=8)
def test_quarters(twisted_demo: Dataset, again: Recount, chosen: Chosen) -> None:
    plain = Plain(again, chosen)

    def key(row: Row, criterion: str) -> tuple[str, int]:
        return plain.category(row, criterion), (row["day"].year * 12 + row["day"].month - 1) // 3

    y, n = plain.by(key)
    trends = category_trends(twisted_demo, selection_of(chosen))
    events = {(r.category, q): k for r in trends.rows for q, k in zip(r.quarters, r.events, strict=True) if k}
    totals = {(r.category, q): k for r in trends.rows for q, k in zip(r.quarters, r.totals, strict=True) if k}
    assert events == dict(y) and totals == dict(n)
    for row in trends.rows:
        if row.changed_in is not None:
            first = row.quarters.index(row.changed_in)
            same(row.before, sum(row.events[:first]) / sum(row.totals[:first]))
            same(row.after, sum(row.events[first:]) / sum(row.totals[first:]))
        else:
            assert row.reasons


@given(choices())
@example(EVERYTHING)
@settings(max_examples=8)
def test_repeats(twisted_demo: Dataset, again: Recount, chosen: Chosen) -> None:
    found = repeat_findings(twisted_demo, selection_of(chosen))
    rows = Plain(again, chosen).rows
    modes = ("virtual", "in_person")
    inside = [r for r in rows if r["mode"] in modes and r["previous_mode"] in modes]
    assert found.n == len(inside)
    assert found.other_pairs == sum(r["previous_mode"] is not None for r in rows) - len(inside)
    for row in found.rows:
        mine = [r for r in inside if (r["previous_mode"], r["mode"]) == (row.earlier, row.later)]
        assert (row.count, row.n) == (sum(r["n_repeat"] for r in mine), sum(r["n_repeatable"] for r in mine))
        same(row.rate, row.count / row.n if row.n else None)


@given(choices())
@example(EVERYTHING)
@example(IN_AREA)
@settings(max_examples=8)
def test_criteria_by_mode(twisted_demo: Dataset, again: Recount, chosen: Chosen) -> None:
    plain = Plain(again, {k: v for k, v in chosen.items() if k != "mode"})
    rows = [row for row in plain.rows if row["mode"] in ("virtual", "in_person")]

    def quarter(row: Row) -> int:
        return int((row["day"].year * 12 + row["day"].month - 1) // 3)

    both = {
        q
        for q in map(quarter, rows)
        if {r["mode"] for r in rows if quarter(r) == q} == {"virtual", "in_person"}
    }
    window = [row for row in rows if quarter(row) in both]
    # A column recorded nowhere in the selection stratifies nothing, and as a constant changes nothing.
    y, n = plain.by(lambda row, c: (c, row["mode"], row["risk"], row["kind"], row["location"]), window)
    answer = criteria_by_mode(twisted_demo, selection_of(chosen))
    assert answer.n == len(window)
    for row in answer.rows:
        gap, weights = 0.0, 0.0
        strata = {key[2:] for key in n if key[0] == row.criterion_id}
        for mode in ("virtual", "in_person"):
            assert row.counts[mode] == sum(k for key, k in y.items() if key[:2] == (row.criterion_id, mode))
            assert row.totals[mode] == sum(k for key, k in n.items() if key[:2] == (row.criterion_id, mode))
        for stratum in strata:
            n1, n0 = (n[row.criterion_id, mode, *stratum] for mode in ("virtual", "in_person"))
            if n1 and n0:
                y1, y0 = (y[row.criterion_id, mode, *stratum] for mode in ("virtual", "in_person"))
                weight = n1 * n0 / (n1 + n0)
                gap, weights = gap + weight * (y1 / n1 - y0 / n0), weights + weight
        same(row.estimate, gap / weights if weights else None)


@given(choices())
@example(EVERYTHING)
@example(IN_AREA)
@settings(max_examples=6)
def test_ways_of_seeing(twisted_demo: Dataset, again: Recount, chosen: Chosen) -> None:
    plain = Plain(again, {k: v for k, v in chosen.items() if k != "mode"})
    y, n = plain.by(lambda row, c: (again.criteria[c]["seen_by"], row["mode"]))
    for comparison in seen_by_mode(twisted_demo, selection_of(chosen)).family.comparisons:
        for mode, arm in comparison.arms.items():
            key = comparison.group["seen_by"], mode
            assert (arm.events or 0, arm.n) == (y[key], n[key])


@given(choices())
@example(EVERYTHING)
@settings(max_examples=6)
def test_candidates(twisted_demo: Dataset, again: Recount, chosen: Chosen) -> None:
    plain = Plain(again, chosen)
    y, n = plain.by(lambda row, c: c)
    office_y, office_n = plain.by(lambda row, c: (c, row["field_office"]))
    year_y, year_n = plain.by(lambda row, c: (c, row["day"].year + (row["day"].month >= 10)))
    found = candidates(twisted_demo, selection_of(chosen))
    pooled = sum(y.values()) / sum(n.values()) if n else None
    same(found.pooled, pooled)
    for row in found.rows:
        criterion = row.criterion.criterion_id
        for mine_y, mine_n, above, of in (
            (office_y, office_n, row.offices_above, row.offices),
            (year_y, year_n, row.years_above, row.years),
        ):
            enough = [key for key in mine_n if key[0] == criterion and mine_n[key] >= FEWEST]
            assert of == len(enough)
            assert above == sum(mine_y[key] / mine_n[key] > (pooled or 0) for key in enough)


@given(choices(months=True))
@example(EVERYTHING)
@example(IN_AREA | {"mode": ["virtual", "hybrid"]})
@settings(max_examples=8)
def test_cells_and_rows_count_criteria_alike(twisted_demo: Dataset, again: Recount, chosen: Chosen) -> None:
    by = ["mode", "field_office"]
    for columns in (("criterion_id",), ("category", "level"), ("seen_by",)):
        cells, rows = (
            class_counts(twisted_demo, columns, by, selection_of(chosen), via=via)
            for via in ("cells", "rows")
        )
        pd.testing.assert_frame_equal(cells, rows)
    counted = criterion_counts(twisted_demo, by, selection_of(chosen))
    plain = Plain(again, chosen)
    y, n = plain.by(lambda row, c: (row["mode"], row["field_office"], c))
    keys = list(zip(counted["mode"], counted["field_office"], counted["criterion_id"], strict=True))
    assert {k: v for k, v in zip(keys, counted["deficient"], strict=True) if v} == dict(y)
    assert {k: v for k, v in zip(keys, counted["assessed"], strict=True) if v} == dict(n)
    answered = counted[["not_verified", "not_applicable", "not_assessed"]].sum(axis=1)
    assert (counted["applicable"] == counted["assessed"] + answered).all()


# -- the page and the command show these very numbers --------------------------------------------------


@given(choices(months=True))
@example(EVERYTHING)
@settings(max_examples=4)
def test_the_figures_show_the_recounted_numbers(
    twisted_demo: Dataset, again: Recount, chosen: Chosen
) -> None:
    plain = Plain(again, chosen)
    y, n = plain.by(lambda row, c: c)
    total = sum(y.values())
    made = figure("msc_deficiencies.criteria", twisted_demo, selection_of(chosen))
    if made.state is None:
        for row in made.table.to_dict("records"):
            criterion = row["Criterion"].split(" ")[0]
            assert row["Deficient"] == f"{y[criterion]:,}" and row["Assessed"] == f"{n[criterion]:,}"
            assert row["Share of all"] == wording.percent(y[criterion] / total)
            if n[criterion]:
                assert row["Rate (95% interval)"].startswith(
                    f"{wording.percent(y[criterion] / n[criterion], n[criterion])} ("
                )
        drawn = json.dumps(made.chart.to_dict())
        for criterion in sorted(y, key=lambda c: -y[c] / n[c])[:3]:
            assert f"{y[criterion]:,} of {n[criterion]:,}" in drawn
    else:
        assert not total
    made = figure("msc_deficiencies.categories", twisted_demo, selection_of(chosen))
    if made.state is None:
        counted = plain.by(plain.category)[0]
        for row in made.table.to_dict("records"):
            category = row["Category"].split(" ", 1)[1]
            assert row["Count"] == f"{counted[category]:,}"
            assert f">{counted[category]:,}<" in (made.html or "")
            assert row["Share (95% interval)"].startswith(wording.percent(counted[category] / total, total))


def test_the_command_prints_what_the_question_answers(
    twisted_demo: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = SOME | {"field_office": ["Miami", "Houston"]}
    options = {column: option for option, column in LISTS.values()}
    given_options: list[str] = ["--from", str(chosen["start"]), "--to", str(chosen["end"])]
    for column in ("risk", "field_office"):
        given_options += [part for value in chosen[column] for part in (f"--{options[column]}", value)]
    for by in ("criterion", "category", "reason"):
        assert main(["deficiencies", str(Path(twisted_demo.path)), "--by", by, *given_options, "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said == json.loads(json.dumps(deficiencies(twisted_demo, by, selection_of(chosen)).to_dict()))
