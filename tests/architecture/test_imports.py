"""Imports run one way, and the house rules that a program can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.reading import tree_of

ROOT = Path(__file__).resolve().parents[2]
ANALYSIS = sorted((ROOT / "analysis").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# Who may import whom inside analysis, while the program runs. What only a type checker reads is free.
LOW = {"errors", "reasons", "results", "schema", "wording"}
MAY_IMPORT: dict[str, set[str]] = {
    "__init__": set(),
    "__main__": {"cli"},
    "coding": set(),
    "errors": set(),
    "files": set(),
    "reasons": set(),
    "results": set(),
    "schema": set(),
    "toml": set(),
    "wording": {"results"},
    "selection": {"errors", "schema", "wording"},
    "stats": {"results", "reasons", "errors"},
    "datasets": {"errors", "files", "schema", "selection", "toml"},
    "counts": {"datasets", "errors", "schema", "selection"},
    "criteria_counts": {"coding", "counts", "selection", "schema", "errors", "datasets"},
    "metrics": {"datasets", "errors", "schema"},
    "questions": {
        "coding",
        "counts",
        "criteria_counts",
        "datasets",
        "metrics",
        "selection",
        "stats",
        "toml",
        *LOW,
    },
    "office_parts": {"datasets", "questions"},
    "methods": {"metrics", "questions", "stats", *LOW},
    "suppression": {"questions", "results", "selection", "wording"},
    "charts": {"results", "wording"},
    "figures": {"charts", "counts", "methods", "questions", "selection", "suppression", "metrics", *LOW},
    "report": {
        "figures",
        "charts",
        "questions",
        "counts",
        "metrics",
        "selection",
        "suppression",
        "files",
        "toml",
        *LOW,
    },
    "dictionary": {"datasets", "metrics", "schema"},
    "cli": {
        "datasets",
        "errors",
        "figures",
        "office_parts",
        "questions",
        "report",
        "selection",
        "suppression",
    },
}
HEAVY = {"adbc_driver_manager", "altair", "pyspark", "scipy", "statsmodels", "streamlit"}
BARRED_FROM_PAGES = {"scipy", "statsmodels", "narwhals", "duckdb", "altair", "pyarrow"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def for_types_only(tree: ast.AST) -> set[int]:
    return {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for part in node.body
        for inner in ast.walk(part)
    }


def imported(path: Path, *, running: bool = False) -> Iterator[str]:
    """Names of the modules a file imports anywhere; only those of the running program on request."""
    tree = tree_of(path)
    skipped = for_types_only(tree) if running else set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{name_of(path)}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT / "analysis").with_suffix("").parts[0]


@pytest.mark.parametrize("path", ANALYSIS, ids=name_of)
def test_imports_inside_analysis_run_one_way(path: Path) -> None:
    layer = layer_of(path)
    assert layer in MAY_IMPORT, f"say in this test what {layer} may import"
    for name in imported(path, running=True):
        parts = name.split(".")
        if parts[0] == "analysis" and len(parts) > 1 and parts[1] != layer:
            assert parts[1] in MAY_IMPORT[layer], f"{name_of(path)} imports {name}"


def test_no_layer_can_reach_itself_through_another() -> None:
    def reach(layer: str, seen: frozenset[str]) -> None:
        for lower in MAY_IMPORT[layer]:
            assert lower not in seen, f"{lower} imports itself by way of {layer}"
            reach(lower, seen | {lower})

    for layer in MAY_IMPORT:
        reach(layer, frozenset({layer}))


@pytest.mark.parametrize("path", ANALYSIS, ids=name_of)
def test_analysis_knows_no_screen(path: Path) -> None:
    for name in imported(path):
        assert name.split(".")[0] not in {"streamlit", "pages", "app", "tests"}, (
            f"{name_of(path)} imports {name}"
        )


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_pages_are_thin(path: Path) -> None:
    for name in imported(path):
        assert name.split(".")[0] not in BARRED_FROM_PAGES, f"{name_of(path)} imports {name}"


@pytest.mark.parametrize("path", [*ANALYSIS, *PAGES, ROOT / "app.py"], ids=name_of)
def test_statsmodels_is_imported_by_its_parts(path: Path) -> None:
    for name in imported(path):
        assert not name.startswith(("statsmodels.api", "statsmodels.formula")), (
            f"{name_of(path)} imports {name}"
        )


def test_sql_stands_only_in_the_engines() -> None:
    for path in ANALYSIS:
        if path.parent.name != "engines":
            found = {name.split(".")[0] for name in imported(path)}
            assert not found & {"duckdb", "pyspark", "adbc_driver_postgresql"}, name_of(path)


def test_importing_analysis_loads_nothing_heavy() -> None:
    code = f"import sys, analysis, analysis.cli; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", ANALYSIS, ids=name_of)
def test_public_names_have_docstrings(path: Path) -> None:
    tree = tree_of(path)
    assert ast.get_docstring(tree), f"{name_of(path)} has no docstring"
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    named = [*tree.body, *(inner for node in classes for inner in node.body)]
    for node in named:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{name_of(path)}: {node.name} has no docstring"


@pytest.mark.parametrize("path", ANALYSIS, ids=name_of)
def test_modules_tell_one_story_under_a_name_of_the_domain(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 450, f"{name_of(path)} is too long: split it"
    assert not re.search(r"util|helper|manager|misc|common", path.stem, re.IGNORECASE)
    assert not re.search(r"^\s*(class|def) \w*(Manager|Helper|Util|Factory)", text, re.MULTILINE), name_of(
        path
    )


@pytest.mark.parametrize("path", [*ANALYSIS, *PAGES, *TESTS, ROOT / "app.py"], ids=name_of)
def test_no_file_knows_the_machine_it_was_written_on(path: Path) -> None:
    places = ["home", "Users", "root", "work", "tmp", "mnt", "opt"]
    found = re.findall(rf"[\"' ]/(?:{'|'.join(places)})/\w+", path.read_text(encoding="utf-8"))
    assert not found, f"{name_of(path)}: {found}"
