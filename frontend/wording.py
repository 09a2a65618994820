"""Durations, counts and shares in the words people read. The same words on pages and in messages."""

from datetime import UTC, datetime, timedelta

_SCALES = (
    (timedelta(days=2), timedelta(days=1), "d"),
    (timedelta(hours=2), timedelta(hours=1), "h"),
    (timedelta(minutes=2), timedelta(minutes=1), "min"),
    (timedelta(0), timedelta(seconds=1), "s"),
)


def duration(value: timedelta | None) -> str:
    """Return ``42 min``, ``3 h``, ``12 s``: one unit, two of it at least above seconds; a dash."""
    if value is None:
        return "–"
    size = abs(value)
    for least, unit, word in _SCALES:
        if size >= least:
            return f"{size // unit} {word}"
    return "0 s"


def took(value: timedelta | None) -> str:
    """Return how long something ran, finer than an age: ``320 ms``, ``4.1 s``, ``48 s``, ``3 h``."""
    if value is None:
        return "–"
    if value < timedelta(seconds=1):
        return f"{value / timedelta(milliseconds=1):.0f} ms"
    if value < timedelta(seconds=10):
        return f"{value.total_seconds():.1f} s"
    return duration(value)


def relative(instant: datetime, now: datetime) -> str:
    """Return ``4 min ago`` or ``in 3 h``."""
    if abs(now - instant) < timedelta(seconds=1):
        return "just now"
    text = duration(now - instant)
    return f"{text} ago" if instant < now else f"in {text}"


def exact(instant: datetime) -> str:
    """Return the instant to the second, in UTC, as hovered and copied."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ratio(value: timedelta | None, limit: timedelta | None) -> str:
    """Return how many times the limit the value is (``2.8x``), or nothing where that says nothing."""
    if value is None or not limit:
        return ""
    return f"{value / limit:.1f}x" if value < 100 * limit else ">100x"


def count(value: float | None) -> str:
    """Return a whole number with thin groups (``3,412``), a rate with decimals, no value as a dash."""
    if value is None:
        return "–"
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2g}"


def rate(a_second: float | None) -> str:
    """Return ``412/s``, or what is rarer than that by the minute: ``12/min``."""
    if a_second is None:
        return "–"
    if a_second >= 1:
        return f"{a_second:,.0f}/s" if a_second >= 10 else f"{a_second:.1f}/s"
    a_minute = a_second * 60
    return f"{a_minute:.0f}/min" if a_minute >= 10 or not a_minute else f"{a_minute:.1f}/min"


def percent(share: float | None) -> str:
    """Return a share of one as a percentage that never rounds to the ends: 99.96 % is not 100 %."""
    if share is None:
        return "–"
    value = share * 100
    if value in (0, 100):
        return f"{value:.0f} %"
    if value > 99.9:
        return ">99.9 %"
    return f"{value:.1f} %" if value >= 0.1 else "<0.1 %"


def amount(number: int, singular: str, plural: str | None = None) -> str:
    """Return ``1 view``, ``3,412 views``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
