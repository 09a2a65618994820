"""Where a Feast repository keeps its registry: what its feature_store.yaml says."""

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from controlplane.cli.surroundings import WronglyAsked

SETTINGS = "feature_store.yaml"
# The only entity keys that are read in Feast's stores; Feast's default since 0.40.
KEY_VERSION = 3


@dataclass(frozen=True, slots=True)
class Repository:
    """A registry file. Of a file that was named itself, nothing else is known: no project, version 3."""

    registry: Path
    project: str = ""
    key_version: object = KEY_VERSION


def find(path: str) -> Repository:
    """Return the repository at ``path``: its folder, its feature_store.yaml, or its registry file alone."""
    place = Path(path)
    if place.is_dir():
        place = place / SETTINGS
        if not place.is_file():
            raise WronglyAsked(f"{path} holds no {SETTINGS}: name a Feast repository or its registry file")
    return _said_in(place) if place.suffix in (".yaml", ".yml") else Repository(place)


def _said_in(settings: Path) -> Repository:
    document = _read(settings)
    registry = document.get("registry", "data/registry.db")
    if isinstance(registry, dict):
        kind = registry.get("registry_type", "file")
        if kind != "file":
            raise WronglyAsked(_elsewhere(settings, f"a {kind} registry"))
        registry = registry.get("path")
    if not isinstance(registry, str) or not registry:
        raise WronglyAsked(f"{settings} does not say where the registry is")
    place = os.path.expandvars(registry)
    if "://" in place:
        raise WronglyAsked(_elsewhere(settings, f"its registry at {place.partition('://')[0]}://"))
    version = document.get("entity_key_serialization_version", KEY_VERSION)
    return Repository(
        settings.parent / place, os.path.expandvars(str(document.get("project") or "")), version
    )


def _read(settings: Path) -> dict[str, object]:
    try:
        document = yaml.safe_load(settings.read_bytes())
    except OSError as wrong:
        raise WronglyAsked(f"{settings}: {wrong.strerror}") from wrong
    except (yaml.YAMLError, ValueError, RecursionError) as wrong:
        raise WronglyAsked(f"{settings} is no YAML: {wrong}") from wrong
    if not isinstance(document, dict):
        raise WronglyAsked(f"{settings} holds no settings")
    return document


def _elsewhere(settings: Path, what: str) -> str:
    return (
        f"{settings} keeps {what}: only files are read. In that folder, Feast itself writes one:\n"
        "  python -c \"from feast import FeatureStore; open('registry.db', 'wb').write("
        "FeatureStore('.').registry.proto().SerializeToString())\"\n"
        "  freshline import feast registry.db --project NAME"
    )
