"""Nobody sees anything before signing in with somebody the operator named; then only what is theirs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.visiting import Visit

pytestmark = pytest.mark.xdist_group("servers")


@pytest.mark.parametrize("page", ["", "/incidents", "/data?office=Houston", "/briefing"])
def test_nobody_sees_a_page_without_signing_in(
    visitor: Callable[[str], Visit], guarded: str, page: str
) -> None:
    seen = visitor("")
    seen.open(guarded + page)
    assert seen.page.get_by_role("button", name="Sign in").is_visible()
    words = seen.page.inner_text("body")
    assert "Filters" not in words and "SYNTHETIC" not in words


def test_a_director_sees_the_whole_program_and_can_leave(visitor: Callable[[str], Visit]) -> None:
    seen = visitor("director")
    assert "all 6 field offices" in seen.scope
    assert seen.page.get_by_text("Director@Program.example").is_visible()
    seen.page.get_by_role("button", name="Sign out").click()
    seen.page.get_by_role("button", name="Sign in").wait_for()


def test_a_link_from_a_colleague_is_still_there_after_signing_in(
    visitor: Callable[[str], Visit], guarded: str
) -> None:
    seen = visitor("")
    for person in ("director", "miami"):
        seen.open(f"{guarded}/incidents?office=Miami&mode=virtual")
        seen.page.get_by_role("button", name="Sign in").click()
        seen.page.get_by_role("link", name=person, exact=True).click()
        seen.page.wait_for_url(f"{guarded}/incidents?**", timeout=240_000)
        seen.settled()
        assert seen.page.get_by_role("heading", level=1).inner_text() == "Incidents"
        assert "Miami" in seen.scope and "virtual" in seen.scope.lower()
        seen.page.get_by_role("button", name="Sign out").click()
        # Whoever leaves is led nowhere.
        seen.page.get_by_role("button", name="Sign in").wait_for()
        assert "incidents" not in seen.page.url


def test_an_office_sees_itself_and_totals_of_the_program(visitor: Callable[[str], Visit]) -> None:
    seen = visitor("miami")
    words = seen.page.inner_text("body")
    assert "Beside the whole program" in words
    assert "Houston" not in words and "Newark" not in words


def test_two_offices_are_seen_together(visitor: Callable[[str], Visit]) -> None:
    seen = visitor("both")
    assert "Miami and Newark" in seen.scope


@pytest.mark.parametrize(
    "person, words",
    [
        ("stranger", "not on this program's access list"),
        ("unverified", "no verified e-mail address"),
        ("nameless", "no verified e-mail address"),
        ("yesterday", "too old"),
        ("elsewhere", "'Atlantis' is no field office"),
    ],
)
def test_whoever_may_not_is_told_why_and_sees_nothing(
    visitor: Callable[[str], Visit], person: str, words: str
) -> None:
    seen = visitor(person)
    said = seen.page.inner_text("body")
    assert words in said
    assert "Filters" not in said and "SYNTHETIC" not in said
