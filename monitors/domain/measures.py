"""From measured inputs to one result: a pure function for each kind of monitor."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from monitors.domain.states import Result, State
from monitors.domain.words import spell_age, spell_ratio, spell_share

# Evidence from further ahead than this is none (contract.md).
FUTURE_TOLERANCE = timedelta(seconds=5)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """Warn, limit and clear in seconds or as shares; ``patience``: how old a probe may be and still speak."""

    warn: float | None
    limit: float | None
    clear: float | None
    min_samples: int
    patience: timedelta


@dataclass(frozen=True, slots=True)
class ProbeSample:
    """What reading a sample of a view's known keys saw at ``at``.

    ``found + missing + invalid == sampled``; an invalid row has a value outside the contract, or cannot be
    read. ``age_s``: seconds that 95 % of the rows stay under, None when no row was there or no evidence of
    its age is left. ``error``: why the store could not be read, or "".
    """

    at: datetime
    sampled: int
    missing: int
    invalid: int
    age_s: float | None
    error: str = ""

    @property
    def rows(self) -> int:
        """How many of the sampled keys have a row."""
        return self.sampled - self.missing

    @property
    def as_of(self) -> datetime | None:
        """Until when 95 % of the values were known to be right; None when there is no telling."""
        return None if self.age_s is None else self.at - timedelta(seconds=self.age_s)


@dataclass(frozen=True, slots=True)
class LookupCounts:
    """Values that real lookups of the last whole minutes saw, and how many of them were invalid."""

    values: int
    invalid: int


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """The latest batch run that succeeded."""

    run: str
    hollow: bool
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Cron:
    """A batch schedule, and what came of it: the latest run's start, and its end if it has ended."""

    expression: str
    timezone: str
    grace: timedelta
    active_since: datetime
    last_started_at: datetime | None
    last_ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a measure may look at; each reads its part."""

    now: datetime
    probe: ProbeSample | None = None
    lookups: LookupCounts | None = None
    watermark: datetime | None = None
    finished: FinishedRun | None = None
    cron: Cron | None = None
    ever_written: bool = True
    first_due_by: datetime | None = None
    no_keys: str = ""  # why the store can tell a probe of no key
    resumed_at: datetime | None = None  # when evaluation went on after a gap, until a result is seen


def served_age(limits: Limits, inputs: Inputs) -> Result:
    """Judge the age that 95 % of the sampled keys stay under: one fresh key hides no stale ones."""
    probe = inputs.probe
    blind = _blind(limits, inputs)
    if blind is not None or probe is None:
        return blind or _no_data(inputs.now, "not probed yet")
    if probe.rows < limits.min_samples:
        return _no_data(probe.at, "too few of the sampled keys have a row: there is no age to judge")
    if probe.age_s is None:
        reason = "the sampled rows are of unknown age: no evidence is left"
        return Result(probe.at, State.BREACH, clear=False, value=None, reason=reason)
    return _grade_age(limits, probe.age_s, at=probe.at, what=" of the oldest keys (95th percentile)")


def source_age(limits: Limits, inputs: Inputs) -> Result:
    """Judge how far the lane's watermark, as the probe read it in the store, lay back then."""
    probe = inputs.probe
    blind = _blind(limits, inputs)
    if (blind is not None and blind.level is State.UNKNOWN) or probe is None:
        return blind or _no_data(inputs.now, "not probed yet")
    mark = inputs.watermark
    if mark is None:
        return _no_data(probe.at, "the lane has no watermark")
    if mark > probe.at + FUTURE_TOLERANCE:
        return _no_data(probe.at, "the watermark lies in the future and proves nothing")
    age = max(0.0, (probe.at - mark).total_seconds())
    return _grade_age(limits, age, at=probe.at, what=" of the source's watermark")


def coverage(limits: Limits, inputs: Inputs) -> Result:
    """Judge the share of expected keys that the store does not have."""
    if inputs.no_keys:  # nothing was read, which says nothing of what is there
        return _blind(limits, inputs) or _no_data(inputs.now, inputs.no_keys)
    if not inputs.ever_written:
        due = inputs.first_due_by
        if due is None or inputs.now <= due:
            return _no_data(inputs.now, "never written yet", changes_at=due + _MICROSECOND if due else None)
        return Result(inputs.now, State.BREACH, clear=False, value=1.0, reason="never written")
    probe = inputs.probe
    blind = _blind(limits, inputs)
    if probe is not None and blind is not None and blind.level is State.NO_DATA:
        return Result(probe.at, State.BREACH, clear=False, value=1.0, reason="no row is left in the store")
    if blind is not None or probe is None:
        return blind or _no_data(inputs.now, "not probed yet")
    share = probe.missing / probe.sampled
    what = f"{probe.missing} of {probe.sampled} expected keys are missing"
    return _grade(limits, share, at=probe.at, reason=what)


def invalid_rate(limits: Limits, inputs: Inputs) -> Result:
    """Judge the share of values outside their contract: the worse of probes and real lookups."""
    probe = inputs.probe
    blind = _blind(limits, inputs)
    shares: list[tuple[float, str]] = []
    if blind is None and probe is not None and probe.rows > 0:
        shares.append((probe.invalid / probe.rows, "of probed rows break the contract"))
    lookups = inputs.lookups
    if lookups is not None and lookups.values >= limits.min_samples:
        shares.append((lookups.invalid / lookups.values, "of looked-up values break the contract"))
    if not shares:
        return blind or _no_data(probe.at if probe else inputs.now, "too few values to judge")
    share, what = max(shares)
    at = probe.at if blind is None and probe is not None else inputs.now
    return _grade(limits, share, at=at, reason=f"{spell_share(share)} {what}")


def hollow_run(limits: Limits, inputs: Inputs) -> Result:
    """Judge whether the latest run that succeeded did anything."""
    run = inputs.finished
    if run is None:
        return _no_data(inputs.now, "no run has succeeded yet")
    level = State.BREACH if run.hollow else State.OK
    word = "succeeded without effect" if run.hollow else "had an effect"
    return Result(
        inputs.now, level, clear=not run.hollow, value=float(run.hollow), reason=f"run {run.run} {word}"
    )


def schedule(limits: Limits, inputs: Inputs) -> Result:
    """Judge whether the run that was due last did start, and did end before the next one was late."""
    cron = inputs.cron
    if cron is None:
        return _no_data(inputs.now, "no schedule")
    due = last_due(cron, before=inputs.now - cron.grace)
    late_at = next_due(cron, after=inputs.now - cron.grace - _MICROSECOND) + cron.grace + _MICROSECOND
    if due is None or due <= cron.active_since:
        return _no_data(inputs.now, "no run was due yet", changes_at=late_at)
    started, ended = cron.last_started_at, cron.last_ended_at
    if started is None or started < due:
        over = (inputs.now - due).total_seconds()
        reason = f"the run due at {due:%Y-%m-%d %H:%M} UTC did not start"
        if started is not None and (ended is None or ended < started):
            # One run at a time: what does not end keeps the next from starting.
            running = spell_age((inputs.now - started).total_seconds())
            reason = f"the run that started {running} ago did not end before the next was due"
        # After a gap the grace runs anew: what paused us may have paused the scheduler with us.
        patient_until = inputs.resumed_at + cron.grace if inputs.resumed_at else None
        if patient_until is not None and inputs.now <= patient_until:
            reason = f"{reason}; nobody watched, it may until {patient_until:%H:%M:%S} UTC"
            return replace(_unknown(inputs.now, reason), changes_at=patient_until + _MICROSECOND)
        return Result(inputs.now, State.BREACH, clear=False, value=over, reason=reason)
    reason = "runs start and end as scheduled"
    return Result(inputs.now, State.OK, clear=True, value=0.0, reason=reason, changes_at=late_at)


def last_due(cron: Cron, *, before: datetime) -> datetime | None:
    """Return the last instant that the schedule names before ``before``, in UTC."""
    zone = ZoneInfo(cron.timezone)
    found = next(CronSim(cron.expression, before.astimezone(zone), reverse=True), None)
    return found.astimezone(before.tzinfo) if found else None


def next_due(cron: Cron, *, after: datetime) -> datetime:
    """Return the first instant that the schedule names after ``after``, in UTC."""
    zone = ZoneInfo(cron.timezone)
    return next(CronSim(cron.expression, after.astimezone(zone))).astimezone(after.tzinfo)


def _grade_age(limits: Limits, age: float, *, at: datetime, what: str) -> Result:
    graded = _grade(limits, age, at=at, reason=f"age {spell_age(age)}{what}{_bound(limits, age)}")
    ahead = [bound - age for bound in (limits.warn, limits.limit) if bound is not None and bound >= age]
    if not ahead:
        return graded
    return replace(graded, changes_at=at + timedelta(seconds=min(ahead)) + _MICROSECOND)


def _bound(limits: Limits, age: float) -> str:
    if limits.limit is None:
        return ""
    times_over = f", {spell_ratio(age, limits.limit)}" if age > limits.limit else ""
    return f", max {spell_age(limits.limit)}{times_over}"


def _grade(limits: Limits, value: float, *, at: datetime, reason: str) -> Result:
    """Exactly at a limit is still within it."""
    level = State.OK
    if limits.warn is not None and value > limits.warn:
        level = State.WARN
    if limits.limit is not None and value > limits.limit:
        level = State.BREACH
    clear = limits.clear is None or value <= limits.clear
    return Result(at, level, clear=clear, value=value, reason=reason)


def _blind(limits: Limits, inputs: Inputs) -> Result | None:
    probe = inputs.probe
    if probe is None:
        return _no_data(inputs.now, "not probed yet")
    if inputs.now - probe.at >= limits.patience:
        return _unknown(inputs.now, f"last probed {spell_age((inputs.now - probe.at).total_seconds())} ago")
    if probe.error:
        return _unknown(probe.at, probe.error)
    if probe.sampled == 0:
        return _no_data(probe.at, inputs.no_keys or "no keys are known")
    return None


def _no_data(at: datetime, reason: str, *, changes_at: datetime | None = None) -> Result:
    return Result(at, State.NO_DATA, clear=False, value=None, reason=reason, changes_at=changes_at)


def _unknown(at: datetime, reason: str) -> Result:
    return Result(at, State.UNKNOWN, clear=False, value=None, reason=reason)
