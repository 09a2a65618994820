"""The Django app."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Registers the app."""

    name = "controlplane.registry"
    label = "registry"
    default_auto_field = "django.db.models.BigAutoField"
