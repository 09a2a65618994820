"""The search: what is found, by whom, in what shape, and that it costs the same however much there is."""

from datetime import timedelta

import pytest
from django.test import Client

from controlplane.accounts.domain import Role
from controlplane.kernel import clock
from controlplane.registry.services.applying import Author, apply_definition
from lineage.services import sync_registry
from monitors.models import Incident
from monitors.selectors.incidents import search_incidents
from tests.frontend.live import person
from tests.frontend.test_pages_live import apply
from tests.registry.story import FLIGHTS, NOW, flights, service, view

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registered")]


@pytest.fixture
def registered(db):
    with clock.fixed(NOW):
        apply(FLIGHTS)
        sync_registry(now=NOW)
        yield


@pytest.fixture
def viewer():
    return person("victor", Role.VIEWER)


def incident(project="flights", view="carrier_delays", *, opened_at=NOW, state="open", summary="stale"):
    return Incident.objects.create(
        project=project,
        view=view,
        subject=f"view:{project}/{view}",
        summary=summary,
        severity="warning",
        family="freshness",
        kind="served_age",
        state=state,
        opened_at=opened_at,
        bad_since=opened_at,
    )


def ask(client, query, **more):
    response = client.get("/api/v1/search", {"q": query, **more})
    assert response.status_code == 200, response.content
    return response.json()["items"]


def labels(client, query, section):
    return [item["label"] for item in ask(client, query) if item["section"] == section]


def test_a_view_is_found_by_any_part_of_its_name_with_its_address(viewer):
    (found,) = [item for item in ask(viewer, "RIER_DEL") if item["section"] == "Feature views"]
    assert found == {
        "section": "Feature views",
        "label": "carrier_delays",
        "detail": "flights, no data",
        "url": "/p/flights/features/carrier_delays",
    }


def test_every_address_that_is_answered_leads_to_a_page(viewer, built):
    incident()
    found = [item for query in ("delay", "avg", "delays") for item in ask(viewer, query)]
    sections = {"Feature views", "Features", "Feature services", "Incidents", "Owners"}
    assert {item["section"] for item in found} == sections
    for address in {item["url"].partition("#")[0] for item in found}:
        assert viewer.get(address).status_code == 200, address


def test_a_feature_leads_to_its_line_of_the_contract(viewer):
    (found,) = [item for item in ask(viewer, "avg_dep") if item["section"] == "Features"]
    assert found["label"] == "avg_dep_delay"
    assert found["detail"] == "flights, carrier_delays, float64"
    assert found["url"] == "/p/flights/features/carrier_delays?tab=contract#avg_dep_delay"
    assert labels(viewer, "avg_dep", "Feature views") == [], "the view is not called so"


def test_services_are_found_by_the_name_of_their_model(viewer):
    assert labels(viewer, "ranker@2026", "Feature services") == ["delay_ranker"]


def test_names_that_begin_so_come_first(viewer):
    with clock.fixed(NOW):
        apply(
            flights(feature_views=[FLIGHTS["feature_views"][0], view(name="a_delays"), view(name="delays")])
        )
    assert labels(viewer, "delays", "Feature views") == ["delays", "a_delays", "carrier_delays"]


def test_what_one_may_not_know_of_is_not_found(viewer):
    author = Author(name="edith", may_create_projects=True)
    document = {**FLIGHTS, "project": "trains", "feature_views": [view(name="secret_delays")]}
    document["feature_services"] = [service(name="secret_ranker", features=["secret_delays:flights_1d"])]
    with clock.fixed(NOW):
        apply_definition("trains", document, author=author, now=NOW)
    incident("trains", "secret_delays", summary="secret")
    assert ask(viewer, "secret") == []
    assert "trains" not in str(ask(viewer, "delay"))
    root = person("root", None, is_superuser=True)
    assert labels(root, "secret", "Feature views") == ["secret_delays"]


def test_a_token_sees_its_projects_and_needs_the_scope_read(viewer):
    def bearer(**asked):
        form = {"name": "t", "days": "30", "project": "flights", "scope": ["read"], **asked}
        page = viewer.post("/settings/tokens", form).content.decode()
        secret = page.split('data-testid="token-secret">')[1].split("<")[0]
        return Client(headers={"authorization": f"Bearer {secret}"})

    assert labels(bearer(), "carrier", "Feature views") == ["carrier_delays"]
    assert bearer(scope=["lineage"]).get("/api/v1/search?q=carrier").status_code == 403
    assert Client().get("/api/v1/search?q=carrier").status_code == 401


def test_nothing_is_asked_and_nothing_answered(viewer):
    assert ask(viewer, "  ") == []
    assert viewer.get("/api/v1/search").json() == {"items": []}


@pytest.mark.parametrize("limit", ["0", "51", "x", "-1", "²"])
def test_a_limit_out_of_bounds_is_a_problem(viewer, limit):
    response = viewer.get("/api/v1/search", {"q": "a", "limit": limit})
    assert (response.status_code, response.json()["code"]) == (422, "bad_value")


def test_a_search_costs_the_same_for_many_views_as_for_one(viewer, django_assert_max_num_queries):
    with clock.fixed(NOW):
        apply(flights(feature_views=[FLIGHTS["feature_views"][0], *(view(name=f"v{i}") for i in range(60))]))
    with django_assert_max_num_queries(10):
        found = ask(viewer, "v", limit=50)
    counted = [item for item in found if item["section"] == "Feature views"]
    assert len(counted) == 50


def test_incidents_that_ended_long_ago_are_found_by_number(viewer):
    row = incident(state="resolved", opened_at=NOW - timedelta(days=40))
    for text in (f"INC-{row.number}", f"inc-{row.number}", f"#{row.number}", str(row.number), "STALE"):
        (found,) = search_incidents(frozenset({"flights"}), text, limit=8)
        assert (found.number, found.title) == (row.number, "carrier_delays: stale")
    assert search_incidents(frozenset({"trains"}), "stale", limit=8) == []
