"""What Celery wakes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane.kernel import clock
from controlplane.observations import tasks
from controlplane.observations.models import Probe
from controlplane.observations.services import retention
from controlplane.observations.services.probes import record_probe
from tests.observations.test_probes_and_retention import PROBE


@pytest.mark.django_db
def test_the_sweep_goes_on_until_nothing_is_due_by_the_setting(monkeypatch, settings):
    monkeypatch.setattr(retention, "_BATCH", 2)
    settings.FRESHLINE_OBSERVATION_RETENTION = timedelta(hours=1)
    for n in range(5):
        record_probe(replace(PROBE, at=PROBE.at - timedelta(minutes=30 * n)))
    with clock.fixed(PROBE.at):
        tasks.sweep()
    assert Probe.objects.count() == 3
