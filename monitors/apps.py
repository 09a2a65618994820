"""The Django app."""

from django.apps import AppConfig


class MonitorsConfig(AppConfig):
    """Registers the app."""

    name = "monitors"
    label = "monitors"
    default_auto_field = "django.db.models.BigAutoField"
