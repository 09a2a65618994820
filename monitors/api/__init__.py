"""The REST API of watching: health, monitors, incidents, channels, silences."""

from monitors.api import channels, health, incidents, metrics, monitors, silences

__all__ = ["metrics", "urlpatterns"]

urlpatterns = [
    *health.urlpatterns,
    *monitors.urlpatterns,
    *incidents.urlpatterns,
    *channels.urlpatterns,
    *silences.urlpatterns,
]
