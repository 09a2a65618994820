"""The records that callers and adapters exchange: layouts, rows, writes, watermarks."""

from dataclasses import dataclass, field
from enum import StrEnum

from controlplane.kernel.dtypes import Dtype, Value

# Watermarks are compared inside Redis, whose scripts know only doubles: exact up to here (the year 2255).
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Column:
    """One feature of a layout."""

    name: str
    dtype: Dtype


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a view's rows, in order. Numbers start at 1 and are never used for other columns."""

    number: int
    columns: tuple[Column, ...]
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.number, self.columns)))

    def __hash__(self) -> int:  # precomputed: codecs are looked up by layout once per row
        return self._hash

    @property
    def nulls(self) -> tuple[None, ...]:
        """The values of a tombstone."""
        return (None,) * len(self.columns)


class Lane(StrEnum):
    """How a row came to the store."""

    BATCH = "batch"
    STREAM = "stream"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Row:
    """One feature view of one entity, as written.

    Times are microseconds since 1970 UTC. ``position`` orders rows of one lane and event time: the run number
    (batch), the position in the partition (stream), the receipt time made unique (direct); 0 to 2**62 - 1.
    ``values`` follow the layout's columns; a tombstone's are all None.
    """

    event_time_us: int
    lane: Lane
    position: int
    layout_number: int
    write_time_us: int
    run_number: int
    values: tuple[Value, ...]
    tombstone: bool = False
    held: bool = False
    clamped: bool = False


@dataclass(frozen=True, slots=True)
class RowHeader:
    """What can be said of a row without knowing its layout. Fields as in ``Row``."""

    event_time_us: int
    lane: Lane
    position: int
    layout_number: int
    write_time_us: int
    run_number: int
    tombstone: bool
    held: bool
    clamped: bool


@dataclass(frozen=True, slots=True)
class RowWrite:
    """A packed row for an encoded key. ``expire_at_us`` None keeps it for good."""

    key: bytes
    row: bytes
    expire_at_us: int | None = None


class WriteResult(StrEnum):
    """What became of one row of a write."""

    WRITTEN = "written"
    OLDER = "older"
    UNCHANGED = "unchanged"
    TOO_LARGE = "item_too_large"  # the store cannot hold it, alone or beside the entity's other views


@dataclass(frozen=True, slots=True)
class Watermark:
    """Until when (``us``, microseconds since 1970 UTC) a lane is known to be copied.

    ``generation`` rises when the lane's source, query or progress rule changes.
    """

    generation: int
    us: int

    def __post_init__(self) -> None:
        if not (0 <= self.generation < _EXACT and -_EXACT < self.us < _EXACT):
            raise ValueError(f"{self} is out of range: 0 <= generation < 2**53, |us| < 2**53")

    def replaces(self, stored: "Watermark | None") -> bool:
        """A higher generation wins, then the greater value; an equal one changes nothing."""
        return stored is None or (self.generation, self.us) > (stored.generation, stored.us)
