"""What the page Methods says is complete, said once, and taken from where it is defined."""

from __future__ import annotations

import ast
import copy
import datetime as dt
import html
import re
import tokenize
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from analysis import Dataset, Selection, compare, figure
from analysis.charts.verdict import VERDICTS
from analysis.figures import registry
from analysis.figures.comparison import METHODS, POPULATIONS
from analysis.methods.definitions import definitions
from analysis.methods.glossary import glossary
from analysis.methods.guardrails import guardrails
from analysis.methods.limits import CHALLENGES, LIMITS
from analysis.methods.parts import EXPLAINED_IN, parts, sentence
from analysis.methods.statistics import statistics
from analysis.methods.verdicts import RULES
from analysis.methods.ways import ways
from analysis.metrics import metrics
from analysis.reasons import GROUPS, REASONS

ROOT = Path(__file__).resolve().parents[2]
AUTHOR_AND_YEAR = re.compile(r"[A-Z][\w’'–-]+.*\((1[89]|20)\d\d\)")


@pytest.fixture(scope="module")
def shown(demo: Dataset) -> dict[str, str]:
    """The markup of every part."""
    return {part: figure(f"methods.{part}", demo).html or "" for part in parts()}


@pytest.fixture(scope="module")
def words(shown: dict[str, str]) -> str:
    """Everything the page says, as plain text."""
    return html.unescape(re.sub(r"<[^>]+>", " ", " ".join(shown.values())))


def test_every_metric_is_defined_as_the_file_defines_it(
    demo: Dataset, words: str, shown: dict[str, str]
) -> None:
    assert [d.id for d in definitions(demo)] == list(metrics())
    for metric in metrics().values():
        assert metric.label in words and metric.question in words
        assert f'id="metric-{metric.id}"' in shown["metrics"]


def test_margins_are_those_of_the_dataset(demo: Dataset) -> None:
    assert {d.margin.split("; ")[-1] for d in definitions(demo) if d.margin != "No margin"} == {
        "illustrative"
    }
    own = copy.copy(demo)
    own.margins = {"set_on": dt.date(2021, 3, 1), "any_deficiency": 0.025}
    margins = {d.id: d.margin for d in definitions(own)}
    assert margins["any_deficiency"] == "2.5 percentage points; set on 2021-03-01"
    assert margins["any_must_deficiency"] == "5 percentage points; illustrative"
    assert "1 margin set by the program" in figure("methods.metrics", own).caption


def test_every_method_that_answers_hand_out_is_explained(small_demo: Dataset, words: str) -> None:
    handed_out = {
        row.method
        for metric in ("any_must_deficiency", "deficiency_rate", "hours")
        for row in compare(small_demo, metric).estimates
    }
    known = {method for method, _ in METHODS}
    assert handed_out <= known and known == set(ways())
    for way in ways().values():
        assert METHODS[way.method, "difference"] in words and way.asks in words
        assert POPULATIONS[way.population].lower() in words.lower()


def test_a_way_speaks_of_whom_its_estimates_speak(small_demo: Dataset) -> None:
    for row in compare(small_demo, "any_must_deficiency").estimates:
        assert row.population == ways()[row.method].population


def test_functions_of_ways_and_statistics_exist() -> None:
    made_by = [f"analysis.{way.made_by}" for way in ways().values()]
    for name in (*made_by, *(f"analysis.stats.{each.name}" for each in statistics())):
        module, function = name.rsplit(".", 1)
        assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize(
    "selection",
    [
        Selection(start=dt.date(2018, 1, 1), end=dt.date(2018, 3, 31)),
        Selection(start=dt.date(2021, 1, 1), end=dt.date(2021, 1, 31)),
        Selection(offices=("Miami",), entity_types=("sea_carrier",)),
        Selection(kinds=("initial",), risks=("high",), locations=("foreign",)),
    ],
    ids=["one mode", "one month", "few", "one stratum"],
)
def test_refusals_are_those_the_page_names(small_demo: Dataset, selection: Selection) -> None:
    """Why a way gives nothing is one of the reasons listed for it, or one that forbids any verdict."""
    everywhere = {code for rule in RULES for code in rule.reasons} | {"few_clusters"}
    for row in compare(small_demo, "any_must_deficiency", selection).estimates:
        if row.status == "not_estimable" and row.measure == "difference":
            assert set(row.caveats) & ({*ways()[row.method].refused} | everywhere), (row.method, row.caveats)


def test_every_reason_is_said_in_its_group(words: str) -> None:
    assert {g.code: g.words for g in guardrails()} == REASONS
    for sentence_of_code in REASONS.values():
        assert sentence_of_code in words


def test_groups_of_reasons_begin_where_the_table_says() -> None:
    """Each comment line of the table opens a group of the page: a new one wants a heading."""
    path = ROOT / "analysis" / "reasons.py"
    lines = path.read_text(encoding="utf-8").splitlines()
    firsts = []
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type == tokenize.COMMENT and token.line.strip().startswith("#"):
                firsts.append(ast.literal_eval(lines[token.start[0]].strip().split(":")[0]))
    assert list(GROUPS.values()) == firsts
    assert all(g.group for g in guardrails())


def test_every_verdict_has_a_rule_whose_examples_it_judges_so() -> None:
    assert {rule.verdict for rule in RULES} == set(VERDICTS)
    for rule in RULES:
        assert rule.examples or rule.reasons
        assert all(example.verdict == rule.verdict for example in rule.examples)
    (as_good,) = [rule for rule in RULES if rule.verdict == "as_good"]
    assert {example.nuance for example in as_good.examples} == {None, "or_better", "slightly_fewer"}


def test_statistics_are_those_that_questions_call() -> None:
    named = {each.name for each in statistics()}
    assert {
        "proportions.wilson",
        "g_computation.g_computation",
        "survival.kaplan_meier",
        "ranking.rank_units",
    } <= named
    assert all(each.what.endswith(".") and "`" not in each.what + each.how for each in statistics())


def test_every_reference_has_author_and_year() -> None:
    cited = [r for each in (*statistics(), *ways().values()) for r in each.references]
    assert len(cited) > 40
    assert not [reference for reference in cited if not AUTHOR_AND_YEAR.search(reference)]


def test_no_word_is_explained_twice() -> None:
    for names in ([t.id for t in glossary()], [t.term.lower() for t in glossary()]):
        assert [name for name, times in Counter(names).items() if times > 1] == []


def test_every_word_of_the_glossary_is_on_the_page_in_few_words(words: str, shown: dict[str, str]) -> None:
    for term in glossary():
        assert term.term in words and term.means in words
        assert f'id="term-{term.id}"' in shown["glossary"]
        assert len(term.means.split()) <= 45 and term.means.endswith("."), term.id


WANTED = (
    "estimand", "margin", "non-inferiority", "standardised", "mantel–haenszel", "overlap weighting", "doubly robust",
    "propensity", "positivity", "standardised mean difference", "effective sample size", "cluster-robust", "e-value",
    "false-discovery rate", "max-t", "simpson's paradox", "funnel plot", "over-dispersion", "kaplan–meier",
    "restricted mean", "hodges–lehmann", "brunner–munzel", "kappa", "ac1", "krippendorff's alpha", "suppression",
    "validation mode", "transport mode", "must and should", "deficiency share", "deficiency rate", "not verified",
    "fiscal year",
)  # fmt: skip


def test_words_that_people_ask_for_are_explained() -> None:
    assert not set(WANTED) - {term.term.lower() for term in glossary()}


def test_limits_name_what_cannot_be_said(words: str) -> None:
    for limit in LIMITS:
        assert limit.name in words and limit.so in words
    for phrase in (
        "subtracted",
        "illustrative",
        "last validation",
        "negative control",
        "SYNTHETIC",
        "not recorded",
    ):
        assert any(phrase in f"{limit.name} {limit.means} {limit.so}" for limit in LIMITS), phrase
    for challenge in CHALLENGES:
        assert challenge.challenge in words and challenge.comes_from in words


def test_anchors_are_unique_and_links_lead_somewhere(shown: dict[str, str]) -> None:
    anchors = re.findall(r' id="([^"]+)"', " ".join(shown.values())) + list(parts())
    assert [name for name, times in Counter(anchors).items() if times > 1] == []
    for name, part in EXPLAINED_IN.items():
        assert part in parts(), name
        assert registry()[name].method == part


def test_the_sentence_counts_what_is_there() -> None:
    numbers = [int(n) for n in re.findall(r"\d+", sentence())]
    assert numbers == [len(metrics()), len(ways()), len(statistics()), len(REASONS)]
    assert len(sentence().split()) <= 45


def test_prose_claims_no_causes(words: str) -> None:
    own = " ".join(
        [*(w.asks + w.does + w.assumes for w in ways().values()), *(f"{e.means} {e.so}" for e in LIMITS)]
        + [f"{c.answer}" for c in CHALLENGES] + [t.means for t in glossary()]
    )  # fmt: skip
    assert not re.search(r"\b(causes?d?|leads? to|due to|improves?|reduces?|misses|detects? better)\b", own)
    assert not re.search(r"\bNone\b|\bnan\b", words)
