"""What every stream source offers: events after a cursor, or the news that some are gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Cursor = Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``place`` names it for people and for replays; ``position`` orders it in its partition.

    ``payload`` is JSON text, or, when ``is_flat``, a JSON object of texts (the fields of a Redis entry).
    ``fault`` says why it cannot even be looked at.
    """

    place: str
    position: int
    payload: str
    arrival_us: int
    is_flat: bool = False
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Events in order, and the cursor after the last of them. Times by the broker's clock.

    ``is_at_end``: at ``read_us`` nothing was left behind the cursor. ``consumed_us``: everything that had
    arrived by then is consumed, None where the source cannot tell. ``lag`` counts what was left, in the
    source's own unit (events, bytes).
    """

    events: tuple[Event, ...]
    cursor: Cursor
    is_at_end: bool
    read_us: int
    consumed_us: int | None
    newest_arrival_us: int | None
    lag: int


class Gap(Exception):
    """Events between the cursor and the oldest that is left are gone. Reading on would lose them silently."""


class StreamSource(Protocol):
    """A stream. Every call has a timeout; ``Unavailable`` when the source does not answer."""

    def partitions(self) -> list[str]:
        """Return the partitions' names."""
        ...

    def read(self, partition: str, cursor: Cursor | None, *, limit: int, skip_gap: bool) -> Chunk:
        """Return up to ``limit`` events after ``cursor`` (None: from the oldest). ``Gap`` unless skipped."""
        ...

    def acknowledge(self, partition: str, cursor: Cursor) -> None:
        """Tell the broker how far we are, for people who look there; failing is no error."""
        ...
