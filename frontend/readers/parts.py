"""The servers that the control plane works with, asked while the page is made: does each answer?"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from controlplane.ingestion.services.store import online_store, store_names
from controlplane.kernel.errors import Unavailable
from controlplane.kernel.names import DEFAULT_STORE
from frontend.records.settings import Part, ServingProcess
from frontend.wording import amount, count, relative
from monitors.selectors.incidents import count_unsent
from monitors.selectors.watchdog import UNSENT_PATIENCE, Round, rounds

_SILENT = "does not answer"
_BROKER_SECONDS = 2


def store_parts(*, now: datetime) -> list[Part]:
    """Return for every store whether it answers, and what is wrong with how it is set up."""
    return [_store_part(name, now=now) for name in store_names()]


def _store_part(name: str, *, now: datetime) -> Part:
    title = "Online store" if name == DEFAULT_STORE else f"Online store {name}"
    try:
        told = online_store(name).describe()
    except Unavailable as wrong:
        return Part(title, "failing", _SILENT, wrong.detail, now)
    remarks = "; ".join((*told.problems, *told.warnings))
    state = "failing" if told.problems else "good"
    return Part(title, state, f"{told.kind} {told.version}".strip(), remarks or told.address, now)


_LOOPS = {
    "judge": ("Judging", "evaluates monitors, opens and resolves incidents"),
    "probe": ("Probing", "reads known keys in the store"),
    "notify": ("Notifying", "sends what incidents have to tell"),
}


def loop_parts(*, now: datetime) -> tuple[Part, ...]:
    """Return whether the loops of monitoring go round; one that stopped leaves states out of date."""
    return tuple(_loop_part(each) for each in rounds(now=now))


def _loop_part(each: Round) -> Part:
    name, note = _LOOPS[each.loop]
    if each.at is None:
        return Part(name, "no_data", "never ran", note, None)
    return Part(
        name, "failing" if each.is_silent else "good", "stopped" if each.is_silent else "runs", note, each.at
    )


def messages_part(*, now: datetime) -> Part:
    """Return how many messages wait to be sent, and whether one waits for too long."""
    waiting, oldest = count_unsent()
    if oldest is None:
        return Part("Messages", "good", "none waiting", "to be sent to channels", now)
    state = "behind" if now - oldest >= UNSENT_PATIENCE else "good"
    return Part(
        "Messages", state, f"{count(waiting)} waiting", f"the oldest since {relative(oldest, now)}", now
    )


def serving_part(processes: Sequence[ServingProcess]) -> Part:
    """Return whether anything serves, and whether on the newest bundle."""
    if not processes:
        return Part("Serving", "no_data", "none", "no process has reported in 24 h", None)
    seen = max(each.seen_at for each in processes)
    states = [each.state for each in processes]
    alive = len(states) - states.count("gone")
    if not alive:
        return Part("Serving", "failing", "none", "every process that reported in 24 h is gone", seen)
    behind = states.count("behind")
    note = f"{count(behind)} not on the newest bundle" if behind else "on the newest bundle"
    return Part("Serving", "behind" if behind else "good", amount(alive, "process", "processes"), note, seen)


def broker_part(*, now: datetime) -> Part:
    """Return whether the broker answers; without it nothing is lost and nothing is woken."""
    kind = urlsplit(settings.CELERY_BROKER_URL).scheme
    try:
        with current_app.connection_for_write(connect_timeout=_BROKER_SECONDS) as connection:
            connection.ensure_connection(max_retries=1, timeout=_BROKER_SECONDS)
    except (OperationalError, OSError) as wrong:
        note = f"nobody is woken; the database holds what is due, nothing is lost: {wrong}"
        return Part("Broker", "failing", _SILENT, note, now)
    return Part("Broker", "good", kind, "wakes workers", now)
