"""Whatever is applied in whatever order: the numbers, the bundle and the export keep their promises."""

import hashlib
import json
from contextlib import contextmanager

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.contracts import definition
from controlplane.kernel.errors import Conflict
from controlplane.registry import selectors
from controlplane.registry.models import Bundle, Contract, FeatureView, Layout
from controlplane.registry.services.applying import Author, Conditions, apply_definition
from tests.registry.story import FLIGHTS, NOW

pytestmark = pytest.mark.django_db
ROOT = Author("root", may_create_projects=True)
FORCED = Conditions(force=True, reason="because")


@contextmanager
def forgotten():
    """Undo everything at the end: each example begins with an empty registry."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


DTYPES = st.sampled_from(["int32", "int64", "float64", "string", "bool", "list<float32>", "timestamp"])
FEATURE_NAMES = ("f1", "f2", "f3")
FEATURES = st.lists(st.sampled_from(FEATURE_NAMES), min_size=1, unique=True).flatmap(
    lambda chosen: st.tuples(
        *(
            st.fixed_dictionaries({"name": st.just(name), "dtype": DTYPES, "nullable": st.booleans()})
            for name in chosen
        )
    ).map(list)
)
AGES = st.sampled_from(["15m", "1h", "1d"])
ACTIONS = st.sampled_from(["serve", "null", "reject"])


def view_named(name):
    return st.fixed_dictionaries(
        {
            "name": st.just(name),
            "entities": st.just(["carrier"]),
            "features": FEATURES,
            "freshness": st.fixed_dictionaries({"max_age": AGES}),
            "on_stale": ACTIONS,
            "direct": st.just(True),
        },
        optional={
            "description": st.text("ab ", min_size=1).filter(str.strip),
            "owner": st.sampled_from(["ops", "delays"]),
        },
    )


@st.composite
def files(draw):
    """A definition file whose services name what its views have."""
    names = draw(st.lists(st.sampled_from(["v1", "v2", "v3"]), unique=True))
    views = [draw(view_named(name)) for name in names]
    refs = [f"{view['name']}:{feature['name']}" for view in views for feature in view["features"]]
    services = []
    for name in draw(st.lists(st.sampled_from(["s1", "s2"]), unique=True)) if refs else []:
        chosen = draw(st.lists(st.sampled_from(refs), min_size=1, unique=True))
        services.append({"name": name, "features": chosen, "max_age": draw(AGES)})
    return {
        "project": "flights",
        "entities": FLIGHTS["entities"],
        "feature_views": views,
        "feature_services": services,
    }


def by_name(whole):
    """A project as text, whatever order its lists have."""
    document = whole.to_document()
    for value in document.values():
        if isinstance(value, list):
            value.sort(key=lambda each: each["name"])
    return json.dumps(document, sort_keys=True)


@settings(max_examples=30)
@given(files())
def test_what_is_exported_is_what_was_applied(file):
    with forgotten():
        apply_definition("flights", file, author=ROOT, now=NOW)
        exported = selectors.find_definition("flights")
        assert by_name(exported) == by_name(definition.parse(file, project="flights"))
        assert definition.parse(exported.to_document(), project="flights") == exported


@settings(max_examples=30)
@given(st.lists(st.tuples(files(), st.booleans()), min_size=1, max_size=5))
def test_any_sequence_of_applies_numbers_without_gaps_and_edits_no_history(steps):
    with forgotten():
        history = {}
        for file, retire_absent in steps:
            before = selectors.find_definition("flights")
            newest = Bundle.objects.count()
            try:
                done = apply_definition(
                    "flights", file, author=ROOT, now=NOW, retire_absent=retire_absent, conditions=FORCED
                )
            except Conflict as refused:
                assert refused.code == "purge_pending"
                assert selectors.find_definition("flights") == before
                assert Bundle.objects.count() == newest
                continue
            finally:
                FeatureView.objects.update(purge_due_at=None)
            assert done.bundle.number in (newest, newest + 1)
            assert hashlib.sha256(done.bundle.body).hexdigest() == done.bundle.digest
            assert_history_stands(history)
            again = apply_definition(
                "flights", file, author=ROOT, now=NOW, retire_absent=retire_absent, conditions=FORCED
            )
            assert again.bundle == done.bundle
        assert list(Bundle.objects.order_by("number").values_list("number", flat=True)) == list(
            range(1, Bundle.objects.count() + 1)
        )


def assert_history_stands(history):
    """Contracts and layouts count from 1 without a gap, and none that was seen before has changed."""
    for table in (Contract, Layout):
        rows = list(table.objects.order_by("view", "number").values())
        for row in rows:
            assert history.setdefault((table, row["view_id"], row["number"]), row) == row
        for view in FeatureView.objects.all():
            numbers = [row["number"] for row in rows if row["view_id"] == view.pk]
            current = view.contract_number if table is Contract else view.layout_number
            assert numbers == list(range(1, current + 1))


@settings(max_examples=30)
@given(files())
def test_the_bundle_says_what_the_definition_says(file):
    with forgotten():
        done = apply_definition("flights", file, author=ROOT, now=NOW)
        published = json.loads(done.bundle.body)["projects"]["flights"]
        assert set(published["views"]) == {view["name"] for view in file["feature_views"]}
        for view in file["feature_views"]:
            told = published["views"][view["name"]]
            columns = [{"dtype": f["dtype"], "name": f["name"]} for f in view["features"]]
            assert told["layouts"][str(told["layout"])] == columns
            assert [f["name"] for f in told["features"]] == [f["name"] for f in view["features"]]
        for service in file["feature_services"]:
            refs = [ref.split(":") for ref in service["features"]]
            assert published["services"][service["name"]]["features"] == refs
