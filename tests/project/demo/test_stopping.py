"""./dev demo break and fix: what is said, and what is so afterwards."""

import pytest

from controlplane.kernel.errors import Refused
from controlplane.project.demo.stopping import SOURCES, go_on, stop, stopped_sources
from tests.project.demo.story import NOW


def test_a_source_is_stopped_and_goes_on(places):
    assert stopped_sources(places) == frozenset()
    said = stop("weather", places, now=NOW)
    assert "airport_weather and airport_weather_trend go late, then stale" in said
    assert stopped_sources(places) == {"weather"}
    assert "goes on from now" in go_on("weather", places)
    assert stopped_sources(places) == frozenset()


def test_stopping_twice_says_since_when(places):
    stop("weather", places, now=NOW)
    assert "already, since 2026-11-23 12:00:00 UTC" in stop("weather", places, now=NOW)
    assert stopped_sources(places) == {"weather"}


def test_fixing_what_was_not_stopped_says_so_and_what_is(places):
    assert go_on("weather", places) == "weather was not stopped. All go on."
    stop("flights", places, now=NOW)
    assert go_on("weather", places) == "weather was not stopped. What stands still: flights."


def test_two_sources_stop_and_go_on_by_themselves(places):
    stop("weather", places, now=NOW)
    stop("operations", places, now=NOW)
    go_on("weather", places)
    assert stopped_sources(places) == {"operations"}


def test_a_source_that_there_is_not_is_refused_with_those_that_there_are(places):
    with pytest.raises(Refused, match=", ".join(SOURCES)):
        stop("planes", places, now=NOW)


def test_a_file_that_somebody_left_there_stops_nothing(places):
    places.stopped.mkdir()
    (places.stopped / ".DS_Store").touch()
    assert stopped_sources(places) == frozenset()
