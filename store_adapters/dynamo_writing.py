"""Conditional writes: UpdateItem per entity and view, never PutItem, which would wipe the other views.

What is stored is read first, since a condition cannot tell an unchanged row from a newer one. The condition
then holds whatever happened in between: the order of rows, and that no expiry is brought forward.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from store_adapters.dynamo_calls import NotDone, code_of
from store_adapters.dynamo_items import (
    ABSENT,
    LONGEST_KEY,
    ONE,
    Seen,
    key_attribute,
    names_in,
    read_many,
    read_one,
)
from store_adapters.dynamo_table import Table
from store_adapters.model import RowWrite, WriteResult
from store_adapters.row_header import order_key
from store_adapters.writing import SHORTEST_ROW, Decision, decide, expiry_after

LARGEST_ITEM = 400 * 1024

_KEYS_AT_ONCE = 500  # bounds what is read before it is written
_ATTEMPTS = 100
# An order key is 16 bytes and a row is longer, so a row of equal order key is greater: it stays.
_NEWER = "(attribute_not_exists(#v) OR #v < :order_key OR size(#v) < :shortest)"


@dataclass(slots=True)
class _Update:
    """An UpdateItem under construction."""

    sets: list[str] = field(default_factory=list)
    removes: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)

    def arguments(self, view: str) -> dict[str, object]:
        text = f"SET {', '.join(self.sets)} " if self.sets else ""
        text += f"REMOVE {', '.join(self.removes)} " if self.removes else ""
        text += "ADD #w :one"
        condition = " AND ".join(self.conditions)
        return {
            "UpdateExpression": text,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names_in([text, condition], view),
            "ExpressionAttributeValues": {**self.values, ":one": ONE},
        }


def write(
    table: Table, prefix: bytes, view: str, writes: Sequence[RowWrite], *, run_number: int
) -> list[WriteResult]:
    """Write rows; those of one key one after the other, those of different keys several at once."""
    places: dict[bytes, list[int]] = {}
    for at, each in enumerate(writes):
        places.setdefault(prefix + each.key, []).append(at)
    results = [WriteResult.TOO_LARGE] * len(writes)
    keys = [key for key in places if len(key) <= LONGEST_KEY]
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        stored = read_many(table, some, view, with_expiry=True)

        def write_key(key: bytes, stored: dict[bytes, Seen] = stored) -> None:
            seen = stored.get(key, ABSENT)
            for nth, at in enumerate(places[key]):
                seen = read_one(table, key, view) if nth else seen
                results[at] = _write_row(table, key, view, writes[at], seen=seen, run=run_number)

        table.each(write_key, some)
    return results


def _write_row(table: Table, key: bytes, view: str, write: RowWrite, *, seen: Seen, run: int) -> WriteResult:
    for _ in range(_ATTEMPTS):
        decision = decide(seen.row, write.row, run_number=run)
        update = _update(decision, seen, write)
        if update is None:
            return decision.result
        if len(write.row) >= LARGEST_ITEM:
            return WriteResult.TOO_LARGE
        try:
            table.call("update_item", Key=key_attribute(key), **update.arguments(view))
        except ClientError as error:
            if _is_too_large(error):
                return WriteResult.TOO_LARGE
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            seen = read_one(table, key, view)  # somebody was faster
        else:
            return decision.result
    raise NotDone("too many write the same row at once")


def _is_too_large(error: ClientError) -> bool:
    return code_of(error) == "ValidationException" and "exceeded the maximum allowed size" in str(error)


def _update(decision: Decision, seen: Seen, write: RowWrite) -> _Update | None:
    """Return what a decision does to the item; None when there is nothing to do."""
    update = _Update()
    if decision.puts:
        update.sets.append("#v = :row")
        update.conditions.append(_NEWER)
        update.values[":row"] = {"B": write.row}
        update.values[":order_key"] = {"B": order_key(write.row)}
        update.values[":shortest"] = {"N": str(SHORTEST_ROW)}
    elif decision.keeps:
        update.conditions.append("attribute_exists(#v)")
    else:
        return None
    _expire(update, seen, write.expire_at_us, expiry_after(decision, seen.due_us, write.expire_at_us))
    return update if update.sets or update.removes else None


def _expire(update: _Update, seen: Seen, given_us: int | None, due_us: int | None) -> None:
    """Move expiries, of the row and of the item, to no earlier than they are; None is for good."""
    if due_us is None:
        if given_us is None:  # this row makes the item permanent
            update.removes += ["#d"] if seen.due_us is not None or update.sets else []
            update.removes += ["#e"] if seen.expires_at is not None or update.sets else []
        return
    if due_us != seen.due_us or update.sets:
        update.sets.append("#d = :due")
        update.conditions.append("(attribute_not_exists(#d) OR #d <= :due)")
        update.values[":due"] = {"N": str(due_us)}
    seconds = -(-due_us // 1_000_000)  # rounded up: never shorter than asked
    if not seen.exists:
        update.sets.append("#e = :seconds")
        update.conditions.append("attribute_not_exists(#k)")
    elif seen.expires_at is None:  # permanent, and stays so
        update.conditions.append("attribute_exists(#k) AND attribute_not_exists(#e)")
        return
    elif seen.expires_at < seconds:
        update.sets.append("#e = :seconds")
        update.conditions.append("#e <= :seconds")
    else:
        update.conditions.append("#e >= :seconds")
    update.values[":seconds"] = {"N": str(seconds)}
