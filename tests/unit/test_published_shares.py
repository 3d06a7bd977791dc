"""The deck's own counts, taken as data, give the deck's own shares."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis import open_dataset
from analysis.cli import main
from analysis.datasets.importing import import_dataset
from analysis.datasets.mapping import parsed_mapping
from analysis.questions.deficiencies import deficiencies
from analysis.schema import DATA_FOLDER

COUNTS = [200, 188, 212, 248, 243, 99, 157, 107, 136, 89, 51, 201]
SHARES = [10.36, 9.74, 10.98, 12.84, 12.58, 5.13, 8.13, 5.54, 7.04, 4.61, 2.64, 10.41]


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,931 findings, one criterion a category, each of a validation of its own."""
    folder = tmp_path_factory.mktemp("deck")
    criteria = pd.read_csv(DATA_FOLDER / "reference" / "criteria.csv", dtype=str).drop_duplicates(
        "category_no"
    )
    ids = [c for c, n in zip(criteria["criterion_id"], COUNTS, strict=True) for _ in range(n)]
    # Importers: every criterion taken here applies to them.
    rows = pd.DataFrame({"validation": [f"V{i:05}" for i in range(len(ids))], "criterion": ids})
    rows = rows.assign(
        member=rows["validation"].str.replace("V", "M"), office="Miami", type="importer", mode="virtual"
    )
    rows.assign(day="2021-03-01", answer="deficient").to_csv(folder / "deck.csv", index=False)
    mapping = {
        "name": "Deck",
        "completeness": {"criteria_asked": False, "clean_validations": False},
        "tables": {
            "validations": {
                "columns": {
                    "validation_id": "validation", "member_id": "member", "field_office": "office",
                    "mode": "mode", "conducted_on": "day", "entity_type": "type",
                }
            },
            "findings": {
                "columns": {"validation_id": "validation", "criterion_id": "criterion", "answer": "answer"}
            },
        },
    }  # fmt: skip
    import_dataset([folder / "deck.csv"], parsed_mapping(mapping), folder / "dataset")
    return folder / "dataset"


def test_shares_are_the_published_ones(deck: Path) -> None:
    rows = sorted(deficiencies(open_dataset(deck), "category").rows, key=lambda row: row.number)
    assert [row.count for row in rows] == COUNTS
    assert [round((row.share or 0) * 100, 2) for row in rows] == SHARES


def test_the_command_says_the_same(deck: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deficiencies", str(deck), "--by", "category", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert sorted(round(row["share"] * 100, 2) for row in rows) == sorted(SHARES)
    assert all(row.get("rate") is None for row in rows)
