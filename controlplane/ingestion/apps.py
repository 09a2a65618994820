"""The Django app."""

from django.apps import AppConfig


class IngestionConfig(AppConfig):
    """Registers the app."""

    name = "controlplane.ingestion"
    label = "ingestion"
    default_auto_field = "django.db.models.BigAutoField"
