"""Tables of definitions, contracts, bundles and connections.

``document`` columns hold canonical JSON (sorted keys, no spaces) as text, not as a JSON column: a database
that normalises numbers (1.0, 1e22) or key order would give back another definition than was applied, and
equal text is equal meaning, which lets readers cache what they parsed.

A retired object keeps its row, so that its history stays and its name continues its numbers.
"""

import uuid

from django.db import models

from controlplane.kernel.names import DEFAULT_STORE

NAME_LENGTH = 63
DIGEST_LENGTH = 64


class Registry(models.Model):
    """The installation's one registry: its identity, and the newest bundle. The lock of every change."""

    uuid = models.UUIDField(default=uuid.uuid4)
    bundle_number = models.IntegerField(default=0)
    bundle_digest = models.CharField(max_length=DIGEST_LENGTH, blank=True)
    # What the newest bundle says of lookup tokens: tokens change without any definition changing.
    tokens_digest = models.CharField(max_length=DIGEST_LENGTH, blank=True)


class ApplyClaim(models.Model):
    """Who is changing a project right now. Taken by compare-and-swap on ``generation``; expires by itself."""

    project = models.CharField(max_length=NAME_LENGTH, unique=True)
    generation = models.IntegerField(default=0)
    leased_until = models.DateTimeField(null=True)


class Project(models.Model):
    """A namespace of definitions."""

    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=120)
    changed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    store = models.CharField(max_length=NAME_LENGTH, default=DEFAULT_STORE)  # which of them holds its rows


class DefinedObject(models.Model):
    """What every object of a definition file has."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT)
    name = models.CharField(max_length=NAME_LENGTH)
    owner = models.CharField(max_length=NAME_LENGTH, blank=True)
    document = models.TextField()
    digest = models.CharField(max_length=DIGEST_LENGTH)  # SHA-256 of the document: the ETag
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        # Serves every list and every look-up by name.
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="%(app_label)s_%(class)s_name")
        ]


class Entity(DefinedObject):
    """What features describe."""


class Source(DefinedObject):
    """Where rows come from."""

    kind = models.CharField(max_length=16)
    connection = models.CharField(max_length=NAME_LENGTH, blank=True)


class FeatureView(DefinedObject):
    """Features computed together. The numbers are those in force; they only ever rise."""

    tier = models.CharField(max_length=16)
    labels = models.TextField()  # "entity:x", "source:x", "lane:x", "tag:k:v", each between line ends
    contract_number = models.IntegerField()
    layout_number = models.IntegerField()
    paused = models.BooleanField(default=False)
    # Set when the view retires, before the name may come back, and when it comes to a store that may hold
    # rows of it from earlier, before anything is written there: they must leave ``purge_store``, whose name
    # stays when they have.
    purge_due_at = models.DateTimeField(null=True)
    purge_store = models.CharField(max_length=NAME_LENGTH, blank=True, default="")

    class Meta(DefinedObject.Meta):
        indexes = [models.Index(fields=["purge_due_at"], name="registry_view_purge")]  # the sweeper's


class Contract(models.Model):
    """One numbered promise of a view. Rows are only ever added."""

    view = models.ForeignKey(FeatureView, on_delete=models.PROTECT, related_name="contracts")
    number = models.IntegerField()
    layout_number = models.IntegerField()
    document = models.TextField()
    digest = models.CharField(max_length=DIGEST_LENGTH)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["view", "number"], name="registry_contract_number")]


class Layout(models.Model):
    """The columns that rows of a view were or are written under. Rows are only ever added."""

    view = models.ForeignKey(FeatureView, on_delete=models.PROTECT, related_name="layouts")
    number = models.IntegerField()
    columns = models.TextField()  # [{"dtype":...,"name":...},...], as the store keeps it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["view", "number"], name="registry_layout_number")]


class FeatureService(DefinedObject):
    """What a consumer asks for."""

    model = models.CharField(max_length=200, blank=True)


class FeatureUse(models.Model):
    """A feature that a live service names: the index behind "who reads this view"."""

    service = models.ForeignKey(FeatureService, on_delete=models.CASCADE, related_name="uses")
    project = models.ForeignKey(Project, on_delete=models.PROTECT)
    view = models.CharField(max_length=NAME_LENGTH)
    feature = models.CharField(max_length=NAME_LENGTH)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "view", "feature"], name="registry_feature_use")
        ]
        indexes = [models.Index(fields=["project", "view"], name="registry_use_view")]  # who reads what


class Bundle(models.Model):
    """What serving obeys. Numbers rise by one, without a gap; bodies of old ones are dropped."""

    number = models.IntegerField(unique=True)
    digest = models.CharField(max_length=DIGEST_LENGTH)
    body = models.BinaryField()
    created_at = models.DateTimeField()


class Connection(models.Model):
    """How to reach a network source. The URL, which may hold a password, is kept sealed."""

    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    kind = models.CharField(max_length=16)
    sealed_url = models.TextField()
    address = models.CharField(max_length=300)  # scheme, host and port: what may be shown
    hosts = models.JSONField()
    digest = models.CharField(max_length=DIGEST_LENGTH)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()


class ServingAcknowledgement(models.Model):
    """Which bundle a serving process runs, as it last said."""

    instance = models.CharField(max_length=200, unique=True)
    digest = models.CharField(max_length=DIGEST_LENGTH)
    number = models.IntegerField()
    loaded_at = models.DateTimeField()
    refused_digest = models.CharField(max_length=DIGEST_LENGTH, blank=True)
    refused_reason = models.CharField(max_length=500, blank=True)
    build = models.CharField(max_length=200, blank=True)
    heard_at = models.DateTimeField(db_index=True)  # the sweeper's
