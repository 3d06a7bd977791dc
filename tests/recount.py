"""The same numbers once more, in plain pandas and Python from source rows: what the data layer is held against.

Written from the data model's words, not from the code it checks. Slow and simple on purpose.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd

Row = dict[str, Any]
FILTERS = ("field_office", "mode", "entity_type", "risk", "kind", "location")
DURATIONS = ("days_to_report", "days_to_close", "hours", "followup", "sites", "minutes_lost")


def _text(value: Any) -> Any:
    return None if value is None or pd.isna(value) else value


def _records(folder: Path, table: str) -> list[Row]:
    path = folder / "source" / f"{table}.parquet"
    if not path.exists():
        return []
    frame = pd.read_parquet(path).astype("object")
    return [{key: _text(value) for key, value in row.items()} for row in frame.to_dict("records")]


class Recount:
    """Row tables of a dataset folder with text values, made from ``source/*.parquet`` alone."""

    def __init__(self, folder: Path) -> None:
        with open(folder / "dataset.toml", "rb") as file:
            self.as_of: dt.date = tomllib.load(file)["as_of"]
        self.members = {row["member_id"]: row for row in _records(folder, "members")}
        self.criteria = {row["criterion_id"]: row for row in _records(folder, "criteria")}
        self.limits: dict[str, list[Row]] = {}
        for row in _records(folder, "applicability"):
            self.limits.setdefault(row["criterion_id"], []).append(row)
        self.areas = sorted({row["focus_area"] for row in self.criteria.values() if row["focus_area"]})
        self.categories = sorted({row["category"] for row in self.criteria.values()})
        self._source = {
            name: _records(folder, name) for name in ("validations", "findings", "incidents", "feedback")
        }
        self._causes = _records(folder, "incident_causes")
        self.answers: dict[str, dict[str, Row]] = {}
        for row in self._source["findings"]:
            self.answers.setdefault(row["validation_id"], {})[row["criterion_id"]] = row
        self.validations = self._validations()
        self.by_id = {row["validation_id"]: row for row in self.validations}
        self.tables = {
            "validations": pd.DataFrame(self.validations),
            "pairs": pd.DataFrame([row for row in self.validations if row["previous_mode"] is not None]),
            "findings": pd.DataFrame(self._findings()),
            "values": pd.DataFrame(self._values()),
            "incidents": pd.DataFrame(self._incidents()),
            "feedback": pd.DataFrame(self._feedback()),
            "agreement": pd.DataFrame(self._agreement()),
            "backlog": pd.DataFrame(self._backlog()),
        }
        incidents = self.tables["incidents"]
        self.tables["causes"] = pd.DataFrame(self._causes).merge(incidents, on="incident_id")

    # -- criteria -------------------------------------------------------------------------------

    def level(self, criterion: str, entity_type: str | None, day: dt.date) -> tuple[bool, str | None]:
        """Whether a criterion applies to an entity type on a day, and its level there."""
        general = self.criteria[criterion]["level"]
        if criterion not in self.limits:
            return True, general
        for row in self.limits[criterion]:
            if row["entity_type"] != entity_type:
                continue
            if (row["from"] is None or row["from"] <= day) and (row["to"] is None or day <= row["to"]):
                return True, row["level"] or general
        return False, None

    def applicable(self, entity_type: str | None, day: dt.date) -> dict[str, str | None]:
        """Criteria that apply, with their level."""
        asked = {criterion: self.level(criterion, entity_type, day) for criterion in self.criteria}
        return {criterion: level for criterion, (applies, level) in asked.items() if applies}

    # -- validations ----------------------------------------------------------------------------

    def _validations(self) -> list[Row]:
        out = []
        for source in self._source["validations"]:
            member = self.members[source["member_id"]]
            row = {**source, "entity_type": source["entity_type"] or member["entity_type"]}
            row["day"] = source["conducted_on"]
            out.append(row)
        for row in out:
            self._count_answers(row)
            self._time(row)
        out.sort(key=lambda row: (row["member_id"], row["day"], row["validation_id"]))
        for earlier, row in zip([None, *out], out, strict=False):
            same = earlier is not None and earlier["member_id"] == row["member_id"]
            self._pair(row, earlier if same else None)
        for row, later in zip(out, [*out[1:], None], strict=True):
            same = later is not None and later["member_id"] == row["member_id"]
            self._follow(row, later if same else None)
        return out

    def _count_answers(self, row: Row) -> None:
        levels = self.applicable(row["entity_type"], row["day"])
        answers = self.answers.get(row["validation_id"], {})
        found = {c for c, a in answers.items() if a["answer"] == "deficient"}
        unseen = {c for c, a in answers.items() if a["answer"] == "not_verified"}
        assessed = {c for c in levels if c not in answers} | found
        must = {c for c, level in levels.items() if level == "must"}
        row["n"] = 1
        row["n_applicable"] = len(levels)
        groups: list[tuple[str, set[str]]] = [("", set(levels))]
        for area in self.areas:
            groups.append((f"@{area}", {c for c in levels if self.criteria[c]["focus_area"] == area}))
        for seen_by in ("document", "interview", "physical"):
            groups.append((f"_{seen_by}", {c for c in levels if self.criteria[c]["seen_by"] == seen_by}))
        for suffix, inside in groups:
            row[f"n_deficient{suffix}"] = len(found & inside)
            row[f"n_must_deficient{suffix}"] = len(found & must & inside)
            row[f"n_assessed{suffix}"] = len(assessed & inside)
            row[f"n_must_assessed{suffix}"] = len(assessed & must & inside)
            row[f"n_not_verified{suffix}"] = len(unseen & inside)
            row[f"n_verifiable{suffix}"] = len((assessed | unseen) & inside)
            row[f"n_must_not_verified{suffix}"] = len(unseen & must & inside)
            row[f"n_must_verifiable{suffix}"] = len((assessed | unseen) & must & inside)
            row[f"possibly_deficient{suffix}"] = int(bool((found | unseen) & inside))
            row[f"possibly_must_deficient{suffix}"] = int(bool((found | unseen) & must & inside))
            row[f"any_deficiency{suffix}"] = int(bool(found & inside))
            row[f"any_must_deficiency{suffix}"] = int(bool(found & must & inside))
            row[f"has_assessed{suffix}"] = int(bool(assessed & inside))
            row[f"has_must_assessed{suffix}"] = int(bool(assessed & must & inside))
        for category in self.categories:
            mine = {c for c in found if (answers[c]["category"] or self.criteria[c]["category"]) == category}
            row[f"n_deficient#{category}"] = len(mine)
            row[f"any_deficiency#{category}"] = int(bool(mine))
        due = [answers[c] for c in found if answers[c]["due_on"] and answers[c]["due_on"] <= self.as_of]
        row["n_due"] = len(due)
        row["n_closed_on_time"] = sum(
            1 for a in due if a["corrected_on"] and a["corrected_on"] <= a["due_on"]
        )
        row["has_outcome"] = int(row["outcome"] is not None)
        row["passed"] = int(row["outcome"] == "passed")
        row["critical"] = int(row["any_must_deficiency"] or row["outcome"] in ("suspended", "removed"))
        removed = row["outcome"] in ("suspended", "removed")
        row["possibly_critical"] = int(row["possibly_must_deficient"] or removed)
        row["deficient"], row["assessed"] = found, assessed

    def _time(self, row: Row) -> None:
        reported, closed = row["reported_on"], row["closed_on"]
        row["days_to_report"] = ((reported or self.as_of) - row["day"]).days, int(reported is not None)
        row["days_to_close"] = None
        if reported and row["n_deficient"]:
            row["days_to_close"] = ((closed or self.as_of) - reported).days, int(closed is not None)
        row["hours_spent"] = None if row["hours"] is None else (round(row["hours"] * 10), 1)

    def _pair(self, row: Row, earlier: Row | None) -> None:
        row["previous_mode"] = earlier["mode"] if earlier else None
        for name in ("any_deficiency", "any_must_deficiency"):
            row[f"previous_{name}"] = earlier[name] if earlier else None
        again = earlier["deficient"] & row["assessed"] if earlier else set()
        row["n_repeatable"], row["n_repeat"] = len(again), len(again & row["deficient"])

    def _follow(self, row: Row, later: Row | None) -> None:
        end = min(day for day in (
            later["day"] if later else None, self.members[row["member_id"]]["left_on"], self.as_of
        ) if day is not None)  # fmt: skip
        incidents = [
            i["occurred_on"] for i in self._source["incidents"] if i["member_id"] == row["member_id"]
        ]
        after = [day for day in incidents if row["day"] < day <= end]
        row["followup"] = max(((min(after) if after else end) - row["day"]).days, 0), int(bool(after))

    # -- the other tables -----------------------------------------------------------------------

    def _filters(self, row: Row) -> Row:
        return {name: row[name] for name in (*FILTERS, "day")}

    def _findings(self) -> list[Row]:
        out = []
        for finding in self._source["findings"]:
            row = self.by_id[finding["validation_id"]]
            criterion = self.criteria[finding["criterion_id"]]
            _, level = self.level(finding["criterion_id"], row["entity_type"], row["day"])
            out.append(self._filters(row) | {
                "criterion_id": finding["criterion_id"], "answer": finding["answer"], "reason": finding["reason"],
                "category": finding["category"] or criterion["category"], "focus_area": criterion["focus_area"],
                "seen_by": criterion["seen_by"], "level": level, "n": 1,
            })  # fmt: skip
        return out

    def _values(self) -> list[Row]:
        out = []
        for row in self.validations:
            amounts = [
                None if row[name] is None else (round(row[name]), 1) for name in ("sites", "minutes_lost")
            ]
            times = (
                row["days_to_report"],
                row["days_to_close"],
                row["hours_spent"],
                row["followup"],
                *amounts,
            )
            for metric, time in enumerate(times):
                if time is not None:
                    out.append(
                        self._filters(row) | {"metric": metric, "value": time[0], "event": time[1], "n": 1}
                    )
        return out

    def _incidents(self) -> list[Row]:
        explained = {row["incident_id"] for row in self._causes}
        out = []
        for source in self._source["incidents"]:
            before = [
                row for row in self.validations
                if row["member_id"] == source["member_id"] and row["day"] < source["occurred_on"]
            ]  # fmt: skip
            last = before[-1] if before else dict.fromkeys(("mode", "risk", "kind", "location"))
            member = self.members.get(source["member_id"], {"entity_type": None})
            sea = ("sea_carrier", "mpto", "consolidator")
            out.append({
                **source, **{name: last[name] for name in ("mode", "risk", "kind", "location")},
                "entity_type": member["entity_type"], "day": source["occurred_on"], "n": source["weight"] or 1,
                "maritime": int(source["transport_mode"] == "sea" or member["entity_type"] in sea),
                "has_cause": int(source["incident_id"] in explained),
            })  # fmt: skip
        return out

    def _feedback(self) -> list[Row]:
        return [
            self._filters(self.by_id[row["validation_id"]])
            | row
            | {"n": 1, "top_two": int(row["score"] >= 4)}
            for row in self._source["feedback"]
        ]

    def _agreement(self) -> list[Row]:
        scores: dict[tuple[str, str], dict[str, list[int]]] = {}
        for row in self._source["feedback"]:
            given = scores.setdefault((row["validation_id"], row["item"]), {"specialist": [], "member": []})
            given[row["respondent"]].append(row["score"])
        return [
            self._filters(self.by_id[validation])
            | {
                "item": item,
                "specialist_score": min(given["specialist"]),
                "member_score": min(given["member"]),
                "n": 1,
            }
            for (validation, item), given in scores.items()
            if given["specialist"] and given["member"]
        ]

    def _backlog(self) -> list[Row]:
        def key(day: dt.date | None, later: int = 0) -> int | None:
            return None if day is None else day.year * 12 + day.month - 1 + later

        out, last = [], {}
        for row in self.validations:
            last[row["member_id"]] = row
            member = self.members[row["member_id"]]
            if row["validation_due_on"]:
                out.append({
                    "field_office": row["field_office"], "entity_type": member["entity_type"], "n": 1,
                    "due_month": key(row["validation_due_on"]), "done_month": key(row["day"]),
                    "left_month": key(member["left_on"]),
                })  # fmt: skip
        for member_id, member in self.members.items():
            row = last.get(member_id)
            due = key(member["next_due_on"])
            due = due if due is not None else key(row["day"], 48) if row else key(member["certified_on"], 12)
            if due is not None:
                out.append({
                    "field_office": row["field_office"] if row else member["field_office"],
                    "entity_type": member["entity_type"], "due_month": due, "done_month": None,
                    "left_month": key(member["left_on"]), "n": 1,
                })  # fmt: skip
        return out


def plain(
    recount: Recount, table: str, by: list[str], chosen: dict[str, Any], sums: list[str]
) -> dict[tuple[Any, ...], dict[str, int]]:
    """Counts in plain pandas: group → sums. `chosen` holds column → values, ``start`` and ``end``."""
    frame = recount.tables[table]
    keep = pd.Series(True, index=frame.index)
    for column, values in chosen.items():
        if column in ("start", "end", "focus_area") and not (column == "focus_area" and table == "findings"):
            continue
        keep &= frame[column].isin(values)
    if chosen.get("start"):
        keep &= frame["day"] >= chosen["start"]
    if chosen.get("end"):
        keep &= frame["day"] <= chosen["end"]
    areas = chosen.get("focus_area") or ()
    out: dict[tuple[Any, ...], dict[str, int]] = {}
    for row in frame[keep].to_dict("records"):
        if "day" in row:
            row["month"] = row["day"].year * 12 + row["day"].month - 1
            row["quarter"] = row["month"] // 3
            row["fiscal_year"] = row["day"].year + (row["day"].month >= 10)
        group = tuple(_text(row[name]) for name in by)
        sum_of = out.setdefault(group, dict.fromkeys(sums, 0))
        for name in sums:
            value = 1
            for part in name.split("*"):
                value *= _measured(row, part, areas)
            sum_of[name] += value
    return out


def _measured(row: Row, name: str, areas: Any) -> int:
    if areas and f"{name}@{areas[0]}" in row:
        parts = [row[f"{name}@{area}"] for area in areas]
        return max(parts) if name.startswith(("any_", "has_", "possibly_")) else sum(parts)
    return int(row[name])
