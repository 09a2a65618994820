"""Reports over HTTP, and what the selectors say of them."""

import itertools
import json
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.accounts import selectors as accounts
from controlplane.accounts.domain import Role
from controlplane.accounts.services import teams, tokens
from controlplane.kernel import clock
from controlplane.observations import selectors
from controlplane.observations.domain.report import parse
from controlplane.observations.domain.sums import ServedSums
from controlplane.observations.models import MinuteCount, ReportReceipt
from controlplane.observations.services.reports import record_report
from tests.observations.reports import MINUTE, NOW, minute, report, sampled

pytestmark = pytest.mark.django_db
RETENTION = timedelta(days=14)
LATELY = {"start": NOW - timedelta(hours=1), "end": NOW + timedelta(minutes=5)}


def count(document):
    return record_report(parse(document, now=NOW), now=NOW, retention=RETENTION)


def everything():
    """Every stored count, in a form that compares."""
    columns = [field.name for field in MinuteCount._meta.fields if field.name != "id"]
    return sorted(json.dumps(row, sort_keys=True) for row in MinuteCount.objects.values(*columns))


@pytest.fixture
def post(client):
    user = get_user_model().objects.create(username="root", is_superuser=True)
    made = tokens.create_token(
        accounts.principal_of_user(user), name="s", scopes=["serving"], projects=[], now=clock.now()
    )

    def send(document, secret=made.secret):
        with clock.fixed(NOW):
            return client.post(
                "/api/v1/serving/observations",
                json.dumps(document),
                content_type="application/json",
                headers={"authorization": f"Bearer {secret}"},
            )

    return send


def test_a_report_is_counted_once(post):
    assert post(report()).status_code == 204
    assert post(report()).status_code == 204
    assert selectors.sums("flights", "carrier_delays", **LATELY).requests == 2
    assert post(report(sequence=2)).status_code == 204
    assert post(report(instance="edge-2a")).status_code == 204
    assert selectors.sums("flights", "carrier_delays", **LATELY).requests == 6


def test_a_wrong_report_is_refused_with_paths_and_counts_nothing(post):
    answer = post(report(minute(), minute(rows=-1)))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "minutes[1].rows"
    assert not MinuteCount.objects.exists()
    assert not ReportReceipt.objects.exists()


def test_a_token_of_one_project_cannot_report_for_another(post):
    user = get_user_model().objects.create(username="tess")
    teams.ensure_team("trains", actor="t", now=NOW)
    teams.set_member(team="trains", username="tess", member=True, actor="t", now=NOW)
    teams.set_role(team="trains", project="trains", role=Role.ADMIN, actor="t", now=NOW)
    made = tokens.create_token(
        accounts.principal_of_user(user), name="t", scopes=["serving"], projects=["trains"], now=NOW
    )
    answer = post(report(minute(project="trains"), minute()), secret=made.secret)
    assert (answer.status_code, "flights" in answer.json()["detail"]) == (404, True)
    assert [error["path"] for error in answer.json()["errors"]] == ["minutes[1].project"]  # so: never again
    assert not MinuteCount.objects.exists()
    assert post(report(minute(project="trains")), secret=made.secret).status_code == 204


def test_sums_add_up_what_was_reported():
    count(report(minute(), minute(service=""), minute(minute=MINUTE - 1)))
    whole = selectors.sums("flights", "carrier_delays", **LATELY)
    assert (whole.requests, whole.rows, whole.rejected_rows, whole.also_invalid) == (6, 12, 3, 3)
    assert whole.values == {"fresh": 15, "null": 3, "stale": 6}
    assert whole.share("stale") == 0.25
    assert whole.share_over(timedelta(days=1)) == 0.25
    by_service = selectors.sums_by_service("flights", "carrier_delays", **LATELY)
    assert {name: sums.requests for name, sums in by_service.items()} == {"delay_ranker": 4, "": 2}
    assert selectors.sums("flights", "carrier_delays", service="", **LATELY).requests == 2
    assert selectors.sums_by_view("flights", **LATELY) == {"carrier_delays": whole}
    by_minute = selectors.sums_by_minute("flights", "carrier_delays", **LATELY)
    assert [(clock.to_us(at) // 60_000_000, sums.requests) for at, sums in by_minute] == [
        (MINUTE - 1, 2),
        (MINUTE, 4),
    ]
    assert selectors.service_values("flights", "delay_ranker", **LATELY) == 16
    features = selectors.feature_sums("flights", "carrier_delays", **LATELY)
    assert features["flights_1d"] == {"fresh": 6, "null": 3, "stale": 3}
    assert selectors.sums("flights", "nothing", **LATELY) == ServedSums()


def test_a_range_holds_the_minutes_that_begin_in_it():
    count(report(minute(minute=MINUTE - 1), minute()))
    begins = clock.from_us(MINUTE * 60_000_000)

    def requests(start, end):
        return selectors.sums("flights", "carrier_delays", start=start, end=end).requests

    instant = timedelta(microseconds=1)
    assert requests(begins, begins + instant) == 2
    assert requests(begins + instant, begins + timedelta(hours=1)) == 0
    assert requests(begins - timedelta(minutes=1), begins) == 2
    assert requests(begins - timedelta(minutes=1), begins + instant) == 4


def test_the_newest_contract_of_a_minute_is_kept():
    count(report(minute(contract=4), minute(contract=3)))
    assert MinuteCount.objects.get().contract == 4


def test_lookups_a_minute_count_a_request_over_several_views_once():
    count(
        report(
            minute(requests=50),
            minute(requests=50, view="carrier_volume"),
            minute(requests=25, service=""),
            minute(requests=1_000, minute=MINUTE - 6),
        )
    )
    rate = selectors.lookups_per_minute
    assert rate("flights", now=NOW) == 15
    assert rate("flights", now=NOW, service="delay_ranker") == 10
    assert rate("flights", now=NOW, view="carrier_volume") == 10
    assert rate("flights", now=NOW, view="carrier_delays") == 15
    assert rate("trains", now=NOW) == 0


def test_minutes_older_than_they_are_kept_are_left_out():
    old = MINUTE - 14 * 24 * 60
    assert count(report(minute(minute=old), minute(minute=old + 1)))
    assert [row.minute for row in MinuteCount.objects.all()] == [old + 1]


def test_sampled_lookups_are_told_newest_first():
    before = sampled(at_us=sampled()["at_us"] - 1, verdicts={"f": "fresh"}, age_us=None)
    future = sampled(at_us=sampled()["at_us"] + 400_000_000)
    count(report(sampled=[before, sampled(), future]))
    newest, older = selectors.recent_lookups("flights", "carrier_delays")
    assert (newest.verdicts, newest.age) == ({"avg_dep_delay": "stale"}, timedelta(seconds=4))
    assert (older.verdicts, older.age) == ({"f": "fresh"}, None)


def test_a_key_that_was_told_is_kept_beside_its_hash():
    count(report(sampled=[sampled(key="0a1b"), sampled()]))
    hashed, told = selectors.recent_lookups("flights", "carrier_delays")
    assert (told.key, told.key_sha256, hashed.key) == (b"\x0a\x1b", "ab" * 32, None)


def test_keys_are_those_of_lookups_that_found_a_row_each_once_the_newest_first():
    at_us = sampled()["at_us"]
    told = [
        sampled(key="0a", at_us=at_us - 9),
        sampled(key="0b", at_us=at_us - 8, verdicts={"f": "missing", "g": "null"}),
        sampled(key="0c", at_us=at_us - 7, verdicts={"f": "missing", "g": "unavailable"}),
        sampled(key="0a", at_us=at_us - 6),
        sampled(at_us=at_us - 5),
        sampled(key="0d", view="another"),
    ]
    count(report(sampled=told))
    assert selectors.looked_up_keys("flights", "carrier_delays", limit=9) == [b"\x0a", b"\x0b"]
    assert selectors.looked_up_keys("flights", "carrier_delays", limit=1) == [b"\x0a"]


def test_bins_are_counted_by_minute_once_and_add_up():
    edges, others = "0123456789abcdef", "fedcba9876543210"
    first = report(
        minute(bins={"x": {edges: {"0": 1, "null": 2}}}),
        minute(bins={"x": {edges: {"0": 3}, others: {"1": 1}}}),
        minute(bins={"y": {edges: {"nan": 5}}}, minute=MINUTE - 1, service=""),
        minute(),
    )
    count(first)
    assert not count(first)
    whole = selectors.bin_sums("flights", "carrier_delays", **LATELY)
    assert whole == {"x": {edges: {"0": 4, "null": 2}, others: {"1": 1}}, "y": {edges: {"nan": 5}}}
    ranked = selectors.bin_sums("flights", "carrier_delays", service="delay_ranker", **LATELY)
    assert ranked == {"x": whole["x"]}
    begins = clock.from_us(MINUTE * 60_000_000)
    last = selectors.bin_sums("flights", "carrier_delays", start=begins, end=begins + timedelta(minutes=1))
    assert last == {"x": whole["x"]}


def test_who_reported_lately_and_what_was_dropped():
    count(report(dropped=3))
    count(report(sequence=2, dropped=4))
    (told,) = selectors.reporting_instances(since=NOW)
    assert (told.instance, told.last_report_at, told.dropped) == ("edge-1f", NOW, 7)
    assert selectors.reporting_instances(since=NOW + timedelta(seconds=1)) == []


COUNTS = st.integers(min_value=0, max_value=9)
MINUTES = st.builds(
    minute,
    minute=st.integers(MINUTE - 2, MINUTE),
    view=st.sampled_from(["a", "b"]),
    service=st.sampled_from(["", "s"]),
    contract=st.integers(1, 3),
    requests=COUNTS,
    rows=COUNTS,
    values=st.dictionaries(st.sampled_from(["fresh", "stale", "missing"]), COUNTS),
    actions=st.dictionaries(st.sampled_from(["serve", "null"]), COUNTS),
    features=st.dictionaries(
        st.sampled_from(["x", "y"]), st.dictionaries(st.sampled_from(["fresh", "stale"]), COUNTS)
    ),
    age_buckets=st.dictionaries(st.integers(0, 78).map(str), COUNTS, max_size=3),
    bins=st.dictionaries(
        st.sampled_from(["x", "y"]),
        st.dictionaries(
            st.sampled_from(["0123456789abcdef", "0000000000000000"]),
            st.dictionaries(st.sampled_from(["0", "1", "null", "nan", "other"]), COUNTS),
        ),
    ),
)


@settings(max_examples=25)
@given(st.lists(st.lists(MINUTES, min_size=1, max_size=4), min_size=1, max_size=4), st.data())
def test_reports_may_come_in_any_order_and_more_than_once(bodies, data):
    reports = [report(*body, sequence=number) for number, body in enumerate(bodies)]
    again = data.draw(st.lists(st.sampled_from(reports), max_size=3))
    shuffled = data.draw(st.permutations(reports + again))

    def stored(documents):
        with transaction.atomic():
            for document in documents:
                count(document)
            found = everything()
            transaction.set_rollback(True)
        return found

    assert stored(reports) == stored(shuffled)


@settings(max_examples=50)
@given(st.lists(MINUTES, min_size=3, max_size=3))
def test_sums_add_up_in_any_order(three):
    sums = [entry.sums for entry in parse(report(*three), now=NOW).minutes]
    totals = [a + b + c for a, b, c in itertools.permutations(sums)]
    assert all(total == totals[0] for total in totals)
    assert sums[0] + (sums[1] + sums[2]) == totals[0]
    assert sums[0] + ServedSums() == sums[0]
