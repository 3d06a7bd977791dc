"""Parametrises the reference test, and notes the kinds that are still to be built."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from adapters import NOT_YET
from collection import all_cases


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = [(path, case) for path, case in all_cases() if case["kind"] not in NOT_YET]
        ids = [f"{path.stem}-{case['kind']}-{case['id']}" for path, case in cases]
        metafunc.parametrize(("case_file", "case"), cases, ids=ids)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if NOT_YET:
        terminalreporter.section("reference kinds not yet built")
        terminalreporter.write_line(f"{len(NOT_YET)}: {', '.join(sorted(NOT_YET))}")
