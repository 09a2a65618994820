"""Keep connections; their URLs are sealed and never shown again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from controlplane.accounts.services import audit
from controlplane.kernel import names
from controlplane.kernel.errors import Conflict, FieldError, FreshlineError, NotFound, Refused
from controlplane.kernel.secrets import seal
from controlplane.registry import selectors
from controlplane.registry.domain import canonical
from controlplane.registry.domain.connections import Target, read_target
from controlplane.registry.models import Connection, Source
from controlplane.registry.services.applying import Author
from store_adapters import open_store

_TEST_TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Tried:
    """Whether a connection answered, and what was wrong."""

    is_ok: bool
    detail: str = ""


def create_connection(
    *, name: str, kind: str, url: str, hosts: Iterable[str], author: Author, now: datetime
) -> Connection:
    """Make a connection."""
    names.check(name, what="connection")
    row = Connection(name=name, kind=kind, created_at=now)
    _fill(row, read_target(kind, url, hosts), url=url, now=now)
    try:
        with transaction.atomic():
            row.save()
            _tell("create", row, author=author, now=now)
    except IntegrityError as twin:
        raise Conflict("conflict", f"There is a connection {name!r} already.") from twin
    return row


@transaction.atomic
def change_connection(
    connection_id: int,
    *,
    url: str,
    hosts: Iterable[str],
    author: Author,
    now: datetime,
    digests: frozenset[str] | None,
) -> Connection:
    """Give a connection another URL. ``digests``: what the caller read; None or empty: whatever is there."""
    row = _locked(connection_id)
    if digests and row.digest not in digests:
        raise Conflict("changed_meanwhile", "It changed since it was read: read it again.")
    _fill(row, read_target(row.kind, url, hosts), url=url, now=now)
    row.save()
    _tell("change", row, author=author, now=now)
    return row


@transaction.atomic
def delete_connection(connection_id: int, *, author: Author, now: datetime) -> None:
    """Delete a connection that no live source names; else ``Conflict("still_referenced")`` with the list."""
    row = _locked(connection_id)
    users = Source.objects.filter(connection=row.name, retired_at=None).select_related("project")
    referrers = [f"{source.project.name}/source.{source.name}" for source in users]
    if referrers:
        errors = [FieldError(path, "still_referenced", f"{path} names it") for path in referrers]
        raise Conflict("still_referenced", f"{row.name} is used: {', '.join(referrers)}.", errors=errors)
    _tell("delete", row, author=author, now=now)
    row.delete()


def try_connection(connection_id: int) -> Tried:
    """Contact what the connection leads to. Only Redis can be tried; others are tried by their first run."""
    row = selectors.find_connection(connection_id)
    if row.kind != "redis":
        raise Refused("bad_value", f"A {row.kind} connection is tried by the first run that reads it.")
    try:
        store = open_store(selectors.connection_url(row.name), timeout_seconds=_TEST_TIMEOUT_SECONDS)
        try:
            store.ping()
        finally:
            store.close()
    except FreshlineError as wrong:
        return Tried(False, wrong.detail)
    return Tried(True)


def _fill(row: Connection, target: Target, *, url: str, now: datetime) -> None:
    row.sealed_url = seal(url, keys=settings.FRESHLINE_SECRET_KEYS, context=f"connection:{row.name}")
    row.address, row.hosts = target.address, list(target.hosts)
    row.digest = canonical.digest(row.sealed_url)
    row.changed_at = now


def _locked(connection_id: int) -> Connection:
    row = Connection.objects.select_for_update().filter(pk=connection_id).first()
    if row is None:
        raise NotFound("not_found", f"There is no connection {connection_id}.")
    return row


def _tell(action: str, row: Connection, *, author: Author, now: datetime) -> None:
    audit.record(
        actor=author.name,
        action=action,
        object_kind="connection",
        object_name=row.name,
        after={"kind": row.kind, "address": row.address, "hosts": row.hosts},
        now=now,
        address=author.address,
    )
