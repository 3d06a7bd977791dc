"""Every reason code handed out has words, and every sentence is handed out by somebody."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from analysis.reasons import REASONS, words
from tests.architecture.reading import tree_of

ANALYSIS = Path(__file__).resolve().parents[2] / "analysis"
SOURCES = [path for path in sorted(ANALYSIS.rglob("*.py")) if path.name != "reasons.py"]
LITERALS = {
    node.value
    for path in SOURCES
    for node in ast.walk(tree_of(path))
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
}
# Made of a prefix and a value of the data: mode_hybrid, mode_other …
COMPOSED = ("mode_",)
HANDED_OUT = re.compile(
    r"(?:reasons?|caveats|settings_reasons)\s*(?:\+=|=|:\s*tuple\[str, \.\.\.\]\s*=)\s*\(\s*\"(\w+)\""
    r"|reasons?\.append\(\"(\w+)\"\)|reason=\"(\w+)\"|reasons\.words\(\"(\w+)\"\)"
)


def test_every_code_handed_out_has_words() -> None:
    for path in SOURCES:
        for match in HANDED_OUT.finditer(path.read_text(encoding="utf-8")):
            code = next(group for group in match.groups() if group)
            assert code in REASONS, f"{path.relative_to(ANALYSIS)}: {code}"


def test_codes_are_found_at_all() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    assert len({next(filter(None, m.groups())) for m in HANDED_OUT.finditer(text)}) >= 15


@pytest.mark.parametrize("code", REASONS)
def test_every_code_is_handed_out(code: str) -> None:
    assert code in LITERALS or code.startswith(COMPOSED), f"nothing hands out {code}"


@pytest.mark.parametrize("code", REASONS)
def test_words_are_one_sentence(code: str) -> None:
    assert words(code)[0].isupper() and words(code).endswith(".")
