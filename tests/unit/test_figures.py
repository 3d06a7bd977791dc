"""Every registered figure: whole, in words people read, honest when there is nothing to draw."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from analysis import AnalysisError, Dataset, Selection, compare, figure
from analysis.charts.figure import Figure
from analysis.datasets import engines
from analysis.figures import registry
from analysis.questions.balance import balance
from analysis.questions.comparison import compare_all
from analysis.schema import LABELS
from analysis.suppression import suppressed

NOTHING = Selection(start=dt.date(2035, 1, 1), end=dt.date(2035, 12, 31))
RAW = re.compile(r"\b(in_person|field_office|entity_type|any_must_deficiency|mantel_haenszel|nan|None)\b")


def test_ids_name_the_page_that_shows_them() -> None:
    pages = {path.stem for path in (Path(__file__).parents[2] / "pages").glob("[a-z]*.py")}
    assert {name.split(".")[0] for name in registry()} <= pages


@pytest.mark.parametrize("name", list(registry()))
def test_is_whole_on_the_demo(demo: Dataset, name: str) -> None:
    made = figure(name, demo)
    if name == "data.rejects":
        # The demo's own rows break no rule, which the figure says.
        assert made.state is not None and made.state.fact == "No row was rejected."
        return
    if name == "overview.program":
        # The demo is whole; tests/unit/test_parts.py looks at the part of an office.
        assert made.state is not None and made.state.fact == "This is the whole dataset."
        return
    assert made.state is None
    assert made.chart is not None or made.html
    assert made.alt and made.caption
    if registry()[name].reads == "published":
        assert (
            made.tag == ("DEFINITIONS" if name.startswith("methods.") else "PUBLISHED") and not made.synthetic
        )
    else:
        assert made.tag == "SYNTHETIC" and made.synthetic
    assert len(made.data)
    assert f"'{name}'" in made.code
    _reads_well(made)


@pytest.mark.parametrize("name", list(registry()))
def test_says_when_nothing_matches(demo: Dataset, name: str) -> None:
    made = figure(name, demo, NOTHING)
    _reads_well(made)
    if registry()[name].reads == "published":
        assert made.state is None
    elif name in ("data.rejects", "overview.program"):
        assert made.state is not None and made.state.kind == "too_small"
    elif made.state is not None:
        assert made.state.kind == "empty"
    else:
        assert "Too few" in (made.html or "") or "0" in (made.html or "")


@pytest.mark.parametrize("name", [n for n, spec in registry().items() if spec.drawn])
def test_follows_the_palette(demo: Dataset, name: str) -> None:
    light = str(figure(name, demo).chart.to_dict())
    screen = str(figure(name, demo, palette="screen").chart.to_dict())
    assert "var(--" in screen and "var(--" not in light
    assert "#005A94" in light or "#15202B" in light


@pytest.mark.parametrize("column", ["field_office", "entity_type", "risk", "kind", "location"])
def test_groups_by_each_column(demo: Dataset, column: str) -> None:
    made = figure("virtual_vs_in_person.groups", demo, by=column)
    assert made.state is None
    assert LABELS[column] in made.table.columns
    _reads_well(made)


@pytest.mark.parametrize(
    "metric", ["deficiency_rate", "hours", "days_to_report", "passed", "incident_within_12_months"]
)
def test_every_kind_of_metric_can_be_drawn(demo: Dataset, metric: str) -> None:
    for name in ("verdict", "ways", "groups"):
        made = figure(f"virtual_vs_in_person.{name}", demo, metric=metric)
        assert made.state is None, made.state
        _reads_well(made)


def test_the_two_arms_of_a_group_differ_by_the_number_beside_them(demo: Dataset) -> None:
    for group in compare(demo, "any_must_deficiency", by="risk").groups:
        row = group.answer
        assert row is not None and row.estimate is not None
        virtual, in_person = (group.adjusted_arms[mode].estimate for mode in ("virtual", "in_person"))
        assert virtual is not None and in_person is not None
        assert virtual - in_person == pytest.approx(row.estimate, abs=1e-12)


def test_verdict_card_shows_what_compare_answers(demo: Dataset) -> None:
    answer = compare(demo, "any_must_deficiency")
    html = figure("virtual_vs_in_person.verdict", demo).html or ""
    for arm in answer.arms.values():
        assert f"{arm.events:,} of {arm.n:,}" in html
    row = answer.answer
    assert row is not None and row.estimate is not None
    assert f"{abs(row.estimate) * 100:.1f}" in html


def test_small_shares_have_two_decimals_and_so_has_their_difference(demo: Dataset) -> None:
    answer = compare(demo, "incident_within_12_months")
    row = answer.answer
    assert row is not None and row.estimate is not None and row.interval is not None
    html = figure("virtual_vs_in_person.verdict", demo, metric="incident_within_12_months").html or ""
    for arm in answer.arms.values():
        assert arm.estimate is not None and f"{arm.estimate * 100:.2f}%" in html
    for value in (row.estimate, row.interval.low, row.interval.high):
        assert f"{abs(value) * 100:.2f}" in html and f"{abs(value) * 100:.2f}" in answer.sentence
    headline = compare(demo, "any_must_deficiency").answer
    assert headline is not None and headline.estimate is not None
    assert f"{abs(headline.estimate) * 100:.2f}" not in (
        figure("virtual_vs_in_person.verdict", demo).html or ""
    )


def test_the_caption_says_how_few_specialists_were_allowed_for(demo: Dataset) -> None:
    whole = figure("virtual_vs_in_person.ways", demo).caption
    assert re.search(r"clustered by specialist \(90\), t with 89 degrees of freedom", whole)
    one = compare(demo, "any_must_deficiency", Selection(offices=("Miami",))).answer
    assert one is not None and one.settings["correction"] == "CR2"
    said = figure("virtual_vs_in_person.ways", demo, Selection(offices=("Miami",))).caption
    assert (
        f"specialist ({one.settings['clusters']}), corrected for their small number (CR2, t with {one.settings['df']:.1f}"
        in said
    )


def test_the_caption_of_all_metrics_gives_response_rates(demo: Dataset) -> None:
    said = figure("virtual_vs_in_person.metrics", demo).caption
    for part in compare(demo, "feedback_confidence").groups:
        shares = [f"{found.share:.1%}" for found in part.coverage.values() if found.share]
        assert len(shares) == 2 and all(share in said for share in shares)


def test_hidden_counts_are_in_no_part_of_a_glance(demo: Dataset) -> None:
    """Side by side, metrics count subsets of each other: no two numbers of a mode lie one to four apart."""
    few = Selection(offices=("Miami",), entity_types=("highway_carrier",))
    answers = suppressed(compare_all(demo, few))
    shown = [a for a in answers if a.arms]
    assert shown and len(shown) < len(answers)
    for mode in ("virtual", "in_person"):
        told = [n for a in shown if a.unit == "validation" and a.kind != "rate" and mode in a.arms
                for n in (a.arms[mode].n, a.arms[mode].events, a.arms[mode].n - (a.arms[mode].events or 0)) if n]  # fmt: skip
        assert not [(a, b) for a in told for b in told if 0 < a - b < 5]
    rows = suppressed(balance(demo, few)).rows
    assert len(rows) < len(balance(demo, few).rows)
    for row in rows:
        for share, n in ((row.virtual, "virtual"), (row.in_person, "in_person")):
            assert not 0 < round(share * balance(demo, few).n[n]) < 5


def test_unknown_figure_names_the_nearest(demo: Dataset) -> None:
    with pytest.raises(AnalysisError, match=r"did you mean 'overview\.months'"):
        figure("overview.month", demo)


@pytest.mark.parametrize("name", list(registry()))
def test_reads_what_the_registry_says_and_never_source_tables(
    demo: Dataset, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter change touches cells, or prepared columns for the figures marked `rows`; source tables only for quality."""
    touched: list[str] = []
    read = engines.DuckDB.read_parquet

    def recorded(self: engines.DuckDB, path: Path) -> engines.Frame:
        touched.append(path.parent.name)
        return read(self, path)

    monkeypatch.setattr(engines.DuckDB, "read_parquet", recorded)
    figure(name, demo, Selection(offices=("Miami",), start=dt.date(2021, 1, 1)))
    allowed = {"rows": {"prepared"}, "source": {"prepared", "source"}}.get(registry()[name].reads, set())
    assert set(touched) <= allowed


def test_which_figures_read_source_tables() -> None:
    """The quality of data is that of the source, and what members wrote stands nowhere else."""
    read = [name for name, spec in registry().items() if spec.reads == "source"]
    assert read == ["feedback.themes", "data.checks", "data.completeness", "data.rejects"]


def test_which_figures_read_rows() -> None:
    """Specialists and distinct members cannot be added up over cells; nothing else may read rows."""
    assert [name for name, spec in registry().items() if spec.reads == "rows"] == [
        "overview.statistics",
        "overview.program",
        "virtual_vs_in_person.verdict",
        "virtual_vs_in_person.metrics",
        "virtual_vs_in_person.tracking",
        "virtual_vs_in_person.ways",
        "virtual_vs_in_person.mix",
        "virtual_vs_in_person.groups",
        "virtual_vs_in_person.categories",
        "virtual_vs_in_person.seen_by",
        "virtual_vs_in_person.criteria",
        "virtual_vs_in_person.margin",
        "virtual_vs_in_person.unseen",
        "virtual_vs_in_person.specifications",
        "virtual_vs_in_person.unmeasured",
        "virtual_vs_in_person.leave_out",
        "virtual_vs_in_person.power",
        "virtual_vs_in_person.effort",
        "virtual_vs_in_person.evidence",
        "virtual_vs_in_person.afterwards",
        "msc_deficiencies.reasons",
        "msc_deficiencies.rates",
        "msc_deficiencies.seen_by",
        "msc_deficiencies.repeats",
        "incidents.limits",
        "incidents.rates",
        "incidents.concentration",
        "incidents.earlier_deficiencies",
        "maritime.routes",
        "maritime.conspiracy",
        "maritime.terminals",
        "maritime.seals",
        "maritime.analyses",
        "maritime.entity_types",
        "maritime.deficiencies",
        "feedback.scores",
        "feedback.response",
        "feedback.again",
        "anomalies.offices",
        "anomalies.specialists",
        "anomalies.variation",
        "anomalies.validations",
        "anomalies.seals",
        "anomalies.minutes_lost",
        "anomalies.not_verified",
    ]


def _reads_well(made: Figure) -> None:
    words = [made.title, made.measure, made.caption, made.alt, *map(str, made.table.columns)]
    words += [str(cell) for column in made.table for cell in made.table[column]]
    if made.state:
        words += [made.state.fact, made.state.next_step]
    for text in words:
        assert not RAW.search(text), text
        assert not re.search(r"\d\.\d{4,}", text), text
    assert len(made.alt.split()) <= 40
