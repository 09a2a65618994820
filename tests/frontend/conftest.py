"""What tests of the pages share: a manifest where the front end is not built, Chromium where it is."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

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
