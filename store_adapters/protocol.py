"""What every online store offers. The conformance suite holds each adapter to these words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from controlplane.kernel.errors import Unavailable
from store_adapters.model import Lane, Layout, RowWrite, Watermark, WriteResult


@dataclass(frozen=True, slots=True)
class Description:
    """What the system page says of a store. ``address`` never holds a secret.

    ``problems`` make the store unfit (it evicts keys on its own); ``warnings`` are worth knowing (nothing is
    persisted).
    """

    kind: str
    address: str
    version: str
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Store(Protocol):
    """An online store; synchronous, safe to share between threads, usable after a fork.

    ``key`` is always the bytes of ``encode_key``. Every call has a timeout, and raises ``Unavailable`` with
    code ``store_unavailable``, naming store, operation and view, when the store does not answer in time.
    """

    def __hash__(self) -> int: ...

    @property
    def address(self) -> str:
        """The URL without secrets."""
        ...

    @property
    def hides_keys(self) -> str:
        """Why the store cannot list its keys, so that ``sample_keys`` gives none; empty: it can."""
        ...

    def describe(self) -> Description:
        """Ask the store what it is and how it is set up."""
        ...

    def ping(self) -> None:
        """Return if the store answers; else ``Unavailable``."""
        ...

    def clock_us(self) -> int:
        """Return the store's own clock, microseconds since 1970 UTC."""
        ...

    def write_rows(
        self, project: str, view: str, writes: Sequence[RowWrite], *, run_number: int
    ) -> list[WriteResult]:
        """Write each row unless the store has a newer or an equal one; results in the order of ``writes``.

        Each row is decided atomically, the whole is not: after ``Unavailable`` any part may be written, and
        repeating the call with the same ``run_number`` gives the results that were lost.
        """
        ...

    def read_rows(
        self, project: str, view: str, keys: Sequence[bytes], *, layout: Layout | None = None
    ) -> list[bytes | None]:
        """Return the packed row of each key, in order; None where there is none.

        ``layout``: the columns in force, which a store that is not of our making needs to read its rows by.
        """
        ...

    def delete_rows(self, project: str, view: str, keys: Sequence[bytes]) -> int:
        """Drop rows without a trace (a tombstone is a write); return how many there were."""
        ...

    def purge_view(self, project: str, view: str) -> int:
        """Drop every row of a view; other views' rows, watermarks and layouts stay. Return how many."""
        ...

    def sample_keys(self, project: str, view: str, *, limit: int, after: bytes = b"") -> list[bytes]:
        """Return up to ``limit`` keys that have a row of the view, in byte order, from beyond ``after``.

        SQLite gives the next ones, so that calling on with the last key sees all. Redis looks at a bounded
        number of records and gives the next among them: all only while the store is that small.
        """
        ...

    def write_watermark(self, project: str, view: str, lane: Lane, watermark: Watermark) -> bool:
        """Move the lane's watermark unless the stored one is equal or beyond; return whether it moved."""
        ...

    def read_watermarks(self, project: str) -> dict[tuple[str, Lane], Watermark]:
        """Return the watermarks by (view, lane). One that cannot be read is left out: no evidence."""
        ...

    def write_layout(self, project: str, view: str, layout: Layout) -> None:
        """Store a layout before its first row; again is harmless, other columns are a ``Conflict``."""
        ...

    def read_layout(self, project: str, view: str, number: int) -> Layout | None:
        """Return the layout, or None if it was never written."""
        ...

    def sweep_expired(self, *, now_us: int, limit: int) -> int:
        """Drop about ``limit`` rows whose expiry is over; return how many. The next call goes on."""
        ...

    def close(self) -> None:
        """Close every connection. The store opens new ones if it is used again."""
        ...


def unavailable(address: str, attempt: str, reason: object) -> Unavailable:
    """Return the error of a store that failed to ``attempt`` (as "read rows of project/view") something."""
    return Unavailable("store_unavailable", f"store {address} could not {attempt}: {reason}")
