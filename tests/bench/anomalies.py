"""How often planted oddities are found and named, and how much is flagged where nothing was planted.

``python -m tests.bench.anomalies`` simulates programs in memory, with and without ``[plant]``, looks through each as the
page Anomalies does, and writes ``reports/anomalies.json``. Two of them go through files as well, with the same result.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis import open_dataset
from analysis.datasets.demo.effects_reading import effects_from
from analysis.datasets.demo.making import make_demo
from analysis.datasets.demo.planting import planted
from analysis.datasets.demo.source import source_tables
from analysis.datasets.demo.world import World, simulate
from analysis.questions.anomalies import Anomalies, anomalies, gathered
from analysis.questions.anomalies_months import MonthChart
from analysis.questions.anomalies_records import Records, shuffled_names
from analysis.questions.anomalies_seals import searched
from analysis.questions.anomalies_units import COUNTED, compared
from analysis.questions.anomalies_validations import looked_through
from analysis.questions.anomalies_variation import varied

REPORT = Path(__file__).parent / "reports" / "anomalies.json"
PLANT = {
    "under_recording_office": "any",
    "copying_specialist": "any",
    "impossible_dates": 12,
    "cloned_seals": 8,
}
VALIDATIONS = 6_000
METRIC = "any_deficiency"
FOUND, FLAGGED = 0.90, 0.05
"""At least this share of planted oddities is to be found and named, at most this share of anything else flagged."""
KINDS = {
    "closed_before_corrected": "closed_before_corrected",
    "reported_same_day": "reported_same_day",
    "conducted_on_sunday": "unusual_day",
}
"""Kinds of planted dates, and the reason each is to be named with."""
SALT = "bench"


@dataclass(frozen=True, slots=True)
class Looked:
    """One program, looked through: shares found of what was planted, and of what was not planted flagged."""

    found: Mapping[str, float] = field(default_factory=dict)
    flagged: Mapping[str, float] = field(default_factory=dict)


def records_of_world(world: World) -> tuple[Records, pd.DataFrame]:
    """What preparing would make of a program: its records, and its incidents."""
    tables = source_tables(world)
    rows, findings, incidents = tables["validations"], tables["findings"], tables["incidents"]
    row = pd.Series(np.arange(len(rows)), rows["validation_id"])
    findings = findings.assign(validation_row=findings["validation_id"].map(row).to_numpy(), n=1)
    answers = findings[findings["answer"].isin(["deficient", "not_verified"])]
    applies = world.catalogue.applies.sum(axis=1)[world.members.entity[world.schedule.member]]

    def counted(which: pd.Series) -> np.ndarray:
        return np.bincount(findings.loc[which, "validation_row"], minlength=len(rows))

    deficient = counted(findings["answer"] == "deficient")
    must = counted((findings["answer"] == "deficient") & (findings["level"] == "must"))
    unseen = counted(findings["answer"] == "not_verified")
    assessed = applies - counted(findings["answer"] != "deficient")
    day, reported, closed = (_days(rows[c]) for c in ("conducted_on", "reported_on", "closed_on"))
    months = pd.to_datetime(rows["conducted_on"])
    month = (months.dt.year * 12 + months.dt.month - 1).to_numpy()
    left = _days(
        tables["members"].set_index("member_id")["left_on"].loc[rows["member_id"]].reset_index(drop=True)
    )
    specialist, names = pd.factorize(rows["specialist_id"], sort=True)
    validations = rows[["validation_id", "field_office", "risk", "kind", "location", "mode", "entity_type", "hours"]].assign(
        validation_row=row.to_numpy(), member=pd.factorize(rows["member_id"])[0], specialist=specialist, day=day,
        month=month, quarter=month // 3, reported_day=reported, closed_day=closed, left_day=left, n=1,
        n_deficient=deficient, n_assessed=assessed, n_not_verified=unseen, n_verifiable=assessed + unseen,
        any_deficiency=(deficient > 0).astype(int), has_assessed=1, any_must_deficiency=(must > 0).astype(int),
        has_must_assessed=1,
    )  # fmt: skip
    answers = answers[["validation_row", "criterion_id", "answer"]].assign(
        corrected_day=_days(answers["corrected_on"])
    )
    occurred = pd.to_datetime(incidents["occurred_on"])
    incidents = incidents.assign(month=occurred.dt.year * 12 + occurred.dt.month - 1, n=incidents["weight"])
    return Records(validations, answers, shuffled_names(len(names), SALT)), incidents


def _days(dates: pd.Series) -> pd.Series:
    days = (pd.to_datetime(dates) - pd.Timestamp("1970-01-01")).dt.days
    return days.astype("Int32")


def looked_at(world: World) -> Anomalies:
    """What the page says of a program; its charts by month flag nothing that is judged here."""
    records, incidents = records_of_world(world)
    nothing: tuple[MonthChart, ...] = ()
    return gathered(
        METRIC, compared(records, "office", METRIC), compared(records, "specialist", METRIC),
        compared(records, "office", COUNTED), varied(records), nothing, searched(incidents),
        looked_through(records),
    )  # fmt: skip


def one_clean(seed: int) -> Looked:
    """Shares flagged in a program without oddities."""
    answer = looked_at(simulate(effects_from({}), seed=seed, validations=VALIDATIONS))
    assert answer.n
    return Looked(
        flagged={
            "validations": len(answer.validations.rows) / answer.n,
            "specialists": len(answer.reasons_of("specialist")) / len(answer.specialists.rows),
            "offices": len(answer.reasons_of("office")) / len(answer.offices.rows),
            "worlds_with_a_cluster_of_cloned_seals": float(
                bool(answer.seals.cluster and answer.seals.cluster.flagged)
            ),
        }
    )


def one_planted(seed: int) -> Looked:
    """Shares found, and named with the right reason, in a program with oddities."""
    world, hidden = planted(simulate(effects_from({"plant": PLANT}), seed=seed, validations=VALIDATIONS))
    return Looked(found=found_of(looked_at(world), hidden, _pseudonym(world, hidden)))


def _pseudonym(world: World, hidden: Mapping[str, Any]) -> str:
    known = sorted(set(source_tables(world)["validations"]["specialist_id"]))
    return shuffled_names(len(known), SALT)[known.index(hidden["copying_specialist"]["specialist"])]


def found_of(answer: Anomalies, hidden: Mapping[str, Any], specialist: str) -> dict[str, float]:
    """Of every oddity that was planted, the share found under its own name."""
    named = {row.validation_id: {reason.code for reason in row.reasons} for row in answer.validations.rows}
    office = answer.reasons_of("office").get(hidden["under_recording_office"]["field_office"], ())
    copier = answer.reasons_of("specialist").get(specialist, ())
    copies, dates = hidden["copying_specialist"]["validations"], hidden["impossible_dates"]
    cluster, seals = answer.seals.cluster, hidden["cloned_seals"]
    there = cluster is not None and cluster.flagged and cluster.place == seals["terminal"]
    year, month = (int(part) for part in seals["month"].split("-"))
    then = cluster is not None and cluster.first <= year * 12 + month - 1 <= cluster.last
    return {
        "under_recording_office": float(any(reason.code == "under_recording" for reason in office)),
        "copying_specialist": float(any(reason.code == "copied_answers" for reason in copier)),
        "copied_validations": float(np.mean([("copied_answers" in named.get(one, ())) for one in copies])),
        **{
            kind: float(np.mean([code in named.get(one, ()) for one in dates[kind]]))
            for kind, code in KINDS.items()
        },
        "cloned_seals": float(there and then),
    }


def summary(values: Sequence[float]) -> dict[str, float]:
    """Mean over programs with its Monte-Carlo error."""
    array = np.array(values, float)
    return {
        "mean": round(float(array.mean()), 5),
        "monte_carlo_error": round(float(array.std(ddof=1) / np.sqrt(array.size)), 5),
    }


def through_files(seed: int, plant: Mapping[str, Any]) -> bool:
    """Whether a program written, prepared and opened gives the rows it gave in memory."""
    world = simulate(effects_from({"plant": plant}), seed=seed, validations=VALIDATIONS)
    here = looked_at(planted(world)[0]).to_dict()["rows"]
    with tempfile.TemporaryDirectory() as folder:
        effects = Path(folder) / "effects.toml"
        lines = [f"{key} = {value!r}".replace("'", '"') for key, value in plant.items()]
        effects.write_text("\n".join(["[plant]", *lines, ""]), encoding="utf-8")
        make_demo(Path(folder) / "demo", seed=seed, validations=VALIDATIONS, effects=effects)
        there = anomalies(open_dataset(Path(folder) / "demo"), metric=METRIC).to_dict()["rows"]

    def plain(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
        # Pseudonyms are shuffled by the content of the files, and charts by month are not made in memory.
        named = [
            (
                r["what"],
                str(r.get("validation_id", "" if r["what"] == "specialist" else r.get("name", ""))),
                r["words"],
            )
            for r in rows
        ]
        return sorted(one for one in named if one[0] != "month")

    return plain(here) == plain(there)


def report(clean: Sequence[Looked], with_plants: Sequence[Looked], **more: Any) -> dict[str, Any]:
    """All shares with their errors, and whether each keeps its bound."""
    found = {name: summary([one.found[name] for one in with_plants]) for name in with_plants[0].found}
    flagged = {name: summary([one.flagged[name] for one in clean]) for name in clean[0].flagged}
    return {
        "validations": VALIDATIONS,
        "planted": PLANT,
        "programs_planted": len(with_plants),
        "programs_clean": len(clean),
        "found_at_least": FOUND,
        "found": found,
        "flagged_at_most": FLAGGED,
        "flagged_without_oddities": flagged,
        "kept": all(one["mean"] >= FOUND for one in found.values())
        and all(one["mean"] <= FLAGGED for one in flagged.values()),
        **more,
    }


def main() -> None:
    """Write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clean", type=int, default=200)
    parser.add_argument("--planted", type=int, default=120)
    parser.add_argument("--to", type=Path, default=REPORT)
    asked = parser.parse_args()
    with ProcessPoolExecutor(2) as pool:
        clean = list(pool.map(one_clean, range(1, asked.clean + 1), chunksize=4))
        with_plants = list(pool.map(one_planted, range(10_001, 10_001 + asked.planted), chunksize=4))
        same = list(
            pool.map(
                through_files,
                [1, 10_001],
                [dict.fromkeys(PLANT, 0) | {"under_recording_office": "", "copying_specialist": ""}, PLANT],
            )
        )
    made = report(clean, with_plants, same_through_files=same)
    text = json.dumps(made, indent=1) + "\n"
    asked.to.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
