"""Every page in every state, in Chromium: accessible, no console error, no sideways scroll."""

import gzip
from collections.abc import Iterator

import pytest

from tests.frontend import story
from tests.frontend.cases import CASES
from tests.frontend.server import gallery

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WINDOWS = [(theme, width) for theme in ("light", "dark") for width in (1440, 375)]
KIB = 1024


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with gallery() as served:
        yield served


@pytest.fixture(scope="module")
def windows(chromium) -> Iterator[dict]:
    opened = {}
    for theme, width in WINDOWS:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        page = context.new_page()
        page.clock.install(time=story.NOW)
        page.problems = []
        page.on(
            "console", lambda m, p=page: p.problems.append(m.text) if m.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error, p=page: p.problems.append(str(error)))
        opened[theme, width] = page
    yield opened
    for page in opened.values():
        page.context.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CASES)
def test_a_page_is_accessible_and_quiet_in_both_themes_and_widths(name, address, windows, axe):
    for (theme, width), page in windows.items():
        page.problems.clear()
        page.goto(f"{address}/gallery/{name}", wait_until="load")
        settle(page)
        page.evaluate(axe)
        found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
        told = [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found]
        assert told == [], f"{theme} {width}"
        assert page.problems == [], f"{theme} {width}"
        assert sideways(page) <= 0, f"{theme} {width}"


SETTLED = """() => {
  const explorer = document.querySelector("fl-lineage");
  const drawn = !explorer || explorer.matches("[data-mode]") || explorer.querySelector(".failure");
  const near = (chart) => chart.getBoundingClientRect().top <= innerHeight + 200;
  const charts = [...document.querySelectorAll("fl-chart")].filter(near);
  return Boolean(drawn) && charts.every((chart) => chart.dataset.drawn !== undefined);
}"""


def settle(page) -> None:
    """Wait for the islands of this page, if it has any."""
    page.wait_for_function(SETTLED)


def sideways(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize(
    "name",
    [
        "home-broken",
        "home-huge",
        "view-broken",
        "incident-huge",
        "catalogue-normal",
        "playground-answered",
        "lineage-normal",
        "channels-normal",
        "run-broken",
        "audit-normal",
    ],
)
def test_a_page_reflows_at_320_pixels(name, address, chromium):
    context = chromium.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(f"{address}/gallery/{name}")
    assert sideways(page) <= 0
    context.close()


@pytest.mark.parametrize(
    "name",
    ["home-broken", "catalogue-huge", "view-normal", "incident-broken", "runs-normal", "playground-answered"],
)
def test_a_first_visit_stays_inside_the_budget(name, address, chromium):
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.clock.install(time=story.NOW)
    answers = []

    def keep(answer) -> None:
        answers.append(answer)

    page.on("response", keep)
    page.goto(f"{address}/gallery/{name}", wait_until="load")
    own = [answer for answer in answers if "plotly" not in answer.url]
    weights = {answer.url: len(gzip.compress(answer.body(), 6)) for answer in own if answer.status == 200}
    html = weights[f"{address}/gallery/{name}"]
    assert html <= 30 * KIB
    assert sum(weights.values()) <= 90 * KIB
    assert len(own) <= 8
    context.close()


def test_the_chart_library_is_not_fetched_before_a_chart_comes_into_view(address, chromium):
    context = chromium.new_context(viewport={"width": 1440, "height": 250})
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/gallery/view-broken", wait_until="networkidle")
    assert not [url for url in asked if "plotly" in url]
    page.get_by_test_id("fresh-chart").scroll_into_view_if_needed()
    page.wait_for_selector("fl-chart[data-drawn] svg.main-svg")
    assert len([url for url in asked if "plotly" in url]) == 1
    context.close()


def test_the_chart_follows_the_theme_and_has_its_table(address, chromium):
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.goto(f"{address}/gallery/view-broken")
    page.wait_for_selector("fl-chart[data-drawn]")
    ground = "getComputedStyle(document.querySelector('.main-svg')).backgroundColor"
    light = page.evaluate(ground)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"() => {ground} !== {light!r}")
    assert page.evaluate(ground) == "rgb(17, 22, 28)"
    page.get_by_text("View as table").click()
    assert page.locator("#freshness").count() == 1
    assert page.locator("details[open] tbody tr").count() >= 12
    context.close()


def test_without_script_the_facts_and_the_forms_are_there(address, chromium):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/gallery/home-broken")
    assert "2 stale, 1 late" in page.get_by_test_id("verdict").inner_text()
    page.goto(f"{address}/gallery/incident-broken")
    assert page.get_by_role("button", name="Acknowledge").is_visible()
    page.locator("summary", has_text="Silence").click()
    assert page.get_by_label("Reason").first.is_visible()
    page.goto(f"{address}/gallery/lineage-normal")
    assert page.get_by_test_id("lineage-row").count() == 4
    page.goto(f"{address}/gallery/view-broken")
    assert "Age within 15 min" in page.inner_text("main")
    context.close()


def test_forced_colours_keep_the_shapes(address, chromium):
    context = chromium.new_context(forced_colors="active")
    page = context.new_page()
    page.goto(f"{address}/gallery/home-broken")
    fills = page.evaluate(
        "[...document.querySelectorAll('.state .i-ink')].map(shape => getComputedStyle(shape).fill)"
    )
    assert fills and "none" not in fills
    context.close()
