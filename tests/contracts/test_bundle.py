"""The bundle: the golden file that serving reads too, and what never changes its bytes."""

import hashlib
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.contracts.bundle import BundleProject, BundleToken, BundleView, compile_bundle
from controlplane.contracts.model import Feature, FeatureRef, FeatureService, JoinKey
from controlplane.kernel.dtypes import Dtype
from controlplane.kernel.errors import Refused
from tests.contracts.bundles import check_bundle, view_of
from tests.contracts.lookups import lookups
from tests.contracts.story import DROP, definition

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle.json"
REGISTRY = "6f1d2c1a-6a0e-4b6e-9d2a-5b1f0a8f4c11"
KEYS = [JoinKey("origin", Dtype.STRING), JoinKey("carrier", Dtype.STRING)]
NIGHT = datetime(2027, 1, 1, tzinfo=UTC)
TOKENS = [
    BundleToken("ff" * 32, ["trains", "flights"], expires_at=NIGHT),
    BundleToken("0a" * 32, ["*"]),
]


def published(view, **changes):
    columns = [JoinKey(feature.name, feature.dtype) for feature in view.features]
    told = {"id": 11, "contract": 4, "join_keys": KEYS, "layout": 2, "layouts": {2: columns, 1: columns[:1]}}
    return BundleView(view=view, **(told | changes))


def test_a_projects_store_is_said_only_when_it_is_not_the_default():
    def bundled(**store):
        project = BundleProject(views=[], services=[], **store)
        built = compile_bundle(registry=REGISTRY, number=1, default_project=None, projects={"p": project})
        return json.loads(built.body)["projects"]["p"]

    assert "store" not in bundled() and "store" not in bundled(store="default")
    assert bundled(store="fast")["store"] == "fast"


def test_aliases_are_said_only_where_there_are_some():
    view = published(definition().feature_views[0])

    def bundled(**aliases):
        asked = FeatureRef(view.view.name, view.view.features[0].name)
        service = FeatureService("s", (asked,), **aliases)
        project = BundleProject(views=[view], services=[service])
        built = compile_bundle(registry=REGISTRY, number=1, default_project=None, projects={"p": project})
        return json.loads(built.body)["projects"]["p"]["services"]["s"]

    assert "aliases" not in bundled()
    assert bundled(aliases={view.view.name: "origin"})["aliases"] == {view.view.name: "origin"}


def full_story():
    """The story, with a feature for each rule and a service that still names what was retired."""
    whole = definition(
        (
            "feature_views.0.features",
            [
                {"name": "avg_delay", "dtype": "float64", "min": -120, "max": 2880, "default": 0.0},
                {
                    "name": "ratio",
                    "dtype": "float32",
                    "max": 0.1,
                    "default": 0.1,
                    "allow_nan": True,
                    "allow_inf": True,
                },
                {
                    "name": "flights_1d",
                    "dtype": "int64",
                    "nullable": False,
                    "max": 9223372036854775807,
                    "default": 0,
                },
                {
                    "name": "last_tail",
                    "dtype": "string",
                    "max_length": 16,
                    "pattern": r"N\pL*é",
                    "default": "",
                },
                {"name": "state", "dtype": "string", "allowed": ["a", "b"]},
                {"name": "seen_at", "dtype": "timestamp", "min": "2026-01-01T00:00:00Z"},
                {"name": "raw", "dtype": "bytes", "default": "AP8="},
                {
                    "name": "recent",
                    "dtype": "list<float32>",
                    "min_items": 0,
                    "max_items": 3,
                    "default": [0.5, "NaN"],
                },
            ],
        ),
        ("feature_views.0.stream", DROP),
    )
    view = whole.feature_views[0]
    service = whole.feature_services[0]
    stale_reader = FeatureService(
        "old_model", (FeatureRef("delays", "avg_delay"), FeatureRef("delays", "was_here"))
    )
    return {
        "flights": BundleProject([published(view)], [service, stale_reader]),
        "trains": BundleProject([], []),
    }


def compiled(**changes):
    told = {
        "registry": REGISTRY,
        "number": 7,
        "default_project": "flights",
        "projects": full_story(),
        "tokens": TOKENS,
    }
    return compile_bundle(**(told | changes))


def test_the_golden_bundle_is_compiled_to_the_byte(request):
    body = compiled().body
    if request.config.getoption("--rewrite"):
        GOLDEN.write_bytes(body)
    assert GOLDEN.read_bytes() == body
    check_bundle(json.loads(body))


def test_the_digest_is_that_of_the_bytes():
    bundle = compiled()
    assert bundle.digest == hashlib.sha256(bundle.body).hexdigest()


def test_the_json_is_canonical():
    body = compiled().body.decode()
    assert body == json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert "é" in body  # UTF-8, not escapes


def test_a_bundle_says_what_the_definition_says():
    document = json.loads(compiled().body)
    view = document["projects"]["flights"]["views"]["delays"]
    assert view["terms"] == {
        "max_age_us": 2_700_000_000,
        "warn_after_us": 1_200_000_000,
        "on_stale": "serve",
        "on_missing": "null",
        "on_invalid": "null",
    }
    assert view["join_keys"] == [
        {"name": "carrier", "dtype": "string"},
        {"name": "origin", "dtype": "string"},
    ]
    assert (view["lanes"], view["layout"], sorted(view["layouts"])) == (["batch", "direct"], 2, ["1", "2"])
    assert view["retired_features"] == ["was_here"]
    features = {feature.pop("name"): feature for feature in view["features"]}
    assert features["ratio"]["max"] == features["ratio"]["default"] == 0.10000000149011612
    assert features["seen_at"] == {"dtype": "timestamp", "nullable": True, "min": 1_767_225_600_000_000}
    assert features["last_tail"]["default"] == ""
    assert features["recent"]["default"] == [0.5, "NaN"]
    assert features["flights_1d"]["max"] == 2**63 - 1
    service = document["projects"]["flights"]["services"]["ranker"]
    assert service == {
        "features": [["delays", "avg_delay"], ["delays", "flights_1d"]],
        "max_rejected": 0.05,
        "terms": {"max_age_us": 3_600_000_000, "on_stale": "default"},
    }
    assert document["projects"]["trains"] == {"services": {}, "views": {}}
    assert document["tokens"][0] == {"expires_us": None, "projects": ["*"], "sha256": "0a" * 32}


def test_a_bundle_carries_no_secrets_and_no_prose():
    body = compiled().body.decode()
    for word in ("SELECT", "runbook", "description", "data/flights.parquet", "owner"):
        assert word not in body


def test_the_order_in_which_things_come_never_matters():
    story = full_story()
    flights = story["flights"]
    for seed in range(10):
        shuffle = random.Random(seed)
        services = shuffle.sample(flights.services, k=2)
        projects = shuffle.sample(sorted(story.items()), k=2)
        shuffled = {
            name: BundleProject(project.views, services if name == "flights" else [])
            for name, project in projects
        }
        tokens = [
            BundleToken(token.sha256, shuffle.sample(token.projects, k=len(token.projects)), token.expires_at)
            for token in shuffle.sample(TOKENS, k=2)
        ]
        assert compiled(projects=shuffled, tokens=tokens) == compiled()
    keys_turned = published(flights.views[0].view, join_keys=KEYS[::-1])
    turned = {**story, "flights": BundleProject([keys_turned], flights.services)}
    assert compiled(projects=turned) == compiled()


@pytest.mark.parametrize(
    "change",
    [
        {"number": 8},
        {"default_project": None},
        {"registry": "00000000-0000-4000-8000-000000000000"},
        {"tokens": []},
        {
            "tokens": [
                *TOKENS[:1],
                BundleToken("0a" * 32, ["*"], expires_at=NIGHT + timedelta(microseconds=1)),
            ]
        },
        {"projects": {}},
    ],
    ids=str,
)
def test_every_change_changes_the_digest(change):
    assert compiled(**change).digest != compiled().digest


def test_a_service_may_not_name_a_view_that_the_bundle_lacks():
    service = FeatureService("s", (FeatureRef("nowhere", "x"),))
    with pytest.raises(Refused, match="flights: s names nowhere:x"):
        compiled(projects={"flights": BundleProject([], [service])})


def test_a_view_without_features_answers_for_a_retired_one():
    view = definition().feature_views[0]
    emptied = published(type(view)("delays", view.entities, (), view.terms), layouts={}, layout=2)
    service = definition().feature_services[0]
    document = json.loads(compiled(projects={"flights": BundleProject([emptied], [service])}).body)
    told = document["projects"]["flights"]["views"]["delays"]
    assert (told["features"], told["retired_features"]) == ([], ["avg_delay", "flights_1d"])


SLOW = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@SLOW
@given(lookups())
def test_what_is_published_is_what_was_declared(lookup):
    document = json.loads(lookup.bundled().body)
    check_bundle(document)
    told = document["projects"]["p"]["views"]["v"]
    for feature, column in zip(lookup.features, told["features"], strict=True):
        assert repr(view_of(told)[feature.name]) == repr(without_description(feature))
        assert column["name"] == feature.name


@SLOW
@given(lookups(), st.data())
def test_equal_registries_give_equal_bytes(lookup, data):
    assert lookup.bundled() == lookup.bundled()


def without_description(feature):
    kept = {name: getattr(feature, name) for name in Feature.__slots__}
    return Feature(**{**kept, "description": ""})
