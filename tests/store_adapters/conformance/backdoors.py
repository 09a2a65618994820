"""Looks into each kind of store past its adapter, and puts there what no adapter would."""

import sqlite3
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import boto3
from redis import Redis, RedisCluster
from redis.cluster import ClusterNode


class Backdoor(Protocol):
    """A store, past its adapter."""

    url: str
    many: int  # rows: more than any adapter handles at once, as far as the server is quick
    # What a test may write: longer than any other store's rows and keys are, or as DynamoDB limits them.
    longest_row: int
    longest_key: int
    fragments: tuple[bytes, ...]  # shorter than any row, as far as the store takes them

    def record_expiry_us(self, project: str, key: bytes) -> int | None:
        """When the whole record of an entity goes; None is never."""
        ...

    def row_expiry_us(self, project: str, key: bytes, view: str) -> int | None: ...

    def plant_row(self, project: str, view: str, key: bytes, row: bytes) -> None:
        """Put bytes that no adapter of ours would."""
        ...

    def plant_layout(self, project: str, field: str, text: str) -> None: ...

    def layout_text(self, project: str, field: str) -> str: ...

    def forget(self, project: str) -> None:
        """Leave nothing of a project on a server that tests share."""
        ...


class SqliteBackdoor:
    many = 2_500
    longest_row = longest_key = 2_000_000
    fragments = (b"", b"\xff", b"\xff" * 43)

    def __init__(self, url: str) -> None:
        self.url = url

    def _execute(self, statement: str, *values: object) -> list[tuple]:
        path = self.url.removeprefix("sqlite://")
        return sqlite3.connect(path, isolation_level=None).execute(statement, values).fetchall()

    def record_expiry_us(self, project: str, key: bytes) -> int | None:
        rows = self._execute(
            "SELECT expires_us FROM fl_rows WHERE project = ? AND entity_key = ?", project, key
        )
        found = [expires_us for (expires_us,) in rows]
        return None if None in found else max(found)

    def row_expiry_us(self, project: str, key: bytes, view: str) -> int | None:
        return self._execute(
            "SELECT expires_us FROM fl_rows WHERE project = ? AND entity_key = ? AND view = ?",
            project,
            key,
            view,
        )[0][0]

    def plant_row(self, project: str, view: str, key: bytes, row: bytes) -> None:
        self._execute("INSERT OR REPLACE INTO fl_rows VALUES (?, ?, ?, ?, NULL)", project, key, view, row)

    def plant_layout(self, project: str, field: str, text: str) -> None:
        self._execute("INSERT INTO fl_layouts VALUES (?, ?, ?)", project, field, text)

    def layout_text(self, project: str, field: str) -> str:
        return self._execute("SELECT layout FROM fl_layouts WHERE project = ? AND field = ?", project, field)[
            0
        ][0]

    def forget(self, project: str) -> None:
        """The file goes with the test's folder."""


class RedisBackdoor:
    many = 2_500
    longest_row = longest_key = 2_000_000
    fragments = (b"", b"\xff", b"\xff" * 43)

    def __init__(self, url: str) -> None:
        self.url = url

    def _client(self) -> Redis | RedisCluster:
        scheme, _, rest = self.url.partition("://")
        if scheme == "redis":
            return Redis.from_url(self.url)
        nodes = [node.rsplit(":", 1) for node in rest.split(",")]
        return RedisCluster(startup_nodes=[ClusterNode(host, int(port)) for host, port in nodes])

    def record_expiry_us(self, project: str, key: bytes) -> int | None:
        milliseconds = self._client().pexpiretime(f"fl:{project}:".encode() + key)
        return None if milliseconds == -1 else milliseconds * 1000

    def row_expiry_us(self, project: str, key: bytes, view: str) -> int | None:
        milliseconds = self._client().hget(f"fl:{project}:".encode() + key, f"!{view}")
        return None if milliseconds is None else int(milliseconds) * 1000

    def plant_row(self, project: str, view: str, key: bytes, row: bytes) -> None:
        self._client().hset(f"fl:{project}:".encode() + key, view, row)

    def plant_layout(self, project: str, field: str, text: str) -> None:
        self._client().hset(f"fl-layout:{project}", field, text)

    def layout_text(self, project: str, field: str) -> str:
        return self._client().hget(f"fl-layout:{project}", field).decode()

    def forget(self, project: str) -> None:
        client = self._client()
        with client.pipeline(transaction=False) as pipe:
            for key in client.scan_iter(match=f"fl*:{project}*", count=1000):
                pipe.execute_command("DEL", key)
            pipe.execute()
        client.close()


class DynamoBackdoor:
    many = 600
    longest_key = 2_000
    fragments = (b"\xff", b"\xff" * 43)  # not every compatible server takes an empty one

    def __init__(self, url: str, *, longest_row: int = 400 * 1024 - 200) -> None:
        self.url = url
        self.longest_row = longest_row  # the limit is the item's: its key and the names of attributes count
        parts = urlsplit(url)
        self.table = parts.path[1:]
        self.client: Any = boto3.client(
            "dynamodb", region_name=parts.netloc, endpoint_url=parse_qs(parts.query)["endpoint"][0]
        )

    def item(self, key: bytes) -> dict:
        answer = self.client.get_item(
            TableName=self.table, Key={"entity-key": {"B": key}}, ConsistentRead=True
        )
        return answer.get("Item", {})

    def put(self, key: bytes, name: str, value: dict) -> None:
        self.client.update_item(
            TableName=self.table,
            Key={"entity-key": {"B": key}},
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": value},
        )

    def record_expiry_us(self, project: str, key: bytes) -> int | None:
        seconds = self.item(f"fl:{project}:".encode() + key).get("expires-at")
        return None if seconds is None else int(seconds["N"]) * 1_000_000

    def row_expiry_us(self, project: str, key: bytes, view: str) -> int | None:
        due = self.item(f"fl:{project}:".encode() + key).get(f"!{view}")
        return None if due is None else int(due["N"])

    def plant_row(self, project: str, view: str, key: bytes, row: bytes) -> None:
        self.put(f"fl:{project}:".encode() + key, view, {"B": row})

    def plant_layout(self, project: str, field: str, text: str) -> None:
        self.put(f"fl-layout:{project}:{field}".encode(), "layout", {"S": text})

    def layout_text(self, project: str, field: str) -> str:
        return self.item(f"fl-layout:{project}:{field}".encode())["layout"]["S"]

    def forget(self, project: str) -> None:
        """The table goes with the test."""

    def drop_table(self) -> None:
        try:
            self.client.delete_table(TableName=self.table)
        except self.client.exceptions.ResourceNotFoundException:
            return  # the test never used its store
