"""The REST API of watching: what it answers, and to whom."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from controlplane.accounts import selectors
from controlplane.accounts.domain import Role
from controlplane.accounts.models import AuditEntry
from controlplane.accounts.services import teams, tokens
from controlplane.kernel import clock
from controlplane.registry.services.applying import Author
from controlplane.registry.services.objects import create_project
from monitors.models import Channel, LoopBeat, Monitor, Notification
from tests.monitors.story import MINUTE, NOON, breach, cause, pagerduty, slack

pytestmark = pytest.mark.django_db
API = "/api/v1"
LATER = NOON + MINUTE
FLIGHTS_ONLY = {"label": "project", "op": "=", "value": "flights"}
ALL_SCOPES = ("read", "register", "operate", "admin")


class Caller:
    def __init__(self, secret):
        self.client = Client(headers={"authorization": f"Bearer {secret}"})

    def call(self, method, address, body=None, **headers):
        data = json.dumps(body) if body is not None else ""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        with clock.fixed(LATER):
            return self.client.generic(
                method, f"{API}{address}", data, content_type="application/json", headers=headers
            )

    def get(self, address):
        return self.call("GET", address)

    def post(self, address, body=None, **headers):
        return self.call("POST", address, body, **headers)


def caller(username, *scopes, role=None, project="flights", is_admin=False):
    get_user_model().objects.create(username=username, is_superuser=is_admin)
    if role is not None:
        teams.ensure_team(f"of_{username}", actor="t", now=NOON)
        teams.set_member(team=f"of_{username}", username=username, member=True, actor="t", now=NOON)
        teams.set_role(team=f"of_{username}", project=project, role=role, actor="t", now=NOON)
    principal = selectors.principal_of_user(get_user_model().objects.get(username=username))
    made = tokens.create_token(
        principal, name="t", scopes=scopes or ALL_SCOPES, projects=["*"], now=NOON, never_expires=True
    )
    return Caller(made.secret)


@pytest.fixture(autouse=True)
def _loopback(settings):
    settings.FRESHLINE_EGRESS_ALLOW = ["127.0.0.1"]


@pytest.fixture
def flights():
    create_project("flights", author=Author("t", may_create_projects=True), now=NOON)


@pytest.fixture
def root():
    return caller("root", is_admin=True)


@pytest.fixture
def operator():
    return caller("olga", role=Role.OPERATOR)


@pytest.fixture
def outsider():
    return caller("otto", role=Role.ADMIN, project="trains")


def test_an_incident_is_told_whole(operator):
    slack()
    incident = breach("a", causes=[cause(path=("job:etl|refine", "view:flights/a"))])
    child = breach("b", causes=[cause()])
    answer = operator.get(f"/incidents/{incident.number}").json()
    assert answer["number"] == incident.number
    assert (answer["state"], answer["kind"], answer["view"]) == ("open", "failed_run", "a")
    assert answer["cause"] == {
        "node": "job:etl|refine",
        "kind": "failed_run",
        "run": "run-7",
        "reason": "disk full",
        "confidence": "high",
        "since": "2026-11-23T11:59:00Z",
        "path": ["job:etl|refine", "view:flights/a"],
    }
    assert [one["number"] for one in answer["children"]] == [child.number]
    assert set(answer["affected"]) == {"services", "models", "lookups_per_minute"}
    assert answer["timeline"][0]["kind"] == "opened"
    assert [(n["channel"], n["action"], n["state"]) for n in answer["notifications"]] == [
        ("chat", "trigger", "pending")
    ]


def test_a_list_shows_roots_and_children_only_when_asked(operator, flights):
    root_incident, child = breach("a", causes=[cause()]), breach("b", causes=[cause()])

    def numbers(query):
        answer = operator.get(f"/projects/flights/incidents{query}")
        return [one["number"] for one in answer.json()["items"]]

    assert numbers("?state=open") == [root_incident.number]
    assert numbers("?state=open&children=true") == [child.number, root_incident.number]
    assert numbers("?state=resolved") == []
    assert operator.get("/projects/flights/incidents?state=closed").status_code == 422


def test_people_acknowledge_note_and_resolve(operator):
    number = breach().number
    assert operator.post(f"/incidents/{number}/acknowledge").json()["state"] == "acknowledged"
    assert operator.post(f"/incidents/{number}/acknowledge").status_code == 200
    assert operator.post(f"/incidents/{number}/note", {"text": "looking"}).status_code == 201
    assert operator.post(f"/incidents/{number}/resolve", {"reason": ""}).status_code == 422
    assert operator.post(f"/incidents/{number}/resolve", {"reason": "fixed"}).json()["state"] == "resolved"
    assert operator.post(f"/incidents/{number}/resolve", {"reason": "fixed"}).status_code == 409
    assert operator.post(f"/incidents/{number}/acknowledge").status_code == 409
    timeline = operator.get(f"/incidents/{number}").json()["timeline"]
    assert [(e["kind"], e["actor"]) for e in timeline][1:] == [
        ("acknowledged", "olga/t"),
        ("note", "olga/t"),
        ("resolved", "olga/t"),
    ]
    assert [entry.action for entry in AuditEntry.objects.filter(object_kind="incident")] == [
        "acknowledge",
        "resolve",
    ]


@pytest.mark.parametrize("words", ["\x01\x07", " \x00 ", "\x1b", "\n\t", "\x85"])
def test_words_that_nobody_can_see_are_no_reason(operator, words):
    number = breach().number
    for action, name in (("resolve", "reason"), ("note", "text")):
        answer = operator.post(f"/incidents/{number}/{action}", {name: words})
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, name)
    silence = {"matchers": [FLIGHTS_ONLY], "ends_at": (LATER + MINUTE).isoformat(), "reason": words}
    assert operator.post("/silences", silence).status_code == 422
    # Among words they are dropped, but for a zero: no database keeps it, and its body is refused.
    note = operator.post(f"/incidents/{number}/note", {"text": f"a{words}b"})
    assert note.status_code == (422 if "\0" in words else 201)


def test_health_tells_states_and_whether_monitoring_is_behind(operator, flights):
    breach()
    answer = operator.get("/projects/flights/health").json()
    (view,) = answer["items"]
    assert (view["view"], view["state"]) == ("carrier_delays", "stale")
    assert answer["monitoring"]["behind"] is True
    assert "never" in answer["monitoring"]["sentence"]
    assert answer["monitoring"]["silent_loops"] == {"judge": None, "probe": None, "notify": None}


def test_a_silent_notifier_is_told_everywhere_and_makes_no_state_untrue(site, client):
    site.register()
    site.write()
    site.go(10, before=lambda second: site.write())
    with clock.fixed(site.now):
        LoopBeat.objects.filter(name="notify").update(at=site.now - timedelta(minutes=10))
        reader = caller("root5", is_admin=True).client
        health = reader.get(f"{API}/projects/{site.project}/health").json()
        freshness = reader.get(f"{API}/projects/{site.project}/feature-views/v/freshness").json()
        alive = client.get("/healthz").json()
    (view,) = health["items"]
    assert view["state"] == freshness["state"] == "fresh"
    for told in (health["monitoring"], freshness["monitoring"], alive["monitoring"]):
        assert told["behind"] is True
        assert told["sentence"] == "Monitoring itself is behind: notify loop last ran 10 min ago."
    assert list(health["monitoring"]["silent_loops"]) == ["notify"]
    assert alive["status"] == "alive"


def test_freshness_tells_ages_over_time(site, operator):
    caller("root2", is_admin=True)
    site.register()
    site.write()
    site.go(5, deliver=False)
    client = caller("root3", is_admin=True)
    address = f"/projects/{site.project}/feature-views/v/freshness"
    answer = client.get(address + "?from=2026-11-23T11:00:00Z&to=2026-11-23T13:00:00").json()
    assert answer["state"] == "fresh" or answer["state"] == "no_data"  # read a minute later
    assert answer["served_age_seconds"] >= 0
    assert [probe["missing"] for probe in answer["probes"]] == [0] * len(answer["probes"]) != []
    assert client.get(address + "?from=yesterday").status_code == 422
    assert client.get(f"/projects/{site.project}/feature-views/none/freshness").status_code == 404
    assert operator.get(address).status_code == 404


def test_monitors_are_listed_added_edited_paused_and_deleted(site):
    site.register()
    client = caller("root4", is_admin=True)
    base = f"/projects/{site.project}/monitors"
    listed = client.get(f"{base}?view=v").json()["items"]
    assert {one["kind"] for one in listed} == {"served_age", "source_age", "coverage", "invalid_rate"}
    twin = client.post(base, {"view": "v", "kind": "coverage"})
    assert (twin.status_code, twin.json()["code"]) == (409, "conflict")
    body = {"view": "v", "kind": "source_age", "config": {"limit": "1h", "lane": "stream"}}
    made = client.post(base, body, idempotency_key="k")
    assert made.status_code == 201
    assert client.post(base, body, idempotency_key="k").json() == made.json()
    address = f"{base}/{made.json()['id']}"
    edited = client.call("PATCH", address, {"config": {"limit": "2h"}, "paused": True}).json()
    assert (edited["config"], edited["paused"]) == ({"limit": "2h"}, True)
    wrong = client.call("PATCH", address, {"config": {"limit": "soon"}})
    assert wrong.json()["errors"][0]["path"] == "config.limit"
    assert client.post(f"/monitors/{made.json()['id']}/run").status_code == 202
    assert client.call("DELETE", address).status_code == 204
    assert client.get(address).status_code == 404
    assert client.post(base, {"view": "none", "kind": "coverage"}).status_code == 404


def test_a_channels_secret_goes_in_and_never_comes_out(root, receiver):
    config = {"routing_key": "SECRETROUTINGKEY", "url": f"{receiver.url}/v2/enqueue"}
    made = root.post("/channels", {"name": "pager", "kind": "pagerduty", "config": config})
    assert made.status_code == 201
    address = f"/channels/{made.json()['id']}"
    answers = [made, root.get("/channels"), root.get(address)]
    tested = root.post(f"{address}/test")
    assert tested.json()["ok"] is True
    for answer in [*answers, tested]:
        assert "SECRETROUTINGKEY" not in answer.content.decode()
    assert made.json()["hint"] == "****GKEY"
    assert "SECRETROUTINGKEY" not in json.dumps(list(AuditEntry.objects.values()), default=str)
    assert [event["event_action"] for event in receiver.events()] == ["trigger", "resolve"]
    assert len({event["dedup_key"] for event in receiver.events()}) == 1


def test_a_test_that_fails_says_what_came_back(root, receiver):
    receiver.script["/services/T0/B0/secret"] = [(404, {}, b"no_service")]
    channel = slack(receiver.url)
    answer = root.post(f"/channels/{channel.pk}/test").json()
    assert (answer["ok"], answer["reason"]) == (False, "HTTP 404 no_service")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"kind": "slack_webhook", "config": {"url": "http://10.0.0.1/"}}, "config.url"),
        ({"kind": "slack_webhook", "config": {"url": "ftp://hooks.example"}}, "config.url"),
        ({"kind": "slack_webhook", "config": {}}, "config.url"),
        ({"kind": "pagerduty", "config": {"routing_key": ""}}, "config.routing_key"),
        ({"kind": "pagerduty", "config": {"routing_key": "k", "token": "t"}}, "config.token"),
    ],
)
def test_a_bad_channel_is_refused_with_the_path_of_its_fault(root, body, path):
    answer = root.post("/channels", {"name": "x", **body})
    assert answer.status_code == 422
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]


def test_a_channel_is_edited_and_deleted(root):
    channel, rescue = slack(), pagerduty()
    address = f"/channels/{channel.pk}"
    sealed = channel.sealed_config
    assert root.call("PUT", address, {"fallback": rescue.pk}).json()["fallback"] == rescue.pk
    assert Channel.objects.get(pk=channel.pk).sealed_config == sealed
    root.call("PUT", address, {"config": {"url": "https://hooks.example/other"}})
    assert Channel.objects.get(pk=channel.pk).sealed_config != sealed
    assert root.call("PUT", address, {"fallback": channel.pk}).status_code == 422
    assert root.call("DELETE", address).status_code == 204
    assert root.get(address).status_code == 404


def test_a_teams_default_channels_are_set_and_hear(root):
    channel = slack(team="")
    teams.ensure_team("delays", actor="t", now=NOON)
    assert root.call("PUT", "/teams/delays/channels", {"channels": [channel.pk]}).status_code == 204
    assert [one["name"] for one in root.get("/teams/delays/channels").json()["channels"]] == ["chat"]
    breach()
    assert Notification.objects.get().channel_id == channel.pk
    assert root.call("PUT", "/teams/nobody/channels", {"channels": []}).status_code == 404
    assert root.call("PUT", "/teams/delays/channels", {"channels": [99]}).status_code == 404


def silence_body(**changes):
    return {
        "matchers": [{"label": "project", "op": "=", "value": "flights"}],
        "ends_at": (LATER + timedelta(hours=1)).isoformat(),
        "reason": "deploying",
        **changes,
    }


def test_silences_are_made_listed_and_ended(operator):
    made = operator.post("/silences", silence_body())
    assert made.status_code == 201
    assert (made.json()["author"], made.json()["starts_at"]) == ("olga/t", "2026-11-23T12:01:00Z")
    assert [one["id"] for one in operator.get("/silences").json()["items"]] == [made.json()["id"]]
    assert operator.call("DELETE", f"/silences/{made.json()['id']}").status_code == 204
    assert operator.get(f"/silences/{made.json()['id']}").json()["ends_at"] == "2026-11-23T12:01:00Z"
    assert operator.post("/silences", silence_body(reason=" ")).status_code == 422


def test_only_an_installations_administrator_silences_across_projects(operator, root):
    everywhere = silence_body(matchers=[{"label": "tier", "op": "=", "value": "gold"}])
    assert operator.post("/silences", everywhere).status_code == 403
    assert root.post("/silences", everywhere).status_code == 201


def test_to_an_outsider_nothing_of_the_project_exists(outsider, operator):
    number = breach().number
    silence = operator.post("/silences", silence_body()).json()["id"]
    monitor = Monitor.objects.get().pk
    channel = slack(team="")
    Channel.objects.filter(pk=channel.pk).update(project="flights")
    calls = [
        ("GET", "/projects/flights/health", None),
        ("GET", "/projects/flights/incidents", None),
        ("GET", "/projects/flights/monitors", None),
        ("GET", f"/projects/flights/monitors/{monitor}", None),
        ("GET", f"/projects/trains/monitors/{monitor}", None),
        ("POST", f"/monitors/{monitor}/run", None),
        ("GET", f"/incidents/{number}", None),
        ("POST", f"/incidents/{number}/acknowledge", None),
        ("POST", f"/incidents/{number}/resolve", {"reason": "x"}),
        ("POST", f"/incidents/{number}/note", {"text": "x"}),
        ("GET", f"/silences/{silence}", None),
        ("DELETE", f"/silences/{silence}", None),
        ("POST", "/silences", silence_body()),
        ("GET", f"/channels/{channel.pk}", None),
        ("PUT", f"/channels/{channel.pk}", {}),
        ("DELETE", f"/channels/{channel.pk}", None),
        ("POST", f"/channels/{channel.pk}/test", None),
    ]
    for method, address, body in calls:
        assert outsider.call(method, address, body).status_code == 404, (method, address)
    assert outsider.get("/silences").json()["items"] == []
    assert outsider.get("/channels").json()["items"] == []


def test_a_viewer_reads_and_changes_nothing():
    viewer = caller("vera", role=Role.VIEWER)
    number = breach().number
    channel = slack(team="")
    assert viewer.get(f"/incidents/{number}").status_code == 200
    assert viewer.get("/channels").status_code == 200
    for method, address, body in [
        ("POST", f"/incidents/{number}/acknowledge", None),
        ("POST", "/silences", silence_body()),
        ("POST", "/projects/flights/monitors", {"view": "carrier_delays", "kind": "coverage"}),
        ("POST", "/channels", {"name": "x", "kind": "slack_webhook", "config": {}}),
        ("DELETE", f"/channels/{channel.pk}", None),
        ("PUT", "/teams/delays/channels", {"channels": []}),
        ("POST", f"/monitors/{Monitor.objects.get().pk}/run", None),
    ]:
        assert viewer.call(method, address, body).status_code == 403, (method, address)


def test_a_token_without_the_scope_is_told_which_one_is_missing():
    reader = caller("rita", "read", role=Role.ADMIN)
    answer = reader.post(f"/incidents/{breach().number}/acknowledge")
    assert answer.status_code == 403
    assert "'operate'" in answer.json()["detail"]


def test_without_a_token_nothing_is_told(client):
    for address in ("/projects/flights/health", "/channels", "/silences", "/incidents/1"):
        assert client.get(f"{API}{address}").status_code == 401


def test_a_monitor_that_nobody_evaluates_is_unknown_and_a_breach_outlives_that(site):
    site.register()
    client, base = caller("root8", is_admin=True), f"/projects/{site.project}/monitors"
    ok, bad = sorted(one["id"] for one in client.get(base).json()["items"])[:2]
    Monitor.objects.filter(pk=ok).update(state="ok", evaluated_at=LATER)
    Monitor.objects.filter(pk=bad).update(state="breach", evaluated_at=LATER)
    assert client.get(f"{base}/{ok}").json()["state"] == "ok"
    Monitor.objects.filter(pk__in=[ok, bad]).update(evaluated_at=LATER - timedelta(days=1))
    assert [client.get(f"{base}/{each}").json()["state"] for each in (ok, bad)] == ["unknown", "breach"]
