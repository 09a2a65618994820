"""The last day on pages: strips of features, cells of a view and tiles of Home, over what was recorded."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.accounts.domain import Role
from controlplane.ingestion.models import IngestionRun
from controlplane.kernel import clock
from controlplane.observations.domain.records import ProbeResult
from controlplane.observations.domain.report import parse
from controlplane.observations.services.probes import record_probe
from controlplane.observations.services.reports import record_report
from controlplane.registry import selectors as registry
from frontend.readers.last_day import COLUMNS, read_last_day
from frontend.readers.strips import read_strips, state_of
from monitors.services.beats import beat
from tests.frontend.live import person, text_of
from tests.frontend.test_pages_live import apply
from tests.monitors.story import monitor
from tests.observations.reports import minute, report
from tests.registry.story import FLIGHTS, NOW, flights, view

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built", "registered")]
HOME, PAGE = "/p/flights/", "/p/flights/features/carrier_delays"
FEATURES = [each["name"] for each in FLIGHTS["feature_views"][0]["features"]]
MINUTE = int(NOW.timestamp()) // 60
counts = st.dictionaries(
    st.sampled_from(["fresh", "null", "missing", "stale", "invalid", "unavailable"]), st.integers(1, 1_000)
)


@pytest.fixture
def registered(db):
    with clock.fixed(NOW - timedelta(days=2)):
        apply(FLIGHTS)
    with clock.fixed(NOW):
        yield


@pytest.fixture
def viewer():
    return person("victor", Role.VIEWER)


def looked_up(features, *, ago=0, sequence=1, **changes):
    """Lookups ``ago`` minutes before now."""
    told = minute(minute=MINUTE - ago, features=features, **changes)
    record_report(parse(report(told, sequence=sequence), now=NOW), now=NOW, retention=timedelta(days=14))


def probed(verdicts, *, ago=0, latency_us=2_000):
    result = ProbeResult(
        "flights", "carrier_delays", NOW - timedelta(minutes=ago), 9, 9, 9, 0, 0, store_latency_us=latency_us
    )
    record_probe(result, verdicts=verdicts)


def strips(state="fresh"):
    day = read_last_day("flights", "carrier_delays", known_since=NOW - timedelta(days=2), now=NOW)
    return {strip.feature: strip for strip in read_strips(FEATURES, day, state=state)}


def batch(**changes):
    known = {
        "project": "flights",
        "view_id": registry.find_view("flights", "carrier_delays").id,
        "view": "carrier_delays",
        "lane": "batch",
        "state": "succeeded",
        "contract_number": 1,
        "queued_at": NOW,
        "due_at": NOW,
        "started_at": NOW - timedelta(minutes=1),
        "ended_at": NOW,
        "run_number": IngestionRun.objects.count() + 1,
        "read": 1_000,
        "changed": 20,
    }
    return IngestionRun.objects.create(**{**known, **changes})


@pytest.mark.parametrize(
    ("counted", "state"),
    [
        ({}, None),
        ({"unavailable": 4}, "no_data"),
        ({"fresh": 90, "null": 10}, "fresh"),
        ({"fresh": 95, "stale": 5}, "fresh"),
        ({"fresh": 94, "stale": 6}, "stale"),
        ({"fresh": 80, "missing": 20}, "fresh"),
        ({"fresh": 79, "missing": 21}, "missing"),
        ({"fresh": 94, "invalid": 6}, "violating"),
        ({"stale": 50, "invalid": 50}, "stale"),
        ({"fresh": 1, "stale": 1, "unavailable": 98}, "stale"),
    ],
)
def test_the_values_of_a_half_hour_are_as_most_of_what_monitors_would_open_an_incident_for(counted, state):
    assert state_of(counted, {}) == state
    assert state_of({}, counted) == state


@given(counts, counts)
def test_the_worse_of_lookups_and_probes_is_told_and_nobody_knowing_is_never_better(one, other):
    alone = [state_of(one, {}), state_of({}, other)]
    told = state_of(one, other)
    assert told in alone
    assert told != "fresh" or set(alone) <= {"fresh", "no_data", None}
    assert (told is None) == (alone == [None, None])


def test_each_feature_has_a_strip_of_a_day_worst_first():
    good, bad = FEATURES[:2]
    looked_up({good: {"fresh": 10}, bad: {"fresh": 10}}, ago=120)
    looked_up({good: {"fresh": 10}, bad: {"fresh": 5, "invalid": 5}}, sequence=2)
    found = strips()
    assert next(iter(found)) == bad
    assert (found[bad].state, found[bad].note) == ("violating", "50.0 % invalid of 10 values")
    assert found[bad].cells[-5:] == ("fresh", None, None, None, "violating")
    assert len(found[bad].cells) == COLUMNS
    assert (found[good].state, found[good].note) == ("fresh", "")


def test_a_view_that_nobody_looks_up_is_told_by_its_probes():
    probed({FEATURES[0]: {"stale": 9}, FEATURES[1]: {"fresh": 9}})
    assert [strips()[name].state for name in FEATURES[:2]] == ["stale", "fresh"]


def test_the_note_is_of_those_values_that_make_the_state_what_it_is():
    looked_up({FEATURES[0]: {"fresh": 970, "stale": 30}})
    probed({FEATURES[0]: {"fresh": 3, "stale": 6}})
    assert (strips()[FEATURES[0]].state, strips()[FEATURES[0]].note) == ("stale", "66.7 % stale of 9 values")


def test_where_nobody_looked_nothing_is_said_and_nothing_is_green(viewer):
    assert {strip.state for strip in strips().values()} == {"no_data"}
    html = text_of(viewer.get(PAGE))
    table = html.split('id="heat"')[1].split("</section>")[0]
    assert table.count('data-testid="strip"') == len(FEATURES)
    assert "s-fresh" not in table
    assert table.count('class="s-no_data"') == len(FEATURES)


@pytest.mark.parametrize("state", ["no_data", "paused"])
def test_while_nobody_watches_no_feature_is_called_fresh(state):
    probed({FEATURES[0]: {"fresh": 9}, FEATURES[1]: {"stale": 9}})
    assert [strips(state)[name].state for name in FEATURES[:2]] == [state, "stale"]


def test_what_a_half_hour_that_just_began_does_not_know_the_one_before_says():
    probed({FEATURES[0]: {"missing": 9}}, ago=NOW.minute % 30 + 1)
    assert strips()[FEATURES[0]].state == "missing"
    assert strips()[FEATURES[0]].cells[-2:] == ("missing", None)


def test_of_many_features_those_that_fail_stand_open_and_the_rest_is_folded(viewer):
    more = [f"x{number:02d}" for number in range(57)]
    known = FLIGHTS["feature_views"][0]["features"]
    with clock.fixed(NOW):
        apply(
            flights(feature_views=[view(features=[*known, *({"name": n, "dtype": "float64"} for n in more)])])
        )
    probed({name: {"stale": 9} if name == "x56" else {"fresh": 9} for name in (*FEATURES, *more)})
    # While nobody watches the view, what probes saw is not called fresh; it is still well.
    html = text_of(viewer.get(PAGE))
    shown = html.split('id="heat"')[1].split("<details")[0]
    assert re.findall(r'class="mono">(\w+)<', shown) == ["x56", *FEATURES, *more[:4]]
    assert "50 of 60, worst first" in shown
    assert "42 more features, nothing bad in 24 h" in html


def cell(html, key):
    return html.split(f'health-strip-{key}"')[1].split("</div>")[0]


def test_every_cell_of_a_view_draws_its_day(viewer):
    monitor(value=60.0)
    for ago, sequence in ((90, 1), (45, 2), (0, 3)):
        looked_up({}, ago=ago, sequence=sequence, latency_buckets={"19": 2})
        record_probe(
            ProbeResult(
                "flights",
                "carrier_delays",
                NOW - timedelta(minutes=ago),
                9,
                9,
                9,
                0,
                0,
                age_p95=timedelta(minutes=ago + 1),
            )
        )
        batch(ended_at=NOW - timedelta(minutes=ago), started_at=NOW - timedelta(minutes=ago + 1))
    html = text_of(viewer.get(PAGE))
    for key in ("freshness", "completeness", "contract", "serving", "run"):
        assert '<svg class="spark"' in cell(html, key), key
        assert "<path" in cell(html, key), key
    assert "last 24 h: 1 to 91 minutes old" in cell(html, "freshness")
    assert "missing, 12.5 % null: 24 values, 24 h" in cell(html, "completeness")
    assert "<strong>250</strong>" in cell(html, "contract")
    assert "p95 7 ms, 6 in 24 h" in cell(html, "serving")
    assert "20 of 1,000 rows changed" in cell(html, "run")


def test_a_view_without_lookups_is_told_complete_by_probes_alone_and_promises_nothing(viewer):
    probed({FEATURES[0]: {"fresh": 6, "missing": 2}})
    html = text_of(viewer.get(PAGE))
    assert "25.0 %" in cell(html, "completeness")
    assert "8 probed values, 24 h" in cell(html, "completeness")
    assert "<strong>–</strong>" in cell(html, "contract")
    assert "none in 24 h" in cell(html, "serving")


def tile(html, label):
    """One tile: its value, its note and whether it draws a line."""
    found = html.split(f">{label}</a></dt>")[1].split("</div>")[0]
    value, note = re.search(
        r"<strong>(.*?)</strong>.*<span class=\"meta\">(.*?)</span>", found, re.S
    ).groups()
    return value, note, "<path" in found


def test_home_tells_what_serving_probes_and_batches_did(viewer):
    for sequence, ago in enumerate((70, 10), start=1):
        looked_up({}, ago=ago, sequence=sequence, requests=3_600, latency_buckets={"10": 3_000, "19": 600})
    probed({}, latency_us=900)
    batch(ended_at=NOW - timedelta(hours=3), changed=500)
    newest = batch(ended_at=NOW - timedelta(minutes=2), started_at=NOW - timedelta(minutes=3))
    batch(state="failed", read=7)
    html = text_of(viewer.get(HOME))
    assert tile(html, "Serving p95") == ("7 ms", "of lookups, last half hour", True)
    assert tile(html, "Violation rate") == ("25.0 %", "of 8 values, last half hour", True)
    assert tile(html, "Store probe p95") == ("1 ms", "to read a view&#x27;s known keys", True)
    assert tile(html, "Lookups")[1:] == ("7,200 in 24 h", True)
    assert tile(html, "Lookups")[0].endswith("/s")
    changed = tile(html, "Changed by the last batch")
    assert changed == ("2.0 %", f"20 of 1,000 rows, {newest.view}", True)


def test_home_says_of_each_tile_that_there_is_nothing_and_draws_no_line(viewer):
    html = text_of(viewer.get(HOME))
    for label in ("Serving p95", "Lookups", "Violation rate", "Store probe p95", "Changed by the last batch"):
        value, note, drawn = tile(html, label)
        assert (value, drawn) == ("–", False)
        assert note.startswith("no"), label


def test_lookups_of_yesterday_are_no_rate_of_now(viewer):
    looked_up({}, ago=600, requests=9_000)
    html = text_of(viewer.get(HOME))
    assert tile(html, "Lookups") == ("0/min", "9,000 in 24 h", True)
    assert tile(html, "Violation rate")[0] == "–"


def test_a_project_of_minutes_is_not_told_as_slow_for_its_youth(db):
    day = read_last_day("flights", known_since=NOW - timedelta(minutes=2), now=NOW)
    assert day.rate() is None
    looked_up({}, ago=1, requests=600)
    young = read_last_day("flights", known_since=NOW - timedelta(minutes=2), now=NOW)
    assert young.rate() == pytest.approx(5.0)


def test_batches_of_another_project_or_of_an_older_day_are_not_told(viewer):
    batch(ended_at=NOW - timedelta(hours=25))
    batch(project="trains")
    assert tile(text_of(viewer.get(HOME)), "Changed by the last batch")[0] == "–"


def test_runs_at_work_are_shown_beside_the_last_batches(viewer):
    for loop in ("judge", "probe", "notify"):
        beat(loop, now=NOW)
    batch()
    at_work = batch(state="running", ended_at=None, phase="read")
    html = text_of(viewer.get(HOME))
    assert f"/p/flights/runs/{at_work.pk}" in html
    assert tile(html, "Changed by the last batch")[0] == "2.0 %"
