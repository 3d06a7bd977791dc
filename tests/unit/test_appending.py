"""A month appended is the whole imported; the same month again takes its place; a crash leaves the old dataset."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.cli import main
from analysis.datasets import importing
from analysis.datasets.appending import REPLACED
from analysis.datasets.importing import ImportReport, import_dataset
from analysis.datasets.mapping import parsed_mapping
from analysis.errors import AnalysisError
from analysis.schema import TABLES
from tests.engines.program import same_datasets

BROUGHT = ("members", "validations", "findings", "incidents", "incident_causes", "feedback")
MAPPING = {
    "name": "Monthly",
    "tables": {
        name: {"file": f"{name}*.csv", "columns": {c: c for c in TABLES[name].names}} for name in BROUGHT
    },
}
LAST = "2022-06"
Months = Callable[[str], bool]


def tables_of(demo: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(demo / "source" / f"{name}.parquet").astype("object") for name in BROUGHT}


def written(tables: dict[str, pd.DataFrame], folder: Path, chosen: Months) -> list[Path]:
    """The records of some months as files."""
    folder.mkdir()
    visits, events = tables["validations"], tables["incidents"]
    visits = visits[[chosen(str(day)[:7]) for day in visits["conducted_on"]]]
    events = events[[chosen(str(day)[:7]) for day in events["occurred_on"]]]
    parts = {"members": tables["members"], "validations": visits, "incidents": events}
    for name in ("findings", "feedback"):
        parts[name] = tables[name][tables[name]["validation_id"].isin(visits["validation_id"])]
    causes = tables["incident_causes"]
    parts["incident_causes"] = causes[causes["incident_id"].isin(events["incident_id"])]
    for name, frame in parts.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return [folder / f"{name}.csv" for name in BROUGHT]


def imported(files: list[Path], out: Path, **more: Any) -> ImportReport:
    return import_dataset(files, parsed_mapping(MAPPING), out, **more)


@pytest.fixture(scope="module")
def tables(small_demo_folder: Path) -> dict[str, pd.DataFrame]:
    return tables_of(small_demo_folder)


@pytest.fixture(scope="module")
def month(tables: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    files = written(tables, tmp_path_factory.mktemp("month") / "month", lambda m: m == LAST)
    assert len(pd.read_csv(files[1])) >= 3
    return files


@pytest.fixture(scope="module")
def whole(tables: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    imported(written(tables, folder / "files", lambda m: m <= LAST), folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def grown(
    tables: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ImportReport]:
    """The whole in two pieces: first without some months and incidents, and half of the last month wrong."""
    folder = tmp_path_factory.mktemp("grown")
    random = np.random.default_rng(5)
    months = sorted({str(day)[:7] for day in tables["validations"]["conducted_on"]})
    later = {*random.choice(months[: months.index(LAST)], 4, replace=False), LAST}
    first = {name: frame.copy() for name, frame in tables.items()}
    last = [str(day)[:7] == LAST for day in first["validations"]["conducted_on"]]
    first["validations"].loc[last, "validation_id"] = [f"wrong {i}" for i in range(sum(last))]
    known = first["incidents"].sample(frac=0.9, random_state=5)["incident_id"]
    first["incidents"] = first["incidents"][first["incidents"]["incident_id"].isin(known)]
    imported(
        written(first, folder / "files", lambda m: m <= LAST and m not in later - {LAST}), folder / "out"
    )
    second = tables | {"validations": tables["validations"].iloc[::-1]}
    files = written(second, folder / "more", lambda m: m in later)
    every = written(tables, folder / "incidents", lambda m: m <= LAST)
    files = [every[i] if name.startswith("incident") else files[i] for i, name in enumerate(BROUGHT)]
    return folder / "out", imported(files, folder / "out", append=True)


def test_pieces_appended_are_the_whole_imported(
    whole: Path, grown: tuple[Path, ImportReport], tables: dict[str, pd.DataFrame]
) -> None:
    out, report = grown
    same_datasets(whole, out)
    validations = report.tables["validations"]
    replaced = sum(str(day)[:7] == LAST for day in tables["validations"]["conducted_on"])
    assert validations.kept == validations.read > validations.repaired[REPLACED] == replaced > 0


def test_the_same_month_again_changes_nothing(
    whole: Path, grown: tuple[Path, ImportReport], month: list[Path]
) -> None:
    out, _ = grown
    imported(month, out, append=True)
    same_datasets(whole, out)


def test_months_that_did_not_change_are_not_counted_again(
    whole: Path, month: list[Path], tmp_path: Path
) -> None:
    told: list[str] = []
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    path = out / "cells" / "validation_cells.parquet"
    marked = pd.read_parquet(path)
    marked["n"] += 1_000
    marked.to_parquet(path, index=False)
    validations = pd.read_csv(month[1])
    one_more = validations.iloc[[0]].assign(validation_id="V9", member_id=validations["member_id"].iloc[1])
    pd.concat([validations, one_more]).to_csv(tmp_path / "validations.csv", index=False)
    files = [tmp_path / "validations.csv" if path == month[1] else path for path in month]
    imported(files, out, append=True, progress=told.append)
    months = marked["month"].nunique() - 1
    assert any(f"validation cells, {months} months as they were" in step for step in told)
    counted, before = (frame.groupby("month")["n"].sum() for frame in (pd.read_parquet(path), marked))
    assert counted.iloc[:-1].equals(before.iloc[:-1])
    assert counted.iloc[-1] == len(validations) + 1


def test_a_crash_leaves_the_old_dataset(
    grown: tuple[Path, ImportReport], month: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = grown
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importing, "finish_dataset", crash)
    with pytest.raises(KeyboardInterrupt):
        imported(month, out, append=True)
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert {path.name for path in out.parent.iterdir()} == {"files", "more", "incidents", "out"}


def test_what_belongs_together_is_given_together(grown: tuple[Path, ImportReport], month: list[Path]) -> None:
    out, _ = grown
    with pytest.raises(AnalysisError, match="validations are given without findings"):
        imported([path for path in month if path.stem != "findings"], out, append=True)


def test_there_must_be_something_to_append_to(
    month: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AnalysisError, match="is not a dataset"):
        imported(month, tmp_path / "nothing", append=True)
    numbered = {
        "tables": {
            "incidents": {
                "columns": {c: c for c in TABLES["incidents"].required} | {"incident_id": {"row": "i"}}
            }
        }
    }
    with pytest.raises(AnalysisError, match=r"is a row number.*without --append"):
        import_dataset(month[3:4], parsed_mapping(numbered), Path("data/demo"), append=True, dry_run=True)
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[tables.members.columns]\nmember_id = "member_id"\n')
    assert main(["import", str(month[0]), "--mapping", str(mapping), "--append"]) == 2
    assert capsys.readouterr().err.startswith("error: ")
