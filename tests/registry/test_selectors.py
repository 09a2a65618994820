"""What other packages read."""

from datetime import timedelta

import pytest

from controlplane.accounts.models import AuditEntry
from controlplane.kernel.errors import NotFound
from controlplane.registry import selectors
from controlplane.registry.services.applying import Author, apply_definition
from controlplane.registry.services.views import set_paused
from tests.registry.story import NOW, flights, service, view

pytestmark = pytest.mark.django_db
ROOT = Author("root", may_create_projects=True)


def apply(project="flights", **changes):
    return apply_definition(project, flights(project=project, **changes), author=ROOT, now=NOW)


@pytest.mark.parametrize(
    ("max_age", "strictest", "warning"),
    [("1h", 45, 20), ("10m", 10, 10), ("30m", 30, 20)],
)
def test_the_strictest_reader_decides_when_to_hear_of_it(max_age, strictest, warning):
    apply(feature_services=[service(max_age=max_age), service(name="lenient", max_age="24h")])
    record = selectors.find_view("flights", "carrier_delays")
    assert record.strictest_max_age == timedelta(minutes=strictest)
    assert record.strictest_warn_after == timedelta(minutes=warning)


def test_a_view_without_readers_and_warning_is_judged_by_its_own_max_age():
    apply(feature_views=[view(freshness={"max_age": "45m"})], feature_services=[])
    record = selectors.find_view("flights", "carrier_delays")
    assert record.strictest_max_age == record.strictest_warn_after == timedelta(minutes=45)


def test_readers_are_those_of_the_view_in_the_project():
    apply()
    apply("trains", feature_services=[service(name="train_ranker")])
    (record,) = selectors.list_views("trains")
    assert [reader.name for reader in record.readers] == ["train_ranker"]
    (reader,) = selectors.services_reading_each("trains", ["carrier_delays"])["carrier_delays"]
    assert reader.features_of("carrier_delays") == ["avg_dep_delay", "flights_1d"]
    assert selectors.services_reading_each("flights", ["nothing"]) == {}
    assert [record.project for record in selectors.list_views()] == ["flights", "trains"]


def test_all_views_are_read_in_as_many_queries_as_one(django_assert_num_queries):
    apply(feature_views=[view(name=f"view_{n}") for n in range(30)], feature_services=[])
    with django_assert_num_queries(4):
        assert len(selectors.list_views()) == 30


def test_what_is_not_there_is_not_found():
    for find in (selectors.find_view, selectors.find_service, selectors.find_source, selectors.find_entity):
        with pytest.raises(NotFound, match="nothing"):
            find("flights", "nothing")
    for find in (selectors.current_bundle, selectors.registry_id):
        with pytest.raises(NotFound):
            find()
    with pytest.raises(NotFound):
        selectors.connection_url("nothing")
    assert selectors.current_bundle_digest() == ""


def test_pausing_changes_neither_contract_nor_bundle():
    done = apply()
    set_paused("flights", "carrier_delays", paused=True, actor="edith", now=NOW)
    set_paused("flights", "carrier_delays", paused=True, actor="edith", now=NOW)
    record = selectors.find_view("flights", "carrier_delays")
    assert (record.paused, record.contract_number) == (True, 1)
    assert AuditEntry.objects.filter(action="pause").count() == 1
    assert apply().bundle == done.bundle
    assert selectors.find_view("flights", "carrier_delays").paused
    set_paused("flights", "carrier_delays", paused=False, actor="edith", now=NOW)
    assert not selectors.find_view("flights", "carrier_delays").paused
    with pytest.raises(NotFound):
        set_paused("flights", "nothing", paused=True, actor="edith", now=NOW)


def test_the_default_project_is_the_only_one():
    import json

    assert json.loads(apply().bundle.body)["default_project"] == "flights"
    assert json.loads(apply("trains").bundle.body)["default_project"] is None
