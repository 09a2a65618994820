"""What becomes of a message when the receiver is busy, broken or refuses for good."""

from datetime import timedelta

from monitors.models import Channel, Incident
from tests.monitors.receivers import PAGER
from tests.monitors.world import INTERVAL, MAX_AGE


def _page(world):
    """Go stale with a trigger for the pager under way, and one attempt made."""
    while not world.receiver.pages():
        world.pass_time(INTERVAL)
        assert world.now < world.view().created_at + 3 * MAX_AGE


def test_a_pager_that_fails_is_tried_again_with_the_same_message(watched):
    watched.receiver.script[PAGER].append((503, b""))
    _page(watched)
    watched.pass_time(2 * INTERVAL)
    first, second = watched.receiver.bodies(PAGER)
    assert first == second
    assert ("pagerduty", "trigger", "sent") in watched.outbox()


def test_nothing_is_sent_before_retry_after_ends(watched):
    watched.receiver.script[PAGER].append((429, b"", {"Retry-After": "100"}))
    _page(watched)
    watched.now += timedelta(seconds=99)
    watched.deliver()
    assert watched.receiver.pages() == ["trigger"]
    watched.now += timedelta(seconds=3)
    watched.deliver()
    assert watched.receiver.pages() == ["trigger", "trigger"]


def test_a_channel_that_refuses_for_good_is_told_of_elsewhere_and_mends(watched):
    watched.receiver.script[PAGER].append((400, b"invalid key"))
    _page(watched)
    assert Channel.objects.get(kind="pagerduty").broken_at is not None
    meta = Incident.objects.get(family="meta")
    assert meta.state == "open"
    watched.pass_time(2 * INTERVAL)
    assert any("refuses messages for good" in chat for chat in watched.receiver.chats())
    assert ("pagerduty", "trigger", "dead") in watched.outbox()
