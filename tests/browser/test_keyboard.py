"""With the keyboard alone: from the top of a page to a filter, on to a figure's menu, and an item of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.browser.visiting import Visit

MOST_STOPS = 90
NAME = """() => {
  const node = document.activeElement;
  return [node.getAttribute('role') || node.tagName.toLowerCase(),
          node.getAttribute('aria-label') || (node.tagName === 'MAIN' ? '' : node.innerText) || ''].join(' ').trim();
}"""
LOOK = """node => {
  const looks = [];
  for (let up = 0; node && up < 5; up += 1, node = node.parentElement) {
    const style = getComputedStyle(node);
    looks.push([style.outlineStyle, style.outlineWidth, style.boxShadow, style.borderColor, style.backgroundColor,
                style.color, style.textDecorationLine].join());
  }
  return looks.join('|');
}"""


def stops(visit: Visit) -> Iterator[tuple[str, Any]]:
    """Where the Tab key leads, one stop after the other: what it is called, and the element."""
    for _ in range(MOST_STOPS):
        visit.page.keyboard.press("Tab")
        yield visit.page.evaluate(NAME), visit.page.evaluate_handle("document.activeElement").as_element()


def walked(visit: Visit, until: str) -> list[str]:
    """Tab on until something of that name; every stop on the way must look otherwise than when it is left."""
    seen: list[str] = []
    before: tuple[str, Any, str] | None = None
    unseen: list[str] = []
    for name, node in stops(visit):
        if before is not None and before[1].is_visible() and before[1].evaluate(LOOK) == before[2]:
            unseen.append(before[0])
        # Marks fade in; nothing announces when they are there.
        visit.page.wait_for_timeout(220)
        before = (name, node, node.evaluate(LOOK))
        seen.append(name)
        if until in name:
            assert unseen == [], "no visible focus"
            return seen
    raise AssertionError(f"{until} is not reached; seen: {seen}")


def test_from_a_filter_to_a_figures_menu(server: str, visit: Visit) -> None:
    visit.open(f"{server}/maritime")
    way = walked(visit, "Field office")
    assert "Skip to main content" in way[0] and any("Maritime" in name for name in way), way
    visit.page.keyboard.type("Mia")
    visit.page.get_by_role("option", name="Miami").wait_for()
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_function("() => location.search.includes('office=Miami')")
    visit.page.keyboard.press("Escape")
    visit.settled()
    assert parse_qs(urlsplit(visit.page.url).query) == {"office": ["Miami"]}
    assert "Miami" in visit.scope
    walked(visit, "Hide counts of 1 to 4")
    walked(visit, "Actions")
    visit.page.keyboard.press("Enter")
    see = visit.page.get_by_role("button", name="See the table")
    see.wait_for()
    walked(visit, "See the table")
    tables = visit.page.get_by_test_id("stMain").locator("table").count()
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_test_id("stMain").locator("table")).to_have_count(tables + 1)
    visit.page.keyboard.press("Escape")
    expect(see).to_have_count(0)
    assert visit.complaints == []


def test_the_switch_turns_with_the_space_bar(server: str, visit: Visit) -> None:
    visit.open(f"{server}/data?office=Miami")
    switch = visit.page.get_by_role("switch", name="Hide counts of 1 to 4").or_(
        visit.page.get_by_role("checkbox", name="Hide counts of 1 to 4")
    )
    switch.focus()
    visit.page.keyboard.press("Space")
    visit.page.wait_for_function("() => location.search.includes('small=hidden')")
    visit.settled()
    assert "counts of 1 to 4 hidden" in visit.scope
    # Pasted elsewhere, and on the next page, it holds.
    visit.page.get_by_role("link", name="Maritime").click()
    visit.page.get_by_role("heading", level=1, name="Maritime").wait_for()
    visit.settled()
    assert "counts of 1 to 4 hidden" in visit.scope
    assert parse_qs(urlsplit(visit.page.url).query) == {"office": ["Miami"], "small": ["hidden"]}
