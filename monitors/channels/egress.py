"""The one way out: a POST that can reach nothing inside, whatever name, answer or redirect it is given.

The name is resolved once, every address must be global unicast (unless the host is allowed by name), and the
connection goes to the very address that was checked, with the original name for TLS and Host. Redirects are
not followed, proxies of the environment not used, answers cut off at ``MAX_BODY``, everything ends at
``TIMEOUT``.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

TIMEOUT_SECONDS = 10.0
MAX_BODY = 64 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Resolve = Callable[[str, int], list[str]]


class EgressRefused(Exception):
    """The target is not allowed; trying again changes nothing."""


class EgressFailed(Exception):
    """No answer came; ``elapsed_seconds`` were spent."""

    def __init__(self, reason: str, *, elapsed_seconds: float) -> None:
        super().__init__(reason)
        self.elapsed_seconds = elapsed_seconds


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_seconds: float


def resolve_by_dns(host: str, port: int) -> list[str]:
    """Return every address of ``host``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def check_url(url: str, *, allowed_hosts: Collection[str]) -> SplitResult:
    """Return the parts of ``url`` if it may be a target as far as it tells by itself."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as wrong:
        raise EgressRefused(f"the URL cannot be read: {wrong}") from wrong
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EgressRefused("the URL must begin with https:// (or http://) and name a host")
    if parts.username is not None or parts.password is not None:
        raise EgressRefused("the URL must not carry a user or password")
    if port == 0 or any(ord(character) <= 32 or ord(character) == 127 for character in url):
        raise EgressRefused("the URL holds a character or port that none may hold")
    try:
        literal = ipaddress.ip_address(parts.hostname.split("%")[0])
    except ValueError:
        return parts
    _check_address(str(literal), parts.hostname, allowed_hosts)
    return parts


class Egress:
    """Sends. ``allowed_hosts`` are names or addresses that need not be public."""

    def __init__(self, *, allowed_hosts: Collection[str], resolve: Resolve = resolve_by_dns) -> None:
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._resolve = resolve

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Reply:
        """POST ``body``; raises ``EgressRefused`` before anything is sent, ``EgressFailed`` after."""
        started = time.monotonic()
        parts = check_url(url, allowed_hosts=self._allowed)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as wrong:
            raise EgressFailed(
                f"{host} cannot be resolved: {wrong}", elapsed_seconds=time.monotonic() - started
            ) from wrong
        if not addresses:
            raise EgressFailed(f"{host} has no address", elapsed_seconds=time.monotonic() - started)
        for address in addresses:
            _check_address(address, host, self._allowed)
        connection = _connection(parts, host, port, addresses[0])
        return _exchange(connection, parts, body, headers, started)


def _check_address(address: str, host: str, allowed_hosts: Collection[str]) -> None:
    if host.lower() in allowed_hosts or address in allowed_hosts:
        return
    if not is_public(address):
        raise EgressRefused(
            f"{host} leads to {address}, which is not a public address;"
            " FRESHLINE_EGRESS_ALLOW lists hosts that may be reached all the same"
        )


def is_public(address: str) -> bool:
    """Whether ``address`` is global unicast, looking through IPv6 forms that carry an IPv4 address."""
    found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


class _Pinned(http.client.HTTPConnection):
    """Connects to one checked address while Host (and, below, TLS) keep the name."""

    def __init__(self, host: str, port: int, *, address: str) -> None:
        super().__init__(host, port, timeout=TIMEOUT_SECONDS)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), timeout=self.timeout)


class _PinnedTls(_Pinned):
    default_port = 443

    def connect(self) -> None:
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _connection(parts: SplitResult, host: str, port: int, address: str) -> _Pinned:
    made = _PinnedTls if parts.scheme == "https" else _Pinned
    return made(host, port, address=address)


def _exchange(
    connection: _Pinned, parts: SplitResult, body: bytes, headers: Mapping[str, str], started: float
) -> Reply:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # Socket timeouts are per read: a receiver that drips a byte a second would never meet one.
    deadline = threading.Timer(TIMEOUT_SECONDS, _cut, args=(connection,))
    deadline.daemon = True
    deadline.start()
    try:
        connection.request("POST", path, body=body, headers={"Connection": "close", **headers})
        answer = connection.getresponse()
        text = answer.read(MAX_BODY)
    except (OSError, http.client.HTTPException, ValueError) as wrong:
        raise EgressFailed(
            f"{type(wrong).__name__}: {wrong}", elapsed_seconds=time.monotonic() - started
        ) from wrong
    finally:
        deadline.cancel()
        connection.close()
    spent = time.monotonic() - started
    # To http.client an answer that was cut off ends like any other: with success in its first line.
    if spent >= TIMEOUT_SECONDS or (answer.length and len(text) < MAX_BODY):
        raise EgressFailed("no whole answer in time", elapsed_seconds=spent)
    return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text, spent)


def _cut(connection: _Pinned) -> None:
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
