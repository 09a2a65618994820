"""What tests of the pages share: a manifest where the front end is not built, Chromium where it is."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.accounts.domain import Role
from controlplane.kernel import clock
from controlplane.registry.services.applying import Author, apply_definition
from monitors.services.beats import beat
from tests.frontend.live import PATH, person
from tests.monitors.story import MINUTE, NOON, breach, cause, monitor, pagerduty, slack
from tests.receivers import Receiver, running
from tests.registry.story import FLIGHTS

ROOT = Path(__file__).resolve().parents[2] / "frontend"


@pytest.fixture
def built(settings, tmp_path: Path) -> Path:
    """A manifest as Vite writes it, so that templates render without a build."""
    manifest = {
        "static_src/main.ts": {"file": "assets/main-1.js", "imports": ["_shared.js"]},
        "static_src/lineage.ts": {"file": "assets/lineage-1.js"},
        "static_src/main.css": {"file": "assets/main-1.css"},
        "_shared.js": {"file": "assets/shared-1.js"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    settings.FRONTEND_DIST = tmp_path
    return tmp_path


@pytest.fixture
def flights(db):
    """The flights project is registered and its loops go round; it is two minutes past noon."""
    now = NOON + 2 * MINUTE
    with clock.fixed(now):
        apply_definition("flights", FLIGHTS, author=Author("edith", may_create_projects=True), now=NOON)
        for loop in ("judge", "probe", "notify"):
            beat(loop, now=now)
        yield now


@pytest.fixture
def operator(flights):
    return person("olga", Role.OPERATOR)


@pytest.fixture
def viewer(flights):
    return person("victor", Role.VIEWER)


@pytest.fixture
def outsider(flights):
    return person("otto", Role.ADMIN, project="trains")


@pytest.fixture
def root(flights):
    """An administrator of the installation."""
    return person("root", None, is_superuser=True)


@pytest.fixture
def stale(flights):
    """The story's view is stale because of an outside job; its owner has a chat and a pager."""
    slack()
    pagerduty()
    monitor(value=3_000.0)
    return breach(causes=[cause(path=PATH)])


@pytest.fixture
def receiver(settings):
    """Slack and PagerDuty on loopback."""
    settings.FRESHLINE_EGRESS_ALLOW = ["127.0.0.1"]
    made = Receiver()
    with running(made) as url:
        made.url = url
        yield made


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """Debian's Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    # Playwright leaves its event loop in this thread, and Django takes that for asynchronous code.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    path = ROOT / "node_modules/axe-core/axe.min.js"
    assert path.is_file(), "install the front end's development packages first: npm ci"
    return path.read_text()
