"""How long a cron schedule may leave a view alone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from controlplane.kernel.errors import Refused

# Any whole cycle will do, as long as it is the same everywhere: a plan must not depend on the day it is made.
_FIRST_DAY = date(2026, 1, 1)
_LEAST_SPAN = timedelta(days=400)  # every weekday rule, both changes of the clock
_LONGEST_SPAN = timedelta(days=9 * 366)  # a 29 February
_LEAST_DAYS = 13  # so many days with runs show the gaps of a monthly rule


def check_zone(name: str) -> ZoneInfo:
    """Return the time zone; ``Refused`` when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a relative path; a directory
        raise Refused("bad_schedule", f"{name!r} is no time zone; write UTC or Europe/Berlin, say") from None


def check_schedule(schedule: str) -> None:
    """Refuse what is no cron expression of five fields, or six with seconds first, that ever comes due."""
    if len(schedule.split()) not in (5, 6):
        raise Refused(
            "bad_schedule",
            f"{schedule!r} is no schedule: five fields are expected (minute hour day month weekday),"
            " or six with seconds first",
        )
    try:
        next(CronSim(schedule, datetime.combine(_FIRST_DAY, time(), UTC)))
    except CronSimError as wrong:
        raise Refused("bad_schedule", f"{schedule!r} is no schedule: {wrong}") from wrong
    except StopIteration:
        raise Refused("bad_schedule", f"{schedule!r} never comes due") from None


@lru_cache(maxsize=1_024)
def longest_gap(schedule: str, timezone: str) -> timedelta:
    """Return the longest time between two runs of a checked schedule, changes of the clock included.

    Every minute of nine years is too much to walk. A schedule is a rule for days and a rule within the day,
    so the gaps are those within a day (walked once, and on days when the clock changes) and those from the
    last run of one day to the first of the next.
    """
    zone = ZoneInfo(timezone)
    *within_day, day_of_month, month, weekday = schedule.split()
    usual = _runs_of_day(" ".join([*within_day, "* * *"]), _FIRST_DAY, UTC)
    within = max((later - earlier for earlier, later in pairwise(usual)), default=timedelta())
    first, last = usual[0].time(), usual[-1].time()
    longest = within
    previous: datetime | None = None
    for day in _days(f"0 0 {day_of_month} {month} {weekday}"):
        start, end = datetime.combine(day, first, zone), datetime.combine(day, last, zone)
        if _midnight(day, zone).utcoffset() != _midnight(day + timedelta(days=1), zone).utcoffset():
            runs = _runs_of_day(schedule, day, zone)
            start, end = (runs[0], runs[-1]) if runs else (start, end)
            gaps = (_between(earlier, later) for earlier, later in pairwise(runs))
            longest = max(longest, *gaps, timedelta())
        if previous is not None:
            longest = max(longest, _between(previous, start))
        previous = end
    return longest


def _days(rule: str) -> Iterator[date]:
    """Yield the days on which the schedule runs, as many as show every gap."""
    runs = CronSim(rule, datetime.combine(_FIRST_DAY, time(), UTC))
    for count, run in enumerate(runs):
        span = run.date() - _FIRST_DAY
        if span > _LONGEST_SPAN or (span > _LEAST_SPAN and count > _LEAST_DAYS):
            return
        yield run.date()


def _runs_of_day(schedule: str, day: date, zone: tzinfo) -> list[datetime]:
    midnight = _midnight(day, zone)
    runs = []
    for run in CronSim(schedule, midnight - timedelta(minutes=1)):
        if run.date() > day:
            break
        if run.date() == day:
            runs.append(run)
    return runs


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _between(earlier: datetime, later: datetime) -> timedelta:
    """Return the time that really passes: datetimes of one zone subtract by the wall clock."""
    return later.astimezone(UTC) - earlier.astimezone(UTC)
