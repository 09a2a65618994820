"""The Django app."""

from django.apps import AppConfig


class RestConfig(AppConfig):
    """Registers the app."""

    name = "controlplane.rest"
    label = "rest"
    default_auto_field = "django.db.models.BigAutoField"
