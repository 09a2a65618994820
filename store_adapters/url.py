"""Stores by URL: what STORE_URL may say."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from redis import Redis

from controlplane.kernel.errors import Refused
from store_adapters.feast_redis import FeastRedisStore
from store_adapters.protocol import Store
from store_adapters.redis_clients import Clients, ClusterRedis, SingleRedis, retry
from store_adapters.redis_store import RedisStore
from store_adapters.sqlite_store import SqliteStore

_FORMS = (
    "sqlite:///absolute/path, redis://[user:password@]host:port/db, rediss://..., "
    "redis+cluster://[user:password@]host:port,host:port or rediss+cluster://...; "
    "feast+ before one of Redis's for a store of Feast's, which is only read"
)
_FEAST = "feast+"


def open_store(url: str, *, timeout_seconds: float = 5.0) -> Store:
    """Return the store at ``url``; nothing is contacted yet. ``Refused`` says what a URL may look like.

    ``timeout_seconds`` bounds each wait for the store: for a lock, a connection, an answer.
    """
    scheme = url.partition("://")[0]
    opener = _OPENERS.get(scheme)
    if opener is None:
        raise _refused(f"the scheme {scheme!r} is unknown")
    return opener(url, timeout_seconds)


def _open_sqlite(url: str, timeout_seconds: float) -> Store:
    path = Path(unquote(url.removeprefix("sqlite://")))
    if not path.is_absolute() or path.name == "":
        raise _refused("a SQLite store is an absolute path: sqlite:/// and then the path")
    return SqliteStore(path, timeout_seconds=timeout_seconds)


def is_read_only(url: str) -> bool:
    """Return whether the store at ``url`` is somebody else's, which we never write."""
    return url.startswith(_FEAST)


def _open_redis(url: str, timeout_seconds: float) -> Store:
    client, address = _single(url, timeout_seconds)
    return RedisStore(client, kind="redis", address=address)


def _open_cluster(url: str, timeout_seconds: float) -> Store:
    client, address = _cluster(url, timeout_seconds)
    return RedisStore(client, kind="redis-cluster", address=address)


def _open_feast_redis(url: str, timeout_seconds: float) -> Store:
    client, address = _single(url.removeprefix(_FEAST), timeout_seconds)
    return FeastRedisStore(client, kind="feast-redis", address=_FEAST + address)


def _open_feast_cluster(url: str, timeout_seconds: float) -> Store:
    client, address = _cluster(url.removeprefix(_FEAST), timeout_seconds)
    return FeastRedisStore(client, kind="feast-redis-cluster", address=_FEAST + address)


def _single(url: str, timeout_seconds: float) -> tuple[Clients, str]:
    try:
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}/{int(parts.path.strip('/') or 0)}"
        client = Redis.from_url(
            url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds, retry=retry()
        )
    except ValueError as error:
        raise _refused("host, port or database is no such thing") from error
    if not parts.hostname:
        raise _refused("the host is missing")
    return SingleRedis(client), address


def _cluster(url: str, timeout_seconds: float) -> tuple[Clients, str]:
    scheme, _, rest = url.partition("://")
    credentials, _, hosts = rest.rpartition("@")
    user, _, password = credentials.partition(":")
    nodes = [_host_and_port(host) for host in hosts.rstrip("/").split(",")]
    options: dict[str, object] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": retry(),
        "username": unquote(user) or None,
        "password": unquote(password) or None,
        "ssl": scheme == "rediss+cluster",
    }
    address = f"{scheme}://" + ",".join(f"{host}:{port}" for host, port in nodes)
    return ClusterRedis(nodes, options), address


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise _refused(f"{text!r} is not host:port")
    return host.strip("[]"), int(port)


def _refused(reason: str) -> Refused:
    return Refused("bad_value", f"the store's URL cannot be used: {reason}. It looks like {_FORMS}")


_OPENERS: dict[str, Callable[[str, float], Store]] = {
    "sqlite": _open_sqlite,
    "redis": _open_redis,
    "rediss": _open_redis,
    "redis+cluster": _open_cluster,
    "rediss+cluster": _open_cluster,
    "feast+redis": _open_feast_redis,
    "feast+rediss": _open_feast_redis,
    "feast+redis+cluster": _open_feast_cluster,
    "feast+rediss+cluster": _open_feast_cluster,
}
