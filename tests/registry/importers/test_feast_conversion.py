"""What a registry of Feast's becomes: rule by rule, over registries written by hand."""

import pytest

from controlplane.contracts import definition
from controlplane.kernel.errors import Refused
from controlplane.registry.importers import feast
from tests.registry.importers.registry_bytes import (
    column,
    entity,
    file_source,
    mapping,
    message,
    number,
    project,
    push_source,
    registry,
    service,
    text,
    view,
)

CUSTOMER = entity("customer")
NANOS = 500_000_000


def convert(*parts, foreign=False, of="shop", store=None):
    imported = feast.convert(
        feast.read_registry(registry(*parts)), of, project=of, store=store, is_written_by_feast=foreign
    )
    document = imported.definition.to_document()
    stores = [store] if foreign and store else ["default"] if foreign else []
    assert definition.parse(document, foreign_stores=stores) == imported.definition
    return imported


def the_view(imported):
    (found,) = imported.definition.feature_views
    return found.to_document()


def remarks(found, name):
    return [remark.reason for remark in found if remark.name == name]


def test_a_view_keeps_its_name_features_and_terms():
    more = text(10, "What it says."), text(11, "crm"), mapping(5, {"team": "crm"})
    found = the_view(convert(CUSTOMER, view("orders", *more, file_source(7), ttl=129_600)))
    assert found["freshness"] == {"max_age": "36h"}
    assert (found["on_stale"], found["owner"], found["tags"]) == ("serve", "crm", {"team": "crm"})
    assert (found["description"], found["entities"]) == ("What it says.", ["customer"])
    assert found["features"] == [{"name": "a", "dtype": "int64", "nullable": True}]


def test_numbers_that_are_none_are_served_as_feast_serves_them():
    (feature,) = the_view(convert(CUSTOMER, view("v", features=[("x", 6)])))["features"]
    assert (feature["dtype"], feature["allow_nan"], feature["allow_inf"]) == ("float32", True, True)


@pytest.mark.parametrize(
    ("span", "max_age"),
    [
        pytest.param((), "3650d", id="none is the longest there is"),
        pytest.param((number(1, 0),), "3650d", id="zero too"),
        pytest.param((number(1, -5),), "3650d", id="less than zero too"),
        pytest.param((number(1, 1), number(2, NANOS)), "2s", id="a part of a second is a whole one"),
        pytest.param((number(1, 9_999_999_999),), "3650d", id="longer than the longest"),
    ],
)
def test_a_ttl_that_cannot_be_said_is_the_nearest_and_remarked_on(span, max_age):
    spec = [text(1, "v"), text(2, "shop"), number(8, 1), text(3, "customer"), column(12, "customer_id", 2)]
    found = convert(CUSTOMER, message(6, message(1, *spec, column(4, "a", 4), message(6, *span))))
    assert the_view(found)["freshness"] == {"max_age": max_age}
    (why,) = remarks(found.changed, "v")
    assert max_age in why


def test_the_view_types_the_join_key_of_its_entity():
    assert convert(CUSTOMER, view("v")).definition.entities[0].join_keys[0].dtype == "string"


@pytest.mark.parametrize("entities", [(), ("__dummy",)])
def test_a_view_without_an_entity_has_feasts_key_of_none(entities):
    found = convert(
        CUSTOMER, view("v", file_source(7), entities=entities), entity("__dummy", join_key="__dummy_id")
    )
    (key,) = [each.join_keys[0] for each in found.definition.entities]
    assert (key.name, key.dtype) == ("__dummy_id", "string")
    assert the_view(found)["batch"]["query"].startswith('SELECT \'\' AS "__dummy_id", "a"')
    assert "it is called dummy here" in remarks(found.changed, "__dummy")[0]


def test_a_view_that_types_a_join_key_otherwise_stays_behind():
    other = [text(1, "z"), text(2, "shop"), number(8, 1), text(3, "customer"), column(12, "customer_id", 4)]
    found = convert(CUSTOMER, view("v"), message(6, message(1, *other, column(4, "a", 4))))
    assert [each.name for each in found.definition.feature_views] == ["v"]
    assert remarks(found.left, "z") == ["the join key customer_id is int64 in it, and string in another view"]


@pytest.mark.parametrize(
    ("part", "why"),
    [
        pytest.param(view("v", number(20, 1)), "it is disabled", id="disabled"),
        pytest.param(view("v", number(8, 0)), "it is not served online", id="offline"),
        pytest.param(view("v", entities=("nobody",)), "its entity nobody is not in", id="unknown entity"),
        pytest.param(view("v", features=[("m", 20)]), "their types are MAP", id="only a map"),
        pytest.param(view("v", features=()), "their types are none", id="no features"),
    ],
)
def test_what_cannot_be_served_here_stays_behind_with_its_reason(part, why):
    found = convert(CUSTOMER, part)
    assert not found.definition.feature_views
    assert why in remarks(found.left, "v")[0]


@pytest.mark.parametrize("name", ["Orders", "orders-7d", "9orders", "o" * 64, ""])
def test_a_name_that_clients_say_is_never_changed(name):
    found = convert(CUSTOMER, view(name), view("v", features=[(name, 4), ("a", 4)]), service(name, "v"))
    assert [each.name for each in found.definition.feature_views] == ["v"]
    assert [feature["name"] for feature in the_view(found)["features"]] == ["a"]
    assert not found.definition.feature_services
    assert {remark.kind for remark in found.left} >= {"feature_view", "feature", "feature_service"}


def test_names_that_nobody_says_become_legal_and_stay_apart():
    keys = {"Customer": "x", "customer": "y", "CUSTOMER": "z"}
    entities = [entity(name, join_key=key) for name, key in keys.items()]
    views = [view(f"v_{key}", column(12, key, 2), entities=[name]) for name, key in keys.items()]
    found = convert(*entities, *views)
    by_key = {each.join_keys[0].name: each.name for each in found.definition.entities}
    assert by_key == {"y": "customer", "z": "customer_2", "x": "customer_3"}
    assert "it is called customer_2 here" in remarks(found.changed, "CUSTOMER")[0]
    assert remarks(found.changed, "customer") == []


def test_an_address_becomes_a_team_and_two_persons_stay_two_teams():
    owned = [view(f"v{n}", text(11, who)) for n, who in enumerate(["jo@a.com", "jo@b.com", "jo", "@", "Ü"])]
    found = convert(CUSTOMER, *owned)
    owners = {each.name: each.owner for each in found.definition.feature_views}
    assert owners == {"v0": "jo_a_com", "v1": "jo_b_com", "v2": "jo", "v3": "team_2", "v4": "team_3"}
    assert remarks(found.changed, "jo@a.com") == [
        "it is called jo_a_com here: names are lower case letters, digits, _"
    ]


def test_a_parquet_file_fills_a_view_as_feast_materialises_it():
    mapped = mapping(2, {"Orders 7d": "a", 'say "id"': "customer_id"}), text(5, "created")
    found = convert(CUSTOMER, view("v", file_source(7, "data/s.parquet", "data/s.parquet", *mapped)))
    batch = the_view(found)["batch"]
    assert batch["source"] == "data_s_parquet"
    assert batch["query"] == (
        'SELECT "say ""id""" AS "customer_id", "Orders 7d" AS "a", "event_timestamp", "created"'
        ' FROM "data_s_parquet"'
    )
    assert (batch["absent"], batch["order_by"], "schedule" in batch) == ("keep", "created", False)
    assert "direct" not in the_view(found)
    (source,) = found.definition.sources
    assert (source.uri, source.event_time) == ("data/s.parquet", "event_timestamp")


def test_a_mapped_event_time_is_asked_for_by_its_column():
    source = message(
        7,
        text(20, "s"),
        number(1, 1),
        text(3, "at"),
        mapping(2, {"When": "at"}),
        message(11, text(2, "s.parquet")),
    )
    found = convert(CUSTOMER, view("v", source))
    assert found.definition.sources[0].event_time == "When"
    assert '"When"' in the_view(found)["batch"]["query"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        pytest.param(file_source(7, "s", "s3://lake/x.parquet"), "only local files", id="over the network"),
        pytest.param(message(7, text(20, "s"), number(1, 2)), "BigQuery is not read", id="a warehouse"),
        pytest.param(
            message(7, text(20, "s"), number(1, 1), message(11, message(1, message(2)), text(2, "t"))),
            "Delta tables",
            id="a Delta table",
        ),
        pytest.param(
            message(7, text(20, "s"), number(1, 0), text(17, "a.b.MySource")),
            "MySource is not",
            id="own class",
        ),
    ],
)
def test_a_source_that_is_not_read_here_leaves_the_view_a_direct_lane(source, why):
    found = convert(CUSTOMER, view("v", source))
    assert the_view(found)["direct"] is True and "batch" not in the_view(found)
    assert why in remarks(found.left, "s")[0] and "no batch lane fills v" in remarks(found.left, "s")[0]


def test_a_second_source_of_a_name_is_not_read_as_the_first():
    other = file_source(7, "stats", "data/other.parquet")
    imported = convert(CUSTOMER, view("v", file_source(7, "stats")), view("w", other))
    first, second = (each.to_document() for each in imported.definition.feature_views)
    assert first["batch"]["source"] == "stats"
    assert ("batch" in second, second["direct"]) == (False, True)
    (reason,) = remarks(imported.left, "stats")
    assert reason == "another source of its name is read already, so no batch lane fills w"


def test_a_push_source_is_a_direct_lane_beside_the_batch():
    found = convert(CUSTOMER, view("v", file_source(7), push_source(9, "pushed")))
    assert the_view(found)["direct"] == {"source": "pushed"} and the_view(found)["batch"]
    assert {each.name: each.kind.value for each in found.definition.sources} == {
        "pushed": "push",
        "stats": "parquet",
    }


def test_a_push_source_says_how_frames_call_the_event_time_unless_it_is_feasts_own_word():
    for named, expected in (("seen_at", "seen_at"), ("event_timestamp", None), ("", None)):
        source = message(9, text(20, "pushed"), number(1, 9), text(3, named))
        assert convert(CUSTOMER, view("v", source)).definition.sources[0].event_time == expected


def test_frames_that_feast_renames_are_remarked_on():
    files = file_source(7, "stats", "data/stats.parquet", mapping(2, {"raw_a": "a"}))
    imported = convert(CUSTOMER, view("v", files, push_source(9, "scores")))
    assert remarks(imported.changed, "scores") == ["its frames name columns as v does here: a for raw_a"]


def test_what_is_transformed_by_feast_is_written_by_it():
    found = convert(CUSTOMER, view("v", file_source(7), message(15)))
    assert the_view(found)["direct"] is True and "batch" not in the_view(found)
    assert "its transformation runs in Feast" in remarks(found.left, "stats")[0]


def test_of_a_store_that_feast_writes_views_are_read_and_nothing_fills_them():
    parts = [
        CUSTOMER,
        view("v", file_source(7), push_source(9, "pushed")),
        file_source(12, "s", "p", text(21, "shop")),
    ]
    found = convert(*parts, foreign=True, store="online")
    document = found.definition.to_document()
    assert document["store"] == "online" and "sources" not in document
    assert not {"batch", "stream", "direct"} & the_view(found).keys()
    assert "Feast goes on filling the store" in remarks(found.left, "1 of them")[0]


def test_a_service_asks_for_what_is_left_of_its_features():
    asked = service("ranker", "v", "gone", features=("a", "m"))
    found = convert(CUSTOMER, view("v", features=[("a", 4), ("m", 20)]), asked)
    (ranker,) = found.definition.feature_services
    assert [str(ref) for ref in ranker.features] == ["v:a"]
    assert remarks(found.left, "ranker") == [
        "features of v: m are not carried over",
        "features of gone: the view is not carried over",
    ]


def projection(view_name, alias, *more):
    return message(3, text(1, view_name), text(3, alias), column(2, "a", 4), *more)


def test_a_service_calls_its_views_as_it_did_in_feast():
    asked = message(
        7, message(1, text(1, "s"), text(2, "shop"), projection("v", "origin"), projection("w", "w"))
    )
    found = convert(CUSTOMER, view("v"), view("w"), asked)
    assert found.definition.feature_services[0].aliases == {"v": "origin"}
    assert not remarks(found.changed, "s")


@pytest.mark.parametrize(
    "projections",
    [
        pytest.param([projection("v", "Big One")], id="no legal name"),
        pytest.param([projection("v", "w"), projection("w", "")], id="the name of another view"),
        pytest.param([projection("v", "x"), projection("w", "x")], id="twice"),
        pytest.param([projection("v", "x"), projection("v", "y")], id="two names of one view"),
    ],
)
def test_a_name_that_cannot_be_given_is_remarked_on(projections):
    asked = message(7, message(1, text(1, "s"), text(2, "shop"), *projections))
    found = convert(CUSTOMER, view("v"), view("w"), asked)
    assert len(found.definition.feature_services) == 1
    assert "not " in remarks(found.changed, "s")[0]


def test_only_the_project_that_was_meant_is_said():
    parts = [
        CUSTOMER,
        view("v"),
        project("other"),
        entity("driver", of="other"),
        view("w", of="other", entities=["driver"]),
    ]
    assert [each.name for each in convert(*parts).definition.feature_views] == ["v"]
    assert [each.name for each in convert(*parts, of="other").definition.feature_views] == ["w"]


def test_the_project_is_the_one_named_else_the_namesake_else_the_only_one():
    both = feast.read_registry(registry(project("other")))
    one = feast.read_registry(registry())
    assert feast.choose_project(both, named="other", project="shop") == "other"
    assert feast.choose_project(both, named=None, project="shop") == "shop"
    assert feast.choose_project(one, named=None, project="new_name") == "shop"
    for registry_of, named in ((both, None), (one, "nope")):
        with pytest.raises(Refused, match="there is"):
            feast.choose_project(registry_of, named=named, project="new_name")


def test_what_has_no_place_here_is_named_with_its_reason():
    permission = message(16, message(1, text(1, "readers"), text(2, "shop")))
    history = message(18, *(message(1, text(1, "v"), text(2, "shop"), number(3, n)) for n in range(3)))
    found = convert(CUSTOMER, view("v"), permission, history)
    assert "roles are given to teams" in remarks(found.left, "readers")[0]
    assert len(remarks(found.left, "v")) == 1 and "earlier versions" in remarks(found.left, "v")[0]
