"""Feast's tables in DynamoDB, read in place: a table per project and view, an item per entity.

Items: ``entity_id`` the hash of the entity key, ``event_ts`` text, ``values`` a map of a binary per feature.
Of a key there is only its hash, so that keys cannot be sampled.
"""

from collections.abc import Sequence

from botocore.exceptions import ClientError

from controlplane.kernel import clock, names
from store_adapters.dynamo_calls import Answer, Calls, code_of, told
from store_adapters.errors import CorruptValue
from store_adapters.feast_rows import DAMAGED
from store_adapters.feast_store import FeastStore, layout_of
from store_adapters.feast_values import parse_time
from store_adapters.model import Layout
from store_adapters.murmur import murmur3_128
from store_adapters.protocol import Description

DEFAULT_TEMPLATE = "{project}.{table_name}"  # Feast's own
_API = "API 2012-08-10"
_MAX_PROJECTION = 4_096  # bytes; DynamoDB refuses longer expressions
_NO_KEYS = (
    "Feast keeps only hashes of keys in DynamoDB: a probe knows no keys but those of sampled lookups, which "
    "serving tells where FRESHLINE_OBSERVE_PLAIN_KEYS names the project"
)


class FeastDynamoStore(FeastStore):
    """A ``Store`` that reads what Feast wrote. A table that is not there has no rows."""

    hides_keys = _NO_KEYS

    def __init__(
        self, *, region: str, endpoint: str | None, template: str = DEFAULT_TEMPLATE, timeout_seconds: float
    ) -> None:
        options = [f"endpoint={endpoint}"] if endpoint else []
        options += [f"table_name_template={template}"] if template != DEFAULT_TEMPLATE else []
        super().__init__(f"feast+dynamodb://{region}" + ("?" + "&".join(options) if options else ""))
        self._template = template
        self._calls = Calls(region=region, endpoint=endpoint, timeout_seconds=timeout_seconds)

    def describe(self) -> Description:
        self.ping()
        return Description("feast-dynamodb", self.address, _API, warnings=(_NO_KEYS,))

    def ping(self) -> None:
        with told(self.address, "answer a ping"):
            try:
                self._calls.call("list_tables", Limit=1)
            except ClientError as error:
                # Who may read Feast's tables need not be allowed to list them: a refusal is an answer.
                if code_of(error) != "AccessDeniedException":
                    raise

    def clock_us(self) -> int:
        return clock.now_us()  # the protocol tells whole seconds only

    def read_rows(
        self, project: str, view: str, keys: Sequence[bytes], *, layout: Layout | None = None
    ) -> list[bytes | None]:
        layout = layout_of(layout, project, view)
        ids = [murmur3_128(key).hex() for key in keys]
        with told(self.address, f"read rows of {project}/{view}"):
            found = self._read(self._table_of(project, view), list(dict.fromkeys(ids)), layout)
        rows = {item["entity_id"]["S"]: self._pack(layout, item) for item in found}
        return [rows.get(each) for each in ids]

    def sample_keys(self, project: str, view: str, *, limit: int, after: bytes = b"") -> list[bytes]:
        """Return none: keys cannot be told from their hashes."""
        return []

    def close(self) -> None:
        self._calls.close()

    def _read(self, table: str, ids: Sequence[str], layout: Layout) -> list[Answer]:
        features = {f"#f{at}": column.name for at, column in enumerate(layout.columns)}
        projection = ",".join(["#i", "#t", *(f"#v.{short}" for short in features)])
        if len(projection) > _MAX_PROJECTION:  # all of the table's: what is read costs the same either way
            features, projection = {}, "#i,#t,#v"
        request: Answer = {
            "ConsistentRead": True,
            "ProjectionExpression": projection,
            "ExpressionAttributeNames": {"#i": "entity_id", "#t": "event_ts", "#v": "values", **features},
        }
        try:
            return self._calls.read(table, [{"entity_id": {"S": each}} for each in ids], request)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            return []

    def _table_of(self, project: str, view: str) -> str:
        name = self._template.replace("{project}", names.check(project, what="project"))
        return name.replace("{table_name}", view)

    def _pack(self, layout: Layout, item: Answer) -> bytes:
        stored = {
            name: attribute.get("B") for name, attribute in item.get("values", {"M": {}}).get("M", {}).items()
        }
        values = {name: value for name, value in stored.items() if isinstance(value, bytes)}
        text = item.get("event_ts", {}).get("S")
        if text is None or len(values) < len(stored):
            return DAMAGED
        try:
            event_time_us = parse_time(text)
        except CorruptValue:
            return DAMAGED
        return self.packer.pack(layout, event_time_us, values)
