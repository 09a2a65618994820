"""From a definition's stream source to something that can be read."""

from controlplane.contracts.model import Source
from controlplane.ingestion.sources.jsonl import JsonLines
from controlplane.ingestion.sources.redis_stream import RedisStream
from controlplane.ingestion.sources.roots import find_files
from controlplane.ingestion.sources.stream import StreamSource
from controlplane.kernel.errors import Refused, Unavailable
from controlplane.registry import selectors as registry


def open_stream(source: Source, *, view_id: int) -> StreamSource:
    """Return the stream of a source; ``Unavailable`` when its file is not there yet."""
    if source.connection is not None:
        url = registry.connection_url(source.connection)
        if not url.startswith(("redis://", "rediss://")):
            raise Refused(
                "source_unreadable", f"source {source.name}: streams are read from Redis, or a file"
            )
        return RedisStream(url, source.topic or source.name, group=f"freshline-{view_id}")
    assert source.uri is not None  # the definition says: a connection, or a file
    try:
        (path,) = find_files(source.uri)
    except Refused as refused:
        if refused.code == "source_missing":
            raise Unavailable("unavailable", f"source {source.name}: {refused.detail}") from refused
        raise
    except ValueError as wrong:
        raise Refused("source_unreadable", f"source {source.name}: a stream is one file") from wrong
    return JsonLines(path)


def identity_of(source: Source) -> str:
    """Return what a cursor belongs to: another file or topic has other positions."""
    return f"{source.connection or ''}|{source.topic or ''}|{source.uri or ''}"
