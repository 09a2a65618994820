"""The explorer in Chromium: what it draws, how it is walked, and that the table has everything."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.frontend import story
from tests.frontend.server import gallery

pytestmark = pytest.mark.browser
GRAPH = json.loads((Path(__file__).parent / "graph.json").read_text())
FOCUS, JOB, FILES = (
    "view:flights/hourly_weather",
    "job:flights|hourly_weather.batch",
    "dataset:file|/data/weather",
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with gallery() as served:
        yield served


@pytest.fixture
def page(chromium, address) -> Iterator:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.clock.install(time=story.NOW)
    opened.goto(f"{address}/gallery/lineage-normal")
    opened.wait_for_selector("fl-lineage[data-mode]")
    yield opened
    opened.unroute_all(behavior="ignoreErrors")
    context.close()


def drawn(page) -> set[str]:
    return set(
        page.eval_on_selector_all("[data-testid=lineage-node]", "nodes => nodes.map(node => node.dataset.id)")
    )


def tabled(page) -> set[str]:
    page.get_by_role("button", name="Table", exact=True).click()
    rows = set(
        page.eval_on_selector_all("[data-testid=lineage-row]", "rows => rows.map(row => row.dataset.id)")
    )
    page.get_by_role("button", name="Graph", exact=True).click()
    return rows


def node(page, name: str):
    return page.locator(f"[data-testid=lineage-node][data-id='{name}']")


def test_nodes_are_drawn_with_state_and_kind_and_siblings_beyond_eight_are_a_stack(page):
    assert len(drawn(page)) == 10
    assert node(page, FOCUS).get_attribute("data-state") == "stale"
    assert page.get_by_role("button", name="Show 6 more").count() == 1
    assert "3 left out: limit of 120 nodes" in page.inner_text(".lineage-bar")


def test_the_stack_opens_and_then_the_table_and_the_graph_have_the_same_nodes(page):
    page.get_by_role("button", name="Show 6 more").click()
    assert drawn(page) == tabled(page) == {each["id"] for each in GRAPH["nodes"]}


def test_the_table_has_even_what_the_graph_folds_away(page):
    assert tabled(page) == {each["id"] for each in GRAPH["nodes"]}


def test_a_hop_is_expanded_and_what_was_there_stays(page):
    page.get_by_role("button", name="Show 6 more").click()

    def places() -> dict:
        return page.eval_on_selector_all(
            ".node .at",
            "nodes => Object.fromEntries(nodes.map("
            "n => [n.parentElement.dataset.node, n.getAttribute('transform')]))",
        )

    before = places()
    page.get_by_role("button", name="show 2 more upstream of hourly_weather.batch").click()
    node(page, FILES).wait_for()
    after = places()
    moved = [key for key, place in before.items() if after[key] != place]
    assert len(moved) <= len(before) // 2
    assert set(after) - set(before) == {FILES, "dataset:file|/data/airports"}


def test_locking_a_path_dims_the_rest_opens_the_drawer_and_is_in_the_address(page):
    node(page, JOB).click()
    drawer = page.get_by_role("complementary", name="Selected node")
    assert "hourly_weather.batch" in drawer.inner_text()
    assert "sel=job" in page.url
    assert page.locator(".node.dim").count() == 0, "everything lies downstream of the job"
    node(page, "service:flights/s1").click()
    assert page.locator(".node.dim").count() >= 7
    page.keyboard.press("Escape")
    assert page.locator(".node.dim").count() == 0
    assert "sel=" not in page.url
    page.go_back()
    page.wait_for_function("() => document.querySelectorAll('.node.dim').length >= 7")


def test_trace_cause_walks_upstream_numbers_the_steps_and_tells_them_in_order(page):
    page.get_by_role("button", name="Trace cause").click()
    node(page, FILES).wait_for()
    assert page.locator(".edge.cause").count() == 2
    assert page.locator(".is-cause .tag").all_text_contents() == ["Cause"]
    told = page.get_by_test_id("cause-chain").locator("li").all_inner_texts()
    assert [line.split()[0] for line in told] == ["weather_files", "hourly_weather.batch", "hourly_weather"]
    assert "trace=cause" in page.url
    assert (
        "source weather_files stopped 13:02 (confidence high)"
        in page.get_by_role("complementary", name="Selected node").inner_text()
    )


def test_everything_is_done_with_the_keyboard(page):
    node(page, FOCUS).focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.id") == JOB
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.id") == FOCUS
    page.keyboard.press("ArrowRight")
    first = page.evaluate("document.activeElement.dataset.id")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.id") != first
    spoken = page.inner_text("fl-lineage > [aria-live]")
    assert "feature service" in spoken and "upstream" in spoken
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    node(page, FILES).wait_for()


def test_the_graph_is_one_tab_stop(page):
    stops = page.eval_on_selector_all(
        ".lineage-canvas [tabindex='0']", "nodes => nodes.map(node => node.dataset.id)"
    )
    assert stops == [FOCUS]


def test_problems_are_listed_worst_first_and_lead_to_their_node(page):
    listed = page.locator(".problem-list li").all_inner_texts()
    assert [line.split()[0] for line in listed] == ["Stale", "Stale", "Late", "Late"]
    page.locator(".problem-list button", has_text="delay_service_1").click()
    assert node(page, "service:flights/s1").get_attribute("aria-pressed") == "true"


def test_zoom_keeps_within_its_limits_and_drops_detail(page):
    for _ in range(30):
        page.get_by_role("button", name="Zoom out").click()
    page.wait_for_function("() => document.querySelector('.lineage-canvas').dataset.detail === 'blocks'")
    transform = page.get_attribute(".lineage-canvas .layer", "transform")
    assert "scale(0.100)" in transform
    page.get_by_role("button", name="1:1").click()
    page.wait_for_function("() => document.querySelector('.lineage-canvas').dataset.detail === 'full'")


def test_a_narrow_window_begins_with_the_table(chromium, address):
    context = chromium.new_context(viewport={"width": 375, "height": 700})
    page = context.new_page()
    page.goto(f"{address}/gallery/lineage-normal")
    page.wait_for_selector("fl-lineage[data-mode=table]")
    assert page.get_by_test_id("lineage-row").count() == len(GRAPH["nodes"])
    context.close()


def test_a_server_that_does_not_answer_leaves_the_servers_table_and_offers_a_retry(chromium, address):
    context = chromium.new_context()
    page = context.new_page()
    page.route(
        "**/api/v1/lineage/graph**",
        lambda route: route.fulfill(status=503, headers={"X-Request-Id": "9f2c"}, body="{}"),
    )
    page.goto(f"{address}/gallery/lineage-normal")
    page.get_by_role("alert").wait_for()
    assert "503, request 9f2c" in page.get_by_role("alert").inner_text()
    assert page.get_by_test_id("lineage-row").count() == 4
    page.unroute("**/api/v1/lineage/graph**")
    page.get_by_role("button", name="Retry").click()
    page.wait_for_selector("fl-lineage[data-mode]")
    context.close()


def test_a_graph_with_nothing_but_names_still_renders(chromium, address):
    bare = {
        "focus": "a",
        "nodes": [{"id": name, "kind": "view", "name": name, "state": "sparkling"} for name in ("a", "b")],
        "edges": [{"from": "a", "to": "b"}, {"from": "b", "to": "a"}],
        "cause_path": None,
        "cause": None,
        "left_out": None,
        "as_of": None,
    }
    context = chromium.new_context()
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.route("**/api/v1/lineage/graph**", lambda route: route.fulfill(json=bare))
    page.goto(f"{address}/gallery/lineage-normal")
    page.wait_for_selector("fl-lineage[data-mode]")
    assert page.get_by_test_id("lineage-node").count() == 2
    assert page.locator(".cycle").count() == 1
    assert problems == []
    context.close()
