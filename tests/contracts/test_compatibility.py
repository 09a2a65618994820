"""What a change means, for whom, and why."""

import pytest
from hypothesis import HealthCheck, given, settings

from controlplane.contracts.compatibility import ChangeAction, Level, compare
from controlplane.contracts.definition import parse
from controlplane.contracts.model import Definition
from tests.contracts.story import DROP, definition, document
from tests.contracts.strategies import definitions

VIEW = "feature_views.0"
AVG = "feature_views.0.features.0"
FLIGHTS = "feature_views.0.features.1"
TAIL = "feature_views.0.features.2"  # no service uses it
SERVICE = "feature_services.0"
OTHER = {"name": "other", "features": ["delays:avg_delay"], "on_invalid": "reject"}


def changes(before_edits, after_edits):
    before = definition(*before_edits)
    after = parse(document(*before_edits, *after_edits), known=before)
    return {(change.kind, change.name): change for change in compare(before, after)}


def view_change(*after_edits, before=()):
    return changes(before, after_edits)[("feature_view", "delays")]


def service_change(*after_edits, before=()):
    return changes(before, after_edits)[("feature_service", "ranker")]


@pytest.mark.parametrize(
    ("name", "edits", "level", "consumers", "says"),
    [
        ("a used feature is removed", [(FLIGHTS, DROP)], "breaking", ["ranker"], "flights_1d is removed"),
        ("an unused feature is removed", [(TAIL, DROP)], "risky", [], "last_tail is removed"),
        (
            "a used feature changes its type",
            [(f"{FLIGHTS}.dtype", "int32")],
            "breaking",
            ["ranker"],
            "from int64 to int32",
        ),
        (
            "a used feature is widened in type, which is a change of type all the same",
            [(f"{AVG}.dtype", "float32")],
            "breaking",
            ["ranker"],
            "from float64 to float32",
        ),
        (
            "an unused feature changes its type",
            [(TAIL, {"name": "last_tail", "dtype": "bytes"})],
            "risky",
            [],
            "from string to bytes",
        ),
        (
            "max age is loosened beyond what a service demands",
            [(f"{VIEW}.freshness.max_age", "2h")],
            "breaking",
            ["ranker"],
            "45m to 2h, beyond what is demanded (ranker 1h)",
        ),
        (
            "max age is loosened up to exactly what a service demands",
            [(f"{VIEW}.freshness.max_age", "1h")],
            "compatible",
            [],
            "loosened from 45m to 1h",
        ),
        (
            "max age is tightened",
            [(f"{VIEW}.freshness.max_age", "30m")],
            "risky",
            [],
            "tightened from 45m to 30m",
        ),
        (
            "null is allowed where invalid does not reject",
            [(f"{FLIGHTS}.nullable", True)],
            "risky",
            ["ranker"],
            "nullable from false to true",
        ),
        (
            "null is forbidden",
            [(f"{AVG}.nullable", False)],
            "risky",
            ["ranker"],
            "nullable from true to false",
        ),
        ("a domain is narrowed", [(f"{AVG}.max", 2000)], "risky", ["ranker"], "max from 2880.0 to 2000.0"),
        ("a rule is added", [(f"{TAIL}.pattern", "N.*")], "risky", [], "pattern from none to N.*"),
        (
            "an unused domain is widened",
            [(f"{TAIL}.max_length", 20)],
            "compatible",
            [],
            "max_length from 16 to 20",
        ),
        (
            "a default changes",
            [(f"{AVG}.default", 1)],
            "risky",
            ["ranker"],
            "default of avg_delay changes from 0.0 to 1.0",
        ),
        (
            "a feature is added",
            [(f"{VIEW}.features.3", {"name": "x", "dtype": "bool"})],
            "compatible",
            [],
            "x is added",
        ),
        ("a description changes", [(f"{VIEW}.description", "New.")], "compatible", [], "description changed"),
        (
            "a feature's description changes",
            [(f"{AVG}.description", "New.")],
            "compatible",
            [],
            "description of avg_delay",
        ),
        ("an owner changes", [(f"{VIEW}.owner", "others")], "compatible", [], "owner changed"),
        ("a tier changes", [(f"{VIEW}.tier", "bronze")], "compatible", [], "tier changed"),
        (
            "a warning comes sooner",
            [(f"{VIEW}.freshness.warn_after", "5m")],
            "compatible",
            [],
            "warn_after changed",
        ),
        (
            "an action changes that the service has its own of",
            [(f"{VIEW}.on_stale", "null")],
            "risky",
            [],
            "on_stale changes from serve to null",
        ),
        (
            "an action changes that the service inherits",
            [(f"{VIEW}.on_missing", "reject")],
            "risky",
            ["ranker"],
            "on_missing changes from null to reject",
        ),
        (
            "enforcement ends",
            [(f"{VIEW}.enforcement", "observe")],
            "risky",
            ["ranker"],
            "from enforce to observe",
        ),
        ("a lane goes", [(f"{VIEW}.batch", DROP)], "risky", ["ranker"], "the batch lane is removed"),
        (
            "a query changes",
            [(f"{VIEW}.batch.query", "SELECT 2")],
            "compatible",
            [],
            "the batch lane is changed",
        ),
        (
            "the join keys of its entity change",
            [("entities.0.join_keys.0.dtype", "int64")],
            "breaking",
            ["ranker"],
            "from carrier string to carrier int64",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_a_changed_view(name, edits, level, consumers, says):
    change = view_change(*edits)
    assert change.action is ChangeAction.CHANGE
    assert (change.level, list(change.consumers)) == (Level(level), consumers)
    assert any(says in reason for reason in change.reasons), change.reasons


@pytest.mark.parametrize(
    "edit",
    [
        (f"{AVG}.nullable", True),
        (f"{AVG}.max", 3000),
        (f"{AVG}.min", DROP),
        (f"{AVG}.allow_nan", True),
        (f"{AVG}.allow_inf", True),
    ],
    ids=str,
)
def test_a_widened_domain_breaks_a_service_that_rejects_invalid_values_and_only_that(edit):
    before = [(f"{AVG}.nullable", False), ("feature_services.1", OTHER)]
    change = view_change(edit, before=before)
    assert change.level is Level.BREAKING
    assert change.consumers == ("other", "ranker")
    breaking = [reason for reason in change.reasons if "were rejected" in reason]
    assert len(breaking) == 1


def test_a_service_that_inherits_reject_is_broken_by_a_widened_domain_too():
    change = view_change((f"{AVG}.max", 3000), before=[(f"{VIEW}.on_invalid", "reject")])
    assert change.level is Level.BREAKING


def test_a_domain_that_is_widened_while_reject_ends_breaks_as_well():
    before = [(f"{VIEW}.on_invalid", "reject")]
    assert (
        view_change((f"{AVG}.max", 3000), (f"{VIEW}.on_invalid", "serve"), before=before).level
        is Level.BREAKING
    )


def test_a_service_without_an_age_of_its_own_is_told_of_a_looser_view():
    before = [(f"{SERVICE}.max_age", DROP)]
    change = view_change((f"{VIEW}.freshness.max_age", "2h"), before=before)
    assert (change.level, change.consumers) == (Level.RISKY, ("ranker",))


def test_another_pattern_is_both_wider_and_narrower():
    before = [(f"{TAIL}.pattern", "N.*")]
    reasons = view_change((f"{TAIL}.pattern", "M.*"), before=before).reasons
    assert [reason.split(":")[0] for reason in reasons] == [
        "feature last_tail is widened",
        "feature last_tail is narrowed",
    ]


def test_another_set_of_allowed_values_is_compared_as_a_set():
    before = [(f"{TAIL}.allowed", ["a", "b"])]
    (reason,) = view_change((f"{TAIL}.allowed", ["b", "a", "c"]), before=before).reasons
    assert "is widened" in reason
    assert (
        view_change((f"{TAIL}.allowed", ["b"]), before=before)
        .reasons[0]
        .startswith("feature last_tail is narrowed")
    )


def test_a_feature_that_its_only_service_lets_go_of_at_once_breaks_nobody():
    edits = [(FLIGHTS, DROP), (f"{SERVICE}.features", ["delays:avg_delay"])]
    assert view_change(*edits).level is Level.RISKY


def test_a_view_retired_while_used_is_breaking():
    before = definition()
    after = Definition("flights", before.entities, before.sources, (), before.feature_services)
    (change,) = [change for change in compare(before, after) if change.kind == "feature_view"]
    assert (change.action, change.level) == (ChangeAction.RETIRE, Level.BREAKING)
    assert change.consumers == ("ranker",)


def test_a_view_retired_with_its_readers_is_risky():
    before = definition()
    after = Definition("flights", before.entities, before.sources)
    found = {change.kind: change for change in compare(before, after) if change.action is ChangeAction.RETIRE}
    assert found["feature_view"].level is Level.RISKY
    assert (found["feature_service"].level, found["feature_service"].consumers) == (Level.RISKY, ("ranker",))


def test_changed_join_keys_break_the_entity_and_its_views():
    found = changes([], [("entities.0.join_keys.0.name", "code")])
    assert found[("entity", "carrier")].level is Level.BREAKING
    assert found[("entity", "carrier")].consumers == ("ranker",)
    assert found[("feature_view", "delays")].action is ChangeAction.CHANGE


def test_an_entity_without_views_may_change_its_keys():
    unused = ("entities.1", {"name": "e", "join_keys": [{"name": "k", "dtype": "int64"}]})
    found = changes([unused], [("entities.1.join_keys.0.dtype", "int32")])
    assert found[("entity", "e")].level is Level.COMPATIBLE


class TestServices:
    def test_a_service_that_demands_a_younger_age_than_the_view_promises_is_risky(self):
        before = Definition(
            "flights", definition().entities, definition().sources, definition().feature_views
        )
        after = definition((f"{SERVICE}.max_age", "5m"))
        (change,) = [change for change in compare(before, after) if change.kind == "feature_service"]
        assert (change.action, change.level) == (ChangeAction.CREATE, Level.RISKY)
        assert change.consumers == ("ranker",)
        assert "5m, younger than the 45m that delays promises" in change.reasons[0]

    @pytest.mark.parametrize("age", ["45m", "1h"])
    def test_a_service_that_demands_no_more_than_promised_is_compatible(self, age):
        change = service_change((f"{SERVICE}.max_age", age), before=[(f"{SERVICE}.max_age", "3h")])
        assert not any("younger" in reason for reason in change.reasons)

    def test_an_unchanged_demand_is_told_once_only(self):
        before = [(f"{SERVICE}.max_age", "5m")]
        assert service_change(before=before).action is ChangeAction.NONE

    @pytest.mark.parametrize(
        ("edit", "level", "says"),
        [
            (
                (f"{SERVICE}.features", ["delays:avg_delay"]),
                "risky",
                "delays:flights_1d is no longer answered",
            ),
            (
                (f"{SERVICE}.features", ["delays:avg_delay", "delays:flights_1d", "delays:last_tail"]),
                "compatible",
                "delays:last_tail is added",
            ),
            ((f"{SERVICE}.on_invalid", "serve"), "risky", "on_invalid changed"),
            ((f"{SERVICE}.max_rejected", 0.5), "risky", "max_rejected changes from 0.05 to 0.5"),
            ((f"{SERVICE}.model", "ranker@2"), "compatible", "model changed"),
            (
                (f"{SERVICE}.features", ["delays:flights_1d", "delays:avg_delay"]),
                "compatible",
                "another order",
            ),
        ],
        ids=str,
    )
    def test_a_changed_service(self, edit, level, says):
        before = [(f"{TAIL}.default", "N")]
        change = service_change(edit, before=before)
        assert (change.action, change.level) == (ChangeAction.CHANGE, Level(level))
        assert any(says in reason for reason in change.reasons)


def test_a_changed_source_says_what_changed():
    found = changes([], [("sources.0.uri", "data/other.parquet")])
    change = found[("source", "flights")]
    assert (change.action, change.level, change.reasons) == (
        ChangeAction.CHANGE,
        Level.COMPATIBLE,
        ("uri changed",),
    )


def test_everything_of_a_new_project_is_created():
    assert {change.action for change in compare(Definition("flights"), definition())} == {ChangeAction.CREATE}


SLOW = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@SLOW
@given(definitions())
def test_a_project_compared_with_itself_has_no_changes(whole):
    for change in compare(whole, parse(whole.to_document())):
        assert (change.action, change.level, change.reasons) == (ChangeAction.NONE, Level.COMPATIBLE, ())


@SLOW
@given(definitions(), definitions())
def test_every_object_of_either_side_is_told_once(before, after):
    told = [(change.kind, change.name) for change in compare(before, after)]
    assert len(told) == len(set(told))
    assert {name for kind, name in told if kind == "feature_view"} == {
        view.name for view in (*before.feature_views, *after.feature_views)
    }


def test_an_alias_renames_columns_which_is_risky_for_the_service():
    changes = compare(definition(), definition((f"{SERVICE}.aliases", {"delays": "origin"})))
    (changed,) = (change for change in changes if change.action is ChangeAction.CHANGE)
    assert (changed.kind, changed.level, changed.consumers) == ("feature_service", Level.RISKY, ("ranker",))
    assert changed.reasons == ("aliases changed: full feature names are others",)
