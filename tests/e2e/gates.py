"""A way to a server that can be shut and opened again: the server itself goes on, nobody reaches it."""

import socket
import threading
from contextlib import suppress

_CHUNK = 65_536


class Gate:
    """Listens on a loopback port of its own and passes on, both ways, what comes for ``behind``.

    Shut, it refuses whoever comes and drops whoever is there, as a server does whose process ended. Stalled,
    it welcomes everybody and passes nothing on, as one does that hangs. Whatever the server acknowledged
    before, it still has when the gate opens.
    """

    def __init__(self, behind: tuple[str, int]) -> None:
        self._behind = behind
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._door: socket.socket | None = None
        self._flowing = threading.Event()
        self.port = 0
        self.open()

    def open(self) -> None:
        """Let everybody through, on the same port as ever."""
        self._flowing.set()
        if self._door is not None:
            return
        self._door = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._welcome, args=(self._door,), daemon=True).start()

    def shut(self) -> None:
        """Refuse everybody from now on."""
        assert self._door is not None
        with self._lock:
            door, self._door = self._door, None
            _end(door)
            for one in self._open:
                _end(one)
            self._open.clear()

    def stall(self) -> None:
        """Let nothing through from now on; nobody is told."""
        self._flowing.clear()

    def _welcome(self, door: socket.socket) -> None:
        while True:
            try:
                guest, _ = door.accept()
                host = socket.create_connection(self._behind, timeout=10)
            except OSError:
                return
            host.settimeout(None)
            with self._lock:
                if self._door is not door:
                    _end(guest)
                    _end(host)
                    return
                self._open |= {guest, host}
            for ends in ((guest, host), (host, guest)):
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                self._flowing.wait()
                target.sendall(chunk)
        with self._lock:
            for one in (source, target):
                self._open.discard(one)
                _end(one)


def _end(one: socket.socket) -> None:
    # A close alone leaves who waits in accept or recv waiting for ever.
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
