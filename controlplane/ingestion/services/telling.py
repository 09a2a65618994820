"""Telling lineage of runs: each transition is sent, in the order of its run, until it was taken."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import F
from django.utils.module_loading import import_string
from openlineage.client import OpenLineageClient

from controlplane.ingestion.domain.backoff import emit_delay
from controlplane.ingestion.domain.lineage_events import build_event
from controlplane.ingestion.models import RunTransition

_log = structlog.get_logger(__name__)
# Longer than a transport takes: whoever took a transition and died does not keep it from being sent.
_IN_HAND = timedelta(minutes=1)


def emit_transitions(*, now: datetime, limit: int = 500) -> int:
    """Send what is due; returns how many were taken. What fails is due later, and so is its run's rest."""
    unsent = RunTransition.objects.filter(emitted_at=None).exclude(event="")
    waiting = set(unsent.filter(emit_due_at__gt=now).values_list("run_id", flat=True))
    client = _client()
    sent = 0
    for move in unsent.filter(emit_due_at__lte=now).order_by("run_id", "sequence")[:limit]:
        if move.run_id in waiting:
            continue
        mine = unsent.filter(pk=move.pk, emit_attempts=move.emit_attempts)
        if not mine.update(emit_attempts=F("emit_attempts") + 1, emit_due_at=now + _IN_HAND):
            waiting.add(move.run_id)
            continue
        try:
            client.emit(build_event(move.event, at=move.at, facts=move.facts))
        except Exception as wrong:  # noqa: BLE001 - a transport is anybody's code, and must fail no run
            _log.warning("lineage_not_told", run=move.run_id, reason=f"{type(wrong).__name__}: {wrong}")
            due_at = now + emit_delay(move.emit_attempts + 1)
            RunTransition.objects.filter(pk=move.pk).update(emit_due_at=due_at)
            waiting.add(move.run_id)
            continue
        RunTransition.objects.filter(pk=move.pk).update(emitted_at=now)
        sent += 1
    return sent


def _client() -> OpenLineageClient:
    transport = import_string(settings.FRESHLINE_LINEAGE_TRANSPORT)
    return OpenLineageClient(transport=transport(transport.config_class.from_dict({})))
