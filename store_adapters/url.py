"""Stores by URL: what STORE_URL may say."""

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import cast
from urllib.parse import parse_qsl, unquote, urlsplit

from redis import Redis

from controlplane.kernel.errors import Refused
from store_adapters.feast_redis import FeastRedisStore
from store_adapters.feast_sqlite import FeastSqliteStore
from store_adapters.protocol import Store
from store_adapters.redis_clients import Clients, ClusterRedis, SingleRedis, retry
from store_adapters.redis_store import RedisStore
from store_adapters.sqlite_store import SqliteStore

_FORMS = (
    "sqlite:///absolute/path, redis://[user:password@]host:port/db, rediss://..., "
    "redis+cluster://[user:password@]host:port,host:port, rediss+cluster://... "
    "or dynamodb://region/table[?endpoint=http://host:port]; "
    "for a store of Feast's, which is only read, feast+ before one of SQLite's or Redis's, "
    "or feast+dynamodb://region[?endpoint=http://host:port&table_name_template={project}.{table_name}]"
)
_FEAST = "feast+"
_REGION = re.compile(r"[a-z0-9-]{1,63}")
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")


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
    return SqliteStore(_path(url), timeout_seconds=timeout_seconds)


def _open_feast_sqlite(url: str, timeout_seconds: float) -> Store:
    return FeastSqliteStore(_path(url.removeprefix(_FEAST)), timeout_seconds=timeout_seconds)


def _path(url: str) -> Path:
    path = Path(unquote(url.removeprefix("sqlite://")))
    if not path.is_absolute() or path.name == "":
        raise _refused("a SQLite store is an absolute path: sqlite:/// and then the path")
    return path


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


def _open_dynamodb(url: str, timeout_seconds: float) -> Store:
    region, table, options = _dynamodb_parts(url, known={"endpoint"})
    if not _TABLE.fullmatch(table):
        raise _refused("a DynamoDB store is a region and the name of a table")
    module = _dynamodb_module("store_adapters.dynamo_store")
    store = module.DynamoStore(
        table, region=region, endpoint=options.get("endpoint"), timeout_seconds=timeout_seconds
    )
    return cast(Store, store)


def _open_feast_dynamodb(url: str, timeout_seconds: float) -> Store:
    region, table, options = _dynamodb_parts(url, known={"endpoint", "table_name_template"})
    if table:
        raise _refused("a store of Feast's in DynamoDB is a region; Feast makes a table for each view")
    module = _dynamodb_module("store_adapters.feast_dynamo")
    template = options.get("table_name_template", module.DEFAULT_TEMPLATE)
    if "{table_name}" not in template:
        raise _refused("the table_name_template has no {table_name}")
    store = module.FeastDynamoStore(
        region=region, endpoint=options.get("endpoint"), template=template, timeout_seconds=timeout_seconds
    )
    return cast(Store, store)


def _dynamodb_parts(url: str, *, known: set[str]) -> tuple[str, str, dict[str, str]]:
    """Return region, path and options."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise _refused("its query cannot be read") from error
    if not _REGION.fullmatch(parts.netloc):
        raise _refused("a DynamoDB store begins with a region")
    if options.keys() - known:
        raise _refused(f"of DynamoDB's options only {' and '.join(sorted(known))} are known")
    endpoint = options.get("endpoint")
    if endpoint is not None and not _is_endpoint(endpoint):
        raise _refused("the endpoint is not http://host:port or https://host:port")
    return parts.netloc, parts.path.removeprefix("/"), options


def _dynamodb_module(name: str) -> ModuleType:
    try:
        # By name: boto3 is an extra, and whoever keeps rows elsewhere needs none of it.
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise Refused(
            "bad_value",
            "a DynamoDB store needs the Python package boto3: pip install 'freshline[dynamodb]',"
            " or pip install -r requirements/dynamodb.txt",
        ) from error


def _is_endpoint(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and parts.username is None
            and not parts.query
        )
    except ValueError:
        return False


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
    "dynamodb": _open_dynamodb,
    "feast+sqlite": _open_feast_sqlite,
    "feast+dynamodb": _open_feast_dynamodb,
}
