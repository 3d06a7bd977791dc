"""The command line: one JSON object on standard output, one sentence and status 2 for a bad request."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analysis.cli import main
from analysis.metrics import metrics
from analysis.schema import SCHEMA_VERSION
from tests.unit.test_importing import HEADER, INSPECTIONS, OSHA, contents

ROOT = Path(__file__).resolve().parents[2]
NO_DATASET = "validation_id,x\n1,2\n"


def answered(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    assert main([str(argument) for argument in arguments]) == 0
    said = capsys.readouterr()
    assert "error" not in said.err

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(said.out, parse_constant=refuse)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert main([str(argument) for argument in arguments]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "Traceback" not in said.err
    errors = [line for line in said.err.splitlines() if line.startswith("error:")]
    # The complaint is the last thing said, and whatever came before was progress.
    assert len(errors) == 1 and said.err.rstrip("\n").endswith(errors[0])
    assert errors[0].endswith((".", "?")) or "--help" in errors[0]
    return errors[0]


# -- shapes ----------------------------------------------------------------------------------------


def test_import_says_what_became_of_every_row(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    answer = answered(capsys, "import", INSPECTIONS, "--mapping", OSHA, "--to", out, "--json")
    assert set(answer) == {"tables", "dataset"} and answer["dataset"] == str(out)
    for table in answer["tables"].values():
        assert set(table) == {"read", "kept", "rejected", "left_out", "repaired"}
        assert table["read"] == table["kept"] + sum(table["rejected"].values()) + sum(
            table["left_out"].values()
        )
    dry = answered(
        capsys, "import", INSPECTIONS, "--mapping", OSHA, "--to", tmp_path / "no", "--dry-run", "--json"
    )
    assert dry == {"tables": answer["tables"], "dataset": None} and not (tmp_path / "no").exists()
    assert answered(capsys, "import", INSPECTIONS, "--mapping", OSHA, "--dry-run", "--json") == dry


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    main(["import", str(INSPECTIONS), "--mapping", str(OSHA), "--dry-run", "--json"])
    said = capsys.readouterr()
    assert "Reading validations" in said.err and len(said.out.splitlines()) == 1


FOR_TIMES = {"crude", "mantel_haenszel"}
METHODS = FOR_TIMES | {"standardised", "overlap_weighted", "doubly_robust", "aipw", "paired"}


@pytest.mark.parametrize("metric", sorted(metrics()))
def test_compare_has_the_shape_of_the_design(
    capsys: pytest.CaptureFixture[str], small_demo_folder: Path, metric: str
) -> None:
    answer = answered(capsys, "compare", small_demo_folder, "--metric", metric, "--json")
    assert set(answer) >= {
        "metric",
        "margin",
        "harmful",
        "arms",
        "estimates",
        "verdict",
        "sentence",
        "left_out",
    }
    definition = metrics()[metric]
    parts = answer["groups"] if definition.by else [answer]
    assert parts and (
        answer["arms"] == {} if definition.by else set(answer["arms"]) == {"virtual", "in_person"}
    )
    for part in parts:
        for arm in part["arms"].values():
            assert {"n", "estimate"} <= set(arm)
            assert ("events" in arm) == (definition.kind != "duration")
        main_measure = "ratio" if definition.kind == "duration" else "difference"
        methods = FOR_TIMES if definition.kind in ("duration", "survival") else METHODS
        for method in methods if len(definition.arms) == 2 else ():
            rows = [r for r in part["estimates"] if (r["method"], r["measure"]) == (method, main_measure)]
            assert len(rows) == 1, (method, main_measure)
        for row in part["estimates"]:
            assert set(row) >= {
                "method",
                "measure",
                "population",
                "estimate",
                "low",
                "high",
                "p_value",
                "n",
                "status",
                "caveats",
            }
            assert row["status"] in ("ok", "too_small", "not_estimable")
            assert row["p_value"] is None or 1e-300 <= row["p_value"] <= 1
            if row["estimate"] is not None and row["low"] is not None:
                assert row["low"] <= row["estimate"] <= row["high"]
        assert part["verdict"] in ("as_good", "not_as_good", "finds_more", "better", "cannot_tell", "too_few",
                                   "not_comparable", "described")  # fmt: skip


def test_compare_by_names_the_group(capsys: pytest.CaptureFixture[str], small_demo_folder: Path) -> None:
    answer = answered(
        capsys, "compare", small_demo_folder, "--metric", "any_deficiency", "--by", "field_office", "--json"
    )
    assert [group["field_office"] for group in answer["groups"]] == [
        "Buffalo", "Houston", "Los Angeles", "Miami", "New York", "Newark",
    ]  # fmt: skip
    assert all({"arms", "estimates", "verdict"} <= set(group) for group in answer["groups"])


def test_overview_and_check_have_the_shape_of_the_design(
    capsys: pytest.CaptureFixture[str], small_demo_folder: Path
) -> None:
    for command in ("overview", "check"):
        answer = answered(capsys, command, small_demo_folder, "--json")
        assert set(answer) >= {"rows", "n", "caveats", "sentence"} and answer["rows"]
    rows = {
        row["statistic"]: row for row in answered(capsys, "overview", small_demo_folder, "--json")["rows"]
    }
    assert (
        rows["validations"]["count"] == 600
        and rows["any_deficiency"]["low"] < rows["any_deficiency"]["share"]
    )


def test_words_without_json(capsys: pytest.CaptureFixture[str], small_demo_folder: Path) -> None:
    assert main(["compare", str(small_demo_folder), "--metric", "any_deficiency"]) == 0
    assert "**" not in capsys.readouterr().out
    assert main(["overview", str(small_demo_folder)]) == 0


@pytest.mark.parametrize("metric", sorted(metrics()))
@pytest.mark.parametrize("suppress", [[], ["--suppress"]])
def test_nothing_in_the_period_is_an_answer(
    capsys: pytest.CaptureFixture[str], small_demo_folder: Path, metric: str, suppress: list[str]
) -> None:
    answer = answered(
        capsys, "compare", small_demo_folder, "--metric", metric, "--from", "2035-01-01", "--json", *suppress
    )
    parts = answer["groups"] if metrics()[metric].by else [answer]
    for part in parts:
        assert part["verdict"] == "too_few"
        assert all(row["estimate"] is None for row in part["estimates"])
    assert answer["left_out"] == {}


def test_an_overview_of_nothing_is_an_answer(
    capsys: pytest.CaptureFixture[str], small_demo_folder: Path
) -> None:
    answer = answered(capsys, "overview", small_demo_folder, "--from", "2035-01-01", "--json")
    assert answer["n"] == 0 and answer["sentence"] == "No validations match these filters."


def test_the_end_of_time_is_a_period(capsys: pytest.CaptureFixture[str], small_demo_folder: Path) -> None:
    period = ("--from", "0001-01-01", "--to", "9999-12-31")
    assert answered(capsys, "overview", small_demo_folder, "--json", *period)["n"] == 600


def test_the_mode_filter_is_set_aside_and_said(
    capsys: pytest.CaptureFixture[str], small_demo_folder: Path
) -> None:
    plain = answered(capsys, "compare", small_demo_folder, "--metric", "any_deficiency", "--json")
    chosen = answered(
        capsys, "compare", small_demo_folder, "--metric", "any_deficiency", "--mode", "virtual", "--json"
    )
    assert chosen["estimates"] == plain["estimates"] and "mode_filter_ignored" in chosen["reasons"]


# -- bad requests -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--metric", "any_deficienc"], "did you mean 'any_deficiency'?"),
        (["--metric", "any_deficiency", "--office", "Maimi"], "did you mean 'Miami'?"),
        (["--metric", "any_deficiency", "--risk", "'; DROP TABLE x; --"], "is not in this dataset"),
        (["--metric", "any_deficiency", "--office", "two\nlines"], "is not in this dataset"),
        (["--metric", "any_deficiency", "--from", "2020-13-01"], "'2020-13-01' is no date"),
        (["--metric", "any_deficiency", "--to", "2020-02-30"], "'2020-02-30' is no date"),
        (["--metric", "any_deficiency", "--from", "2021-01-02", "--to", "2021-01-01"], "swap --from and --to"),
        (["--metric", "any_deficiency", "--by", "field_ofice"], "did you mean 'field_office'?"),
        (["--metric", "any_deficiency", "--by", "month"], "is no column to group by"),
        (["--metric", "any_deficiency", "--margin", "five"], "margin 'five' is no number"),
        (["--metric", "any_deficiency", "--margin", "nan"], "margin 'nan' is no number"),
        (["--metric", "any_deficiency", "--margin", "inf"], "must be a number of at least 0"),
        (["--metric", "any_deficiency", "--margin", "1e999"], "must be a number of at least 0"),
        (["--metric", "any_deficiency", "--margin", "-0.1"], "must be a number of at least 0"),
        (["--metric", "any_deficiency", "--margin", "5"], "is a fraction, not points"),
        (["--metric", "deficiency_rate", "--margin", "0"], "is no ratio"),
        (["--metric", "repeat_rate", "--margin", "0.1"], "takes no margin"),
        (["--metric"], "--metric"),
        ([], "--metric"),
        (["--metric", "any_deficiency", "--unknown", "1"], "--unknown"),
    ],
)  # fmt: skip
def test_a_bad_comparison_is_refused(
    capsys: pytest.CaptureFixture[str], small_demo_folder: Path, arguments: list[str], words: str
) -> None:
    before = contents(small_demo_folder)
    assert words in refused(capsys, "compare", small_demo_folder, *arguments, "--json")
    assert contents(small_demo_folder) == before


@pytest.mark.parametrize("arguments", [[], ["comprae"], ["compare"], ["import"], ["--json"], ["demo"]])
def test_a_bad_command_is_refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert "--help" in refused(capsys, *arguments)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist"),
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xde\xad\xbe\xef", "is a picture, not a table"),
        (bytes(range(256)) * 40, "is not a table"),
        (b"just some words\n", "is not a table"),
        (HEADER.encode() + b"\n", "has no column 'activity_nr'"),
        (INSPECTIONS.read_bytes().splitlines(keepends=True)[0], "has a header but no rows"),
        (INSPECTIONS.read_bytes().replace(b"open_date", b"opne_date"), "did you mean 'opne_date'?"),
        ("a,b\né,2\n".encode("latin-1"), "has no column 'activity_nr'"),
        ("a,é\n".encode() + b"\xe9,2\n", "is not a table of UTF-8 text"),
    ],
    ids=[
        "missing",
        "empty",
        "png",
        "binary",
        "prose",
        "other columns",
        "header only",
        "column misspelt",
        "latin1",
        "mixed",
    ],
)
def test_a_bad_source_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | None, words: str
) -> None:
    source = tmp_path / "source.csv"
    if content is not None:
        source.write_bytes(content)
    said = refused(capsys, "import", source, "--mapping", OSHA, "--to", tmp_path / "out", "--json")
    assert words in said and "source.csv" in said
    assert [path.name for path in tmp_path.iterdir() if path != source] == []


@pytest.mark.parametrize(
    ("mapping", "words"), [(None, "does not exist"), ("a = [1,", "is not a TOML file"), ("x = 1", "key 'x'")]
)
def test_a_bad_mapping_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mapping: str | None, words: str
) -> None:
    path = tmp_path / "map.toml"
    if mapping is not None:
        path.write_text(mapping)
    said = refused(capsys, "import", INSPECTIONS, "--mapping", path, "--to", tmp_path / "out")
    assert words in said and "map.toml" in said and not (tmp_path / "out").exists()


def test_an_import_without_a_place_to_write_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "add --to OUT" in refused(capsys, "import", INSPECTIONS, "--mapping", OSHA)


def damaged(folder: Path, how: str) -> Path:
    if how == "truncated cells":
        path = folder / "cells" / "validation_cells.parquet"
        path.write_bytes(path.read_bytes()[:-200])
    elif how == "truncated rows":
        path = folder / "prepared" / "validations.parquet"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif how == "no rows":
        (folder / "prepared" / "validations.parquet").unlink()
    elif how == "truncated vocabularies":
        (folder / "vocabularies.parquet").write_bytes(b"PAR1")
    elif how == "bad toml":
        (folder / "dataset.toml").write_text("name = [")
    elif how == "empty toml":
        (folder / "dataset.toml").write_text("")
    elif how == "half toml":
        (folder / "dataset.toml").write_text(f"schema_version = {SCHEMA_VERSION}\nname = 'x'\n")
    elif how == "odd toml":
        text = (folder / "dataset.toml").read_text(encoding="utf-8")
        (folder / "dataset.toml").write_text(text.replace("as_of = ", "as_of = 5 #"), encoding="utf-8")
    elif how == "other version":
        text = (folder / "dataset.toml").read_text(encoding="utf-8")
        (folder / "dataset.toml").write_text(
            text.replace(f"schema_version = {SCHEMA_VERSION}", "schema_version = 1"), encoding="utf-8"
        )
    elif how == "no toml":
        (folder / "dataset.toml").unlink()
    else:
        shutil.rmtree(folder)
    return folder


@pytest.mark.parametrize(
    "how",
    ["truncated cells", "truncated rows", "no rows", "truncated vocabularies", "bad toml", "empty toml", "half toml",
     "odd toml", "other version", "no toml", "no folder"],
)  # fmt: skip
def test_a_damaged_dataset_is_refused(
    capsys: pytest.CaptureFixture[str], small_demo_folder: Path, tmp_path: Path, how: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(small_demo_folder, folder)
    damaged(folder, how)
    before = contents(tmp_path)
    refused(capsys, "compare", folder, "--metric", "any_deficiency", "--json")
    refused(capsys, "overview", folder, "--json")
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seed", "x"], "'x' is no whole number"),
        (["--validations", "0"], "validations"),
        (["--validations", "-5"], "validations"),
        (["--effects", "nope.toml"], "nope.toml"),
    ],
)
def test_a_bad_demo_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], words: str
) -> None:
    assert words in refused(capsys, "demo", tmp_path / "out", *arguments)
    assert list(tmp_path.iterdir()) == []


# -- as a program ------------------------------------------------------------------------------------


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-m", "analysis", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)


def test_the_program_answers_and_refuses(small_demo_folder: Path) -> None:
    done = run("compare", small_demo_folder, "--metric", "hours", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["metric"] == "hours" and done.stderr == ""
    done = run("compare", small_demo_folder, "--metric", "huors")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: metric 'huors' is not defined; did you mean 'hours'?\n"
    assert run("--help").returncode == 0


def test_the_same_seed_gives_the_same_bytes(small_demo_folder: Path, tmp_path: Path) -> None:
    done = run("demo", tmp_path / "again", "--validations", "600")
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "again") == contents(small_demo_folder)
