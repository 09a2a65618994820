"""The REST API of the registry: definitions, the serving bundle, connections."""

from controlplane.registry.api import (
    connections,
    definitions,
    importing,
    objects,
    projects,
    serving,
    versions,
)

urlpatterns = [
    *projects.urlpatterns,
    *definitions.urlpatterns,
    *importing.urlpatterns,
    *versions.urlpatterns,
    *objects.urlpatterns,
    *serving.urlpatterns,
    *connections.urlpatterns,
]
