"""Verbs of lineage: take events in, make the graph, note states, keep step with the registry."""

from lineage.services.intake import receive_event, receive_events
from lineage.services.projection import project_pending
from lineage.services.registry_sync import sync_registry
from lineage.services.retention import sweep_events
from lineage.services.states import record_state

__all__ = [
    "project_pending",
    "receive_event",
    "receive_events",
    "record_state",
    "sweep_events",
    "sync_registry",
]
