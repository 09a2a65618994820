"""The Django app."""

from django.apps import AppConfig


class LineageConfig(AppConfig):
    """Registers the app."""

    name = "lineage"
    label = "lineage"
    default_auto_field = "django.db.models.BigAutoField"
