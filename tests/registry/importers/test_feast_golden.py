"""Two registries that Feast 0.67 wrote (tests/golden/feast_registry_program.py), sent to be imported."""

import json
from pathlib import Path

import pytest

from controlplane.cli.yaml_text import to_yaml
from controlplane.contracts.definition import reading
from controlplane.registry import selectors
from tests.registry.importers.registry_bytes import entity, project, registry, view

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parents[2] / "golden"
STOCK = GOLDEN / "feast_registry_stock.db"
RICH = GOLDEN / "feast_registry_rich.db"
FEAST_STORE = "feast+redis://nowhere:1/0"


@pytest.fixture
def send(root):
    def send(name, data, query="", caller=root):
        address = f"/api/v1/projects/{name}/import/feast{query}"
        return caller.post(address, data, content_type="application/x-protobuf")

    return send


def reasons(found, name):
    return [remark["reason"] for remark in found if remark["name"] == name]


@pytest.mark.parametrize(("name", "file"), [("driver_repo", STOCK), ("shop", RICH)])
def test_what_feast_wrote_becomes_the_definition_that_is_kept(send, request, name, file):
    answer = send(name, file.read_bytes())
    assert answer.status_code == 200, answer.content
    kept = file.with_suffix(".json")
    written = json.dumps(answer.json(), indent=1, ensure_ascii=False) + "\n"
    if request.config.getoption("--rewrite"):
        kept.write_text(written)
    assert written == kept.read_text()


@pytest.mark.parametrize("store", ["", "online"])
@pytest.mark.parametrize(("name", "file"), [("driver_repo", STOCK), ("shop", RICH)])
def test_the_definition_is_planned_applied_and_published_without_a_change(
    send, root, settings, tmp_path, name, file, store
):
    settings.FRESHLINE_SOURCE_ROOTS = [tmp_path]
    settings.FRESHLINE_STORES = {"online": FEAST_STORE}
    found = send(name, file.read_bytes(), f"?store={store}").json()["definition"]
    written = to_yaml(found).encode()
    yaml = {"content_type": "application/yaml"}
    plan = root.call("POST", f"/api/v1/projects/{name}/plan", written, **yaml)
    assert plan.status_code == 200, plan.content
    assert {change["level"] for change in plan.json()["changes"]} == {"compatible"}
    applied = root.call("POST", f"/api/v1/projects/{name}/apply", written, **yaml)
    assert applied.status_code == 200, applied.content
    bundle = json.loads(selectors.current_bundle().body)["projects"][name]
    assert bundle["views"].keys() == {view["name"] for view in found["feature_views"]}
    assert bundle["services"].keys() == {service["name"] for service in found["feature_services"]}
    assert bundle.get("store") == (store or None)
    # The file is the whole project: what is exported says no more, and applying it again does nothing.
    again = root.call("POST", f"/api/v1/projects/{name}/plan?retire_absent=true", written, **yaml)
    assert {change["action"] for change in again.json()["changes"]} == {"none"}


def test_views_have_no_lanes_in_a_store_of_feasts_and_lanes_in_one_of_ours(send, settings):
    settings.FRESHLINE_STORES = {"online": FEAST_STORE, "fast": "redis://nowhere:1/0"}
    lanes = {"batch", "direct"}
    for query, expected in (("", lanes), ("?store=fast", lanes), ("?store=online", set())):
        found = send("driver_repo", STOCK.read_bytes(), query).json()["definition"]
        assert lanes & set().union(*found["feature_views"]) == expected
        assert found.get("store") == (query.partition("=")[2] or None)


def test_a_project_that_lives_in_a_store_of_feasts_already_stays_there(send, root, settings):
    settings.FRESHLINE_STORES = {"online": FEAST_STORE}
    root.post("/api/v1/projects/shop/apply", {"version": 1, "project": "shop", "store": "online"})
    found = send("shop", registry(entity("customer"), view("v"))).json()["definition"]
    assert "store" not in found and "direct" not in found["feature_views"][0]


def test_a_store_that_nobody_named_is_refused(send):
    answer = send("driver_repo", STOCK.read_bytes(), "?store=nowhere")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "unknown_reference")
    assert send("driver_repo", STOCK.read_bytes(), "?store=no%20name").json()["code"] == "bad_name"


def test_a_project_may_get_another_name_but_not_in_the_store_that_has_the_first_in_its_keys(send, settings):
    settings.FRESHLINE_STORES = {"online": FEAST_STORE}
    answer = send("taxis", STOCK.read_bytes())
    assert (answer.json()["definition"]["project"], answer.json()["feast_project"]) == (
        "taxis",
        "driver_repo",
    )
    refused = send("taxis", STOCK.read_bytes(), "?store=online")
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_value")
    assert "driver_repo can be read as driver_repo only" in refused.json()["detail"]


def test_of_several_projects_one_is_chosen_by_name(send):
    data = registry(project("other"), entity("customer"), view("v"))
    assert send("shop", data).json()["feast_project"] == "shop"
    assert send("shop", data, "?feast_project=other").json()["feast_project"] == "other"
    answer = send("trains", data)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_reference")
    assert "there is other, shop" in answer.json()["detail"]


def test_what_is_no_registry_is_refused_and_so_is_an_empty_body(send):
    for data in (b"not a registry", b""):
        answer = send("shop", data)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_registry")


def test_more_views_than_a_definition_may_hold_are_refused_whole(send, monkeypatch):
    monkeypatch.setattr(reading, "MAX_ITEMS", 2)
    many = registry(entity("customer"), *(view(f"v{number}") for number in range(3)))
    answer = send("shop", many)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_definition")
    assert "at most 2" in answer.json()["detail"]


def test_importing_registers_nothing(send, root):
    send("driver_repo", STOCK.read_bytes())
    assert root.get("/api/v1/projects/driver_repo").status_code == 404


def test_whoever_may_plan_a_project_may_import_into_it(send, viewer, outsider, make_token):
    data = registry(entity("customer"), view("v"), of="flights")
    assert send("flights", data, caller=viewer).status_code == 200
    assert send("flights", data, caller=outsider).status_code == 404
    assert send("flights", data, caller=make_token("read")).status_code == 403


def test_the_rich_registry_is_told_whole(send):
    found = send("shop", RICH.read_bytes()).json()
    left, changed = found["not_carried_over"], found["changed"]
    assert {remark["kind"] for remark in left} == {
        "entity",
        "feature",
        "feature_service",
        "feature_view",
        "history",
        "on_demand_feature_view",
        "permission",
        "project",
        "saved_dataset",
        "source",
    }
    assert "it is called crm_team here" in reasons(changed, "crm-team@example.com")[0]
    assert any("join keys (customer_id as buyer_id)" in reason for reason in reasons(left, "renamed"))
    assert any("INT64_SET" in reason for reason in reasons(left, "every_type:a_set"))
