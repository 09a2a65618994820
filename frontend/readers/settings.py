"""Tokens, the system and the audit log."""

import json
from datetime import datetime, timedelta

from django.conf import settings

from controlplane.accounts import selectors as accounts
from controlplane.accounts.auth import Principal, Scope
from controlplane.observations import selectors as observations
from controlplane.registry import selectors as registry
from frontend.readers.parts import broker_part, loop_parts, messages_part, serving_part, store_parts
from frontend.readers.shell import known_projects
from frontend.records.settings import (
    AuditPage,
    AuditRow,
    Part,
    ServingProcess,
    SystemPage,
    TokenRow,
    TokensPage,
)
from frontend.wording import amount, count
from lineage import selectors as lineage

AUDIT_PAGE = 50
_SERVING_SEEN = timedelta(days=1)
_LOSSES = timedelta(hours=24)
# From so many pending lineage events on, or from one that waits so long, the graph shows the past.
_BEHIND = 1_000
_WAITS_LONG = timedelta(minutes=1)


def read_tokens(
    principal: Principal,
    *,
    now: datetime,
    secret: str = "",
    secret_name: str = "",
    errors: tuple[tuple[str, str], ...] = (),
) -> TokensPage:
    """Return the tokens that ``principal`` may see and that were not revoked, the newest first."""
    rows = accounts.tokens_of(principal).filter(revoked_at=None).order_by("-id")
    return TokensPage(
        tokens=tuple(
            TokenRow(
                id=row.pk,
                name=row.name,
                prefix=row.prefix,
                scopes=tuple(row.scopes),
                projects=tuple("all" if name == "*" else name for name in row.projects),
                created_by=row.maker.get_username(),
                expires_at=row.expires_at,
                last_used_at=row.last_used_at,
                last_used_from=row.last_used_from,
                expired=row.expires_at is not None and row.expires_at <= now,
            )
            for row in rows
        ),
        scopes=tuple(scope.value for scope in Scope),
        projects=known_projects(principal),
        secret=secret,
        secret_name=secret_name,
        errors=errors,
    )


def read_audit(principal: Principal, *, actor: str, action: str, before: int | None) -> AuditPage:
    """Return a page of entries older than the id ``before``, as far as ``principal`` may read them."""
    entries = accounts.audit_entries(principal, project=None).order_by("-id")
    if actor:
        entries = entries.filter(actor__icontains=actor)
    if action:
        entries = entries.filter(action__icontains=action)
    if before is not None:
        entries = entries.filter(id__lt=before)
    rows = list(entries[: AUDIT_PAGE + 1])
    shown = rows[:AUDIT_PAGE]
    return AuditPage(
        rows=tuple(
            AuditRow(
                at=row.at,
                actor=row.actor,
                action=row.action,
                project=row.project,
                object=f"{row.object_kind} {row.object_name}",
                address=row.address,
                before=_pretty(row.before),
                after=_pretty(row.after),
            )
            for row in shown
        ),
        actor=actor,
        action=action,
        after=str(shown[-1].pk) if len(rows) > AUDIT_PAGE else "",
    )


def _pretty(document: object) -> str:
    return "" if document is None else json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)


def read_system(*, now: datetime) -> SystemPage:
    """Return how the installation does: its parts, and the serving processes."""
    instances = registry.serving_instances(since=now - _SERVING_SEEN)
    digest = registry.current_bundle_digest()
    bundle = registry.current_bundle().number if digest else None
    facts = [
        ("Address", settings.FRESHLINE_PUBLIC_URL),
        ("Serving", settings.FRESHLINE_SERVING_URL),
        ("Projects", count(len(registry.list_projects()))),
    ]
    if digest:
        facts += [("Registry", registry.registry_id()), ("Bundle digest", digest)]
    serving = tuple(
        ServingProcess(
            instance=each.instance,
            build=each.build,
            bundle=each.bundle_number,
            state=_state_of(each, digest=digest, now=now),
            seen_at=each.heard_at,
            refused=each.refused_reason,
        )
        for each in sorted(instances, key=lambda one: one.is_gone(now=now))
    )
    return SystemPage(
        parts=(
            *store_parts(now=now),
            broker_part(now=now),
            *loop_parts(now=now),
            messages_part(now=now),
            serving_part(serving),
            _reports_part(is_served=any(each.state != "gone" for each in serving), now=now),
            _lineage_part(now=now),
        ),
        serving=serving,
        bundle=bundle,
        facts=tuple(facts),
    )


def _state_of(instance: registry.ServingInstance, *, digest: str, now: datetime) -> str:
    """Return whether a process runs the current bundle; of one that is gone nobody knows."""
    if instance.is_gone(now=now):
        return "gone"
    return "current" if instance.bundle_digest == digest else "behind"


def _lineage_part(*, now: datetime) -> Part:
    found = lineage.read_progress(since=now - _LOSSES)
    oldest, misplaced = found.oldest_pending_at, found.misplaced
    is_behind = misplaced or found.pending >= _BEHIND or (oldest is not None and now - oldest >= _WAITS_LONG)
    state = "behind" if is_behind else "good" if found.last_event_at else "no_data"
    note = "events not yet in the graph"
    if misplaced:
        note += f"; {count(misplaced)} of the last 24 h could not be placed in it, the worker's log says why"
    return Part("Lineage", state, f"{count(found.pending)} pending", note, found.last_event_at)


def _reports_part(*, is_served: bool, now: datetime) -> Part:
    reporting = observations.reporting_instances(since=now - _LOSSES)
    if not reporting:
        return Part("Serving reports", "no_data", "none", "in 24 h", None)
    lost = sum(each.dropped for each in reporting)
    senders = amount(len(reporting), "process", "processes")
    note = f"from {senders}, {count(lost)} counts lost in 24 h"
    seen = max(each.last_report_at for each in reporting)
    # What came while something served proves nothing of now.
    state = "no_data" if not is_served else "behind" if lost else "good"
    return Part("Serving reports", state, count(len(reporting)), note, seen)
