"""A service may demand more than a view promises: what breaks its terms is about that service alone."""

import pytest

from controlplane.kernel import clock
from monitors.domain.health import HealthState
from monitors.domain.incidents import FAMILY_WORDS, Family
from monitors.domain.titles import clause_of_many, service_in
from monitors.models import Incident
from monitors.selectors.inbox import Wanted, read_inbox
from monitors.selectors.incidents import find_household, incident_page, open_incidents
from tests.ingestion.world import KEY, view_document
from tests.monitors.receivers import PAGER
from tests.monitors.story import MINUTE
from tests.monitors.world import MAX_AGE

STRICT = ("eager", "hasty")


def _service(name, **terms):
    return {"name": name, "owner": "ranking", "model": f"{name}-model", "features": ["v:x"], **terms}


@pytest.fixture
def demanding(watched):
    """Two services accept five minutes of a view that promises ten, one accepts what the view promises."""
    view = view_document(owner="ada", tier="gold", freshness={"max_age": "10m"}, direct=True)
    services = [*(_service(name, max_age="5m") for name in STRICT), _service("patient")]
    watched.apply(entities=[KEY], feature_views=[view], feature_services=services)
    watched.pass_time(2 * MINUTE, writing=True)
    watched.pass_time(7 * MINUTE)
    return watched


def _page(number, now):
    return incident_page(find_household(number), now=now)


def test_a_service_that_demands_more_has_an_incident_of_its_own_and_the_view_stays_fresh(demanding):
    assert [row.service for row in Incident.objects.order_by("subject")] == list(STRICT)
    assert demanding.health().state == HealthState.FRESH


def test_each_incident_of_a_service_can_be_told_from_the_others(demanding):
    titles = sorted(one.title for one in open_incidents(demanding.project))
    for title, service in zip(titles, STRICT, strict=True):
        assert title.startswith(f"{service}: v is older than it accepts, age ")
        assert "max 5 min" in title


def test_only_the_service_whose_terms_broke_is_hit_by_that(demanding):
    for row in Incident.objects.all():
        affected = _page(row.number, demanding.now).affected
        assert (affected.services, affected.models) == ((row.service,), (f"{row.service}-model",))
    inbox = read_inbox(demanding.project, Wanted(), now=demanding.now)
    assert sorted((hit.view, hit.service) for one in inbox.problems for hit in one.hits) == [
        ("v", service) for service in STRICT
    ]


def test_what_is_told_of_it_names_the_service_and_nobody_else(demanding):
    pages = sorted(
        demanding.receiver.bodies(PAGER), key=lambda body: body["payload"]["summary"].split("]")[1]
    )
    for page, service in zip(pages, STRICT, strict=True):
        said = str(page)
        assert f"{service}: {demanding.project}/v is older than it accepts" in page["payload"]["summary"]
        assert f"1 service: {service}; 1 model" in said
        assert "patient" not in said and "stale" not in said


def test_a_breach_of_the_view_itself_hits_every_reader(demanding):
    demanding.pass_time(MAX_AGE)
    (row,) = (row for row in Incident.objects.all() if not row.service)
    with clock.fixed(demanding.now):
        assert _page(row.number, demanding.now).affected.services == (*STRICT, "patient")
    assert demanding.health().state == HealthState.STALE


@pytest.mark.parametrize(
    ("subject", "service"),
    [("service:p/rej", "rej"), ("view:p/v", ""), ("meta:channel/3", ""), ("", "")],
)
def test_the_service_is_read_from_the_subject(subject, service):
    assert service_in(subject) == service


@pytest.mark.parametrize(
    ("family", "service", "views", "said"),
    [
        (Family.FRESHNESS, "", 1, "v is stale"),
        (Family.FRESHNESS, "", 3, "3 views stale, v first"),
        (Family.FRESHNESS, "rej", 1, "rej: v is older than it accepts"),
        (Family.PRESENCE, "rej", 1, "rej: v misses more than it accepts"),
        (Family.VALIDITY, "rej", 1, "rej: v violates more than it accepts"),
        (Family.FRESHNESS, "rej", 2, "rej: v is older than it accepts, with 1 more view"),
    ],
)
def test_a_title_says_what_is_wrong_for_whom(family, service, views, said):
    assert clause_of_many(FAMILY_WORDS[family], view="v", service=service, views=views) == said
