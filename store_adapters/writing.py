"""What a conditional write decides. Redis decides the same in Lua (redis_scripts), inside the server."""

from dataclasses import dataclass

from store_adapters.model import WriteResult
from store_adapters.row_header import (
    CHECKSUM_SIZE,
    HEADER_SIZE,
    order_key,
    run_number_of,
    same_content,
)

SHORTEST_ROW = HEADER_SIZE + CHECKSUM_SIZE


@dataclass(frozen=True, slots=True)
class Decision:
    """``puts``: the row replaces what is stored. ``keeps``: what is stored says the same."""

    result: WriteResult
    puts: bool
    keeps: bool


_PUT = Decision(WriteResult.WRITTEN, puts=True, keeps=False)


def decide(stored: bytes | None, incoming: bytes, *, run_number: int) -> Decision:
    """Return what becomes of ``incoming``, given the row that is stored for its key and view.

    It replaces one whose order key is less, unless both tell a reader the same. When nothing is replaced, a
    stored row that carries this run's number makes it ``written``: it is a retry after a lost answer.
    """
    if stored is None or len(stored) < SHORTEST_ROW:  # shorter is no row of ours, and must not block one
        return _PUT
    same = same_content(stored, incoming)
    if not same and order_key(incoming) > order_key(stored):
        return _PUT
    if run_number_of(stored) == run_number:
        result = WriteResult.WRITTEN
    else:
        result = WriteResult.UNCHANGED if same else WriteResult.OLDER
    return Decision(result, puts=False, keeps=same)


def expiry_after(decision: Decision, stored_us: int | None, given_us: int | None) -> int | None:
    """Return when the row expires after a write that puts or keeps it; None is never.

    It moves only later. One exception: a row that replaces a permanent one (a tombstone, or the first after
    its view got an ``expire_after``) expires as it says.
    """
    if given_us is None or (stored_us is None and decision.keeps):
        return None
    return given_us if stored_us is None else max(stored_us, given_us)
