"""The pages over a real registry: who may see what, what is said, and in how many queries."""

import httpx
import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import get_resolver

from controlplane.accounts.domain import Role
from controlplane.accounts.models import Token
from controlplane.kernel import clock
from controlplane.kernel.codes import CODES
from controlplane.registry.services.applying import Author, apply_definition
from lineage.services import sync_registry
from monitors.models import LoopBeat
from monitors.selectors.watchdog import LOOPS
from tests.frontend.live import person, text_of
from tests.registry.story import FLIGHTS, NOW, flights, view

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built", "registered")]
PAGES = {
    "/p/flights/": "1 no data",
    "/p/flights/features": "carrier_delays",
    "/p/flights/features?kind=features": "avg_dep_delay",
    "/p/flights/features/carrier_delays": "/v1/lookup",
    "/p/flights/features/carrier_delays?tab=contract": "at most 16 long",
    "/p/flights/runs": "No run yet",
    "/p/flights/lineage": "carrier_delays",
    "/p/flights/lineage?focus=view:flights/carrier_delays": "delay_ranker",
    "/p/flights/playground": "delay_ranker (service)",
    "/settings/tokens": "New token",
    "/settings/system": "No serving process has reported",
    "/audit": "edith",
}
BUDGET = 15


def apply(document):
    author = Author(name="edith", may_create_projects=True)
    apply_definition("flights", document, author=author, now=clock.now())


@pytest.fixture
def registered(db):
    with clock.fixed(NOW):
        apply(FLIGHTS)
        sync_registry(now=NOW)
        yield


@pytest.fixture
def admin():
    return person("ada", Role.ADMIN)


@pytest.fixture
def viewer():
    return person("victor", Role.VIEWER)


@pytest.mark.parametrize(("address", "said"), PAGES.items())
def test_every_page_says_what_it_is_for(admin, address, said):
    response = admin.get(address)
    assert response.status_code == 200
    assert said in text_of(response)


@pytest.mark.parametrize("address", PAGES)
def test_every_page_sends_the_signed_out_to_sign_in(client, address):
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("address", [each for each in PAGES if each.startswith("/p/")])
def test_a_foreign_project_does_not_exist(address):
    assert person("otto", Role.ADMIN, project="trains").get(address).status_code == 404


@pytest.fixture
def at_work(registered):
    """The loops go round, as in every installation that runs."""
    for name in LOOPS:
        LoopBeat.objects.create(name=name, at=NOW)


@pytest.mark.usefixtures("at_work")
def test_the_catalogue_asks_as_much_for_many_views_as_for_one(admin, django_assert_max_num_queries):
    with clock.fixed(NOW):
        apply(flights(feature_views=[FLIGHTS["feature_views"][0], *(view(name=f"v{i}") for i in range(40))]))
    with django_assert_max_num_queries(BUDGET):
        response = admin.get("/p/flights/features")
    assert "of 41" in text_of(response)


def test_the_audit_log_is_offered_to_who_may_read_it(admin, viewer):
    assert 'href="/audit"' in admin.get("/p/flights/").content.decode()
    assert 'href="/audit"' not in viewer.get("/p/flights/").content.decode()


def test_an_unknown_view_is_a_page_and_an_unknown_api_address_a_problem(admin):
    page = admin.get("/p/flights/features/nothing")
    assert page.status_code == 404
    assert "There is no feature view" in text_of(page)
    assert admin.get("/nowhere").status_code == 404
    assert admin.get("/api/v1/nowhere")["Content-Type"] == "application/problem+json"


def test_an_installation_administrator_sees_every_project_and_no_other(client):
    root = person("root", None, is_superuser=True)
    assert root.get("/").headers["Location"] == "/p/flights/"
    assert root.get("/p/flights/").status_code == 200
    assert root.get("/p/nothing/").status_code == 404


def test_sign_in_leads_where_one_wanted_to_go_and_never_elsewhere():
    get_user_model().objects.create_user("grace", password="correct horse battery")
    form = {"username": "grace", "password": "correct horse battery"}
    for wanted, led in (("/p/flights/", "/p/flights/"), ("https://evil.example/", "/"), ("//evil", "/")):
        assert Client().post("/sign-in", {**form, "next": wanted}).headers["Location"] == led
    refused = Client().post("/sign-in", {**form, "password": "wrong"})
    assert refused.status_code == 401
    assert "do not go together" in text_of(refused)


def test_forms_without_the_csrf_secret_are_refused_with_a_page():
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/sign-in", {"username": "grace", "password": "x"})
    assert answer.status_code == 403
    assert "This form has expired" in text_of(answer)
    page = client.get("/sign-in")
    secret = {"csrfmiddlewaretoken": page.cookies["freshline_csrf"].value}
    assert client.post("/sign-in", {"username": "grace", "password": "x", **secret}).status_code == 401


def test_signing_out_ends_the_session(admin):
    assert admin.post("/sign-out").status_code == 302
    assert admin.get("/p/flights/").status_code == 302


def test_pages_that_do_not_exist_are_not_linked(admin):
    told = text_of(admin.get("/p/flights/"))
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    for name, word in (("run_list", "<span>Runs"), ("incident_list", "<span>Incidents")):
        assert (word in told) == (name in names)
    assert ("Alert channels" in told) == ("channels" in names)


def test_a_view_without_monitors_is_never_called_fresh(admin):
    for address in ("/p/flights/features", "/p/flights/features/carrier_delays"):
        assert 'data-state="fresh"' not in text_of(admin.get(address))
    assert "Nothing is broken" not in text_of(admin.get("/p/flights/"))


def test_the_catalogue_finds_by_part_of_a_name_and_suggests_near_ones(admin):
    assert "Showing 1–1 of 1" in text_of(admin.get("/p/flights/features?q=CARRIER_del"))
    missed = text_of(admin.get("/p/flights/features?q=carier_delay"))
    assert "Did you mean" in missed
    assert "Nothing matches" in text_of(admin.get("/p/flights/features?state=stale"))


def test_two_contracts_are_compared_with_the_effect_of_each_difference(admin):
    features = [dict(each) for each in FLIGHTS["feature_views"][0]["features"]]
    features[0]["max"] = 1440
    features.append({"name": "gate", "dtype": "string"})
    with clock.fixed(NOW):
        apply(flights(feature_views=[view(features=features)]))
    told = text_of(admin.get("/p/flights/features/carrier_delays?tab=contract&from=1&to=2"))
    assert "v1 to v2" in told
    assert "gate" in told
    assert "max 1440" in told
    assert "level-compatible" in told
    missing = admin.get("/p/flights/features/carrier_delays?tab=contract&from=1&to=9")
    assert missing.status_code == 404


def test_the_explorer_and_its_island_get_the_graph_with_the_session(admin):
    answer = admin.get("/api/v1/lineage/graph", {"node": "view:flights/carrier_delays"})
    assert answer.status_code == 200
    ids = {node["id"] for node in answer.json()["nodes"]}
    told = text_of(admin.get("/p/flights/lineage?focus=view:flights/carrier_delays"))
    assert all(f'data-id="{each}"' in told for each in ids)
    other = person("otto", Role.ADMIN, project="trains")
    assert other.get("/api/v1/lineage/graph", {"node": "view:flights/carrier_delays"}).status_code == 404


def test_a_token_is_shown_once_works_and_can_be_revoked(admin):
    made = admin.post(
        "/settings/tokens", {"name": "ci", "scope": ["read"], "project": "flights", "days": "30"}
    )
    secret = text_of(made).split('data-testid="token-secret">')[1].split("<")[0]
    assert made["Cache-Control"] == "no-store"
    assert secret not in text_of(admin.get("/settings/tokens"))
    bearer = Client(headers={"authorization": f"Bearer {secret}"})
    assert bearer.get("/api/v1/projects").status_code == 200
    assert admin.post(f"/settings/tokens/{Token.objects.get().pk}/revoke").status_code == 302
    assert bearer.get("/api/v1/projects").status_code == 401


def test_a_token_form_says_what_is_missing(admin):
    answer = admin.post("/settings/tokens", {"name": "", "days": "30"})
    assert answer.status_code == 400
    assert "Give it a name" in text_of(answer)
    assert "Choose at least one" in text_of(answer)


def test_nobody_revokes_the_token_of_another(admin, viewer):
    viewer.post("/settings/tokens", {"name": "mine", "scope": ["read"], "project": "flights", "days": "30"})
    assert admin.post(f"/settings/tokens/{Token.objects.get().pk}/revoke").status_code == 404


def test_the_audit_log_is_for_administrators(admin, viewer):
    assert viewer.get("/audit").status_code == 403
    assert "No entry matches" in text_of(admin.get("/audit?actor=nobody"))


ANSWER = {
    "rows": 2,
    "columns": [
        {
            "name": "avg_dep_delay",
            "view": "carrier_delays",
            "values": [12.5, None],
            "verdicts": ["fresh", "missing"],
            "ages_us": [29_750_000, None],
            "actions": ["serve", "reject"],
        }
    ],
    "rejected": [
        {
            "row": 1,
            "reasons": [
                {
                    "feature": "avg_dep_delay",
                    "view": "carrier_delays",
                    "verdict": "missing",
                    "reason": "absent",
                }
            ],
        }
    ],
    "counts": {},
    "bundle": {"digest": "x", "number": 7},
    "contracts": {"carrier_delays": 1},
}


@pytest.fixture
def serving(monkeypatch):
    """Serving, as far as the playground sees it: what was asked, and what is answered."""
    asked = []

    def post(address, *, json, headers, timeout):
        asked.append((address, json))
        response = httpx.Response(200, json=ANSWER, request=httpx.Request("POST", address))
        response.elapsed = clock.now() - clock.now()
        return response

    monkeypatch.setattr("frontend.readers.playground.httpx.post", post)
    return asked


def test_the_playground_tells_each_value_with_its_verdict(admin, serving):
    form = {"target": "carrier_delays", "feature": "avg_dep_delay", "keys": "carrier=AA\ncarrier=ZZ"}
    told = text_of(admin.post("/p/flights/playground", form))
    assert serving[0][1] == {
        "project": "flights",
        "features": ["carrier_delays:avg_dep_delay"],
        "entities": {"carrier": ["AA", "ZZ"]},
    }
    assert told.count('data-testid="value"') == 2
    assert "12.5" in told
    assert "absent" in told
    assert "Rejected" in told


@pytest.mark.parametrize("keys", ["", "airline=AA", "{broken", "\n".join(["AA"] * 21)])
def test_the_playground_refuses_keys_before_it_asks(admin, serving, keys):
    told = text_of(admin.post("/p/flights/playground", {"target": "carrier_delays", "keys": keys}))
    assert 'id="keys-wrong"' in told
    assert not serving


def test_the_playground_says_when_serving_does_not_answer(admin, settings):
    settings.FRESHLINE_SERVING_URL = "http://127.0.0.1:9"
    told = text_of(admin.post("/p/flights/playground", {"target": "carrier_delays", "keys": "AA"}))
    assert "The lookup failed" in told
    assert "does not answer" in told


def test_values_are_not_for_viewers(viewer, serving):
    assert "You may not see feature values" in text_of(viewer.get("/p/flights/playground"))
    answer = viewer.post("/p/flights/playground", {"target": "carrier_delays", "keys": "AA"})
    assert answer.status_code == 403
    assert not serving


def test_a_page_that_did_not_change_is_not_sent_again(admin):
    admin.get("/p/flights/features")  # brings the cookie of the forms
    first = admin.get("/p/flights/features")
    again = admin.get("/p/flights/features", headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304


def test_the_type_of_a_problem_leads_to_the_meaning_of_its_code(client):
    for asker in (client, person("ida", Role.VIEWER)):
        address, _, code = asker.get("/api/v1/nope").json()["type"].partition("#")
        page = asker.get(address)
        assert page.status_code == 200
        assert all(f'<tr id="{each}">' in page.content.decode() for each in (code, *CODES))
        assert CODES[code] in page.content.decode()
