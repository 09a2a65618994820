"""The audit log: append only."""

from datetime import datetime
from typing import Any

import structlog

from controlplane.accounts.models import AuditEntry

Document = dict[str, Any] | None


def record(
    *,
    actor: str,
    action: str,
    object_kind: str,
    object_name: str,
    now: datetime,
    project: str = "",
    before: Document = None,
    after: Document = None,
    address: str = "",
) -> None:
    """Add one entry, inside the transaction of what it tells of."""
    AuditEntry.objects.create(
        at=now,
        actor=actor[:120],
        project=project,
        action=action,
        object_kind=object_kind,
        object_name=object_name[:200],
        before=before,
        after=after,
        address=address,
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
    )
