"""The REST API of the registry: definitions, the serving bundle, connections."""

from controlplane.registry.api import connections, definitions, objects, projects, serving, versions

urlpatterns = [
    *projects.urlpatterns,
    *definitions.urlpatterns,
    *versions.urlpatterns,
    *objects.urlpatterns,
    *serving.urlpatterns,
    *connections.urlpatterns,
]
