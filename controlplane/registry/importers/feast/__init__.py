"""A Feast repository's registry file, and the definition file that says the same here."""

from controlplane.registry.importers.feast.converting import Imported, choose_project, convert
from controlplane.registry.importers.feast.reading import read_registry
from controlplane.registry.importers.feast.records import Registry
from controlplane.registry.importers.feast.remarks import Remark

__all__ = ["Imported", "Registry", "Remark", "choose_project", "convert", "read_registry"]
