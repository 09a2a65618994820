"""Ports on the loopback: which are free, and who holds one that is not."""

import random
import socket
from pathlib import Path

from tools import process_table

# Below the range that systems hand out to outgoing connections, which could take a port between our
# finding it free and the server's binding it.
_TEST_PORTS = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could bind the port on 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def find_free(count: int) -> list[int]:
    """Return ports for test servers."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(_TEST_PORTS)
        if port not in found and is_free(port):
            found.append(port)
    return found


def holder(port: int) -> str:
    """Return who listens on the port, as ``pid 12 (command line)``, or "another program"."""
    inodes = _listening_inodes(port)
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        try:
            links = {str(handle.readlink()) for handle in (process / "fd").iterdir()}
        except OSError:
            continue  # it has ended, or belongs to somebody else
        if links & inodes:
            return f"pid {process.name} ({process_table.command_line(int(process.name))})"
    return "another program"


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue  # not Linux
        for line in lines:
            words = line.split()
            if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{words[9]}]")
    return inodes
