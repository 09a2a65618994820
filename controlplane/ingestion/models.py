"""Tables of runs, lanes, refused rows and heartbeats. Views are known here by id and name only."""

import uuid

from django.db import models
from django.db.models import Q

from controlplane.ingestion.domain.runs import ENDED, Counts, Phase, RunState

NAME_LENGTH = 63
ACTIVE = tuple(state.value for state in RunState if state not in ENDED)


class IngestionRun(models.Model):
    """One execution of a lane. Claimed by compare-and-swap; every write of the holder names its fence."""

    project = models.CharField(max_length=NAME_LENGTH)
    view_id = models.BigIntegerField()
    view = models.CharField(max_length=NAME_LENGTH)
    lane = models.CharField(max_length=8)
    state = models.CharField(max_length=10, default=RunState.QUEUED.value)
    phase = models.CharField(max_length=10, blank=True, default=Phase.NONE.value)
    is_full = models.BooleanField(default=False)
    skips_gap = models.BooleanField(default=False)
    is_released = models.BooleanField(default=False)  # somebody looked at what held it and let it go on
    is_cancelled = models.BooleanField(default=False)  # asked for; the holder stops at its next look
    requested_by = models.CharField(max_length=120, blank=True)
    # The instant that a schedule (or, for direct rows, the minute) gives it: two schedulers make one run.
    scheduled_for = models.DateTimeField(null=True)
    # Order of runs, also in the store's rows: max(previous + 1, microseconds now). Set when it first starts.
    run_number = models.BigIntegerField(unique=True, null=True)
    openlineage_run_id = models.UUIDField(default=uuid.uuid4, unique=True)
    # What lineage is told of the view and its sources, as they were when the run began.
    dataset = models.JSONField(default=dict)
    contract_number = models.IntegerField(default=0)
    layout_number = models.IntegerField(default=0)

    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    attempt = models.IntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.IntegerField(default=0)

    read = models.BigIntegerField(default=0)
    added = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    written = models.BigIntegerField(default=0)
    older = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(default=0)
    shards_done = models.IntegerField(default=0)
    plan = models.CharField(max_length=200, blank=True)  # the frozen plan's folder under STATE_URL
    ledger = models.JSONField(default=dict)

    generation = models.BigIntegerField(default=0)
    watermark_before_us = models.BigIntegerField(null=True)
    watermark_after_us = models.BigIntegerField(null=True)
    looked_us = models.BigIntegerField(null=True)  # when lineage was told last of a stream read to its end
    hollow = models.CharField(max_length=200, blank=True)  # why; empty: it is not
    hold_reason = models.CharField(max_length=300, blank=True)
    error = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["view_id", "lane", "scheduled_for"], name="ingestion_run_instant"
            ),
            # One execution of a view's batch or stream lane at a time.
            models.UniqueConstraint(
                fields=["view_id", "lane"],
                condition=Q(state=RunState.RUNNING.value, lane__in=["batch", "stream"]),
                name="ingestion_run_running",
            ),
        ]
        indexes = [
            # The claims' and the reaper's: few rows are unfinished, so they find theirs at once.
            models.Index(fields=["lane", "due_at"], condition=Q(state__in=ACTIVE), name="ingestion_run_due"),
            models.Index(fields=["project", "-id"], name="ingestion_run_list"),  # GET /runs
            models.Index(fields=["view_id", "lane", "-id"], name="ingestion_run_latest"),  # latest_run
            # The batches of a day on Home, among many more minutes of direct rows.
            models.Index(
                fields=["project", "-ended_at"],
                condition=Q(lane="batch", state=RunState.SUCCEEDED.value),
                name="ingestion_run_good_batch",
            ),
        ]

    @property
    def counts(self) -> Counts:
        """The counts as one record."""
        return Counts(
            read=self.read,
            added=self.added,
            changed=self.changed,
            removed=self.removed,
            unchanged=self.unchanged,
            written=self.written,
            older=self.older,
            refused=self.refused,
        )


class RunTransition(models.Model):
    """One move of a run. What lineage is told of it is a pure function of this row; rows are only added."""

    run = models.ForeignKey(IngestionRun, on_delete=models.CASCADE, related_name="transitions")
    sequence = models.IntegerField()
    at = models.DateTimeField()
    before = models.CharField(max_length=10, blank=True)
    after = models.CharField(max_length=10)
    phase = models.CharField(max_length=10, blank=True)
    event = models.CharField(max_length=8, blank=True)  # OpenLineage's type; empty: nothing to tell
    facts = models.JSONField()
    emitted_at = models.DateTimeField(null=True)
    emit_due_at = models.DateTimeField()
    emit_attempts = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "sequence"], name="ingestion_transition_order")]
        indexes = [
            # The sender's: only what is not told yet.
            models.Index(
                fields=["emit_due_at"],
                condition=Q(emitted_at=None) & ~Q(event=""),
                name="ingestion_transition_unsent",
            )
        ]


class LaneState(models.Model):
    """What a lane of a view remembers between runs."""

    project = models.CharField(max_length=NAME_LENGTH)
    view_id = models.BigIntegerField()
    view = models.CharField(max_length=NAME_LENGTH)
    lane = models.CharField(max_length=8)
    # Changes with the lane's source, query or progress rule; each change raises the generation.
    signature = models.CharField(max_length=64, blank=True)
    generation = models.BigIntegerField(default=1)
    watermark_us = models.BigIntegerField(null=True)
    is_published = models.BooleanField(default=True)  # false: the store was not told the watermark yet

    manifest = models.CharField(max_length=200, blank=True)
    manifest_layout = models.IntegerField(default=0)
    repair = models.JSONField(default=list)  # partitions whose keys the next run rewrites; ["*"]: all
    # Plans whose writing began and which were never verified: the store may hold what they wrote.
    dirty_plans = models.JSONField(default=list)
    last_rows_read = models.BigIntegerField(default=0)
    newest_event_us = models.BigIntegerField(null=True)
    newest_moved_at_us = models.BigIntegerField(null=True)

    next_due_at = models.DateTimeField(null=True)  # when the schedule next wants a run; stream: always
    schedule = models.CharField(max_length=200, blank=True)  # what next_due_at was computed from

    sequence = models.BigIntegerField(default=0)  # direct: the last position given out
    cursors = models.JSONField(default=dict)  # stream: partition -> {"cursor", "ordinal", ...}
    gap = models.CharField(max_length=300, blank=True)  # why reading on would lose events
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["view_id", "lane"], name="ingestion_lane")]
        indexes = [
            models.Index(fields=["next_due_at"], name="ingestion_lane_due"),  # the scheduler's
            models.Index(fields=["project"], name="ingestion_lane_project"),  # lane_watermarks
            # The publisher's: lanes whose watermark the store was not told yet.
            models.Index(fields=["id"], condition=Q(is_published=False), name="ingestion_lane_unpublished"),
        ]


class TouchedKey(models.Model):
    """A key of a view with a batch lane that something else wrote: the next batch run rewrites it."""

    view_id = models.BigIntegerField()
    key = models.BinaryField()
    touched_us = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["view_id", "key"], name="ingestion_touched")]


class RefusedRow(models.Model):
    """A row that broke the contract on the way in, kept until it is redriven or too old."""

    run = models.ForeignKey(IngestionRun, on_delete=models.CASCADE, related_name="refused_rows")
    project = models.CharField(max_length=NAME_LENGTH)
    view_id = models.BigIntegerField()
    view = models.CharField(max_length=NAME_LENGTH)
    lane = models.CharField(max_length=8)
    # Where it came from: a replay of the same input finds its row, and makes no second one.
    position = models.CharField(max_length=100)
    order = models.BigIntegerField(default=0)  # its position among the lane's rows, for a redrive
    field = models.CharField(max_length=NAME_LENGTH, blank=True)
    code = models.CharField(max_length=40)
    message = models.CharField(max_length=500)
    payload = models.TextField()
    is_flat = models.BooleanField(default=False)  # the payload is the fields of a Redis entry, all texts
    is_cut = models.BooleanField(default=False)  # the payload was too long to be kept whole
    received_at = models.DateTimeField()
    redriven_at = models.DateTimeField(null=True)
    redrive_result = models.CharField(max_length=10, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["view_id", "lane", "position"], name="ingestion_refused_once")
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="ingestion_refused_list"),  # GET /refused-rows
            models.Index(fields=["received_at"], name="ingestion_refused_age"),  # the sweeper's
        ]


class Heartbeat(models.Model):
    """A writer's word that everything it knew up to ``as_of_us`` has been posted."""

    view_id = models.BigIntegerField()
    writer = models.CharField(max_length=100)
    as_of_us = models.BigIntegerField()
    heard_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["view_id", "writer"], name="ingestion_heartbeat_writer")
        ]
