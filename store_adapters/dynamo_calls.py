"""Calls to DynamoDB, or to a server that speaks its protocol: with patience, several at once."""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from store_adapters.protocol import unavailable

_AT_ONCE = 16
_KEYS_PER_CALL = 100
_LOST = (BotoConnectionError, HTTPClientError)
_BUSY = {
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
}

# One session: reading the description of the protocol takes longer than a call. It makes a client at a time.
_SESSION = Session()
_MAKING = threading.Lock()

In = TypeVar("In")
Out = TypeVar("Out")
Answer = dict[str, Any]  # parsed JSON, as botocore gives it


class NotDone(Exception):
    """The store answers, and yet does not do what it is asked."""


class Patience:
    """Waits longer each time, at random so that many callers do not come back at once."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._pause = 0.02

    def wait(self) -> bool:
        """Wait a little; False when the time is over."""
        left = self._until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, self._pause * random.uniform(0.5, 1.0)))  # noqa: S311 - no secret
        self._pause = min(self._pause * 2, 1.0)
        return True


@dataclass(slots=True)
class _Process:
    """What must not be carried over a fork: sockets and threads."""

    client: Any
    pool: ThreadPoolExecutor
    number: int = field(default_factory=os.getpid)


class Calls:
    """A client that is shared by threads, and used on both sides of a fork.

    ``timeout_seconds`` bounds each connection, each answer, and how long a throttled call is tried again.
    """

    def __init__(self, *, region: str, endpoint: str | None, timeout_seconds: float) -> None:
        self._region = region
        self._endpoint = endpoint
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def patience(self) -> Patience:
        return Patience(self._timeout_seconds)

    def call(self, operation: str, **arguments: object) -> Answer:
        """Call an operation. Every call of ours may be repeated, so a lost one is: once."""
        patience = self.patience()
        lost = False
        while True:
            try:
                return cast(Answer, getattr(self.client(), operation)(**arguments))
            except ClientError as error:
                if not self.may_pass(error) or not patience.wait():
                    raise
            except _LOST:
                if lost:
                    raise
                lost = True

    def may_pass(self, error: ClientError) -> bool:
        """Return whether the same call may well be answered in a moment."""
        return code_of(error) in _BUSY

    def read(self, table: str, keys: Sequence[Answer], request: Answer) -> list[Answer]:
        """Return the items of a table that are there, in no order; in pieces of 100 keys at once.

        ``request`` says what to read of each (``ProjectionExpression`` and the like).
        """
        pieces = [keys[at : at + _KEYS_PER_CALL] for at in range(0, len(keys), _KEYS_PER_CALL)]
        found = self.each(lambda piece: self._read_piece(table, piece, request), pieces)
        return [item for items in found for item in items]

    def _read_piece(self, table: str, keys: Sequence[Answer], request: Answer) -> list[Answer]:
        wanted: list[Answer] = list(keys)
        found: list[Answer] = []
        patience = self.patience()
        while wanted:
            answer = self.call("batch_get_item", RequestItems={table: {**request, "Keys": wanted}})
            found += answer["Responses"].get(table, [])
            left = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if left and len(left) < len(wanted):  # it comes on: an answer holds 16 MB at most
                patience = self.patience()
            if left and not patience.wait():
                raise NotDone(f"{len(left)} of {len(keys)} keys were left unprocessed")
            wanted = left
        return found

    def each(self, function: Callable[[In], Out], items: Sequence[In]) -> list[Out]:
        """Call ``function`` with each item, several at once; after a failure, with no further ones."""
        if len(items) < 2:
            return [function(item) for item in items]
        futures = [self._mine().pool.submit(function, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None and process.number == os.getpid():
            process.pool.shutdown()
            process.client.close()

    def client(self) -> Any:
        """Return this process's client."""
        return self._mine().client

    def _mine(self) -> _Process:
        process = self._process
        if process is not None and process.number == os.getpid():
            return process
        with self._lock:
            if self._process is None or self._process.number != os.getpid():
                self._process = self._connect()
            return self._process

    def _connect(self) -> _Process:
        config = Config(
            connect_timeout=self._timeout_seconds,
            read_timeout=self._timeout_seconds,
            max_pool_connections=_AT_ONCE,
            retries={"total_max_attempts": 1},  # call() knows better what may be repeated, and for how long
        )
        with _MAKING:
            client = _SESSION.client(
                "dynamodb", region_name=self._region, endpoint_url=self._endpoint, config=config
            )
        return _Process(client, ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="dynamo"))


def code_of(error: ClientError) -> str:
    """Return the name of a refusal, as ThrottlingException."""
    return str(cast(Answer, error.response).get("Error", {}).get("Code", ""))


@contextmanager
def told(address: str, attempt: str) -> Iterator[None]:
    """Turn what DynamoDB's client raises into ``Unavailable`` that says which store, operation and view."""
    try:
        yield
    except (BotoCoreError, ClientError, NotDone, OSError) as error:
        raise unavailable(address, attempt, error) from error
