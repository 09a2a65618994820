"""The live pages of incidents and channels in Chromium: real rows, real sessions, every theme and width."""

import os
from pathlib import Path

import pytest

from controlplane.accounts.services import teams
from monitors.channels.egress import Egress
from monitors.models import Channel, Incident
from monitors.services import incidents, outbox, silences
from monitors.services.storytelling import link_to
from tests.frontend.test_browser_pages import RULES, WINDOWS, sideways
from tests.monitors.story import MINUTE, NOON, breach, cause, monitor, pagerduty, recover, slack
from tests.receivers import SLACK

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
        "inbox-nothing": f"{INBOX}?severity=info&owner=ranking",
        "channels": CHANNELS,
        "channels-change": f"{CHANNELS}?edit={Channel.objects.get(name='chat').pk}",
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


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (375, 667)])
def test_the_link_of_a_message_leads_to_the_cause_without_scrolling(
    width, height, troubled, operator, flights, visit, settings
):
    page = visit(operator, flights, width=width)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(link_to(troubled.number).removeprefix(settings.FRESHLINE_PUBLIC_URL.rstrip("/")))
    page.wait_for_url(f"**{INBOX}/INC-{troubled.number}")
    cause_step = page.get_by_test_id("cause-chain").locator(".is-cause")
    assert "refine" in cause_step.inner_text() and "disk full" in cause_step.inner_text()
    box = cause_step.bounding_box()
    actions = page.locator(".sticky-actions").bounding_box()
    floor = actions["y"] if width == 375 else height
    assert box["y"] + box["height"] <= floor


def test_what_somebody_else_did_arrives_by_itself(troubled, operator, flights, visit):
    page = visit(operator, flights)
    page.goto(f"{INBOX}/INC-{troubled.number}")
    assert page.get_by_role("button", name="Acknowledge").count() == 1
    incidents.acknowledge(troubled.number, actor="grace", now=flights)
    page.clock.run_for(6_000)
    page.get_by_text("grace is on it").first.wait_for()
    assert page.get_by_role("button", name="Acknowledge").count() == 0
    assert page.problems == []


def test_a_new_incident_joins_the_inbox_and_no_row_moves(troubled, operator, flights, visit):
    page = visit(operator, flights)
    page.goto(INBOX)
    rows = "table[data-keep-order] tbody tr"
    before = page.eval_on_selector_all(rows, "rows => rows.map(row => row.dataset.key)")
    newest = breach("late_arrivals")
    page.clock.run_for(11_000)
    page.get_by_text(f"INC-{newest.number}").first.wait_for()
    after = page.eval_on_selector_all(rows, "rows => rows.map(row => row.dataset.key)")
    assert [key for key in after if key in before] == before
    assert page.locator("nav.tabs [aria-current]").inner_text().split() == ["Open", str(len(after))]


def test_a_silence_takes_three_actions_and_is_seen(troubled, operator, flights, visit):
    page = visit(operator, flights)
    page.goto(f"{INBOX}/INC-{troubled.number}?do=silence")
    page.get_by_label("Reason").first.fill("reloading the lake")
    page.get_by_role("button", name="Silence").click()
    page.wait_for_url(f"**{INBOX}/INC-{troubled.number}")
    assert "reloading the lake" in page.locator(".facts-line").inner_text()
    assert "Silenced" in page.locator(".state.badge").inner_text()


def test_without_script_an_incident_is_acknowledged(troubled, operator, flights, visit):
    page = visit(operator, flights, java_script_enabled=False)
    page.goto(f"{INBOX}/INC-{troubled.number}")
    page.get_by_role("button", name="Acknowledge").click()
    assert "olga is on it" in page.locator(".facts-line").inner_text()


def test_a_channel_is_set_up_and_tested_in_one_go(root, receiver, flights, visit):
    page = visit(root, flights)
    page.goto(CHANNELS)
    page.get_by_label("Name", exact=True).fill("alerts")
    page.get_by_label("Address or key").fill(f"{receiver.url}{SLACK}")
    page.get_by_role("button", name="Save and send test").click()
    assert "Test through alerts: delivered" in page.get_by_test_id("send-test-result").inner_text()
    assert len(receiver.messages()) == 1
    assert receiver.url not in page.content()
