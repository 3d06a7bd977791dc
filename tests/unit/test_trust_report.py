"""The kept report of ``make trust``: as much was tried as is promised, and nothing was found."""

from __future__ import annotations

import json

from tests.browser.test_pages import PAGES
from tests.trust.report import BROWSERS, REPORT, SESSIONS, table


def test_the_kept_report_tried_what_is_promised_and_found_nothing() -> None:
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    assert report["findings"] == []
    assert sum(each["kills"] for each in report["kills"]) >= 200
    assert sum(each["running"] for each in report["kills"]) >= 100
    for each in report["kills"]:
        # A dataset that was killed on the way is the old or the new one; "neither" would be a finding.
        assert sum(each["states"].values()) == each["kills"]
    assert report["fuzz"]["files"]["tried"] >= 5_000
    assert all(sum(each["outcomes"].values()) == each["tried"] for each in report["fuzz"].values())
    visitors = report["visitors"]
    assert (visitors["sessions"], visitors["browsers"]) == (SESSIONS, BROWSERS) == (48, 2)
    assert visitors["seconds"] >= 600 and visitors["answers"] >= 48 * 5
    assert visitors["memory_end"] <= 1.15 * visitors["memory_settled"]
    for each in report["unauthorised"]:
        assert each["refused"] == each["tried"] > 0, each["route"]
    assert set(report["accessibility"]) == set(PAGES) and not any(report["accessibility"].values())
    assert table(report).splitlines()[-1].startswith("findings")
