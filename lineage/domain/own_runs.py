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
    """``hollow``: succeeded without effect. ``watermark``: until when the lane's copy was proved by then.

    ``looked_at``: when a stream that goes on was read to its end, and had nothing newer.
    """

    lane: str = ""
    hollow: bool = False
    watermark: datetime | None = None
    looked_at: datetime | None = None


def read_own_facts(facets: Mapping[str, Mapping[str, Any]]) -> OwnFacts:
    """Return what the run says; nothing of a run that is not ours, or whose facet somebody made up."""
    facet = facets.get(FACET) or {}
    return OwnFacts(
        lane=str(facet.get("lane", "")),
        hollow=bool(facet.get("hollow")),
        watermark=_time(facet.get("watermarkAfter")),
        looked_at=_time(facet.get("lookedAt")),
    )


def _time(told: object) -> datetime | None:
    try:
        return read_time(told) if told is not None else None
    except Refused:
        return None
