"""Connections to network sources: what their URLs may be, and what of them may be shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from controlplane.kernel.errors import Refused

SCHEMES: dict[str, tuple[str, ...]] = {
    "redis": ("redis", "rediss", "redis+cluster", "rediss+cluster"),
    "kafka": ("kafka", "kafka+ssl"),
    "postgres": ("postgres", "postgresql"),
    "s3": ("s3", "https", "http"),
    "gcs": ("gs", "https"),
    "http": ("https", "http"),
}
_BUCKETS = ("s3", "gs")  # what follows these schemes is a bucket, no host


@dataclass(frozen=True, slots=True)
class Target:
    """Where a connection leads, without its secrets: ``address`` is scheme and hosts, no user, path or query.
    ``hosts`` are those that may be contacted for it."""

    address: str
    hosts: tuple[str, ...]


def read_target(kind: str, url: str, hosts: Iterable[str]) -> Target:
    """Return where ``url`` leads; ``hosts`` given must hold those in it. No message quotes the URL."""
    scheme, _, _ = url.partition("://")
    if scheme not in SCHEMES[kind]:
        allowed = ", ".join(f"{each}://" for each in SCHEMES[kind])
        raise Refused("bad_value", f"The url of a {kind} connection begins with one of {allowed}")
    try:
        netloc = urlsplit(url).netloc.rpartition("@")[2]
    except ValueError as wrong:
        raise Refused("bad_value", "The url cannot be read: check brackets and the port.") from wrong
    named = [] if scheme in _BUCKETS else [_host(each) for each in netloc.split(",")]
    if not netloc or not all(named):
        raise Refused("bad_value", "The url names no host.")
    given = tuple(dict.fromkeys(hosts)) or tuple(named)
    missing = [host for host in named if host not in given]
    if missing:
        raise Refused("bad_value", f"hosts lacks {', '.join(missing)}, which the url names.")
    return Target(f"{scheme}://{netloc}", given)


def _host(netloc: str) -> str:
    """Return the host of ``host:port`` or ``[::1]:port``."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0]
    return netloc.partition(":")[0]
