"""Take events in: checked, stored once by content, answered. The graph follows in a worker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from controlplane.kernel.errors import FreshlineError
from controlplane.kernel.text import storable_document
from lineage.domain.events import Event, parse
from lineage.models import RawEvent

Refusal = Callable[[str], FreshlineError | None]  # project -> why the sender may not write its lineage


@dataclass(frozen=True, slots=True)
class Failure:
    """An event of a batch that was not taken."""

    index: int
    reason: str


def _trust(project: str) -> FreshlineError | None:
    return None


def receive_event(document: object, *, now: datetime, refusal: Refusal = _trust) -> bool:
    """Store one event; returns whether it is new. Raises ``Refused``, or what ``refusal`` says."""
    event, document = _read(document)
    _check_projects(event, refusal)
    return _store([(event, document)], now=now) == 1


def receive_events(documents: Sequence[object], *, now: datetime, refusal: Refusal = _trust) -> list[Failure]:
    """Store what can be taken of a batch, in one transaction; returns what could not."""
    good, failures = [], []
    for index, document in enumerate(documents):
        try:
            event, kept = _read(document)
            _check_projects(event, refusal)
            good.append((event, kept))
        except FreshlineError as refused:
            failures.append(Failure(index, refused.detail))
    _store(good, now=now)
    return failures


def _read(document: object) -> tuple[Event, object]:
    """Place an event. Names must be whole; in other text U+FFFD stands for half a character."""
    event = parse(document)
    kept = storable_document(document)
    return (event, document) if kept is document else (parse(kept), kept)


def _check_projects(event: Event, refusal: Refusal) -> None:
    """A project's own nodes are written by those who may; what belongs to none is everybody's."""
    for project in sorted({node.project for node in event.nodes if node.project is not None}):
        refused = refusal(project)
        if refused is not None:
            raise refused


@transaction.atomic
def _store(events: Sequence[tuple[Event, object]], *, now: datetime) -> int:
    by_digest = {event.digest: (event, document) for event, document in events}
    known = set(RawEvent.objects.filter(digest__in=by_digest).values_list("digest", flat=True))
    fresh = [
        RawEvent(digest=digest, body=document, received_at=now, flags=list(event.flags))
        for digest, (event, document) in by_digest.items()
        if digest not in known
    ]
    # Two senders of the same event at once: the constraint decides, and neither fails.
    RawEvent.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)
