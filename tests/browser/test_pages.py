"""Every page: deep links, filters that stay, nothing from elsewhere, nothing too wide or inaccessible."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.serving import UVICORN, serving
from tests.browser.visiting import Visit

PAGES = {
    "/": "Overview",
    "/virtual_vs_in_person": "Virtual vs in person",
    "/msc_deficiencies": "MSC deficiencies",
    "/incidents": "Incidents",
    "/maritime": "Maritime",
    "/anomalies": "Anomalies",
    "/feedback": "Feedback",
    "/briefing": "Briefing",
    "/data": "Data",
    "/methods": "Methods",
}
COLD = ("/", "/virtual_vs_in_person", "/incidents", "/data")
"""Pages opened on a server of their own; what they do not share is asked without a browser on every page."""
QUERY = "mode=in_person&office=Miami&from=2020-07-01"
FILTERS = {"mode": ["in_person"], "office": ["Miami"], "from": ["2020-07-01"]}
STREAMLITS_OWN = {"list", "listitem", "target-size", "svg-img-alt", "presentation-role-conflict"}
"""Rules that Streamlit's own markup breaks; anything else is ours."""
SCREENS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]

every_page = pytest.mark.parametrize("path", PAGES)
every_screen = pytest.mark.parametrize(
    "visit", SCREENS, indirect=True, ids=lambda screen: f"{screen[0]}-{screen[1]}"
)


def filters_of(visit: Visit) -> dict[str, list[str]]:
    return parse_qs(urlsplit(visit.page.url).query)


@pytest.mark.parametrize("path", COLD)
def test_a_cold_deep_link_opens_page_and_filters(path: str, visit: Visit) -> None:
    with serving() as url:
        visit.open(f"{url}{path}?{QUERY}&small=hidden")
        assert visit.page.get_by_role("heading", level=1).inner_text() == PAGES[path]
        assert "Miami" in visit.scope and "Jul 2020" in visit.scope
        assert "counts of 1 to 4 hidden" in visit.scope
        assert filters_of(visit) == FILTERS | {"small": ["hidden"]}
        assert visit.page.get_by_role("dialog").count() == 0
        assert visit.page.get_by_test_id("stException").count() == 0


def test_back_forward_and_reload_keep_page_and_filters(server: str, visit: Visit) -> None:
    visit.open(f"{server}/virtual_vs_in_person?{QUERY}")
    scope = visit.scope
    visit.page.get_by_role("link", name="Overview").click()
    visit.page.get_by_role("heading", level=1, name="Overview").wait_for()
    visit.settled()
    assert urlsplit(visit.page.url).path == "/"
    for step in (visit.page.go_back, visit.page.go_forward, visit.page.reload):
        step()
        visit.settled()
        assert filters_of(visit) == FILTERS
        assert visit.scope == scope


def test_choosing_and_resetting_a_filter_follows_in_the_address(server: str, visit: Visit) -> None:
    visit.open(server)
    everything = visit.scope
    visit.page.get_by_role("button", name="Virtual", exact=True).click()
    visit.page.wait_for_url("**/?mode=virtual")
    visit.settled()
    assert "Virtual" in visit.scope
    visit.page.go_back()
    visit.settled()
    assert visit.scope == everything
    visit.page.go_forward()
    visit.settled()
    visit.page.get_by_test_id("stSidebar").get_by_role("button", name="Reset filters").click()
    visit.page.wait_for_url(f"{server}/")
    visit.settled()
    assert visit.scope == everything


def test_two_quick_choices_both_count(server: str, visit: Visit) -> None:
    visit.open(server)
    visit.page.get_by_role("button", name="Virtual", exact=True).click()
    visit.page.get_by_role("button", name="In person", exact=True).click()
    visit.page.wait_for_function("() => location.search.includes('in_person')")
    visit.settled()
    assert sorted(filters_of(visit)["mode"]) == ["in_person", "virtual"]


def test_what_is_not_understood_is_named(server: str, visit: Visit) -> None:
    visit.open(f"{server}/?office=Atlantis&mode=virtual")
    assert "office Atlantis" in visit.page.locator(".note").inner_text()
    assert filters_of(visit) == {"mode": ["virtual"]}
    visit.page.get_by_role("button", name="In person", exact=True).click()
    visit.page.locator(".note", has_text="Atlantis").wait_for(state="detached")


def test_a_link_pasted_over_another_page_is_followed(server: str, visit: Visit) -> None:
    visit.open(f"{server}/methods?office=Houston")
    for path in ("/maritime", "/overview"):
        visit.open(f"{server}{path}?{QUERY}")
        assert "Miami" in visit.scope and "Houston" not in visit.scope
        assert filters_of(visit) == FILTERS


@pytest.mark.parametrize(
    "query", ["from=garbage", "from=2021-01-01&to=2020-01-01", "from=2030-01-01", "kind=&office="]
)
@pytest.mark.parametrize("path", ["/", "/virtual_vs_in_person", "/maritime"])
def test_odd_addresses_never_break_a_page(path: str, query: str, server: str, visit: Visit) -> None:
    visit.open(f"{server}{path}?{query}")
    assert visit.page.get_by_test_id("stException").count() == 0
    assert "nan" not in visit.page.locator("body").inner_text().lower().split()


@every_screen
@every_page
def test_a_page_is_quiet_local_narrow_enough_and_accessible(path: str, server: str, visit: Visit) -> None:
    visit.open(server + path)
    assert visit.page.get_by_role("heading", level=1).all_inner_texts() == [PAGES[path]]
    elsewhere = [url for url in visit.requests if not url.startswith((server, "data:", "blob:"))]
    assert elsewhere == []
    assert visit.complaints == []
    main = visit.page.get_by_test_id("stMain")
    assert main.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    broken = {
        rule["id"]: [node["html"][:120] for node in rule["nodes"][:3]]
        for rule in Axe().run(visit.page).response["violations"]
    }
    assert {rule: nodes for rule, nodes in broken.items() if rule not in STREAMLITS_OWN} == {}


def test_a_figure_offers_its_table_numbers_and_code(server: str, visit: Visit) -> None:
    visit.open(f"{server}/virtual_vs_in_person")
    # The card above it has no table of its own.
    figure = visit.page.locator(".st-key-fig-virtual_vs_in_person-ways")
    tables = figure.locator("table").count()
    figure.get_by_role("button", name="Actions").click()
    visit.page.get_by_role("button", name="See the table").click()
    visit.page.get_by_role("button", name="Hide the table").wait_for()
    figure.locator("table").nth(tables).wait_for()
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Download CSV").click()
    assert "SYNTHETIC" in download.value.suggested_filename
    assert "dataset" in Path(download.value.path()).read_text(encoding="utf-8").splitlines()[0]
    visit.page.get_by_role("button", name="Copy as Python").click()
    figure.get_by_test_id("stCode").wait_for()
    assert visit.complaints == []


def test_a_switch_of_theme_recolours_charts_without_a_new_run(server: str, visit: Visit) -> None:
    visit.open(server)
    label = visit.page.locator(".stVegaLiteChart svg .role-axis-label text").first
    before = label.evaluate("node => getComputedStyle(node).fill")
    visit.page.emulate_media(color_scheme="dark")
    visit.page.wait_for_timeout(500)
    assert label.evaluate("node => getComputedStyle(node).fill") != before


@pytest.mark.parametrize("address", ["/", "/readyz", "/_stcore/health", "/favicon.png", "/no/such/file.js"])
def test_every_response_carries_the_security_headers(address: str, server: str) -> None:
    try:
        with urllib.request.urlopen(server + address, timeout=10) as response:
            headers = response.headers
    except urllib.error.HTTPError as error:
        headers = error.headers
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "base-uri 'self'"):
        assert part in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_it_runs_under_another_asgi_server(visit: Visit) -> None:
    with serving(command=UVICORN) as url:
        visit.open(url)
        assert visit.page.get_by_role("heading", level=1).inner_text() == "Overview"


def test_a_broken_dataset_is_told_on_the_page(tmp_path: Path, visit: Visit) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "dataset.toml").write_text("name = ", encoding="utf-8")
    with serving({"CTPAT_DATASETS": str(broken)}, until_ready=False) as url:
        visit.open(url)
        assert "is damaged" in visit.page.get_by_test_id("stMain").inner_text()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{url}/readyz", timeout=10)
        assert refused.value.code == 503
        refused.value.close()
