"""Every period: what beat wakes, how often, on which queue. A wake-up that is late is dropped, not queued."""

from typing import Any

HOUR = 3_600.0
LONGEST_WAIT = 60.0


def _every(seconds: float, task: str, *, queue: str) -> dict[str, Any]:
    expires = max(1.0, min(seconds, LONGEST_WAIT))
    return {"task": task, "schedule": seconds, "options": {"queue": queue, "expires": expires}}


SCHEDULE: dict[str, dict[str, Any]] = {
    "registry.refresh": _every(2, "controlplane.registry.tasks.refresh", queue="judge"),
    "registry.sweep": _every(HOUR, "controlplane.registry.tasks.sweep", queue="judge"),
    "observations.sweep": _every(300, "controlplane.observations.tasks.sweep", queue="judge"),
    "ingestion.wake": _every(1, "controlplane.ingestion.tasks.wake_ingestion", queue="ingest"),
    "ingestion.streams": _every(1, "controlplane.ingestion.tasks.wake_streams", queue="stream"),
    "ingestion.follow": _every(2, "controlplane.ingestion.tasks.keep_in_step", queue="ingest"),
    "ingestion.tell": _every(2, "controlplane.ingestion.tasks.tell_lineage", queue="ingest"),
    "ingestion.sweep": _every(10, "controlplane.ingestion.tasks.sweep", queue="ingest"),
    "lineage.project": _every(1, "lineage.tasks.project_events", queue="lineage"),
    "lineage.sync": _every(5, "lineage.tasks.sync_with_registry", queue="lineage"),
    "lineage.sweep": _every(HOUR, "lineage.tasks.sweep", queue="lineage"),
    "monitors.judge": _every(1, "monitors.tasks.judge_due", queue="judge"),
    "monitors.probe": _every(1, "monitors.tasks.probe_due", queue="probe"),
    "monitors.notify": _every(1, "monitors.tasks.deliver_due", queue="notify"),
    "monitors.follow": _every(2, "monitors.tasks.keep_in_step", queue="judge"),
    "monitors.sweep": _every(300, "monitors.tasks.sweep", queue="judge"),
}
