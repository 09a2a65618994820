"""The answers kept for Idempotency-Key."""

from django.db import models


class IdempotentAnswer(models.Model):
    """What a POST with an Idempotency-Key answered; kept 24 h."""

    scope = models.CharField(max_length=64)  # SHA-256 of caller, method, path and key
    body_digest = models.CharField(max_length=64)
    # Null while the first request is at work: a second one that comes meanwhile gets 409.
    status = models.IntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField()  # when the first request came: the receipt time of its rows
    claimed_at = models.DateTimeField()
    holder = models.CharField(max_length=160, blank=True)  # the process at work, as kernel.processes names it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope"], name="rest_answer_scope")]
        indexes = [models.Index(fields=["created_at"], name="rest_answer_created")]  # the sweeper's
