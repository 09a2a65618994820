"""The outbox's decisions: retries, pauses, endings; silences; who hears of what."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.kernel.errors import Refused
from monitors.domain.incidents import Severity
from monitors.domain.notifications import (
    Action,
    Answer,
    Attempted,
    Ending,
    OutboxState,
    Outcome,
    Told,
    after_attempt,
    backoff,
    endings,
    followers,
)
from monitors.domain.routing import ChannelKind, DefaultChannel, Purpose, recipients
from monitors.domain.silences import Matcher, Op, Silence, covers, muted_until, parse

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
CHAT, PAGER = Purpose.CHAT, Purpose.PAGER


def attempted(**changes):
    fields = {"attempts": 1, "created_at": NOW, "is_plain": False, "has_fallback": False}
    return Attempted(**fields | changes)


@pytest.mark.parametrize(
    ("outcome", "row", "expected"),
    [
        (Outcome.SENT, attempted(), OutboxState.SENT),
        (Outcome.RETRY, attempted(), OutboxState.PENDING),
        (Outcome.RETRY, attempted(created_at=NOW - timedelta(hours=24) + TICK), OutboxState.PENDING),
        (Outcome.RETRY, attempted(created_at=NOW - timedelta(hours=24)), OutboxState.DEAD),
        (Outcome.PAUSE, attempted(), OutboxState.PENDING),
        (Outcome.PLAIN, attempted(), OutboxState.PENDING),
        (Outcome.PLAIN, attempted(is_plain=True), OutboxState.DEAD),
        (Outcome.PERMANENT, attempted(), OutboxState.DEAD),
        (Outcome.PERMANENT, attempted(has_fallback=True), OutboxState.FAILED_OVER),
    ],
)
def test_an_answer_decides_what_becomes_of_the_row(outcome, row, expected):
    assert after_attempt(row, Answer(outcome, ""), now=NOW, random=0.5).state is expected


@given(st.integers(0, 86_400), st.integers(1, 50), st.floats(0, 1))
def test_retry_after_is_kept_to_the_second_for_the_whole_channel(seconds, attempts, random):
    answer = Answer(Outcome.PAUSE, "", retry_after=seconds * SECOND)
    following = after_attempt(attempted(attempts=attempts), answer, now=NOW, random=random)
    assert following.due_at == following.channel_free_at == NOW + seconds * SECOND


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_jitters_fully_under_a_cap_that_doubles_to_five_minutes(attempts, random):
    cap = min(300, 2 ** min(attempts - 1, 60))
    assert backoff(attempts, random=0) == timedelta(0)
    assert backoff(attempts, random=1) == cap * SECOND
    assert timedelta(0) <= backoff(attempts, random=random) <= cap * SECOND


def test_a_message_in_plain_text_is_tried_at_once_and_once():
    following = after_attempt(attempted(), Answer(Outcome.PLAIN, ""), now=NOW, random=0.9)
    assert (following.due_at, following.is_plain) == (NOW, True)


def told(state, *, purpose=CHAT, attempted=True, channel=1):
    return Told(channel, purpose, state, attempted)


@pytest.mark.parametrize(
    ("one", "withdraw", "send"),
    [
        pytest.param(told(OutboxState.SENT), False, Action.RESOLVE, id="whoever was told is told the end"),
        pytest.param(told(OutboxState.LEASED), False, Action.RESOLVE, id="an attempt is under way"),
        pytest.param(told(OutboxState.PENDING), False, Action.RESOLVE, id="tried once, may have arrived"),
        pytest.param(
            told(OutboxState.PENDING, attempted=False), True, Action.BRIEF, id="a chat gets one for both"
        ),
        pytest.param(
            told(OutboxState.PENDING, attempted=False, purpose=PAGER), True, None, id="a pager stays quiet"
        ),
        pytest.param(
            told(OutboxState.MUTED, attempted=False), True, None, id="what was silenced stays silent"
        ),
    ],
)
def test_the_end_of_an_incident(one, withdraw, send):
    assert endings([one]) == (Ending(1, withdraw, send),)


@pytest.mark.parametrize("state", [OutboxState.DEAD, OutboxState.FAILED_OVER, OutboxState.SUPERSEDED])
def test_a_channel_that_never_got_the_trigger_gets_nothing_else(state):
    assert endings([told(state)]) == ()
    assert followers([told(state)]) == ()


def silence(**changes):
    fields = {
        "matchers": (Matcher("view", Op.EQUAL, "delays"),),
        "starts_at": NOW,
        "ends_at": NOW + 60 * SECOND,
    }
    return Silence(**fields | changes)


@pytest.mark.parametrize(
    ("offset", "expected"),
    [(-TICK, False), (timedelta(0), True), (60 * SECOND - TICK, True), (60 * SECOND, False)],
)
def test_a_silence_holds_from_its_start_until_just_before_its_end(offset, expected):
    assert covers(silence(), {"view": "delays"}, at=NOW + offset) is expected


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        (Matcher("view", Op.EQUAL, "delays"), True),
        (Matcher("view", Op.EQUAL, "delay"), False),
        (Matcher("view", Op.UNEQUAL, "delays"), False),
        (Matcher("view", Op.MATCH, "del.*"), True),
        (Matcher("view", Op.MATCH, "del"), False),
        (Matcher("view", Op.NO_MATCH, "del"), True),
        (Matcher("owner", Op.EQUAL, ""), True),
    ],
)
def test_a_matcher_compares_the_whole_label(matcher, expected):
    assert covers(silence(matchers=(matcher,)), {"view": "delays"}, at=NOW) is expected


def test_all_matchers_must_hold_and_the_last_end_counts():
    both = silence(matchers=(Matcher("view", Op.EQUAL, "delays"), Matcher("tier", Op.EQUAL, "gold")))
    longer = silence(ends_at=NOW + 90 * SECOND)
    assert muted_until([both], {"view": "delays", "tier": "silver"}, at=NOW) is None
    assert muted_until([silence(), longer], {"view": "delays"}, at=NOW) == NOW + 90 * SECOND


@pytest.mark.parametrize(
    ("matchers", "span", "path"),
    [
        ([], 60 * SECOND, "matchers"),
        ([{"label": "colour", "op": "=", "value": "x"}], 60 * SECOND, "matchers[0].label"),
        ([{"label": "view", "op": "~", "value": "x"}], 60 * SECOND, "matchers[0].op"),
        ([{"label": "view", "op": "=~", "value": "("}], 60 * SECOND, "matchers[0].value"),
        ([{"label": "view", "op": "=", "value": 3}], 60 * SECOND, "matchers[0].value"),
        ([{"label": "view", "op": "=", "value": "x"}], timedelta(0), "ends_at"),
        ([{"label": "view", "op": "=", "value": "x"}], timedelta(days=30) + TICK, "ends_at"),
    ],
)
def test_a_bad_silence_is_refused_with_the_path_of_its_fault(matchers, span, path):
    with pytest.raises(Refused) as refused:
        parse(matchers, starts_at=NOW, ends_at=NOW + span, now=NOW)
    assert [fault.path for fault in refused.value.errors] == [path]


def default(channel, kind=ChannelKind.SLACK_WEBHOOK, *, team="delays", project=""):
    return DefaultChannel(channel, kind, team, project)


PAGERDUTY = ChannelKind.PAGERDUTY


@pytest.mark.parametrize(
    ("defaults", "severity", "expected"),
    [
        pytest.param([default(1), default(2, PAGERDUTY)], Severity.CRITICAL, (1, 2), id="critical pages"),
        pytest.param([default(1), default(2, PAGERDUTY)], Severity.WARNING, (1,), id="a warning does not"),
        pytest.param([default(1, team="others")], Severity.CRITICAL, (), id="other teams do not hear"),
        pytest.param([default(1, team="*")], Severity.WARNING, (1,), id="everyone stands in"),
        pytest.param([default(1, team="*"), default(2)], Severity.WARNING, (2,), id="one's own come first"),
        pytest.param([default(1, project="trains")], Severity.WARNING, (), id="a channel of another project"),
        pytest.param([default(1), default(1)], Severity.WARNING, (1,), id="each once"),
    ],
)
def test_the_owner_hears_of_an_incident(defaults, severity, expected):
    assert recipients(defaults, owner="delays", project="flights", severity=severity) == expected
