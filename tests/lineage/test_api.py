"""Intake by HTTP, as clients send; graph, impact and root cause as people ask."""

import gzip
import json
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import error_message_run
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpCompression, HttpConfig, HttpTransport
from openlineage.client.uuid import generate_new_uuid

from controlplane.accounts import selectors as accounts
from controlplane.accounts.domain import Role
from controlplane.accounts.services import teams, tokens
from controlplane.kernel import clock
from lineage import models, services

from .story import NOON, dataset, minutes, pipeline, run_event

pytestmark = pytest.mark.django_db


def token(*, scopes, projects=("*",), admin=True, role=Role.OPERATOR):
    name = f"u{get_user_model().objects.count()}"
    teams.create_user(username=name, password="a long password", is_admin=admin)
    if not admin:
        teams.ensure_team(name, actor="t", now=NOON)
        teams.set_member(team=name, username=name, member=True, actor="t", now=NOON)
        teams.set_role(team=name, project="mine", role=role, actor="t", now=NOON)
    maker = accounts.principal_of_user(get_user_model().objects.get(username=name))
    made = tokens.create_token(maker, name="t", scopes=scopes, projects=projects, now=clock.now())
    return {"authorization": f"Bearer {made.secret}"}


def post(client, body, headers, path="lineage"):
    return client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers)


@pytest.mark.django_db(transaction=True)
def test_the_openlineage_client_needs_configuration_only(live_server):
    secret = token(scopes=["lineage"])["authorization"].removeprefix("Bearer ")
    client = OpenLineageClient(
        transport=HttpTransport(
            HttpConfig(
                url=live_server.url,
                endpoint="api/v1/lineage",
                auth=ApiKeyTokenProvider({"apiKey": secret}),
                compression=HttpCompression.GZIP,
            )
        )
    )
    error = error_message_run.ErrorMessageRunFacet(message="disk full", programmingLanguage="python")
    event = RunEvent(
        eventType=RunState.FAIL,
        eventTime=datetime.now(UTC).isoformat(),
        run=Run(str(generate_new_uuid()), {"errorMessage": error}),
        job=Job("etl", "extract"),
        producer="https://example.org",
        outputs=[OutputDataset("s3://lake", "raw")],
    )
    client.emit(event)
    client.emit(event)
    assert models.RawEvent.objects.count() == 1
    services.project_pending(now=NOON)
    run = models.Run.objects.get()
    assert (run.state, run.job.node_id) == ("FAIL", "job:etl|extract")
    assert "disk full" in json.dumps(run.facets)


def test_a_stored_event_answers_201_and_a_bad_one_says_why(client):
    headers = token(scopes=["lineage"])
    assert post(client, run_event("j", "START", NOON), headers).status_code == 201
    answer = post(
        client,
        {"run": {"runId": "7"}, "job": {"namespace": "n", "name": "j"}, "eventTime": "2026-11-23T12:00:00Z"},
        headers,
    )
    assert answer.status_code == 422
    assert "'7' is no UUID" in answer.json()["detail"]


def test_a_batch_tells_its_failures_by_index_and_keeps_the_rest(client):
    answer = post(
        client,
        [run_event("j", "START", NOON), 7, run_event("k", "START", NOON)],
        token(scopes=["lineage"]),
        "lineage/batch",
    )
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "partial_success")
    assert body["summary"] == {
        "received": 3,
        "successful": 2,
        "failed": 1,
        "retriable": 0,
        "non_retriable": 1,
    }
    assert body["failed_events"] == [{"index": 1, "reason": "an event is a JSON object", "retriable": False}]
    assert models.RawEvent.objects.count() == 2


def test_gzip_is_read_and_broken_gzip_refused(client):
    headers = token(scopes=["lineage"]) | {"content-encoding": "gzip"}
    body = gzip.compress(json.dumps(run_event("j", "START", NOON)).encode())
    send = lambda data: client.post("/api/v1/lineage", data, content_type="application/json", headers=headers)  # noqa: E731
    assert send(body).status_code == 201
    assert send(body[:-4]).status_code == 400


def test_nobody_writes_lineage_of_a_project_that_is_not_theirs(client):
    headers = token(scopes=["lineage"], admin=False)
    foreign = run_event("a.batch", "FAIL", NOON, namespace="freshline://shop")
    assert post(client, foreign, headers).status_code == 404
    assert (
        post(client, run_event("a.batch", "FAIL", NOON, namespace="freshline://mine"), headers).status_code
        == 201
    )
    assert post(client, [foreign], headers, "lineage/batch").json()["summary"]["failed"] == 1


@pytest.mark.parametrize(
    ("scopes", "role", "status"),
    [(["read"], Role.ADMIN, 403), (["lineage"], Role.VIEWER, 403), (["lineage"], Role.OPERATOR, 201)],
)
def test_intake_needs_the_scope_and_an_operator(client, scopes, role, status):
    headers = token(scopes=scopes, admin=False, role=role)
    assert post(client, run_event("j", "START", NOON), headers).status_code == status


def story():
    for event in [*pipeline(), run_event("extract", "FAIL", minutes(10), error="disk full")]:
        services.receive_event(event, now=NOON)
    services.project_pending(now=NOON)
    services.record_state("view:shop/a", state="stale", at=minutes(30))


def get(client, path, node, headers, **more):
    query = "&".join([f"node={quote(node, safe='')}", *(f"{key}={value}" for key, value in more.items())])
    return client.get(f"/api/v1/lineage/{path}?{query}", headers=headers)


def test_tracing_the_cause_draws_the_whole_way_to_it(client):
    story()
    answer = get(client, "graph", "view:shop/a", token(scopes=["read"]), trace="cause").json()
    assert answer["cause"]["node"] == "job:etl|extract"
    assert answer["cause"]["reason"] == "disk full"
    assert answer["cause_path"][0] == "job:etl|extract"
    assert answer["cause_path"][-1] == "view:shop/a"
    drawn = {node["id"] for node in answer["nodes"]}
    assert set(answer["cause_path"]) <= drawn
    edges = {(edge["from"], edge["to"]) for edge in answer["edges"]}
    assert set(zip(answer["cause_path"], answer["cause_path"][1:], strict=False)) <= edges


def test_root_cause_and_impact_answer_alike(client):
    story()
    headers = token(scopes=["read"])
    assert get(client, "root-cause", "view:shop/a", headers).json()["cause"]["node"] == "job:etl|extract"
    below = get(client, "impact", "job:etl|extract", headers).json()["affected"]
    assert {"view:shop/a", "view:shop/b", "view:shop/c"} <= {node["id"] for node in below}


def test_another_project_s_view_is_not_found_and_its_nodes_are_counted(client):
    story()
    headers = token(scopes=["read"], admin=False)
    for path in ("graph", "root-cause", "impact"):
        assert get(client, path, "view:shop/a", headers).status_code == 404
    impact = get(client, "impact", "job:etl|refine", headers).json()
    assert impact["hidden"] == 6
    assert "shop" not in json.dumps(impact)
    assert "shop" not in get(client, "graph", "dataset:s3://lake|gold", headers).content.decode()


@pytest.mark.parametrize("node", ["", "view:x", "dataset:|", "nothing:a|b"])
def test_what_is_no_node_is_refused_by_name(client, node):
    answer = get(client, "graph", node, token(scopes=["read"]))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_node_id")


def test_a_dataset_outside_lineage_is_not_found(client):
    assert (
        get(
            client, "graph", dataset("x")["name"] and "dataset:s3://lake|x", token(scopes=["read"])
        ).status_code
        == 404
    )


@pytest.mark.parametrize("path", ["lineage", "lineage/batch"])
def test_a_name_that_no_database_keeps_is_refused_and_the_graph_goes_on(client, path):
    secret = token(scopes=["lineage"])
    bad = run_event("job\ud800", "START", NOON)
    answer = post(client, [bad] if path.endswith("batch") else bad, secret, path)
    assert "half a surrogate pair" in answer.content.decode()
    assert post(client, pipeline()[0], secret).status_code == 201
    assert services.project_pending(now=NOON) == 1
    assert models.Node.objects.filter(name="extract").exists()


@pytest.mark.parametrize("cut", ["half a pair \ud83d", "a zero \0"])
def test_a_message_that_was_cut_anywhere_is_kept_as_far_as_it_can_be(client, cut):
    event = run_event("job", "FAIL", NOON, error=cut)
    assert post(client, event, token(scopes=["lineage"])).json() == {"stored": True}
    assert post(client, event, token(scopes=["lineage"])).json() == {"stored": False}
    services.project_pending(now=NOON)
    message = models.Run.objects.get().facets["errorMessage"][-1]["message"]
    assert message == cut[:-1] + "\ufffd"
