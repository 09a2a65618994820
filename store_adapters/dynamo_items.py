"""Items of the table: one per entity with an attribute per view; reading many, and dropping rows of them.

Attributes: ``entity-key``; ``<view>`` the row; ``!<view>`` when that row expires (microseconds);
``expires-at`` when the item as a whole may go (seconds, as DynamoDB's time to live wants it; absent: never);
``write-count`` rises with every write.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from botocore.exceptions import ClientError

from store_adapters.dynamo_calls import Answer, code_of
from store_adapters.dynamo_table import KEY, Table

EXPIRES = "expires-at"
WRITES = "write-count"
ONE = {"N": "1"}
LONGEST_KEY = 2048  # bytes of a key attribute, as DynamoDB has it

_OURS = {KEY, EXPIRES, WRITES}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a view has in an item: row, the row's expiry, and the item's expiry in seconds; None is none."""

    exists: bool
    row: bytes | None
    due_us: int | None
    expires_at: int | None


ABSENT = Seen(exists=False, row=None, due_us=None, expires_at=None)


def key_attribute(key: bytes) -> dict[str, dict[str, bytes]]:
    """Return the key of an item, as requests want it."""
    return {KEY: {"B": key}}


def names_in(expressions: Iterable[str], view: str = "") -> dict[str, str]:
    """Return the attributes that expressions mean by ``#k #v #d #e #w``; DynamoDB refuses unused names."""
    meanings = {"#k": KEY, "#v": view, "#d": f"!{view}", "#e": EXPIRES, "#w": WRITES}
    text = " ".join(expressions)
    return {short: name for short, name in meanings.items() if short in text}


def read_many(table: Table, keys: Sequence[bytes], view: str, *, with_expiry: bool) -> dict[bytes, Seen]:
    """Return what a view has, by key; in pieces of 100 at once. Keys without an item are left out."""
    projection = "#k, #v, #d, #e" if with_expiry else "#k, #v"
    unique = list(dict.fromkeys(key for key in keys if len(key) <= LONGEST_KEY))
    request: Answer = {
        "ConsistentRead": True,
        "ProjectionExpression": projection,
        "ExpressionAttributeNames": names_in([projection], view),
    }
    items = table.read(table.name, [key_attribute(key) for key in unique], request)
    return {binary(item[KEY]) or b"": _seen(item, view) for item in items}


def read_one(table: Table, key: bytes, view: str) -> Seen:
    """Return what a view has under a key, as of now."""
    projection = "#v, #d, #e, #w"
    answer = table.call(
        "get_item",
        Key=key_attribute(key),
        ConsistentRead=True,
        ProjectionExpression=projection,
        ExpressionAttributeNames=names_in([projection], view),
    )
    item = answer.get("Item")
    return ABSENT if item is None else _seen(item, view)


def _seen(item: Answer, view: str) -> Seen:
    return Seen(
        exists=True,
        row=binary(item.get(view)),
        due_us=whole(item.get(f"!{view}")),
        expires_at=whole(item.get(EXPIRES)),
    )


def binary(attribute: Any) -> bytes | None:
    """Return a binary attribute's bytes; another type is nobody's row."""
    return cast(bytes | None, (attribute or {}).get("B"))


def whole(attribute: Any) -> int | None:
    """Return a number attribute's whole number; another type is none."""
    text = (attribute or {}).get("N")
    return None if text is None else int(text)


def drop_row(table: Table, key: bytes, view: str, *, due_by_us: int | None = None) -> bool:
    """Drop a view's row (when it is due by then); the item as well when nothing else is in it.

    Return whether there was one. An item is dropped only if nobody wrote to it since: another view's first
    row must not go with it.
    """
    condition = "attribute_exists(#v)"
    values: dict[str, object] = {":one": ONE}
    if due_by_us is not None:
        condition += " AND #d <= :due"
        values[":due"] = {"N": str(due_by_us)}
    update = "REMOVE #v, #d ADD #w :one"
    try:
        left = table.call(
            "update_item",
            Key=key_attribute(key),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames=names_in([update, condition], view),
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )["Attributes"]
    except ClientError as error:
        if code_of(error) != "ConditionalCheckFailedException":
            raise
        return False
    if left.keys() <= _OURS:
        _drop_item(table, key, writes=left[WRITES])
    return True


def _drop_item(table: Table, key: bytes, *, writes: object) -> None:
    try:
        table.call(
            "delete_item",
            Key=key_attribute(key),
            ConditionExpression="#w = :writes",
            ExpressionAttributeNames={"#w": WRITES},
            ExpressionAttributeValues={":writes": writes},
        )
    except ClientError as error:
        if code_of(error) != "ConditionalCheckFailedException":
            raise
