"""How many recorded lookups a change would hit, and whom."""

from datetime import timedelta

import pytest

from controlplane.kernel import clock
from controlplane.observations.domain.report import parse
from controlplane.observations.services.reports import record_report
from tests.observations.reports import NOW, minute, report
from tests.registry.conftest import PROJECT
from tests.registry.story import flights, service, view

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorded(root):
    """An hour ago nothing counts; now: 8 values, of them 4 of each feature; one row of four is over a day."""
    root.apply()
    old = minute(minute=minute()["minute"] - 61)
    document = report(minute(), old)
    record_report(parse(document, now=NOW), now=NOW, retention=timedelta(days=14))
    return root


def planned(root, **changes):
    with clock.fixed(NOW):
        answer = root.post(f"{PROJECT}/plan?retire_absent=true", flights(**changes))
    assert answer.status_code == 200, answer.json()
    (line,) = [line for line in answer.json()["changes"] if line["action"] != "none"]
    return line["level"], line["consumers"], line["recorded_lookups_affected"]


def without(name):
    return [feature for feature in view()["features"] if feature["name"] != name]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"feature_views": [view(features=without("avg_dep_delay"))]}, ("breaking", ["delay_ranker"], 4)),
        ({"feature_views": [view(features=without("last_tail"))]}, ("risky", [], 0)),
        ({"feature_views": []}, ("breaking", ["delay_ranker"], 8)),
        ({"feature_views": [view(description="said better")]}, ("compatible", [], 0)),
        ({"feature_services": [service(max_age="10m")]}, ("risky", ["delay_ranker"], 8)),
        ({"feature_services": [service(owner="ops")]}, ("compatible", [], 0)),
        ({"feature_services": []}, ("risky", ["delay_ranker"], 8)),
    ],
    ids=[
        "a used feature goes",
        "an unused one goes",
        "the view goes",
        "a description",
        "a service tightens",
        "a service's owner",
        "the service goes",
    ],
)
def test_the_plan_names_consumers_and_counts_what_they_recorded(recorded, changes, expected):
    assert planned(recorded, **changes) == expected


def test_join_keys_that_change_hit_every_recorded_value(recorded):
    wider = {"name": "carrier", "join_keys": [{"name": "carrier", "dtype": "int64"}], "owner": "ops"}
    with clock.fixed(NOW):
        answer = recorded.post(f"{PROJECT}/plan", flights(entities=[wider])).json()
    lines = {line["name"]: line for line in answer["changes"]}
    assert lines["carrier_delays"]["level"] == "breaking"
    assert lines["carrier_delays"]["recorded_lookups_affected"] == 8


def test_a_project_that_cannot_be_named_so_is_refused(root):
    assert root.post("/api/v1/projects/Bad-Name/plan", {}).json()["code"] == "bad_name"
    assert root.post("/api/v1/projects/Bad-Name/apply", {}).json()["code"] == "bad_name"
    assert root.put("/api/v1/projects/Bad-Name").json()["code"] == "bad_name"


def test_a_tightened_max_age_counts_the_values_that_would_have_been_too_old(recorded):
    tighter = view(freshness={"max_age": "30m"})
    level, _, affected = planned(recorded, feature_views=[tighter])
    assert (level, affected) == ("risky", 2)
