"""A table of DynamoDB, or of a server that speaks its protocol: calls with patience, several at once."""

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

KEY = "entity-key"  # names with a dash are ours: no view's name has one

_AT_ONCE = 16
_LOST = (BotoConnectionError, HTTPClientError)
_BUSY = {
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
}
_CREATION_SECONDS = 60.0

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


class Table:
    """A table that is made when it is used and not there. Shared by threads, used on both sides of a fork.

    ``timeout_seconds`` bounds each connection, each answer, and how long a throttled call is tried again.
    """

    def __init__(self, name: str, *, region: str, endpoint: str | None, timeout_seconds: float) -> None:
        self.name = name
        self._region = region
        self._endpoint = endpoint
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def patience(self) -> Patience:
        return Patience(self._timeout_seconds)

    def call(self, operation: str, **arguments: object) -> Answer:
        """Call an operation on the table. Every call of ours may be repeated, so a lost one is: once."""
        if operation != "batch_get_item":  # which names its tables itself
            arguments["TableName"] = self.name
        patience = self.patience()
        lost = False
        while True:
            try:
                return cast(Answer, getattr(self._mine().client, operation)(**arguments))
            except ClientError as error:
                code = code_of(error)
                if code == "ResourceNotFoundException":
                    self._make()
                elif code not in _BUSY:
                    raise
                if not patience.wait():
                    raise
            except _LOST:
                if lost:
                    raise
                lost = True

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

    def _make(self) -> None:
        client = self._mine().client
        try:
            client.create_table(
                TableName=self.name,
                KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "B"}],
                BillingMode="PAY_PER_REQUEST",
            )
        except ClientError as error:
            if code_of(error) != "ResourceInUseException":  # another process is making it
                raise
        patience = Patience(_CREATION_SECONDS)
        while client.describe_table(TableName=self.name)["Table"]["TableStatus"] != "ACTIVE":
            if not patience.wait():
                raise NotDone(f"the table {self.name} is being made for over {_CREATION_SECONDS:.0f} s")


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
