"""The facet that our own runs carry, as lineage reads it. Ingestion writes it; a test joins the two."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.kernel.errors import Refused
from lineage.domain.events import read_time

FACET = "freshline"


@dataclass(frozen=True, slots=True)
class OwnFacts:
    """``hollow``: succeeded without effect. ``watermark``: until when the lane's copy was proved by then."""

    lane: str = ""
    hollow: bool = False
    watermark: datetime | None = None


def read_own_facts(facets: Mapping[str, Mapping[str, Any]]) -> OwnFacts:
    """Return what the run says; nothing of a run that is not ours, or whose facet somebody made up."""
    facet = facets.get(FACET) or {}
    try:
        told = facet.get("watermarkAfter")
        watermark = read_time(told) if told is not None else None
    except Refused:
        watermark = None
    return OwnFacts(str(facet.get("lane", "")), bool(facet.get("hollow")), watermark)
