"""The only reader of the wall clock.

Services and domain functions take ``now`` as an argument; entry points (api, pages, tasks, commands)
read it here. Tests hold it still with ``fixed``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _wall() -> datetime:
    return datetime.now(UTC)


_read: Callable[[], datetime] = _wall


def now() -> datetime:
    """Return the current instant, aware, UTC."""
    return _read()


def now_us() -> int:
    """Return the current instant in microseconds since 1970 UTC."""
    return to_us(now())


def to_us(instant: datetime) -> int:
    """Return ``instant`` in microseconds since 1970 UTC, exactly (no float in between)."""
    return (instant - EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Return the aware UTC instant of ``microseconds`` since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


@contextmanager
def fixed(instant: datetime | Callable[[], datetime]) -> Iterator[None]:
    """Hold the clock at ``instant`` (or let a function tell it) inside the block; for tests."""
    global _read  # noqa: PLW0603 - the one switch of the one clock
    previous = _read
    _read = instant if callable(instant) else lambda: instant
    try:
        yield
    finally:
        _read = previous
