"""The runbooks: a page for each kind of monitor, and every command in them does what it is there for."""

import re
import shlex
from datetime import timedelta
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from controlplane.ingestion.models import IngestionRun
from controlplane.ingestion.services import runs
from controlplane.kernel import clock
from lineage import services as lineage
from monitors.domain.kinds import Kind
from store_adapters import Lane
from tests.ingestion.test_api import client_of

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "runbooks").glob("*.md"))
BLOCK = re.compile(r"```sh\n(.*?)```", re.S)
SERVING = (DOCS / "reference" / "serving.md").read_text()
WEB, LOOKUPS = "http://web", "http://serving"
# Tried by tests/tools/test_backup.py, or read by tests/architecture/test_commands.py, or git's own.
OTHERS = ("export ", "./dev ", "tar ", "mv ", "git pull ")
SOURCE = {"name": "s", "kind": "parquet", "uri": "data/s.parquet", "event_time": "t"}


def commands(page):
    return [line for block in BLOCK.findall(page.read_text()) for line in block.splitlines() if line.strip()]


def run_in(site, view, state):
    run = runs.queue_run(site.world.view(view), Lane.BATCH, now=site.now)
    IngestionRun.objects.filter(pk=run.pk).update(state=state)
    return str(run.pk)


@pytest.fixture
def story(site):
    """An open incident of a view that went stale, and runs in the states that pages speak of."""
    views = [{"name": name, "batch": {"source": "s", "query": "SELECT * FROM s"}} for name in ("v", "w", "u")]
    site.register(*views, sources=[SOURCE])
    site.write()
    site.go_until("stale", patience=60)
    lineage.sync_registry(now=site.now)
    (incident, *_) = site.incidents()
    return {
        "FRESHLINE": WEB,
        "SERVING": LOOKUPS,
        "TOKEN": "",
        "PROJECT": site.project,
        "VIEW": "v",
        "FEATURE": "x",
        "KEY": "a",
        "WRITER": "nightly",
        "INCIDENT": str(incident.number),
        "RUN": run_in(site, "w", "queued"),
        "HELD_RUN": run_in(site, "u", "held"),
        "FAILED_RUN": run_in(site, "v", "failed"),
        "NOW": site.now.isoformat(),
        "TOMORROW": (site.now + timedelta(days=1)).isoformat(),
    }


class Curl:
    """Understands the options that the runbooks use, and asks the test client."""

    def __init__(self, client: Client):
        self.client = client

    def run(self, command):
        method, body, content_type, address = "GET", "", "", ""
        words = iter(shlex.split(command)[1:])
        for word in words:
            if word == "-X":
                method = next(words)
            elif word == "-d":
                body = next(words)
            elif word == "-H":
                name, _, value = next(words).partition(": ")
                content_type = value if name == "Content-Type" else content_type
            elif word != "-fsS":
                assert not address, f"{word} is not understood"
                address = word
        if address.startswith(LOOKUPS):
            return serving_has(method, urlsplit(address))
        answer = self.client.generic(method, address.removeprefix(WEB), body, content_type=content_type)
        assert answer.status_code < 300, (command, answer.content)
        return None


def serving_has(method, address):
    assert f"| `{method} {address.path}` |" in SERVING
    assert all(f"`{name}`" in SERVING for name in parse_qs(address.query))


def test_every_kind_of_monitor_has_its_page_and_the_index_names_every_page():
    names = {page.stem for page in PAGES}
    assert {kind.value.replace("_", "-") for kind in Kind} <= names
    index = (DOCS / "runbooks" / "README.md").read_text()
    assert [name for name in sorted(names - {"README"}) if f"({name}.md)" not in index] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_is_of_a_kind_that_is_tried(page):
    assert [line for line in commands(page) if not line.startswith(("curl -fsS ", *OTHERS))] == []


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_request_of_a_page_is_answered_well(page, site, story):
    with clock.fixed(site.now):
        curl = Curl(client_of("read", "ingest", "operate", "register", "admin"))
        for command in commands(page):
            if command.startswith("curl "):
                curl.run(Template(command).substitute(story))
