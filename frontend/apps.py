"""The Django app."""

from django.apps import AppConfig


class FrontendConfig(AppConfig):
    """Registers the app."""

    name = "frontend"
    label = "frontend"
    default_auto_field = "django.db.models.BigAutoField"
