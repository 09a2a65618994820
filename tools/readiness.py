"""How a process shows that it is ready: it answers on an address, or it keeps touching a file."""

import http.client
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit


class Probe(Protocol):
    """Asked again and again until it says yes."""

    def reset(self) -> None:
        """Forget what an earlier process left behind; called before each start."""
        ...

    def is_ready(self) -> bool:
        """Whether the process can do its work now. Takes a second at most."""
        ...


@dataclass(frozen=True, slots=True)
class Answers:
    """Ready when a GET of the address answers 200."""

    url: str

    def reset(self) -> None:
        """Nothing is left behind by an address."""

    def is_ready(self) -> bool:
        """Ask once."""
        parts = urlsplit(self.url)
        # http.client, because urllib would go through a proxy that the environment names.
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=1.0)
        try:
            connection.request("GET", parts.path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class Beats:
    """Ready while a file has been touched within the last seconds."""

    file: Path
    within: float = 30.0

    def reset(self) -> None:
        """Remove the file."""
        self.file.unlink(missing_ok=True)

    def is_ready(self) -> bool:
        """Look once."""
        try:
            touched = self.file.stat().st_mtime
        except OSError:
            return False
        return time.time() - touched < self.within


@dataclass(frozen=True, slots=True)
class Runs:
    """Ready as soon as it runs: for processes nobody waits for."""

    def reset(self) -> None:
        """Nothing is left behind."""

    def is_ready(self) -> bool:
        """Say yes."""
        return True
