"""Reads of lineage: the graph, causes, impact, runs."""

from lineage.selectors.causes import find_causes
from lineage.selectors.graph import GraphRequest, draw_graph
from lineage.selectors.impact import find_impact
from lineage.selectors.progress import last_event_at, pending_events
from lineage.selectors.states import Shown, last_words

__all__ = [
    "GraphRequest",
    "Shown",
    "draw_graph",
    "find_causes",
    "find_impact",
    "last_event_at",
    "last_words",
    "pending_events",
]
