"""Tables of monitors, incidents and the outbox. Projects, views and services are known here by name only."""

from django.db import models
from django.db.models import F, Q

from monitors.domain.incidents import OPEN_STATES
from monitors.domain.notifications import UNFINISHED
from monitors.domain.titles import service_in

NAME_LENGTH = 63
OPEN = [state.value for state in OPEN_STATES]


class ProjectLock(models.Model):
    """The one lock under which a project's incidents open, attach, merge and resolve."""

    project = models.CharField(max_length=NAME_LENGTH, unique=True)


class ViewWatch(models.Model):
    """A feature view that is watched: what its monitors need of the registry, and its probing."""

    project = models.CharField(max_length=NAME_LENGTH)
    view = models.CharField(max_length=NAME_LENGTH)
    owner = models.CharField(max_length=NAME_LENGTH, blank=True)
    tier = models.CharField(max_length=10)
    runbook = models.CharField(max_length=2_000, blank=True)
    has_rejecting_service = models.BooleanField(default=False)
    # What the monitors were last made from; another one means: make them again.
    signature = models.CharField(max_length=64)
    paused = models.BooleanField(default=False)
    registered_at = models.DateTimeField()
    first_due_by = models.DateTimeField(null=True)  # when the first row is late; null: nobody can tell
    written_at = models.DateTimeField(null=True)  # when a row was first seen

    probe_interval_us = models.BigIntegerField()
    probe_due_at = models.DateTimeField()
    probe_lease_until = models.DateTimeField(null=True)
    probe_fence = models.IntegerField(default=0)
    probe_cursor = models.BinaryField(default=b"")  # where the walk through the store's keys goes on
    remembered_keys = models.JSONField(default=list)  # hex: seen before, so they should be there still
    probed_at = models.DateTimeField(null=True)
    no_keys = models.CharField(max_length=300, blank=True)  # why the store can tell a probe of no key
    watermarks = models.JSONField(default=dict)  # lane -> microseconds, as the last probe read them

    # What lineage was last told.
    told_state = models.CharField(max_length=10, blank=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "view"], name="monitors_watch")]
        indexes = [models.Index(fields=["probe_due_at"], name="monitors_watch_due")]  # the probers'

    @property
    def is_learning(self) -> bool:
        """Whether no row was ever seen, in a store where one would have been."""
        return self.written_at is None and not self.no_keys


class Monitor(models.Model):
    """A rule about a view (or about what one service gets of it), and where it stands."""

    watch = models.ForeignKey(ViewWatch, on_delete=models.CASCADE, related_name="monitors")
    project = models.CharField(max_length=NAME_LENGTH)
    view = models.CharField(max_length=NAME_LENGTH)
    service = models.CharField(max_length=NAME_LENGTH, blank=True)
    kind = models.CharField(max_length=20)
    lane = models.CharField(max_length=8, blank=True)
    config = models.JSONField(default=dict)  # the API's shape; defaults are filled in when it is read
    managed = models.BooleanField(default=False)  # follows the contract until somebody edits it
    paused = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    fence = models.IntegerField(default=0)

    state = models.CharField(max_length=8, default="no_data")
    since = models.DateTimeField(null=True)
    level = models.CharField(max_length=8, default="no_data")
    last_at = models.DateTimeField(null=True)
    breach_clock_us = models.BigIntegerField(null=True)
    bad_clock_us = models.BigIntegerField(null=True)
    eased_clock_us = models.BigIntegerField(null=True)
    clear_clock_us = models.BigIntegerField(null=True)
    value = models.FloatField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    evaluated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["watch", "service", "kind", "lane"], name="monitors_monitor_once")
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(paused=False), name="monitors_monitor_due"),  # claims
            models.Index(fields=["project", "id"], name="monitors_monitor_list"),  # GET /monitors, health
        ]


class Evaluation(models.Model):
    """A result that was applied. Replaying a monitor's results gives its states."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="evaluations")
    at = models.DateTimeField(db_index=True)  # the sweeper's
    level = models.CharField(max_length=8)
    clear = models.BooleanField()
    value = models.FloatField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=8)

    class Meta:
        indexes = [models.Index(fields=["monitor", "-at"], name="monitors_evaluation_list")]  # charts


class Incident(models.Model):
    """A problem. A child (``parent`` set) is explained by its root; only roots notify."""

    number = models.BigAutoField(primary_key=True)
    project = models.CharField(max_length=NAME_LENGTH)
    fingerprint = models.CharField(max_length=700)
    dedup_key = models.CharField(max_length=255)
    subject = models.CharField(max_length=600)  # a lineage node id, or meta:...
    view = models.CharField(max_length=NAME_LENGTH, blank=True)
    family = models.CharField(max_length=10)
    kind = models.CharField(max_length=20)  # the first monitor's kind, or the cause's once one is known
    severity = models.CharField(max_length=8)
    owner = models.CharField(max_length=NAME_LENGTH, blank=True)
    tier = models.CharField(max_length=10, blank=True)
    state = models.CharField(max_length=12, default="open")
    summary = models.CharField(max_length=500, blank=True)  # how bad, at the last change
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    cause = models.JSONField(null=True)  # {node, kind, run, reason, confidence, since}
    cause_node = models.CharField(max_length=600, blank=True)  # set only when sure: what others fold under
    other_causes = models.JSONField(default=list)
    cause_due_at = models.DateTimeField(null=True)  # when to ask lineage again
    alone_at = models.DateTimeField(null=True)  # a child without its parent notifies itself from then on

    opened_at = models.DateTimeField()
    bad_since = models.DateTimeField()
    as_of = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=120, blank=True)
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=500, blank=True)
    sequence = models.IntegerField(default=0)  # of the last transition that notified

    @property
    def service(self) -> str:
        """The service whose own terms are broken; "" where the view breaks what it promises to all."""
        return service_in(self.subject)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], condition=Q(state__in=OPEN), name="monitors_incident_open"
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("number")), name="monitors_incident_depth"
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-number"], name="monitors_incident_list"),  # GET /incidents
            models.Index(fields=["cause_due_at"], condition=Q(state__in=OPEN), name="monitors_incident_ask"),
            models.Index(fields=["fingerprint", "-number"], name="monitors_incident_last"),  # reopening
        ]


class Evidence(models.Model):
    """A monitor that breached on an incident."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="evidence")
    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="evidence")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "monitor"], name="monitors_evidence_once")]


class TimelineEntry(models.Model):
    """What happened to an incident; rows are only ever added."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="timeline")
    at = models.DateTimeField()
    kind = models.CharField(max_length=20)
    actor = models.CharField(max_length=120, blank=True)
    text = models.CharField(max_length=1_000)

    class Meta:
        indexes = [models.Index(fields=["incident", "id"], name="monitors_timeline_order")]


class Channel(models.Model):
    """Where notifications go. Its config is a secret; one message at a time is under way on it."""

    name = models.CharField(max_length=100, unique=True)
    project = models.CharField(max_length=NAME_LENGTH, blank=True)  # empty: the whole installation
    kind = models.CharField(max_length=20)
    sealed_config = models.TextField()
    hint = models.CharField(max_length=40, blank=True)  # the last characters, to tell secrets apart
    fallback = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="fallback_of")
    created_at = models.DateTimeField()
    free_at = models.DateTimeField(null=True)  # held until then: in use, or the receiver asked for a pause
    broken_at = models.DateTimeField(null=True)  # refused for good, until something is delivered again
    last_error = models.CharField(max_length=300, blank=True)
    last_sent_at = models.DateTimeField(null=True)


class TeamChannel(models.Model):
    """A default channel of a team; the team ``*`` stands in for teams without one."""

    team = models.CharField(max_length=NAME_LENGTH)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="teams")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "channel"], name="monitors_team_channel")]


class Notification(models.Model):
    """The outbox. Written with the transition, rendered at the first attempt, then frozen."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="notifications")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="notifications")
    sequence = models.IntegerField()
    action = models.CharField(max_length=12)
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    state = models.CharField(max_length=12, default="pending")
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    fence = models.IntegerField(default=0)
    attempts = models.IntegerField(default=0)
    is_plain = models.BooleanField(default=False)
    body = models.JSONField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "channel", "sequence"], name="monitors_notification_order"
            )
        ]
        indexes = [
            # The deliverers': few rows are unfinished.
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=[state.value for state in UNFINISHED]),
                name="monitors_notification_due",
            ),
            models.Index(fields=["created_at"], name="monitors_notification_age"),  # the sweeper's
        ]


class Silence(models.Model):
    """Matching incidents notify nobody from ``starts_at`` until just before ``ends_at``."""

    project = models.CharField(max_length=NAME_LENGTH, blank=True)  # empty: matchers may span projects
    matchers = models.JSONField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)  # which are still in force
    reason = models.CharField(max_length=500)
    author = models.CharField(max_length=120)
    created_at = models.DateTimeField()


class LoopBeat(models.Model):
    """When each loop (judge, probe, notify) last went round."""

    name = models.CharField(max_length=20, unique=True)
    at = models.DateTimeField()
