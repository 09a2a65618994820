"""What each command does, prints, and exits with."""

import io
import json
import sys

import pytest
import yaml

from controlplane.ingestion.models import IngestionRun
from monitors.models import Incident, Silence
from tests.permissions.house import FLIGHTS, definition, row, view

VIEW = FLIGHTS.view
PERSON = "a admin of the project"
LOOKED_UP = {
    "rows": 2,
    "columns": [
        {
            "name": "amber_delay",
            "view": VIEW,
            "values": [12.5, None],
            "verdicts": ["fresh", "missing"],
            "ages_us": [29_750_000, None],
            "actions": ["serve", "reject"],
        }
    ],
    "rejected": [],
    "counts": {},
    "bundle": {"digest": "d", "number": 7},
    "contracts": {VIEW: 3},
}


@pytest.fixture
def file(tmp_path):
    def write(document, name="definition.yaml"):
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
        return str(path)

    return write


def wider(**changes):
    """The definition file with one more view that nobody reads yet."""
    more = view(FLIGHTS) | {"name": "amber_more", **changes}
    return definition(FLIGHTS) | {"feature_views": [view(FLIGHTS), more]}


def test_a_plan_says_what_would_change_and_changes_nothing(cli, file):
    assert cli.run("plan", file(wider())) == 0
    assert "create" in cli.out and "amber_more" in cli.out and "digest" in cli.out
    assert [v["name"] for v in cli.json("export")["feature_views"]] == [VIEW]


def test_a_plan_that_breaks_a_consumer_exits_with_1_and_names_it(cli, file):
    narrowed = view(FLIGHTS)
    narrowed["features"][0] = {"name": "amber_delay", "dtype": "int64", "default": 0}
    assert cli.run("plan", file(definition(FLIGHTS) | {"feature_views": [narrowed]})) == 1
    assert "breaking" in cli.out and FLIGHTS.service in cli.out


def test_apply_makes_it_true_as_long_as_the_plan_holds(cli, file):
    digest = cli.json("plan", file(wider()))["digest"]
    assert cli.run("apply", file(wider()), "--plan", digest) == 0
    assert "bundle" in cli.out
    assert cli.run("apply", file(wider(owner="others")), "--plan", digest) == 1
    assert "409 plan_outdated" in cli.err
    assert cli.run("apply", file(wider())) == 0
    assert "Nothing changes." in cli.out


def test_what_is_exported_can_be_applied_again(cli, file):
    assert cli.run("export") == 0
    assert cli.run("apply", file(cli.out)) == 0
    assert "Nothing changes." in cli.out


def test_every_fault_of_a_definition_is_told_with_its_place(cli, file):
    assert cli.run("plan", file(wider(tier="tin", freshness={"max_age": "never"}))) == 1
    assert "422 bad_definition" in cli.err
    assert "feature_views[1].tier" in cli.err and "feature_views[1].freshness.max_age" in cli.err


def test_force_wants_a_reason(cli, file):
    assert cli.run("apply", file(wider()), "--force") == 2
    assert "--reason" in cli.err


def test_status_names_incidents_cause_and_consumers_and_exits_with_1(cli):
    assert cli.run("status") == 1
    incident = Incident.objects.get()
    assert f"INC-{incident.number}" in cli.out
    assert "job:etl|amber_job: amber disk full" in cli.out
    assert FLIGHTS.service in cli.out


def test_incidents_are_listed_explained_and_acknowledged(cli):
    number = str(cli.things.incident)
    assert cli.run("incidents") == 0
    assert f"INC-{number}" in cli.out
    assert cli.run("why", f"inc-{number}") == 0
    assert "amber disk full" in cli.out
    assert cli.run("ack", number) == 0
    assert "acknowledged by admin/t" in cli.out
    assert [one["state"] for one in cli.json("incidents")] == ["acknowledged"]
    assert cli.json("incidents", "--state", "resolved") == []
    assert cli.run("why", "the weather") == 2


def test_a_silence_is_of_the_project_and_ends(cli):
    assert cli.run("silence", "--for", "90m", "--reason", "works", "--view", VIEW) == 0
    assert "lasts until 2026-11-23 13:30 UTC" in cli.out
    made = Silence.objects.latest("pk")
    assert [(m["label"], m["value"]) for m in made.matchers] == [("project", "flights"), ("view", VIEW)]
    assert cli.run("silence", "--for", "ever", "--reason", "works") == 2


def test_impact_takes_the_name_of_a_view(cli):
    found = cli.json("impact", VIEW)
    assert found["affected"][0]["id"] == f"service:flights/{FLIGHTS.service}"
    assert cli.json("impact", f"view:flights/{VIEW}") == found


def test_a_run_is_queued_once_and_listed(cli):
    assert cli.run("run", VIEW) == 0
    assert f"run {cli.things.queued_run} is queued" in cli.out
    assert {one["state"] for one in cli.json("runs", "--lane", "batch")} == {"queued", "held", "failed"}
    assert len(cli.json("runs", "--limit", "2")) == 2
    assert [one["state"] for one in cli.json("runs", "--state", "failed")] == ["failed"]


@pytest.mark.parametrize(("state", "code"), [("succeeded", 0), ("failed", 1), ("held", 1)])
def test_waiting_for_a_run_tells_how_it_ended(cli, state, code):
    IngestionRun.objects.filter(pk=cli.things.queued_run).update(state=state)
    IngestionRun.objects.exclude(pk=cli.things.queued_run).delete()
    queue = cli.site.web.handle_request

    def already_ended(request):
        if request.method == "POST":
            import httpx

            return httpx.Response(202, json={"run": {"id": cli.things.queued_run}}, request=request)
        return queue(request)

    cli.site.web.handle_request = already_ended
    assert cli.run("run", VIEW, "--wait") == code
    assert state in cli.out


def test_rows_are_pushed_from_a_file_or_a_pipe_and_the_refused_are_named(cli, file, monkeypatch):
    rows = [row(FLIGHTS, carrier="AA"), row(FLIGHTS, carrier="BB", amber_delay=1e9)]
    assert cli.run("push", VIEW, file("\n".join(map(json.dumps, rows)), "rows.jsonl")) == 1
    assert "1 written, 0 older, 0 unchanged, 1 refused" in cli.out
    assert "row 1: amber_delay" in cli.out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(rows[:1]).encode())))
    assert cli.run("push", VIEW, "-") == 0
    assert cli.run("push", VIEW, file("{not json", "bad.jsonl")) == 2


def test_many_rows_go_in_several_requests_and_keep_their_numbers(cli, file):
    rows = [row(FLIGHTS, carrier=f"c{n}", amber_delay=1e9 if n == 1_500 else 1.0) for n in range(2_100)]
    assert cli.run("push", VIEW, file(json.dumps(rows), "rows.json"), "--json") == 1
    told = json.loads(cli.out)
    assert (told["written"], [one["index"] for one in told["refused"]]) == (2_099, [1_500])
    assert len(cli.site.asked) == 3


def test_refused_rows_are_listed_and_sent_again(cli):
    (refused,) = cli.json("refused")
    assert refused["id"] == cli.things.refused_row
    assert cli.run("redrive", str(refused["id"])) == 0
    assert cli.run("redrive", "--view", VIEW) == 0
    assert cli.run("redrive") == 2
    assert cli.run("redrive", "1", "--view", VIEW) == 2


def test_a_lookup_shows_values_verdicts_and_ages(cli):
    cli.site.answers["/v1/lookup"] = (200, LOOKED_UP)
    keys = ("--key", "carrier=UA", "--key", "carrier=7")
    assert cli.run("lookup", f"{VIEW}:amber_delay", *keys) == 0
    assert [line.split() for line in cli.out.splitlines()[1:]] == [
        ["0", "amber_delay", "12.5", "fresh", "29.8", "s"],
        ["1", "amber_delay", "-", "missing", "-"],
    ]
    sent = json.loads(cli.site.asked[-1].content)
    assert sent["entities"] == {"carrier": ["UA", 7]}
    assert (sent["project"], sent["features"]) == ("flights", [f"{VIEW}:amber_delay"])


def test_a_rejected_row_exits_with_1(cli):
    cli.site.answers["/v1/lookup"] = (200, LOOKED_UP | {"rejected": [{"row": 1, "reasons": []}]})
    assert cli.run("lookup", "--service", FLIGHTS.service, "--key", "carrier=UA") == 1
    assert "row 1 is rejected" in cli.out
    assert cli.run("lookup", "--service", "s", f"{VIEW}:x", "--key", "carrier=UA") == 2
    assert cli.run("lookup", "--service", "s", "--key", "UA") == 2


def test_explain_asks_serving_for_one_value(cli):
    cli.site.answers["/v1/explain"] = (200, {"value": 1.5, "verdict": "fresh", "terms": {"max_age_us": 1}})
    assert cli.run("explain", f"{VIEW}.amber_delay", "--key", "UA") == 0
    assert "verdict" in cli.out and "fresh" in cli.out
    assert dict(cli.site.asked[-1].url.params) == {
        "project": "flights",
        "view": VIEW,
        "feature": "amber_delay",
        "key": "UA",
    }
    assert cli.run("explain", VIEW, "--key", "UA") == 2


def test_doctor_says_what_is_wrong_and_where(cli):
    code = cli.run("doctor")
    assert "http://serving.example is ready" in cli.out
    assert "it reads project flights" in cli.out
    assert code == (1 if "FAILED" in cli.out else 0)
    cli.site.answers["/ready"] = (503, {"ready": False})
    assert cli.run("doctor", FRESHLINE_TOKEN="") == 1
    assert "set FRESHLINE_TOKEN" in cli.out and "http://serving.example is not ready" in cli.out
