"""When a breach opens, joins or reopens an incident, how bad it is, and when it is over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitors.domain.states import BLIND, State

REOPEN_WITHIN = timedelta(minutes=30)
FLAP_OPENS = 3
FLAP_WINDOW = timedelta(hours=1)
FLAP_FACTOR = 4


class Family(StrEnum):
    """Breaches of one family on one subject are one problem."""

    FRESHNESS = "freshness"
    PRESENCE = "presence"
    VALIDITY = "validity"
    META = "meta"


class Severity(StrEnum):
    """Only critical pages by default."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


SEVERITY_ORDER: Mapping[Severity, int] = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


class IncidentState(StrEnum):
    """open -> acknowledged -> resolved; a new breach soon after reopens the same one."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


OPEN_STATES = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)
# The state of health that a breach of a family stands for, in messages and titles.
FAMILY_WORDS: Mapping[Family, str] = {
    Family.FRESHNESS: "stale",
    Family.PRESENCE: "missing",
    Family.VALIDITY: "violating",
    Family.META: "not watched",
}


class Placement(StrEnum):
    """What a breach does to the incidents of its fingerprint."""

    OPEN = "open"
    ATTACH = "attach"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One monitor that breached on an incident, as it stands now."""

    state: State
    level: State
    since: datetime | None


def fingerprint(*, project: str, subject: str, family: Family) -> str:
    """Return what at most one open incident may carry."""
    return f"{project}|{subject}|{family.value}"


def severity_of(family: Family, *, is_gold: bool, has_rejecting_service: bool) -> Severity:
    """Return how bad a breach is."""
    if family is Family.META:
        return Severity.INFO
    return Severity.CRITICAL if is_gold or has_rejecting_service else Severity.WARNING


def worst(severities: Iterable[Severity]) -> Severity:
    """Return the worst of ``severities`` (at least one)."""
    return min(severities, key=SEVERITY_ORDER.__getitem__)


def place(*, has_open: bool, last_resolved_at: datetime | None, now: datetime) -> Placement:
    """Return what a new breach does: exactly 30 min after the resolve it still reopens."""
    if has_open:
        return Placement.ATTACH
    if last_resolved_at is not None and now - last_resolved_at <= REOPEN_WITHIN:
        return Placement.REOPEN
    return Placement.OPEN


def is_flapping(opened_at: Iterable[datetime], *, now: datetime) -> bool:
    """Whether the incident opened (or reopened) so often that one quiet spell proves little."""
    return sum(now - FLAP_WINDOW < at <= now for at in opened_at) >= FLAP_OPENS


def may_resolve(
    evidence: Iterable[Evidence],
    witness: Evidence | None,
    *,
    clear_for: timedelta,
    flapping: bool,
    now: datetime,
) -> bool:
    """Whether an incident is over by itself.

    ``evidence``: the attached monitors (none left counts as over). ``witness``: the monitor that reads the
    probes of the same view and family, None where the view has none. A job that says it is well again is
    not enough: while there are keys to probe, they must be good. No data and unknown resolve nothing,
    except that traffic may stop while the probes stay good for ``clear_for``.
    """
    everyone = tuple(evidence)
    if witness is not None and not (witness.state is State.OK or _has_nothing_to_probe(witness)):
        return False
    blind = [one for one in everyone if one.state is not State.OK]
    if any(one.level is not State.NO_DATA for one in blind):
        return False
    quiet_for = clear_for * (FLAP_FACTOR if flapping else 1)
    if blind and (witness is None or not _good_for(witness, quiet_for, now)):
        return False
    # A monitor turns ok only after ``clear_for``; flapping asks for the rest on top.
    return not flapping or all(_good_for(one, quiet_for - clear_for, now) for one in everyone)


def _has_nothing_to_probe(witness: Evidence) -> bool:
    return witness.state is State.NO_DATA and witness.level is State.NO_DATA


def _good_for(one: Evidence, span: timedelta, now: datetime) -> bool:
    if one.state in BLIND:
        return True
    return one.state is State.OK and one.since is not None and now - one.since >= span
