"""Reads of lineage: the graph, causes, impact, runs."""

from lineage.selectors.causes import causes_now, find_causes
from lineage.selectors.graph import GraphRequest, draw_graph
from lineage.selectors.impact import find_impact
from lineage.selectors.progress import last_event_at, pending_events

__all__ = [
    "GraphRequest",
    "causes_now",
    "draw_graph",
    "find_causes",
    "find_impact",
    "last_event_at",
    "pending_events",
]
