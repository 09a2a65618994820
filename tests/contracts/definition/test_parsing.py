"""What is wrong with a definition file is told with its path, all of it at once."""

import pytest

from controlplane.contracts.definition import merge, parse
from controlplane.contracts.model import Absent, Action, DirectLane, Enforcement, FeatureRef, Tier
from controlplane.kernel.errors import Refused
from tests.contracts.story import DROP, definition, document

VIEW = "feature_views.0"
FEATURE = "feature_views.0.features.0"
TAIL = "feature_views.0.features.2"
SERVICE = "feature_services.0"


def problems_of(body, **known):
    with pytest.raises(Refused) as refused:
        parse(body, **known)
    assert refused.value.code == "bad_definition"
    return [(error.path, error.code) for error in refused.value.errors], refused.value


@pytest.mark.parametrize("lanes", [{}, {"direct": False}])
def test_a_view_without_any_lane_is_refused(lanes):
    body = document(*((f"{VIEW}.{lane}", DROP) for lane in ("batch", "stream", "direct")))
    body["feature_views"][0] |= lanes
    assert problems_of(body)[0] == [("feature_views[0].direct", "missing_field")]


def test_every_problem_of_a_file_is_told_at_once():
    found, refused = problems_of(
        document(
            (f"{VIEW}.tier", "platinum"),
            (f"{FEATURE}.min", 3000),
            (f"{SERVICE}.max_rejected", 5),
            ("entities.0.owner", "X"),
        )
    )
    assert found == [
        ("entities[0].owner", "bad_name"),
        ("feature_views[0].features[0].min", "unsatisfiable"),
        ("feature_views[0].tier", "bad_value"),
        ("feature_services[0].max_rejected", "bad_value"),
    ]
    assert refused.detail.endswith("(and 3 more)")


def test_a_broken_view_does_not_make_its_readers_wrong():
    found, _ = problems_of(document((f"{VIEW}.freshness.max_age", "soon")))
    assert found == [("feature_views[0].freshness.max_age", "bad_duration")]


def test_a_message_names_what_is_there_and_what_was_meant():
    _, refused = problems_of(document((f"{VIEW}.onstale", "serve")))
    assert "did you mean on_stale?" in refused.detail
    _, refused = problems_of(document((f"{SERVICE}.features.0", "delays:no_such")))
    assert "there is avg_delay, flights_1d, last_tail" in refused.detail


def test_defaults_are_those_that_the_reference_tells():
    body = {
        "project": "p",
        "entities": [{"name": "e", "join_keys": [{"name": "k", "dtype": "int64"}]}],
        "feature_views": [
            {
                "name": "v",
                "entities": ["e"],
                "features": [{"name": "x", "dtype": "int32"}],
                "freshness": {"max_age": "1m"},
                "direct": True,
            }
        ],
        "feature_services": [{"name": "s", "features": ["v:x"]}],
    }
    parsed = parse(body)
    view, service = parsed.feature_views[0], parsed.feature_services[0]
    assert view.terms.on_stale is Action.SERVE
    assert (view.terms.on_missing, view.terms.on_invalid) == (Action.NULL, Action.NULL)
    assert (view.tier, view.enforcement, view.expire_after) == (Tier.SILVER, Enforcement.ENFORCE, None)
    assert (view.direct, view.lanes) == (DirectLane(), ("direct",))
    assert view.features[0].nullable
    assert (service.max_rejected, service.terms.max_age) == (1.0, None)


def test_a_bare_null_of_yaml_is_the_action_null():
    body = document((f"{VIEW}.on_stale", None), (f"{SERVICE}.on_stale", None))
    parsed = parse(body)
    assert parsed.feature_views[0].terms.on_stale is Action.NULL
    assert parsed.feature_services[0].terms.on_stale is Action.NULL


def test_lanes_keep_what_they_say():
    view = definition((f"{VIEW}.batch.absent", "keep"), (f"{VIEW}.batch.max_removed", 0)).feature_views[0]
    assert (view.batch.absent, view.batch.max_removed, view.batch.max_refused) == (Absent.KEEP, 0.0, 0.05)
    assert (view.stream.path_of("avg_delay"), view.stream.path_of("carrier")) == ("stats.avg", "carrier")
    assert view.sources == ("flights", "departures", "scores")


def test_a_schedule_of_exactly_max_age_is_accepted():
    assert definition((f"{VIEW}.batch.schedule", "*/15 * * * *"), (f"{VIEW}.freshness", {"max_age": "15m"}))
    found, _ = problems_of(document((f"{VIEW}.freshness", {"max_age": "899s"})))
    assert found == [("feature_views[0].batch.schedule", "unsatisfiable")]


def test_a_warn_after_of_exactly_max_age_is_accepted():
    assert definition((f"{VIEW}.freshness.warn_after", "45m"))


def test_two_entities_may_share_a_join_key_of_one_type_only():
    flight = {
        "name": "flight",
        "join_keys": [{"name": "carrier", "dtype": "string"}, {"name": "n", "dtype": "int32"}],
    }
    edits = [("entities.1", flight), (f"{VIEW}.entities", ["carrier", "flight"])]
    assert definition(*edits)
    found, _ = problems_of(document(*edits, ("entities.1.join_keys.0.dtype", "int64")))
    assert found == [("feature_views[0].entities[1]", "bad_dtype")]


class TestWhatIsRegisteredAlready:
    def test_a_file_may_name_what_is_registered(self):
        known = definition()
        body = {"feature_services": [{"name": "other", "features": ["delays:avg_delay"]}]}
        parsed = parse(body, project="flights", known=known)
        assert [service.name for service in parsed.feature_services] == ["other"]
        assert not parsed.feature_views

    def test_what_the_file_leaves_out_goes_when_the_absent_are_retired(self):
        body = document(("entities", []))
        found, _ = problems_of(body, known=definition(), retire_absent=True)
        assert found == [("feature_views[0].entities[0]", "unknown_reference")]

    def test_a_registered_service_may_go_on_naming_a_feature_that_goes(self):
        parsed = parse(document((FEATURE, DROP), (f"{VIEW}.stream.fields", {})), known=definition())
        assert FeatureRef("delays", "avg_delay") in parsed.feature_services[0].features

    def test_a_new_service_may_not_name_a_feature_that_goes(self):
        body = document((FEATURE, DROP), (f"{VIEW}.stream.fields", {}), (f"{SERVICE}.name", "newcomer"))
        found, _ = problems_of(body, known=definition())
        assert found == [("feature_services[0].features[0]", "unknown_reference")]

    def test_a_registered_service_is_held_against_the_new_view(self):
        body = document(("feature_services", []), (f"{FEATURE}.default", DROP))
        found, _ = problems_of(body, known=definition())
        assert found == [("feature_services.ranker.features[0]", "default_missing")]

    def test_a_file_of_another_project_is_refused(self):
        found, refused = problems_of(document(), project="trains")
        assert found == [("project", "bad_value")]
        assert "flights" in refused.detail and "trains" in refused.detail

    def test_merging_replaces_by_name_and_keeps_the_rest(self):
        after = definition((f"{VIEW}.tier", "bronze"), ("feature_services", []))
        merged = merge(definition(), after)
        assert merged.feature_views[0].tier is Tier.BRONZE
        assert [service.name for service in merged.feature_services] == ["ranker"]


def test_feasts_key_of_no_entity_is_a_text_and_the_only_name_of_its_kind():
    key = "entities.0.join_keys.0"
    found = definition((f"{key}.name", "__dummy_id"), (f"{key}.dtype", "string"))
    assert found.entities[0].join_keys[0].name == "__dummy_id"
    with pytest.raises(Refused, match="__dummy_id"):
        definition((f"{key}.name", "__dummy_id"), (f"{key}.dtype", "int64"))


def test_a_document_that_is_no_object_is_refused():
    for body in (None, [], "text", 5):
        found, _ = problems_of(body, project="p")
        assert found[0] == ("", "bad_value")


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_texts_that_no_database_keeps_are_refused(text):
    with pytest.raises(Refused, match="zero character or a lone surrogate") as refused:
        parse(document((f"{VIEW}.description", text)))
    assert [error.path for error in refused.value.errors] == ["feature_views[0].description"]


def test_a_list_without_end_is_refused():
    found, _ = problems_of(document((f"{SERVICE}.features", ["delays:avg_delay"] * 5_001)))
    assert ("feature_services[0].features", "too_large") in found
