"""What an incident says of itself as more evidence comes."""

import pytest

from monitors.models import Incident
from tests.monitors.story import NOON, SECOND, breach

pytestmark = pytest.mark.django_db


def test_an_age_that_joins_is_what_the_incident_says_from_then_on():
    incident = breach(kind="hollow_run", reason="run 9 succeeded without effect")
    breach(now=NOON + SECOND)
    assert Incident.objects.get(pk=incident.pk).summary == "age 50 min, max 45 min, 1.1x"


@pytest.mark.parametrize("kind", ["hollow_run", "schedule"])
def test_a_run_that_joins_leaves_said_how_bad_it_is(kind):
    incident = breach()
    breach(now=NOON + SECOND, kind=kind, reason="run 9 succeeded without effect")
    kept = Incident.objects.get(pk=incident.pk)
    assert kept.summary == "age 50 min, max 45 min, 1.1x"
    assert kept.timeline.last().text == f"{kind}: run 9 succeeded without effect"
