"""The inbox out of real rows of the monitors: what is told, in which order, in few queries."""

import re

import pytest

from tests.frontend.live import numbers_in, text_of, words
from tests.monitors.story import MINUTE, NOON, breach, cause, monitor, recover

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built", "flights")]
INBOX = "/p/flights/incidents"
BUDGET = 15


def page_of(incident):
    return f"{INBOX}/INC-{incident.number}"


def test_the_inbox_names_what_is_wrong_why_whom_it_hits_and_who_was_told(stale, viewer):
    told = words(viewer.get(INBOX))
    assert f"INC-{stale.number} carrier_delays is stale" in told
    assert "Cause: refine failed: disk full" in told
    assert "critical" in told
    assert "chat Waiting" in told and "pager Waiting" in told
    row = re.search(r'data-label="consumers">(\d+)<', text_of(viewer.get(INBOX)))
    assert row[1] == "2", "a service and its model"


def test_what_one_cause_explains_is_one_row(stale, viewer):
    breach("gate_delays", causes=[cause()])
    told = words(viewer.get(INBOX))
    assert "2 views stale, carrier_delays first" in told
    assert told.count("INC-") == 1


def test_an_empty_inbox_proves_that_somebody_looks(viewer):
    assert "No view is monitored yet" in words(viewer.get(INBOX))
    of = monitor().watch
    of.probed_at = NOON
    of.save()
    assert "No open incidents 1 view monitored, last probe 2 min ago ." in words(viewer.get(INBOX))


def test_each_tab_holds_its_incidents_and_their_number(stale, operator):
    second, third = breach("gate_delays"), breach("tail_delays")
    operator.post(f"{page_of(second)}/acknowledge")
    recover(third, now=NOON + MINUTE)
    expected = {
        "open": [stale.number],
        "acknowledged": [second.number],
        "silenced": [],
        "resolved": [third.number],
        "all": [third.number, second.number, stale.number],
    }
    for tab, numbers in expected.items():
        html = text_of(operator.get(f"{INBOX}?tab={tab}"))
        assert numbers_in(html) == numbers
        assert re.search(rf'{tab.title()} <span class="count[^"]*">{len(numbers)}<', html)


def test_an_unknown_tab_or_filter_shows_what_is_open(stale, viewer):
    told = words(viewer.get(f"{INBOX}?tab=nonsense&severity=loud&after=-1"))
    assert "carrier_delays is stale" in told


def test_the_inbox_is_narrowed_by_severity_and_owner(stale, viewer):
    breach("bronze_view", tier="bronze", owner="ops")
    assert "carrier_delays" not in words(viewer.get(f"{INBOX}?severity=warning"))
    assert "bronze_view is stale" in words(viewer.get(f"{INBOX}?severity=warning&owner=ops"))
    nothing = words(viewer.get(f"{INBOX}?severity=info"))
    assert "No incident matches" in nothing and "Clear filters" in nothing


def test_what_is_worst_comes_first_where_somebody_may_have_to_act(stale, viewer):
    warning = breach("bronze_view", tier="bronze")
    newest = breach("tail_delays")
    html = text_of(viewer.get(INBOX))
    assert numbers_in(html) == [newest.number, stale.number, warning.number]
    assert numbers_in(text_of(viewer.get(f"{INBOX}?tab=all")))[0] == newest.number


@pytest.mark.parametrize("tab", ["open", "all"])
def test_what_does_not_fit_is_a_page_further_and_none_is_lost(tab, viewer, django_assert_max_num_queries):
    tiers = {number: "gold" if number % 3 else "bronze" for number in range(53)}
    rows = [breach(f"v{number}", tier=tier) for number, tier in tiers.items()]
    seen = []
    address = f"{INBOX}?tab={tab}"
    while address:
        viewer.get(address)
        with django_assert_max_num_queries(BUDGET):
            html = text_of(viewer.get(address))
        seen += numbers_in(html)
        further = re.search(r'rel="next" href="([^"]+)"', html)
        address = INBOX + further[1].replace("&amp;", "&") if further else None
    newest = sorted(rows, key=lambda row: -row.number)
    if tab == "open":
        newest.sort(key=lambda row: row.severity)
    assert seen == [row.number for row in newest]
