"""What a Redis says of itself, and what that means for a store of features."""

from collections.abc import Sequence
from typing import cast

from redis import Redis
from redis.exceptions import ResponseError

from store_adapters.protocol import Description

_OLDEST = (7, 0)


def describe(nodes: Sequence[Redis], *, kind: str, address: str) -> Description:
    """Ask every node; name a problem or warning once, with the nodes it concerns left out."""
    problems: set[str] = set()
    warnings: set[str] = set()
    version = ""
    for node in nodes:
        info = cast(dict[str, object], node.info("everything"))
        version = str(info.get("redis_version", ""))
        policy = str(info.get("maxmemory_policy", "noeviction"))
        if policy != "noeviction":
            problems.add(f"maxmemory-policy is {policy}: Redis would drop rows on its own; set noeviction")
        if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < _OLDEST:
            problems.add(f"version {version} is older than 7.0, which has PEXPIREAT GT")
        if not info.get("aof_enabled") and not _saves(node):
            warnings.add("nothing is persisted: neither an append-only file nor snapshots are on")
    return Description(kind, address, version, tuple(sorted(problems)), tuple(sorted(warnings)))


def _saves(node: Redis) -> bool:
    try:
        return bool(cast(dict[str, str], node.config_get("save")).get("save"))
    except ResponseError:  # CONFIG is forbidden or renamed: the benefit of the doubt
        return True
