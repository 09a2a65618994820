"""POST plan and apply, GET export: the promises of api.md."""

import json
from datetime import timedelta

import pytest
import yaml

from controlplane.accounts.models import AuditEntry, Team
from controlplane.kernel import clock
from controlplane.registry import selectors
from controlplane.registry.models import Bundle, Contract, Project
from tests.registry.conftest import PROJECT
from tests.registry.story import FLIGHTS, flights, service, view

pytestmark = pytest.mark.django_db


def lines(answer):
    """The changes of a plan that do something, by kind and name."""
    return {
        (line["kind"], line["name"]): line for line in answer.json()["changes"] if line["action"] != "none"
    }


def test_a_plan_says_what_would_be_made_and_makes_nothing(root):
    answer = root.post(f"{PROJECT}/plan", FLIGHTS)
    assert answer.status_code == 200
    assert {(kind, name, line["action"]) for (kind, name), line in lines(answer).items()} == {
        ("project", "flights", "create"),
        ("team", "ops", "create"),
        ("team", "delays", "create"),
        ("team", "ranking", "create"),
        ("entity", "carrier", "create"),
        ("source", "flights", "create"),
        ("feature_view", "carrier_delays", "create"),
        ("feature_service", "delay_ranker", "create"),
    }
    assert not Project.objects.exists()
    assert not Bundle.objects.exists()
    assert not Team.objects.filter(name="ops").exists()


def test_an_apply_makes_project_teams_contract_and_bundle(root):
    answer = root.apply()
    assert answer.status_code == 200
    bundle = selectors.current_bundle()
    assert answer.json()["bundle"] == {"number": 1, "digest": bundle.digest}
    assert Team.objects.filter(name__in=["ops", "delays", "ranking"]).count() == 3
    published = json.loads(bundle.body)["projects"]["flights"]
    assert published["views"]["carrier_delays"]["contract"] == 1
    assert published["services"]["delay_ranker"]["terms"] == {
        "max_age_us": 3_600_000_000,
        "on_stale": "default",
    }


def test_yaml_says_the_same_as_json(root):
    body = yaml.safe_dump(FLIGHTS)
    answer = root.call("POST", f"{PROJECT}/apply", body, content_type="application/yaml")
    assert answer.status_code == 200
    first = answer.json()["bundle"]
    assert root.apply().json()["bundle"] == first


def test_a_body_that_is_neither_is_refused_as_such(root):
    answer = root.call("POST", f"{PROJECT}/apply", "x=1", content_type="text/html")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert root.apply("{").status_code == 400
    assert root.apply("").status_code == 415  # nothing said what it would be


def test_applying_the_same_again_changes_nothing_and_keeps_the_bundle(root):
    first = root.apply().json()["bundle"]
    entries = AuditEntry.objects.count()
    again = root.apply()
    assert again.json()["bundle"] == first
    assert not lines(again)
    assert AuditEntry.objects.count() == entries


def test_every_fault_is_told_with_its_path_and_nothing_is_changed(root):
    broken = view(features=[{"name": "Bad", "dtype": "float64"}, {"name": "x", "dtype": "decimal"}])
    answer = root.apply(flights(feature_views=[broken], feature_services=[]))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_definition")
    paths = {error["path"] for error in answer.json()["errors"]}
    assert {"feature_views[0].features[0].name", "feature_views[0].features[1].dtype"} <= paths
    assert not Project.objects.exists()


def test_the_project_in_the_file_equals_the_one_in_the_address(root):
    answer = root.post("/api/v1/projects/trains/apply", FLIGHTS)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "project"


def test_a_breaking_change_is_refused_with_whom_it_hits(root):
    root.apply()
    smaller = view(features=FLIGHTS["feature_views"][0]["features"][1:])
    answer = root.apply(flights(feature_views=[smaller]))
    assert (answer.status_code, answer.json()["code"]) == (409, "breaking_change")
    assert any("delay_ranker" in error["message"] for error in answer.json()["errors"])
    assert answer.json()["errors"][0]["path"] == "feature_view.carrier_delays"
    assert selectors.find_view("flights", "carrier_delays").contract_number == 1
    assert Bundle.objects.count() == 1


def test_force_needs_a_reason_and_the_reason_is_kept(root):
    root.apply()
    smaller = flights(feature_views=[view(features=FLIGHTS["feature_views"][0]["features"][1:])])
    assert root.apply(smaller, "?force=true").status_code == 422
    answer = root.apply(smaller, "?force=true&reason=the+column+is+gone")
    assert answer.status_code == 200
    forced = AuditEntry.objects.get(action="force")
    assert forced.after["reason"] == "the column is gone"
    assert "feature_view.carrier_delays" in forced.after["breaking"]
    published = json.loads(selectors.current_bundle().body)["projects"]["flights"]["views"]["carrier_delays"]
    assert published["retired_features"] == ["avg_dep_delay"]
    assert (published["contract"], published["layout"]) == (2, 2)
    assert set(published["layouts"]) == {"1", "2"}


def test_a_forced_project_can_be_exported_and_applied_again(root):
    root.apply()
    root.apply(
        flights(feature_views=[view(features=FLIGHTS["feature_views"][0]["features"][1:])]),
        "?force=true&reason=r",
    )
    exported = root.get(f"{PROJECT}/export").json()
    assert not lines(root.apply(exported, "?retire_absent=true"))


def test_a_view_retired_by_force_answers_missing_until_its_reader_lets_go(root):
    root.apply()
    without = flights(feature_views=[])
    assert root.apply(without, "?retire_absent=true").status_code == 409
    assert root.apply(without, "?retire_absent=true&force=true&reason=r").status_code == 200
    published = json.loads(selectors.current_bundle().body)["projects"]["flights"]
    assert published["views"]["carrier_delays"]["features"] == []
    assert published["views"]["carrier_delays"]["retired_features"] == ["avg_dep_delay", "flights_1d"]
    assert (
        root.apply(flights(feature_views=[], feature_services=[]), "?retire_absent=true").status_code == 200
    )
    assert json.loads(selectors.current_bundle().body)["projects"]["flights"] == {"services": {}, "views": {}}


def test_what_a_file_leaves_out_stays_unless_it_is_told_to_go(root):
    root.apply()
    only_service = {"project": "flights", "feature_services": [service(owner="delays")]}
    assert set(lines(root.apply(only_service))) == {("feature_service", "delay_ranker")}
    assert selectors.find_view("flights", "carrier_delays")
    answer = root.apply(flights(feature_services=[]), "?retire_absent=true")
    assert lines(answer)["feature_service", "delay_ranker"]["action"] == "retire"
    assert selectors.list_services("flights") == []


def test_an_apply_that_names_an_outdated_plan_is_refused(root):
    digest = root.post(f"{PROJECT}/plan", FLIGHTS).json()["digest"]
    assert root.apply(query=f"?plan={digest}").status_code == 200
    other = flights(feature_services=[service(max_age="2h")])
    digest = root.post(f"{PROJECT}/plan", other).json()["digest"]
    root.apply(flights(feature_services=[service(owner="delays")]))
    answer = root.apply(other, f"?plan={digest}")
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_outdated")
    assert root.apply(other, f"?plan={'0' * 64}").json()["code"] == "plan_outdated"
    digest = root.post(f"{PROJECT}/plan", other).json()["digest"]
    assert root.apply(other, f"?plan={digest}").status_code == 200


def test_a_plan_with_retire_absent_is_another_plan(root):
    root.apply()
    only_view = flights(feature_services=[])
    kept = root.post(f"{PROJECT}/plan", only_view).json()
    gone = root.post(f"{PROJECT}/plan?retire_absent=true", only_view).json()
    assert kept["digest"] != gone["digest"]
    assert root.apply(only_view, f"?plan={kept['digest']}&retire_absent=true").status_code == 409


@pytest.mark.parametrize(
    ("changes", "contract", "layout"),
    [
        ({"description": "said better"}, 1, 1),
        ({"owner": "ops", "tags": {"domain": "ops"}, "tier": "bronze"}, 1, 1),
        ({"expire_after": "30d"}, 1, 1),
        ({"freshness": {"warn_after": "20m", "max_age": "40m"}}, 2, 1),
        ({"on_stale": "reject"}, 2, 1),
        ({"enforcement": "observe"}, 2, 1),
    ],
)
def test_only_terms_and_features_make_a_new_contract(root, changes, contract, layout):
    root.apply()
    assert root.apply(flights(feature_views=[view(**changes)])).status_code == 200
    record = selectors.find_view("flights", "carrier_delays")
    assert (record.contract_number, record.layout.number) == (contract, layout)


def features(*names, **changes):
    """The view's features by name, each with changes."""
    known = {feature["name"]: feature for feature in FLIGHTS["feature_views"][0]["features"]}
    return [{**known.get(name, {"name": name, "dtype": "bool"}), **changes} for name in names]


@pytest.mark.parametrize(
    ("changed", "contract", "layout"),
    [
        (features("flights_1d", "avg_dep_delay", "last_tail"), 2, 2),
        (features("avg_dep_delay", "flights_1d", "last_tail", "is_late"), 2, 2),
        (features("avg_dep_delay", "flights_1d", "last_tail", description="x"), 1, 1),
        (features("avg_dep_delay", "flights_1d") + features("last_tail", max_length=8), 2, 1),
    ],
    ids=["another order", "a new feature", "a description", "a narrower domain"],
)
def test_a_layout_changes_with_names_order_and_types_only(root, changed, contract, layout):
    root.apply()
    assert root.apply(flights(feature_views=[view(features=changed)])).status_code == 200
    record = selectors.find_view("flights", "carrier_delays")
    assert (record.contract_number, record.layout.number) == (contract, layout)
    assert set(record.layouts) == set(range(1, layout + 1))


def test_join_keys_that_change_under_a_view_make_its_next_contract(root):
    root.apply(flights(feature_services=[]))
    wider = {
        "name": "carrier",
        "join_keys": [{"name": "carrier", "dtype": "string"}, {"name": "day", "dtype": "int32"}],
    }
    answer = root.apply({"project": "flights", "entities": [wider]}, "?force=true&reason=new+key")
    assert answer.status_code == 200
    record = selectors.find_view("flights", "carrier_delays")
    assert record.contract_number == 2
    assert [key.name for key in record.join_keys] == ["carrier", "day"]


def test_contracts_are_never_edited(root):
    root.apply()
    first = Contract.objects.values().get(number=1)
    root.apply(flights(feature_views=[view(on_stale="reject")]))
    root.apply()
    assert Contract.objects.values().get(number=1) == first
    assert sorted(Contract.objects.values_list("number", flat=True)) == [1, 2, 3]


def test_a_name_that_comes_back_continues_its_numbers_after_the_purge(root):
    from controlplane.registry.services.views import mark_purged

    root.apply(flights(feature_services=[]))
    root.apply(flights(feature_views=[], feature_services=[]), "?retire_absent=true")
    (due,) = selectors.views_to_purge(now=clock.now())
    assert (due.project, due.name) == ("flights", "carrier_delays")
    answer = root.apply(flights(feature_services=[]))
    assert (answer.status_code, answer.json()["code"]) == (409, "purge_pending")
    assert mark_purged(due)
    assert not mark_purged(due)
    assert selectors.views_to_purge(now=clock.now()) == []
    assert root.apply(flights(feature_services=[])).status_code == 200
    record = selectors.find_view("flights", "carrier_delays")
    assert (record.id, record.contract_number, record.layout.number) == (due.view_id, 2, 2)


def test_the_export_gives_the_project(root):
    root.apply()
    exported = root.get(f"{PROJECT}/export")
    assert exported.status_code == 200
    assert not lines(root.post(f"{PROJECT}/plan?retire_absent=true", exported.json()))


def test_the_same_idempotency_key_applies_once(root):
    first = root.apply(idempotency_key="k")
    again = root.apply(idempotency_key="k")
    assert again["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()
    assert root.apply(flights(feature_services=[]), idempotency_key="k").status_code == 422


def test_an_apply_that_came_at_a_bad_moment_may_come_again_with_its_key(root):
    from controlplane.registry.models import ApplyClaim

    until = clock.now() + timedelta(seconds=30)
    claim = ApplyClaim.objects.create(project="flights", leased_until=until)
    answer = root.apply(idempotency_key="k")
    assert (answer.status_code, answer.json()["code"]) == (409, "apply_in_progress")
    claim.delete()
    answer = root.apply(idempotency_key="k")
    assert (answer.status_code, answer.get("Idempotency-Replayed")) == (200, None)


def test_each_change_is_audited_with_before_and_after(root):
    root.apply()
    root.apply(flights(feature_services=[service(max_age="2h")]))
    entry = AuditEntry.objects.get(action="change", object_kind="feature_service")
    assert (entry.project, entry.object_name) == ("flights", "delay_ranker")
    assert (entry.before["max_age"], entry.after["max_age"]) == ("1h", "2h")
