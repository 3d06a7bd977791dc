"""Everything that should be refused is; and what is looked for is there for whoever may see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.access.guarding import not_for
from tests.access.intruding import NOT_LET_IN, PAGES, Cookies, intrude, table, words_heard
from tests.browser.visiting import Visit

pytestmark = pytest.mark.xdist_group("servers")


def cookies_of(seen: Visit) -> Cookies:
    return {cookie["name"]: cookie["value"] for cookie in seen.page.context.cookies()}


def test_nothing_that_should_be_refused_is_answered(
    visitor: Callable[[str], Visit], guarded: str, forbidden: set[str], small_demo_folder: Path
) -> None:
    people = {person: cookies_of(visitor(person)) for person in ("director", "miami", *NOT_LET_IN)}
    everything = forbidden | not_for("Houston", small_demo_folder)
    # The same requests with the rights to them: otherwise silence would look like a refusal.
    heard = words_heard(guarded, "anomalies", {}, people["director"])
    assert any(re.fullmatch(r"V\d+", word) for word in heard & forbidden) and "Houston" in heard
    assert "Miami" in words_heard(guarded, "overview", {}, people["miami"])

    found = intrude(guarded, people, forbidden, everything)
    assert [each.findings for each in found if each.findings] == [], table(found)
    assert sum(each.tried for each in found) > 14 * len(PAGES)
