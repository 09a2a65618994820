"""Lists, single objects, PUT and DELETE: the rules of apply, one object at a time."""

import pytest

from controlplane.accounts.models import AuditEntry
from controlplane.registry import selectors
from tests.registry.conftest import PROJECT
from tests.registry.story import flights, service, view

pytestmark = pytest.mark.django_db
VIEW = f"{PROJECT}/feature-views/carrier_delays"
SERVICE = f"{PROJECT}/feature-services/delay_ranker"
ALL = (VIEW, SERVICE, f"{PROJECT}/entities/carrier", f"{PROJECT}/sources/flights")


@pytest.fixture
def applied(root):
    assert root.apply().status_code == 200
    return root


def names(answer):
    return [item["name"] for item in answer.json()["items"]]


def test_one_view_is_shown_whole(applied):
    shown = applied.get(VIEW).json()
    assert shown["contract"] == 1
    assert shown["layout"]["number"] == 1
    assert shown["join_keys"] == [{"name": "carrier", "dtype": "string"}]
    assert shown["feature_services"] == ["delay_ranker"]
    assert shown["lanes"] == ["batch", "direct"]
    assert shown["features"][0]["min"] == -120


@pytest.mark.parametrize("address", ALL)
def test_what_get_answers_can_be_put_back_and_changes_nothing(applied, address):
    shown = applied.get(address)
    bundle = selectors.current_bundle()
    answer = applied.put(address, shown.json(), if_match=shown["ETag"])
    assert answer.status_code == 200, answer.json()
    assert answer["ETag"] == shown["ETag"]
    assert all(line["action"] == "none" for line in answer.json()["changes"])
    assert selectors.current_bundle() == bundle


def test_a_put_makes_one_object_by_the_rules_of_apply(applied):
    body = service(name="other", owner="others")
    answer = applied.put(f"{PROJECT}/feature-services/other", body, if_none_match="*")
    assert answer.status_code == 201
    assert answer.json()["bundle"]["number"] == 2
    assert ("team", "others") in {(line["kind"], line["name"]) for line in answer.json()["changes"]}
    assert applied.put(f"{PROJECT}/feature-services/other", body, if_none_match="*").status_code == 412


def test_a_put_that_breaks_a_reader_is_refused_unless_forced(applied):
    smaller = view(features=view()["features"][1:])
    assert applied.put(VIEW, smaller).json()["code"] == "breaking_change"
    assert applied.put(f"{VIEW}?force=true&reason=gone", smaller).status_code == 200


def test_the_name_in_a_put_is_that_of_its_address(applied):
    answer = applied.put(SERVICE, service(name="another"))
    assert answer.status_code == 422
    nameless = {key: value for key, value in service().items() if key != "name"}
    assert applied.put(SERVICE, nameless).status_code == 200


def test_faults_of_a_put_are_told_by_their_path_in_the_object(applied):
    answer = applied.put(VIEW, view(features=[{"name": "x", "dtype": "decimal"}]))
    assert answer.status_code == 422
    assert "features[0].dtype" in {error["path"] for error in answer.json()["errors"]}
    assert "feature_views[0]" not in str(answer.json())
    assert applied.put(VIEW, ["no object"]).status_code == 422


def test_a_put_into_a_project_that_is_not_there_is_404(root):
    assert root.put(VIEW, view()).status_code == 404


def test_who_read_an_older_version_cannot_overwrite_a_newer_one(applied):
    read = applied.get(SERVICE)["ETag"]
    assert applied.put(SERVICE, service(max_age="2h"), if_match=read).status_code == 200
    answer = applied.put(SERVICE, service(max_age="3h"), if_match=read)
    assert (answer.status_code, answer.json()["code"]) == (412, "changed_meanwhile")
    assert applied.delete(SERVICE, if_match=read).status_code == 412
    assert applied.put(SERVICE, service(max_age="3h"), if_match="*").status_code == 200
    assert applied.put(f"{SERVICE}_2", service(name="delay_ranker_2"), if_match="*").status_code == 412


@pytest.mark.parametrize(
    ("address", "referrer"),
    [
        (VIEW, "feature_service.delay_ranker"),
        (f"{PROJECT}/entities/carrier", "feature_view.carrier_delays"),
        (f"{PROJECT}/sources/flights", "feature_view.carrier_delays"),
        (PROJECT, "feature_view.carrier_delays"),
    ],
)
def test_what_is_still_referenced_is_not_retired_and_the_list_is_told(applied, address, referrer):
    answer = applied.delete(address)
    assert (answer.status_code, answer.json()["code"]) == (409, "still_referenced")
    assert referrer in {error["path"] for error in answer.json()["errors"]}


def test_retiring_from_the_leaves_to_the_root_empties_project_and_bundle(applied):
    for number, address in enumerate(
        (SERVICE, VIEW, f"{PROJECT}/entities/carrier", f"{PROJECT}/sources/flights")
    ):
        answer = applied.delete(address)
        assert answer.status_code == 200, answer.json()
        assert applied.get(address).status_code == 404
        assert answer.json()["bundle"]["number"] == min(
            number + 2, 3
        )  # entities and sources are in no bundle
    assert applied.get(f"{PROJECT}/export").json() == {"version": 1, "project": "flights"}
    assert applied.delete(PROJECT).status_code == 204
    assert applied.get(PROJECT).status_code == 404
    assert applied.delete(SERVICE).status_code == 404
    assert AuditEntry.objects.filter(action="retire").count() == 5
    assert applied.put(PROJECT).status_code == 200
    assert applied.get(PROJECT).status_code == 200


def test_history_outlives_the_view(applied):
    applied.delete(SERVICE)
    applied.delete(VIEW)
    versions = applied.get(f"{VIEW}/versions").json()["items"]
    assert [version["number"] for version in versions] == [1]


def test_versions_and_their_differences(applied):
    changed = view(
        on_stale="reject", features=[{**view()["features"][1], "min": 1}, *view()["features"][::2]]
    )
    applied.put(VIEW, changed)
    versions = applied.get(f"{VIEW}/versions").json()["items"]
    assert [version["number"] for version in versions] == [2, 1]
    assert versions[0]["created_by"] == "root/t"
    assert applied.get(f"{VIEW}/versions/1").json()["contract"]["on_stale"] == "serve"
    answer = applied.get(f"{VIEW}/versions/1/diff/2").json()
    assert {(line["path"], str(line["before"]), str(line["after"])) for line in answer["differences"]} == {
        ("on_stale", "serve", "reject"),
        ("features.flights_1d.min", "0", "1"),
        (
            "features",
            "['avg_dep_delay', 'flights_1d', 'last_tail']",
            "['flights_1d', 'avg_dep_delay', 'last_tail']",
        ),
    }
    assert applied.get(f"{VIEW}/versions/2/diff/2").json()["differences"] == []
    assert applied.get(f"{VIEW}/versions/3").status_code == 404
    assert applied.get(f"{PROJECT}/feature-views/none/versions").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["carrier_delays", "carrier_volume"]),
        ("?q=DELAYS", ["carrier_delays"]),
        ("?q=passengers", ["carrier_volume"]),
        ("?owner=delays", ["carrier_delays"]),
        ("?tier=silver", ["carrier_volume"]),
        ("?entity=carrier", ["carrier_delays", "carrier_volume"]),
        ("?entity=carr", []),
        ("?tag=domain:ops", ["carrier_volume"]),
        ("?tag=domain:ops&tag=kind:count", ["carrier_volume"]),
        ("?tag=domain:ops&tag=kind:other", []),
        ("?lane=batch", ["carrier_delays"]),
        ("?source=flights", ["carrier_delays"]),
    ],
)
def test_views_are_found_by_what_they_are(applied, query, found):
    other = {
        "name": "carrier_volume",
        "entities": ["carrier"],
        "features": [{"name": "passengers", "dtype": "int64"}],
        "freshness": {"max_age": "1h"},
        "tags": {"domain": "ops", "kind": "count"},
        "direct": True,
    }
    applied.put(f"{PROJECT}/feature-views/carrier_volume", other)
    assert names(applied.get(f"{PROJECT}/feature-views{query}")) == found


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("entities", ["carrier"]),
        ("entities?owner=ops", ["carrier"]),
        ("entities?owner=delays", []),
        ("sources?kind=parquet", ["flights"]),
        ("sources?kind=sql", []),
        ("sources?connection=events", []),
        ("feature-services?model=delay-ranker@2026-11", ["delay_ranker"]),
        ("feature-services?q=flights_1d", ["delay_ranker"]),
        ("feature-services?q=nothing", []),
    ],
)
def test_the_other_lists_filter_too(applied, address, found):
    assert names(applied.get(f"{PROJECT}/{address}")) == found


def test_a_list_comes_in_pages(applied):
    applied.apply(flights(feature_services=[service(name=f"service_{n}") for n in range(5)]))
    first = applied.get(f"{PROJECT}/feature-services?limit=4").json()
    rest = applied.get(f"{PROJECT}/feature-services?limit=4&cursor={first['next']}").json()
    assert [item["name"] for item in first["items"] + rest["items"]] == [
        "delay_ranker",
        *(f"service_{n}" for n in range(5)),
    ]
    assert rest["next"] is None


def test_entity_and_source_say_who_uses_them(applied):
    for address in ("entities/carrier", "sources/flights"):
        assert applied.get(f"{PROJECT}/{address}").json()["feature_views"] == ["carrier_delays"]
