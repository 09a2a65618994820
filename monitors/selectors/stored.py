"""Rows to records of the domain, and back."""

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings

from monitors.domain import silences
from monitors.domain.health import Reading
from monitors.domain.kinds import KINDS, Config, Kind, Unit, resolve
from monitors.domain.silences import Matcher, Op
from monitors.domain.states import MonitorState, State
from monitors.models import Monitor, Silence

_MICROSECOND = timedelta(microseconds=1)


def config_of(monitor: Monitor) -> Config:
    """Return the monitor's config with defaults."""
    return config_from(monitor.kind, monitor.config)


def config_from(kind: str, config: Mapping[str, object]) -> Config:
    """Return the config of a monitor with defaults, from its two columns."""
    return resolve(Kind(kind), config, interval=settings.FRESHLINE_MONITOR_INTERVAL)


def state_of(monitor: Monitor) -> MonitorState:
    """Return where the monitor stands."""
    return MonitorState(
        state=State(monitor.state),
        since=monitor.since,
        level=State(monitor.level),
        last_at=monitor.last_at,
        breach_clock=_clock(monitor.breach_clock_us),
        bad_clock=_clock(monitor.bad_clock_us),
        eased_clock=_clock(monitor.eased_clock_us),
        clear_clock=_clock(monitor.clear_clock_us),
    )


def fields_of(state: MonitorState) -> dict[str, object]:
    """Return the columns that hold ``state``."""
    return {
        "state": state.state.value,
        "since": state.since,
        "level": state.level.value,
        "last_at": state.last_at,
        "breach_clock_us": _us(state.breach_clock),
        "bad_clock_us": _us(state.bad_clock),
        "eased_clock_us": _us(state.eased_clock),
        "clear_clock_us": _us(state.clear_clock),
    }


def reading_of(monitor: Monitor) -> Reading:
    """Return the monitor as health reads it."""
    spec = KINDS[Kind(monitor.kind)]
    return Reading(
        family=spec.family,
        timing=config_of(monitor).timing,
        state=State(monitor.state),
        since=monitor.since,
        last_at=monitor.last_at,
        reason=monitor.reason,
        sees_age=spec.unit is Unit.AGE,
        paused=monitor.paused,
    )


def silence_of(row: Silence) -> silences.Silence:
    """Return a stored silence as the domain judges it."""
    matchers = tuple(Matcher(m["label"], Op(m["op"]), m["value"]) for m in row.matchers)
    return silences.Silence(matchers, row.starts_at, row.ends_at)


def _clock(us: int | None) -> timedelta | None:
    return None if us is None else us * _MICROSECOND


def _us(clock: timedelta | None) -> int | None:
    return None if clock is None else clock // _MICROSECOND
