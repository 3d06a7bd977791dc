"""The page MSC deficiencies shows what its command prints."""

from __future__ import annotations

import json

import pytest

from analysis.cli import main
from tests.pages.conftest import ROOT, Open
from tests.pages.test_smoke import markup

DEMO = str(ROOT / "data" / "demo")


@pytest.mark.parametrize(
    "query", [{}, {"office": "Miami", "from_": "2020-07-01", "risk": "low"}], ids=["all", "filtered"]
)
def test_the_page_shows_what_the_command_prints(
    query: dict[str, str], open_app: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = markup(open_app("msc_deficiencies.py", **query)).replace("<strong>", "").replace("</strong>", "")
    options = [part for name, value in query.items() for part in (f"--{name.rstrip('_')}", value)]
    answers = {}
    for by in ("criterion", "category"):
        assert main(["deficiencies", DEMO, "--by", by, *options, "--json"]) == 0
        answers[by] = json.loads(capsys.readouterr().out)
        assert answers[by]["sentence"].replace("**", "") in shown
    for row in answers["category"]["rows"]:
        assert f"{row['count']:,}" in shown
    assert f"{answers['category']['deficiencies']:,}" in shown


def test_the_order_of_criteria_is_a_choice_in_the_address(open_app: Open) -> None:
    app = open_app("msc_deficiencies.py", order="count")
    assert not app.exception
    assert app.session_state["order-shown"] == "count"
    assert "Sorted by count" in markup(app)
