"""Make the graph of the stored events, in micro-batches, each in one transaction."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from controlplane.kernel.errors import Refused
from controlplane.kernel.text import storable
from lineage.domain.events import Event, Facets, parse
from lineage.domain.merging import RunState, merge_facets, merge_run
from lineage.domain.naming import NodeRef
from lineage.models import PROJECTION, Alias, Edge, Node, ProjectionLock, RawEvent, Run

_log = structlog.get_logger(__name__)
BATCH = 200
# Somebody looks every second; that this is so need not be written each time.
_LOOK_NOTED = timedelta(seconds=2)


def project_pending(*, now: datetime, limit: int = BATCH) -> int:
    """Bring up to ``limit`` pending events into the graph; returns how many. A crash repeats harmlessly."""
    _note_look(now)
    if not RawEvent.objects.filter(projected_at=None).exists():
        return 0
    try:
        return _project_batch(now=now, limit=limit, place=_place)
    except (OperationalError, InterfaceError):
        raise  # the database is away or busy: no event is to blame
    except Exception:  # noqa: BLE001 - one event must not keep all that come after it out of the graph
        return _project_batch(now=now, limit=limit, place=_place_alone)


@transaction.atomic
def _project_batch(*, now: datetime, limit: int, place: Callable[[RawEvent], None]) -> int:
    ProjectionLock.objects.select_for_update().get(name=PROJECTION)
    pending = list(RawEvent.objects.filter(projected_at=None).order_by("id")[:limit])
    for raw in pending:
        place(raw)
        raw.projected_at = now
    RawEvent.objects.bulk_update(pending, ["projected_at", "error"])
    return len(pending)


def _place(raw: RawEvent) -> None:
    try:
        project_event(parse(raw.body))
    except Refused as refused:  # stored by an older, more tolerant version: keep it, and say why
        raw.error = refused.detail


def _place_alone(raw: RawEvent) -> None:
    try:
        with transaction.atomic():
            _place(raw)
    except (OperationalError, InterfaceError):
        raise
    except Exception as unforeseen:  # noqa: BLE001 - it is told with the event and in the log
        raw.error = storable(f"{type(unforeseen).__name__}: {unforeseen}")
        _log.exception("lineage_event_not_placed", id=raw.pk)


def _note_look(now: datetime) -> None:
    ProjectionLock.objects.get_or_create(name=PROJECTION)
    dated = Q(looked_at=None) | Q(looked_at__lt=now - _LOOK_NOTED)
    ProjectionLock.objects.filter(dated, name=PROJECTION).update(looked_at=now)


def project_event(event: Event) -> None:
    """Merge one event into the graph."""
    rows = ensure_nodes([*event.nodes, *(node for pair in event.edges for node in pair)], at=event.at)
    if event.job is not None:
        _merge_node_facets(rows[event.job], event.job_facets, event)
    for facts in (*event.inputs, *event.outputs):
        _merge_node_facets(rows[facts.node], facts.facets, event)
        for alias in facts.aliases:
            _join(rows[facts.node], ensure_nodes([alias], at=event.at)[alias])
    for source, target in event.edges:
        _see_edge(rows[source], rows[target], at=event.at)
    if event.run is not None and event.job is not None:
        _merge_run(rows[event.job], event)


def ensure_nodes(nodes: Iterable[NodeRef], *, at: datetime) -> dict[NodeRef, Node]:
    """Return the rows of the nodes, made where missing, with ``at`` inside first and last seen."""
    wanted = {node.digest: node for node in nodes}
    rows = {row.digest: row for row in Node.objects.filter(digest__in=wanted)}
    for digest, node in wanted.items():
        row = rows.get(digest)
        if row is None:
            rows[digest] = Node.objects.create(
                digest=digest,
                node_id=node.id,
                kind=node.kind.value,
                namespace=node.namespace,
                name=node.name,
                project=node.project or "",
                first_seen=at,
                last_seen=at,
            )
        elif not row.first_seen <= at <= row.last_seen:
            row.first_seen, row.last_seen = min(row.first_seen, at), max(row.last_seen, at)
            row.save(update_fields=["first_seen", "last_seen"])
    return {node: rows[digest] for digest, node in wanted.items()}


def _merge_node_facets(row: Node, facets: Facets, event: Event) -> None:
    if facets:
        row.facets = merge_facets(row.facets, facets, at=event.at, digest=event.digest)
        row.save(update_fields=["facets"])


def _see_edge(source: Node, target: Node, *, at: datetime) -> None:
    edge, made = Edge.objects.get_or_create(
        source=source, target=target, defaults={"first_seen": at, "last_seen": at, "observed": True}
    )
    if not made:
        edge.first_seen, edge.last_seen = min(edge.first_seen, at), max(edge.last_seen, at)
        edge.observed, edge.retired_at = True, None
        edge.save(update_fields=["first_seen", "last_seen", "observed", "retired_at"])


def _join(one: Node, other: Node) -> None:
    """Note that two rows name one dataset. The smallest id of a group stands for it, in whatever order."""
    first, second = sorted((one, other), key=lambda row: row.node_id)
    Alias.objects.get_or_create(one=first, other=second)
    heads = [row.representative or row for row in (first, second)]
    if heads[0].pk == heads[1].pk:
        return
    head = min(heads, key=lambda row: row.node_id)
    for loser in heads:
        if loser.pk != head.pk:
            Node.objects.filter(representative=loser).update(representative=head)
            Node.objects.filter(pk=loser.pk).update(representative=head)
    one.refresh_from_db(fields=["representative"])
    other.refresh_from_db(fields=["representative"])


def _merge_run(job: Node, event: Event) -> None:
    assert event.run is not None
    row = Run.objects.filter(run_id=event.run.run_id).first()
    kept = RunState() if row is None else _state_of(row)
    merged = merge_run(kept, event.run, event)
    facets = merge_facets(row.facets if row else {}, event.run.facets, at=event.at, digest=event.digest)
    rank, at_us, digest = merged.decided_by
    assert merged.first_at is not None and merged.last_at is not None
    # A run id under two job names (some producers do): the smallest name keeps it, in whatever order.
    owner = job if row is None or job.node_id < row.job.node_id else row.job
    Run.objects.update_or_create(
        run_id=event.run.run_id,
        defaults={
            "job": owner,
            "state": merged.state,
            "state_rank": rank,
            "state_at_us": at_us,
            "state_digest": digest,
            "first_at": merged.first_at,
            "started_at": merged.started_at,
            "last_at": merged.last_at,
            "ended_at": merged.ended_at,
            "facets": facets,
        },
    )


def _state_of(row: Run) -> RunState:
    decided_by = (row.state_rank, row.state_at_us, row.state_digest)
    return RunState(row.state, decided_by, row.first_at, row.started_at, row.last_at)
