"""The page and the command line answer with the same numbers: one test reads both."""

from __future__ import annotations

import html
import json

import pytest

from analysis import wording
from analysis.cli import main
from analysis.results import Interval
from tests.pages.conftest import ROOT, Open
from tests.pages.test_smoke import markup

DEMO = str(ROOT / "data" / "demo")


@pytest.mark.parametrize("metric", ["any_must_deficiency", "not_verified_rate", "hours"])
@pytest.mark.parametrize(
    "query",
    [{}, {"office": "Miami", "from_": "2020-07-01"}, {"risk": "low"}],
    ids=["all", "Miami", "low risk"],
)
def test_comparison(
    metric: str, query: dict[str, str], open_app: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = markup(open_app("virtual_vs_in_person.py", metric=metric, **query))
    options = [part for name, value in query.items() for part in (f"--{name.rstrip('_')}", value)]
    assert main(["compare", DEMO, "--metric", metric, *options, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    plain = html.unescape(shown.replace("<strong>", "").replace("</strong>", ""))
    assert answer["sentence"].replace("**", "") in plain
    measure = "ratio" if answer["metric"] == "hours" else "difference"
    method = "mantel_haenszel" if answer["metric"] == "hours" else "standardised"
    (row,) = [r for r in answer["estimates"] if r["method"] == method and r["measure"] == measure]
    # Shares under 1 % are written with two decimals, and so is their difference.
    scale = "small_difference" if metric == "not_verified_rate" else measure
    assert wording.amount(row["estimate"], scale) in plain
    assert wording.interval(Interval(row["low"], row["high"]), scale) in plain
    for arm in answer["arms"].values():
        assert (f"{arm['events']:,} of {arm['n']:,}" if "events" in arm else f"n = {arm['n']:,}") in plain


def test_overview(open_app: Open, capsys: pytest.CaptureFixture[str]) -> None:
    shown = markup(open_app("overview.py", office="Houston"))
    assert main(["overview", DEMO, "--office", "Houston", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    rows = {row["statistic"]: row for row in answer["rows"]}
    assert answer["sentence"].replace("**", "") in shown.replace("<strong>", "").replace("</strong>", "")
    assert f"{rows['validations']['count']:,}" in shown
    assert wording.percent(rows["any_must_deficiency"]["share"]) in shown
    assert f"{rows['overdue']['count']:,}" in shown
