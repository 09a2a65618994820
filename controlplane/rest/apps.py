"""The Django app."""

from django.apps import AppConfig
from django.urls import register_converter
from drf_spectacular.types import DJANGO_PATH_CONVERTER_MAPPING, OpenApiTypes

from controlplane.rest.addresses import IdConverter


class RestConfig(AppConfig):
    """Registers the app."""

    name = "controlplane.rest"
    label = "rest"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make ``<id:name>`` known before any address is read."""
        register_converter(IdConverter, "id")
        DJANGO_PATH_CONVERTER_MAPPING["id"] = OpenApiTypes.INT
