"""What must look at many items: purging a view, sampling its keys, sweeping what has expired (ADR 6)."""

from collections.abc import Iterator, Sequence
from functools import partial
from heapq import nsmallest

from store_adapters.dynamo_calls import Answer
from store_adapters.dynamo_items import binary, drop_row, key_attribute, names_in, whole
from store_adapters.dynamo_table import KEY, Table

_PAGE = 500
# Items that one sample or one sweep looks at, at least; beyond, ten for each that is wanted.
_LOOKS = 20_000
_CURSOR_KEY = b"fl-sweep"


def purge(table: Table, prefix: bytes, view: str) -> int:
    """Drop the view's row of every item."""
    purged = 0
    drop = partial(drop_row, table, view=view)
    for page in _pages(table, view):
        purged += sum(table.each(drop, [key for key in _keys(page) if key.startswith(prefix)]))
    return purged


def sample(table: Table, prefix: bytes, view: str, *, limit: int, after: bytes) -> list[bytes]:
    """Return the least keys beyond ``after`` among a bounded number of items."""
    found: list[bytes] = []
    looks = max(_LOOKS, 10 * limit)
    for page in _pages(table, view):
        keys = (key[len(prefix) :] for key in _keys(page) if key.startswith(prefix))
        found = nsmallest(limit, [*found, *(key for key in keys if key > after)])
        looks -= page["ScannedCount"]
        if looks <= 0:
            break
    return found


def sweep(table: Table, *, now_us: int, limit: int) -> int:
    """Drop expired rows of any project, going on where the last sweep (of any process) stopped."""
    stored = table.call("get_item", Key=key_attribute(_CURSOR_KEY), ConsistentRead=True).get("Item", {})
    cursor = binary(stored.get("cursor"))
    swept = 0
    looks = max(_LOOKS, 10 * limit)
    while True:
        page = table.call("scan", Limit=_PAGE, ConsistentRead=True, **_start(cursor))
        swept += sum(table.each(partial(_sweep_item, table=table, now_us=now_us), page["Items"]))
        looks -= page["ScannedCount"]
        cursor = binary(page.get("LastEvaluatedKey", {}).get(KEY))
        if cursor is None or swept >= limit or looks <= 0:
            break
    if cursor is None:
        table.call("delete_item", Key=key_attribute(_CURSOR_KEY))
    else:
        table.call(
            "update_item",
            Key=key_attribute(_CURSOR_KEY),
            UpdateExpression="SET #c = :cursor",
            ExpressionAttributeNames={"#c": "cursor"},
            ExpressionAttributeValues={":cursor": {"B": cursor}},
        )
    return swept


def _sweep_item(item: Answer, *, table: Table, now_us: int) -> int:
    key = binary(item[KEY]) or b""
    if not key.startswith(b"fl:"):
        return 0
    over = [name[1:] for name in item if name.startswith("!") and (whole(item[name]) or 0) <= now_us]
    return sum(drop_row(table, key, view, due_by_us=now_us) for view in over)


def _pages(table: Table, view: str) -> Iterator[Answer]:
    """Give the keys that have a row of a view of that name, of any project, a part of the table at a time."""
    condition = "attribute_exists(#v)"
    cursor: bytes | None = None
    while True:
        page = table.call(
            "scan",
            Limit=_PAGE,
            ConsistentRead=True,
            ProjectionExpression="#k",
            FilterExpression=condition,
            ExpressionAttributeNames=names_in(["#k", condition], view),
            **_start(cursor),
        )
        yield page
        cursor = binary(page.get("LastEvaluatedKey", {}).get(KEY))
        if cursor is None:
            return


def _start(cursor: bytes | None) -> dict[str, object]:
    return {} if cursor is None else {"ExclusiveStartKey": key_attribute(cursor)}


def _keys(page: Answer) -> Sequence[bytes]:
    return [binary(item[KEY]) or b"" for item in page["Items"]]
