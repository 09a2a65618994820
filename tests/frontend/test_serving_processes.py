"""Which serving processes the pages show, and which they count."""

from datetime import timedelta

import pytest

from controlplane.kernel import clock
from controlplane.registry import selectors as registry
from controlplane.registry.services.acknowledgements import Acknowledgement, record_acknowledgement
from controlplane.registry.services.applying import Author, apply_definition
from frontend.readers.contract import read_contract
from frontend.readers.settings import read_system
from monitors.services.beats import beat
from tests.registry.story import FLIGHTS, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def digest():
    with clock.fixed(NOW):
        apply_definition("flights", FLIGHTS, author=Author(name="edith", may_create_projects=True), now=NOW)
    return registry.current_bundle_digest()


def speak(instance, digest, *, ago):
    said = Acknowledgement(instance=instance, digest=digest, number=1, loaded_at=NOW - timedelta(days=2))
    record_acknowledgement(said, now=NOW - ago)


def test_a_process_that_ended_is_gone_rather_than_behind_and_is_listed_last(digest):
    speak("a-ended", "0" * 64, ago=timedelta(minutes=4))
    speak("b-runs", digest, ago=timedelta(seconds=5))
    speak("c-lags", "0" * 64, ago=timedelta(seconds=5))
    speak("d-ended-on-the-newest", digest, ago=timedelta(hours=23))
    speak("e-long-ago", "0" * 64, ago=timedelta(hours=25))
    found = [(process.instance, process.state) for process in read_system(now=NOW).serving]
    assert found == [
        ("b-runs", "current"),
        ("c-lags", "behind"),
        ("a-ended", "gone"),
        ("d-ended-on-the-newest", "gone"),
    ]


def test_only_processes_that_still_speak_count_for_a_contract(digest):
    speak("a-ended", digest, ago=timedelta(minutes=4))
    speak("b-runs", digest, ago=timedelta(seconds=5))
    speak("c-lags", "0" * 64, ago=timedelta(seconds=5))
    tab = read_contract(registry.find_view("flights", "carrier_delays"), older=None, newer=None, now=NOW)
    assert (tab.versions[0].loaded_by, tab.versions[0].serving_processes) == (1, 2)


@pytest.mark.parametrize(
    ("ago", "is_newest", "state"),
    [(5, True, "good"), (5, False, "behind"), (240, True, "failing"), (240, False, "failing")],
)
def test_serving_is_not_called_good_where_no_process_speaks_on_the_newest_bundle(
    digest, ago, is_newest, state
):
    speak("a", digest if is_newest else "0" * 64, ago=timedelta(seconds=ago))
    parts = {part.name: part for part in read_system(now=NOW).parts}
    assert (parts["Serving"].state, parts["Serving"].seen_at) == (state, NOW - timedelta(seconds=ago))


def test_a_loop_of_monitoring_that_stopped_is_told_as_failing(digest):
    beat("judge", now=NOW)
    beat("probe", now=NOW - timedelta(hours=1))
    parts = {part.name: part.state for part in read_system(now=NOW).parts}
    assert (parts["Judging"], parts["Probing"], parts["Notifying"]) == ("good", "failing", "no_data")
    assert parts["Messages"] == "good"
