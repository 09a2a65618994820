"""Reads of lineage: the graph, causes, impact, runs."""

from lineage.selectors.causes import causes_now, find_causes
from lineage.selectors.graph import GraphRequest, draw_graph
from lineage.selectors.history import Spell, read_spells
from lineage.selectors.impact import find_impact
from lineage.selectors.progress import (
    last_event_at,
    misplaced_events,
    oldest_pending_at,
    pending_events,
)
from lineage.selectors.states import Shown, last_words

__all__ = [
    "GraphRequest",
    "Shown",
    "Spell",
    "causes_now",
    "draw_graph",
    "find_causes",
    "find_impact",
    "last_event_at",
    "last_words",
    "misplaced_events",
    "oldest_pending_at",
    "pending_events",
    "read_spells",
]
