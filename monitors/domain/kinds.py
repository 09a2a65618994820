"""The kinds of monitors: what each measures, its family, its unit, and its defaults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from controlplane.kernel import durations
from controlplane.kernel.errors import FieldError, Refused
from monitors.domain import measures
from monitors.domain.incidents import Family
from monitors.domain.measures import Inputs, Limits
from monitors.domain.states import Result, Timing

Document = Mapping[str, object]
SHORTEST_INTERVAL = timedelta(seconds=1)
# A view is looked at ten times within the age that it promises, so that a breach is seen in time.
LOOKS_PER_MAX_AGE = 10


class Kind(StrEnum):
    """What a monitor watches."""

    SERVED_AGE = "served_age"
    SOURCE_AGE = "source_age"
    COVERAGE = "coverage"
    INVALID_RATE = "invalid_rate"
    HOLLOW_RUN = "hollow_run"
    SCHEDULE = "schedule"


class Unit(StrEnum):
    """What warn, limit and clear are: durations, shares from 0 to 1, or nothing (the event is the limit)."""

    AGE = "age"
    SHARE = "share"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class KindSpec:
    """One row of the table of kinds. ``hold_intervals``: the default ``for`` and ``clear_for``."""

    family: Family
    unit: Unit
    measure: Callable[..., Result]
    hold_intervals: int
    reads_probe: bool
    warn: float | None = None
    limit: float | None = None


KINDS: dict[Kind, KindSpec] = {
    Kind.SERVED_AGE: KindSpec(Family.FRESHNESS, Unit.AGE, measures.served_age, 2, reads_probe=True),
    Kind.SOURCE_AGE: KindSpec(Family.FRESHNESS, Unit.AGE, measures.source_age, 2, reads_probe=True),
    Kind.COVERAGE: KindSpec(
        Family.PRESENCE, Unit.SHARE, measures.coverage, 2, reads_probe=True, warn=0.05, limit=0.2
    ),
    Kind.INVALID_RATE: KindSpec(
        Family.VALIDITY, Unit.SHARE, measures.invalid_rate, 2, reads_probe=True, warn=0.01, limit=0.05
    ),
    # One run is one event: there is nothing to wait for.
    Kind.HOLLOW_RUN: KindSpec(Family.FRESHNESS, Unit.EVENT, measures.hollow_run, 0, reads_probe=False),
    Kind.SCHEDULE: KindSpec(Family.FRESHNESS, Unit.EVENT, measures.schedule, 0, reads_probe=False),
}


@dataclass(frozen=True, slots=True)
class Config:
    """A monitor's config with every default filled in."""

    timing: Timing
    limits: Limits


def measure(kind: Kind, config: Config, inputs: Inputs) -> Result:
    """Return what a monitor of ``kind`` sees in ``inputs``."""
    return KINDS[kind].measure(config.limits, inputs)


def interval_for(max_age: timedelta | None, *, default: timedelta) -> timedelta:
    """Return how often to look at a view that promises ``max_age``, in whole seconds."""
    if max_age is None:
        return default
    scaled = max(SHORTEST_INTERVAL, max_age / LOOKS_PER_MAX_AGE)
    return min(default, timedelta(seconds=int(scaled.total_seconds())))


def resolve(kind: Kind, document: Document, *, interval: timedelta) -> Config:
    """Return ``document`` (the API's monitor config) with defaults. Raises ``Refused`` naming every fault.

    ``interval`` is the default one. An age kind needs a ``limit``; a clear limit is the warn limit for ages,
    0.8 x the lower limit for shares.
    """
    spec = KINDS[kind]
    faults = [
        FieldError(f"config.{name}", "bad_value", f"{name!r} is no setting of a {kind} monitor")
        for name in sorted(set(document) - _NAMES[spec.unit])
    ]
    read = _Reader(document, faults)
    every = read.duration("interval") or interval
    timing = Timing(
        interval=every,
        hold=read.duration("for") or spec.hold_intervals * every,
        clear_for=read.duration("clear_for") or spec.hold_intervals * every,
    )
    limits = _LIMITS[spec.unit](spec, read, 3 * every)
    if not faults and limits.warn is not None and limits.limit is not None and limits.warn > limits.limit:
        faults.append(FieldError("config.warn", "bad_value", "warn lies above limit"))
    if faults:
        raise Refused("bad_value", "; ".join(f"{f.path}: {f.message}" for f in faults), errors=faults)
    return Config(timing=timing, limits=limits)


class _Reader:
    def __init__(self, document: Document, faults: list[FieldError]) -> None:
        self._document = document
        self.faults = faults

    def duration(self, name: str) -> timedelta | None:
        if name not in self._document:
            return None
        try:
            return durations.parse(self._document[name])
        except Refused as wrong:
            self.faults.append(FieldError(f"config.{name}", wrong.code, wrong.detail))
            return None

    def seconds(self, name: str) -> float | None:
        found = self.duration(name)
        return found.total_seconds() if found is not None else None

    def share(self, name: str) -> float | None:
        found = self._document.get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 1:
            self.faults.append(
                FieldError(f"config.{name}", "bad_value", f"{found!r} is no share: write 0 to 1")
            )
            return None
        return float(found)

    def count(self, name: str, default: int) -> int:
        found = self._document.get(name, default)
        if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found <= 1_000_000:
            self.faults.append(FieldError(f"config.{name}", "bad_value", f"{found!r}: write 1 to 1000000"))
            return default
        return found


def _age_limits(spec: KindSpec, read: _Reader, patience: timedelta) -> Limits:
    warn, limit, clear = read.seconds("warn"), read.seconds("limit"), read.seconds("clear")
    if limit is None and not read.faults:
        read.faults.append(FieldError("config.limit", "bad_value", "an age needs a limit, as 45m"))
    lower = warn if warn is not None else limit
    return Limits(warn, limit, clear if clear is not None else lower, read.count("min_samples", 1), patience)


def _share_limits(spec: KindSpec, read: _Reader, patience: timedelta) -> Limits:
    warn, limit, clear = read.share("warn"), read.share("limit"), read.share("clear")
    limit = limit if limit is not None else spec.limit
    if warn is None and spec.warn is not None and (limit is None or spec.warn <= limit):
        warn = spec.warn
    lower = warn if warn is not None else limit
    if clear is None and lower is not None:
        clear = 0.8 * lower
    return Limits(warn, limit, clear, read.count("min_samples", 20), patience)


def _event_limits(spec: KindSpec, read: _Reader, patience: timedelta) -> Limits:
    return Limits(None, None, None, 1, patience)


_TIMING_NAMES = frozenset({"for", "clear_for", "interval"})
_LIMIT_NAMES = frozenset({"warn", "limit", "clear", "min_samples"})
_NAMES = {
    Unit.AGE: _TIMING_NAMES | _LIMIT_NAMES | {"lane"},
    Unit.SHARE: _TIMING_NAMES | _LIMIT_NAMES,
    Unit.EVENT: _TIMING_NAMES,
}
_LIMITS: dict[Unit, Callable[[KindSpec, _Reader, timedelta], Limits]] = {
    Unit.AGE: _age_limits,
    Unit.SHARE: _share_limits,
    Unit.EVENT: _event_limits,
}
