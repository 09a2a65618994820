"""Half hours: what pages draw of the last day is the same as what minutes and probes hold."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from controlplane.observations import selectors
from controlplane.observations.domain import half_hours, latencies
from controlplane.observations.domain.half_hours import HalfHour, number_of
from controlplane.observations.domain.report import parse
from controlplane.observations.models import HalfHourCount
from controlplane.observations.services.probes import record_probe
from controlplane.observations.services.reports import record_report
from tests.observations.reports import MINUTE, NOW, minute, report
from tests.observations.test_probes_and_retention import PROBE

MILLISECOND = timedelta(milliseconds=1)
DAY = {"start": NOW - timedelta(days=1), "end": NOW}
VERDICTS = {"avg_dep_delay": {"fresh": 190, "missing": 8, "invalid": 2}, "flights_1d": {"stale": 200}}


def count(*minutes, sequence=1, now=NOW):
    document = report(*minutes, sequence=sequence)
    return record_report(parse(document, now=now), now=now, retention=timedelta(days=14))


def of_view(view="carrier_delays"):
    return selectors.half_hours("flights", view, **DAY)


def of_project():
    return selectors.half_hours("flights", **DAY)


@pytest.mark.django_db
def test_the_half_hours_of_a_view_are_the_sums_of_its_minutes():
    count(minute(), minute(service=""), minute(minute=MINUTE - 1), minute(minute=MINUTE - 31))
    count(minute(), sequence=2)
    found = of_view()
    assert [each.number for each in found] == [number_of(NOW) - 2, number_of(NOW) - 1, number_of(NOW)]
    assert [each.requests for each in found] == [2, 2, 6]
    lately = selectors.sums("flights", "carrier_delays", start=NOW - timedelta(hours=2), end=NOW)
    assert sum(sum(each.values.values()) for each in found) == lately.total_values
    assert found[-1].features == {
        "avg_dep_delay": {"fresh": 9, "stale": 3},
        "flights_1d": {"fresh": 6, "null": 3, "stale": 3},
    }


@pytest.mark.django_db
def test_a_report_that_comes_twice_is_in_a_half_hour_once():
    assert (count(minute()), count(minute())) == (True, False)
    assert of_view()[0].requests == 2


@pytest.mark.django_db
def test_a_request_over_several_views_counts_once_for_the_project_and_all_of_its_values_do():
    count(
        minute(requests=50, latency_buckets={"12": 50}),
        minute(requests=40, view="carrier_volume", latency_buckets={"12": 40}),
        minute(requests=25, service="", latency_buckets={"20": 25}),
    )
    (project,) = of_project()
    assert (project.requests, project.latency_buckets) == (75, {12: 50, 20: 25})
    assert project.values == {"fresh": 15, "null": 3, "stale": 6}
    assert project.features == {}, "features of one name in two views are two features"


@pytest.mark.django_db
def test_a_serving_process_of_before_latencies_is_still_counted():
    assert "latency_buckets" not in minute()
    count(minute())
    assert of_view()[0].latency_buckets == {}


@pytest.mark.django_db
def test_probes_add_how_they_judged_each_feature_how_long_they_took_and_the_worst_age():
    record_probe(PROBE, verdicts=VERDICTS)
    record_probe(replace(PROBE, age_p95=timedelta(minutes=2)), verdicts=VERDICTS)
    record_probe(replace(PROBE, view="other", store_latency_us=90_000), verdicts={})
    (seen,) = of_view()
    assert seen.probed["avg_dep_delay"] == {"fresh": 380, "missing": 16, "invalid": 4}
    assert seen.age_p95 == PROBE.age_p95
    assert (seen.requests, seen.values, seen.features) == (0, {}, {}), "a probe is no lookup"
    (project,) = of_project()
    assert sum(project.probe_latency_buckets.values()) == 3
    assert (project.probed, project.age_p95) == ({}, None)
    slowest = latencies.quantile(project.probe_latency_buckets, 0.95)
    assert 90 * MILLISECOND <= slowest <= 1.25 * 90 * MILLISECOND


@pytest.mark.django_db
def test_a_probe_that_could_not_read_adds_nothing():
    record_probe(replace(PROBE, error="the store is away"), verdicts=VERDICTS)
    assert not HalfHourCount.objects.exists()


def test_a_half_hour_begins_with_its_first_instant():
    begins = NOW.replace(minute=0, second=0)
    assert number_of(begins) == number_of(begins + timedelta(minutes=29, seconds=59))
    assert number_of(begins - timedelta(microseconds=1)) == number_of(begins) - 1
    assert number_of(begins) == MINUTE // 30


@given(st.integers(0, 3_600_000_000))
def test_a_latency_is_never_told_too_low_and_at_most_a_quarter_too_high(microseconds):
    took = timedelta(microseconds=microseconds)
    told = latencies.quantile({latencies.bucket_of(took): 1}, 1.0)
    # The last bucket ends nowhere; timedelta rounds to microseconds.
    assert took <= told + timedelta(microseconds=1)
    if timedelta(microseconds=100) < took < timedelta(minutes=40):
        assert told <= 1.25 * took + timedelta(microseconds=1)


PARTS = st.builds(
    HalfHour,
    st.just("p"),
    st.just("v"),
    st.just(1),
    requests=st.integers(0, 9),
    values=st.dictionaries(st.sampled_from(["fresh", "stale"]), st.integers(1, 9)),
    features=st.dictionaries(st.sampled_from("ab"), st.fixed_dictionaries({"fresh": st.integers(1, 9)})),
    latency_buckets=st.dictionaries(st.integers(0, 3), st.integers(1, 9)),
    age_p95=st.none() | st.timedeltas(timedelta(0), timedelta(days=1)),
)


@given(PARTS, PARTS, PARTS)
def test_the_order_in_which_parts_come_does_not_matter(one, two, three):
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)


def test_the_row_of_a_project_is_locked_after_those_of_its_views():
    minutes = parse(report(minute(view="z"), minute(view="a"), minute(project="b")), now=NOW).minutes
    order = [(each.project, each.view) for each in half_hours.of_minutes(minutes)]
    assert order == [("b", "carrier_delays"), ("b", ""), ("flights", "a"), ("flights", "z"), ("flights", "")]


@pytest.mark.django_db(transaction=True)
def test_probes_and_reports_at_once_lose_nothing():
    def reports(instance):
        for sequence in range(5):
            document = report(minute(), minute(view="b"), instance=instance, sequence=sequence)
            record_report(parse(document, now=NOW), now=NOW, retention=timedelta(days=14))
        connection.close()

    def probes(view):
        for _ in range(5):
            record_probe(replace(PROBE, view=view), verdicts=VERDICTS)
        connection.close()

    work = [(reports, "edge-1"), (reports, "edge-2"), (probes, "carrier_delays"), (probes, "b")]
    threads = [threading.Thread(target=do, args=[what]) for do, what in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=90)
    (project,) = of_project()
    assert (project.requests, sum(project.probe_latency_buckets.values())) == (20, 10)
    for view in ("carrier_delays", "b"):
        (told,) = of_view(view)
        assert (told.requests, told.probed["flights_1d"]) == (20, {"stale": 1_000})
