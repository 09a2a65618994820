"""Tables of lineage: the events as they came, and the graph made of them."""

from django.db import models


class RawEvent(models.Model):
    """An event as received; the graph can be made anew from these rows."""

    digest = models.CharField(max_length=64, unique=True)  # a resent event is the same row
    body = models.JSONField()
    received_at = models.DateTimeField()
    projected_at = models.DateTimeField(null=True)
    flags = models.JSONField(default=list)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            # project_pending: what is not yet in the graph, oldest first
            models.Index(fields=["id"], condition=models.Q(projected_at=None), name="lineage_event_pending"),
            models.Index(fields=["received_at"], name="lineage_event_received"),  # the retention sweeper's
        ]


PROJECTION = "projection"


class ProjectionLock(models.Model):
    """One row: whoever holds it locked projects, so that merges never race."""

    name = models.CharField(max_length=20, unique=True)
    # When somebody last looked for pending events, found or not: what tells rest from nobody being there.
    looked_at = models.DateTimeField(null=True)


class Node(models.Model):
    """A dataset, job, view, service or model."""

    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the id, which may be too long to index
    node_id = models.TextField()
    kind = models.CharField(max_length=10)
    namespace = models.TextField()
    name = models.TextField()
    project = models.CharField(max_length=63, blank=True)  # whose it is; empty: everybody's
    owner = models.CharField(max_length=63, blank=True)
    facets = models.JSONField(default=dict)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    # The one node that stands for all names of the same thing (itself, when there is but one name).
    representative = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="members")

    class Meta:
        indexes = [models.Index(fields=["project", "kind"], name="lineage_node_project")]  # sync_registry


class Alias(models.Model):
    """Two names of one dataset, as a producer said (symlinks, rename)."""

    one = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["one", "other"], name="lineage_alias_once")]


class Edge(models.Model):
    """Data flows from ``source`` to ``target``. ``declared``: by the registry, which also retires it."""

    source = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="downstream")
    target = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="upstream")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    declared = models.BooleanField(default=False)
    observed = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        # Walking up asks by target; walking down asks by source, which the constraint's index serves.
        constraints = [models.UniqueConstraint(fields=["source", "target"], name="lineage_edge_once")]


class Run(models.Model):
    """A run of a job, as its events tell."""

    run_id = models.UUIDField(unique=True)
    job = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(max_length=40)
    state_rank = models.IntegerField()
    state_at_us = models.BigIntegerField()
    state_digest = models.CharField(max_length=64)
    first_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    facets = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["job", "-first_at"], name="lineage_run_job")
        ]  # the last runs of a job


class NodeState(models.Model):
    """A node's health over time, written by monitors; the open interval (``until`` null) is the present."""

    node_id = models.TextField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=20)
    detail = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField()
    as_of = models.DateTimeField(
        null=True
    )  # until when a view's values were right, as it came into the state
    until = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True)  # past this nobody has looked, and the state is no_data

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["digest"], condition=models.Q(until=None), name="lineage_state_now"
            )
        ]
        indexes = [models.Index(fields=["digest", "since"], name="lineage_state_history")]
