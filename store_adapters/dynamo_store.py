"""The store in DynamoDB, or in what speaks its protocol: an item per entity, an attribute per view.

Keys of items: ``fl:<project>:<key bytes>`` an entity; ``fl-wm:<project>`` watermarks, an attribute per lane;
``fl-layout:<project>:<view>/<number>`` a layout (an item each: one item for all would outgrow 400 KB);
``fl-sweep`` how far the sweeper has come.
"""

from collections.abc import Sequence

from botocore.exceptions import ClientError

from controlplane.kernel import clock, names
from controlplane.kernel.errors import Conflict
from store_adapters.dynamo_calls import Answer, code_of, told
from store_adapters.dynamo_items import drop_row, key_attribute, read_many, whole
from store_adapters.dynamo_scans import purge, sample, sweep
from store_adapters.dynamo_table import KEY, Table
from store_adapters.dynamo_writing import write
from store_adapters.layout_json import dump_columns, load_columns
from store_adapters.model import Lane, Layout, RowWrite, Watermark, WriteResult
from store_adapters.protocol import Description, unavailable

_API = "API 2012-08-10"
_MARK_CONDITION = (
    "attribute_not_exists(#f.#g) OR #f.#g < :generation OR (#f.#g = :generation AND #f.#u < :us)"
)


def record_prefix(project: str) -> bytes:
    """Return what precedes the key bytes."""
    return f"fl:{names.check(project, what='project')}:".encode()


class DynamoStore:
    """A ``Store`` in one table, which is made on first use. Reads are strongly consistent."""

    hides_keys = ""

    def __init__(
        self, table: str, *, region: str, endpoint: str | None = None, timeout_seconds: float = 5.0
    ) -> None:
        self.address = f"dynamodb://{region}/{table}" + (f"?endpoint={endpoint}" if endpoint else "")
        self._table = Table(table, region=region, endpoint=endpoint, timeout_seconds=timeout_seconds)

    def describe(self) -> Description:
        with told(self.address, "describe itself"):
            found = self._table.call("describe_table")["Table"]
        problems = []
        if found["KeySchema"] != [{"AttributeName": KEY, "KeyType": "HASH"}]:
            problems.append(f"the table's key is not {KEY!r} alone: it is another program's, or wrongly made")
        if found["TableStatus"] not in ("ACTIVE", "UPDATING"):
            problems.append(f"the table is {found['TableStatus']}")
        return Description("dynamodb", self.address, _API, tuple(problems))

    def ping(self) -> None:
        with told(self.address, "answer a ping"):
            self._table.call("get_item", Key=key_attribute(b"fl-ping"))

    def clock_us(self) -> int:
        return clock.now_us()  # the protocol tells whole seconds only

    def write_rows(
        self, project: str, view: str, writes: Sequence[RowWrite], *, run_number: int
    ) -> list[WriteResult]:
        with told(self.address, f"write rows of {project}/{view}"):
            return write(self._table, record_prefix(project), view, writes, run_number=run_number)

    def read_rows(
        self, project: str, view: str, keys: Sequence[bytes], *, layout: Layout | None = None
    ) -> list[bytes | None]:
        prefix = record_prefix(project)
        with told(self.address, f"read rows of {project}/{view}"):
            found = read_many(self._table, [prefix + key for key in keys], view, with_expiry=False)
        return [seen.row if (seen := found.get(prefix + key)) else None for key in keys]

    def delete_rows(self, project: str, view: str, keys: Sequence[bytes]) -> int:
        prefix = record_prefix(project)
        with told(self.address, f"delete rows of {project}/{view}"):
            present = read_many(self._table, [prefix + key for key in keys], view, with_expiry=False)
            return sum(self._table.each(lambda key: drop_row(self._table, key, view), list(present)))

    def purge_view(self, project: str, view: str) -> int:
        with told(self.address, f"purge the rows of {project}/{view}"):
            return purge(self._table, record_prefix(project), view)

    def sample_keys(self, project: str, view: str, *, limit: int, after: bytes = b"") -> list[bytes]:
        with told(self.address, f"sample keys of {project}/{view}"):
            return sample(self._table, record_prefix(project), view, limit=limit, after=after)

    def write_watermark(self, project: str, view: str, lane: Lane, watermark: Watermark) -> bool:
        generation, us = {"N": str(watermark.generation)}, {"N": str(watermark.us)}
        with told(self.address, f"move the watermark of {project}/{view}/{lane}"):
            try:
                self._table.call(
                    "update_item",
                    Key=_marks_key(project),
                    UpdateExpression="SET #f = :mark",
                    ConditionExpression=_MARK_CONDITION,
                    ExpressionAttributeNames={"#f": f"{view}/{lane}", "#g": "generation", "#u": "us"},
                    ExpressionAttributeValues={
                        ":mark": {"M": {"generation": generation, "us": us}},
                        ":generation": generation,
                        ":us": us,
                    },
                )
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True

    def read_watermarks(self, project: str) -> dict[tuple[str, Lane], Watermark]:
        with told(self.address, f"read the watermarks of {project}"):
            answer = self._table.call("get_item", Key=_marks_key(project), ConsistentRead=True)
        found: dict[tuple[str, Lane], Watermark] = {}
        for name, value in answer.get("Item", {}).items():
            view, _, lane = name.rpartition("/")
            mark = value.get("M", {})
            generation, us = whole(mark.get("generation")), whole(mark.get("us"))
            if generation is None or us is None:
                continue  # a watermark we cannot read proves nothing; the rows' own times remain
            try:
                found[view, Lane(lane)] = Watermark(generation, us)
            except ValueError:
                continue
        return found

    def write_layout(self, project: str, view: str, layout: Layout) -> None:
        what = f"{project}/{view}/{layout.number}"
        columns = dump_columns(layout)
        with told(self.address, f"write the layout of {what}"):
            answer = self._table.call(
                "update_item",
                Key=_layout_key(project, view, layout.number),
                UpdateExpression="SET #l = if_not_exists(#l, :columns)",
                ExpressionAttributeNames={"#l": "layout"},
                ExpressionAttributeValues={":columns": {"S": columns}},
                ReturnValues="ALL_NEW",
            )
        stored = answer["Attributes"]["layout"].get("S")
        if stored != columns:
            raise Conflict("conflict", f"layout {what} is already stored with other columns: {stored}")

    def read_layout(self, project: str, view: str, number: int) -> Layout | None:
        what = f"{project}/{view}/{number}"
        with told(self.address, f"read the layout of {what}"):
            answer: Answer = self._table.call(
                "get_item", Key=_layout_key(project, view, number), ConsistentRead=True
            )
        if "Item" not in answer:
            return None
        try:
            return load_columns(number, answer["Item"].get("layout", {}).get("S", ""))
        except ValueError as error:
            raise unavailable(self.address, f"read the layout of {what}", error) from error

    def sweep_expired(self, *, now_us: int, limit: int) -> int:
        with told(self.address, "sweep the expired rows of every view"):
            return sweep(self._table, now_us=now_us, limit=limit)

    def close(self) -> None:
        self._table.close()


def _marks_key(project: str) -> dict[str, dict[str, bytes]]:
    return key_attribute(f"fl-wm:{names.check(project, what='project')}".encode())


def _layout_key(project: str, view: str, number: int) -> dict[str, dict[str, bytes]]:
    return key_attribute(f"fl-layout:{names.check(project, what='project')}:{view}/{number}".encode())
