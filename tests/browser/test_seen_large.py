"""For people who enlarge, who switch movement off, or who choose the colours themselves: every page stays whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_pages import PAGES
from tests.browser.visiting import Visit

ZOOMED = {"width": 640, "height": 512}
"""CSS pixels of a screen of 1280 × 1024 at 200 %."""
OURS = "h1, h2, h3, .answer, .scope, .figure-title, .measure, .caption, .key, .verdict-card p, .tiles dd, .tiles dt, button, a"
CUT_OFF = """names => {
  const cut = [];
  for (const node of document.querySelectorAll(`[data-testid="stMain"] :is(${names}), [data-testid="stSidebar"] :is(${names})`)) {
    if (!node.checkVisibility() || !node.innerText.trim()) continue;
    const style = getComputedStyle(node), hides = value => value !== 'visible';
    if (hides(style.overflowX) && node.scrollWidth > node.clientWidth + 1
        || hides(style.overflowY) && node.scrollHeight > node.clientHeight + 1
        || node.getBoundingClientRect().right > innerWidth + 1 && !node.closest('.table-box, [data-testid="stSidebar"]'))
      cut.push(`${node.tagName} ${node.className}: ${node.innerText.slice(0, 60)}`);
  }
  return cut;
}"""
TOO_WIDE = """() => Math.max(document.documentElement.scrollWidth - innerWidth,
  ...[...document.querySelectorAll('[data-testid="stMain"]')].map(node => node.scrollWidth - node.clientWidth))"""
MOVING = """() => document.getAnimations().filter(moves => moves.playState === 'running')
  .map(moves => `${moves.effect.target.tagName} ${moves.effect.target.className} ${moves.animationName || moves.transitionProperty}`)"""
SLOW = """() => {
  const seconds = text => Math.max(...text.split(',').map(part => parseFloat(part) * (part.includes('ms') ? 0.001 : 1)));
  return [...document.querySelectorAll('.stApp *')].filter(node => {
    const style = getComputedStyle(node);
    return seconds(style.transitionDuration) > 0.01 || style.animationName !== 'none' && seconds(style.animationDuration) > 0.01;
  }).map(node => `${node.tagName} ${node.className}`).slice(0, 5);
}"""


@contextmanager
def visiting(chromium: Browser, **seen: object) -> Iterator[Visit]:
    """A visitor with this screen and these wishes."""
    context = chromium.new_context(**seen)
    visit = Visit(context.new_page())
    yield visit
    context.close()


def widths(page: Page) -> dict[str, object]:
    """What is wrong with how a page fits: nothing, if all is well."""
    found = {"too wide": page.evaluate(TOO_WIDE), "cut off": page.evaluate(CUT_OFF, OURS)}
    return {what: value for what, value in found.items() if value not in (0, [])}


def test_at_twice_the_size_every_page_fits_and_says_everything(server: str, chromium: Browser) -> None:
    with visiting(chromium, viewport=ZOOMED, device_scale_factor=2) as visit:
        wrong = {}
        for path in PAGES:
            visit.open(server + path)
            if found := widths(visit.page):
                wrong[path] = found
        assert wrong == {}
        # The filters are behind a button, and all of them can be brought into view.
        visit.open(server)
        sidebar = visit.page.get_by_test_id("stSidebar")
        visit.page.get_by_test_id("stExpandSidebarButton").click()
        for choice in (
            sidebar.get_by_role("combobox", name="Field office"),
            sidebar.get_by_role("button", name="Mutual recognition"),
            sidebar.get_by_text("Hide counts of 1 to 4"),
        ):
            choice.scroll_into_view_if_needed()
            expect(choice).to_be_in_viewport()
        sidebar.get_by_role("button", name="Virtual", exact=True).click()
        visit.page.wait_for_url("**/?mode=virtual")
        visit.settled()
        assert "Virtual" in visit.scope


def test_text_alone_at_twice_the_size_stays_whole(server: str, chromium: Browser) -> None:
    with visiting(chromium, viewport={"width": 1280, "height": 1024}) as visit:
        wrong = {}
        for path in ("/", "/virtual_vs_in_person", "/methods"):
            visit.open(server + path)
            small = visit.page.locator(".scope").evaluate(
                "node => parseFloat(getComputedStyle(node).fontSize)"
            )
            visit.page.add_style_tag(content="html { font-size: 200% !important; }")
            visit.page.wait_for_timeout(600)
            large = visit.page.locator(".scope").evaluate(
                "node => parseFloat(getComputedStyle(node).fontSize)"
            )
            assert large >= 1.9 * small, (path, small, large)
            if found := widths(visit.page):
                wrong[path] = found
        assert wrong == {}


def test_it_notices_what_is_cut_off(server: str, chromium: Browser) -> None:
    with visiting(chromium, viewport=ZOOMED) as visit:
        visit.open(server)
        visit.page.add_style_tag(
            content=".answer { overflow: hidden; height: 10px; } .scope { width: 2000px; }"
        )
        found = widths(visit.page)
    assert found["too wide"] and any("answer" in name for name in found["cut off"])


def test_nothing_moves_for_who_asked_for_less_movement(server: str, chromium: Browser) -> None:
    with visiting(chromium, reduced_motion="reduce") as visit:
        moving = {}
        for path in PAGES:
            visit.open(server + path)
            for _ in range(10):
                # Streamlit brings our style sheet with the first run, a moment after its own.
                moving[path] = visit.page.evaluate(MOVING) + visit.page.evaluate(SLOW)
                if not moving[path]:
                    break
                visit.page.wait_for_timeout(300)
        assert {path: found for path, found in moving.items() if found} == {}
        visit.open(server + "/maritime")
        visit.page.get_by_role("button", name="Actions").first.click()
        visit.page.get_by_test_id("stPopoverBody").wait_for()
        visit.page.wait_for_timeout(50)
        assert visit.page.evaluate(MOVING) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_colours_of_their_own_people_still_see_edges_and_words(
    scheme: str, server: str, chromium: Browser
) -> None:
    """A contrast theme of Windows: surfaces lose their colours, so edges and words have to do."""
    with visiting(chromium, forced_colors="active", color_scheme=scheme) as visit:
        page = visit.page
        visit.open(f"{server}/virtual_vs_in_person")
        colour = "(node, name) => getComputedStyle(node)[name]"
        ground = page.locator("body").evaluate(colour, "backgroundColor")
        card = page.locator(".verdict-card")
        for side in ("Top", "Right", "Bottom", "Left"):
            assert card.evaluate(colour, f"border{side}Color") != ground
            assert card.evaluate(colour, f"border{side}Width") != "0px"
        for words in (".verdict-words", ".verdict-card .big", ".answer", ".figure-title", ".caption", ".tag"):
            assert page.locator(words).first.is_visible()
            assert page.locator(words).first.evaluate(colour, "color") != ground, words
        tag = page.locator(".scope .tag").first
        assert tag.evaluate(colour, "borderTopColor") != ground and tag.inner_text() == "SYNTHETIC"
        disc = card.locator(".disc")
        assert disc.evaluate(colour, "backgroundColor") != disc.evaluate(colour, "color")
        # The line of an interval and its point are surfaces: they keep their colours.
        for mark in (".ruler .line", ".ruler .point", ".key .mark.primary"):
            assert page.locator(mark).first.evaluate(colour, "backgroundColor") not in (
                ground,
                "rgba(0, 0, 0, 0)",
            ), mark
        button = page.get_by_role("button", name="Actions").first
        assert button.is_visible() and button.evaluate(colour, "color") != ground
        office = page.get_by_role("combobox", name="Field office")
        expect(office).to_be_visible()
