"""The live pages of incidents and channels in Chromium: real rows, real sessions, every theme and width."""

import os
from pathlib import Path

import pytest

from controlplane.accounts.services import teams
from monitors.channels.egress import Egress
from monitors.models import Incident
from monitors.services import incidents, outbox, silences
from tests.frontend.test_browser_pages import RULES, WINDOWS, sideways
from tests.monitors.story import MINUTE, NOON, breach, cause, monitor, pagerduty, recover, slack

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATH = (
    "job:etl|refine",
    "dataset:s3://lake|delays",
    "job:freshline://flights|carrier_delays.batch",
    "view:flights/carrier_delays",
)
INBOX = "/p/flights/incidents"
CHANNELS = "/settings/channels"


@pytest.fixture
def troubled(flights, receiver):
    """Views are stale of one cause, one alone is silenced, one is over; the pager refuses."""
    teams.ensure_team("delays", actor="test", now=NOON)
    slack(receiver.url)
    pagerduty(receiver.url, fallback=None)
    receiver.script["/v2/enqueue"] = [(400, {}, b'{"status":"invalid event"}')] * 9
    monitor(value=3_000.0)
    stale = breach(causes=[cause(path=PATH), cause("job:etl|other", hops=1)])
    breach("gate_delays", causes=[cause(path=PATH)])
    over = breach("tail_delays")
    alone = breach("taxi_times", tier="bronze")
    outbox.deliver_due(now=NOON, egress=Egress(allowed_hosts=["127.0.0.1"]), jitter=lambda: 0.5)
    incidents.note(stale.number, text="The lake is full; ops clears it.", actor="grace", now=NOON + MINUTE)
    silences.create_silence(
        matchers=[
            {"label": "project", "value": "flights"},
            {"label": "view", "value": alone.view},
        ],
        starts_at=NOON,
        ends_at=NOON + 90 * MINUTE,
        reason="planned reload",
        actor="grace",
        now=NOON,
    )
    recover(over, now=NOON + MINUTE)
    return stale


def addresses(stale):
    return {
        "incident": f"{INBOX}/INC-{stale.number}",
        "incident-ready": f"{INBOX}/INC-{stale.number}?do=silence",
        "incident-over": f"{INBOX}/INC-{Incident.objects.get(view='tail_delays').number}",
        "incident-channel": f"{INBOX}/INC-{Incident.objects.get(family='meta').number}",
        "inbox": INBOX,
        "inbox-silenced": f"{INBOX}?tab=silenced",
        "inbox-nothing": f"{INBOX}?severity=info&owner=delays",
        "channels": CHANNELS,
        "channels-change": f"{CHANNELS}?edit=1",
    }


@pytest.fixture
def visit(chromium, live_server):
    """Open pages as somebody, in a theme and width; what the console says is kept."""
    contexts = []

    def open_page(client, now, *, theme="light", width=1440, **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, base_url=live_server.url, **options
        )
        contexts.append(context)
        for name, morsel in client.cookies.items():
            context.add_cookies([{"name": name, "value": morsel.value, "url": live_server.url}])
        page = context.new_page()
        page.clock.install(time=now)
        page.problems = []
        page.on("console", lambda m: page.problems.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("theme", "width"), WINDOWS)
def test_a_live_page_is_accessible_and_quiet(theme, width, troubled, root, flights, visit, axe):
    page = visit(root, flights, theme=theme, width=width)
    for name, address in addresses(troubled).items():
        answer = page.goto(address, wait_until="load")
        assert answer.status == 200, name
        keep(page, f"{name}-{theme}-{width}")
        page.evaluate(axe)
        found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
        told = [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found]
        assert told == [], name
        assert page.problems == [], name
        assert sideways(page) <= 0, name


def keep(page, name):
    """Leave a picture for a person, where one is asked for."""
    folder = os.environ.get("FRESHLINE_TEST_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
