"""The Django app."""

from django.apps import AppConfig


class ObservationsConfig(AppConfig):
    """Registers the app."""

    name = "controlplane.observations"
    label = "observations"
    default_auto_field = "django.db.models.BigAutoField"
