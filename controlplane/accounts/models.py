"""Tables of teams, roles, tokens and the audit log. Projects are known here by name only."""

from django.conf import settings
from django.db import models

from controlplane.accounts.domain import Role


class Team(models.Model):
    """Owns things and holds people; grants a role in each of its projects."""

    name = models.CharField(max_length=63, unique=True)
    created_at = models.DateTimeField()


class Membership(models.Model):
    """A person in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "team"], name="accounts_membership_once")]


class TeamRole(models.Model):
    """A team's one role in a project."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="roles")
    project = models.CharField(max_length=63)
    role = models.IntegerField(choices=[(role.value, role.word) for role in Role])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "project"], name="accounts_team_role")]


class Token(models.Model):
    """An API token. Only its digest is kept: 256 random bits need no slow hash."""

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)  # looked up on every request
    scopes = models.JSONField()
    projects = models.JSONField()  # list of names, or ["*"]
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    last_used_from = models.CharField(max_length=64, blank=True)


class AuditEntry(models.Model):
    """Who did what to which thing; rows are only ever added."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=120)
    project = models.CharField(max_length=63, blank=True)
    action = models.CharField(max_length=40)
    object_kind = models.CharField(max_length=40)
    object_name = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [models.Index(fields=["project", "-id"], name="accounts_audit_project")]  # GET /audit
