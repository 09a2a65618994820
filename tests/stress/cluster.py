"""A Redis Cluster of three primaries with a replica each, whose nodes can be killed."""

import subprocess
from pathlib import Path

import redis
from redis.crc import key_slot

from tests.stress.servers import eventually
from tools import ports

NODE_TIMEOUT = 1000  # milliseconds until a node that does not answer is called down


class Cluster:
    """Six redis-servers; ``url`` is the store's."""

    def __init__(self, folder: Path) -> None:
        found = ports.find_free(12)
        self._nodes: dict[int, subprocess.Popen[bytes]] = {}
        for port, bus in zip(found[:6], found[6:], strict=True):
            (folder / str(port)).mkdir(parents=True)
            command = [
                "redis-server",
                "--port",
                str(port),
                "--bind",
                "127.0.0.1",
                "--dir",
                str(folder / str(port)),
            ]
            command += [
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                str(bus),
                "--save",
                "",
                "--logfile",
                "log",
            ]
            command += ["--cluster-node-timeout", str(NODE_TIMEOUT), "--repl-diskless-sync-delay", "0"]
            # Else the others refuse to answer for their own slots while some have no primary.
            command += ["--cluster-require-full-coverage", "no"]
            self._nodes[port] = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in self._nodes)
        eventually(lambda: all(map(_answers, self._nodes)), "all nodes answer")
        nodes = [f"127.0.0.1:{port}" for port in self._nodes]
        making = ["redis-cli", "--cluster", "create", *nodes, "--cluster-replicas", "1", "--cluster-yes"]
        subprocess.run(making, check=True, capture_output=True, timeout=120)
        eventually(self.is_whole, "the cluster is whole", within=60)

    def is_whole(self) -> bool:
        """Whether every node knows all slots to be served, and has all of its primary's data."""
        return all(_knows_whole(port) for port in self._nodes) and all(
            _is_copied(port) for port in self._nodes
        )

    def primaries(self) -> dict[int, list[tuple[int, int]]]:
        """Return the ranges of slots by the port of the node that answers for them."""
        found: dict[int, list[tuple[int, int]]] = {}
        for first, last, primary, *_ in _ask(next(iter(self._nodes)), "CLUSTER", "SLOTS"):
            found.setdefault(primary[1], []).append((first, last))
        return found

    def kill(self, port: int) -> None:
        """Kill -9 a node."""
        node = self._nodes.pop(port)
        node.kill()
        node.wait()

    def close(self) -> None:
        for port in list(self._nodes):
            self.kill(port)


def lies_in(key: bytes, ranges: list[tuple[int, int]]) -> bool:
    """Whether one of the ranges of slots has the key."""
    return any(first <= key_slot(key) <= last for first, last in ranges)


def _ask(port: int, *words: str):
    with redis.Redis(port=port, socket_timeout=5) as node:
        return node.execute_command(*words)


def _answers(port: int) -> bool:
    try:
        return bool(_ask(port, "PING"))
    except redis.RedisError:
        return False


def _knows_whole(port: int) -> bool:
    with redis.Redis(port=port, socket_timeout=5, decode_responses=True) as node:
        info = node.cluster("INFO")
    return (
        info["cluster_state"] == "ok"
        and info["cluster_slots_ok"] == "16384"
        and info["cluster_known_nodes"] == "6"
    )


def _is_copied(port: int) -> bool:
    said = _ask(port, "INFO", "replication")
    if said["role"] == "slave":
        return said["master_link_status"] == "up"
    return said["connected_slaves"] == 1 and said["slave0"]["offset"] == said["master_repl_offset"]
