"""The OpenLineage dataset behind a source, by the standard's naming unless the source says otherwise."""

import posixpath
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from controlplane.contracts.model import LineageDataset, Source, SourceKind

_WILDCARDS = frozenset("*?[")
_DEFAULT_PORTS = {"redis": 6379, "rediss": 6379, "postgres": 5432, "postgresql": 5432}
_SCHEMES = {"rediss": "redis", "postgresql": "postgres", "gcs": "gs"}


def dataset_of(source: Source, *, root: str, connection_url: str | None = None) -> LineageDataset | None:
    """Return the dataset that upstream jobs write, None when nothing names one (a push source, say).

    ``root`` is the absolute directory that a relative path starts from; ``connection_url`` that of the
    source's connection. Credentials in it are left out. A pattern of files is named by its directory.
    """
    if source.lineage is not None:
        return source.lineage
    if source.uri is not None:
        return _of_uri(source.uri, root=root)
    if connection_url is None:
        return None
    place = urlsplit(connection_url)
    name_of = _NAMES.get(source.kind)
    return LineageDataset(_authority(place), name_of(source, place)) if name_of else None


def _of_uri(uri: str, *, root: str) -> LineageDataset:
    # A local path may hold ? as a wildcard, which urlsplit would take for a query.
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme.lower() == "file":
        path = posixpath.normpath(posixpath.join(root, rest if separator else uri))
        return LineageDataset("file", _without_pattern(path) or "/")
    place = urlsplit(uri)
    return LineageDataset(_authority(place), _without_pattern(place.path.strip("/")) or "/")


def _without_pattern(path: str) -> str:
    parts = path.split("/")
    literal = next((index for index, part in enumerate(parts) if _WILDCARDS & set(part)), len(parts))
    return "/".join(parts[:literal])


def _authority(place: SplitResult) -> str:
    """Return ``scheme://host:port``, without user, path or query; a bucket has no port."""
    scheme = _SCHEMES.get(place.scheme, place.scheme)
    hosts = place.netloc.rpartition("@")[2]
    default = _DEFAULT_PORTS.get(place.scheme)
    if default is not None and place.port is None:
        hosts = f"{hosts}:{default}"
    return f"{scheme}://{hosts}"


def _table_name(source: Source, place: SplitResult) -> str:
    table = source.table or ""
    qualified = table if "." in table else f"public.{table}"
    database = place.path.strip("/")
    return f"{database}.{qualified}" if database else qualified


def _topic_name(source: Source, place: SplitResult) -> str:
    return source.topic or ""


_NAMES: dict[SourceKind, Callable[[Source, SplitResult], str]] = {
    SourceKind.SQL: _table_name,
    SourceKind.STREAM: _topic_name,
}
