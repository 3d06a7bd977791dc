"""A short run of the fuzzers: whatever comes in, the answer is a result or one sentence."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.datasets.opening import Dataset
from analysis.errors import AnalysisError
from analysis.selection import LISTS, Selection
from analysis.toml import parsed_toml
from tests.trust.fuzzing import Outcome, fuzz_addresses, fuzz_commands, fuzz_files, fuzz_toml


def sound(outcome: Outcome, amount: int) -> None:
    assert not outcome.findings, "\n".join(outcome.findings)
    assert sum(outcome.kinds.values()) == amount and len(outcome.kinds) > 1, outcome.kinds


def test_odd_files() -> None:
    outcome = fuzz_files(range(120))
    sound(outcome, 120)
    # A fuzzer whose every file is refused tries the doorstep only.
    assert outcome.kinds["refused in words"] < 100 and any(
        "read" in kind or "imported" in kind for kind in outcome.kinds
    )


def test_odd_toml() -> None:
    sound(fuzz_toml(range(180)), 180)


def test_odd_addresses(small_demo: Dataset) -> None:
    sound(fuzz_addresses(range(200), small_demo), 200)


def test_odd_commands(small_demo_folder: Path) -> None:
    sound(fuzz_commands(range(40), small_demo_folder), 40)


def test_a_fuzzer_notices() -> None:
    """It would be worthless if it did not."""
    from tests.trust.fuzzing import tried

    def raises(error: Exception) -> None:
        raise error

    outcome = Outcome()
    tried("x", 1, lambda: str(raises(KeyError("a"))), outcome)
    tried("x", 2, lambda: str(raises(AnalysisError("say so"))), outcome)
    tried("x", 3, lambda: str(raises(AnalysisError(""))), outcome)
    assert [words.split(":")[0] for words in outcome.findings] == ["x 1", "x 3"]


@settings(max_examples=150)
@given(st.text(max_size=80) | st.text("[]{}=.\"'#\n a1-:TZ", max_size=120))
def test_any_text_is_toml_or_is_refused(text: str) -> None:
    try:
        assert isinstance(parsed_toml(text), dict)
    except ValueError as error:
        assert str(error)


@settings(max_examples=150)
@given(
    query=st.dictionaries(
        st.sampled_from([*(option for option, _ in LISTS.values()), "from", "to", "x"]) | st.text(max_size=9),
        st.lists(st.text(max_size=12) | st.dates().map(str), max_size=4), max_size=5,
    )
)  # fmt: skip
def test_any_address_is_read(small_demo: Dataset, query: dict[str, list[str]]) -> None:
    selection, ignored = Selection.from_query(query, small_demo)
    assert Selection.from_query(selection.to_query(), small_demo) == (selection, ())
    assert selection.words(small_demo) and all(ignored)
