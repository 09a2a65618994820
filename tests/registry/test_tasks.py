"""What Celery wakes."""

from datetime import timedelta

import pytest

from controlplane.kernel import clock
from controlplane.registry import selectors, tasks
from controlplane.registry.models import ServingAcknowledgement
from controlplane.registry.services.acknowledgements import Acknowledgement, record_acknowledgement
from tests.registry.story import NOW

pytestmark = pytest.mark.django_db


def test_a_refresh_publishes_the_tokens_of_now(make_token):
    tasks.refresh()
    assert selectors.current_bundle().number == 1
    make_token("lookup")
    tasks.refresh()
    tasks.refresh()
    assert selectors.current_bundle().number == 2


def test_a_sweep_forgets_processes_that_are_gone():
    said = Acknowledgement(instance="edge-1f", digest="a" * 64, number=1, loaded_at=NOW)
    record_acknowledgement(said, now=NOW)
    with clock.fixed(NOW + timedelta(days=8)):
        tasks.sweep()
    assert not ServingAcknowledgement.objects.exists()
