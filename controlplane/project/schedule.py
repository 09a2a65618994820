"""Every period: what beat wakes, how often, on which queue. A wake-up that is late is dropped, not queued."""

from typing import Any


def _every(seconds: float, task: str, *, queue: str) -> dict[str, Any]:
    expires = max(1.0, min(seconds, 60.0))
    return {"task": task, "schedule": seconds, "options": {"queue": queue, "expires": expires}}


SCHEDULE: dict[str, dict[str, Any]] = {
    # monitors
    "monitors.judge": _every(1, "monitors.tasks.judge_due", queue="judge"),
    "monitors.probe": _every(1, "monitors.tasks.probe_due", queue="probe"),
    "monitors.notify": _every(1, "monitors.tasks.deliver_due", queue="notify"),
    "monitors.follow": _every(2, "monitors.tasks.keep_in_step", queue="judge"),
    "monitors.sweep": _every(300, "monitors.tasks.sweep", queue="judge"),
}
