"""The sentences of verdicts: each kept to be read, true of its numbers, short, and plain.

They stand in ``tests/data/verdict_sentences.toml``. After a change of wording, write the file again with
``WRITE_SENTENCES=1 python -m pytest tests/unit/test_verdict_sentences.py``, and read what changed.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from analysis import Selection, figure, open_dataset
from analysis.datasets.opening import Dataset
from analysis.questions.sentences import verdict_reason, verdict_settles
from analysis.results import Comparison, Estimate
from analysis.suppression import suppressed
from tests.hostile import hostile_programs
from tests.situations import SITUATIONS, WORLD, answered

KEPT = Path(__file__).parents[1] / "data" / "verdict_sentences.toml"
METRICS = tomllib.loads((Path(__file__).parents[2] / "data" / "metrics.toml").read_text("utf-8"))["metric"]
JUDGED = ("as_good", "not_as_good", "finds_more", "better", "cannot_tell")

CAUSAL = re.compile(
    r"\b(caus(e|es|ed|ing)|leads?|led|due|because|owing|thanks|improv\w+|reduc\w+|miss(es|ed)?|detects?|detected|"
    r"results? (in|from)|made|makes|effect of|affect\w*|prevent\w*|increas\w+|decreas\w+)\b"
)
NEGATION = re.compile(
    r"\b(no|not|none|never|nothing|neither|nor|cannot|can.t|without|n.t|unlike\w*)\b", re.IGNORECASE
)
NO_NUMBER = re.compile(r"\b(nan|NaN|inf|None)\b|p = 0|[−+]0\.0+\b(?!\d)")
SAID = (
    (": **as good as ", "as_good"),
    (": **finds more**", "finds_more"),
    (": **better**", "better"),
    (": **not as good**", "not_as_good"),
    (": **not yet enough**", "cannot_tell"),
    (": **differs by more than ", "described"),
    (": described", "described"),
    ("**Too few to compare**", "too_few"),
    ("**Nothing to compare**", "too_few"),
    ("**Not estimable**", "too_few"),
    ("**No like-for-like answer.**", "too_few"),
    ("No validations match", "too_few"),
    ("**Not comparable.**", "not_comparable"),
    ("does not record this", "not_comparable"),
)  # fmt: skip
"""How a verdict is worded: the first that is found."""


@pytest.fixture(scope="module")
def answers(
    demo: Dataset, small_demo: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Comparison]:
    out = tmp_path_factory.mktemp("situations") / "dataset"
    world = open_dataset(hostile_programs(small_demo.path, out, WORLD))
    data = {"demo": demo, "small": small_demo, "world": world}
    return {name: answered(situation, data) for name, situation in SITUATIONS.items()}


@dataclass(frozen=True)
class Said:
    """The numbers of a sentence, read back from its words; `half` is half a unit of the last digit of the effect."""

    effect: float
    low: float
    high: float
    n: int
    margin: float | None
    half: float


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("+", "").replace(",", ""))


def read(sentence: str) -> Said | None:
    """Effect and interval as fractions or ratios, n and margin; None for a sentence without an interval."""
    bounds = re.search(
        r"95% interval ([−+\d.]+)%? to ([−+\d.]+)%?; n = ([\d,]+) (validations|criteria|deficiencies|answers)\)",
        sentence,
    )
    if bounds is None:
        return None
    times = re.search(r"\*\*([\d.]+) times\*\*", sentence)
    points = re.search(r"\*\*([\d.]+) percentage points\*\* (less often|more often|fewer|more)", sentence)
    alike = re.search(r"\*\*as (?:often|many)\*\* .*\(difference (0\.0+) points", sentence)
    share = re.search(r"^\*\*([\d.]+)%\*\*", sentence)
    found = [match for match in (times, points, alike, share) if match]
    assert len(found) == 1, sentence
    (match,) = found
    scale = 1 if times else 100
    effect = number(match[1]) * (-1 if points and points[2] in ("less often", "fewer") else 1)
    margin = re.search(r"([\d.]+)-point margin", sentence)
    ratio = re.search(r"margin of ([\d.]+\d)", sentence)
    limit = number(margin[1]) / 100 if margin else number(ratio[1]) if ratio else None
    half = 0.5 * 10 ** -len(match[1].partition(".")[2])
    low, high = number(bounds[1]), number(bounds[2])
    return Said(effect / scale, low / scale, high / scale, int(number(bounds[3])), limit, half / scale)


def derived(low: float, high: float, margin: float | None, metric: dict[str, Any]) -> str:
    """The verdict by the rules of the plan, from an interval and a margin, told once more."""
    harmful, ratio = metric["harmful"], metric.get("margin_scale") == "ratio"
    if margin is None or not metric.get("judged", True) or harmful == "none":
        return "described"
    if ratio:
        low, high, margin = math.log(low), math.log(high), abs(math.log(margin))
    if harmful == "higher":
        low, high = -high, -low
    if -margin < low and high < margin:
        return "as_good"
    if harmful == "two_sided":
        return "described" if high < -margin or low > margin else "cannot_tell"
    if low > 0:
        return "finds_more" if metric["role"] == "detection" else "better"
    if low > -margin:
        return "as_good"
    return "not_as_good" if high < -margin else "cannot_tell"


def told(answer: Comparison) -> Estimate | None:
    """The row whose numbers the sentence tells."""
    return answer.estimate("crude") if "Unadjusted, " in answer.sentence else answer.answer


def clauses(sentence: str) -> Iterator[str]:
    return (clause for clause in re.split(r"[.,;:()](?!\d)", sentence.replace("**", "")) if clause.strip())


def test_the_sentences_are_those_that_were_read(answers: dict[str, Comparison]) -> None:
    said = {name: answer.sentence for name, answer in answers.items()}
    if os.environ.get("WRITE_SENTENCES"):
        lines = (
            f"{json.dumps(name)} = {json.dumps(words, ensure_ascii=False)}" for name, words in said.items()
        )
        KEPT.write_text(
            "# Written by tests/unit/test_verdict_sentences.py, which says how.\n" + "\n".join(lines) + "\n",
            "utf-8",
        )
    assert said == tomllib.loads(KEPT.read_text("utf-8"))


def test_every_verdict_and_kind_of_metric_is_there(answers: dict[str, Comparison]) -> None:
    assert len(answers) >= 40
    assert {answer.verdict for answer in answers.values()} == {
        *JUDGED,
        "too_few",
        "not_comparable",
        "described",
    }
    told_kinds = {(answer.kind, answer.verdict) for answer in answers.values()}
    for kind in ("proportion", "rate", "duration"):
        for verdict in ("as_good", "not_as_good", "cannot_tell", "too_few"):
            assert (kind, verdict) in told_kinds
    assert {kind for kind, _ in told_kinds} == {m["kind"] for m in METRICS.values()}
    assert {"reversal", "beyond_two_sided", "over_a_million", "mode_filter_ignored"} <= {
        code for answer in answers.values() for code in answer.reasons
    }


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_sentence_is_true_of_its_numbers(answers: dict[str, Comparison], name: str) -> None:
    answer = answers[name]
    sentence, metric = answer.sentence, METRICS[answer.metric]
    verdict = next(code for words, code in SAID if words in sentence)
    assert verdict == answer.verdict
    said = read(sentence)
    if said is None:
        assert verdict in ("too_few", "not_comparable"), sentence
        return
    row = told(answer)
    if row is None:
        (arm,) = answer.arms.values()
        assert arm.interval is not None and arm.estimate is not None
        numbers, n = (arm.estimate, arm.interval.low, arm.interval.high), arm.n
    else:
        assert row.interval is not None and row.estimate is not None
        numbers, n = (row.estimate, row.interval.low, row.interval.high), row.n
    for shown, real in zip((said.effect, said.low, said.high), numbers, strict=True):
        assert abs(shown - real) <= said.half * 1.0001, sentence
    assert said.n == n and said.low <= said.effect <= said.high
    if verdict in ("too_few", "not_comparable"):
        assert "Unadjusted, " in sentence
        return
    assert (said.margin is None) == (answer.margin is None), sentence
    if said.margin is not None:
        assert said.margin == pytest.approx(answer.margin, abs=5e-5)
        asked = SITUATIONS[name]
        assert ("illustrative" in sentence) == (asked.margin is asked.program is None)
        assert ("moved" in sentence) == (asked.margin is not None)
    # What is rounded may have lain on either side of a line that it touches.
    nearby = itertools.product(*([end - said.half, end, end + said.half] for end in (said.low, said.high)))
    assert verdict in {derived(low, high, said.margin, metric) for low, high in nearby}, sentence
    assert verdict == derived(numbers[1], numbers[2], answer.margin, metric)
    nuances(sentence, said, metric)


def nuances(sentence: str, said: Said, metric: dict[str, Any]) -> None:
    """What is said beside the verdict follows from the numbers as well."""
    nothing = 1.0 if metric.get("margin_scale") == "ratio" else 0.0
    excluded = said.low > nothing or said.high < nothing
    inside = (
        said.margin is not None
        and derived(said.low, said.high, said.margin, metric | {"harmful": "two_sided", "judged": True})
        == "as_good"
    )
    if "as good as" in sentence and ": **" in sentence:
        # Arms with long names leave no room for where the interval lies.
        short = "(illustrative margin of" in sentence
        assert short or (", at worst within the " in sentence) == (not inside), sentence
        assert short or (": **as good" in sentence and "**, within the " in sentence) <= inside, sentence
        lean = re.search(
            r"\*\* \((?:slightly )?(less often|more often|fewer|more|shorter|longer)\)", sentence
        )
        assert bool(lean) == (inside and excluded), sentence
        if lean:
            assert (lean[1] in ("less often", "fewer", "shorter")) == (said.effect < nothing), sentence
    if "with the whole interval" in sentence:
        side = re.search(r"with the whole interval (above|below) (0|1\.00) ", sentence)
        assert (
            side
            and float(side[2]) == nothing
            and (said.low if side[1] == "above" else -said.high)
            >= (nothing if side[1] == "above" else -nothing)
        )
    if "whether that is beyond" in sentence:
        assert excluded and not inside
    if "to call it as good" in sentence:
        assert not excluded or metric["harmful"] == "two_sided"


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_sentence_is_short_and_plain(answers: dict[str, Comparison], name: str) -> None:
    answer = answers[name]
    assert len(answer.sentence.split()) <= 45
    for words in (answer.sentence, verdict_reason(answer), verdict_settles(answer)):
        assert not CAUSAL.search(words), words
        assert not NO_NUMBER.search(words), words
        for clause in clauses(words):
            assert len(NEGATION.findall(clause)) <= 1, clause
    assert answer.sentence.count("**") in (0, 2, 4) and "  " not in answer.sentence
    assert answer.sentence.endswith(".") and not re.search(r"[.:;,]{2}", answer.sentence)


def test_the_card_has_its_numbers_as_a_table(demo: Dataset, answers: dict[str, Comparison]) -> None:
    table = figure("virtual_vs_in_person.verdict", demo).table
    assert list(table) == ["Way of asking", "Effect", "95% interval", "Margin", "n", "Verdict"]
    answer = answers["share, open"]
    for shown, row in zip(table.to_dict("records"), (answer.answer, answer.estimate("crude")), strict=True):
        assert row is not None and row.estimate is not None and row.interval is not None
        assert shown["Effect"].endswith(" points")
        assert number(shown["Effect"].split()[0]) == pytest.approx(100 * row.estimate, abs=0.05)
        assert [number(end) for end in shown["95% interval"].split(" to ")] == pytest.approx(
            [100 * row.interval.low, 100 * row.interval.high], abs=0.05
        )
        assert shown["n"] == f"{row.n:,} validations" and shown["Margin"] == "illustrative 5-point margin"
    assert list(table["Verdict"]) == ["Can’t tell yet", "Not judged"]
    few = figure("virtual_vs_in_person.verdict", demo, Selection(offices=("Miami",), risks=("high",))).table
    assert list(few["Verdict"]) == ["Too few", "Not judged"] and few["Effect"][0] == "–"


def test_without_its_n_a_sentence_keeps_no_unit(answers: dict[str, Comparison]) -> None:
    """What is hidden with small counts goes with its noun."""
    hidden = [suppressed(answer) for answer in answers.values()]
    without = [a.sentence for a in hidden if "suppressed" in a.reasons and "95% interval" in a.sentence]
    assert without and all(re.search(r"95% interval [^;)]* to [−+\d.]+%?\)", words) for words in without), (
        without
    )
