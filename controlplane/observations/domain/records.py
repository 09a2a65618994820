"""What observations tell other packages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one look at a view's known keys in the store found.

    ``found + missing + invalid == keys_read`` unless ``error`` says why nothing could be read. Ages are
    those of the found rows (None when there are none); ``stale_share`` and ``late_share`` are shares of the
    found rows above the max age and above the warn age.
    """

    project: str
    view: str
    at: datetime
    keys_known: int
    keys_read: int
    found: int
    missing: int
    invalid: int
    age_p50: timedelta | None = None
    age_p95: timedelta | None = None
    age_max: timedelta | None = None
    stale_share: float | None = None
    late_share: float | None = None
    store_latency_us: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class AgeSlice:
    """The probes of one slice of time, by their worst: age None when no key was found."""

    at: datetime
    age: timedelta | None
    found: int
    missing: int


@dataclass(frozen=True, slots=True)
class RecordedLookup:
    """A sampled lookup of one row. ``key`` is the entity key as the store has it, None where serving may tell
    its hash alone; ``age`` None: not found, or unknown."""

    at: datetime
    project: str
    view: str
    service: str
    key_sha256: str
    verdicts: Mapping[str, str]
    age: timedelta | None
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class ReportingInstance:
    """A serving process that reported; ``dropped`` counts observations that it could not keep."""

    instance: str
    last_report_at: datetime
    dropped: int
