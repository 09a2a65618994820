"""One Redis, or a Redis Cluster, behind the few calls that the store needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from redis import Redis, RedisCluster
from redis.backoff import ExponentialWithJitterBackoff
from redis.cluster import ClusterNode
from redis.exceptions import (
    AskError,
    MovedError,
    NoScriptError,
    RedisClusterException,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from store_adapters.protocol import unavailable
from store_adapters.redis_scripts import Script

Word = bytes | str | int

# Commands of one round trip: bounds the memory of both sides.
_PIPELINE = 512
_RETRIES = 1


@dataclass(frozen=True, slots=True)
class Command:
    """A command and the key that says which node it goes to."""

    key: bytes
    words: tuple[Word, ...]


class Clients(Protocol):
    """What redis_store needs of a connection. Replies are in the order of the commands."""

    keys_per_script: int

    def primaries(self) -> list[Redis]:
        """The nodes that hold keys, each reachable by itself."""
        ...

    def run(self, commands: Sequence[Command]) -> list[object]:
        """Run commands, pipelined; those that failed have the exception as their reply."""
        ...

    def close(self) -> None: ...


def retry() -> Retry:
    """Once more after a lost connection: every call of ours may be repeated."""
    return Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.2), _RETRIES)


def replies(clients: Clients, commands: Sequence[Command]) -> list[object]:
    """Run commands; raise the first error that any of them met."""
    found = clients.run(commands)
    for reply in found:
        if isinstance(reply, Exception):
            raise reply
    return found


def run_script(
    clients: Clients, script: Script, calls: Sequence[tuple[Sequence[bytes], Sequence[Word]]]
) -> list[object]:
    """Run ``script`` for each (keys, arguments); load it where a node does not know it (yet, or any more)."""
    commands = [
        Command(keys[0], ("EVALSHA", script.sha, len(keys), *keys, *arguments)) for keys, arguments in calls
    ]
    found = clients.run(commands)
    unknown = [at for at, reply in enumerate(found) if isinstance(reply, NoScriptError)]
    if unknown:
        for node in clients.primaries():
            node.script_load(script.text)
        again = clients.run([commands[at] for at in unknown])
        for at, reply in zip(unknown, again, strict=True):
            found[at] = reply
    for reply in found:
        if isinstance(reply, Exception):
            raise reply
    return found


class SingleRedis:
    """One server."""

    keys_per_script = 128  # a script stops the server: 128 rows are well under a millisecond

    def __init__(self, client: Redis) -> None:
        self._client = client

    def primaries(self) -> list[Redis]:
        return [self._client]

    def run(self, commands: Sequence[Command]) -> list[object]:
        found: list[object] = []
        for start in range(0, len(commands), _PIPELINE):
            found += _pipelined(self._client, commands[start : start + _PIPELINE])
        return found

    def close(self) -> None:
        self._client.close()
        self._client.connection_pool.disconnect()


class ClusterRedis:
    """A cluster. Connects on first use, so that building a store needs no server.

    Not by redis-py's own cluster pipeline: when a node stops answering, that sends each of its commands again
    alone, and waits the timeout for each.
    """

    keys_per_script = 1  # the keys of one script must share a slot

    def __init__(self, nodes: Iterable[tuple[str, int]], options: dict[str, object]) -> None:
        self._nodes = [ClusterNode(host, port) for host, port in nodes]  # type: ignore[no-untyped-call]
        self._options = options
        self._cluster: RedisCluster | None = None

    def primaries(self) -> list[Redis]:
        cluster = self._connected()
        nodes = cluster.get_primaries()  # type: ignore[no-untyped-call]
        return [cluster.get_redis_connection(node) for node in nodes]

    def run(self, commands: Sequence[Command]) -> list[object]:
        found: list[object] = [None] * len(commands)
        self._run_by_node(commands, list(range(len(commands))), found)
        lost = [at for at, reply in enumerate(found) if isinstance(reply, _LOST)]
        if lost:  # a node went away: ask who has its slots now, and try those once more
            self._connected().nodes_manager.initialize()
            self._run_by_node(commands, lost, found)
        for at, reply in enumerate(found):
            if isinstance(reply, _MOVED):  # the cluster client follows, and learns the way
                found[at] = self._follow(commands[at])
        return found

    def close(self) -> None:
        if self._cluster is not None:
            self._cluster.close()
            self._cluster = None

    def _connected(self) -> RedisCluster:
        if self._cluster is None:
            self._cluster = RedisCluster(startup_nodes=self._nodes, **self._options)  # type: ignore[arg-type]
        return self._cluster

    def _follow(self, command: Command) -> object:
        try:
            return self._connected().execute_command(*command.words)  # type: ignore[no-untyped-call]
        except RedisError as error:  # a reply like any other: the new node may not know a script
            return error

    def _run_by_node(self, commands: Sequence[Command], places: Sequence[int], found: list[object]) -> None:
        cluster = self._connected()
        by_node: dict[str, tuple[ClusterNode, list[int]]] = {}
        for at in places:
            node = cluster.get_node_from_key(commands[at].key)  # type: ignore[no-untyped-call]
            if node is None:
                found[at] = RedisConnectionError("no node has the slot of the key")
            else:
                by_node.setdefault(node.name, (node, []))[1].append(at)
        for node, mine in by_node.values():
            client = cluster.get_redis_connection(node)
            for start in range(0, len(mine), _PIPELINE):
                part = mine[start : start + _PIPELINE]
                try:
                    for at, reply in zip(
                        part, _pipelined(client, [commands[at] for at in part]), strict=True
                    ):
                        found[at] = reply
                except _LOST as error:
                    for at in mine[start:]:
                        found[at] = error
                    break


_LOST = (RedisConnectionError, RedisTimeoutError)
_MOVED = (MovedError, AskError, TryAgainError)


def _pipelined(client: Redis, commands: Sequence[Command]) -> list[object]:
    with client.pipeline(transaction=False) as pipe:
        for command in commands:
            pipe.execute_command(*command.words)  # type: ignore[no-untyped-call]
        return cast(list[object], pipe.execute(raise_on_error=False))


class Told:
    """Turns what Redis raises into ``Unavailable`` that says which store, operation and view."""

    def __init__(self, address: str, attempt: str) -> None:
        self._address = address
        self._attempt = attempt

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RedisError | RedisClusterException | OSError):
            raise unavailable(self._address, self._attempt, error) from error
