"""What is swallowed, silenced or skipped says why; and nothing that comes in is ever run as code."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.reading import tree_of

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [
    *sorted((ROOT / "analysis").rglob("*.py")),
    *sorted((ROOT / "pages").rglob("*.py")),
    ROOT / "app.py",
]
TESTS = [*sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "docs").rglob("*.py"))]
BROAD = {"Exception", "BaseException"}
SKIPS = {"skip", "skipif", "xfail", "importorskip"}
SILENCED = re.compile(r"#\s*(noqa|type:\s*ignore)(?P<codes>:?\s*[A-Z][A-Z0-9, ]*|\[[\w, -]+\])?(?P<rest>.*)")
FORBIDDEN_MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "patsy",
    "formulaic",
    "yaml",
}
"""What runs code that comes with data, or Python written in a formula."""
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "from_formula",
    "read_pickle",
    "to_pickle",
    "query",
    "system",
    "popen",
}
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|COPY|ATTACH|SET|ALTER)\b")
SAFE_IN_SQL = re.compile(
    r"_quoted\(|_literal\(|_selected\(|int\(|_as_text\(|_SQL_TYPES\[|_held_name\(|_safe_format"
    r"|^(name|columns|casts|line_end|order|ordered|ROW|tries|source|value|view|compression|kind)$"
)
"""Quoted, made of ours, or a name that is built of such parts only a line above."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def comments(path: Path) -> dict[int, str]:
    with tokenize.open(path) as file:
        return {
            token.start[0]: token.string
            for token in tokenize.generate_tokens(file.readline)
            if token.type == tokenize.COMMENT
        }


def swallows(handler: ast.ExceptHandler) -> bool:
    """A handler that catches everything, or that does nothing with what it caught."""
    caught = (
        {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else BROAD
    )
    # What is caught broadly and raised again is not swallowed.
    again = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    return (bool(caught & BROAD) and not again) or all(isinstance(node, ast.Pass) for node in handler.body)


def unexplained(path: Path) -> Iterator[str]:
    """Places of a file where a reason is missing."""
    said = comments(path)
    tree = tree_of(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and swallows(node):
            around = range(
                node.lineno - 1, node.body[0].end_lineno + 1 if node.body[0].end_lineno else node.lineno
            )
            if not any(line in said for line in around):
                yield f"{name_of(path)}:{node.lineno} catches everything, or drops what it caught"
        if isinstance(node, ast.Call | ast.Attribute):
            name = ast.unparse(node.func if isinstance(node, ast.Call) else node)
            if not re.fullmatch(r"pytest\.(mark\.)?(" + "|".join(SKIPS) + ")", name):
                continue
            given = isinstance(node, ast.Call) and bool(
                node.args or any(k.arg == "reason" for k in node.keywords)
            )
            if name.endswith("importorskip"):
                given = isinstance(node, ast.Call) and any(k.arg == "reason" for k in node.keywords)
            if isinstance(node, ast.Call) and not given:
                yield f"{name_of(path)}:{node.lineno} skips without a reason"
    for line, text in said.items():
        found = SILENCED.match(text)
        if found and not re.search(r"#\s*\w+\W+\w+", found["rest"]):
            yield f"{name_of(path)}:{line} {text}"
        if found and not found["codes"]:
            yield f"{name_of(path)}:{line} silences everything: {text}"


def test_whatever_is_swallowed_silenced_or_skipped_says_why() -> None:
    # This file speaks of them.
    missing = [words for path in (*PROGRAM, *TESTS) if path != Path(__file__) for words in unexplained(path)]
    assert not missing, "\n".join(missing)


def test_what_is_looked_for_is_found(tmp_path: Path) -> None:
    path = ROOT / "tests" / "architecture" / "nowhere.py"
    wrong = "\n".join(
        ["import pytest", "try:", "    x = 1", "except Exception:", "    x = 2", "try:", "    x = 3", "except KeyError:", "    pass",
         "y = x  # type: " + "ignore", "z = y  # no" + "qa: F401", "pytest.importorskip('a')", "pytest.skip()"]
    )  # fmt: skip
    fake = tmp_path / path.name
    fake.write_text(wrong, encoding="utf-8")
    module = globals()
    before, module["ROOT"] = module["ROOT"], tmp_path
    try:
        assert len(list(unexplained(fake))) == 7
    finally:
        module["ROOT"] = before


def test_tests_silence_no_type_checker() -> None:
    """None reads them: what is written for one there is noise."""
    for path in TESTS:
        marked = [line for line, text in comments(path).items() if re.match(r"#\s*type:\s*ignore", text)]
        assert not marked, f"{name_of(path)}: {marked}"


@pytest.mark.parametrize("path", PROGRAM, ids=name_of)
def test_nothing_that_comes_in_is_run(path: Path) -> None:
    tree = tree_of(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            for name in names:
                assert name.split(".")[0] not in FORBIDDEN_MODULES, f"{name_of(path)} imports {name}"
                assert "formula" not in name, f"{name_of(path)} imports {name}"
        if isinstance(node, ast.Call):
            whole = ast.unparse(node.func)
            last = whole.split(".")[-1]
            if last in FORBIDDEN_CALLS and not whole.startswith(("re.", "typst.")):
                raise AssertionError(f"{name_of(path)}:{node.lineno} calls {whole}")
            # A text given to a frame's query or eval is run as an expression.
            assert whole.split(".")[-1] != "query" or ".st." in f".{whole}", (
                f"{name_of(path)}:{node.lineno} calls {whole}"
            )
            assert not any(k.arg == "shell" for k in node.keywords), f"{name_of(path)}:{node.lineno}"
            assert not (last.startswith("load") and any(k.arg == "allow_pickle" for k in node.keywords))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "analysis" / "datasets" / "engines").glob("*.py")), ids=name_of
)
def test_text_goes_into_sql_only_in_quotes(path: Path) -> None:
    """Every part of an SQL string that is not written out is quoted, a number, or of ours."""
    tree = tree_of(path)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and node.body and isinstance(node.body[0], ast.Expr)
    }  # fmt: skip
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr) or id(node) in docstrings:
            continue
        written = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        if not SQL.search(written):
            continue
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                text = ast.unparse(part.value)
                assert SAFE_IN_SQL.search(text), f"{name_of(path)}:{node.lineno} puts {text} into SQL"
