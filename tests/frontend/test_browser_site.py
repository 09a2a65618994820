"""The real site in Chromium: real rows, real sign-in, real search; accessible and quiet in every window."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from controlplane.accounts.domain import Role
from controlplane.kernel import clock
from controlplane.observations.domain.records import ProbeResult
from controlplane.observations.services.probes import record_probe
from lineage.services import sync_registry
from tests.frontend.live import person
from tests.frontend.test_browser_pages import RULES, WINDOWS, settle, sideways
from tests.ingestion.conftest import build_world
from tests.ingestion.test_batch import BATCH, SOURCE, minutes_ago
from tests.ingestion.world import KEY, view_document

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@pytest.fixture
def site(tmp_path: Path, settings, live_server) -> Iterator:
    """A project with two good runs and a failed one, a day of probes, and a view of direct rows."""
    world = build_world(tmp_path, settings, f"sqlite://{tmp_path}/store.sqlite3")
    world.now = clock.now() - timedelta(hours=1)
    world.apply(
        entities=[KEY],
        sources=[SOURCE],
        feature_views=[
            view_document(batch=BATCH, owner="delays", description="What happened lately"),
            view_document(name="d", direct=True),
        ],
    )
    for number in range(2):
        rows = [(f"k{n}", -1 if n + number == 0 else n * number, None, minutes_ago(9)) for n in range(300)]
        world.write_parquet("s.parquet", rows)
        world.run_batch()
        world.tick(minutes=15)
    (world.data / "s.parquet").unlink()
    world.failed = world.run_batch()
    world.post([{"k": "a", "x": 1}], view="d")
    for minute in range(0, 24 * 60, 5):
        age = timedelta(minutes=minute % 140)
        found = {"keys_known": 300, "keys_read": 300, "found": 300, "missing": 0, "invalid": 0}
        at = clock.now() - timedelta(minutes=minute)
        record_probe(ProbeResult(project=world.project, view="v", at=at, age_p95=age, **found))
    sync_registry(now=world.now)
    world.address = live_server.url
    yield world


@pytest.fixture
def windows(site, chromium) -> Iterator[dict]:
    """A signed-in page in each theme and width."""
    session = person("olga", Role.OPERATOR, project=site.project).cookies
    kept = session[django_settings.SESSION_COOKIE_NAME].value
    opened = {}
    for theme, width in WINDOWS:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        context.add_cookies(
            [{"name": django_settings.SESSION_COOKIE_NAME, "value": kept, "url": site.address}]
        )
        page = context.new_page()
        page.problems = []
        page.on("console", lambda m, p=page: p.problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error, p=page: p.problems.append(str(error)))
        opened[theme, width] = page
    yield opened
    for page in opened.values():
        page.unroute_all(behavior="ignoreErrors")
        page.context.close()


def test_every_page_is_accessible_and_quiet_with_real_rows(site, windows, axe, tmp_path):
    home = f"/p/{site.project}/"
    addresses = {
        "home": home,
        "catalogue": f"{home}features",
        "view": f"{home}features/v",
        "view-runs": f"{home}features/v?tab=runs",
        "runs": f"{home}runs",
        "run": f"{home}runs/{site.failed.id}",
        "run-good": f"{home}runs/{site.failed.id - 1}",
        "playground": f"{home}playground",
    }
    for (theme, width), page in windows.items():
        for name, address in addresses.items():
            page.goto(f"{site.address}{address}", wait_until="load")
            settle(page)
            page.screenshot(path=tmp_path / f"{name}-{theme}-{width}.png", full_page=True)
            page.evaluate(axe)
            found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
            told = [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found]
            assert told == [], f"{name} {theme} {width}"
            assert page.problems == [], f"{name} {theme} {width}"
            assert sideways(page) <= 0, f"{name} {theme} {width}"


def test_the_palette_finds_a_view_of_the_real_registry_without_a_mouse(site, windows):
    page = windows["light", 1440]
    page.goto(f"{site.address}/p/{site.project}/")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").type("v")
    page.get_by_role("group", name="Feature views").get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/p/{site.project}/features/v")
    assert page.problems == []


def test_run_now_leads_to_the_run_which_follows_itself_to_its_end(site, windows):
    page = windows["light", 1440]
    page.goto(f"{site.address}/p/{site.project}/features/v")
    page.get_by_role("button", name="Run now").click()
    page.wait_for_url("**/runs/*")
    assert "Waiting to start" in page.inner_text("#run-live")
    rows = [(f"k{n}", 5, None, minutes_ago(1)) for n in range(300)]
    site.write_parquet("s.parquet", rows)
    site.now = clock.now()
    site.execute(int(page.url.rsplit("/", 1)[1]))
    page.wait_for_selector('#run-live [data-phase="done"]')
    assert page.problems == []
