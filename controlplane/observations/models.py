"""Tables of what serving and probes reported. Projects, views and services are known here by name only."""

from django.db import models

NAME_LENGTH = 63


class MinuteCount(models.Model):
    """What one view answered to one service (empty: none) in one minute, over all serving processes."""

    project = models.CharField(max_length=NAME_LENGTH)
    view = models.CharField(max_length=NAME_LENGTH)
    service = models.CharField(max_length=NAME_LENGTH, blank=True)
    minute = models.IntegerField()  # minutes since 1970 UTC
    contract = models.IntegerField()  # the newest that was obeyed in it
    requests = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    rejected_rows = models.BigIntegerField(default=0)
    failed_requests = models.BigIntegerField(default=0)
    also_invalid = models.BigIntegerField(default=0)
    values = models.JSONField(default=dict)  # by verdict
    actions = models.JSONField(default=dict)  # by action
    age_buckets = models.JSONField(default=dict)  # by bucket, as text
    # Last, because they are long and most readers leave them out: by feature, then by verdict;
    features = models.JSONField(default=dict)
    bins = models.JSONField(default=dict)  # by feature, by the id of its bins, by bin

    class Meta:
        constraints = [
            # Serves sums over time, and makes one row of many reports.
            models.UniqueConstraint(
                fields=["project", "view", "service", "minute"], name="observations_minute"
            )
        ]
        indexes = [models.Index(fields=["minute"], name="observations_minute_sweep")]


class HalfHourCount(models.Model):
    """What one view (empty: the whole project) answered in half an hour, and what probes saw of it.

    Pages draw the last day from it: 48 rows instead of every minute of every service.
    """

    project = models.CharField(max_length=NAME_LENGTH)
    view = models.CharField(max_length=NAME_LENGTH, blank=True)
    number = models.IntegerField()  # half hours since 1970 UTC
    requests = models.BigIntegerField(default=0)
    values = models.JSONField(default=dict)  # by verdict
    features = models.JSONField(default=dict)  # by feature, then by verdict
    latency_buckets = models.JSONField(default=dict)  # by bucket, as text
    probed = models.JSONField(default=dict)  # by feature, then by verdict
    probe_latency_buckets = models.JSONField(default=dict)
    age_p95_us = models.BigIntegerField(null=True)  # the worst that a probe saw

    class Meta:
        constraints = [
            # Serves the last day of a page, and makes one row of many reports and probes.
            models.UniqueConstraint(fields=["project", "view", "number"], name="observations_half_hour")
        ]
        indexes = [models.Index(fields=["number"], name="observations_half_hour_sweep")]


class ReportReceipt(models.Model):
    """A report that was counted. A second one with the same number changes nothing."""

    instance = models.CharField(max_length=200)
    sequence = models.BigIntegerField()
    received_at = models.DateTimeField(db_index=True)  # the sweeper's; and who reported lately
    dropped = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "sequence"], name="observations_receipt")]


class SampledLookup(models.Model):
    """One of the few lookups that serving tells of one by one."""

    at = models.DateTimeField(db_index=True)  # the sweeper's
    project = models.CharField(max_length=NAME_LENGTH)
    view = models.CharField(max_length=NAME_LENGTH)
    service = models.CharField(max_length=NAME_LENGTH, blank=True)
    key_sha256 = models.CharField(max_length=64)
    key = models.BinaryField(null=True)  # where serving was allowed to tell it
    verdicts = models.JSONField()
    age_us = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["project", "view", "-at"], name="observations_sampled")]  # recent


class Probe(models.Model):
    """One look of ours at a view's known keys in the store."""

    project = models.CharField(max_length=NAME_LENGTH)
    view = models.CharField(max_length=NAME_LENGTH)
    at = models.DateTimeField(db_index=True)  # the sweeper's
    keys_known = models.BigIntegerField()
    keys_read = models.IntegerField()
    found = models.IntegerField()
    missing = models.IntegerField()
    invalid = models.IntegerField()
    age_p50_us = models.BigIntegerField(null=True)
    age_p95_us = models.BigIntegerField(null=True)
    age_max_us = models.BigIntegerField(null=True)
    stale_share = models.FloatField(null=True)
    late_share = models.FloatField(null=True)
    store_latency_us = models.BigIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["project", "view", "-at"], name="observations_probe_newest")
        ]  # the latest
