"""The servers that the control plane works with, asked while the page is made: does each answer?"""

from urllib.parse import urlsplit

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from controlplane.ingestion.services.store import online_store, store_names
from controlplane.kernel.errors import Unavailable
from controlplane.kernel.names import DEFAULT_STORE
from frontend.records.settings import Part

_SILENT = "does not answer"
_BROKER_SECONDS = 2


def store_parts() -> list[Part]:
    """Return for every store whether it answers, and what is wrong with how it is set up."""
    return [_store_part(name) for name in store_names()]


def _store_part(name: str) -> Part:
    title = "Online store" if name == DEFAULT_STORE else f"Online store {name}"
    try:
        told = online_store(name).describe()
    except Unavailable as wrong:
        return Part(title, "failing", _SILENT, wrong.detail, None)
    remarks = "; ".join((*told.problems, *told.warnings))
    state = "failing" if told.problems else "good"
    return Part(title, state, f"{told.kind} {told.version}".strip(), remarks or told.address, None)


def broker_part() -> Part:
    """Return whether the broker answers; without it nothing is lost and nothing is woken."""
    kind = urlsplit(settings.CELERY_BROKER_URL).scheme
    try:
        with current_app.connection_for_write(connect_timeout=_BROKER_SECONDS) as connection:
            connection.ensure_connection(max_retries=1, timeout=_BROKER_SECONDS)
    except (OperationalError, OSError) as wrong:
        note = f"nobody is woken; the database holds what is due, nothing is lost: {wrong}"
        return Part("Broker", "failing", _SILENT, note, None)
    return Part("Broker", "good", kind, "wakes workers", None)
