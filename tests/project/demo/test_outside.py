"""Jobs of others are heard of as long as their source goes on."""

import pytest
from openlineage.client.event_v2 import RunState

from controlplane.project.demo import outside
from tests.project.demo.story import NOW


def told(hour=0, stopped=frozenset()):
    return list(outside.events(hour=hour, now=NOW, stopped=stopped))


def test_each_run_starts_and_completes_under_one_id():
    by_job = {}
    for event in told():
        by_job.setdefault(event.job.name, []).append(event)
    for events in by_job.values():
        assert [event.eventType for event in events] == [RunState.START, RunState.COMPLETE]
        assert len({event.run.runId for event in events}) == 1
    assert set(by_job) == {job.name for job in outside.JOBS}


def test_runs_are_new_each_time():
    assert not {event.run.runId for event in told()} & {event.run.runId for event in told()}


def test_a_stopped_source_silences_the_jobs_that_make_it():
    heard = {event.job.name for event in told(stopped=frozenset({"weather"}))}
    assert heard == {"airlines.collect_schedules", "airlines.build_flights", "registry.import_planes"}


@pytest.mark.parametrize(
    ("hour", "sources"),
    [(1, {"weather"}), (3, {"weather", "flights"}), (24, {"weather", "flights", "planes"})],
)
def test_jobs_run_in_their_hours(hour, sources):
    of = {job.name: job.source for job in outside.JOBS}
    assert {of[event.job.name] for event in told(hour=hour)} == sources


def test_the_weather_comes_from_the_raw_reports():
    build = next(event for event in told() if event.job.name == "stations.build_weather")
    assert [(one.namespace, one.name) for one in build.inputs] == [("s3://lake", "raw/observations")]
    assert [(one.namespace, one.name) for one in build.outputs] == [("s3://lake", "gold/weather")]
