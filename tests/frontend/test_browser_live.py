"""Live refresh, the palette, menus and preferences, in Chromium."""

from collections.abc import Iterator

import pytest

from tests.frontend import story
from tests.frontend.server import gallery

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with gallery() as served:
        yield served


@pytest.fixture
def page(chromium) -> Iterator:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.clock.install(time=story.NOW)
    yield opened
    opened.unroute_all(behavior="ignoreErrors")
    context.close()


def polls(page, address: str, name: str, change) -> None:
    """Open a page, then let every later request for it see ``change`` applied to the answer."""
    page.goto(f"{address}/gallery/{name}", wait_until="load")

    def answer(route) -> None:
        response = route.fetch()
        changed = change(response.text())
        if changed is None:
            route.abort()
        else:
            route.fulfill(response=response, body=changed)

    page.route(f"{address}/gallery/**", answer)


def order(page) -> list[str]:
    return page.eval_on_selector_all(
        "table[data-keep-order] tbody tr", "rows => rows.map(row => row.dataset.key)"
    )


def test_a_new_verdict_arrives_within_twelve_seconds_and_is_spoken_once(page, address):
    polls(page, address, "home-broken", lambda html: html.replace("2 stale, 1 late", "3 stale, 1 late"))
    page.clock.run_for(11_000)
    page.wait_for_function("() => document.getElementById('verdict').textContent.startsWith('3 stale')")
    assert page.inner_text("[data-live-region]").startswith("3 stale, 1 late")


def test_rows_do_not_move_until_the_reader_asks(page, address):
    def turned(html: str) -> str:
        head, _, rest = html.partition("<tbody>")
        body, _, tail = rest.partition("</tbody>")
        rows = body.split("<tr ")[1:]
        return head + "<tbody>" + "".join("<tr " + row for row in reversed(rows)) + "</tbody>" + tail

    polls(page, address, "catalogue-normal", turned)
    before = order(page)
    page.clock.run_for(11_000)
    page.wait_for_selector(".resort")
    assert order(page) == before
    assert "changed order" in page.inner_text(".resort")


def test_pausing_stops_the_requests_and_resuming_asks_at_once(page, address):
    asked = []
    polls(page, address, "home-broken", lambda html: asked.append(1) or html)
    page.get_by_role("button", name="Pause live updates").click()
    page.clock.run_for(40_000)
    assert asked == []
    assert page.inner_text("[data-updated-ago]") == "paused"
    page.get_by_role("button", name="Pause live updates").click()
    page.wait_for_function("() => document.querySelector('[data-updated-ago]').textContent !== 'paused'")


def test_two_failed_polls_show_the_bar_and_keep_the_data(page, address):
    polls(page, address, "home-broken", lambda html: None)
    bar = page.locator("[data-stopped]")
    page.clock.run_for(11_000)
    page.wait_for_timeout(200)
    assert bar.is_hidden()
    page.clock.run_for(11_000)
    bar.wait_for(state="visible")
    assert "Live updates stopped" in bar.inner_text()
    assert "2 stale, 1 late" in page.get_by_test_id("verdict").inner_text()


def test_an_open_menu_is_not_closed_by_a_refresh(page, address):
    asked = []
    polls(page, address, "incident-broken", lambda html: asked.append(1) or html)
    page.locator("summary", has_text="Silence").click()
    page.get_by_label("Reason").first.fill("planned reload")
    page.clock.run_for(30_000)
    assert asked == []
    assert page.get_by_label("Reason").first.input_value() == "planned reload"


def test_times_tick(page, address):
    page.goto(f"{address}/gallery/home-broken")
    page.clock.run_for(5_000)
    assert "Last checked 17 s ago" in page.inner_text(".day")


def test_the_palette_finds_a_view_by_part_of_its_name_without_a_mouse(page, address):
    page.goto(f"{address}/gallery/home-broken")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "combobox"
    assert page.get_by_role("option", name="Catalogue").count() == 1
    field.type("weather")
    page.clock.run_for(100)
    page.get_by_role("option", name="weather_by_airport").wait_for()
    page.keyboard.press("ArrowDown")
    chosen = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    assert "weather_by_airport" in chosen.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/p/flights/features/weather_by_airport")
    page.goto(f"{address}/gallery/home-broken")
    page.keyboard.press("Control+k")
    assert "weather_by_airport" in page.get_by_role("option").first.inner_text(), (
        "what was chosen is remembered"
    )


def test_the_palette_says_when_the_search_does_not_answer(page, address):
    page.route("**/api/v1/search**", lambda route: route.fulfill(status=503, body="{}"))
    page.goto(f"{address}/gallery/home-broken")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").type("audit")
    page.clock.run_for(100)
    page.wait_for_function("() => document.querySelector('fl-palette .status').textContent.includes('503')")
    assert page.get_by_role("option", name="Audit").count() == 1


def test_escape_closes_a_menu_and_gives_the_focus_back(page, address):
    page.goto(f"{address}/gallery/home-broken")
    summary = page.locator("summary", has_text="flights")
    summary.click()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert page.locator("details[open]").count() == 0
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_the_skip_link_leads_past_the_navigation(page, address):
    page.goto(f"{address}/gallery/home-broken")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_contract_diff_becomes_lines_side_by_side(page, address):
    page.goto(f"{address}/gallery/view-contract")
    page.get_by_text("Line by line", exact=True).click()
    page.wait_for_selector("fl-diff table")
    assert page.inner_text("fl-diff del").strip() == "line 12: value"
    assert page.inner_text("fl-diff ins").strip() == "line 12: other"
    assert "unchanged lines" in page.inner_text("fl-diff")


def test_copy_puts_the_text_on_the_clipboard_and_says_so(page, address):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{address}/gallery/view-broken")
    page.get_by_role("button", name="Copy the name").click()
    page.wait_for_function("() => document.querySelector('[data-live-region]').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == "hourly_weather"
