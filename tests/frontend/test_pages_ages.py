"""The freshness chart on a view's page, over probes and incidents as they are stored."""

import json
import re
from datetime import timedelta

import pytest

from controlplane.accounts.domain import Role
from controlplane.kernel import clock
from controlplane.observations import selectors as observations
from controlplane.observations.domain.records import ProbeResult
from controlplane.observations.domain.report import parse
from controlplane.observations.services.probes import record_probe
from controlplane.observations.services.reports import record_report
from controlplane.registry import selectors as registry
from frontend.readers.ages import RANGES, fitting_range, read_ages
from monitors.models import Channel, Incident, TeamChannel
from monitors.selectors.channels import channel_uses, receivers_of
from monitors.selectors.incidents import lately_of_view
from tests.frontend.live import person, text_of
from tests.frontend.test_pages_live import apply
from tests.observations.reports import minute, report
from tests.registry.story import FLIGHTS, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built", "registered")]
PAGE = "/p/flights/features/carrier_delays"


@pytest.fixture
def registered(db):
    with clock.fixed(NOW - timedelta(days=2)):
        apply(FLIGHTS)
    with clock.fixed(NOW):
        yield


@pytest.fixture
def viewer():
    return person("victor", Role.VIEWER)


def probe(*, ago, age, found=3, missing=0):
    """One look ``ago`` minutes ago that found values up to ``age`` minutes old."""
    record_probe(
        ProbeResult(
            project="flights",
            view="carrier_delays",
            at=NOW - timedelta(minutes=ago),
            keys_known=3,
            keys_read=found + missing,
            found=found,
            missing=missing,
            invalid=0,
            age_p95=None if age is None else timedelta(minutes=age),
        )
    )


def ages(reach="24h"):
    return read_ages(
        registry.find_view("flights", "carrier_delays"),
        range=reach,
        runs=(),
        incidents=lately_of_view("flights", "carrier_delays", since=NOW - RANGES[reach][0]),
        now=NOW,
    )


def test_a_slice_tells_the_oldest_age_seen_in_it():
    for ago, age in ((59, 5), (58, 40), (51, 3), (1, 7)):
        probe(ago=ago, age=age)
    slices = observations.age_slices(
        "flights", "carrier_delays", start=NOW - timedelta(hours=1), end=NOW, step=timedelta(minutes=10)
    )
    assert [(each.at, each.age) for each in slices] == [
        (NOW - timedelta(minutes=60), timedelta(minutes=40)),
        (NOW - timedelta(minutes=10), timedelta(minutes=7)),
    ]


def test_the_table_says_the_same_as_the_chart_point_for_point(viewer):
    for ago, age in ((100, 10), (90, 30), (80, 50), (70, 60), (60, 5), (20, 46), (10, None)):
        probe(ago=ago, age=age, found=0 if age is None else 3, missing=3 if age is None else 0)
    told = ages()
    line = told.figure["data"][0]
    assert [row.age and row.age / timedelta(minutes=1) for row in told.rows] == list(line["y"])
    assert [row.at for row in told.rows] == list(line["x"])
    states = ["fresh", "late", "stale", "stale", "fresh", "no_data", "stale", "missing"]
    assert [row.state for row in told.rows] == states
    html = text_of(viewer.get(PAGE))
    table = html.split('aria-label="Age over time"')[1].split("</table>")[0]
    # What was good then is no state of now: while nobody watches, no page says that anything is fresh.
    assert re.findall(r'data-state="(\w+)"', table) == [state for state in states if state != "fresh"]
    assert table.count("within its limit") == states.count("fresh")
    figure = json.loads(re.search(r"<fl-chart.*?<script[^>]*>(.*?)</script>", html, re.S).group(1))
    assert figure["data"][0]["y"] == list(line["y"])


def test_where_nobody_looked_the_line_breaks():
    for ago in (120, 110, 30, 20):
        probe(ago=ago, age=4)
    assert [row.age is None for row in ages().rows] == [False, False, True, False, False]


def test_the_sentence_counts_each_time_the_limit_was_passed():
    for ago, age in ((100, 50), (90, 60), (80, 5), (70, 46), (60, 45)):
        probe(ago=ago, age=age)
    assert ages().summary == "Age within 45 min for 40.0 % of the last 24 h; 2 breaches."


def test_without_a_probe_there_is_no_chart_and_no_praise(viewer):
    assert ages().figure is None
    html = text_of(viewer.get(PAGE))
    assert "Nothing was measured in the last 24 h" in html
    assert "<fl-chart" not in html


@pytest.mark.parametrize("reach", RANGES)
def test_no_range_has_more_points_than_fit_in_a_chart(reach):
    length, step = RANGES[reach]
    assert length / step <= 180


@pytest.mark.parametrize(
    ("minutes", "fits"), [(0, "1h"), (60, "1h"), (61, "6h"), (360, "6h"), (361, "24h"), (100_000, "24h")]
)
def test_a_young_view_is_shown_from_its_beginning_and_an_old_one_for_a_day(minutes, fits):
    assert fitting_range(timedelta(minutes=minutes)) == fits


def test_a_null_that_the_contract_allows_is_as_promised(viewer):
    told = minute(minute=int(NOW.timestamp()) // 60 - 5)  # 5 fresh, 1 null, 2 stale
    record_report(parse(report(told), now=NOW), now=NOW, retention=timedelta(days=14))
    cell = text_of(viewer.get(PAGE)).split("health-strip-contract")[1].split("</div>")[0]
    assert "<strong>250</strong>" in cell
    assert "in 1,000 not as promised: 8 values, 24 h" in cell
    assert "data-state" not in cell, "nobody judges it"


def test_the_range_is_part_of_the_address(viewer):
    probe(ago=90, age=4)
    assert "Nothing was measured in the last hour" in text_of(viewer.get(f"{PAGE}?range=1h"))
    assert "of the last 6 h" in text_of(viewer.get(f"{PAGE}?range=6h"))
    assert "of the last 24 h" in text_of(viewer.get(f"{PAGE}?range=99y"))


def test_incidents_of_the_view_stand_under_the_line_for_as_long_as_they_lasted():
    probe(ago=1, age=4)
    known = {
        "project": "flights",
        "view": "carrier_delays",
        "family": "freshness",
        "severity": "warning",
        "bad_since": NOW,
        "subject": "view:flights/carrier_delays",
    }
    for number, (opened, resolved) in enumerate(((30 * 60, 25 * 60), (30 * 60, 60), (5, None))):
        Incident.objects.create(
            fingerprint=f"f{number}",
            dedup_key=f"d{number}",
            opened_at=NOW - timedelta(minutes=opened),
            resolved_at=None if resolved is None else NOW - timedelta(minutes=resolved),
            state="open" if resolved is None else "resolved",
            **known,
        )
    spans = [s for s in ages().figure["layout"]["shapes"] if s.get("fillcolor") == "var(--breach-mark)"]
    assert [(s["x0"], s["x1"]) for s in spans] == [
        (NOW - timedelta(hours=24), NOW - timedelta(hours=1)),
        (NOW - timedelta(minutes=5), NOW),
    ]


def test_who_hears_of_the_view_are_the_owners_channels_or_else_everyones():
    pager, chat, common, foreign = (
        Channel.objects.create(name=name, kind=kind, project=project, created_at=NOW, sealed_config="x")
        for name, kind, project in (
            ("pd", "pagerduty", ""),
            ("chat", "slack_webhook", "flights"),
            ("common", "slack_webhook", ""),
            ("foreign", "slack_webhook", "trains"),
        )
    )
    TeamChannel.objects.create(team="*", channel=common)
    TeamChannel.objects.create(team="delays", channel=foreign)
    assert heard_by("delays") == [("common", False)]
    for channel in (pager, chat):
        TeamChannel.objects.create(team="delays", channel=channel)
    assert heard_by("delays") == [("chat", False), ("pd", True)]


def heard_by(team):
    return [(each.name, each.only_critical) for each in receivers_of(team, "flights", channel_uses())]
