"""One batch run from its claim to its end, or as far as this worker gets: any other goes on from there."""

import random
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError
from prometheus_client import Counter, Histogram

from controlplane.ingestion.domain.backoff import retry_delay
from controlplane.ingestion.domain.runs import LostLease, Phase, RunError, RunState
from controlplane.ingestion.engines.jobs import EngineFailure
from controlplane.ingestion.manifests import Folders, read_plan
from controlplane.ingestion.models import IngestionRun
from controlplane.ingestion.services.batch.committing import commit_plan, publish_run
from controlplane.ingestion.services.batch.planning import make_plan
from controlplane.ingestion.services.batch.work import Cancelled, Work
from controlplane.ingestion.services.batch.writing import order_repair, verify_plan, write_plan
from controlplane.ingestion.services.describing import describe_run
from controlplane.ingestion.services.lanes import ensure_lane
from controlplane.ingestion.services.runs import Claim, claim_run, fail_run, move_run, retry_later
from controlplane.ingestion.services.store import online_store
from controlplane.kernel import clock
from controlplane.kernel.errors import Conflict, FreshlineError, NotFound, Unavailable
from controlplane.kernel.metrics import REGISTRY
from controlplane.registry import selectors as registry
from store_adapters import Lane

# So many takeovers of one run mean that it kills its workers.
MAX_TAKEOVERS = 20

RUN_SECONDS = Histogram(
    "freshline_batch_run_seconds",
    "Wall time of batch runs from start to end.",
    ["project", "view"],
    buckets=(1, 5, 15, 60, 300, 900, 3_600),
    registry=REGISTRY,
)
RUN_ENDS = Counter(
    "freshline_batch_runs", "Batch runs by how they ended.", ["project", "view", "state"], registry=REGISTRY
)
_log = structlog.get_logger(__name__)


def execute_run(run_id: int, *, worker: str) -> None:
    """Claim a run and take it as far as it goes. Nothing happens when somebody else has it."""
    claim = claim_run(run_id, worker=worker, now=clock.now(), lease=settings.FRESHLINE_LEASE)
    if claim is None:
        return
    run = IngestionRun.objects.get(pk=run_id)
    try:
        _proceed(run, claim)
    except LostLease:
        _log.info("run_taken_over", run=run_id, worker=worker)
    except Cancelled:
        _end(claim, RunState.ABORTED)
    except NotFound as gone:
        _fail(run, claim, RunError("view_changed", gone.detail))
    except Unavailable as wrong:
        _try_again(run, claim, RunError(wrong.code, wrong.detail))
    except EngineFailure as wrong:
        _fail(run, claim, RunError(wrong.code, wrong.message, source=wrong.source, column=wrong.column))
    except FreshlineError as wrong:
        _fail(run, claim, RunError(wrong.code, wrong.detail))
    except DatabaseError:
        raise  # the lease ends by itself, and another worker goes on
    except Exception as wrong:  # noqa: BLE001 - the outermost loop of a run: nothing may leave it unexplained
        _log.exception("run_broke", run=run_id)
        _try_again(run, claim, RunError("internal", f"{type(wrong).__name__}: {str(wrong)[:300]}"))


def _proceed(run: IngestionRun, claim: Claim) -> None:
    if claim.fence > MAX_TAKEOVERS:
        fail_run(
            claim,
            RunError("run_abandoned", f"{claim.fence} workers took it and none ended it"),
            now=clock.now(),
        )
        return
    work = _begin(run, claim)
    if run.phase == Phase.PUBLISH:
        publish_run(work)
        return
    if not _has_plan(run):
        held = make_plan(work)
        if held is not None:
            move_run(claim, RunState.HELD, now=clock.now(), hold_reason=held)
            RUN_ENDS.labels(run.project, run.view, RunState.HELD).inc()
            return
    plan = work.folders.plan(run.plan)
    facts = read_plan(plan)
    layout = work.record.layouts[facts["layout"]]
    started = clock.now()
    write_plan(work, plan, layout=layout)
    written = clock.now()
    work.seconds["write"] = (written - started).total_seconds()
    mismatch = verify_plan(work, plan, layout=layout)
    work.seconds["verify"] = (clock.now() - written).total_seconds()
    if mismatch is not None:
        order_repair(work, mismatch)
        _fail(run, claim, _mismatch_error(run, len(mismatch.keys), mismatch.of))
        return
    commit_plan(work, plan, facts)
    publish_run(work)
    RUN_ENDS.labels(run.project, run.view, RunState.SUCCEEDED).inc()
    if run.started_at is not None:
        RUN_SECONDS.labels(run.project, run.view).observe((clock.now() - run.started_at).total_seconds())


def _begin(run: IngestionRun, claim: Claim) -> Work:
    record = registry.find_view(run.project, run.view)
    if record.view.batch is None or record.id != run.view_id:
        raise Conflict("view_changed", f"feature view {run.view} has no batch lane any more")
    store = online_store(record.store)
    state = ensure_lane(record, Lane.BATCH, store=store, now=clock.now())
    work = Work(run, claim, record, record.view.batch, state, store)
    fields: dict[str, Any] = {}
    if not _has_plan(run):
        fields = {
            "generation": state.generation,
            "watermark_before_us": state.watermark_us,
            "contract_number": record.contract_number,
            "layout_number": record.layout.number,
            "dataset": describe_run(record, Lane.BATCH),
        }
        run.generation = state.generation
    work.beat(**fields)
    return work


def _has_plan(run: IngestionRun) -> bool:
    return bool(run.plan) and Folders(run.view_id).plan(run.plan).is_dir()


def _mismatch_error(run: IngestionRun, wrong: int, of: int) -> RunError:
    return RunError(
        "verification_failed",
        f"{wrong} of {of} keys read back from the store are not what they must be; the next run repairs them",
    )


def _try_again(run: IngestionRun, claim: Claim, error: RunError) -> None:
    delay = retry_delay(run.attempt + 1, jitter=random.random())  # noqa: S311 - spreads retries
    if delay is None:
        _fail(run, claim, error)
        return
    now: datetime = clock.now()
    try:
        retry_later(claim, error, due_at=now + delay, now=now)
    except LostLease:
        _log.info("run_taken_over", run=run.pk)


def _fail(run: IngestionRun, claim: Claim, error: RunError) -> None:
    _end(claim, RunState.FAILED, error=error.as_dict())
    RUN_ENDS.labels(run.project, run.view, RunState.FAILED).inc()


def _end(claim: Claim, state: RunState, **fields: Any) -> None:
    try:
        move_run(claim, state, now=clock.now(), **fields)
    except LostLease:
        _log.info("run_taken_over", run=claim.run_id)
