"""Which store a project lives in: said in its file, checked when it is planned, never changed unseen."""

import json

import pytest

from controlplane.accounts.models import AuditEntry
from controlplane.registry import selectors
from controlplane.registry.models import Contract
from tests.registry.conftest import PROJECT
from tests.registry.story import flights, view

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _two_stores(settings):
    settings.FRESHLINE_STORES = {"fast": "redis://:hunter2@nowhere:1/0"}


def published():
    return json.loads(selectors.current_bundle().body)["projects"]["flights"]


def moved(answer):
    return [line for line in answer.json()["changes"] if line["kind"] == "project"]


def test_a_store_that_is_not_known_here_is_refused_by_its_place(root):
    answer = root.post(f"{PROJECT}/plan", flights(store="slow"))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_definition")
    (error,) = answer.json()["errors"]
    assert (error["path"], error["code"]) == ("store", "unknown_reference")
    assert "default, fast" in error["message"] and "hunter2" not in answer.content.decode()


def test_a_store_must_have_a_name(root):
    answer = root.post(f"{PROJECT}/plan", flights(store="redis://host:1/0"))
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "store")


def test_a_new_project_lives_where_its_file_says(root):
    assert root.apply(flights(store="fast")).status_code == 200
    assert published()["store"] == "fast"
    assert selectors.find_view("flights", "carrier_delays").store == "fast"
    assert root.get(PROJECT).json()["store"] == "fast"
    assert root.get(f"{PROJECT}/export", accept="application/json").json()["store"] == "fast"


def test_a_file_that_says_nothing_leaves_the_project_where_it_is(root):
    root.apply(flights(store="fast"))
    for query in ("", "?retire_absent=true"):
        assert moved(root.apply(flights(), query)) == []
    assert published()["store"] == "fast"


def test_the_default_store_is_never_spelled_out(root):
    root.apply(flights(store="default"))
    assert "store" not in published()
    assert "store" not in root.get(f"{PROJECT}/export", accept="application/json").json()


def test_a_move_is_breaking_because_rows_do_not_move(root):
    root.apply()
    (line,) = moved(root.post(f"{PROJECT}/plan", flights(store="fast")))
    assert (line["action"], line["level"]) == ("change", "breaking")
    assert line["consumers"] == ["delay_ranker"] and "rows do not move" in line["reasons"][0]
    assert root.apply(flights(store="fast")).status_code == 409
    assert "store" not in published()


def test_a_forced_move_starts_new_layouts_and_is_on_record(root):
    root.apply()
    before = selectors.find_view("flights", "carrier_delays")
    answer = root.apply(flights(store="fast"), "?force=true&reason=bigger")
    assert answer.status_code == 200, answer.json()
    after = selectors.find_view("flights", "carrier_delays")
    assert (after.store, after.layout.number) == ("fast", before.layout.number + 1)
    assert after.layout.columns == before.layout.columns
    assert Contract.objects.count() == 2
    entry = AuditEntry.objects.get(object_kind="project", action="change")
    assert (entry.before, entry.after) == ({"store": "default"}, {"store": "fast"})
    assert root.apply(flights(store="default"), "?force=true&reason=back").status_code == 200
    assert selectors.find_view("flights", "carrier_delays").store == "default"


def test_a_project_without_views_moves_freely(root):
    root.put(PROJECT)
    (line,) = moved(root.post(f"{PROJECT}/plan", flights(store="fast")))
    assert line["level"] == "compatible"


def test_a_view_with_lanes_is_refused_in_a_store_that_is_only_read(root, settings):
    settings.FRESHLINE_STORES = {"fast": "feast+redis://nowhere:1/0"}
    answer = root.post(f"{PROJECT}/plan", flights(store="fast"))
    assert (answer.status_code, answer.json()["code"]) == (422, "store_read_only")
    (error,) = answer.json()["errors"]
    assert (error["path"], error["code"]) == ("feature_views.carrier_delays", "store_read_only")
    assert "batch, direct" in error["message"]
    without = view(batch=None, direct=None)
    assert root.apply(flights(store="fast", feature_views=[without])).status_code == 200
    again = root.put(f"{PROJECT}/feature-views/carrier_delays", view(batch=None))
    assert (again.status_code, again.json()["code"]) == (422, "store_read_only")
