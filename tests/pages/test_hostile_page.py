"""Virtual vs in person on data made to break it: a sentence each, never a warning, NaN or a p-value of zero."""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analysis.counts import counts
from analysis.figures import registry
from tests.hostile import hostile_programs, period_of
from tests.pages.conftest import Open
from tests.situations import many

PAGE = "virtual_vs_in_person.py"
NO_WORDS = re.compile(r"\b(nan|NaN|NaT|inf|infinity)\b|\bNone\b(?! of )|\b[pq] = 0(\.0*)?(?![\d.])")
SAID = {
    "one arm empty": "Too few to compare: 0 virtual and 400 in-person.",
    "everything an event": "200 of 200 virtual and 200 of 200 in-person.",
    "no events": "0 of 200 virtual and 0 of 200 in-person.",
    "one stratum": "as good as in person, or finding more",
    "the event is the mode": "In one group it always happens or never does",
    "one specialist": "Fewer than 5 specialists are too few",
    "an office each": "No like-for-like answer",
    "nothing verified": "none of them has what this metric counts",
    "a tenth not verified": "not yet enough to call it as good",
}
"""What the page says at its top."""
BOUNDS = "Whatever the unverified criteria hide"
DRAWN = "is possible when nothing is assumed about the unseen"


@pytest.fixture(scope="module")
def folder(small_demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_programs(small_demo_folder, tmp_path_factory.mktemp("hostile") / "dataset")


@pytest.fixture
def open_program(open_app: Open, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the page at a program of the hostile dataset."""

    def opened(name: str | None, **query: str) -> AppTest:
        monkeypatch.setenv("CTPAT_DATASETS", str(folder))
        period = period_of(str(name))
        # Each office is compared by itself: two months of them are as hard as a year, and quicker.
        end = period.start.replace(month=2, day=28) if name == "an office each" else period.end
        return open_app(PAGE, from_=str(period.start), to=str(end), **query)

    return opened


def blocks(app: AppTest) -> list[str]:
    """What the page says, block by block from its top, without its markup."""
    found = [str(block.proto.body) for block in app.main.get("html")]
    return [" ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split()) for text in found]


def charts(app: AppTest) -> list[str]:
    return [chart.proto.spec for chart in app.get("vega_lite_chart")]


def sound(app: AppTest) -> list[str]:
    """No exception, no box of a warning or an error, no number that does not exist; what the page says."""
    assert not app.exception and not app.warning and not app.error
    said = blocks(app)
    for text in (*said, *(str(block.value) for block in app.markdown)):
        assert not NO_WORDS.search(text), text
        assert "could not be drawn" not in text, text
    for spec in charts(app):
        assert not re.search(r"\bNaN\b|\bInfinity\b", spec)
    return said


@pytest.mark.parametrize("name", SAID)
def test_the_page_says_what_it_can_and_nothing_breaks(open_program: Open, name: str) -> None:
    """Where much was not seen, all that the answer could be is read before the answer; elsewhere never."""
    said = sound(open_program(name))
    answer = next(i for i, text in enumerate(said) if SAID[name] in text)
    assert len(said[answer].split()) <= 45
    bounds = [i for i, text in enumerate(said) if text.startswith(BOUNDS)]
    drawn = [i for i, text in enumerate(said) if DRAWN in text]
    effect = next((i for i, text in enumerate(said) if "95% interval" in text), len(said))
    if name == "a tenth not verified":
        assert len(bounds) == len(drawn) == 1 and bounds[0] < drawn[0] < answer == effect, said[:6]
    else:
        assert not bounds and all(effect < i for i in drawn), said[:6]


def test_a_hundred_million_validations(open_program: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    assert registry()  # Every module that counts has been imported.
    for name, module in list(sys.modules.items()):
        if name.startswith("analysis.") and getattr(module, "counts", None) is counts:
            monkeypatch.setattr(module, "counts", many(counts, 250_000))
    said = sound(open_program("ordinary"))
    assert any("n = 100,000,000 validations" in text for text in said), said[:6]
    assert any("With more than a million validations" in text for text in said)
