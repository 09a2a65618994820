"""What a view's monitors look at, read once for all of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.ingestion import selectors as ingestion
from controlplane.ingestion.domain.runs import RunState
from controlplane.kernel import clock
from controlplane.kernel.errors import NotFound
from controlplane.observations import selectors as observations
from controlplane.observations.selectors import ProbeResult
from controlplane.registry import selectors as registry
from monitors.domain import measures
from monitors.domain.kinds import Kind
from monitors.domain.measures import Inputs
from monitors.domain.states import State, is_gap
from monitors.models import Monitor, ViewWatch
from monitors.selectors.stored import config_of

# Reports of serving for a minute come after it ends; two whole minutes are old enough to be complete.
LOOKUP_WINDOW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class ViewFacts:
    """Everything about one view that any of its monitors needs, as of ``now``."""

    now: datetime
    watch: ViewWatch
    probe: measures.ProbeSample | None
    lookups: measures.LookupCounts | None
    finished: measures.FinishedRun | None
    cron: measures.Cron | None

    def inputs_of(self, monitor: Monitor) -> Inputs:
        """Return the facts as the monitor's measure takes them."""
        mark = self.watch.watermarks.get(monitor.lane)
        return Inputs(
            now=self.now,
            probe=self.probe,
            lookups=self.lookups,
            watermark=None if mark is None else clock.from_us(mark),
            finished=self.finished,
            cron=self.cron,
            ever_written=self.watch.written_at is not None,
            first_due_by=self.watch.first_due_by,
            no_keys=self.watch.no_keys,
            resumed_at=self._resumed_at(monitor),
        )

    def _resumed_at(self, monitor: Monitor) -> datetime | None:
        if is_gap(config_of(monitor).timing, monitor.last_at, at=self.now):
            return self.now
        return monitor.since if monitor.state == State.UNKNOWN else None

    @property
    def as_of(self) -> datetime | None:
        """Until when the view's values were known to be right, as its last probe saw it."""
        return self.probe.as_of if self.probe else None


def gather(watch: ViewWatch, kinds: set[Kind], *, now: datetime) -> ViewFacts:
    """Read what monitors of ``kinds`` on the view need."""
    probe = observations.latest_probe(watch.project, watch.view)
    wants_runs = bool(kinds & {Kind.HOLLOW_RUN, Kind.SCHEDULE})
    return ViewFacts(
        now=now,
        watch=watch,
        probe=None if probe is None else _sample(probe),
        lookups=_lookups(watch, now=now) if Kind.INVALID_RATE in kinds else None,
        finished=_finished(watch) if wants_runs else None,
        cron=_cron(watch) if Kind.SCHEDULE in kinds else None,
    )


def last_as_of(watch: ViewWatch) -> datetime | None:
    """Return until when the view's values were known to be right, as its last probe saw it."""
    probe = observations.latest_probe(watch.project, watch.view)
    return _sample(probe).as_of if probe else None


def _sample(probe: ProbeResult) -> measures.ProbeSample:
    return measures.ProbeSample(
        at=probe.at,
        sampled=probe.keys_read,
        missing=probe.missing,
        invalid=probe.invalid,
        age_s=None if probe.age_p95 is None else probe.age_p95.total_seconds(),
        error=probe.error,
    )


def _lookups(watch: ViewWatch, *, now: datetime) -> measures.LookupCounts:
    minute = now.replace(second=0, microsecond=0)
    counted = observations.sums(watch.project, watch.view, start=minute - LOOKUP_WINDOW, end=minute)
    invalid = counted.values.get("invalid", 0) + counted.also_invalid
    return measures.LookupCounts(counted.total_values - counted.values.get("unavailable", 0), invalid)


def _finished(watch: ViewWatch) -> measures.FinishedRun | None:
    run = ingestion.latest_run(watch.project, watch.view, "batch", state=RunState.SUCCEEDED)
    if run is None or run.ended_at is None:
        return None
    return measures.FinishedRun(str(run.id), hollow=run.hollow is not None, ended_at=run.ended_at)


def _cron(watch: ViewWatch) -> measures.Cron | None:
    try:
        batch = registry.find_view(watch.project, watch.view).view.batch
    except NotFound:
        return None
    if batch is None or batch.schedule is None:
        return None
    run = ingestion.latest_run(watch.project, watch.view, "batch")
    return measures.Cron(
        expression=batch.schedule,
        timezone=batch.timezone,
        grace=batch.grace,
        active_since=watch.registered_at,
        last_started_at=run.started_at if run else None,
        last_ended_at=run.ended_at if run else None,
    )
